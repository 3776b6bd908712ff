"""What the gate puts into the review queue, and what became of it; `cases` is the reviewers' side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .activity import AccountId, Direction, Uri
from .connection import Connection
from .verdict import CaseId, DecisionId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """What the gate puts into the queue."""

    id: CaseId
    decision_id: DecisionId
    kind: str
    direction: Direction
    actor_id: AccountId
    object_uri: Uri | None
    digest: bytes
    words: str
    payload: bytes
    created_at: datetime


async def insert(conn: Connection, cases: Sequence[NewCase]) -> None:
    """Queues `cases` in one statement."""
    if not cases:
        return
    await conn.execute(
        """
        insert into compliance.review_case
          (id, decision_id, kind, direction, actor_id, object_uri, digest, words, payload, created_at)
        select c.id, c.decision_id, c.kind, c.direction, c.actor_id, c.object_uri, c.digest, c.words,
               c.payload, c.created_at
        from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bytea[],
                    $8::text[], $9::bytea[], $10::timestamptz[])
          as c(id, decision_id, kind, direction, actor_id, object_uri, digest, words, payload, created_at)
        """,
        [case.id for case in cases],
        [case.decision_id for case in cases],
        [case.kind for case in cases],
        [case.direction.value for case in cases],
        [case.actor_id for case in cases],
        [case.object_uri for case in cases],
        [case.digest for case in cases],
        [case.words for case in cases],
        [case.payload for case in cases],
        [case.created_at for case in cases],
    )


async def settle(conn: Connection, outcomes: Sequence[tuple[CaseId, DecisionId]]) -> None:
    """Notes which decision came of released cases."""
    if not outcomes:
        return
    await conn.execute(
        """
        update compliance.review_case c set outcome_id = o.decision_id
        from unnest($1::bigint[], $2::bigint[]) as o(case_id, decision_id) where c.id = o.case_id
        """,
        [case_id for case_id, _ in outcomes],
        [decision_id for _, decision_id in outcomes],
    )
