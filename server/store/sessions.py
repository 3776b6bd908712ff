"""Page sessions and links sent by mail. Of cookies and links only digests are here: a thief of the
database opens nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from compliance.activity import AccountId
from server.db.pool import Connection

from .members import ROLES, roles_of
from .model import Role
from .sql import affected, compose

LIST_CAP = 100
_TOUCH_EVERY = timedelta(minutes=5)


class Session(Struct, frozen=True, kw_only=True):
    """A page session and whose it is. `confirmed_at` is when the second factor was last given in it."""

    id: int
    account_id: AccountId
    username: str
    locale: str
    roles: frozenset[Role]
    suspended: bool
    email_confirmed: bool
    has_totp: bool
    csrf: bytes
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    address: str | None
    client: str
    acting_for: AccountId | None = None
    """The organisation in whose name its pages act at the moment."""


class MailLink(Struct, frozen=True, kw_only=True):
    """What a link stands for; `account_id` is `None` for the one that makes the first operator."""

    account_id: AccountId | None
    purpose: str
    email_sealed: bytes | None
    created_at: datetime
    expires_at: datetime


_SELECT = compose(
    """
    select s.id, s.account_id, a.username, m.locale, {roles}, a.suspended_at is not null as suspended,
      m.email_confirmed_at is not null as email_confirmed, m.totp_enabled_at is not null as has_totp, s.csrf,
      s.created_at, s.seen_at, s.expires_at, s.confirmed_at, host(s.address) as address, s.client,
      s.acting_for
    from session s join member m on m.account_id = s.account_id join account a on a.id = s.account_id
    where a.gone_at is null
    """,
    roles=ROLES,
)
_FIND = _SELECT + "and s.token_hash = $1 and s.expires_at > $2"
_LIST = _SELECT + "and s.account_id = $1 and s.expires_at > $2 order by s.seen_at desc, s.id desc limit $3"


async def insert(
    conn: Connection,
    *,
    token_hash: bytes,
    id: int,  # noqa: A002
    account_id: AccountId,
    csrf: bytes,
    now: datetime,
    expires_at: datetime,
    address: str | None = None,
    client: str = "",
    confirmed_at: datetime | None = None,
) -> None:
    """Opens a session."""
    await conn.execute(
        """
        insert into session (token_hash, id, account_id, csrf, created_at, seen_at, expires_at, confirmed_at,
                             address, client)
        values ($1, $2, $3, $4, $5, $5, $6, $7, $8::text::inet, $9)
        """,
        token_hash,
        id,
        account_id,
        csrf,
        now,
        expires_at,
        confirmed_at,
        address,
        client,
    )


async def find(conn: Connection, token_hash: bytes, *, now: datetime) -> Session | None:
    """The session of this cookie, if it is still open and its account still there."""
    row = await conn.fetchrow(_FIND, token_hash, now)
    return _session(row) if row else None


async def touch(conn: Connection, token_hash: bytes, *, now: datetime, expires_at: datetime) -> None:
    """Notes that the session is in use and prolongs it, at most once in five minutes."""
    await conn.execute(
        "update session set seen_at = $2, expires_at = $3 where token_hash = $1 and seen_at < $4",
        token_hash,
        now,
        expires_at,
        now - _TOUCH_EVERY,
    )


async def confirm(conn: Connection, token_hash: bytes, *, now: datetime) -> None:
    """Notes that the second factor was just given in this session."""
    await conn.execute("update session set confirmed_at = $2 where token_hash = $1", token_hash, now)


async def act_for(conn: Connection, token_hash: bytes, organisation_id: AccountId | None) -> None:
    """From now on the session's pages act for the organisation, or for the person again."""
    await conn.execute(
        "update session set acting_for = $2 where token_hash = $1", token_hash, organisation_id
    )


async def list_(conn: Connection, account_id: AccountId, *, now: datetime) -> list[Session]:
    """The account's open sessions, the last used first."""
    return [_session(row) for row in await conn.fetch(_LIST, account_id, now, LIST_CAP)]


async def delete(conn: Connection, token_hash: bytes) -> bool:
    """Ends the session of this cookie; `False` when there was none."""
    return affected(await conn.execute("delete from session where token_hash = $1", token_hash)) > 0


async def delete_one(conn: Connection, account_id: AccountId, session_id: int) -> bool:
    """Ends one of the account's sessions by its id; `False` when it is not the account's."""
    done = await conn.execute("delete from session where id = $1 and account_id = $2", session_id, account_id)
    return affected(done) > 0


async def delete_all(conn: Connection, account_id: AccountId, *, keep: bytes | None = None) -> int:
    """Ends the account's sessions, all but the one of the cookie `keep`."""
    return affected(
        await conn.execute(
            "delete from session where account_id = $1 and token_hash is distinct from $2", account_id, keep
        )
    )


async def insert_link(
    conn: Connection,
    *,
    token_hash: bytes,
    account_id: AccountId | None,
    purpose: str,
    now: datetime,
    expires_at: datetime,
    email_sealed: bytes | None = None,
) -> None:
    """Makes a link, and ends those the account was sent before for the same purpose."""
    await conn.execute(
        """
        with old as (
          delete from mail_link where account_id is not distinct from $2 and purpose = $3 and used_at is null
        )
        insert into mail_link (token_hash, account_id, purpose, email_sealed, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6)
        """,
        token_hash,
        account_id,
        purpose,
        email_sealed,
        now,
        expires_at,
    )


async def find_link(conn: Connection, token_hash: bytes, purpose: str, *, now: datetime) -> MailLink | None:
    """What the link stands for, if it can still be used; it is not used up."""
    row = await conn.fetchrow(
        """
        select account_id, purpose, email_sealed, created_at, expires_at from mail_link
        where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3
        """,
        token_hash,
        purpose,
        now,
    )
    return _link(row)


async def use_link(conn: Connection, token_hash: bytes, purpose: str, *, now: datetime) -> MailLink | None:
    """Uses the link up and says what it stands for; `None` when it is unknown, used or too old."""
    row = await conn.fetchrow(
        """
        update mail_link set used_at = $3
        where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3
        returning account_id, purpose, email_sealed, created_at, expires_at
        """,
        token_hash,
        purpose,
        now,
    )
    return _link(row)


def _session(row: Any) -> Session:
    return Session(
        id=row["id"],
        account_id=AccountId(row["account_id"]),
        username=row["username"],
        locale=row["locale"],
        roles=roles_of(row["roles"]),
        suspended=row["suspended"],
        email_confirmed=row["email_confirmed"],
        has_totp=row["has_totp"],
        csrf=row["csrf"],
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
        confirmed_at=row["confirmed_at"],
        address=row["address"],
        client=row["client"],
        acting_for=row["acting_for"],
    )


def _link(row: Any) -> MailLink | None:
    if row is None:
        return None
    return MailLink(
        account_id=row["account_id"],
        purpose=row["purpose"],
        email_sealed=row["email_sealed"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
