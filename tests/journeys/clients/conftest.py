"""One running server for the clients, and people on it with passwords."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.journeys.harness import Yanlu, servers


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Yanlu]:
    """A server process as an operator runs it."""
    async with servers("one") as (one,):
        yield one


def password_of(name: str) -> str:
    """The password that the harness gives somebody."""
    return f"{name}-密码-2026"
