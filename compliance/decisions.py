"""Decisions: one row for each activity judged, never changed. A later decision names the one it takes the
place of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from .activity import AccountId, Direction, Uri
from .connection import Connection
from .errors import NotFound
from .verdict import DecisionId, Finding, Reason

CLEARED, HELD, REFUSED = "cleared", "held", "refused"

_LABEL_END = "\x1f"
"""Arrays of unequal length cannot be sent as an array of arrays; labels are text without controls."""
_encode = msgspec.json.Encoder().encode
decode_findings = msgspec.json.Decoder(tuple[Finding, ...]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided about one activity, by which rules, and why."""

    id: DecisionId
    verdict: str
    kind: str
    direction: Direction
    actor_id: AccountId
    activity_uri: Uri
    object_uri: Uri | None
    digest: bytes
    rule_version: int
    reason: Reason | None
    article: str | None
    labels: tuple[str, ...]
    findings: tuple[Finding, ...]
    automated: bool
    supersedes: DecisionId | None
    created_at: datetime
    statement: str | None = None
    """What a person wrote to whom it is about, where the decision is theirs."""
    decided_by: AccountId | None = None


async def insert(conn: Connection, decisions: Sequence[Decision]) -> None:
    """Writes `decisions` in one statement."""
    if not decisions:
        return
    await conn.execute(
        """
        insert into compliance.decision
          (id, verdict, kind, direction, actor_id, activity_uri, object_uri, digest, rule_version,
           reason, article, labels, findings, automated, supersedes, created_at, statement, decided_by)
        select d.id, d.verdict, d.kind, d.direction, d.actor_id, d.activity_uri, d.object_uri, d.digest,
               d.rule_version, d.reason, d.article, string_to_array(d.labels, E'\\x1f'), d.findings::jsonb,
               d.automated, d.supersedes, d.created_at, d.statement, d.decided_by
        from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
                    $7::text[], $8::bytea[], $9::bigint[], $10::text[], $11::text[], $12::text[],
                    $13::text[], $14::bool[], $15::bigint[], $16::timestamptz[], $17::text[], $18::bigint[])
          as d(id, verdict, kind, direction, actor_id, activity_uri, object_uri, digest, rule_version,
               reason, article, labels, findings, automated, supersedes, created_at, statement, decided_by)
        """,
        [decision.id for decision in decisions],
        [decision.verdict for decision in decisions],
        [decision.kind for decision in decisions],
        [decision.direction.value for decision in decisions],
        [decision.actor_id for decision in decisions],
        [decision.activity_uri for decision in decisions],
        [decision.object_uri for decision in decisions],
        [decision.digest for decision in decisions],
        [decision.rule_version for decision in decisions],
        [decision.reason and decision.reason.value for decision in decisions],
        [decision.article for decision in decisions],
        [_LABEL_END.join(decision.labels) for decision in decisions],
        [_encode(decision.findings).decode() if decision.findings else "[]" for decision in decisions],
        [decision.automated for decision in decisions],
        [decision.supersedes for decision in decisions],
        [decision.created_at for decision in decisions],
        [decision.statement for decision in decisions],
        [decision.decided_by for decision in decisions],
    )


_COLUMNS = """
  id, verdict, kind, direction, actor_id, activity_uri, object_uri, digest, rule_version, reason, article,
  labels, findings::text as findings, automated, supersedes, created_at, statement, decided_by
"""


async def get(conn: Connection, decision_id: DecisionId) -> Decision:
    """The decision, or `NotFound`."""
    row = await conn.fetchrow(f"select {_COLUMNS} from compliance.decision where id = $1", decision_id)  # noqa: S608
    if row is None:
        raise NotFound("no such decision")
    return _decision(row)


async def load(conn: Connection, ids: Sequence[DecisionId]) -> dict[DecisionId, Decision]:
    """The decisions with these ids; unknown ones are left out."""
    rows = await conn.fetch(f"select {_COLUMNS} from compliance.decision where id = any($1)", ids)  # noqa: S608
    return {DecisionId(row["id"]): _decision(row) for row in rows}


async def list_for(
    conn: Connection,
    actor_id: AccountId,
    *,
    max_id: int | None = None,
    min_id: int | None = None,
    limit: int = 40,
) -> list[Decision]:
    """What was held or refused of one person, newest first: below `max_id`, or the oldest above `min_id`."""
    order = "asc" if min_id is not None and max_id is None else "desc"
    rows = await conn.fetch(
        f"""
        select {_COLUMNS} from compliance.decision
        where actor_id = $1 and verdict <> 'cleared'
          and ($2::bigint is null or id < $2) and ($3::bigint is null or id > $3)
        order by id {order} limit $4
        """,  # noqa: S608 - a list of columns and a word, both fixed
        actor_id,
        max_id,
        min_id,
        limit,
    )
    return sorted(map(_decision, rows), key=lambda decision: decision.id, reverse=True)


def _decision(row: asyncpg.Record) -> Decision:
    return Decision(
        id=row["id"],
        verdict=row["verdict"],
        kind=row["kind"],
        direction=Direction(row["direction"]),
        actor_id=row["actor_id"],
        activity_uri=row["activity_uri"],
        object_uri=row["object_uri"],
        digest=row["digest"],
        rule_version=row["rule_version"],
        reason=None if row["reason"] is None else Reason(row["reason"]),
        article=row["article"],
        labels=tuple(row["labels"]),
        findings=decode_findings(row["findings"]),
        automated=row["automated"],
        supersedes=row["supersedes"],
        created_at=row["created_at"],
        statement=row["statement"],
        decided_by=row["decided_by"],
    )
