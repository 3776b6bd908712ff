"""The server's own signing keys: the one in use, and those before it, which still verify what they signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from server.db.pool import Connection


class ServerKey(Struct, frozen=True, kw_only=True):
    """An Ed25519 key of this server. The private half opens with the context `server-key:<key_id>`."""

    key_id: str
    public: bytes
    private_sealed: bytes
    created_at: datetime
    retired_at: datetime | None


async def find_current(conn: Connection) -> ServerKey | None:
    """The key that signs at present; `None` before it is made."""
    row = await conn.fetchrow(
        """
        select key_id, public_key as public, private_sealed, created_at, retired_at from server_key
        where retired_at is null
        """
    )
    return None if row is None else ServerKey(**row)


async def list_(conn: Connection) -> Sequence[ServerKey]:
    """Every key there ever was, the newest first."""
    rows = await conn.fetch(
        """
        select key_id, public_key as public, private_sealed, created_at, retired_at from server_key
        order by created_at desc, key_id
        """
    )
    return [ServerKey(**row) for row in rows]


async def insert(conn: Connection, key: ServerKey) -> None:
    """Puts a new key to use; there must be none in use."""
    await conn.execute(
        "insert into server_key (key_id, public_key, private_sealed, created_at) values ($1, $2, $3, $4)",
        key.key_id,
        key.public,
        key.private_sealed,
        key.created_at,
    )


async def retire(conn: Connection, *, now: datetime) -> None:
    """Takes the key in use out of use."""
    await conn.execute("update server_key set retired_at = $1 where retired_at is null", now)
