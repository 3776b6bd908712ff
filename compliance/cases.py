"""The review queue: what the gate held, until a person has looked.

    waiting ──release──> released      submitted again by the same road, and this case is its precedent
       │  └──refuse───> refused ──appeal overturned──> released
       └──withdraw────> withdrawn      its author took it back

A reviewer claims a case for a quarter of an hour, so that two do not read the same. Nobody decides about
their own words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg

from . import credit, decisions, organisations
from .activity import AccountId, Activity, Direction, Uri
from .connection import Connection
from .decisions import Decision
from .errors import NotAllowed, NotFound
from .records import Detail, Entry, RecordKind, Source, write
from .subject import unpack
from .tierpolicy import CreditKind
from .verdict import CaseId, DecisionId, Finding, Outcome, Reason

CLAIM = timedelta(minutes=15)
WAITING, RELEASED, REFUSED = "waiting", "released", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as reviewers and its author see it. `findings` and their rules are for reviewers alone."""

    id: CaseId
    decision_id: DecisionId
    kind: str
    direction: Direction
    actor_id: AccountId
    object_uri: Uri | None
    words: str
    activity: Activity | None
    """`None` only where an appeal made the case: nothing was kept of what was refused by itself."""
    state: str
    reason: Reason
    findings: tuple[Finding, ...]
    claimed_by: AccountId | None
    claimed_until: datetime | None
    decided_by: AccountId | None
    decided_at: datetime | None
    statement: str | None
    outcome_id: DecisionId | None
    created_at: datetime


_SELECT = """
  select c.id, c.decision_id, c.kind, c.direction, c.actor_id, c.object_uri, c.words, c.payload, c.state,
         c.claimed_by, c.claimed_until, c.decided_by, c.decided_at, c.statement, c.outcome_id, c.created_at,
         d.reason, d.findings::text as findings
  from compliance.review_case c join compliance.decision d on d.id = c.decision_id
"""


async def get(conn: Connection, case_id: CaseId) -> Case:
    """The case, or `NotFound`."""
    row = await conn.fetchrow(f"{_SELECT} where c.id = $1", case_id)
    if row is None:
        raise NotFound("no such case")
    return _case(row)


async def list_waiting(conn: Connection, *, after: int = 0, limit: int = 40) -> list[Case]:
    """What waits, the oldest first, behind the case `after`."""
    rows = await conn.fetch(
        f"{_SELECT} where c.state = 'waiting' and c.id > $1 order by c.id limit $2", after, limit
    )
    return [_case(row) for row in rows]


async def list_for(
    conn: Connection, actor_id: AccountId, *, max_id: int | None = None, limit: int = 40
) -> list[Case]:
    """One person's cases, newest first, below `max_id`."""
    rows = await conn.fetch(
        f"{_SELECT} where c.actor_id = $1 and ($2::bigint is null or c.id < $2) order by c.id desc limit $3",
        actor_id,
        max_id,
        limit,
    )
    return [_case(row) for row in rows]


async def count_waiting(conn: Connection) -> int:
    """How many wait."""
    count: int = await conn.fetchval("select count(*) from compliance.review_case where state = 'waiting'")
    return count


async def claim(
    conn: Connection,
    case_id: CaseId,
    reviewer: AccountId,
    now: datetime,
    *,
    source: Source,
    new_id: Callable[[], int],
) -> Case:
    """Takes the case for a quarter of an hour; taking it again starts that anew. `NotAllowed` while another
    has it."""
    case = await _open_to(conn, case_id, reviewer, now)
    await conn.execute(
        "update compliance.review_case set claimed_by = $2, claimed_until = $3 where id = $1",
        case_id,
        reviewer,
        now + CLAIM,
    )
    if case.claimed_by != reviewer:
        entry = Entry(
            RecordKind.CASE_CLAIM, reviewer, str(case_id), decision_id=case.decision_id, source=source
        )
        await write(conn, [entry], now=now, new_id=new_id)
    return await get(conn, case_id)


async def release(
    conn: Connection,
    case_id: CaseId,
    *,
    reviewer: AccountId,
    statement: str,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> tuple[Activity, Direction]:
    """Lets what was held go on. The caller submits the activity again in the same transaction, as if it came
    just now."""
    case = await _open_to(conn, case_id, reviewer, now)
    if case.activity is None:
        raise NotAllowed("nothing was kept of this")
    await _close(conn, case_id, RELEASED, reviewer=reviewer, statement=statement, now=now)
    await _note(
        conn,
        RecordKind.CASE_RELEASE,
        case,
        reviewer=reviewer,
        statement=statement,
        source=source,
        now=now,
        new_id=new_id,
    )
    return case.activity, case.direction


async def refuse(
    conn: Connection,
    case_id: CaseId,
    *,
    reviewer: AccountId,
    statement: str,
    reason: Reason = Reason.REVIEWER,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Decision:
    """Refuses what was held, by a decision of its own that names `reason`; the statement is what its author
    reads."""
    if not statement.strip():
        raise NotAllowed("a refusal needs a statement of reasons")
    case = await _open_to(conn, case_id, reviewer, now)
    held = await decisions.get(conn, case.decision_id)
    finding = Finding(outcome=Outcome.REFUSE, reason=reason, check="reviewer")
    decision = replace(
        held,
        id=DecisionId(new_id()),
        verdict=decisions.REFUSED,
        reason=reason,
        article=reason.article,
        labels=(),
        findings=(finding, *held.findings),
        automated=False,
        supersedes=held.id,
        created_at=now,
    )
    await decisions.insert(conn, [decision])
    await _close(
        conn, case_id, REFUSED, reviewer=reviewer, statement=statement, outcome_id=decision.id, now=now
    )
    await _note(
        conn,
        RecordKind.CASE_REFUSE,
        case,
        reviewer=reviewer,
        statement=statement,
        source=source,
        now=now,
        new_id=new_id,
    )
    if case.direction is Direction.OUT:
        kind, said = CreditKind.POST_REFUSED, statement.strip()
        await credit.record(
            conn, [case.actor_id], kind, reason=said, decision_id=decision.id, now=now, new_id=new_id
        )
    return decision


async def withdraw(
    conn: Connection,
    case_id: CaseId,
    actor_id: AccountId,
    *,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Takes back words that wait, for their author alone; `NotFound` for everybody else's."""
    case = await _locked(conn, case_id)
    if case.actor_id != actor_id:
        raise NotFound("no such case")
    if case.state != WAITING:
        raise NotAllowed("this case has been decided")
    await conn.execute("update compliance.review_case set state = 'withdrawn' where id = $1", case_id)
    entry = Entry(
        RecordKind.CASE_WITHDRAW, actor_id, str(case_id), decision_id=case.decision_id, source=source
    )
    await write(conn, [entry], now=now, new_id=new_id)


async def find_about(conn: Connection, actor_id: AccountId, decision_id: DecisionId) -> Case | None:
    """The case of this person's that a decision opened or ended; `None` where there is none."""
    row = await conn.fetchrow(
        f"{_SELECT} where c.actor_id = $1 and (c.decision_id = $2 or c.outcome_id = $2)"
        " order by c.id desc limit 1",
        actor_id,
        decision_id,
    )
    return None if row is None else _case(row)


async def find_refused(conn: Connection, actor_id: AccountId, digest: bytes) -> Case | None:
    """The latest case in which a reviewer refused these very words of this author, locked; `None` where there
    is none."""
    case_id = await conn.fetchval(
        """
        select id from compliance.review_case where actor_id = $1 and digest = $2 and state = 'refused'
        order by id desc limit 1 for update
        """,
        actor_id,
        digest,
    )
    return None if case_id is None else await get(conn, case_id)


async def overturn(
    conn: Connection, case_id: CaseId, *, decider: AccountId, statement: str, now: datetime
) -> None:
    """Turns a refused case into a released one; the refusal stays its outcome until the words are judged
    again."""
    await conn.execute(
        """
        update compliance.review_case set state = 'released', decided_by = $2, decided_at = $3, statement = $4
        where id = $1 and state = 'refused'
        """,
        case_id,
        decider,
        now,
        statement.strip(),
    )


async def insert_overruling(
    conn: Connection,
    decision: Decision,
    *,
    decider: AccountId,
    statement: str,
    now: datetime,
    new_id: Callable[[], int],
) -> CaseId:
    """A released case for what a rule refused by itself: nothing was kept of it, but its author may send it
    again."""
    case_id = CaseId(new_id())
    await conn.execute(
        """
        insert into compliance.review_case
          (id, decision_id, kind, direction, actor_id, object_uri, digest, words, payload, state, decided_by,
           decided_at, statement, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, '', '', 'released', $8, $9, $10, $9)
        """,
        case_id,
        decision.id,
        decision.kind,
        decision.direction.value,
        decision.actor_id,
        decision.object_uri,
        decision.digest,
        decider,
        now,
        statement.strip(),
    )
    return case_id


async def _open_to(conn: Connection, case_id: CaseId, reviewer: AccountId, now: datetime) -> Case:
    """The case, locked, that this reviewer may claim or decide now."""
    case = await _locked(conn, case_id)
    if case.state != WAITING:
        raise NotAllowed("this case has been decided")
    if await organisations.is_own(conn, case.actor_id, reviewer):
        raise NotAllowed("nobody decides about their own words")
    taken = case.claimed_by not in (None, reviewer) and case.claimed_until is not None
    if taken and case.claimed_until is not None and case.claimed_until > now:
        raise NotAllowed("another reviewer has this case")
    return case


async def _locked(conn: Connection, case_id: CaseId) -> Case:
    await conn.execute("select from compliance.review_case where id = $1 for update", case_id)
    return await get(conn, case_id)


async def _close(
    conn: Connection,
    case_id: CaseId,
    state: str,
    *,
    reviewer: AccountId,
    statement: str,
    outcome_id: DecisionId | None = None,
    now: datetime,
) -> None:
    await conn.execute(
        """
        update compliance.review_case
        set state = $2, decided_by = $3, decided_at = $4, statement = $5, outcome_id = $6,
            claimed_until = null
        where id = $1
        """,
        case_id,
        state,
        reviewer,
        now,
        statement.strip(),
        outcome_id,
    )


async def _note(
    conn: Connection,
    kind: RecordKind,
    case: Case,
    *,
    reviewer: AccountId,
    statement: str,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    detail: Detail = {"author": case.actor_id, "kind": case.kind, "statement": statement.strip()}
    entry = Entry(kind, reviewer, str(case.id), decision_id=case.decision_id, source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)


def _case(row: asyncpg.Record) -> Case:
    return Case(
        id=row["id"],
        decision_id=row["decision_id"],
        kind=row["kind"],
        direction=Direction(row["direction"]),
        actor_id=row["actor_id"],
        object_uri=row["object_uri"],
        words=row["words"],
        activity=unpack(row["kind"], row["payload"]) if row["payload"] else None,
        state=row["state"],
        reason=Reason(row["reason"]),
        findings=decisions.decode_findings(row["findings"]),
        claimed_by=row["claimed_by"],
        claimed_until=row["claimed_until"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        statement=row["statement"],
        outcome_id=row["outcome_id"],
        created_at=row["created_at"],
    )
