"""Standings kept true: accounts looked at in small transactions, and told what changed.

Upkeep calls this for whoever something happened to, and each night for everybody; the console and the command
line for a policy that is not in force yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from compliance import credit, measures, months, tierbook, tiers
from compliance.activity import AccountId
from compliance.credit import Event
from compliance.tierpolicy import TierPolicy
from compliance.tiers import Move
from compliance.weighing import place

from . import telling
from .db.pool import Connection
from .ids import IdMaker
from .pipeline import Road
from .telling import Code, Notice

BATCH = 500
"""Accounts to a transaction."""
NIGHTLY = timedelta(hours=24)
SAMPLES = 5
PAGE = "/settings/standing"
_encode = msgspec.json.Encoder().encode


async def look_at_due(conn: Connection, now: datetime, ids: IdMaker, told: set[AccountId]) -> int:
    """Looks at accounts that something happened to, and tells what came of it; says how many there were."""
    events = await credit.take_untold(conn, limit=BATCH)
    await _tell_credit(conn, events, now, ids)
    told |= {event.account_id for event in events}
    due = await tiers.take_due(conn, limit=BATCH)
    told |= await _look(conn, due, now, ids)
    return max(len(due), len(events))


async def look_at_all(conn: Connection, now: datetime, ids: IdMaker, told: set[AccountId]) -> int:
    """One step of the nightly round over everybody here; 0 where the last round is still fresh."""
    row = await conn.fetchrow(
        "select version, swept_to, swept_at from compliance.tier_policy where active for update"
    )
    if row is None or (row["swept_at"] is not None and row["swept_at"] > now - NIGHTLY):
        return 0
    batch = await measures.here(conn, after=row["swept_to"], limit=BATCH)
    await months.clean(conn, batch, now=now, new_id=ids)
    told |= await _look(conn, batch, now, ids)
    is_over = len(batch) < BATCH
    await conn.execute(
        """
        update compliance.tier_policy set swept_to = $2, swept_at = coalesce($3, swept_at) where version = $1
        """,
        row["version"],
        0 if is_over else batch[-1],
        now if is_over else None,
    )
    return len(batch)


async def _look(
    conn: Connection, account_ids: Sequence[AccountId], now: datetime, ids: IdMaker
) -> set[AccountId]:
    moves = await tiers.look(conn, account_ids, now=now, new_id=ids)
    policy = (await tierbook.in_force(conn)).policy
    raised = []
    for move in moves:
        if move.decision_id is not None:
            await telling.tell_decision(conn, move.account_id, move.decision_id, now=now, new_id=ids)
        elif _is_up(policy, move):
            raised.append(
                Notice(to=move.account_id, code=Code.TIER_RAISED, values=_names(policy, move), link=PAGE)
            )
    await telling.tell(conn, raised, now=now, new_id=ids)
    return {move.account_id for move in moves if move.decision_id is not None} | {one.to for one in raised}


def _is_up(policy: TierPolicy, move: Move) -> bool:
    before = policy.place(move.from_tier) if move.from_tier else None
    after = policy.place(move.to_tier)
    return before is not None and after is not None and after < before


def _names(policy: TierPolicy, move: Move) -> dict[str, str | int]:
    name = policy.tier(move.to_tier).name
    return {"tier": f"{name['zh']} · {name['en']}"}


async def _tell_credit(conn: Connection, events: Sequence[Event], now: datetime, ids: IdMaker) -> None:
    notices = []
    for event in events:
        link = PAGE if event.decision_id is None else f"/my/decisions/{event.decision_id}"
        values = {"before": shown(event.before), "after": shown(event.after)}
        notices.append(Notice(to=event.account_id, code=Code.CREDIT_CHANGED, values=values, link=link))
    await telling.tell(conn, notices, now=now, new_id=ids)


def shown(value: float) -> str:
    """Credit as people read it."""
    return f"{value:.1f}".removesuffix(".0")


@dataclass(slots=True)
class Trial:
    """A policy tried on everybody here: how many are in which tier now, and in which they would be."""

    version: int
    accounts: int = 0
    reached: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def after(self) -> Counter[str]:
        """Accounts in each tier, if it were in force."""
        found: Counter[str] = Counter()
        for (_, to), count in self.moves.items():
            found[to] += count
        return found

    def before(self) -> Counter[str]:
        """Accounts in each tier now."""
        found: Counter[str] = Counter()
        for (former, _), count in self.moves.items():
            found[former] += count
        return found

    def moved(self) -> list[tuple[str, str, int, list[str]]]:
        """Who would move, the most first: from, to, how many, and a few names."""
        return [
            (former, to, count, self.samples.get((former, to), []))
            for (former, to), count in self.moves.most_common()
            if former != to
        ]


async def begin_trial(road: Road, version: int) -> None:
    """Starts trying a version on everybody from the beginning."""
    async with road.pool.acquire() as conn:
        await tierbook.get(conn, version)
        await conn.execute(
            """
            insert into compliance.tier_trial (policy_version, started_at) values ($1, $2)
            on conflict (policy_version) do update
              set reached = 0, accounts = 0, moves = '[]', started_at = excluded.started_at,
                  finished_at = null
            """,
            version,
            road.clock(),
        )


async def trial(conn: Connection, version: int) -> Trial | None:
    """How far a trial has come, and what it has found."""
    row = await conn.fetchrow(
        """
        select policy_version, reached, accounts, moves::text as moves, started_at, finished_at
        from compliance.tier_trial where policy_version = $1
        """,
        version,
    )
    if row is None:
        return None
    found = Trial(
        row["policy_version"],
        row["accounts"],
        row["reached"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )
    for former, to, count, names in msgspec.json.decode(
        row["moves"], type=list[tuple[str, str, int, list[str]]]
    ):
        found.moves[former, to] = count
        found.samples[former, to] = names
    return found


async def try_step(conn: Connection, now: datetime) -> int:
    """Tries one batch of whichever trial is not finished; takes no lock on any account."""
    row = await conn.fetchrow(
        """
        select policy_version from compliance.tier_trial where finished_at is null
        order by started_at limit 1 for update skip locked
        """
    )
    if row is None:
        return 0
    found = await trial(conn, row["policy_version"])
    assert found is not None  # noqa: S101 - the row is locked
    batch = await measures.here(conn, after=found.reached, limit=BATCH)
    await _try(conn, found, batch, now)
    if batch:
        found.reached = batch[-1]
    if len(batch) < BATCH:
        found.finished_at = now
    moves = [(*key, count, found.samples.get(key, [])) for key, count in found.moves.items()]
    await conn.execute(
        """
        update compliance.tier_trial
        set reached = $2, accounts = $3, moves = $4::text::jsonb, finished_at = $5
        where policy_version = $1
        """,
        found.version,
        found.reached,
        found.accounts,
        _encode(moves).decode(),
        found.finished_at,
    )
    return len(batch)


async def run_trial(road: Road, version: int, *, most: int | None = None) -> Trial:
    """Tries a version on everybody, or on the first `most` batches and leaves the rest to upkeep."""
    await begin_trial(road, version)
    steps = 0
    while most is None or steps < most:
        steps += 1
        async with road.pool.acquire() as conn, conn.transaction():
            if not await try_step(conn, road.clock()):
                break
    async with road.pool.acquire() as conn:
        found = await trial(conn, version)
    assert found is not None  # noqa: S101 - it was begun above
    return found


async def _try(conn: Connection, found: Trial, batch: Sequence[AccountId], now: datetime) -> None:
    policy = await tierbook.load(conn, found.version)
    rows = await conn.fetch(
        """
        select a.id, a.username, coalesce(st.tier, '') as tier
        from account a left join compliance.standing st on st.account_id = a.id
        where a.id = any($1)
        """,
        batch,
    )
    now_in = {row["id"]: (row["tier"], row["username"]) for row in rows}
    for one in await measures.measure(conn, batch, policy, now=now):
        former, name = now_in[one.account_id]
        key = (former, place(policy, one).tier.id)
        found.moves[key] += 1
        found.accounts += 1
        names = found.samples.setdefault(key, [])
        if key[0] != key[1] and len(names) < SAMPLES:
            names.append(name)
