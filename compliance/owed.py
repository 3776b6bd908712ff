"""What there is to file, as it stands now: certified accounts by class and place of registration (Article
10), the management system with its tier policies (Article 9), assessed features (Article 13).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from .activity import AccountId
from .classes import CertClass
from .connection import Connection
from .errors import NotAllowed
from .places import NOWHERE, is_place

_LONGEST, _LONGEST_REFERENCE = 200, 2000
Entry: TypeAlias = Mapping[str, str | int | bool | None]
"""One line of a filing; `id` tells it from the others, the rest is compared."""


class Kind(enum.StrEnum):
    """What a filing is about; the values are what the database stores."""

    CERTIFIED = "certified"
    TIERS = "tiers"
    ASSESSMENTS = "assessments"

    @property
    def article(self) -> str:
        return {"certified": "10", "tiers": "9", "assessments": "13"}[self.value]


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that is filed by itself. `class_` is set for certified accounts only."""

    kind: Kind
    province: str
    class_: CertClass | None = None

    def __post_init__(self) -> None:
        if not is_place(self.province):
            raise NotAllowed("no such place in GB/T 2260")
        if (self.kind is Kind.CERTIFIED) is (self.class_ is None):
            raise NotAllowed("a class goes with certified accounts, and with nothing else")

    def __str__(self) -> str:
        return ":".join(filter(None, (self.kind.value, self.province, self.class_ or "")))


@dataclass(frozen=True, slots=True)
class Delta:
    """What is different from an earlier filing."""

    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    changed: tuple[Entry, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.changed)


def compare(before: Sequence[Entry], after: Sequence[Entry]) -> Delta:
    """What changed from one list to another, by `id`."""
    old, new = {entry["id"]: entry for entry in before}, {entry["id"]: entry for entry in after}
    return Delta(
        added=tuple(entry for id_, entry in new.items() if id_ not in old),
        removed=tuple(entry for id_, entry in old.items() if id_ not in new),
        changed=tuple(entry for id_, entry in new.items() if id_ in old and dict(old[id_]) != dict(entry)),
    )


async def keys(conn: Connection, own: str, now: datetime) -> list[Key]:
    """Everything that is filed by this server: each place and class that somebody is certified under, and
    what goes to the operator's `own` authority."""
    rows = await conn.fetch(
        """
        select distinct coalesce(province, $1) as province, class from compliance.certification
        where state = 'active' and expires_at > $2
        union select province, class from compliance.filing where kind = 'certified'
        order by 1, 2
        """,
        NOWHERE,
        now,
    )
    certified = [Key(Kind.CERTIFIED, row["province"], CertClass(row["class"])) for row in rows]
    return [Key(Kind.TIERS, own), Key(Kind.ASSESSMENTS, own), *certified]


async def entries(conn: Connection, key: Key, now: datetime) -> list[Entry]:
    """All of what a key stands for, and nothing else, in a fixed order."""
    match key.kind:
        case Kind.CERTIFIED:
            return await _certified(conn, key, now)
        case Kind.TIERS:
            return await _tiers(conn)
        case Kind.ASSESSMENTS:
            return await _assessments(conn)


async def changed_since(conn: Connection, key: Key, delta: Delta) -> datetime | None:
    """The earliest moment at which what is in `delta` came to be; `None` for nothing."""
    ids = [int(entry["id"] or 0) for entry in (*delta.added, *delta.removed, *delta.changed)]
    if not ids:
        return None
    statement = {
        Kind.CERTIFIED: "select min(updated_at) from compliance.certification where id = any($1)",
        Kind.TIERS: "select min(coalesce(retired_at, activated_at)) from compliance.tier_policy"
        " where version = any($1)",
        Kind.ASSESSMENTS: "select min(recorded_at) from compliance.assessment where id = any($1)",
    }[key.kind]
    moment: datetime | None = await conn.fetchval(statement, ids)
    return moment


async def record_assessment(
    conn: Connection,
    assessment_id: int,
    *,
    feature: str,
    version: str,
    assessed_on: date,
    result: str,
    reference: str,
    by: AccountId,
    now: datetime,
) -> None:
    """Notes that a feature was assessed; what is noted is not changed, another line follows it."""
    if not feature.strip() or not version.strip():
        raise NotAllowed("an assessment names the feature and its version")
    if len(feature) > _LONGEST or len(version) > _LONGEST or len(reference) > _LONGEST_REFERENCE:
        raise NotAllowed("an assessment's feature, version or reference is too long")
    if assessed_on > now.date():
        raise NotAllowed("an assessment is not of a day to come")
    await conn.execute(
        """
        insert into compliance.assessment
          (id, feature, version, assessed_on, result, reference, recorded_by, recorded_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        assessment_id,
        feature.strip(),
        version.strip(),
        assessed_on,
        result,
        reference.strip(),
        by,
        now,
    )


async def _certified(conn: Connection, key: Key, now: datetime) -> list[Entry]:
    rows = await conn.fetch(
        """
        select c.id::text as id, a.username as account, a.url, coalesce(p.display_name, '') as name, c.class,
               c.kind, c.label, coalesce(c.registered_name, '') as registered_name,
               coalesce(c.province, $1) as province, c.certified_at, c.renewed_at, c.expires_at
        from compliance.certification c
          join public.account a on a.id = c.account_id
          left join public.profile p on p.account_id = a.id
        where c.state = 'active' and c.expires_at > $4 and coalesce(c.province, $1) = $2 and c.class = $3
        order by c.id
        """,
        NOWHERE,
        key.province,
        key.class_,
        now,
    )
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


async def _tiers(conn: Connection) -> list[Entry]:
    rows = await conn.fetch(
        """
        select p.version::text as id, name, label, encode(digest, 'hex') as sha256, activated_at, retired_at,
               active, body
        from compliance.tier_policy p where activated_at is not null order by p.version
        """
    )
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


async def _assessments(conn: Connection) -> list[Entry]:
    rows = await conn.fetch(
        """
        select a.id::text as id, feature, version, assessed_on, result, reference
        from compliance.assessment a order by a.id
        """
    )
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: object) -> str | int | bool | None:
    """A value as every program reads it."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value)
