"""Credit for a month without a violation, and the ids that a moment begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from . import credit, tierbook
from .activity import AccountId
from .connection import Connection
from .tierpolicy import CreditKind

_DAY = timedelta(days=1)


def floor_at(moment: datetime) -> int:
    """The smallest id of a moment: ids hold the milliseconds since 1970 above their last 16 bits."""
    return max(int(moment.timestamp() * 1000), 0) << 16


async def clean(
    conn: Connection, account_ids: Sequence[AccountId], *, now: datetime, new_id: Callable[[], int]
) -> int:
    """Counts the last calendar month to those of the accounts that posted in it without a violation, once."""
    found = await tierbook.in_force(conn)
    if not found.policy.credit.points.get(CreditKind.CLEAN_MONTH):
        return 0
    this_month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last_month = (this_month - _DAY).replace(day=1)
    rows = await conn.fetch(
        """
        select c.account_id
        from unnest($1::bigint[]) as c(account_id)
        where not exists (
            select from compliance.credit_event e
            where e.account_id = c.account_id and (
              (e.kind = 'clean_month' and e.at >= $3)
              or (e.kind = any($4) and e.at >= $2 and e.at < $3 and not exists (
                select from compliance.credit_event r where r.reverses = e.id))))
          and exists (
            select from public.post p
            where p.account_id = c.account_id and p.created_at >= $2 and p.created_at < $3
              and p.id >= $5 and p.id < $6)
        """,
        account_ids,
        last_month,
        this_month,
        [CreditKind.POST_REFUSED.value, CreditKind.COMPLAINT_UPHELD.value],
        floor_at(last_month),
        floor_at(this_month),
    )
    ids = [AccountId(row["account_id"]) for row in rows]
    return len(await credit.record(conn, ids, CreditKind.CLEAN_MONTH, now=now, new_id=new_id))
