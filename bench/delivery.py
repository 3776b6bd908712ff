"""One post to many other servers: when the first and the last of them has it."""

from __future__ import annotations

import asyncio
import time

from compliance.activity import Direction, Follow, Uri
from server.pipeline import submit

from . import processes
from . import world as worlds
from .load import Result
from .report import Line
from .world import SOURCE, World, note

INBOXES = 500
PORTS = range(9_120, 9_370)


class _Sink(asyncio.Protocol):
    """A server that takes everything: counts requests and answers 202."""

    taken: list[float]

    def __init__(self, taken: list[float]) -> None:
        self.taken = taken
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            at = head.find(b"\r\ncontent-length:")
            size = end + 4 + (int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0)
            if len(self._buffer) < size:
                return
            del self._buffer[:size]
            self.taken.append(time.perf_counter())
            assert self._transport is not None
            self._transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


async def deliver(world: World) -> list[Line]:
    """A post by somebody who is followed at 500 inboxes on 250 hosts, all of them alive on loopback."""
    loop = asyncio.get_running_loop()
    taken: list[float] = []
    servers = [await loop.create_server(lambda: _Sink(taken), "127.0.1.1", port) for port in PORTS]
    try:
        hosts = [f"127.0.1.1:{port}" for port in PORTS]
        actors = await worlds.strangers(world, hosts, INBOXES // len(hosts))
        # Each follower its own inbox: as servers without a shared one have it.
        await world.road.pool.execute(
            "update account set shared_inbox = null where id = any($1)", [actor.id for actor in actors]
        )
        author = world.people[0]
        follows = [Follow(id=Uri(f"{a.uri}/follows/1"), actor=a, target=author.actor.uri) for a in actors]
        await submit(world.road, follows, Direction.IN, source=SOURCE)
        await _quiet(taken)
        taken.clear()
        lines = []
        for name in ("first connections", "kept connections"):
            before, started = processes.cpu_seconds(world.pid), time.perf_counter()
            await submit(world.road, [note(world, author, 0)], Direction.OUT, source=SOURCE)
            while len(taken) < INBOXES and time.perf_counter() - started < 60:
                await asyncio.sleep(0.005)
            cpu = processes.cpu_seconds(world.pid) - before
            times = sorted(t - started for t in taken)
            result = Result(times, times[-1], {202: len(times)})
            lines.append(Line(f"deliveries, {name}", result, cpu, len(times), 1_000, 1_500))
            last = times[-1] * 1000
            lines.append(
                Line("  the last of 500", None, 0, 0, 500, 350, unit="ms", figure=last, low_is_good=True)
            )
            taken.clear()
        return lines
    finally:
        for server in servers:
            server.close()


async def _quiet(taken: list[float]) -> None:
    """Waits until what was under way (the Accepts) has arrived."""
    have = -1
    while have != len(taken):
        have = len(taken)
        await asyncio.sleep(1.5)
