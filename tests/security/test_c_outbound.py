"""Rule C: no word of a stranger or of a member makes us connect to where nobody should.

The address table, pinning, redirects, sizes and times are tried in `tests/federation/test_addresses.py` and
`test_client.py`; here a listener on loopback waits for a connection that must not come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from server import keys
from tests.fixtures.server import Enter
from tests.fixtures.stranger import Here, Stranger

from .world import open_browser


@pytest.fixture
def client(here: Here) -> TestClient[web.Request, web.Application]:
    """Where `enter` makes people."""
    return here.client


class Canary:
    """Counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        self.port = 0

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.close()


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    canary = Canary()
    server = await asyncio.start_server(canary.visited, "127.0.0.1", 0)
    canary.port = server.sockets[0].getsockname()[1]
    yield canary
    server.close()
    await server.wait_closed()


def _spellings(port: int) -> list[str]:
    names = [
        "127.0.0.1",
        "localhost",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "①②⑦.⓪.⓪.①",
        "0.0.0.0",
        "127.0.0.1.",
    ]
    return [f"{name}:{port}" for name in names] + [f"user:password@127.0.0.1:{port}"]


async def test_a_member_leads_us_nowhere(here: Here, enter: Enter, canary: Canary) -> None:
    """Addresses, handles and names in a post, however loopback is spelled (C1 to C3)."""
    an = await enter("an")
    page = await open_browser(here.client, here.app[keys.ROAD], an)
    for place in _spellings(canary.port):
        for query in (f"http://{place}/users/x", f"https://{place}/@x/1", f"@x@{place}", f"x@{place}"):
            answer = await an.call("GET", "/api/v2/search", params={"q": query, "resolve": "true"})
            assert answer.status < 500, query
        await an.call("GET", "/api/v1/accounts/search", params={"q": f"x@{place}", "resolve": "true"})
        await an.call("GET", "/api/v1/accounts/lookup", params={"acct": f"x@{place}"})
        await page.get("/search", params={"q": f"@x@{place}"})
        await page.get("/search", params={"q": f"http://{place}/users/x"})
    await an.post(" ".join(f"@x@{place}" for place in _spellings(canary.port)[:6]))
    assert 0 == canary.visits


async def test_a_stranger_leads_us_nowhere(here: Here, stranger: Stranger, canary: Canary) -> None:
    """Keys, actors, boosted posts, posts that are answered, pictures, inboxes and redirects."""
    evil = f"http://127.0.0.1:{canary.port}"
    listen = stranger.activity("Listen", "x")
    assert 401 == (await here.post("/inbox", listen, stranger.key(f"{evil}/users/x#main-key"))).status
    stranger.put_person("mal", inbox=f"{evil}/inbox", endpoints={"sharedInbox": f"{evil}/inbox"})
    picture = {"type": "Image", "url": f"{evil}/a.png", "mediaType": "image/png"}
    for activity in (
        stranger.activity("Announce", f"{evil}/1"),
        stranger.activity("Create", stranger.note(inReplyTo=f"{evil}/2", attachment=[picture])),
        stranger.activity("Create", f"{stranger.origin}/../../@{evil}"),
        stranger.activity("Update", stranger.document("/users/fei") | {"icon": picture, "image": picture}),
        stranger.activity("Follow", f"{evil}/users/x"),
        stranger.activity("Flag", [f"{evil}/users/x"]),
    ):
        await here.post("/inbox", activity, stranger.key())

    async def tried() -> bool:
        return not await here.app[keys.POOL].fetchval(
            "select count(*) from federation.inbound where state = 'waiting' and error is null"
        )

    await here.until(tried)
    assert 0 == canary.visits
