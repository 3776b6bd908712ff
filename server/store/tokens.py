"""OAuth: apps, the codes they get from a person's yes, and the tokens they act with. Only digests of secrets
are here.

yes --> code --use_code--> token --revoke--> nothing
          |
          +-- used again --> the tokens it gave end too (security rule E1)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from compliance.activity import AccountId
from server.db.pool import Connection

from .members import ROLES, preferences_of, roles_of
from .model import Role
from .sql import affected, compose

LIST_CAP = 200
_USED_EVERY = timedelta(hours=1)


class App(Struct, frozen=True, kw_only=True):
    """A program that uses the client API."""

    id: int
    name: str
    website: str | None
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    client_id: str
    client_secret_hash: bytes
    created_at: datetime


class Code(Struct, frozen=True, kw_only=True):
    """What an authorisation code stands for."""

    app_id: int
    account_id: AccountId
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str | None
    expires_at: datetime
    used_at: datetime | None
    acting_for: AccountId | None = None


class Token(Struct, frozen=True, kw_only=True):
    """A bearer token and for whom it acts; `account_id` is `None` for an app's own token."""

    id: int
    app_id: int
    app_name: str
    app_website: str | None
    account_id: AccountId | None
    username: str | None
    locale: str | None
    roles: frozenset[Role]
    suspended: bool
    email_confirmed: bool
    has_totp: bool
    preferences: dict[str, Any]
    scopes: tuple[str, ...]
    created_at: datetime
    used_at: datetime | None
    acting_for: AccountId | None = None
    """The organisation that the token was given for."""
    acting_for_name: str | None = None


_APP = "id, name, website, redirect_uris, scopes, client_id, client_secret_hash, created_at"
_APP_BY_CLIENT_ID = compose("select {app} from oauth_app where client_id = $1", app=_APP)
_APP_BY_ID = compose("select {app} from oauth_app where id = $1", app=_APP)
_CODE = "app_id, account_id, redirect_uri, scopes, challenge, expires_at, acting_for"
# The old row is read under a lock, so that of two uses at once only one sees the code unused.
_USE_CODE = compose(
    """
    with before as (
      select code_hash, used_at from oauth_code where code_hash = $1 and app_id = $2 for update
    )
    update oauth_code c set used_at = coalesce(c.used_at, $3) from before b where c.code_hash = b.code_hash
    returning {code}, b.used_at
    """,
    code=", ".join(f"c.{name}" for name in _CODE.split(", ")),
)
_TOKEN = compose(
    """
    select t.id, t.app_id, p.name as app_name, p.website as app_website, t.account_id, a.username, m.locale,
      {roles}, a.suspended_at is not null as suspended, m.email_confirmed_at is not null as email_confirmed,
      m.totp_enabled_at is not null as has_totp, m.preferences::text as preferences, t.scopes, t.created_at,
      t.used_at, t.acting_for, o.username as acting_for_name
    from oauth_token t join oauth_app p on p.id = t.app_id left join member m on m.account_id = t.account_id
      left join account a on a.id = t.account_id left join account o on o.id = t.acting_for
    where t.revoked_at is null and a.gone_at is null
    """,
    roles=ROLES,
)
_FIND = _TOKEN + "and t.token_hash = $1"
_LIST = _TOKEN + "and t.account_id = $1 order by t.id desc limit $2"


async def insert_app(
    conn: Connection,
    *,
    id: int,  # noqa: A002
    name: str,
    website: str | None,
    redirect_uris: Sequence[str],
    scopes: Sequence[str],
    client_id: str,
    client_secret_hash: bytes,
    now: datetime,
) -> None:
    """Registers an app."""
    await conn.execute(
        """
        insert into oauth_app (id, name, website, redirect_uris, scopes, client_id, client_secret_hash,
                               created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        id,
        name,
        website,
        list(redirect_uris),
        list(scopes),
        client_id,
        client_secret_hash,
        now,
    )


async def find_app(conn: Connection, client_id: str) -> App | None:
    """The app with this client id."""
    return _app(await conn.fetchrow(_APP_BY_CLIENT_ID, client_id))


async def find_app_by_id(conn: Connection, app_id: int) -> App | None:
    """The app with this id."""
    return _app(await conn.fetchrow(_APP_BY_ID, app_id))


async def insert_code(
    conn: Connection,
    *,
    code_hash: bytes,
    app_id: int,
    account_id: AccountId,
    redirect_uri: str,
    scopes: Sequence[str],
    challenge: str | None,
    now: datetime,
    expires_at: datetime,
    acting_for: AccountId | None = None,
) -> None:
    """Notes that somebody said yes to an app."""
    await conn.execute(
        """
        insert into oauth_code (code_hash, app_id, account_id, redirect_uri, scopes, challenge, created_at,
                                expires_at, acting_for)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        code_hash,
        app_id,
        account_id,
        redirect_uri,
        list(scopes),
        challenge,
        now,
        expires_at,
        acting_for,
    )


async def use_code(conn: Connection, code_hash: bytes, app_id: int, *, now: datetime) -> Code | None:
    """Uses the app's code up, whether it is still good or not; `None` when it has no such code.

    With `used_at` set it was used before, and the tokens it gave are to be revoked: `revoke_by_code`.
    """
    row = await conn.fetchrow(_USE_CODE, code_hash, app_id, now)
    if row is None:
        return None
    return Code(
        app_id=row["app_id"],
        account_id=AccountId(row["account_id"]),
        redirect_uri=row["redirect_uri"],
        scopes=tuple(row["scopes"]),
        challenge=row["challenge"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        acting_for=row["acting_for"],
    )


async def insert(
    conn: Connection,
    *,
    token_hash: bytes,
    id: int,  # noqa: A002
    app_id: int,
    account_id: AccountId | None,
    scopes: Sequence[str],
    now: datetime,
    code_hash: bytes | None = None,
    acting_for: AccountId | None = None,
) -> None:
    """Gives a token; `acting_for` is the organisation that the person acts for with it."""
    await conn.execute(
        """
        insert into oauth_token
          (token_hash, id, app_id, account_id, scopes, code_hash, created_at, acting_for)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        token_hash,
        id,
        app_id,
        account_id,
        list(scopes),
        code_hash,
        now,
        acting_for,
    )


async def find(conn: Connection, token_hash: bytes) -> Token | None:
    """The token, unless it was revoked or its account is gone."""
    row = await conn.fetchrow(_FIND, token_hash)
    return _token(row) if row else None


async def used(conn: Connection, token_hash: bytes, *, now: datetime) -> None:
    """Notes that the token is in use, at most once an hour."""
    await conn.execute(
        "update oauth_token set used_at = $2 where token_hash = $1 and (used_at is null or used_at < $3)",
        token_hash,
        now,
        now - _USED_EVERY,
    )


async def list_(conn: Connection, account_id: AccountId) -> list[Token]:
    """The account's tokens, newest first: which apps may act for it."""
    return [_token(row) for row in await conn.fetch(_LIST, account_id, LIST_CAP)]


async def revoke(conn: Connection, token_hash: bytes, app_id: int) -> bool:
    """Ends one of the app's tokens; `False` when it is not a living token of this app."""
    done = await conn.execute(
        "update oauth_token set revoked_at = now() "
        "where token_hash = $1 and app_id = $2 and revoked_at is null",
        token_hash,
        app_id,
    )
    return affected(done) > 0


async def revoke_one(conn: Connection, account_id: AccountId, token_id: int) -> bool:
    """Ends one of the account's tokens by its id; `False` when it is not the account's."""
    done = await conn.execute(
        "update oauth_token set revoked_at = now() where id = $1 and account_id = $2 and revoked_at is null",
        token_id,
        account_id,
    )
    return affected(done) > 0


async def revoke_by_code(conn: Connection, code_hash: bytes) -> int:
    """Ends the tokens that a code gave."""
    return affected(
        await conn.execute(
            "update oauth_token set revoked_at = now() where code_hash = $1 and revoked_at is null", code_hash
        )
    )


async def revoke_acting(conn: Connection, account_id: AccountId, organisation_id: AccountId) -> int:
    """Ends the tokens with which somebody acted for an organisation, and their sessions' choice of it."""
    await conn.execute(
        "update session set acting_for = null where account_id = $1 and acting_for = $2",
        account_id,
        organisation_id,
    )
    return affected(
        await conn.execute(
            "update oauth_token set revoked_at = now() "
            "where account_id = $1 and acting_for = $2 and revoked_at is null",
            account_id,
            organisation_id,
        )
    )


async def revoke_all(conn: Connection, account_id: AccountId) -> int:
    """Ends every token of an account."""
    return affected(
        await conn.execute(
            "update oauth_token set revoked_at = now() where account_id = $1 and revoked_at is null",
            account_id,
        )
    )


def _app(row: Any) -> App | None:
    if row is None:
        return None
    return App(
        id=row["id"],
        name=row["name"],
        website=row["website"],
        redirect_uris=tuple(row["redirect_uris"]),
        scopes=tuple(row["scopes"]),
        client_id=row["client_id"],
        client_secret_hash=row["client_secret_hash"],
        created_at=row["created_at"],
    )


def _token(row: Any) -> Token:
    return Token(
        id=row["id"],
        app_id=row["app_id"],
        app_name=row["app_name"],
        app_website=row["app_website"],
        account_id=row["account_id"],
        username=row["username"],
        locale=row["locale"],
        roles=roles_of(row["roles"]),
        suspended=row["suspended"],
        email_confirmed=row["email_confirmed"],
        has_totp=row["has_totp"],
        preferences=preferences_of(row["preferences"] or "{}"),
        scopes=tuple(row["scopes"]),
        created_at=row["created_at"],
        used_at=row["used_at"],
        acting_for=row["acting_for"],
        acting_for_name=row["acting_for_name"],
    )
