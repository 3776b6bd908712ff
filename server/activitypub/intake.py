"""Stores what was received, many requests to one commit.

While one batch is being written the next gathers; what comes when nothing is being written is written at
once. Whoever waits here is answered after the commit, never before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from ..ids import Clock
from ..store import inbound
from ..store.inbound import Received

BATCH = 500
"""At this size a commit costs each activity next to nothing; a larger one would only make its first wait."""


class Full(Exception):
    """More is waiting to be written than should be: the sender is asked to come back."""


class Intake:
    """The writer of one process. `wake` is called after each commit, for the worker that goes on."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        clock: Clock,
        wake: Callable[[], None],
        *,
        capacity: int = 4 * BATCH,
        capacity_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._wake = wake
        self._capacity = capacity
        self._bytes_left = capacity_bytes
        self._waiting: list[tuple[Received, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, received: Received) -> None:
        """Returns once `received` is committed, or raises what kept it from being so."""
        size = len(received.body)
        if len(self._waiting) >= self._capacity or size > self._bytes_left:
            raise Full
        committed = asyncio.get_running_loop().create_future()
        self._waiting.append((received, committed))
        self._bytes_left -= size
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="intake")
        try:
            await committed
        finally:
            self._bytes_left += size

    async def close(self) -> None:
        """Writes what is waiting, and ends."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                try:
                    async with self._pool.acquire() as conn:
                        await inbound.insert(conn, [one for one, _ in batch], now=self._clock())
                except Exception as error:
                    for _, committed in batch:
                        if not committed.done():
                            committed.set_exception(error)
                else:
                    for _, committed in batch:
                        # A sender that hung up meanwhile has cancelled its own.
                        if not committed.done():
                            committed.set_result(None)
                    self._wake()
        finally:
            self._writer = None
