"""What is not kept longer than it is needed: papers of closed accounts, and, where only proof is kept, papers
that were checked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from . import vault
from .connection import Connection
from .records import Source

CHECKED_WITHIN = timedelta(minutes=10)
"""So long a paper may lie here before the case that it belongs to is written."""


async def shred_closed(
    conn: Connection, *, months: int, now: datetime, source: Source, new_id: Callable[[], int], limit: int
) -> int:
    """Destroys the keys of accounts that were closed `months` ago, some at a call; says how many people's."""
    people = await vault.list_ended(conn, months=months, now=now, limit=limit)
    for account_id in people:
        await vault.shred(conn, account_id, reason="retention ended", now=now, source=source, new_id=new_id)
    return len(people)


async def forget_checked(conn: Connection, *, now: datetime, limit: int) -> int:
    """Forgets what papers say that no open case needs, and keeps the proof; some at a call."""
    return await vault.forget_settled(conn, before=now - CHECKED_WITHIN, limit=limit)
