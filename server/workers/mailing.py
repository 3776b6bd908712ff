"""Takes letters into the postbox, and empties it, one letter after another; those that nobody takes are tried
again for two days.

A process that dies between handing a letter over and noting that sends it once more, under the same name.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from compliance.errors import SealBroken

from .. import postbox
from ..letters import Letter
from ..pipeline import Road
from ..providers.mail import Carrier, LetterRefused, NotTaken
from ..store import postbox as store
from ..store.postbox import Waiting
from .runner import Job

LEASE: Final = timedelta(minutes=10)
"""Longer than a round of letters takes where a mail server answers each of them as late as it may."""
AT_ONCE: Final = 8
KEPT: Final = timedelta(days=2)
_PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1_800, 3_600))
_IDLE_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


class Posting:
    """Puts letters into the postbox behind the back of whoever sends them."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._under_way: set[asyncio.Task[None]] = set()

    def send(self, letter: Letter) -> None:
        """Does not wait for the database, so that no answer tells by its time whether there was a letter."""
        task = asyncio.create_task(self._post(letter), name="letter")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Waits until what was sent lies in the postbox."""
        await asyncio.gather(*self._under_way)

    async def _post(self, letter: Letter) -> None:
        try:
            async with self._road.pool.acquire() as conn, conn.transaction():
                await postbox.post(self._road, conn, [letter])
        except Exception as error:
            log.error("a letter was lost", extra={"error": type(error).__name__})
        else:
            self._road.events.notify(postbox.CHANNEL)


class Mailing:
    """The postbox of a server, as one process empties it."""

    def __init__(self, road: Road, carrier: Carrier) -> None:
        self._road = road
        self._carrier = carrier
        self.job = Job("letters", self.work, channel=postbox.CHANNEL)

    async def work(self) -> float:
        """Sends what is due, and says in how many seconds there is more."""
        now = self._road.clock()
        async with self._road.pool.acquire() as conn:
            waiting = await store.take(conn, now=now, until=now + LEASE, limit=AT_ONCE)
        for letter in waiting:
            await self._send(letter)
        if len(waiting) == AT_ONCE:
            return 0.0
        async with self._road.pool.acquire() as conn:
            due = await store.next_at(conn)
        if due is None:
            return _IDLE_SECONDS
        return min(max((due - self._road.clock()).total_seconds(), 0.2), _IDLE_SECONDS)

    async def _send(self, waiting: Waiting) -> None:
        try:
            letter = postbox.opened(self._road, waiting)
            await asyncio.to_thread(self._carrier.deliver, letter, f"letter-{waiting.id}")
        except (LetterRefused, SealBroken) as error:
            log.warning("a letter was refused", extra={"error": _why(error)})
        except NotTaken as error:
            log.warning("the mail server did not take a letter", extra={"error": _why(error)})
            now = self._road.clock()
            if now - waiting.created_at < KEPT:
                pause = _PAUSES[min(waiting.tries, len(_PAUSES)) - 1]
                async with self._road.pool.acquire() as conn:
                    await store.give_back(conn, waiting.id, due_at=now + pause)
                return
            log.error("a letter was given up")
        async with self._road.pool.acquire() as conn:
            await store.remove(conn, waiting.id)


def _why(error: Exception) -> str:
    return type(error.__cause__ or error).__name__
