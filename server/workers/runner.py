"""Keeps background work going in a process: each job is called again and again, and woken early by events.

A job does a bounded piece of work and says when it wants to be called next. One that fails is called again
after a pause that grows; it never takes another one, or the process, down with it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from ..events import Events

Work: TypeAlias = Callable[[], Awaitable[float]]
"""Does some work, and tells in how many seconds to come again if nobody wakes it; 0 when more is waiting."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    """One kind of background work."""

    name: str
    work: Work
    channel: str | None = None
    """An event on this channel has it called at once."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Has it called now, or once more when it is at work."""
        self._wake.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            self._wake.clear()
            try:
                seconds = await self.work()
                pause = _FIRST_PAUSE
            except Exception:
                log.exception("job %s failed", self.name)
                # Spread out: what failed for one process fails for its neighbours at the same moment.
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if seconds <= 0:
                await asyncio.sleep(0)
                continue
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass


class Runner:
    """The jobs of one process."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, job: Job) -> Job:
        """Starts `job`."""
        if job.channel is not None:
            self._events.subscribe(job.channel, lambda _: job.wake())
        self._tasks.append(asyncio.create_task(job.run(), name=f"job {job.name}"))
        return job

    async def close(self) -> None:
        """Ends all jobs; what one had begun is rolled back, and taken up again at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
