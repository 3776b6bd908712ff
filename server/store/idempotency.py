"""An answer given once is the answer given again, for as long as its key is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Record
from msgspec import Struct

from compliance.activity import AccountId, PostId
from server.db.pool import Connection


class Remembered(Struct, frozen=True, kw_only=True):
    """What was answered. `reason` is why it was held or refused, `None` where it was cleared; `field` and
    `category` are where and what was found.
    """

    post_id: PostId | None
    decision_id: int
    case_id: int | None
    reason: str | None
    field: str | None = None
    category: str | None = None
    until: datetime | None = None


class Told(Struct, frozen=True, kw_only=True):
    """An answer to be remembered under its key."""

    account_id: AccountId
    key: str
    post_id: PostId | None
    decision_id: int
    case_id: int | None


async def claim(
    conn: Connection, keys: Sequence[tuple[AccountId, str]], *, now: datetime
) -> dict[tuple[AccountId, str], Remembered]:
    """Takes keys for this transaction; those that were answered before come back with their answers, the rest
    are to be done.

    A second request with the same key waits here for the first one's end. If that was rolled back, or ended
    without an answer, the second is done instead.
    """
    rows = await conn.fetch(
        """
        insert into idempotency (account_id, key, created_at)
        select account_id, key, $3 from unnest($1::bigint[], $2::text[]) as k(account_id,
        key) order by account_id, key
        on conflict (account_id, key) do update set created_at = idempotency.created_at
        returning account_id, key, post_id, decision_id, case_id
        """,
        [account_id for account_id, _ in keys],
        [key for _, key in keys],
        now,
    )
    answered = [row for row in rows if row["decision_id"] is not None]
    if not answered:
        return {}
    # A statement of its own: the one above may not see a decision that was committed while it waited.
    reasons = await conn.fetch(
        """
        select id, reason, findings -> 0 -> 'span' ->> 'field' as field,
               findings -> 0 ->> 'category' as category,
               (findings -> 0 ->> 'until')::timestamptz as until
        from compliance.decision where id = any($1)
        """,
        [row["decision_id"] for row in answered],
    )
    why = {row["id"]: row for row in reasons}
    return {
        (AccountId(row["account_id"]), row["key"]): _remembered(row, why[row["decision_id"]])
        for row in answered
    }


def _remembered(row: Record, decision: Record) -> Remembered:
    stopped = decision["reason"] is not None
    return Remembered(
        post_id=row["post_id"],
        decision_id=row["decision_id"],
        case_id=row["case_id"],
        reason=decision["reason"],
        field=decision["field"] if stopped else None,
        category=decision["category"] if stopped else None,
        until=decision["until"] if stopped else None,
    )


async def remember(conn: Connection, answers: Sequence[Told]) -> None:
    """Stores the answers under the keys that were claimed."""
    await conn.execute(
        """
        update idempotency i set post_id = t.post_id, decision_id = t.decision_id, case_id = t.case_id
        from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
               as t(account_id, key, post_id, decision_id, case_id)
        where i.account_id = t.account_id and i.key = t.key
        """,
        [one.account_id for one in answers],
        [one.key for one in answers],
        [one.post_id for one in answers],
        [one.decision_id for one in answers],
        [one.case_id for one in answers],
    )
