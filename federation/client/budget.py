"""How much may be asked of others: at once and a minute for each host, and in all for whatever one
activity leads to.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from federation.errors import Throttled

MAX_HOSTS = 10_000
_MINUTE = 60.0


@dataclass(slots=True)
class Budget:
    """Fetches that one received activity may still cause, all of its tree together."""

    fetches: int = 200

    def spend(self) -> None:
        """Takes one, or refuses."""
        if self.fetches <= 0:
            raise Throttled("the activity asks for too many fetches")
        self.fetches -= 1


@dataclass(slots=True)
class _Host:
    slots: asyncio.Semaphore
    waiting: int = 0
    fetched: deque[float] = field(default_factory=deque)


class Hosts:
    """What is going on with each host, for as many hosts as were seen lately."""

    def __init__(
        self, *, at_once: int, a_minute: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._at_once = at_once
        self._a_minute = a_minute
        self._clock = clock
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    @asynccontextmanager
    async def slot(self, name: str) -> AsyncIterator[None]:
        """Holds one of the host's places; with too many waiting already, refuses."""
        host = self._host(name)
        if host.waiting >= 16 * self._at_once:
            raise Throttled(f"too many requests wait for {name}")
        host.waiting += 1
        try:
            async with host.slots:
                yield
        finally:
            host.waiting -= 1

    def count_fetch(self, name: str) -> None:
        """Counts one fetch, or refuses when the minute is full."""
        if self._a_minute is None:
            return
        fetched = self._host(name).fetched
        now = self._clock()
        while fetched and fetched[0] <= now - _MINUTE:
            fetched.popleft()
        if len(fetched) >= self._a_minute:
            raise Throttled(f"enough was fetched from {name} for this minute")
        fetched.append(now)

    def _host(self, name: str) -> _Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(asyncio.Semaphore(self._at_once))
            self._forget()
        self._hosts.move_to_end(name)
        return host

    def _forget(self) -> None:
        while len(self._hosts) > MAX_HOSTS:
            oldest = next(iter(self._hosts))
            if self._hosts[oldest].waiting:
                self._hosts.move_to_end(oldest)
                return
            del self._hosts[oldest]
