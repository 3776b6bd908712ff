"""Tells caches and workers, in this process and the others, that something changed; never what it says.

An event is a channel and a short payload, mostly an id. Events are told after the commit they speak of, on a
connection of their own: a NOTIFY inside each transaction would make commits wait for each other. Those of
about 10 ms travel together. The process itself hears its own at once.

    notify -> own callbacks, now
           -> gathered 10 ms -> NOTIFY '<sender> <channel>:<payload>,<payload> …' -> others' callbacks

Events can be lost (a broken connection, too many at once); callbacks are then called with `EVERYTHING`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import asyncpg

Callback: TypeAlias = Callable[[str], None]

EVERYTHING = "*"
"""The payload that says: whatever you keep of this channel may have changed."""

_NAME = "yanlu"
_SESSION = {"application_name": "yanlu events"}
_GATHER_SECONDS = 0.01
_CHECK_SECONDS = 30.0
_MOST_BYTES = 7900  # PostgreSQL takes payloads below 8,000
_MOST_PAYLOADS = 4000

log = logging.getLogger(__name__)


class Events:
    """The events of one process."""

    def __init__(self) -> None:
        self._sender = secrets.token_hex(4)
        self._callbacks: dict[str, list[Callback]] = {}
        self._pending: dict[str, dict[str, None]] = {}
        self._wake = asyncio.Event()
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, channel: str, callback: Callback) -> None:
        """Has `callback` called with the payload of each event on `channel`."""
        self._callbacks.setdefault(channel, []).append(callback)

    def notify(self, channel: str, payload: str = "") -> None:
        """Tells everybody. Call it after the commit."""
        self._call(channel, payload)
        waiting = self._pending.setdefault(channel, {})
        waiting[payload] = None
        if len(waiting) > _MOST_PAYLOADS:
            self._pending[channel] = {EVERYTHING: None}
        self._wake.set()

    async def start(self, url: str) -> None:
        """Listens from now on, and returns when it does."""
        self._task = asyncio.create_task(self._run(url), name="events")
        await self._listening.wait()

    async def close(self) -> None:
        """Tells what is gathered, and ends."""
        if self._task is not None:
            if self._pending and self._listening.is_set():
                self._wake.set()
                await asyncio.sleep(2 * _GATHER_SECONDS)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self, url: str) -> None:
        pause = 0.05
        is_first = True
        while True:
            try:
                conn = await asyncpg.connect(
                    url, timeout=10, server_settings={"application_name": "yanlu events"}
                )
            except (OSError, asyncpg.PostgresError) as error:
                log.warning("events: the database cannot be reached (%s)", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            try:
                await conn.add_listener(_NAME, self._hear)
                conn.add_termination_listener(lambda _: self._wake.set())
                self._listening.set()
                if not is_first:
                    self._missed()
                is_first, pause = False, 0.05
                await self._tell(conn)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("events: the connection was lost (%s)", type(error).__name__)
                await asyncio.sleep(pause)
            finally:
                self._listening.clear()
                conn.terminate()

    async def _tell(self, conn: asyncpg.Connection[Any]) -> None:
        """Sends what is gathered; looks after the connection now and then when there is nothing."""
        while True:
            try:
                async with asyncio.timeout(_CHECK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                await conn.execute("select 1", timeout=10)
                continue
            await asyncio.sleep(_GATHER_SECONDS)
            self._wake.clear()
            if conn.is_closed():
                raise ConnectionResetError
            pending, self._pending = self._pending, {}
            try:
                for message in self._messages(pending):
                    await conn.execute("select pg_notify($1, $2)", _NAME, message, timeout=10)
            except BaseException:
                # Whoever takes over tells the others that they know nothing any more.
                self._pending |= {channel: {EVERYTHING: None} for channel in pending}
                self._wake.set()
                raise

    def _messages(self, pending: dict[str, dict[str, None]]) -> Iterator[str]:
        message = self._sender
        for channel, payloads in pending.items():
            part = f" {channel}:{','.join(payloads)}"
            if len(part.encode()) > _MOST_BYTES - 20:
                part = f" {channel}:{EVERYTHING}"
            if len(message.encode()) + len(part.encode()) > _MOST_BYTES:
                yield message
                message = self._sender
            message += part
        if message != self._sender:
            yield message

    def _hear(self, _conn: object, _pid: int, _channel: str, message: object) -> None:
        sender, *parts = str(message).split(" ")
        if sender == self._sender:
            return
        for part in parts:
            channel, _, payloads = part.partition(":")
            for payload in payloads.split(","):
                self._call(channel, payload)

    def _missed(self) -> None:
        for channel in self._callbacks:
            self._call(channel, EVERYTHING)

    def _call(self, channel: str, payload: str) -> None:
        for callback in self._callbacks.get(channel, ()):
            try:
                callback(payload)
            except Exception:
                log.exception("events: a callback of %s failed", channel)
