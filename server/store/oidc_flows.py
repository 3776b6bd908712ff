"""People who are at an identity provider just now. A flow ends once, in the browser that began it."""

from __future__ import annotations

from datetime import datetime

from compliance.activity import AccountId
from server.db.pool import Connection

from .sql import affected


async def insert(
    conn: Connection,
    *,
    state_hash: bytes,
    account_id: AccountId,
    session_hash: bytes,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Expects this state back."""
    await conn.execute(
        """
        insert into oidc_flow (state_hash, account_id, session_hash, created_at, expires_at)
        values ($1, $2, $3, $4, $5)
        """,
        state_hash,
        account_id,
        session_hash,
        now,
        expires_at,
    )


async def take(
    conn: Connection, state_hash: bytes, *, account_id: AccountId, session_hash: bytes, now: datetime
) -> bool:
    """Whether this person began this flow in this session. It is gone then; anybody else's stays as it is."""
    return bool(
        affected(
            await conn.execute(
                """
                delete from oidc_flow
                where state_hash = $1 and account_id = $2 and session_hash = $3 and expires_at > $4
                """,
                state_hash,
                account_id,
                session_hash,
                now,
            )
        )
    )


async def sweep(conn: Connection, *, now: datetime, limit: int) -> int:
    """Flows whose people did not come back."""
    return affected(
        await conn.execute(
            """
            delete from oidc_flow where state_hash = any(array(
              select state_hash from oidc_flow where expires_at < $1 limit $2))
            """,
            now,
            limit,
        )
    )
