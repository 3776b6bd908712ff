"""An answer given once is the answer given again, for as long as its key is remembered."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from compliance.activity import AccountId, PostId
from server.db.pool import Connection


class Remembered(Struct, frozen=True, kw_only=True):
    """What was answered. `reason` is why it was held or refused, `None` where it was cleared."""

    post_id: PostId | None
    decision_id: int
    case_id: int | None
    reason: str | None


async def claim(conn: Connection, account_id: AccountId, key: str, *, now: datetime) -> Remembered | None:
    """Takes the key for this transaction; `None` when the request is to be done, else what was answered to
    it.

    A second request with the same key waits here for the first one's end. If that was rolled back, or ended
    without an answer, the second is done instead.
    """
    row = await conn.fetchrow(
        """
        insert into idempotency (account_id, key, created_at) values ($1, $2, $3)
        on conflict (account_id, key) do update set created_at = idempotency.created_at
        returning post_id, decision_id, case_id
        """,
        account_id,
        key,
        now,
    )
    if row["decision_id"] is None:
        return None
    # A statement of its own: the one above may not see a decision that was committed while it waited.
    reason = await conn.fetchval("select reason from compliance.decision where id = $1", row["decision_id"])
    return Remembered(
        post_id=row["post_id"], decision_id=row["decision_id"], case_id=row["case_id"], reason=reason
    )


async def remember(
    conn: Connection,
    account_id: AccountId,
    key: str,
    *,
    post_id: PostId | None,
    decision_id: int,
    case_id: int | None,
) -> None:
    """Stores the answer under the key that was claimed."""
    await conn.execute(
        "update idempotency set post_id = $3, decision_id = $4, case_id = $5 "
        "where account_id = $1 and key = $2",
        account_id,
        key,
        post_id,
        decision_id,
        case_id,
    )
