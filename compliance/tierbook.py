"""Tier policies as versions: proposed by one person, put in force by another, never changed in between.

    proposed ──activate, by somebody else──> in force ──another is activated, or none──> retired

A policy that is in force decides at once about newcomers; everybody else keeps what the one before gave them
until the round over all accounts has come to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from importlib.resources import files

from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed, NotFound
from .records import Detail, Entry, RecordKind, Source, write
from .tierpolicy import BUILT_IN, Conditions, Reach, Tier, TierPolicy, parse

_KEPT: dict[bytes, TierPolicy] = {}
_MOST_KEPT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A policy in the list of versions. `label` is its author's own name for it."""

    version: int
    name: str
    label: str
    proposed_by: AccountId | None
    proposed_at: datetime
    activated_by: AccountId | None
    activated_at: datetime | None
    retired_at: datetime | None
    active: bool
    swept_to: int
    swept_at: datetime | None


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy that holds now; version 0 is the built-in one, by which nobody is limited."""

    version: int
    policy: TierPolicy


_SELECT = """
  select version, name, label, proposed_by, proposed_at, activated_by, activated_at, retired_at, active,
         swept_to, swept_at
  from compliance.tier_policy
"""


def shipped() -> str:
    """The text of the policy that comes with the server, to begin from."""
    return (files("compliance") / "policies" / "tiers.toml").read_text("utf-8")


async def list_(conn: Connection, *, limit: int = 40) -> list[Version]:
    """The versions, newest first."""
    rows = await conn.fetch(f"{_SELECT} order by version desc limit $1", limit)
    return [Version(**row) for row in rows]


async def get(conn: Connection, version: int) -> Version:
    """One of them, or `NotFound`."""
    row = await conn.fetchrow(f"{_SELECT} where version = $1", version)
    if row is None:
        raise NotFound(f"no tier policy {version}")
    return Version(**row)


async def text(conn: Connection, version: int) -> str:
    """A version as it was imported; `NotFound` for none."""
    body: str | None = await conn.fetchval(
        "select body from compliance.tier_policy where version = $1", version
    )
    if body is None:
        raise NotFound(f"no tier policy {version}")
    return body


async def load(conn: Connection, version: int) -> TierPolicy:
    """A version, read; 0 is the built-in one."""
    if version == 0:
        return BUILT_IN
    row = await conn.fetchrow("select body, digest from compliance.tier_policy where version = $1", version)
    if row is None:
        raise NotFound(f"no tier policy {version}")
    return _read(row["body"], row["digest"])


async def in_force(conn: Connection) -> InForce:
    """The policy that holds now."""
    row = await conn.fetchrow("select version, body, digest from compliance.tier_policy where active")
    if row is None:
        return InForce(0, BUILT_IN)
    return InForce(row["version"], _read(row["body"], row["digest"]))


async def differences(conn: Connection, version: int, against: int | None) -> list[str]:
    """What a version changes of another, or of the one proposed before it, line by line."""
    if against is None:
        against = await conn.fetchval(
            "select max(version) from compliance.tier_policy where version < $1", version
        )
    before = "" if against is None else await text(conn, against)
    after = await text(conn, version)
    names = (f"version {against}" if against else "nothing", f"version {version}")
    return list(unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))


async def import_(
    conn: Connection,
    body: str,
    *,
    by: AccountId,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> int:
    """Keeps a policy as a new version, proposed by `by`; `InvalidPolicy` names the place, and nothing is
    kept."""
    policy = parse(body)
    version: int = await conn.fetchval(
        """
        insert into compliance.tier_policy (name, label, body, digest, proposed_by, proposed_at, newcomer)
        values ($1, $2, $3, $4, $5, $6, $7) returning version
        """,
        policy.name,
        policy.version,
        body,
        hashlib.sha256(body.encode()).digest(),
        by,
        now,
        _newcomer(policy).id,
    )
    gives = [tier.gives for tier in policy.tiers]
    await conn.execute(
        """
        insert into compliance.tier
          (policy_version, id, place, pre_review, posts_per_hour, uploads_per_hour, follows_per_hour,
           reverify_months, from_timelines, undiscoverable, from_guests)
        select $1, t.id, t.place - 1, t.pre_review, t.posts, t.uploads, t.follows, t.months, t.timelines,
               t.undiscoverable, t.guests
        from unnest($2::text[], $3::bool[], $4::int[], $5::int[], $6::int[], $7::int[], $8::bool[],
                    $9::bool[], $10::bool[])
          with ordinality as t(id, pre_review, posts, uploads, follows, months, timelines, undiscoverable,
                               guests, place)
        """,
        version,
        [tier.id for tier in policy.tiers],
        [given.pre_review for given in gives],
        [given.posts_per_hour for given in gives],
        [given.uploads_per_hour for given in gives],
        [given.follows_per_hour for given in gives],
        [given.reverify_months for given in gives],
        [given.reach is not Reach.EVERYWHERE for given in gives],
        [not given.discoverable for given in gives],
        [given.signed_in_only for given in gives],
    )
    detail: Detail = {"name": policy.name, "label": policy.version, "tiers": len(policy.tiers)}
    entry = Entry(RecordKind.TIERS_IMPORT, by, str(version), source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
    return version


async def activate(
    conn: Connection,
    version: int,
    *,
    by: AccountId,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Puts a version in force, by another person than proposed it."""
    await conn.execute("select pg_advisory_xact_lock(hashtext('tier_policy'))")
    found = await get(conn, version)
    if found.active:
        raise NotAllowed("this policy is in force")
    if found.proposed_by == by:
        raise NotAllowed("a policy is put in force by another person than proposed it")
    before = await _retire(conn, now)
    await conn.execute(
        """
        update compliance.tier_policy
        set active = true, activated_by = $2, activated_at = $3, retired_at = null, swept_to = 0,
            swept_at = null
        where version = $1
        """,
        version,
        by,
        now,
    )
    entry = Entry(RecordKind.TIERS_ACTIVATE, by, str(version), source=source, detail={"before": before})
    await write(conn, [entry], now=now, new_id=new_id)


async def deactivate(
    conn: Connection, *, by: AccountId, source: Source, now: datetime, new_id: Callable[[], int]
) -> None:
    """Puts none in force: the server's settings alone apply again. Standings are forgotten, credit is not."""
    await conn.execute("select pg_advisory_xact_lock(hashtext('tier_policy'))")
    before = await _retire(conn, now)
    if before is None:
        raise NotAllowed("no policy is in force")
    await conn.execute("delete from compliance.standing")
    await conn.execute("delete from public.held_back")
    entry = Entry(RecordKind.TIERS_ACTIVATE, by, "0", source=source, detail={"before": before})
    await write(conn, [entry], now=now, new_id=new_id)


async def _retire(conn: Connection, now: datetime) -> int | None:
    before: int | None = await conn.fetchval(
        "update compliance.tier_policy set active = false, retired_at = $1 where active returning version",
        now,
    )
    return before


def _newcomer(policy: TierPolicy) -> Tier:
    """Where somebody is who has just come: nobody follows them, nothing is known against them."""
    return next(tier for tier in policy.tiers if _takes_newcomer(tier.when, policy))


def _takes_newcomer(when: Conditions, policy: TierPolicy) -> bool:
    nothing = (
        when.followers,
        when.age_days,
        when.violations,
        when.media_share,
        when.link_share,
        when.topic_share,
    )
    return (
        (not when.subject or "person" in when.subject)
        and (not when.certified or "none" in when.certified)
        and (when.credit is None or when.credit.holds(policy.credit.start))
        and all(span is None or span.holds(0) for span in nothing)
    )


def _read(body: str, digest: bytes) -> TierPolicy:
    """Versions never change, so each is parsed once."""
    if digest not in _KEPT:
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[digest] = parse(body)
    return _KEPT[digest]
