"""The comments under somebody's posts as whoever answers for them works through them: what waits, what was
decided, and how long it took.

Every query names the one who answers: nobody sees, or touches, what stands under another's posts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from .activity import AccountId, PostId, Uri
from .comments import State
from .connection import Connection
from .verdict import DecisionId

PAGE = 50
MEASURED = timedelta(days=30)
"""Over how long the median time to a decision is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment, and how it stands with the one who asks."""

    id: PostId
    uri: Uri
    author_id: AccountId
    author: Uri
    is_local: bool
    parent_id: PostId
    parent: Uri
    thread_id: PostId
    html: str
    text: str
    spoiler: str
    state: State
    is_pinned: bool
    is_blocked: bool
    """Whether its author may not comment any more."""
    request: Uri | None
    decision_id: DecisionId | None
    ordered: bool
    created_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is to be done, and how fast it was done."""

    waiting: int
    oldest: datetime | None
    median: timedelta | None
    """From when a comment began to wait to when somebody decided, of the last thirty days."""


_COMMENT = """
  select p.id, p.uri, p.account_id as author_id, a.uri as author, a.host is null as is_local,
    p.in_reply_to_id as parent_id, p.in_reply_to_uri as parent, k.thread_id, p.html, p.text, p.spoiler,
    k.state,
    k.pinned_at is not null as is_pinned,
    exists (select from compliance.comment_block b
            where b.owner_id = k.owner_id and b.account_id = p.account_id) as is_blocked,
    k.request, k.decision_id, k.ordered, k.created_at, k.decided_at
  from compliance.comment k join post p on p.id = k.post_id join account a on a.id = p.account_id
"""
# What its author took back, or what went with its author, is nobody's to decide on.
_THERE = """(p.withdrawn_at is null or (k.state = 'removed' and p.withdrawn_by = 'organisation'))
  and a.gone_at is null"""


async def list_page(
    conn: Connection,
    owner_id: AccountId,
    *,
    state: State | None = None,
    thread_id: PostId | None = None,
    max_id: int | None = None,
    min_id: int | None = None,
    limit: int = PAGE,
) -> list[Comment]:
    """Comments under the owner's posts, newest first: below `max_id`, or the oldest above `min_id`."""
    wanted = ["k.owner_id = $1"]
    arguments: list[object] = [owner_id]
    for test, value in (
        ("k.state = ", None if state is None else state.value),
        ("k.thread_id = ", thread_id),
        ("k.post_id < ", max_id),
        ("k.post_id > ", min_id),
    ):
        if value is not None:
            arguments.append(value)
            wanted.append(f"{test}${len(arguments)}")
    arguments.append(limit)
    order = "asc" if min_id is not None and max_id is None else "desc"
    rows = await conn.fetch(
        f"{_COMMENT} where {' and '.join(wanted)} and {_THERE} "
        f"order by k.post_id {order} limit ${len(arguments)}",
        *arguments,
    )
    return sorted((_comment(row) for row in rows), key=lambda one: one.id, reverse=True)


async def load(conn: Connection, owner_id: AccountId, ids: Sequence[PostId]) -> dict[PostId, Comment]:
    """Those of the comments that stand under the owner's posts."""
    rows = await conn.fetch(
        f"{_COMMENT} where k.owner_id = $1 and k.post_id = any($2) and {_THERE}", owner_id, list(ids)
    )
    return {PostId(row["id"]): _comment(row) for row in rows}


async def figures(conn: Connection, owner_id: AccountId, *, now: datetime) -> Figures:
    """How many wait, since when, and how long a decision took."""
    row = await conn.fetchrow(
        f"""
        select count(*) as waiting, min(k.created_at) as oldest,
          (select percentile_cont(0.5) within group (order by d.decided_at - d.created_at)
           from compliance.comment d
           where d.owner_id = $1 and d.waited and d.decided_at > $2) as median
        from compliance.comment k join post p on p.id = k.post_id join account a on a.id = p.account_id
        where k.owner_id = $1 and k.state = 'waiting' and {_THERE}
        """,  # noqa: S608 - a fixed condition
        owner_id,
        now - MEASURED,
    )
    return Figures(waiting=row["waiting"], oldest=row["oldest"], median=row["median"])


async def waits(conn: Connection, post_id: PostId) -> bool:
    """Whether a post waits until whoever answers for the one above has looked at it."""
    found: bool | None = await conn.fetchval("select waits from post where id = $1", post_id)
    return bool(found)


async def answers_for(
    conn: Connection, owner_id: AccountId, ids: Sequence[PostId]
) -> dict[PostId, tuple[State, bool]]:
    """Of these posts, the comments that the owner answers for, with their state and whether they are
    pinned."""
    rows = await conn.fetch(
        "select post_id, state, pinned_at is not null as pinned from compliance.comment "
        "where owner_id = $1 and post_id = any($2)",
        owner_id,
        list(ids),
    )
    return {PostId(row["post_id"]): (State(row["state"]), row["pinned"]) for row in rows}


async def pinned(conn: Connection, thread_id: PostId) -> set[PostId]:
    """The comments of a thread that are pinned."""
    rows = await conn.fetch(
        "select post_id from compliance.comment where thread_id = $1 and pinned_at is not null", thread_id
    )
    return {PostId(row["post_id"]) for row in rows}


async def pin(conn: Connection, owner_id: AccountId, ids: Sequence[PostId], *, now: datetime | None) -> int:
    """Puts shown comments before the others, or with `now` left out back among them; how many."""
    rows = await conn.fetch(
        """
        update compliance.comment set pinned_at = $3::timestamptz
        where owner_id = $1 and post_id = any($2) and (state = 'shown' or $3::timestamptz is null)
          and (pinned_at is null) = ($3::timestamptz is not null)
        returning post_id
        """,
        owner_id,
        list(ids),
        now,
    )
    return len(rows)


async def authorization(conn: Connection, post_id: PostId) -> Uri | None:
    """Where another server's account says that a reply of ours may stand."""
    found = await conn.fetchval(
        """
        select "authorization" from compliance.comment
        where post_id = $1 and "authorization" is not null and state = 'shown' limit 1
        """,
        post_id,
    )
    return None if found is None else Uri(found)


async def find_approved(conn: Connection, owner_id: AccountId, post_id: PostId) -> tuple[Uri, Uri] | None:
    """A reply that stands under the owner's post, and that post; `None` while it does not."""
    row = await conn.fetchrow(
        """
        select p.uri, p.in_reply_to_uri as parent
        from compliance.comment k join visible_post p on p.id = k.post_id
        where k.owner_id = $1 and k.post_id = $2 and k.state = 'shown' and not p.waits and not p.hidden
        """,
        owner_id,
        post_id,
    )
    return None if row is None else (Uri(row["uri"]), Uri(row["parent"]))


def _comment(row: asyncpg.Record) -> Comment:
    return Comment(**{**row, "state": State(row["state"])})
