"""Limits on guessing and on mail, counted in the database so that they hold across processes and restarts."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network

from compliance.records import Source

from .db.pool import Connection
from .errors import TooMany
from .pipeline import Road
from .store import attempts

FIVE_MINUTES = timedelta(minutes=5)
QUARTER = timedelta(minutes=15)
HALF_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)


async def take(road: Road, conn: Connection, subject: str, most: int, window: timedelta) -> None:
    """Counts one more try by `subject`; `TooMany` when that is more than `most` in the window.

    Not inside a transaction that the refusal would roll back.
    """
    if road.settings.limits.disabled:
        return
    now = road.clock()
    tries, ends = await attempts.count(conn, subject, window=window, now=now)
    if tries > most:
        left = max(int((ends - now).total_seconds()), 1)
        raise TooMany("Too many tries. Please wait a while and try again.", retry_after=left)


def network(source: Source) -> str:
    """The unit that limits count by: an IPv4 address, or the /64 that one IPv6 line usually has."""
    if source.address is None:
        return "internal"
    width = 64 if ":" in source.address else 32
    return str(ip_network(f"{source.address}/{width}", strict=False))
