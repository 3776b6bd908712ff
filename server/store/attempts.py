"""Counters of attempts that hold across processes: log-ins, codes, mails. Fixed windows, one row each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from server.db.pool import Connection


async def count(conn: Connection, subject: str, *, window: timedelta, now: datetime) -> tuple[int, datetime]:
    """Counts one more attempt; says how many there were in this window, and when it ends.

    The count is taken even when what follows is rolled back only if this runs outside that transaction.
    """
    seconds = int(window.total_seconds())
    start = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
    tries = await conn.fetchval(
        """
        insert into attempt (subject, window_start, count) values ($1, $2, 1)
        on conflict (subject, window_start) do update set count = attempt.count + 1
        returning count
        """,
        subject,
        start,
    )
    return int(tries), start + window


async def clear(conn: Connection, subject: str) -> None:
    """Forgets the attempts: they succeeded in the end."""
    await conn.execute("delete from attempt where subject = $1", subject)
