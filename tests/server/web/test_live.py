"""The stream that says that there is something new: to whom it concerns, and for as long as they are logged
in.
"""

from __future__ import annotations

import asyncio

from aiohttp import ClientResponse, ClientSession

from server.web.live import LIVE
from tests.fixtures.server import Client, Enter
from tests.server.web.visitor import Visitor


async def _event(stream: ClientResponse, name: str) -> str:
    """The data of the next event with this name."""
    async with asyncio.timeout(10):
        async for line in stream.content:
            if line.strip() == f"event: {name}".encode():
                return (await stream.content.readline()).decode().removeprefix("data:").strip()
    raise AssertionError(f"the stream ended without {name}")


def _cookie(visitor: Visitor) -> dict[str, str]:
    return {"Cookie": f"yanlu_session={visitor.cookies['yanlu_session']}"}


async def test_a_follower_is_told_at_once(wire: ClientSession, visitor: Visitor, enter: Enter) -> None:
    """Of new posts at home, and of notices with how many are unread."""
    mei, bo = await enter("mei"), await enter("bo")
    await mei.do(f"/api/v1/accounts/{bo.id}/follow")
    await visitor.log_in("mei")
    async with wire.get("/live", headers=_cookie(visitor)) as stream:
        assert 200 == stream.status
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        await bo.post("@mei hello")
        assert "" == await _event(stream, "home")
        assert "1" == await _event(stream, "notices")
    fresh = await visitor.get("/home?min_id=1", Accept="text/vnd.yanlu.fragment+html")
    assert "hello" in fresh.text
    assert "<html" not in fresh.text


async def test_a_stream_ends_with_its_session(wire: ClientSession, visitor: Visitor, enter: Enter) -> None:
    """Within five seconds (rule E5)."""
    await enter("mei")
    await visitor.log_in("mei")
    async with wire.get("/live", headers=_cookie(visitor)) as stream:
        await stream.content.readline()
        await visitor.send("/logout", page="/home")
        async with asyncio.timeout(5):
            await stream.content.read()


async def test_strangers_have_no_stream_and_nobody_has_many(
    client: Client, wire: ClientSession, visitor: Visitor, enter: Enter
) -> None:
    """Open connections are not free."""
    async with wire.get("/live", allow_redirects=False) as answer:
        assert 303 == answer.status
    await enter("mei")
    await visitor.log_in("mei")
    streams = [await wire.get("/live", headers=_cookie(visitor)) for _ in range(11)]
    await streams[0].content.readline()
    async with asyncio.timeout(5):
        await streams[0].content.read()
    await client.app[LIVE].close(client.app)
    for stream in streams:
        async with asyncio.timeout(5):
            await stream.content.read()
        stream.close()
