"""The second factor: a time-based code (RFC 6238), and codes on paper for the day the phone is gone.

    none --start--> secret kept, not in force --enable(code)--> in force --disable(password, code)--> none

A code works once, within one step of now, and five wrong ones close the door for a quarter of an hour.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from compliance import records
from compliance.activity import AccountId
from compliance.records import Entry, RecordKind, Source

from . import passwords, tries
from .db.pool import Connection
from .errors import Conflict, Invalid
from .pipeline import Road
from .store import attempts, members
from .store.members import Member

STEP_SECONDS = 30
DIGITS = 6
TRIES = 5
RECOVERY_CODES = 10
_SECRET_BYTES = 20
_WRONG = "This code is not right, or was used already"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: the secret to type, and the address to scan."""

    secret: str
    uri: str


async def start(road: Road, account_id: AccountId) -> Enrolment:
    """A secret for an app to keep; asked again before it is in force, the same one."""
    async with road.pool.acquire() as conn:
        member = await members.get(conn, account_id)
        if member.totp_enabled_at is not None:
            raise Conflict("The second factor is in force already")
        if member.totp_sealed is None:
            secret = secrets.token_bytes(_SECRET_BYTES)
            await members.start_totp(conn, account_id, _seal(road, account_id, secret))
        else:
            secret = _open(road, member)
    text = base64.b32encode(secret).decode().rstrip("=")
    issuer = quote(road.settings.site.title)
    label = f"{issuer}:{quote(member.username)}"
    return Enrolment(
        text, f"otpauth://totp/{label}?secret={text}&issuer={issuer}&digits={DIGITS}&period={STEP_SECONDS}"
    )


async def enable(road: Road, account_id: AccountId, code: str, *, source: Source) -> tuple[str, ...]:
    """Puts the second factor in force with a first code from the app; returns the recovery codes, shown
    once."""
    async with road.pool.acquire() as conn:
        await _count(road, conn, account_id)
        member = await members.get(conn, account_id)
        step = _step_of(road, member, code)
        if step is None:
            raise Invalid(_WRONG, field="code")
        codes = tuple(_new_code() for _ in range(RECOVERY_CODES))
        now = road.clock()
        async with conn.transaction():
            done = await members.enable_totp(
                conn, account_id, step=step, recovery_codes=[_digest(code) for code in codes], now=now
            )
            if not done:
                raise Conflict("The second factor is in force already")
            entry = Entry(RecordKind.TOTP_ENABLE, account_id, None, source=source)
            await records.write(conn, [entry], now=now, new_id=road.ids)
        await attempts.clear(conn, f"totp:{account_id}")
    return codes


async def check(road: Road, account_id: AccountId, code: str) -> None:
    """Raises `Invalid` unless `code` is the app's present one or an unused recovery code; uses it up."""
    async with road.pool.acquire() as conn:
        await _count(road, conn, account_id)
        member = await members.get(conn, account_id)
        step = _step_of(road, member, code)
        if step is not None:
            right = await members.use_totp_step(conn, account_id, step)
        else:
            right = await members.use_recovery_code(conn, account_id, _digest(code))
        if not right:
            raise Invalid(_WRONG, field="code")
        await attempts.clear(conn, f"totp:{account_id}")


async def disable(road: Road, account_id: AccountId, password: str, code: str, *, source: Source) -> None:
    """Drops the second factor, for somebody who still has both."""
    async with road.pool.acquire() as conn:
        member = await members.get(conn, account_id)
        if member.roles:
            raise Conflict("Your role asks for a second factor", field="code")
        await tries.take(road, conn, f"login:{account_id}", road.settings.limits.account_logins, tries.HOUR)
    if not await passwords.matches(password, member.password):
        raise Invalid("This is not your current password", field="password")
    await check(road, account_id, code)
    async with road.pool.acquire() as conn, conn.transaction():
        await members.disable_totp(conn, account_id)
        entry = Entry(RecordKind.TOTP_DISABLE, account_id, None, source=source)
        await records.write(conn, [entry], now=road.clock(), new_id=road.ids)


async def _count(road: Road, conn: Connection, account_id: AccountId) -> None:
    await tries.take(road, conn, f"totp:{account_id}", TRIES, tries.QUARTER)


def _step_of(road: Road, member: Member, code: str) -> int | None:
    """The time step that `code` belongs to: now, the one before or the one after."""
    digits = code.replace(" ", "")
    if member.totp_sealed is None or len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    totp = TOTP(_open(road, member), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - the one that apps know
    now = int(road.clock().timestamp())
    for moment in (now, now - STEP_SECONDS, now + STEP_SECONDS):
        try:
            totp.verify(digits.encode(), moment)
        except InvalidToken:
            continue
        return moment // STEP_SECONDS
    return None


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return f"{text[:4]}-{text[4:8]}-{text[8:12]}-{text[12:]}"


def _digest(code: str) -> bytes:
    """80 random bits need no slow hash: they cannot be guessed from a digest."""
    return hashlib.sha256(
        code.strip().lower().replace("-", "").replace(" ", "").encode("utf-8", "replace")
    ).digest()


def _seal(road: Road, account_id: AccountId, secret: bytes) -> bytes:
    return road.sealer.seal(secret, context=f"totp:{account_id}")


def _open(road: Road, member: Member) -> bytes:
    return road.sealer.open(member.totp_sealed or b"", context=f"totp:{member.account_id}")
