"""What other servers sent: stored before it is acknowledged, worked on afterwards, each activity id once.

    received --> waiting --claim--> leased --> done
                    ^                 |  \\
                    +--- put_back ----+   +--> parked (kept for an operator to look at)

A lease that runs out (its worker died) makes the row claimable again. Activities of one actor are claimed in
the order they came, and none past one that is under way. One that was put back is passed by: what it waits
for may take hours, and its actor is not to be silent so long.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from compliance.activity import Uri
from server.db.pool import Connection

from .sql import affected

LEASE = timedelta(seconds=60)
CLAIM_BYTES = 8 * 1024 * 1024
"""The most that one claim brings into memory, unless a single activity is larger."""
_CLAIMING = 0x79616E_01
"""Advisory lock: two claims at once could each take half of one actor's activities, and lose their order."""


class Received(Struct, frozen=True):
    """An activity as it came, from a sender whose signature held."""

    id: int
    host: str
    activity: Uri
    actor: Uri
    body: bytes


class LeaseLost(Exception):
    """A row was claimed again by somebody else meanwhile: whatever was done for it must be rolled back."""


class Claimed(Struct, frozen=True):
    """A row that this worker holds until its lease ends; `attempts` tells this claim from a later one."""

    id: int
    host: str
    activity: Uri
    actor: Uri
    body: bytes
    attempts: int
    received_at: datetime


async def insert(conn: Connection, received: Sequence[Received], *, now: datetime) -> None:
    """Stores activities; those known already, by the sender's host and activity id, are left as they are."""
    await conn.execute(
        """
        insert into federation.inbound (id, host, activity_uri, actor_uri, body, due_at, received_at)
        select r.id, r.host, r.activity, r.actor, r.body, $6, $6
        from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[])
          as r(id, host, activity, actor, body)
        on conflict (host, activity_uri) do nothing
        """,
        [r.id for r in received],
        [r.host for r in received],
        [r.activity for r in received],
        [r.actor for r in received],
        [r.body for r in received],
        now,
    )


async def claim(conn: Connection, *, limit: int, now: datetime) -> list[Claimed]:
    """Leases up to `limit` activities that are due, oldest first; needs a transaction."""
    await conn.execute("select pg_advisory_xact_lock($1)", _CLAIMING)
    rows = await conn.fetch(
        """
        with found as (
          select i.id, i.due_at, octet_length(i.body) as size from federation.inbound i
          where i.state = 'waiting' and i.due_at <= $1 and (i.locked_until is null or i.locked_until <= $1)
            and not exists (
              select 1 from federation.inbound e
              where e.actor_uri = i.actor_uri and e.id < i.id and e.state = 'waiting' and e.locked_until > $1)
          order by i.due_at, i.id limit $3 for update skip locked
        ), due as (
          select id from (
            select id, sum(size) over whole as total, row_number() over whole as place from found
            window whole as (order by due_at, id)) summed
          where total <= $4 or place = 1
        )
        update federation.inbound w set locked_until = $1 + $2::interval, attempts = w.attempts + 1
        from due where w.id = due.id
        returning w.id, w.host, w.activity_uri, w.actor_uri, w.body, w.attempts, w.received_at
        """,
        now,
        LEASE,
        limit,
        CLAIM_BYTES,
    )
    return sorted((_claimed(row) for row in rows), key=lambda c: c.id)


async def renew(conn: Connection, claimed: Sequence[Claimed], *, now: datetime) -> None:
    """Prolongs the lease of rows that take longer, such as those that wait for another server."""
    await conn.execute(
        """
        update federation.inbound i set locked_until = $3
        from unnest($1::bigint[], $2::smallint[]) as c(id, attempts)
        where i.id = c.id and i.attempts = c.attempts and i.state = 'waiting'
        """,
        [c.id for c in claimed],
        [c.attempts for c in claimed],
        now + LEASE,
    )


async def finish(conn: Connection, claimed: Sequence[Claimed]) -> None:
    """Marks rows as worked on, and drops their bytes; raises `LeaseLost` if they are not ours any more."""
    status = await conn.execute(
        """
        update federation.inbound i set state = 'done', body = null, locked_until = null, error = null
        from unnest($1::bigint[], $2::smallint[]) as c(id, attempts)
        where i.id = c.id and i.attempts = c.attempts and i.state = 'waiting'
        """,
        [c.id for c in claimed],
        [c.attempts for c in claimed],
    )
    if affected(status) != len(claimed):
        raise LeaseLost


async def put_back(
    conn: Connection, claimed: Sequence[Claimed], *, due_at: datetime, error: str | None
) -> None:
    """Lets rows be claimed again later. Without an `error` they were not tried: the claim does not count."""
    await conn.execute(
        """
        update federation.inbound i
        set due_at = $3, locked_until = null, error = coalesce($4, i.error),
          attempts = i.attempts - case when $4 is null then 1 else 0 end
        from unnest($1::bigint[], $2::smallint[]) as c(id, attempts)
        where i.id = c.id and i.attempts = c.attempts and i.state = 'waiting'
        """,
        [c.id for c in claimed],
        [c.attempts for c in claimed],
        due_at,
        error,
    )


async def drop(conn: Connection, dropped: Sequence[tuple[Claimed, str]]) -> None:
    """Closes rows that nothing comes of, and says why: the sender's fault, or nothing that concerns us."""
    await conn.execute(
        """
        update federation.inbound i set state = 'done', body = null, locked_until = null, error = d.error
        from unnest($1::bigint[], $2::smallint[], $3::text[]) as d(id, attempts, error)
        where i.id = d.id and i.attempts = d.attempts and i.state = 'waiting'
        """,
        [c.id for c, _ in dropped],
        [c.attempts for c, _ in dropped],
        [error[:500] for _, error in dropped],
    )


async def park(conn: Connection, claimed: Claimed, *, error: str) -> None:
    """Sets a row aside with its bytes: it was tried often enough."""
    await conn.execute(
        """
        update federation.inbound set state = 'parked', locked_until = null, error = $3
        where id = $1 and attempts = $2 and state = 'waiting'
        """,
        claimed.id,
        claimed.attempts,
        error,
    )


async def release_all(conn: Connection) -> None:
    """Gives back everything, for a server that starts: whoever had claimed it is dead."""
    await conn.execute(
        "update federation.inbound set locked_until = null "
        "where state = 'waiting' and locked_until is not null"
    )


async def sweep(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forgets activities received before a moment and not waiting any more; returns how many went."""
    status = await conn.execute(
        """
        delete from federation.inbound where id = any(array(
          select id from federation.inbound where received_at < $1 and state <> 'waiting'
          order by received_at limit $2))
        """,
        before,
        limit,
    )
    return affected(status)


async def next_due(conn: Connection) -> datetime | None:
    """When the earliest waiting activity becomes claimable, past or future; `None` where none waits."""
    due: datetime | None = await conn.fetchval(
        "select greatest(due_at, coalesce(locked_until, due_at)) from federation.inbound "
        "where state = 'waiting' order by due_at, id limit 1"
    )
    return due


def _claimed(row: Any) -> Claimed:
    return Claimed(
        id=row["id"],
        host=row["host"],
        activity=Uri(row["activity_uri"]),
        actor=Uri(row["actor_uri"]),
        body=row["body"],
        attempts=row["attempts"],
        received_at=row["received_at"],
    )
