"""A mobile number by a one-time code. Whoever holds the phone is told; nobody else learns a thing."""

from __future__ import annotations

import enum
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta

from .. import numbers, vault
from ..activity import AccountId
from ..connection import Connection
from ..numbers import NumberType
from ..records import RecordKind, Source
from ..sealing import Sealer
from ..vault import Field
from . import holders, states
from .holders import Number
from .notes import note
from .states import ACCOUNTS_PER_IDENTITY, GRACE_DAYS, REVERIFY_MONTHS, Event, Identity, Method

TRIES = 5
CODE_DIGITS = 6
CODE_MINUTES = 10


class NotConfirmed(enum.StrEnum):
    """Why a code proved nothing. The first is all that somebody with a wrong code hears, whatever was
    wrong."""

    WRONG_CODE = "wrong_code"
    IN_USE = "in_use"
    """The code was right: its owner hears that this number has as many accounts as one may have."""


def new_code() -> str:
    """A one-time code to send by text message."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


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

    `InvalidNumber` for what is no mobile number, `NotAllowed` for who was revoked. Nothing tells whether a
    number is known.
    """
    number = numbers.mobile(phone)
    await states.move(conn, account_id, Event.START, now=now)
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
    await note(
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
    forget: bool = False,
    keep_months: int = holders.KEEP_MONTHS,
    source: Source,
    new_id: Callable[[], int],
) -> Identity | NotConfirmed:
    """The verified identity, or why not. Commit in both cases: a wrong code that is rolled back was not
    counted. With `forget`, nothing is kept of the number but the proof."""
    number = Number(type=NumberType.MOBILE, value=numbers.mobile(phone))
    index = _index(sealer, number.value)
    if not await _spend(conn, account_id, index, _code_mac(sealer, account_id, code), now):
        return NotConfirmed.WRONG_CODE
    # Two accounts that prove the same number at the same moment are counted one after the other.
    indexes = number.indexes(sealer)
    if await holders.count(conn, indexes, besides=account_id) >= accounts_per_identity:
        return NotConfirmed.IN_USE
    paper_id = await vault.put(
        conn, account_id, Field.MOBILE, number.value, sealer=sealer, now=now, new_id=new_id, forget=forget
    )
    await holders.keep(
        conn, account_id, indexes, masked=number.masked, paper_id=paper_id, keep_months=keep_months, now=now
    )
    known = await states.set_verified(
        conn,
        account_id,
        Method.MOBILE,
        paper_id=paper_id,
        months=months,
        grace_days=grace_days,
        now=now,
        new_id=new_id,
    )
    await note(
        conn,
        RecordKind.IDENTITY_VERIFY,
        account_id,
        account_id,
        {"method": Method.MOBILE.value},
        source=source,
        now=now,
        new_id=new_id,
    )
    return known


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


def _index(sealer: Sealer, number: str) -> bytes:
    return sealer.index(number, purpose=vault.index_purpose(Field.MOBILE))


def _code_mac(sealer: Sealer, account_id: AccountId, code: str) -> bytes:
    """Tied to the account: the code of one person's message is nothing to another."""
    typed = "".join(unicodedata.normalize("NFKC", code).split())
    return sealer.mac(f"{account_id}:{typed}", purpose="phone-code")
