"""A load generator small enough to leave the machine to the server: raw HTTP/1.1 on kept connections.

Bounded in count: it sends the requests it is given, no more, and stops.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """Times are seconds; `slow` are the sorted times of single requests."""

    slow: Sequence[float]
    wall: float
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        return len(self.slow) / self.wall

    def percentile(self, share: float) -> float:
        return self.slow[min(len(self.slow) - 1, int(len(self.slow) * share))]


class _Connection(asyncio.Protocol):
    """One kept connection: a request, its whole answer, the next."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._need: int | None = None
        self._status = 0
        self._waiter: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionResetError("the server closed the connection"))

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        assert self._transport is not None
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiter

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._need is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end]).lower()
            self._status = int(head[9:12])
            at = head.find(b"\r\ncontent-length:")
            length = (
                int(head[at + 17 : (head.find(b"\r\n", at + 2) + 1 or len(head) + 1) - 1]) if at >= 0 else 0
            )
            self._need = end + 4 + length
            if self._status in (204, 304):
                self._need = end + 4
        if len(self._buffer) >= self._need:
            body = (
                bytes(self._buffer[-length:])
                if (length := self._need - self._buffer.find(b"\r\n\r\n") - 4)
                else b""
            )
            del self._buffer[: self._need]
            self._need = None
            waiter, self._waiter = self._waiter, None
            if waiter is not None and not waiter.done():
                waiter.set_result((self._status, body))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def run(host: str, port: int, requests: Sequence[bytes], *, concurrency: int) -> Result:
    """Sends every request once, `concurrency` at a time."""
    loop = asyncio.get_running_loop()
    slow: list[float] = []
    statuses: dict[int, int] = {}
    queue = iter(requests)

    async def client() -> None:
        _, connection = await loop.create_connection(_Connection, host, port)
        try:
            for request in queue:
                started = time.perf_counter()
                status, _ = await connection.ask(request)
                slow.append(time.perf_counter() - started)
                statuses[status] = statuses.get(status, 0) + 1
        finally:
            connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(concurrency)))
    return Result(sorted(slow), time.perf_counter() - started, statuses)


def get(path: str, host: str, **headers: str) -> bytes:
    """A GET; header names take `_` for `-`."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *_lines(headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(path: str, host: str, body: bytes, **headers: str) -> bytes:
    """A POST of `body`."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *_lines(headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _lines(headers: dict[str, str]) -> list[str]:
    return [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]


Maker = Callable[[int], bytes]
