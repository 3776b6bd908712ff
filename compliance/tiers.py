"""Article 9: which tier an account is in, and what that gives.

    (no row) ──first look──> in a tier ──look──> in another
                                 └── an appeal was right: held in the former one for a while

Everybody here is looked at each night, and within a minute of what could change it. Moving down is a decision
with a statement, against which one can appeal; every move is kept with what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg
import msgspec

from . import measures, tierbook
from .activity import AccountId, Activity, Direction
from .connection import Connection
from .records import Detail, Entry, RecordKind, Source, write
from .statements import Matter, issue
from .tierbook import InForce
from .tierpolicy import BUILT_IN, Tier, TierPolicy
from .verdict import DecisionId, Reason
from .weighing import Looked, Measured, Placed, is_held_back, place

ENTITLED = """
  left join compliance.standing st on st.account_id = {account}.id
  left join compliance.tier_policy tp on tp.active
  left join compliance.tier t on tp.version is not null
    and t.policy_version = coalesce(
      st.policy_version, case when {account}.created_at >= tp.activated_at then tp.version end)
    and t.id = coalesce(st.tier, tp.newcomer)
"""
"""Joins the tier `t` of an account: where it stands, or, of who came under the policy, where newcomers do."""
_encode = msgspec.json.Encoder().encode
_decode_why = msgspec.json.Decoder(tuple[Looked, ...]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One account went from a tier to another; `decision_id` where that took something away."""

    id: int
    account_id: AccountId
    policy_version: int
    from_tier: str | None
    to_tier: str
    why: tuple[Looked, ...]
    decision_id: DecisionId | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an account is now."""

    policy_version: int
    policy: TierPolicy
    tier: Tier
    since: datetime | None
    """`None` for who has not been looked at."""
    pinned_until: datetime | None = None


async def standing(conn: Connection, account_id: AccountId) -> Standing:
    """Where the account is; in the built-in tier while no policy is in force."""
    row = await conn.fetchrow(
        f"""
        select t.policy_version, t.id, st.since, st.pinned_until
        from public.account a {ENTITLED.format(account="a")} where a.id = $1 and a.host is null
        """,  # noqa: S608 - only the name of an alias is put in
        account_id,
    )
    if row is None or row["id"] is None:
        return Standing(policy_version=0, policy=BUILT_IN, tier=BUILT_IN.tiers[0], since=None)
    policy = await tierbook.load(conn, row["policy_version"])
    return Standing(
        policy_version=row["policy_version"],
        policy=policy,
        tier=policy.tier(row["id"]),
        since=row["since"],
        pinned_until=row["pinned_until"],
    )


async def of(conn: Connection, account_id: AccountId) -> Tier:
    """The tier that the account is in."""
    return (await standing(conn, account_id)).tier


async def interval_months(conn: Connection, account_id: AccountId) -> int | None:
    """How often the account's identity is to be verified anew, where its tier says so."""
    months: int | None = await conn.fetchval(
        f"select t.reverify_months from public.account a {ENTITLED.format(account='a')} where a.id = $1",  # noqa: S608
        account_id,
    )
    return months


async def moves_of(
    conn: Connection, account_id: AccountId, *, max_id: int | None = None, limit: int = 40
) -> list[Move]:
    """Where the account has been, newest first, below `max_id`."""
    rows = await conn.fetch(
        """
        select id, account_id, policy_version, from_tier, to_tier, why::text as why, decision_id, at
        from compliance.standing_move where account_id = $1 and ($2::bigint is null or id < $2)
        order by id desc limit $3
        """,
        account_id,
        max_id,
        limit,
    )
    return [_move(row) for row in rows]


async def counts(conn: Connection, version: int) -> dict[str, int]:
    """How many accounts are in each tier of a policy."""
    rows = await conn.fetch(
        "select tier, count(*) as n from compliance.standing where policy_version = $1 group by tier", version
    )
    return {row["tier"]: row["n"] for row in rows}


async def touch(conn: Connection, account_ids: Sequence[AccountId]) -> None:
    """Has accounts looked at again soon, because of something that happened to them."""
    await conn.execute(
        """
        insert into compliance.standing_due (account_id)
        select a.id from public.account a where a.id = any($1) and a.host is null
        on conflict do nothing
        """,
        account_ids,
    )


async def take_due(conn: Connection, *, limit: int) -> list[AccountId]:
    """Those of them whose turn it is, taken off the list."""
    rows = await conn.fetch(
        """
        delete from compliance.standing_due where account_id = any(array(
          select account_id from compliance.standing_due order by account_id limit $1 for update skip locked))
        returning account_id
        """,
        limit,
    )
    return sorted(AccountId(row["account_id"]) for row in rows)


async def look(
    conn: Connection,
    account_ids: Sequence[AccountId],
    *,
    now: datetime,
    new_id: Callable[[], int],
) -> list[Move]:
    """Puts each account into the tier that fits it by the policy in force, and says who moved."""
    found = await tierbook.in_force(conn)
    if found.version == 0 or not account_ids:
        return []
    measured = await measures.measure(conn, account_ids, found.policy, now=now)
    before = await _standings(conn, [one.account_id for one in measured])
    moves: list[Move] = []
    kept: list[tuple[AccountId, Placed]] = []
    for one in measured:
        placed, row = place(found.policy, one), before.get(one.account_id)
        placed = _pinned(placed, row, found, now)
        kept.append((one.account_id, placed))
        moved = row is None or (row["policy_version"], row["tier"]) != (found.version, placed.tier.id)
        if moved:
            moves.append(await _moved(conn, one, row, placed, found, now=now, new_id=new_id))
    await _keep(conn, kept, found.version, now)
    await _note(conn, [move for move in moves if move.from_tier != move.to_tier], now=now, new_id=new_id)
    return moves


async def _moved(
    conn: Connection,
    one: Measured,
    row: asyncpg.Record | None,
    placed: Placed,
    found: InForce,
    *,
    now: datetime,
    new_id: Callable[[], int],
) -> Move:
    former = row["tier"] if row is not None else None
    decision_id = None
    if _takes_away(found.policy, former, placed.tier):
        decision_id = await issue(
            conn,
            one.account_id,
            Matter.TIER,
            Reason.TIER_LOWERED,
            about=f"tier:{placed.tier.id}",
            statement=said(found, former, placed),
            by=None,
            now=now,
            new_id=new_id,
        )
    return Move(
        id=new_id(),
        account_id=one.account_id,
        policy_version=found.version,
        from_tier=former,
        to_tier=placed.tier.id,
        why=(*placed.looked, *placed.missing),
        decision_id=decision_id,
        at=now,
    )


def _takes_away(policy: TierPolicy, former: str | None, tier: Tier) -> bool:
    """Whether a move is one down. From no tier, or from one that the policy does not know, it is so if the
    new one holds anything back."""
    place_before, place_after = policy.place(former) if former else None, policy.place(tier.id)
    if place_before is None or place_after is None:
        return is_held_back(tier) or tier.gives.pre_review
    return place_after > place_before


def said(found: InForce, former: str | None, placed: Placed) -> str:
    """The statement of reasons of a move by rule: which policy, from where to where, and what was missing."""
    known = former is not None and found.policy.place(former) is not None
    names = [_both(found.policy.tier(former))] if known and former else []
    head = f"{' → '.join([*names, _both(placed.tier)])} · {found.policy.name} {found.policy.version}"
    lines = [f"{one.condition}: {_plain(one.value)} ({_wish(one)})" for one in placed.missing]
    return "\n".join([head, *lines])


def _both(tier: Tier) -> str:
    return f"{tier.name['en']} / {tier.name['zh']}"


def _wish(one: Looked) -> str:
    ends = [f"{sign} {_plain(end)}" for sign, end in (("≥", one.low), ("≤", one.high)) if end is not None]
    return " ".join([*ends, *((", ".join(one.wanted),) if one.wanted else ())])


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _pinned(placed: Placed, row: asyncpg.Record | None, found: InForce, now: datetime) -> Placed:
    """Somebody whose appeal was right stays at least where they were."""
    if row is None or row["pinned_tier"] is None or row["pinned_until"] <= now:
        return placed
    held, fits = found.policy.place(row["pinned_tier"]), found.policy.place(placed.tier.id)
    if held is None or fits is None or fits <= held:
        return placed
    return replace(placed, tier=found.policy.tiers[held])


async def _standings(
    conn: Connection, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, asyncpg.Record]:
    rows = await conn.fetch(
        """
        select account_id, policy_version, tier, pinned_tier, pinned_until
        from compliance.standing where account_id = any($1) order by account_id for update
        """,
        account_ids,
    )
    return {AccountId(row["account_id"]): row for row in rows}


async def _keep(
    conn: Connection, placed: Sequence[tuple[AccountId, Placed]], version: int, now: datetime
) -> None:
    ids = [id_ for id_, _ in placed]
    await conn.execute(
        """
        insert into compliance.standing as s
          (account_id, policy_version, tier, why, since, evaluated_at, followers_from, followers_below)
        select n.account_id, $2, n.tier, n.why::jsonb, $3, $3, n.low, n.below
        from unnest($1::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
          as n(account_id, tier, why, low, below)
        on conflict (account_id) do update
          set policy_version = excluded.policy_version, tier = excluded.tier, why = excluded.why,
              since = case when s.tier = excluded.tier then s.since else excluded.since end,
              evaluated_at = excluded.evaluated_at, followers_from = excluded.followers_from,
              followers_below = excluded.followers_below
        """,
        ids,
        version,
        now,
        [one.tier.id for _, one in placed],
        [_encode((*one.looked, *one.missing)).decode() for _, one in placed],
        [one.followers_from for _, one in placed],
        [one.followers_below for _, one in placed],
    )
    await conn.execute(
        """
        delete from public.held_back h where h.account_id = any($1) and not exists (
          select from compliance.standing s join compliance.tier t
            on t.policy_version = s.policy_version and t.id = s.tier
          where s.account_id = h.account_id and (t.from_timelines or t.undiscoverable or t.from_guests))
        """,
        ids,
    )
    await conn.execute(
        """
        insert into public.held_back (account_id, from_timelines, undiscoverable, from_guests)
        select s.account_id, t.from_timelines, t.undiscoverable, t.from_guests
        from compliance.standing s
          join compliance.tier t on t.policy_version = s.policy_version and t.id = s.tier
        where s.account_id = any($1) and (t.from_timelines or t.undiscoverable or t.from_guests)
        on conflict (account_id) do update
          set from_timelines = excluded.from_timelines, undiscoverable = excluded.undiscoverable,
              from_guests = excluded.from_guests
        """,
        ids,
    )


async def _note(conn: Connection, moves: Sequence[Move], *, now: datetime, new_id: Callable[[], int]) -> None:
    if not moves:
        return
    await conn.execute(
        """
        insert into compliance.standing_move
          (id, account_id, policy_version, from_tier, to_tier, why, decision_id, at)
        select m.id, m.account_id, m.version, m.former, m.latter, m.why::jsonb, m.decision_id, $1
        from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                    $8::bigint[])
          as m(id, account_id, version, former, latter, why, decision_id)
        """,
        now,
        [move.id for move in moves],
        [move.account_id for move in moves],
        [move.policy_version for move in moves],
        [move.from_tier for move in moves],
        [move.to_tier for move in moves],
        [_encode(move.why).decode() for move in moves],
        [move.decision_id for move in moves],
    )
    source = Source.internal("tiers")
    entries = [
        Entry(
            RecordKind.TIER_MOVE,
            None,
            str(move.account_id),
            decision_id=move.decision_id,
            source=source,
            detail=_detail(move),
        )
        for move in moves
    ]
    await write(conn, entries, now=now, new_id=new_id)


def _detail(move: Move) -> Detail:
    return {"from": move.from_tier, "to": move.to_tier, "policy": move.policy_version}


async def pin_former(
    conn: Connection, decision_id: DecisionId, *, now: datetime
) -> tuple[Activity, Direction] | None:
    """The remedy of a move down that was wrong: back to the former tier, and held there for a while."""
    row = await conn.fetchrow(
        "select account_id, policy_version, from_tier from compliance.standing_move where decision_id = $1",
        decision_id,
    )
    if row is None:
        return None
    found = await tierbook.in_force(conn)
    tier = row["from_tier"]
    if tier is None or found.policy.place(tier) is None:
        tier = _lowest_free(found.policy).id
    await conn.execute(
        "update compliance.standing set pinned_tier = $2, pinned_until = $3 where account_id = $1",
        row["account_id"],
        tier,
        now + timedelta(days=found.policy.pin_days),
    )
    await touch(conn, [AccountId(row["account_id"])])
    return None


def _lowest_free(policy: TierPolicy) -> Tier:
    """The lowest tier in which nothing is held back; the highest where there is none."""
    free = [tier for tier in policy.tiers if not is_held_back(tier) and not tier.gives.pre_review]
    return free[-1] if free else policy.tiers[0]


def _move(row: asyncpg.Record) -> Move:
    return Move(**{**row, "why": _decode_why(row["why"])})
