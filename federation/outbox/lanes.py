"""Taking letters out: a lane for each host, a few letters of each lane at a time, in an order that
receivers can rely on.

Letters of one actor to one inbox go one after the other. One that failed is passed by, except by letters
about the same thing: a Delete never overtakes its Create, and one post that a peer chokes on does not hold
up its author. A lane looks no further than its first 32 letters, so that a claim costs the same however
much waits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from compliance.activity import AccountId
from compliance.connection import Connection
from federation import backoff
from federation.signatures import Dialect

WINDOW: Final = 32
_RULES: Final = (backoff.FAILURES_TO_PAUSE, WINDOW)
_CLAIMING: Final = 0x59616E6C75
"""One claim at a time, over all processes: two could break the order between them."""

# Which hosts to look at. Nearly always those of the letters that came due first ...
_FIRST_DUE: Final = """
with lane (host) as (
  select distinct c.host from (
    select o.host from federation.outbound o
    where o.due_at <= $1 and (o.locked_until is null or o.locked_until <= $1)
    order by o.due_at, o.id limit 2 * $3::int
  ) c
"""
_IS_BACKLOG: Final = """
select count(*) = 2 * $2::int from (
  select 1 from federation.outbound o
  where o.due_at <= $1 and (o.locked_until is null or o.locked_until <= $1) limit 2 * $2::int
) due
"""
# ... and, where a backlog of few hosts stands before everybody else, one look at every host.
_EVERY_HOST: Final = """
with recursive any_host (host) as (
  (select o.host from federation.outbound o order by o.host limit 1)
  union all
  select (select o.host from federation.outbound o where o.host > h.host order by o.host limit 1)
  from any_host h where h.host is not null
), lane (host) as (
  select h.host from any_host h cross join lateral (
    select o.due_at, o.id from federation.outbound o
    where o.host = h.host and o.due_at <= $1 and (o.locked_until is null or o.locked_until <= $1)
    order by o.id limit 1
  ) d order by d.due_at, d.id limit 8 * $3::int
"""
_CLAIM: Final = """
), open_lane as (
  select lane.host, h.dialect, case when h.failures >= $5 then 1 else $4 end as room
  from lane left join federation.host h on h.host = lane.host
  where h.paused_until is null or h.paused_until <= $1
), head as (
  select o.id, o.host, o.inbox, o.attempts, o.due_at, l.dialect, l.room, m.account_id,
    coalesce(o.locked_until > $1, false) as is_out,
    count(*) over (
      partition by o.host, o.inbox, m.account_id, coalesce(m.object_uri, m.activity_uri)
      order by o.id rows between unbounded preceding and 1 preceding) as same_before
  from open_lane l
  cross join lateral (
    select id, host, message_id, inbox, attempts, due_at, locked_until from federation.outbound
    where host = l.host order by id limit $6
  ) o
  join federation.message m on m.id = o.message_id
), counted as (
  select id, host, due_at, dialect, room, is_out, same_before,
    count(*) filter (where is_out) over (partition by host) as out_now,
    count(*) filter (where attempts = 0 and same_before = 0) over (
      partition by host, inbox, account_id
      order by id rows between unbounded preceding and 1 preceding) as fresh_before
  from head
), ready as (
  select id, due_at, dialect, room - out_now as free,
    row_number() over (partition by host order by id) as turn
  from counted
  where not is_out and due_at <= $1 and fresh_before = 0 and same_before = 0
), picked as (
  select id, dialect from ready where turn <= free order by due_at, id limit $3
)
update federation.outbound o set locked_until = $2
from picked p where o.id = p.id
returning o.id, o.message_id, o.inbox, o.host, o.attempts, o.created_at, p.dialect
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One letter to be sent now, leased to whoever claimed it."""

    id: int
    inbox: str
    host: str
    attempts: int
    created_at: datetime
    dialect: Dialect | None
    """Which kind of signature this host took last."""
    signer: AccountId
    activity_uri: str
    kind: str
    body: bytes


async def claim(
    conn: Connection, *, now: datetime, lease: timedelta, limit: int, per_host: int = 4
) -> list[Job]:
    """Leases up to `limit` letters that may go now, at most `per_host` to a host at a time; a host on
    probation gets one.

    Everything it returns may be sent at once. A lease that runs out is a letter that waits again.
    """
    async with conn.transaction():
        # In a statement of its own, so that the next one sees what the claim before it took.
        await conn.execute("select pg_advisory_xact_lock($1)", _CLAIMING)
        rows = await conn.fetch(_FIRST_DUE + _CLAIM, now, now + lease, limit, per_host, *_RULES)
        if len(rows) < limit and await conn.fetchval(_IS_BACKLOG, now, limit):
            left = limit - len(rows)
            rows += await conn.fetch(_EVERY_HOST + _CLAIM, now, now + lease, left, per_host, *_RULES)
        messages = await _messages(conn, {row["message_id"] for row in rows})
    return [_job(row, messages[row["message_id"]]) for row in sorted(rows, key=lambda row: int(row["id"]))]


async def release(conn: Connection, jobs: Sequence[Job]) -> None:
    """Gives back letters that were claimed and not tried."""
    await conn.execute(
        "update federation.outbound set locked_until = null where id = any($1::bigint[])",
        [job.id for job in jobs],
    )


async def release_all(conn: Connection) -> None:
    """Gives back everything, for a server that starts: whoever had claimed it is dead."""
    await conn.execute("update federation.outbound set locked_until = null where locked_until is not null")


async def next_due(conn: Connection, *, now: datetime) -> datetime | None:
    """When the next letter comes due that is not due yet."""
    at: datetime | None = await conn.fetchval(
        "select min(due_at) from federation.outbound where due_at > $1", now
    )
    return at


async def _messages(conn: Connection, ids: Collection[int]) -> dict[int, Any]:
    rows = await conn.fetch(
        """
        select id, account_id, activity_uri, kind, body from federation.message where id = any($1::bigint[])
        """,
        list(ids),
    )
    return {row["id"]: row for row in rows}


def _job(row: Any, message: Any) -> Job:
    return Job(
        id=row["id"],
        inbox=row["inbox"],
        host=row["host"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        dialect=Dialect(row["dialect"]) if row["dialect"] else None,
        signer=AccountId(message["account_id"]),
        activity_uri=message["activity_uri"],
        kind=message["kind"],
        body=message["body"],
    )
