"""What the operators may do about an organisation: suspend the rights of its people, and restore them.

A suspension is a decision with reasons that the organisation can appeal against; when the appeal is right,
the rights are back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from . import organisations, records, statements
from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed
from .overturned import Again, Overturned
from .records import Entry, RecordKind, Source
from .statements import Matter
from .verdict import DecisionId, Reason


async def suspend(
    conn: Connection,
    organisation_id: AccountId,
    *,
    reason: str,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> DecisionId:
    """Suspends what the organisation's people may do; `NotAllowed` without reasons, for one's own
    organisation, or where it is suspended already."""
    if await organisations.role_of(conn, organisation_id, by) is not None:
        raise NotAllowed("nobody decides about an organisation of their own")
    decision_id = await statements.issue(
        conn,
        organisation_id,
        Matter.ORGANISATION,
        Reason.ORGANISATION_SUSPENDED,
        about=f"organisation:{organisation_id}",
        statement=reason,
        by=by,
        now=now,
        new_id=new_id,
    )
    done = await conn.fetchval(
        """
        update compliance.organisation
        set suspended_at = $2, suspended_by = $3, suspended_reason = $4, suspension_id = $5
        where account_id = $1 and suspended_at is null returning true
        """,
        organisation_id,
        now,
        by,
        reason.strip(),
        decision_id,
    )
    if not done:
        raise NotAllowed("the rights of this organisation are suspended already")
    await _record(
        conn,
        RecordKind.ORGANISATION_SUSPEND,
        organisation_id,
        reason,
        by=by,
        now=now,
        source=source,
        new_id=new_id,
    )
    return decision_id


async def restore(
    conn: Connection,
    organisation_id: AccountId,
    *,
    reason: str,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Ends a suspension; `NotAllowed` where there is none, or for one's own organisation."""
    if await organisations.role_of(conn, organisation_id, by) is not None:
        raise NotAllowed("nobody decides about an organisation of their own")
    if not await _restore(conn, organisation_id):
        raise NotAllowed("the rights of this organisation are not suspended")
    await _record(
        conn,
        RecordKind.ORGANISATION_RESTORE,
        organisation_id,
        reason,
        by=by,
        now=now,
        source=source,
        new_id=new_id,
    )


async def overturned(conn: Connection, appeal: Overturned) -> Again:
    """The remedy of a suspension that was wrong: the rights are back, unless another one followed."""
    decision = appeal.decision
    if await _restore(conn, AccountId(decision.actor_id), decision_id=decision.id):
        await _record(
            conn,
            RecordKind.ORGANISATION_RESTORE,
            AccountId(decision.actor_id),
            appeal.statement,
            by=appeal.decider,
            now=appeal.now,
            source=appeal.source,
            new_id=appeal.new_id,
        )
    return None


async def _restore(conn: Connection, organisation_id: AccountId, *, decision_id: int | None = None) -> bool:
    done = await conn.fetchval(
        """
        update compliance.organisation
        set suspended_at = null, suspended_by = null, suspended_reason = null, suspension_id = null
        where account_id = $1 and suspended_at is not null
          and ($2::bigint is null or suspension_id = $2) returning true
        """,
        organisation_id,
        decision_id,
    )
    return bool(done)


async def _record(
    conn: Connection,
    kind: RecordKind,
    organisation_id: AccountId,
    reason: str,
    *,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    entry = Entry(kind, by, str(organisation_id), source=source, detail={"reason": reason})
    await records.write(conn, [entry], now=now, new_id=new_id)
