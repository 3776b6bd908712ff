"""Being a member: signing up, proving an address, logging in, and changing the keys to one's own account.

The pages, the client API and the command line share these. Nothing here tells a stranger whether an address
or a name is known: unknown and known take the same road, the same time and the same answer. Mail is returned,
not sent, so that it goes out after the commit and its delivery never delays the answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from compliance import agreements, records
from compliance.activity import AccountId
from compliance.records import Entry, RecordKind, Source

from . import keypair, letters, names, newcomers, passwords, tries
from .db.pool import Connection
from .errors import Gone, Invalid
from .letters import Letter
from .pipeline import Road
from .store import attempts, homes, members, sessions, tokens
from .store.members import Member

CONFIRM_HOURS = 24
RESET_MINUTES = 30
SESSION_DAYS = 30


@dataclass(frozen=True, slots=True)
class Registered:
    """A new account, and the letter that asks for its address to be confirmed."""

    account_id: AccountId
    letter: Letter | None


class EmailTaken(Invalid):
    """The address has an account. Strangers must not hear that: send `letter` and answer as for a new
    account."""

    def __init__(self, letter: Letter | None) -> None:
        super().__init__("This e-mail address cannot be used", field="email")
        self.letter = letter


async def register(
    road: Road,
    username: str,
    email: str,
    password: str,
    *,
    locale: str,
    accepted: Mapping[str, int] | bool,
    source: Source,
    confirmed: bool = False,
) -> Registered:
    """Make an account for a new person, who may read at once and publish once their identity is known.

    `accepted` is what they agreed to, by document and version; `True` stands for the current versions of all
    of them, `False` for none yet (an operator makes the account, its owner is asked later). `confirmed` skips
    the letter.
    """
    username = names.check_username(username, road.uris.host)
    email = names.check_email(email)
    passwords.check(password, username=username, email=email)
    now = road.clock()
    index = road.sealer.index(email, purpose="email")
    async with road.pool.acquire() as conn:
        if not confirmed:
            await tries.take(
                road, conn, f"signup:{tries.network(source)}", road.settings.limits.sign_ups, tries.HALF_HOUR
            )
        documents = await newcomers.documents(conn, locale, accepted)
        # An operator who makes an account knows whose it is.
        await newcomers.check_name(road, conn, username, now=now, may_be_reserved=confirmed)
    # The slow parts run for a known address too, so that it takes as long as an unknown one.
    hashed, pair = await asyncio.gather(passwords.hash_(password), keypair.new())
    account_id = AccountId(road.ids())
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            owner = await members.find_by_email(conn, index)
            if owner is not None:
                raise EmailTaken(None if confirmed else _already_here(road, owner, email))
            await newcomers.insert(road, conn, account_id, username, pair, now=now)
            await members.insert(
                conn,
                account_id=account_id,
                email_sealed=road.sealer.seal(email.encode(), context=f"email:{account_id}"),
                email_index=index,
                password=hashed,
                locale=locale,
                confirmed_at=now if confirmed else None,
                now=now,
            )
            await agreements.accept(
                conn, account_id, documents, locale=locale, now=now, source=source, new_id=road.ids
            )
            uri = str(road.uris.actor(username))
            entry = Entry(RecordKind.ACCOUNT_REGISTER, account_id, uri, source=source)
            await records.write(conn, [entry], now=now, new_id=road.ids)
            letter = None
            if not confirmed:
                letter = await _confirm(road, conn, account_id, username=username, email=email, locale=locale)
    except asyncpg.UniqueViolationError as error:
        # Two sign-ups at the same moment: the second one hears what it would have heard a moment later.
        if error.constraint_name == "account_local_name":
            raise Invalid(newcomers.TAKEN, field="username") from None
        raise EmailTaken(None) from None
    return Registered(account_id, letter)


async def resend_confirmation(road: Road, account_id: AccountId, *, source: Source) -> Letter | None:
    """A fresh letter for an address that waits to be confirmed; `None` when there is nothing to confirm."""
    async with road.pool.acquire() as conn:
        member = await members.get(conn, account_id)
        if member.email_confirmed_at is not None:
            return None
        for subject in (account_id, tries.network(source)):
            await tries.take(
                road, conn, f"confirm:{subject}", road.settings.limits.reset_mails, tries.HALF_HOUR
            )
        return await _confirm(
            road,
            conn,
            account_id,
            username=member.username,
            email=open_email(road, member),
            locale=member.locale,
        )


async def confirm_email(road: Road, token: str, *, source: Source) -> AccountId:
    """Take the address of a letter's link as proven. Raises `Gone` for a link that is unknown, used or too
    old."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        account_id = await _use_link(conn, token, "confirm", road)
        await members.confirm_email(conn, account_id, now=now)
        await records.write(
            conn, [Entry(RecordKind.EMAIL_CONFIRM, account_id, None, source=source)], now=now, new_id=road.ids
        )
    return account_id


async def authenticate(road: Road, name: str, password: str, *, source: Source) -> Member:
    """The member whose name or address, and password, these are.

    Raises `Invalid`, in the same words and after the same work, whatever was wrong. A second factor is still
    owed where `member.totp_enabled_at` is set: no session may be opened before it was given.
    """
    limits = road.settings.limits
    typed = name.strip().removeprefix("@").lower()
    now = road.clock()
    async with road.pool.acquire() as conn:
        await tries.take(
            road, conn, f"login:{tries.network(source)}", limits.address_logins, tries.FIVE_MINUTES
        )
        if "@" in typed:
            found = await members.find_by_email(conn, road.sealer.index(typed, purpose="email"))
        else:
            found = await members.find_by_name(conn, typed)
        # Unknown names are counted as well, or the limit itself would tell them from known ones.
        subject = str(found.account_id) if found else hashlib.sha256(typed.encode()).hexdigest()
        await tries.take(road, conn, f"login:{subject}", limits.account_logins, tries.HOUR)
    right = await passwords.matches(password, found.password if found else None)
    if found is None or not right:
        async with road.pool.acquire() as conn:
            entry = Entry(
                RecordKind.SESSION_LOGIN_FAILED, found.account_id if found else None, None, source=source
            )
            await records.write(conn, [entry], now=now, new_id=road.ids)
        raise Invalid("Wrong name or password", field="password")
    async with road.pool.acquire() as conn:
        await attempts.clear(conn, f"login:{subject}")
        if passwords.is_outdated(found.password):
            await members.set_password(conn, found.account_id, await passwords.hash_(password))
    return found


async def open_session(road: Road, member: Member, *, source: Source, twice: bool = False) -> str:
    """Start a page session for `member` and return its cookie's value; a new one for each log-in.

    `twice` says that the second factor was given just now.
    """
    token = secrets.token_urlsafe(32)
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await sessions.insert(
            conn,
            token_hash=digest(token),
            id=road.ids(),
            account_id=member.account_id,
            csrf=secrets.token_bytes(32),
            address=source.address,
            client=source.client,
            now=now,
            expires_at=now + timedelta(days=SESSION_DAYS),
            confirmed_at=now if twice else None,
        )
        await homes.welcome(conn, member.account_id, now=now)
        await records.write(
            conn,
            [Entry(RecordKind.SESSION_LOGIN, member.account_id, None, source=source)],
            now=now,
            new_id=road.ids,
        )
    return token


async def close_session(road: Road, token: str, account_id: AccountId, *, source: Source) -> None:
    """Log out: the cookie's session ends here, not only in the browser."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await sessions.delete(conn, digest(token))
        await records.write(
            conn,
            [Entry(RecordKind.SESSION_LOGOUT, account_id, None, source=source)],
            now=now,
            new_id=road.ids,
        )


async def start_reset(road: Road, email: str, *, source: Source) -> Letter | None:
    """A letter with a reset link, or `None` for an unknown address; the caller answers the same for both."""
    email = email.strip().lower()
    index = road.sealer.index(email, purpose="email")
    async with road.pool.acquire() as conn:
        for subject in (tries.network(source), index.hex()):
            await tries.take(
                road, conn, f"reset:{subject}", road.settings.limits.reset_mails, tries.HALF_HOUR
            )
        member = await members.find_by_email(conn, index)
        # For an unknown address the same is written, a link that leads nowhere: it must take the same time.
        link = await _reset_link(road, conn, member.account_id if member else None)
    if member is None:
        return None
    return letters.reset(
        member.locale, to=email, username=member.username, site=road.settings.site.title, link=link
    )


async def finish_reset(road: Road, token: str, password: str, *, source: Source) -> AccountId:
    """Set a new password by a letter's link, and end every session and token there is."""
    now = road.clock()
    async with road.pool.acquire() as conn:
        link = await sessions.find_link(conn, digest(token), "reset", now=now)
        if link is None or link.account_id is None:
            raise Gone("This link has been used or is too old")
        account_id = link.account_id
        member = await members.get(conn, account_id)
    passwords.check(password, username=member.username, email=open_email(road, member))
    hashed = await passwords.hash_(password)
    async with road.pool.acquire() as conn, conn.transaction():
        await _use_link(conn, token, "reset", road)
        await _replace_password(road, conn, account_id, hashed, keep=None, source=source)
        # Whoever reads the mail of this address has just proven it.
        await members.confirm_email(conn, account_id, now=now)
    return account_id


async def change_password(
    road: Road, account_id: AccountId, current: str, new: str, *, keep: str | None, source: Source
) -> Letter:
    """Set a new password for somebody who knows the old one; every session but `keep`, and every token,
    ends."""
    async with road.pool.acquire() as conn:
        member = await members.get(conn, account_id)
        await tries.take(road, conn, f"login:{account_id}", road.settings.limits.account_logins, tries.HOUR)
    if not await passwords.matches(current, member.password):
        raise Invalid("This is not your current password", field="current")
    email = open_email(road, member)
    passwords.check(new, username=member.username, email=email)
    hashed = await passwords.hash_(new)
    async with road.pool.acquire() as conn, conn.transaction():
        await attempts.clear(conn, f"login:{account_id}")
        await _replace_password(road, conn, account_id, hashed, keep=keep, source=source)
        link = await _reset_link(road, conn, account_id)
    return letters.password_changed(
        member.locale, to=email, username=member.username, site=road.settings.site.title, link=link
    )


async def set_password(road: Road, account_id: AccountId, password: str, *, source: Source) -> None:
    """Set a password without the old one, for the command line; ends every session and token."""
    async with road.pool.acquire() as conn:
        member = await members.get(conn, account_id)
    passwords.check(password, username=member.username, email=open_email(road, member))
    hashed = await passwords.hash_(password)
    async with road.pool.acquire() as conn, conn.transaction():
        await _replace_password(road, conn, account_id, hashed, keep=None, source=source)


async def end_everything(conn: Connection, account_id: AccountId, *, keep: str | None = None) -> None:
    """End the sessions and tokens of an account: after a new password, a suspension, a change of role."""
    await sessions.delete_all(conn, account_id, keep=digest(keep) if keep else None)
    await tokens.revoke_all(conn, account_id)


def open_email(road: Road, member: Member) -> str:
    """The member's address in the clear: for letters, and for the member's own eyes."""
    return road.sealer.open(member.email_sealed, context=f"email:{member.account_id}").decode()


def digest(token: str) -> bytes:
    """What is stored of a cookie or a link: a thief of the database cannot log in with it."""
    return hashlib.sha256(token.encode()).digest()


async def _confirm(
    road: Road, conn: Connection, account_id: AccountId, *, username: str, email: str, locale: str
) -> Letter:
    token = await _new_link(road, conn, account_id, "confirm", timedelta(hours=CONFIRM_HOURS))
    link = f"{road.uris.origin}/confirm/{token}"
    return letters.confirm(locale, to=email, username=username, site=road.settings.site.title, link=link)


def _already_here(road: Road, owner: Member, email: str) -> Letter:
    link = f"{road.uris.origin}/reset"
    return letters.already_here(
        owner.locale, to=email, username=owner.username, site=road.settings.site.title, link=link
    )


async def _reset_link(road: Road, conn: Connection, account_id: AccountId | None) -> str:
    token = await _new_link(road, conn, account_id, "reset", timedelta(minutes=RESET_MINUTES))
    return f"{road.uris.origin}/reset/{token}"


async def _new_link(
    road: Road, conn: Connection, account_id: AccountId | None, purpose: str, lasts: timedelta
) -> str:
    token = secrets.token_urlsafe(32)
    now = road.clock()
    await sessions.insert_link(
        conn,
        token_hash=digest(token),
        account_id=account_id,
        purpose=purpose,
        now=now,
        expires_at=now + lasts,
    )
    return token


async def _use_link(conn: Connection, token: str, purpose: str, road: Road) -> AccountId:
    link = await sessions.use_link(conn, digest(token), purpose, now=road.clock())
    if link is None or link.account_id is None:
        raise Gone("This link has been used or is too old")
    return link.account_id


async def _replace_password(
    road: Road, conn: Connection, account_id: AccountId, hashed: str, *, keep: str | None, source: Source
) -> None:
    await members.set_password(conn, account_id, hashed)
    await end_everything(conn, account_id, keep=keep)
    entry = Entry(RecordKind.PASSWORD_CHANGE, account_id, None, source=source)
    await records.write(conn, [entry], now=road.clock(), new_id=road.ids)
