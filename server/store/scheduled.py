"""Posts that are to appear at their time.

waiting ──published──> published | held | failed       held: the gate asked for a person; failed: it said no
   └─────cancel──────> cancelled
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from compliance.activity import AccountId, PostId
from server.db.pool import Connection

from .model import Page
from .sql import affected, both_ways, compose, fetch_page

PAGE_CAP = 80
LEASE = timedelta(minutes=1)
"""For how long a process that took a post has it to itself."""


class ScheduledState(enum.StrEnum):
    """How far it is; the values are what the database stores."""

    WAITING = "waiting"
    PUBLISHED = "published"
    HELD = "held"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Scheduled(Struct, frozen=True, kw_only=True):
    """A post and its time. `draft` is JSON; `by` acts for the organisation whose account it is."""

    id: int
    account_id: AccountId
    by: AccountId | None
    approved_by: AccountId | None
    draft: str
    due_at: datetime
    state: ScheduledState
    failure: str | None
    decision_id: int | None
    post_id: PostId | None
    created_at: datetime

    @property
    def key(self) -> int:
        return self.id


_COLUMNS = """s.id, s.account_id, s.by_id, s.approved_by, s.draft::text as draft, s.due_at, s.state,
  s.failure, s.decision_id, s.post_id, s.created_at"""
_EMPTIED = '{"text": ""}'
"""What stays of the words once they stand in a post, or nobody wants them."""
_GET = compose(
    "select {columns} from scheduled_post s where s.id = $1 and s.account_id = $2", columns=_COLUMNS
)
_BY_KEY = compose(
    "select {columns} from scheduled_post s where s.account_id = $1 and s.key = $2", columns=_COLUMNS
)
_LIST = both_ways(
    """
    select {columns} from scheduled_post s
    where s.account_id = $4 and s.state = any($5) and s.id > $1 and s.id < $2
    order by s.id {order} limit $3
    """,
    columns=_COLUMNS,
)
_CLAIM = compose(
    """
    update scheduled_post s set claimed_until = $2
    from (
      select id from scheduled_post
      where state = 'waiting' and due_at <= $1 and (claimed_until is null or claimed_until <= $1)
      order by due_at limit $3 for update skip locked) due
    where s.id = due.id returning {columns}
    """,
    columns=_COLUMNS,
)


async def insert(
    conn: Connection,
    *,
    id: int,  # noqa: A002
    account_id: AccountId,
    by: AccountId | None,
    approved_by: AccountId | None,
    draft: str,
    due_at: datetime,
    key: str | None,
    now: datetime,
) -> None:
    """Keeps a post for its time."""
    await conn.execute(
        """
        insert into scheduled_post
          (id, account_id, by_id, approved_by, draft, due_at, key, created_at, changed_at)
        values ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $8, $8)
        """,
        id,
        account_id,
        by,
        approved_by,
        draft,
        due_at,
        key,
        now,
    )


async def find(conn: Connection, account_id: AccountId, scheduled_id: int) -> Scheduled | None:
    """The account's own scheduled post, in whatever state."""
    row = await conn.fetchrow(_GET, scheduled_id, account_id)
    return None if row is None else _scheduled(row)


async def find_by_key(conn: Connection, account_id: AccountId, key: str) -> Scheduled | None:
    """The account's scheduled post that was asked for with this key, in whatever state."""
    row = await conn.fetchrow(_BY_KEY, account_id, key)
    return None if row is None else _scheduled(row)


async def list_(
    conn: Connection,
    account_id: AccountId,
    page: Page,
    states: Sequence[ScheduledState] = (ScheduledState.WAITING,),
) -> list[Scheduled]:
    """The account's scheduled posts, newest first."""
    rows = await fetch_page(conn, _LIST, page, PAGE_CAP, account_id, [state.value for state in states])
    return [_scheduled(row) for row in rows]


async def count_waiting(conn: Connection, account_id: AccountId) -> int:
    """How many wait for their time."""
    count: int = await conn.fetchval(
        "select count(*) from scheduled_post where account_id = $1 and state = 'waiting'", account_id
    )
    return count


async def move(
    conn: Connection, account_id: AccountId, scheduled_id: int, due_at: datetime, *, now: datetime
) -> bool:
    """Gives a waiting post another time; `False` where there is none, or it is being published."""
    done = await conn.execute(
        """
        update scheduled_post set due_at = $3, changed_at = $4
        where id = $1 and account_id = $2 and state = 'waiting'
          and (claimed_until is null or claimed_until <= $4)
        """,
        scheduled_id,
        account_id,
        due_at,
        now,
    )
    return affected(done) > 0


async def cancel(conn: Connection, account_id: AccountId, scheduled_id: int, *, now: datetime) -> bool:
    """Takes a waiting post back; `False` where there is none, or it is being published."""
    done = await conn.execute(
        """
        update scheduled_post set state = 'cancelled', draft = $4::text::jsonb, changed_at = $3
        where id = $1 and account_id = $2 and state = 'waiting'
          and (claimed_until is null or claimed_until <= $3)
        """,
        scheduled_id,
        account_id,
        now,
        _EMPTIED,
    )
    return affected(done) > 0


async def end_all(conn: Connection, account_ids: Sequence[AccountId], *, now: datetime) -> None:
    """Takes back whatever waits, and keeps nobody's words: of accounts that end."""
    await conn.execute(
        """
        update scheduled_post
        set state = case when state = 'waiting' then 'cancelled' else state end, draft = $2::text::jsonb,
            changed_at = $3
        where account_id = any($1) and state in ('waiting', 'held', 'failed')
        """,
        account_ids,
        _EMPTIED,
        now,
    )


async def claim_due(conn: Connection, *, now: datetime, limit: int) -> list[Scheduled]:
    """Takes posts whose time has come, for this process alone for a while."""
    rows = await conn.fetch(_CLAIM, now, now + LEASE, limit)
    return sorted(map(_scheduled, rows), key=lambda one: one.due_at)


async def next_due(conn: Connection) -> datetime | None:
    """When the next one is due."""
    found: datetime | None = await conn.fetchval(
        "select min(due_at) from scheduled_post where state = 'waiting'"
    )
    return found


async def settle(
    conn: Connection,
    scheduled_id: int,
    state: ScheduledState,
    *,
    now: datetime,
    failure: str | None = None,
    decision_id: int | None = None,
    post_id: PostId | None = None,
) -> None:
    """Writes down what became of it."""
    await conn.execute(
        """
        update scheduled_post
        set state = $2, failure = $3, decision_id = $4, post_id = $5, changed_at = $6, claimed_until = null,
            draft = case when $2 = 'published' then $7::text::jsonb else draft end
        where id = $1 and state = 'waiting'
        """,
        scheduled_id,
        state.value,
        failure,
        decision_id,
        post_id,
        now,
        _EMPTIED,
    )


def _scheduled(row: Any) -> Scheduled:
    return Scheduled(
        id=row["id"],
        account_id=AccountId(row["account_id"]),
        by=row["by_id"],
        approved_by=row["approved_by"],
        draft=row["draft"],
        due_at=row["due_at"],
        state=ScheduledState(row["state"]),
        failure=row["failure"],
        decision_id=row["decision_id"],
        post_id=row["post_id"],
        created_at=row["created_at"],
    )
