"""Brings archives of posts here, one after the other. Every process has this job; each archive is taken by
one of them."""

from __future__ import annotations

from .. import importing
from ..pipeline import Road
from .runner import Job


def job(road: Road) -> Job:
    """The job, woken when somebody hands in an archive."""

    async def work() -> float:
        return await importing.work(road)

    return Job("imports", work, channel=importing.CHANNEL)
