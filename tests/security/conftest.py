"""What attacks on a server that federates start with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.fixtures.stranger import Here, Stranger

Receive = Callable[..., Awaitable[list[tuple[str, str | None]]]]


@pytest.fixture
def receive(here: Here, stranger: Stranger) -> Receive:
    """Delivers activities one after the other, by `fei` or by whoever's key it is, and says what became of
    each.
    """

    async def deliver(*activities: dict[str, Any], key: Any = None) -> list[tuple[str, str | None]]:
        for activity in activities:
            assert 202 == (await here.post("/inbox", activity, key or stranger.key())).status
        return [(state, error) for state, _, error in await here.settled()]

    return deliver
