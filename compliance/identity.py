"""Article 7: whether it is known who somebody is. What it is, only the vault knows, and it does not tell.

                     right code, or attested                due_at               lapses_at
    none ──start──> pending ─────────> verified ───────────────> due ───────────────> lapsed
      └─────────────────attested────────^   ^──right code, or attested──┴─────────────────┘
    any of them ──rejected──> rejected ──attested──> verified

`verified` and `due` may publish; the time between the two ends is the grace time. Who was rejected does not
come back by another code: a person has found the claim false, and a person must find it true. Times are moved
by `sweep`, but nobody waits for it: whoever asks compares `lapses_at` with the clock.
"""

from __future__ import annotations

import enum
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import numbers, vault
from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed
from .records import Detail, Entry, RecordKind, Source, write
from .sealing import Sealer
from .vault import PaperId

TRIES = 5
CODE_DIGITS = 6
REVERIFY_MONTHS = 12
GRACE_DAYS = 30
ACCOUNTS_PER_IDENTITY = 5
CODE_MINUTES = 10

_FIELD = "mobile"


class IdentityState(enum.StrEnum):
    """How far a person's identity is known; the values are what the database stores, and no row is `none`."""

    NONE = "none"
    PENDING = "pending"
    VERIFIED = "verified"
    DUE = "due"
    LAPSED = "lapsed"
    REJECTED = "rejected"


class Method(enum.StrEnum):
    """How it became known."""

    MOBILE = "mobile"
    ATTESTATION = "attestation"


class NotConfirmed(enum.StrEnum):
    """Why a code proved nothing. The first is all that somebody with a wrong code hears, whatever was
    wrong."""

    WRONG_CODE = "wrong_code"
    IN_USE = "in_use"
    """The code was right: its owner hears that this number has as many accounts as one may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What may be known outside the vault."""

    account_id: AccountId
    state: IdentityState = IdentityState.NONE
    method: Method | None = None
    verified_at: datetime | None = None
    due_at: datetime | None = None
    lapses_at: datetime | None = None

    def may_publish(self, now: datetime) -> bool:
        """Whether the regulation lets this person publish at this moment."""
        known = self.state in (IdentityState.VERIFIED, IdentityState.DUE)
        return known and self.lapses_at is not None and now < self.lapses_at


def new_code() -> str:
    """A one-time code to send by text message."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


async def get(conn: Connection, account_id: AccountId) -> Identity:
    """How far this person's identity is known."""
    row = await conn.fetchrow(
        """
        select state, method, verified_at, due_at, lapses_at from compliance.identity where account_id = $1
        """,
        account_id,
    )
    if row is None:
        return Identity(account_id=account_id)
    return Identity(
        account_id=account_id,
        state=IdentityState(row["state"]),
        method=None if row["method"] is None else Method(row["method"]),
        verified_at=row["verified_at"],
        due_at=row["due_at"],
        lapses_at=row["lapses_at"],
    )


async def start_mobile(
    conn: Connection,
    account_id: AccountId,
    phone: str,
    *,
    sealer: Sealer,
    now: datetime,
    code: str,
    minutes: int = CODE_MINUTES,
    source: Source,
    new_id: Callable[[], int],
) -> str:
    """Expects `code` for `phone`; returns the number in E.164, to send the code to. An earlier code is void.

    `InvalidNumber` for what is no mobile number, `NotAllowed` for who was rejected. Nothing tells whether a
    number is known.
    """
    number = numbers.mobile(phone)
    if (await get(conn, account_id)).state is IdentityState.REJECTED:
        raise NotAllowed("this identity was rejected by a person, and a code does not change that")
    await conn.execute(
        """
        insert into compliance.identity (account_id, state, updated_at) values ($1, 'pending', $2)
        on conflict (account_id) do nothing
        """,
        account_id,
        now,
    )
    await conn.execute(
        """
        insert into compliance.phone_code (account_id, phone_index, code_mac, tries, expires_at)
        values ($1, $2, $3, 0, $4)
        on conflict (account_id) do update
          set phone_index = excluded.phone_index, code_mac = excluded.code_mac, tries = 0,
              expires_at = excluded.expires_at
        """,
        account_id,
        _index(sealer, number),
        _code_mac(sealer, account_id, code),
        now + timedelta(minutes=minutes),
    )
    await _note(
        conn,
        RecordKind.IDENTITY_START,
        account_id,
        account_id,
        {"method": Method.MOBILE.value},
        source=source,
        now=now,
        new_id=new_id,
    )
    return number


async def confirm_mobile(
    conn: Connection,
    account_id: AccountId,
    phone: str,
    code: str,
    *,
    sealer: Sealer,
    now: datetime,
    months: int = REVERIFY_MONTHS,
    grace_days: int = GRACE_DAYS,
    accounts_per_identity: int = ACCOUNTS_PER_IDENTITY,
    source: Source,
    new_id: Callable[[], int],
) -> Identity | NotConfirmed:
    """The verified identity, or why not. Commit in both cases: a wrong code that is rolled back was not
    counted."""
    number = numbers.mobile(phone)
    index = _index(sealer, number)
    if not await _spend(conn, account_id, index, _code_mac(sealer, account_id, code), now):
        return NotConfirmed.WRONG_CODE
    # Two accounts that prove the same number at the same moment are counted one after the other.
    await conn.execute("select pg_advisory_xact_lock($1)", int.from_bytes(index[:8], signed=True))
    if await vault.count_holders(conn, _FIELD, index, besides=account_id) >= accounts_per_identity:
        return NotConfirmed.IN_USE
    paper_id = await vault.put(conn, account_id, _FIELD, number, sealer=sealer, now=now, new_id=new_id)
    await _verify(conn, account_id, Method.MOBILE, paper_id, months=months, grace_days=grace_days, now=now)
    await _note(
        conn,
        RecordKind.IDENTITY_VERIFY,
        account_id,
        account_id,
        {"method": Method.MOBILE.value},
        source=source,
        now=now,
        new_id=new_id,
    )
    return await get(conn, account_id)


async def attest(
    conn: Connection,
    account_id: AccountId,
    *,
    reason: str,
    by: AccountId | None,
    now: datetime,
    months: int = REVERIFY_MONTHS,
    grace_days: int = GRACE_DAYS,
    source: Source,
    new_id: Callable[[], int],
) -> Identity:
    """Verified because somebody answers for having seen who it is. Only the result and the reason are
    kept."""
    if not reason.strip():
        raise NotAllowed("an attestation needs a reason")
    if by == account_id:
        raise NotAllowed("nobody attests themselves")
    await _verify(conn, account_id, Method.ATTESTATION, None, months=months, grace_days=grace_days, now=now)
    detail: Detail = {"reason": reason.strip()}
    await _note(
        conn, RecordKind.IDENTITY_ATTEST, by, account_id, detail, source=source, now=now, new_id=new_id
    )
    return await get(conn, account_id)


async def reject(
    conn: Connection,
    account_id: AccountId,
    *,
    reason: str,
    by: AccountId | None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """A person found the identity false: no publishing, until a person finds otherwise."""
    if not reason.strip():
        raise NotAllowed("a rejection needs a reason")
    await conn.execute(
        """
        insert into compliance.identity (account_id, state, updated_at) values ($1, 'rejected', $2)
        on conflict (account_id) do update set state = 'rejected', paper_id = null, updated_at = $2
        """,
        account_id,
        now,
    )
    await conn.execute("delete from compliance.phone_code where account_id = $1", account_id)
    detail: Detail = {"reason": reason.strip()}
    await _note(
        conn, RecordKind.IDENTITY_REJECT, by, account_id, detail, source=source, now=now, new_id=new_id
    )


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


async def _spend(conn: Connection, account_id: AccountId, index: bytes, mac: bytes, now: datetime) -> bool:
    """Whether this is the code that is waited for. A right one is gone, a wrong one costs a try."""
    row = await conn.fetchrow(
        """
        update compliance.phone_code set tries = tries + 1
        where account_id = $1 and tries < $2 and expires_at > $3
        returning phone_index, code_mac
        """,
        account_id,
        TRIES,
        now,
    )
    if row is None:
        return False
    same_phone = hmac.compare_digest(row["phone_index"], index)
    same_code = hmac.compare_digest(row["code_mac"], mac)
    if not (same_phone and same_code):
        return False
    await conn.execute("delete from compliance.phone_code where account_id = $1", account_id)
    return True


async def _verify(
    conn: Connection,
    account_id: AccountId,
    method: Method,
    paper_id: PaperId | None,
    *,
    months: int,
    grace_days: int,
    now: datetime,
) -> None:
    await conn.execute(
        """
        insert into compliance.identity
          (account_id, state, method, verified_at, due_at, lapses_at, paper_id, updated_at)
        values ($1, 'verified', $2, $3::timestamptz, $3 + make_interval(months => $4),
                $3::timestamptz + make_interval(months => $4, days => $5), $6, $3::timestamptz)
        on conflict (account_id) do update
          set state = excluded.state, method = excluded.method, verified_at = excluded.verified_at,
              due_at = excluded.due_at, lapses_at = excluded.lapses_at, paper_id = excluded.paper_id,
              updated_at = excluded.updated_at
        """,
        account_id,
        method.value,
        now,
        months,
        grace_days,
        paper_id,
    )


def _index(sealer: Sealer, number: str) -> bytes:
    return sealer.index(number, purpose=vault.index_purpose(_FIELD))


def _code_mac(sealer: Sealer, account_id: AccountId, code: str) -> bytes:
    """Tied to the account: the code of one person's message is nothing to another."""
    typed = "".join(unicodedata.normalize("NFKC", code).split())
    return sealer.mac(f"{account_id}:{typed}", purpose="phone-code")


async def _note(
    conn: Connection,
    kind: RecordKind,
    by: AccountId | None,
    account_id: AccountId,
    detail: Detail,
    *,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    await write(
        conn, [Entry(kind, by, str(account_id), source=source, detail=detail)], now=now, new_id=new_id
    )
