"""People who log in here: what they prove themselves with, what they prefer, which roles they have.

Nothing of this is shown to others, and none of it is kept in a cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from compliance.activity import AccountId
from server.db.pool import Connection
from server.errors import NotFound

from .model import Keyed, Page, Role
from .sql import both_ways, compose, fetch_page

PAGE_CAP = 100
AWAY = timedelta(days=30)
"""Whoever was not seen for so long has no home timeline written ahead; it is rebuilt on return."""
SEEN_EVERY = timedelta(hours=1)


class Member(Struct, frozen=True, kw_only=True):
    """Somebody who logs in here."""

    account_id: AccountId
    username: str
    email_sealed: bytes
    email_confirmed_at: datetime | None
    password: str
    locale: str
    created_at: datetime
    seen_at: datetime | None
    totp_sealed: bytes | None
    totp_enabled_at: datetime | None
    totp_last_step: int | None
    recovery_codes: tuple[bytes, ...]
    preferences: dict[str, Any]
    roles: frozenset[Role]
    suspended: bool
    gone: bool


ROLES = "array(select r.role from member_role r where r.account_id = m.account_id) as roles"
_SELECT = compose(
    """
    select m.account_id, a.username, m.email_sealed, m.email_confirmed_at, m.password, m.locale, m.created_at,
      m.seen_at, m.totp_sealed, m.totp_enabled_at, m.totp_last_step, m.recovery_codes,
      m.preferences::text as preferences, {roles},
      a.suspended_at is not null as suspended, a.gone_at is not null as gone
    from member m join account a on a.id = m.account_id
    """,
    roles=ROLES,
)
_BY_ID = _SELECT + "where m.account_id = $1"
_BY_EMAIL = _SELECT + "where m.email_index = $1"
_BY_NAME = _SELECT + "where a.host is null and lower(a.username) = lower($1)"
_STAFF = both_ways(
    """
    select distinct on (r.account_id) r.account_id as id from member_role r
    where r.account_id > $1 and r.account_id < $2 and r.role = any($4)
    order by r.account_id {order} limit $3
    """
)

preferences_of = msgspec.json.Decoder(dict[str, Any]).decode
"""Preferences as the database gives them."""


async def insert(
    conn: Connection,
    *,
    account_id: AccountId,
    email_sealed: bytes,
    email_index: bytes,
    password: str,
    locale: str,
    now: datetime,
    confirmed_at: datetime | None = None,
) -> None:
    """Lets the owner of an account log in. An address that is taken is an integrity error."""
    await conn.execute(
        """
        insert into member (account_id, email_sealed, email_index, email_confirmed_at, password, locale,
                            created_at, seen_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7)
        """,
        account_id,
        email_sealed,
        email_index,
        confirmed_at,
        password,
        locale,
        now,
    )


async def find(conn: Connection, account_id: AccountId) -> Member | None:
    """The member who owns the account."""
    return _member(await conn.fetchrow(_BY_ID, account_id))


async def get(conn: Connection, account_id: AccountId) -> Member:
    """The member who owns the account; raises `NotFound`."""
    found = await find(conn, account_id)
    if found is None:
        raise NotFound
    return found


async def find_by_email(conn: Connection, email_index: bytes) -> Member | None:
    """The member with this address, given by its blind index."""
    return _member(await conn.fetchrow(_BY_EMAIL, email_index))


async def find_by_name(conn: Connection, username: str) -> Member | None:
    """The member with this user name, in whatever case."""
    return _member(await conn.fetchrow(_BY_NAME, username))


async def confirm_email(conn: Connection, account_id: AccountId, *, now: datetime) -> None:
    """Notes that mail to the present address is read by the member; the first time counts."""
    await conn.execute(
        "update member set email_confirmed_at = coalesce(email_confirmed_at, $2) where account_id = $1",
        account_id,
        now,
    )


async def set_email(
    conn: Connection, account_id: AccountId, *, email_sealed: bytes, email_index: bytes, now: datetime
) -> None:
    """Gives a member another address, which was just proven. One that is taken is an integrity error."""
    await conn.execute(
        "update member set email_sealed = $2, email_index = $3, email_confirmed_at = $4 "
        "where account_id = $1",
        account_id,
        email_sealed,
        email_index,
        now,
    )


async def set_password(conn: Connection, account_id: AccountId, password: str) -> None:
    """Stores another password, hashed."""
    await conn.execute("update member set password = $2 where account_id = $1", account_id, password)


async def set_locale(conn: Connection, account_id: AccountId, locale: str) -> None:
    """Stores the language that the member reads."""
    await conn.execute("update member set locale = $2 where account_id = $1", account_id, locale)


async def set_preferences(
    conn: Connection, account_id: AccountId, preferences: Mapping[str, str | int | bool | None]
) -> None:
    """Changes those preferences that are named; the others stay."""
    await conn.execute(
        "update member set preferences = preferences || $2::text::jsonb where account_id = $1",
        account_id,
        msgspec.json.encode(dict(preferences)).decode(),
    )


async def seen(conn: Connection, account_id: AccountId, *, now: datetime) -> bool:
    """Notes that the member is here, at most once an hour.

    True when they were away so long that their home timeline has to be rebuilt.
    """
    was_away = await conn.fetchval(
        """
        with before as (select account_id, seen_at from member where account_id = $1 for no key update)
        update member m set seen_at = $2 from before b
        where m.account_id = b.account_id and (b.seen_at is null or b.seen_at < $3)
        returning b.seen_at is null or b.seen_at < $4
        """,
        account_id,
        now,
        now - SEEN_EVERY,
        now - AWAY,
    )
    return bool(was_away)


async def start_totp(conn: Connection, account_id: AccountId, totp_sealed: bytes) -> None:
    """Stores the secret of a second factor that is not in force yet; one in force is left alone."""
    await conn.execute(
        "update member set totp_sealed = $2, totp_last_step = null "
        "where account_id = $1 and totp_enabled_at is null",
        account_id,
        totp_sealed,
    )


async def enable_totp(
    conn: Connection, account_id: AccountId, *, step: int, recovery_codes: Sequence[bytes], now: datetime
) -> bool:
    """Puts the second factor in force, with the step of the code that proved it; `False` if it already
    was.
    """
    done = await conn.fetchval(
        """
        update member set totp_enabled_at = $2, totp_last_step = $3, recovery_codes = $4
        where account_id = $1 and totp_sealed is not null and totp_enabled_at is null returning true
        """,
        account_id,
        now,
        step,
        list(recovery_codes),
    )
    return bool(done)


async def disable_totp(conn: Connection, account_id: AccountId) -> None:
    """Drops the second factor and its recovery codes."""
    await conn.execute(
        "update member set totp_sealed = null, totp_enabled_at = null, totp_last_step = null, "
        "recovery_codes = '{}' where account_id = $1",
        account_id,
    )


async def use_totp_step(conn: Connection, account_id: AccountId, step: int) -> bool:
    """Uses up the time step of a code; `False` when it, or a later one, was used before: a code works
    once.
    """
    done = await conn.fetchval(
        "update member set totp_last_step = $2 "
        "where account_id = $1 and coalesce(totp_last_step, -1) < $2 returning true",
        account_id,
        step,
    )
    return bool(done)


async def use_recovery_code(conn: Connection, account_id: AccountId, code_hash: bytes) -> bool:
    """Uses up a recovery code; `False` when there is none like it."""
    done = await conn.fetchval(
        "update member set recovery_codes = array_remove(recovery_codes, $2::bytea) "
        "where account_id = $1 and $2 = any(recovery_codes) returning true",
        account_id,
        code_hash,
    )
    return bool(done)


async def set_recovery_codes(conn: Connection, account_id: AccountId, codes: Sequence[bytes]) -> None:
    """Replaces the recovery codes, given by their digests."""
    await conn.execute("update member set recovery_codes = $2 where account_id = $1", account_id, list(codes))


async def grant_role(
    conn: Connection, account_id: AccountId, role: Role, *, granted_by: AccountId | None, now: datetime
) -> bool:
    """Gives a member a role; `False` if they have it."""
    done = await conn.fetchval(
        """
        insert into member_role (account_id, role, granted_by, granted_at) values ($1, $2, $3, $4)
        on conflict do nothing returning true
        """,
        account_id,
        role.value,
        granted_by,
        now,
    )
    return bool(done)


async def revoke_role(conn: Connection, account_id: AccountId, role: Role) -> bool:
    """Takes a role away; `False` if they did not have it."""
    done = await conn.fetchval(
        "delete from member_role where account_id = $1 and role = $2 returning true", account_id, role.value
    )
    return bool(done)


async def list_with_role(conn: Connection, role: Role) -> list[AccountId]:
    """Everybody with this role who could act now."""
    rows = await conn.fetch(
        "select r.account_id from member_role r join account a on a.id = r.account_id "
        "where r.role = $1 and a.suspended_at is null and a.gone_at is null order by 1",
        role.value,
    )
    return [AccountId(row["account_id"]) for row in rows]


async def count_role(conn: Connection, role: Role) -> int:
    """How many people with this role could act now: the last admin must not go."""
    found = await conn.fetchval(
        "select count(*) from member_role r join account a on a.id = r.account_id "
        "where r.role = $1 and a.suspended_at is null and a.gone_at is null",
        role.value,
    )
    return int(found)


async def list_staff(
    conn: Connection, page: Page, roles: Sequence[Role] = tuple(Role)
) -> list[Keyed[AccountId]]:
    """Members who have one of the roles, newest accounts first."""
    rows = await fetch_page(conn, _STAFF, page, PAGE_CAP, [role.value for role in roles])
    return [Keyed(row["id"], AccountId(row["id"])) for row in rows]


def roles_of(names: Sequence[str]) -> frozenset[Role]:
    """Roles as the database gives them."""
    return frozenset(Role(name) for name in names) if names else frozenset()


def _member(row: Any) -> Member | None:
    if row is None:
        return None
    return Member(
        account_id=AccountId(row["account_id"]),
        username=row["username"],
        email_sealed=row["email_sealed"],
        email_confirmed_at=row["email_confirmed_at"],
        password=row["password"],
        locale=row["locale"],
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        totp_sealed=row["totp_sealed"],
        totp_enabled_at=row["totp_enabled_at"],
        totp_last_step=row["totp_last_step"],
        recovery_codes=tuple(row["recovery_codes"]),
        preferences=preferences_of(row["preferences"]),
        roles=roles_of(row["roles"]),
        suspended=row["suspended"],
        gone=row["gone"],
    )
