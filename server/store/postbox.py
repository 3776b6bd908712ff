"""Letters that are to leave: written in the transaction of what they tell of, taken out with a lease.

Sealed, since they hold addresses and links. Whoever takes one out gives it back after a try that failed, and
one that nobody gave back, because its process died, comes up again when its lease ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.db.pool import Connection


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that was taken out. `tries` counts this one."""

    id: int
    sealed: bytes
    tries: int
    created_at: datetime


async def insert(conn: Connection, letters: Sequence[tuple[int, bytes]], *, now: datetime) -> None:
    """Puts sealed letters in, by their ids."""
    await conn.execute(
        """
        insert into letter (id, sealed, created_at, due_at)
        select l.id, l.sealed, $3, $3 from unnest($1::bigint[], $2::bytea[]) as l(id, sealed)
        """,
        [number for number, _ in letters],
        [sealed for _, sealed in letters],
        now,
    )


async def take(conn: Connection, *, now: datetime, until: datetime, limit: int) -> list[Waiting]:
    """Letters whose time has come; they are nobody else's until then."""
    rows = await conn.fetch(
        """
        update letter set tries = tries + 1, due_at = $2 where id = any(array(
          select id from letter where due_at <= $1 order by due_at limit $3 for update skip locked))
        returning id, sealed, tries, created_at
        """,
        now,
        until,
        limit,
    )
    found = [Waiting(row["id"], row["sealed"], row["tries"], row["created_at"]) for row in rows]
    return sorted(found, key=lambda one: one.id)


async def give_back(conn: Connection, letter_id: int, *, due_at: datetime) -> None:
    """Nobody took it; it is tried again then."""
    await conn.execute("update letter set due_at = $2 where id = $1", letter_id, due_at)


async def remove(conn: Connection, letter_id: int) -> None:
    """It has left, or never will."""
    await conn.execute("delete from letter where id = $1", letter_id)


async def next_at(conn: Connection) -> datetime | None:
    """When the next one is to be tried."""
    due: datetime | None = await conn.fetchval("select min(due_at) from letter")
    return due
