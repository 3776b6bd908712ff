"""Browsers for the tests of the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, DummyCookieJar

from tests.fixtures.server import Client
from tests.server.web.visitor import Visitor


@pytest.fixture
async def wire(client: Client) -> AsyncIterator[ClientSession]:
    """Requests as they are sent, to the running application."""
    async with ClientSession(client.make_url("/"), cookie_jar=DummyCookieJar()) as session:
        yield session


@pytest.fixture
def visitor(wire: ClientSession) -> Visitor:
    """Somebody who is not logged in."""
    return Visitor(wire)


@pytest.fixture
def another(wire: ClientSession) -> Visitor:
    """Somebody else, with a browser of their own."""
    return Visitor(wire)
