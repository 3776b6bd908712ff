"""Organisations and the people who act for them (Article 10, paragraph 2).

    invited ──accept──> active ──> left | removed        left, removed, declined ──invite──> invited
       └────decline──> declined

An organisation has no login of its own: everybody acts under the own one, and what a role may do stands in
`POWERS` alone. Every question about rights names the organisation in its query, so that a role in one says
nothing about another.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import asyncpg

from .activity import AccountId
from .classes import CertClass
from .connection import Connection
from .errors import NotAllowed, NotFound


class Role(enum.StrEnum):
    """What somebody is in an organisation; the values are what the database stores."""

    OWNER = "owner"
    EDITOR = "editor"
    MODERATOR = "moderator"
    ANALYST = "analyst"


class Act(enum.StrEnum):
    """What is done for an organisation."""

    SEE = "see"
    READ = "read"
    WRITE = "write"
    APPROVE = "approve"
    PUBLISH = "publish"
    REMOVE = "remove"
    ENGAGE = "engage"
    COMMENTS = "comments"
    LOG = "log"
    PROFILE = "profile"
    APPEAL = "appeal"
    MEMBERS = "members"
    CERTIFY = "certify"
    SETTINGS = "settings"
    TRANSFER = "transfer"


POWERS: Mapping[Role, frozenset[Act]] = MappingProxyType(
    {
        Role.OWNER: frozenset(Act),
        Role.EDITOR: frozenset(
            {Act.SEE, Act.READ, Act.WRITE, Act.APPROVE, Act.PUBLISH, Act.REMOVE, Act.ENGAGE, Act.COMMENTS}
        ),
        Role.MODERATOR: frozenset({Act.SEE, Act.COMMENTS}),
        Role.ANALYST: frozenset({Act.SEE, Act.LOG}),
    }
)
"""The one table of what each role may do; the documentation and the tests are made from it."""

STILL = frozenset({Act.SEE, Act.LOG, Act.APPEAL})
"""What stays when the operators have suspended the rights of an organisation."""

KINDS = tuple(kind for kind in CertClass if kind is not CertClass.INDIVIDUAL)
"""What an organisation can be: every class that is not a single person."""


class MemberState(enum.StrEnum):
    """How somebody stands towards an organisation."""

    INVITED = "invited"
    ACTIVE = "active"
    DECLINED = "declined"
    LEFT = "left"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation; its account shows what the gate has cleared, this holds what it said of itself."""

    id: AccountId
    kind: CertClass
    name: str
    four_eyes: bool
    created_by: AccountId | None
    created_at: datetime
    suspended_at: datetime | None
    suspended_reason: str | None

    @property
    def is_suspended(self) -> bool:
        """Whether the operators have suspended what its people may do."""
        return self.suspended_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Somebody's place in an organisation."""

    organisation_id: AccountId
    account_id: AccountId
    role: Role
    state: MemberState
    invited_by: AccountId | None
    invited_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What somebody may do for an organisation at this moment."""

    role: Role
    suspended: bool

    def may(self, act: Act) -> bool:
        """Whether the role includes `act`, and the operators have not suspended it."""
        return may(self.role, act) and (not self.suspended or act in STILL)


def may(role: Role | None, act: Act) -> bool:
    """Whether `role` includes `act`; nobody's includes nothing."""
    return role is not None and act in POWERS[role]


_SELECT = """
  select account_id, kind, name, four_eyes, created_by, created_at, suspended_at, suspended_reason
  from compliance.organisation
"""
_MEMBER = """
  select organisation_id, account_id, role, state, invited_by, invited_at, changed_at
  from compliance.organisation_member
"""


async def role_of(conn: Connection, organisation_id: AccountId, account_id: AccountId) -> Role | None:
    """The role that somebody has in the organisation now; `None` for none, or only an invitation."""
    role = await conn.fetchval(
        """
        select role from compliance.organisation_member
        where organisation_id = $1 and account_id = $2 and state = 'active'
        """,
        organisation_id,
        account_id,
    )
    return None if role is None else Role(role)


async def is_own(conn: Connection, account_id: AccountId | None, person: AccountId) -> bool:
    """Whether the account is the person, or an organisation that they act for: nobody decides about it."""
    if account_id is None or account_id == person:
        return account_id is not None
    return await role_of(conn, account_id, person) is not None


async def rights_of(conn: Connection, organisation_id: AccountId, account_id: AccountId) -> Rights | None:
    """What somebody may do for the organisation now, its suspension counted; `None` for nothing."""
    row = await conn.fetchrow(
        """
        select m.role, o.suspended_at is not null as suspended
        from compliance.organisation_member m
          join compliance.organisation o on o.account_id = m.organisation_id
        where m.organisation_id = $1 and m.account_id = $2 and m.state = 'active'
        """,
        organisation_id,
        account_id,
    )
    return None if row is None else Rights(role=Role(row["role"]), suspended=row["suspended"])


async def insert(
    conn: Connection,
    organisation_id: AccountId,
    *,
    kind: CertClass,
    name: str,
    owner: AccountId,
    now: datetime,
) -> None:
    """Makes an account an organisation, and `owner` its first one."""
    if kind not in KINDS:
        raise NotAllowed("a single person is no organisation")
    await conn.execute(
        """
        insert into compliance.organisation (account_id, kind, name, created_by, created_at, seen_at)
        values ($1, $2, $3, $4, $5, $5)
        """,
        organisation_id,
        kind.value,
        name,
        owner,
        now,
    )
    await put(conn, organisation_id, owner, Role.OWNER, MemberState.ACTIVE, by=owner, now=now)


async def find(conn: Connection, organisation_id: AccountId) -> Organisation | None:
    """The organisation, where the account is one."""
    row = await conn.fetchrow(f"{_SELECT} where account_id = $1", organisation_id)
    return None if row is None else _organisation(row)


async def get(conn: Connection, organisation_id: AccountId) -> Organisation:
    """The organisation, or `NotFound`."""
    found = await find(conn, organisation_id)
    if found is None:
        raise NotFound("no such organisation")
    return found


async def list_page(
    conn: Connection, *, max_id: int | None = None, suspended: bool | None = None, limit: int = 40
) -> list[Organisation]:
    """Organisations for operators, the newest first, below `max_id`."""
    rows = await conn.fetch(
        f"""{_SELECT} where ($1::bigint is null or account_id < $1)
          and ($2::bool is null or (suspended_at is not null) = $2)
        order by account_id desc limit $3""",
        max_id,
        suspended,
        limit,
    )
    return [_organisation(row) for row in rows]


async def membership(
    conn: Connection, organisation_id: AccountId, account_id: AccountId
) -> Membership | None:
    """Somebody's place in the organisation, past ones too."""
    row = await conn.fetchrow(
        f"{_MEMBER} where organisation_id = $1 and account_id = $2", organisation_id, account_id
    )
    return None if row is None else _membership(row)


async def members(conn: Connection, organisation_id: AccountId) -> list[Membership]:
    """Who belongs to the organisation or is invited, owners first."""
    rows = await conn.fetch(
        f"""{_MEMBER} where organisation_id = $1 and state in ('active', 'invited')
        order by state, array_position(array['owner', 'editor', 'moderator', 'analyst'], role), account_id""",
        organisation_id,
    )
    return [_membership(row) for row in rows]


async def of_person(
    conn: Connection, account_id: AccountId, *, states: Sequence[MemberState] = (MemberState.ACTIVE,)
) -> list[Membership]:
    """The organisations that somebody belongs to (or is invited to), the longest first."""
    rows = await conn.fetch(
        f"{_MEMBER} where account_id = $1 and state = any($2) order by invited_at, organisation_id",
        account_id,
        [state.value for state in states],
    )
    return [_membership(row) for row in rows]


async def people_ever(conn: Connection, organisation_id: AccountId) -> list[AccountId]:
    """Everybody who acts for the organisation or did."""
    rows = await conn.fetch(
        """
        select account_id from compliance.organisation_member
        where organisation_id = $1 and state in ('active', 'left', 'removed') order by account_id
        """,
        organisation_id,
    )
    return [AccountId(row["account_id"]) for row in rows]


async def lock(conn: Connection, organisation_id: AccountId) -> None:
    """Keeps others from changing the organisation's people until the transaction ends: of two owners who
    leave at the same moment, the second is the last one."""
    await conn.execute(
        "select 1 from compliance.organisation where account_id = $1 for no key update", organisation_id
    )


async def count_owners(conn: Connection, organisation_id: AccountId) -> int:
    """How many owners could act now: active, and with an account that is neither suspended nor gone."""
    count: int = await conn.fetchval(
        """
        select count(*) from compliance.organisation_member m join public.account a on a.id = m.account_id
        where m.organisation_id = $1 and m.role = 'owner' and m.state = 'active'
          and a.suspended_at is null and a.gone_at is null
        """,
        organisation_id,
    )
    return count


async def count_founded(conn: Connection, account_id: AccountId) -> int:
    """How many organisations somebody has founded that are still there."""
    count: int = await conn.fetchval(
        """
        select count(*) from compliance.organisation o join public.account a on a.id = o.account_id
        where o.created_by = $1 and a.gone_at is null
        """,
        account_id,
    )
    return count


async def owned_alone(conn: Connection, account_id: AccountId) -> list[AccountId]:
    """The organisations whose only owner somebody is, and that are still there."""
    rows = await conn.fetch(
        """
        select m.organisation_id from compliance.organisation_member m
          join public.account a on a.id = m.organisation_id
        where m.account_id = $1 and m.role = 'owner' and m.state = 'active' and a.gone_at is null
          and not exists (
            select from compliance.organisation_member n join public.account b on b.id = n.account_id
            where n.organisation_id = m.organisation_id and n.account_id <> $1 and n.role = 'owner'
              and n.state = 'active' and b.suspended_at is null and b.gone_at is null)
        """,
        account_id,
    )
    return [AccountId(row["organisation_id"]) for row in rows]


async def put(
    conn: Connection,
    organisation_id: AccountId,
    account_id: AccountId,
    role: Role,
    state: MemberState,
    *,
    by: AccountId | None,
    now: datetime,
) -> None:
    """Gives somebody this role and state; `by` is who invited, kept where the row was there before."""
    await conn.execute(
        """
        insert into compliance.organisation_member as m
          (organisation_id, account_id, role, state, invited_by, invited_at, changed_at)
        values ($1, $2, $3, $4, $5, $6, $6)
        on conflict (organisation_id, account_id) do update
          set role = excluded.role, state = excluded.state, changed_at = excluded.changed_at,
              invited_by = case excluded.state when 'invited' then excluded.invited_by else m.invited_by end,
              invited_at = case excluded.state when 'invited' then excluded.invited_at else m.invited_at end
        """,
        organisation_id,
        account_id,
        role.value,
        state.value,
        by,
        now,
    )


async def set_four_eyes(conn: Connection, organisation_id: AccountId, wanted: bool) -> None:
    """Says whether a second person must approve each post."""
    await conn.execute(
        "update compliance.organisation set four_eyes = $2 where account_id = $1", organisation_id, wanted
    )


def _organisation(row: asyncpg.Record) -> Organisation:
    return Organisation(
        id=AccountId(row["account_id"]),
        kind=CertClass(row["kind"]),
        name=row["name"],
        four_eyes=row["four_eyes"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        suspended_at=row["suspended_at"],
        suspended_reason=row["suspended_reason"],
    )


def _membership(row: asyncpg.Record) -> Membership:
    return Membership(
        organisation_id=AccountId(row["organisation_id"]),
        account_id=AccountId(row["account_id"]),
        role=Role(row["role"]),
        state=MemberState(row["state"]),
        invited_by=row["invited_by"],
        invited_at=row["invited_at"],
        changed_at=row["changed_at"],
    )
