"""Article 7: whether it is known who somebody is. What it is, only the vault knows, and it does not tell.

                    start              a right code, papers that agree, another's word, or attested
    none ─────────────────> pending ──────────────────────────────────────────────> verified
     ^                      │     ^                                                  │    ^
     │             declined │     │ start                                     due_at │    │ verified anew,
     │                      v     │                                                  v    │ by any way
     │                     rejected                                                 due ──┤
     │                                                                    lapses_at  │    │
     │                                                                               v    │
     │ withdrawn by the person, from anywhere but revoked                         lapsed ─┘
     │
    any ── revoked by a person ──> revoked ── restored ──> what it was, as the clock has it
                                          └── attested ──> verified

`verified` and `due` may publish; the time between the two ends is the grace time. `rejected` is a claim that
was turned down: it may be tried anew. `revoked` is an identity that a person found false: no code and no
paper changes that, only a person. Times are moved by `sweep`, but nobody waits for it: whoever asks compares
`lapses_at` with the clock.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import asyncpg

from .. import credit
from ..activity import AccountId
from ..connection import Connection
from ..errors import NotAllowed
from ..tierpolicy import CreditKind
from ..vault import PaperId

REVERIFY_MONTHS = 12
GRACE_DAYS = 30
ACCOUNTS_PER_IDENTITY = 5


class IdentityState(enum.StrEnum):
    """How far a person's identity is known; the values are what the database stores, and no row is `none`."""

    NONE = "none"
    PENDING = "pending"
    VERIFIED = "verified"
    DUE = "due"
    LAPSED = "lapsed"
    REJECTED = "rejected"
    REVOKED = "revoked"


class Event(enum.StrEnum):
    """What moves an identity from one state to another."""

    START = "start"
    VERIFY = "verify"
    ATTEST = "attest"
    COME_DUE = "come-due"
    LAPSE = "lapse"
    DECLINE = "decline"
    REVOKE = "revoke"
    RESTORE = "restore"
    WITHDRAW = "withdraw"


class Method(enum.StrEnum):
    """How it became known; all but the last two are ways that people can take themselves."""

    MOBILE = "mobile"
    RESIDENT_ID = "resident-id"
    ORGANISATION = "organisation"
    PASSPORT = "passport-cn"
    FOREIGN_PASSPORT = "passport"
    PERMANENT_RESIDENT = "foreign-permanent-resident"
    HK_MACAU_PERMIT = "hk-macau-permit"
    TAIWAN_PERMIT = "taiwan-permit"
    OIDC = "oidc"
    ATTESTATION = "attestation"
    CERTIFICATION = "certification"


class SubjectType(enum.StrEnum):
    """Who stands behind an account."""

    PERSON = "person"
    ORGANISATION = "organisation"


_NONE, _PENDING, _VERIFIED, _DUE, _LAPSED, _REJECTED, _REVOKED = IdentityState

STEPS: Mapping[Event, Mapping[IdentityState, IdentityState]] = MappingProxyType(
    {
        # Asking for a code, or sending papers, takes nothing away that one has.
        Event.START: {
            _NONE: _PENDING,
            _PENDING: _PENDING,
            _REJECTED: _PENDING,
            _VERIFIED: _VERIFIED,
            _DUE: _DUE,
            _LAPSED: _LAPSED,
        },
        Event.VERIFY: dict.fromkeys((_NONE, _PENDING, _REJECTED, _VERIFIED, _DUE, _LAPSED), _VERIFIED),
        Event.ATTEST: dict.fromkeys(IdentityState, _VERIFIED),
        Event.COME_DUE: {_VERIFIED: _DUE},
        Event.LAPSE: {_VERIFIED: _LAPSED, _DUE: _LAPSED},
        # A further claim that fails does not undo what was proven before it.
        Event.DECLINE: {
            _NONE: _REJECTED,
            _PENDING: _REJECTED,
            _REJECTED: _REJECTED,
            _VERIFIED: _VERIFIED,
            _DUE: _DUE,
            _LAPSED: _LAPSED,
            _REVOKED: _REVOKED,
        },
        Event.REVOKE: dict.fromkeys((_NONE, _PENDING, _VERIFIED, _DUE, _LAPSED, _REJECTED), _REVOKED),
        # To `due` or `lapsed` by the clock; to `pending` where nothing was ever proven.
        Event.RESTORE: {_REVOKED: _VERIFIED},
        # Whoever was found out does not begin again by deleting.
        Event.WITHDRAW: dict.fromkeys((_NONE, _PENDING, _VERIFIED, _DUE, _LAPSED, _REJECTED), _NONE),
    }
)
"""Every step there is. What is not here is not open."""

_CLOSED = {
    Event.START: "this identity was revoked by a person, and only a person restores it",
    Event.VERIFY: "this identity was revoked by a person, and only a person restores it",
    Event.WITHDRAW: "an identity that was revoked cannot be withdrawn",
    Event.REVOKE: "this identity is revoked already",
    Event.RESTORE: "this identity is not revoked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What may be known outside the vault."""

    account_id: AccountId
    state: IdentityState = IdentityState.NONE
    method: Method | None = None
    subject: SubjectType = SubjectType.PERSON
    verified_at: datetime | None = None
    due_at: datetime | None = None
    lapses_at: datetime | None = None

    def may_publish(self, now: datetime) -> bool:
        """Whether the regulation lets this person publish at this moment."""
        known = self.state in (IdentityState.VERIFIED, IdentityState.DUE)
        return known and self.lapses_at is not None and now < self.lapses_at


def step(state: IdentityState, event: Event) -> IdentityState:
    """The state after `event`; `NotAllowed` for a step that is not open."""
    after = STEPS[event].get(state)
    if after is None:
        raise NotAllowed(_CLOSED.get(event, f"an identity that is {state} cannot {event}"))
    return after


_SELECT = """
  select account_id, state, method, subject, verified_at, due_at, lapses_at
  from compliance.identity where account_id = any($1)
"""


async def get(conn: Connection, account_id: AccountId) -> Identity:
    """How far this person's identity is known."""
    return (await load(conn, [account_id]))[account_id]


async def load(conn: Connection, ids: Sequence[AccountId]) -> dict[AccountId, Identity]:
    """The same of several, in one query."""
    rows = {row["account_id"]: row for row in await conn.fetch(_SELECT, ids)}
    return {id_: _identity(rows[id_]) if id_ in rows else Identity(account_id=id_) for id_ in ids}


def _identity(row: asyncpg.Record) -> Identity:
    return Identity(
        account_id=row["account_id"],
        state=IdentityState(row["state"]),
        method=None if row["method"] is None else Method(row["method"]),
        subject=SubjectType(row["subject"]),
        verified_at=row["verified_at"],
        due_at=row["due_at"],
        lapses_at=row["lapses_at"],
    )


async def lock(conn: Connection, account_id: AccountId) -> Identity:
    """The same, with everybody else who wants to change it made to wait, also where there is no row yet."""
    await conn.execute("select pg_advisory_xact_lock(hashtext('identity'), hashint8($1))", account_id)
    return await get(conn, account_id)


async def move(conn: Connection, account_id: AccountId, event: Event, *, now: datetime) -> Identity:
    """Takes a step that changes nothing but the state, and returns what it was before."""
    before = await lock(conn, account_id)
    after = step(before.state, event)
    if after is IdentityState.NONE:
        await conn.execute("delete from compliance.identity where account_id = $1", account_id)
    elif after is not before.state:
        await conn.execute(
            """
            insert into compliance.identity (account_id, state, updated_at) values ($1, $2, $3)
            on conflict (account_id) do update set state = excluded.state, updated_at = excluded.updated_at
            """,
            account_id,
            after.value,
            now,
        )
    return before


async def set_verified(
    conn: Connection,
    account_id: AccountId,
    method: Method,
    *,
    event: Event = Event.VERIFY,
    subject: SubjectType = SubjectType.PERSON,
    paper_id: PaperId | None = None,
    months: int = REVERIFY_MONTHS,
    grace_days: int = GRACE_DAYS,
    now: datetime,
    new_id: Callable[[], int],
) -> Identity:
    """Verified from now on, until it is due. `NotAllowed` for who was revoked, unless attested."""
    before = await lock(conn, account_id)
    step(before.state, event)
    if before.state in (IdentityState.DUE, IdentityState.LAPSED):
        # Only one that was due: to prove the same thing over and over earns nothing.
        kind = CreditKind.IDENTITY_RENEWED
        await credit.record(conn, [account_id], kind, now=now, new_id=new_id)
    await conn.execute(
        """
        insert into compliance.identity
          (account_id, state, method, subject, verified_at, due_at, lapses_at, paper_id, updated_at)
        values ($1, 'verified', $2, $7, $3::timestamptz, $3 + make_interval(months => $4),
                $3::timestamptz + make_interval(months => $4, days => $5), $6, $3::timestamptz)
        on conflict (account_id) do update
          set state = excluded.state, method = excluded.method, subject = excluded.subject,
              verified_at = excluded.verified_at, due_at = excluded.due_at, lapses_at = excluded.lapses_at,
              paper_id = excluded.paper_id, updated_at = excluded.updated_at
        """,
        account_id,
        method.value,
        now,
        months,
        grace_days,
        paper_id,
        subject.value,
    )
    return await get(conn, account_id)


async def set_restored(conn: Connection, account_id: AccountId, *, anew: bool, now: datetime) -> Identity:
    """What it was before it was revoked, as the clock has it; with `anew`, or where nothing was proven, to be
    verified again."""
    step((await lock(conn, account_id)).state, Event.RESTORE)
    await conn.execute(
        """
        update compliance.identity
        set state = case when $3 or verified_at is null then 'pending' when lapses_at <= $2 then 'lapsed'
                         when due_at <= $2 then 'due' else 'verified' end,
            updated_at = $2
        where account_id = $1
        """,
        account_id,
        now,
        anew,
    )
    return await get(conn, account_id)


async def sweep(conn: Connection, now: datetime, *, limit: int = 1_000) -> int:
    """Moves on the identities whose time has come, some at a call; returns how many."""
    moved: int = await conn.fetchval(
        """
        with late as (
          select account_id from compliance.identity
          where (state = 'verified' and due_at <= $1) or (state = 'due' and lapses_at <= $1)
          limit $2 for update skip locked
        ), moved as (
          update compliance.identity i
          set state = case when i.lapses_at <= $1 then 'lapsed' else 'due' end, updated_at = $1
          from late where i.account_id = late.account_id
          returning 1
        )
        select count(*) from moved
        """,
        now,
        limit,
    )
    return moved
