"""Credit (Article 9): a ledger of events, each with its reason, by rules that the policy in force publishes.

Nobody sets a value. What an account has is what its events come to: whatever is above or below the start
comes back half the way in each half-life, and every event adds its points to what is left, between floor and
cap. An event is written in the transaction of the act that causes it; a wrong one is not taken out, but
another reverses what is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg

from . import tierbook
from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed, NotFound
from .records import Detail, Entry, RecordKind, Source, write
from .statements import Matter, issue
from .tierpolicy import CreditKind, CreditRules
from .verdict import DecisionId, Reason

MOST_POINTS = 100
LONGEST_REASON = 2000
"""The most that one person may give or take at once."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the ledger. `before` is what was left of the value at that moment, `after` what it
    became."""

    id: int
    account_id: AccountId
    kind: CreditKind
    points: float
    policy_version: int
    reason: str
    decision_id: DecisionId | None = None
    report_id: int | None = None
    reverses: int | None = None
    by_id: AccountId | None = None
    before: float
    after: float
    at: datetime


_SELECT = """
  select id, account_id, kind, points, policy_version, reason, decision_id, report_id, reverses, by_id,
         before, after, at
  from compliance.credit_event
"""


def left(value: float, since: datetime, now: datetime, rules: CreditRules) -> float:
    """What a value is after it has had time to come back towards the start."""
    days = max((now - since) / _DAY, 0.0)
    return _within(rules.start + (value - rules.start) * 0.5 ** (days / rules.half_life_days), rules)


def value_of(last: Event | None, rules: CreditRules, now: datetime) -> float:
    """What an account has whose latest event is `last`."""
    return rules.start if last is None else left(last.after, last.at, now, rules)


def replay(events: Sequence[Event], rules: Mapping[int, CreditRules]) -> float | None:
    """The value after the last of an account's `events`, oldest first, from their points alone; each is
    counted by the rules that were in force at it. `None` for no events."""
    value: float | None = None
    since: datetime | None = None
    for event in events:
        by = rules[event.policy_version]
        was = by.start if value is None or since is None else left(value, since, event.at, by)
        value, since = _within(was + event.points, by), event.at
    return value


def forecast(value: float, rules: CreditRules, now: datetime, *, days: int, points: int) -> list[float]:
    """What it will be at `points` moments over the next `days`, now among them, if nothing happens."""
    step = timedelta(days=days) / (points - 1)
    return [left(value, now, now + n * step, rules) for n in range(points)]


async def current(conn: Connection, account_id: AccountId, now: datetime) -> float:
    """What the account has now."""
    rules = (await tierbook.in_force(conn)).policy.credit
    return value_of((await _latest(conn, [account_id])).get(account_id), rules, now)


_UNTOLD = f"""
  with taken as (
    delete from compliance.credit_untold where event_id = any(array(
      select event_id from compliance.credit_untold order by event_id limit $1 for update skip locked))
    returning event_id
  )
  {_SELECT} where id in (select event_id from taken) order by id
"""  # noqa: S608 - both parts are texts of this module


async def get(conn: Connection, event_id: int) -> Event:
    """One line, or `NotFound`."""
    row = await conn.fetchrow(f"{_SELECT} where id = $1", event_id)
    if row is None:
        raise NotFound("no such credit event")
    return _event(row)


async def list_for(
    conn: Connection, account_id: AccountId, *, max_id: int | None = None, limit: int = 40
) -> list[Event]:
    """An account's lines, newest first, below `max_id`."""
    rows = await conn.fetch(
        f"{_SELECT} where account_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3",
        account_id,
        max_id,
        limit,
    )
    return [_event(row) for row in rows]


async def record(
    conn: Connection,
    account_ids: Sequence[AccountId],
    kind: CreditKind,
    *,
    reason: str = "",
    decision_id: DecisionId | None = None,
    report_id: int | None = None,
    now: datetime,
    new_id: Callable[[], int],
) -> list[Event]:
    """Writes one event for each account here, where the policy in force has a rule for it; else none."""
    found = await tierbook.in_force(conn)
    points = found.policy.credit.points.get(kind)
    if found.version == 0 or points is None:
        return []
    model = Event(
        id=0,
        account_id=AccountId(0),
        kind=kind,
        points=points,
        policy_version=found.version,
        reason=reason,
        decision_id=decision_id,
        report_id=report_id,
        before=0,
        after=0,
        at=now,
    )
    return await _append(conn, account_ids, model, found.policy.credit, new_id)


async def set_by_hand(
    conn: Connection,
    account_id: AccountId,
    points: float,
    reason: str,
    *,
    by: AccountId,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> Event:
    """A person gives or takes points, with a reason that the account reads. Taking is a decision that can be
    appealed against."""
    if not reason.strip():
        raise NotAllowed("credit is never changed without a reason")
    if len(reason) > LONGEST_REASON:
        raise NotAllowed(f"a reason has at most {LONGEST_REASON:,} characters")
    if not 1 <= abs(points) <= MOST_POINTS:
        raise NotAllowed(f"points are from 1 to {MOST_POINTS}, given or taken")
    if by == account_id:
        raise NotAllowed("nobody changes their own credit")
    found = await tierbook.in_force(conn)
    if found.version == 0:
        raise NotAllowed("no tier policy is in force, so there is no credit")
    model = Event(
        id=0,
        account_id=account_id,
        kind=CreditKind.MANUAL,
        points=points,
        policy_version=found.version,
        reason=reason.strip(),
        decision_id=await _decision(conn, account_id, reason, by, now, new_id) if points < 0 else None,
        by_id=by,
        before=0,
        after=0,
        at=now,
    )
    made = await _append(conn, [account_id], model, found.policy.credit, new_id)
    if not made:
        raise NotFound("no such account here")
    detail: Detail = {"points": str(points), "reason": reason.strip(), "event": made[0].id}
    entry = Entry(RecordKind.CREDIT_MANUAL, by, str(account_id), source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
    return made[0]


async def complained(
    conn: Connection,
    account_id: AccountId,
    report_id: int,
    *,
    statement: str,
    by: AccountId,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """A complaint about the account was upheld: its own decision, because the account can appeal against what
    it costs."""
    found = await tierbook.in_force(conn)
    if CreditKind.COMPLAINT_UPHELD not in found.policy.credit.points or not await _is_here(conn, account_id):
        return
    decision_id = await _decision(conn, account_id, statement, by, now, new_id)
    await record(
        conn,
        [account_id],
        CreditKind.COMPLAINT_UPHELD,
        reason=statement.strip(),
        decision_id=decision_id,
        report_id=report_id,
        now=now,
        new_id=new_id,
    )


async def reverse(
    conn: Connection,
    decision_id: DecisionId,
    *,
    by: AccountId,
    now: datetime,
    new_id: Callable[[], int],
) -> list[Event]:
    """Gives back what is left of everything that a decision cost, because it was overturned."""
    rows = await conn.fetch(
        f"""{_SELECT} e where e.decision_id = $1 and e.reverses is null and not exists (
          select from compliance.credit_event r where r.reverses = e.id)""",
        decision_id,
    )
    found = await tierbook.in_force(conn)
    made: list[Event] = []
    for event in map(_event, rows):
        version = found.version or event.policy_version
        rules = (await tierbook.load(conn, version)).credit
        days = max((now - event.at) / _DAY, 0.0)
        rest = (event.before - event.after) * 0.5 ** (days / rules.half_life_days)
        model = replace(
            event,
            kind=CreditKind.REVERSED,
            points=rest,
            policy_version=version,
            reason="",
            decision_id=None,
            report_id=None,
            reverses=event.id,
            by_id=by,
            at=now,
        )
        made += await _append(conn, [event.account_id], model, rules, new_id)
    return made


async def take_untold(conn: Connection, *, limit: int) -> list[Event]:
    """Events that their accounts have not heard of, taken out of the list of those."""
    rows = await conn.fetch(_UNTOLD, limit)
    return [_event(row) for row in rows]


async def _append(
    conn: Connection,
    account_ids: Sequence[AccountId],
    model: Event,
    rules: CreditRules,
    new_id: Callable[[], int],
) -> list[Event]:
    """Writes `model` for each account that is here, one after the other for each of them."""
    rows = await conn.fetch(
        "select id from public.account where id = any($1) and host is null and gone_at is null order by id",
        account_ids,
    )
    ids = [AccountId(row["id"]) for row in rows]
    if not ids:
        return []
    await conn.execute(
        "select pg_advisory_xact_lock(hashint8extended(id, 17)) from unnest($1::bigint[]) as id", ids
    )
    latest = await _latest(conn, ids)
    made = []
    for id_ in ids:
        before = value_of(latest.get(id_), rules, model.at)
        after = _within(before + model.points, rules)
        made.append(replace(model, id=new_id(), account_id=id_, before=before, after=after))
    await _insert(conn, made)
    return made


async def _insert(conn: Connection, events: Sequence[Event]) -> None:
    await conn.execute(
        """
        with made as (
          insert into compliance.credit_event
            (id, account_id, kind, points, policy_version, reason, decision_id, report_id, reverses, by_id,
             before, after, at)
          select e.id, e.account_id, $3, $4, $5, $6, $7, $8, $9, $10, e.before, e.after, $11
          from unnest($1::bigint[], $2::bigint[], $12::float8[], $13::float8[])
            as e(id, account_id, before, after)
          returning id, account_id
        ), untold as (
          insert into compliance.credit_untold (event_id) select id from made
        )
        insert into compliance.standing_due (account_id) select account_id from made on conflict do nothing
        """,
        [event.id for event in events],
        [event.account_id for event in events],
        events[0].kind.value,
        events[0].points,
        events[0].policy_version,
        events[0].reason,
        events[0].decision_id,
        events[0].report_id,
        events[0].reverses,
        events[0].by_id,
        events[0].at,
        [event.before for event in events],
        [event.after for event in events],
    )


async def _latest(conn: Connection, account_ids: Sequence[AccountId]) -> dict[AccountId, Event]:
    rows = await conn.fetch(
        """
        select e.id, e.account_id, e.kind, e.points, e.policy_version, e.reason, e.decision_id, e.report_id,
               e.reverses, e.by_id, e.before, e.after, e.at
        from unnest($1::bigint[]) as a(id) join compliance.credit_event e on e.id = (
          select c.id from compliance.credit_event c where c.account_id = a.id order by c.id desc limit 1)
        """,
        account_ids,
    )
    return {event.account_id: event for event in map(_event, rows)}


async def _decision(  # noqa: PLR0917 - whom it is about, why, by whom, when
    conn: Connection,
    account_id: AccountId,
    statement: str,
    by: AccountId,
    now: datetime,
    new_id: Callable[[], int],
) -> DecisionId:
    return await issue(
        conn,
        account_id,
        Matter.CREDIT,
        Reason.CREDIT_DEDUCTED,
        about=f"credit:{account_id}",
        statement=statement,
        by=by,
        now=now,
        new_id=new_id,
    )


async def _is_here(conn: Connection, account_id: AccountId) -> bool:
    found: bool = await conn.fetchval(
        "select exists (select from public.account where id = $1 and host is null)", account_id
    )
    return found


def _within(value: float, rules: CreditRules) -> float:
    return min(max(value, rules.floor), rules.cap)


def _event(row: asyncpg.Record) -> Event:
    return Event(**{**row, "kind": CreditKind(row["kind"])})
