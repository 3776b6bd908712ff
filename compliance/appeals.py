"""Appeals: a second look at a refusal, by somebody who had no part in it.

    waiting ──decide──> overturned | upheld      `upheld`: the decision stands

An overturned refusal becomes the precedent for these very words: what a reviewer refused is submitted again
at once, what a rule refused by itself was not kept, and is cleared when its author sends it again. The first
decision is never edited.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from . import cases, credit, decisions, organisations, remedies
from .activity import AccountId, Activity, Direction
from .cases import Case
from .connection import Connection
from .decisions import Decision
from .errors import NotAllowed, NotFound
from .identity import ACCOUNTS_PER_IDENTITY
from .overturned import Overturned
from .records import Detail, Entry, RecordKind, Source, write
from .statements import Matter
from .verdict import DecisionId

MONTHS_OPEN = 6
MAX_WORDS = 2_000


class AppealState(enum.StrEnum):
    """How an appeal stands."""

    WAITING = "waiting"
    OVERTURNED = "overturned"
    UPHELD = "upheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """What somebody says against a decision about them."""

    id: int
    decision_id: DecisionId
    account_id: AccountId
    words: str
    state: AppealState
    decided_by: AccountId | None
    decided_at: datetime | None
    statement: str | None
    created_at: datetime


_SELECT = """
  select id, decision_id, account_id, words, state, decided_by, decided_at, statement, created_at
  from compliance.appeal
"""


async def get(conn: Connection, appeal_id: int) -> Appeal:
    """The appeal, or `NotFound`."""
    return _appeal(await conn.fetchrow(f"{_SELECT} where id = $1", appeal_id))


async def find_against(conn: Connection, decision_id: DecisionId) -> Appeal | None:
    """The appeal against a decision; `None` where there is none."""
    row = await conn.fetchrow(f"{_SELECT} where decision_id = $1", decision_id)
    return None if row is None else _appeal(row)


async def list_waiting(conn: Connection, *, after: int = 0, limit: int = 40) -> list[Appeal]:
    """What waits, the oldest first, behind the appeal `after`."""
    rows = await conn.fetch(
        f"{_SELECT} where state = 'waiting' and id > $1 order by id limit $2", after, limit
    )
    return [_appeal(row) for row in rows]


async def count_waiting(conn: Connection) -> int:
    """How many wait."""
    count: int = await conn.fetchval("select count(*) from compliance.appeal where state = 'waiting'")
    return count


async def open_(
    conn: Connection,
    decision_id: DecisionId,
    account_id: AccountId,
    words: str,
    *,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Appeal:
    """Appeals against a refusal, by the one it was about, once, within six months."""
    said = words.strip()
    if not said or len(said) > MAX_WORDS:
        raise NotAllowed(f"an appeal has 1 to {MAX_WORDS:,} characters")
    decision = await decisions.get(conn, decision_id)
    if decision.actor_id != account_id:
        raise NotFound("no such decision")
    if decision.verdict != decisions.REFUSED:
        raise NotAllowed(
            "only a refusal can be appealed against; what is held has a person looking at it already"
        )
    in_time = await conn.fetchval(
        "select $1::timestamptz < $2::timestamptz + make_interval(months => $3)",
        now,
        decision.created_at,
        MONTHS_OPEN,
    )
    if not in_time:
        raise NotAllowed(f"an appeal is open for {MONTHS_OPEN} months")
    appeal_id = new_id()
    made = await conn.fetchval(
        """
        insert into compliance.appeal (id, decision_id, account_id, words, created_at)
        values ($1, $2, $3, $4, $5) on conflict (decision_id) do nothing returning id
        """,
        appeal_id,
        decision_id,
        account_id,
        said,
        now,
    )
    if made is None:
        raise NotAllowed("there is an appeal against this decision already")
    entry = Entry(RecordKind.APPEAL_OPEN, account_id, str(appeal_id), decision_id=decision_id, source=source)
    await write(conn, [entry], now=now, new_id=new_id)
    return await get(conn, appeal_id)


async def decide(
    conn: Connection,
    appeal_id: int,
    *,
    decider: AccountId,
    outcome: AppealState,
    statement: str,
    now: datetime,
    accounts_per_identity: int = ACCOUNTS_PER_IDENTITY,
    source: Source,
    new_id: Callable[[], int],
) -> tuple[Activity, Direction] | None:
    """Decides an appeal once. When it is overturned and the words were kept, the caller submits them again
    here and now."""
    if outcome is AppealState.WAITING:
        raise NotAllowed("a decision is overturned or upheld")
    if not statement.strip():
        raise NotAllowed("a decision needs a statement of reasons")
    await conn.execute("select from compliance.appeal where id = $1 for update", appeal_id)
    appeal = await get(conn, appeal_id)
    if appeal.state is not AppealState.WAITING:
        raise NotAllowed("this appeal has been decided")
    decision = await decisions.get(conn, appeal.decision_id)
    case = None
    if decision.digest:
        case = await cases.find_refused(conn, decision.actor_id, decision.digest)
    if await organisations.is_own(conn, appeal.account_id, decider):
        raise NotAllowed("nobody decides their own appeal")
    if decider in (decision.decided_by, case.decided_by if case is not None else None):
        raise NotAllowed("an appeal is decided by another person than the refusal was")
    await conn.execute(
        """
        update compliance.appeal set state = $2, decided_by = $3, decided_at = $4, statement = $5
        where id = $1
        """,
        appeal_id,
        outcome.value,
        decider,
        now,
        statement.strip(),
    )
    detail: Detail = {"outcome": outcome.value, "author": appeal.account_id, "statement": statement.strip()}
    entry = Entry(
        RecordKind.APPEAL_DECIDE,
        decider,
        str(appeal_id),
        decision_id=decision.id,
        source=source,
        detail=detail,
    )
    await write(conn, [entry], now=now, new_id=new_id)
    if outcome is not AppealState.OVERTURNED:
        return None
    await credit.reverse(conn, decision.id, by=decider, now=now, new_id=new_id)
    if decision.kind in set(Matter):
        found = Overturned(
            decision=decision,
            decider=decider,
            statement=statement,
            now=now,
            source=source,
            new_id=new_id,
            accounts_per_identity=accounts_per_identity,
        )
        return await remedies.REMEDIES[Matter(decision.kind)](conn, found)
    return await _overturn(conn, decision, case, decider=decider, statement=statement, now=now, new_id=new_id)


async def _overturn(
    conn: Connection,
    decision: Decision,
    case: Case | None,
    *,
    decider: AccountId,
    statement: str,
    now: datetime,
    new_id: Callable[[], int],
) -> tuple[Activity, Direction] | None:
    if case is None:
        await cases.insert_overruling(
            conn, decision, decider=decider, statement=statement, now=now, new_id=new_id
        )
        return None
    await cases.overturn(conn, case.id, decider=decider, statement=statement, now=now)
    return None if case.activity is None else (case.activity, case.direction)


def _appeal(row: asyncpg.Record | None) -> Appeal:
    if row is None:
        raise NotFound("no such appeal")
    return Appeal(**{**row, "state": AppealState(row["state"])})
