"""Publishes scheduled posts within seconds of their time. Every process has this job; each post is taken by
one of them."""

from __future__ import annotations

from .. import scheduling
from ..pipeline import Road
from .runner import Job


def job(road: Road) -> Job:
    """The job, woken when somebody schedules a post."""

    async def work() -> float:
        return await scheduling.publish_due(road)

    return Job("scheduled posts", work, channel=scheduling.CHANNEL)
