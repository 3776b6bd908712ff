"""Keys that sign for accounts: public halves of everybody known, sealed private halves of our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from compliance.activity import AccountId, Uri
from server.db.pool import Connection
from server.errors import NotFound


class ActorKey(Struct, frozen=True, kw_only=True):
    """A key and the account it signs for."""

    key_id: str
    account_id: AccountId
    actor: Uri
    host: str | None
    public_pem: str
    suspended: bool
    gone: bool


class SigningKey(Struct, frozen=True, kw_only=True):
    """A key of ours. The private half opens with the context `actor-key:<key_id>`."""

    key_id: str
    private_sealed: bytes


async def find(conn: Connection, key_id: str) -> ActorKey | None:
    """The key with exactly this id."""
    row = await conn.fetchrow(
        """
        select k.key_id, k.account_id, a.uri, a.host, k.public_pem, a.suspended_at is not null as suspended,
          a.gone_at is not null as gone
        from actor_key k join account a on a.id = k.account_id where k.key_id = $1
        """,
        key_id,
    )
    return _key(row) if row else None


async def get_public(conn: Connection, account_id: AccountId) -> ActorKey:
    """The key that an account of ours shows in its actor document; raises `NotFound`."""
    row = await conn.fetchrow(
        """
        select k.key_id, k.account_id, a.uri, a.host, k.public_pem, a.suspended_at is not null as suspended,
          a.gone_at is not null as gone
        from actor_key k join account a on a.id = k.account_id
        where k.account_id = $1 order by k.created_at desc limit 1
        """,
        account_id,
    )
    if row is None:
        raise NotFound
    return _key(row)


async def load_public(conn: Connection, ids: Sequence[AccountId]) -> dict[AccountId, ActorKey]:
    """The keys that accounts of ours show in their actor documents."""
    rows = await conn.fetch(
        """
        select distinct on (k.account_id) k.key_id, k.account_id, a.uri, a.host, k.public_pem,
          a.suspended_at is not null as suspended, a.gone_at is not null as gone
        from actor_key k join account a on a.id = k.account_id
        where k.account_id = any($1) order by k.account_id, k.created_at desc
        """,
        list(ids),
    )
    return {key.account_id: key for key in map(_key, rows)}


async def get_signing(conn: Connection, account_id: AccountId) -> SigningKey:
    """The newest key of ours that signs for the account; raises `NotFound` where there is none."""
    row = await conn.fetchrow(
        """
        select key_id, private_sealed from actor_key
        where account_id = $1 and private_sealed is not null order by created_at desc limit 1
        """,
        account_id,
    )
    if row is None:
        raise NotFound
    return SigningKey(key_id=row["key_id"], private_sealed=row["private_sealed"])


async def find_oldest(conn: Connection) -> SigningKey | None:
    """The first key that was ever sealed here; `None` in a database that is new."""
    row = await conn.fetchrow(
        """
        select k.key_id, k.private_sealed from account a join actor_key k on k.account_id = a.id
        where a.host is null and k.private_sealed is not null order by a.id limit 1
        """
    )
    return None if row is None else SigningKey(key_id=row["key_id"], private_sealed=row["private_sealed"])


def _key(row: Any) -> ActorKey:
    return ActorKey(
        key_id=row["key_id"],
        account_id=AccountId(row["account_id"]),
        actor=Uri(row["uri"]),
        host=row["host"],
        public_pem=row["public_pem"],
        suspended=row["suspended"],
        gone=row["gone"],
    )
