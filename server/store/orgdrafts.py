"""What an organisation's people write before it is published.

draft ──submit──> submitted ──approve──> approved ──> published | scheduled
  ^──────send back────┴─────────────────────┘          scheduled ──unschedule──> draft | approved
any of them but published ──> discarded                an edit of the words ──> draft
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from compliance.activity import AccountId, PostId
from server.db.pool import Connection

from .model import Page
from .sql import both_ways, compose, fetch_page

PAGE_CAP = 80
_EMPTIED = '{"text": ""}'


class DraftState(enum.StrEnum):
    """How far it is; the values are what the database stores."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    DISCARDED = "discarded"


OPEN = (DraftState.DRAFT, DraftState.SUBMITTED, DraftState.APPROVED, DraftState.SCHEDULED)
"""States in which something is left to be done."""


class OrgDraft(Struct, frozen=True, kw_only=True):
    """A draft of an organisation; `draft` is JSON. `author` wrote its present words."""

    id: int
    organisation_id: AccountId
    author: AccountId
    draft: str
    state: DraftState
    note: str
    """What whoever sent it back had to say."""
    approved_by: AccountId | None
    scheduled_id: int | None
    due_at: datetime | None
    scheduled_state: str | None
    failure: str | None
    """Why its scheduled post was not published."""
    edits: PostId | None
    """The post whose words it is to replace."""
    post_id: PostId | None
    created_at: datetime
    changed_at: datetime

    @property
    def key(self) -> int:
        return self.id


_COLUMNS = """d.id, d.organisation_id, d.author_id, d.draft::text as draft, d.state, d.note, d.approved_by,
  d.scheduled_id, s.due_at, s.state as scheduled_state, s.failure, d.edits_id,
  coalesce(d.post_id, s.post_id) as post_id, d.created_at, d.changed_at"""
_SOURCE = "organisation_draft d left join scheduled_post s on s.id = d.scheduled_id"
_GET = compose(
    "select {columns} from {source} where d.id = $1 and d.organisation_id = $2",
    columns=_COLUMNS,
    source=_SOURCE,
)
_LIST = both_ways(
    """
    select {columns} from {source}
    where d.organisation_id = $4 and d.state = any($5) and (s.state is null or s.state <> 'published')
      and d.id > $1 and d.id < $2
    order by d.id {order} limit $3
    """,
    columns=_COLUMNS,
    source=_SOURCE,
)


async def insert(
    conn: Connection,
    *,
    id: int,  # noqa: A002
    organisation_id: AccountId,
    author: AccountId,
    draft: str,
    edits: PostId | None,
    now: datetime,
) -> None:
    """Keeps a new draft."""
    await conn.execute(
        """
        insert into organisation_draft
          (id, organisation_id, author_id, draft, edits_id, created_at, changed_at)
        values ($1, $2, $3, $4::text::jsonb, $5, $6, $6)
        """,
        id,
        organisation_id,
        author,
        draft,
        edits,
        now,
    )


async def lock(conn: Connection, organisation_id: AccountId, draft_id: int) -> OrgDraft | None:
    """The organisation's own draft, which nobody else changes until the transaction ends."""
    await conn.execute(
        "select 1 from organisation_draft where id = $1 and organisation_id = $2 for update",
        draft_id,
        organisation_id,
    )
    return await find(conn, organisation_id, draft_id)


async def find(conn: Connection, organisation_id: AccountId, draft_id: int) -> OrgDraft | None:
    """The organisation's own draft (rule H3: its id is in the query)."""
    row = await conn.fetchrow(_GET, draft_id, organisation_id)
    return None if row is None else _draft(row)


async def list_(
    conn: Connection, organisation_id: AccountId, page: Page, states: Sequence[DraftState] = OPEN
) -> list[OrgDraft]:
    """The organisation's drafts, newest first."""
    rows = await fetch_page(conn, _LIST, page, PAGE_CAP, organisation_id, [each.value for each in states])
    return [_draft(row) for row in rows]


async def count(conn: Connection, organisation_id: AccountId, state: DraftState) -> int:
    """How many are this far."""
    found: int = await conn.fetchval(
        "select count(*) from organisation_draft where organisation_id = $1 and state = $2",
        organisation_id,
        state.value,
    )
    return found


async def rewrite(conn: Connection, draft_id: int, *, author: AccountId, draft: str, now: datetime) -> None:
    """Gives a draft other words: what was approved before is not any more."""
    await conn.execute(
        """
        update organisation_draft
        set draft = $2::text::jsonb, author_id = $3, state = 'draft', note = '', approved_by = null,
            approved_at = null, changed_at = $4
        where id = $1
        """,
        draft_id,
        draft,
        author,
        now,
    )


async def move(
    conn: Connection,
    draft_id: int,
    state: DraftState,
    *,
    now: datetime,
    note: str = "",
    approved_by: AccountId | None = None,
    scheduled_id: int | None = None,
    post_id: PostId | None = None,
) -> None:
    """Brings a draft to `state`. Its words go when they stand in a post, or nobody wants them."""
    await conn.execute(
        """
        update organisation_draft
        set state = $2, note = $3, approved_by = $4,
            approved_at = case when $4::bigint is null then null else coalesce(approved_at, $7) end,
            scheduled_id = $5, post_id = $6, changed_at = $7,
            draft = case when $2 in ('published', 'discarded') then $8::text::jsonb else draft end
        where id = $1
        """,
        draft_id,
        state.value,
        note,
        approved_by,
        scheduled_id,
        post_id,
        now,
        _EMPTIED,
    )


def _draft(row: Any) -> OrgDraft:
    return OrgDraft(
        id=row["id"],
        organisation_id=AccountId(row["organisation_id"]),
        author=AccountId(row["author_id"]),
        draft=row["draft"],
        state=DraftState(row["state"]),
        note=row["note"],
        approved_by=row["approved_by"],
        scheduled_id=row["scheduled_id"],
        due_at=row["due_at"],
        scheduled_state=row["scheduled_state"],
        failure=row["failure"],
        edits=row["edits_id"],
        post_id=row["post_id"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
