"""The marks of certified accounts: what was certified of somebody, by whom, and until when.

Ours are set when an application is approved, renewed, revoked or runs out; those of other servers when their
assertion was fetched from them and verified. A mark comes with the account wherever that is shown
(`AccountView.mark`), and is shown for as long as it holds, whether or not anybody has swept it away.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from compliance.activity import AccountId
from compliance.classes import CertClass
from compliance.lookalikes import skeletons
from server.db.pool import Connection

from . import cache
from .model import Mark

__all__ = ["LABEL_CHARS", "Mark", "find", "forget", "of_row", "refresh_names", "set", "sweep"]

LABEL_CHARS = 200
"""The longest label, for ours and others'."""

COLUMNS = """k.class as mark_class, k.label as mark_label, k.certified_at as mark_certified_at,
  k.expires_at as mark_expires_at, k.host as mark_host"""

_SET = """
    insert into mark (account_id, class, label, certified_at, expires_at, host)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (account_id) do update
      set class = excluded.class, label = excluded.label, certified_at = excluded.certified_at,
          expires_at = excluded.expires_at, host = excluded.host
    where (mark.class, mark.label, mark.certified_at, mark.expires_at, mark.host) is distinct from
      (excluded.class, excluded.label, excluded.certified_at, excluded.expires_at, excluded.host)
    returning account_id
    """


class Announcer(Protocol):
    """What tells the other processes; the road's `events`."""

    def notify(self, channel: str, payload: str = "") -> None: ...


async def set(  # noqa: A001 - it is what is done
    conn: Connection, account_id: AccountId, mark: Mark | None
) -> bool:
    """Gives the account this mark, or takes its mark away; says whether anything changed.

    Needs a transaction; forget the account in the cache after its commit (`forget`), and submit an
    `UpdateProfile` of the same words so that other servers hear.
    """
    if mark is None:
        gone = await conn.fetchval("delete from mark where account_id = $1 returning account_id", account_id)
        return gone is not None
    values = (mark.class_.value, mark.label, mark.certified_at, mark.expires_at, mark.host)
    changed = await conn.fetchval(_SET, account_id, *values)
    if changed is not None:
        await refresh_names(conn, [account_id])
    return changed is not None


def forget(events: Announcer, account_id: AccountId) -> None:
    """After the commit: whoever kept the account, here and in the other processes, reads it anew."""
    cache.forget_accounts([account_id])
    events.notify("accounts", str(account_id))


async def refresh_names(conn: Connection, ids: Sequence[AccountId]) -> None:
    """Notes anew what nobody else may be called on account of these; those without a mark of ours count for
    nothing. To be called whenever a name may have changed.
    """
    rows = await conn.fetch(
        """
        select m.account_id, m.class, m.host, m.label, a.username,
          coalesce(p.display_name, '') as display_name
        from mark m join account a on a.id = m.account_id left join profile p on p.account_id = a.id
        where m.account_id = any($1)
        """,
        list(ids),
    )
    if not rows:
        return
    pairs = sorted({(row["account_id"], name) for row in rows for name in _names(row)})
    await conn.execute(
        "delete from mark_name where account_id = any($1)", [row["account_id"] for row in rows]
    )
    await conn.execute(
        "insert into mark_name (account_id, skeleton) select * from unnest($1::bigint[], $2::text[])",
        [account_id for account_id, _ in pairs],
        [name for _, name in pairs],
    )


async def find(conn: Connection, account_id: AccountId) -> Mark | None:
    """The account's mark, whether or not it still holds."""
    row = await conn.fetchrow(
        """
        select class as mark_class, label as mark_label, certified_at as mark_certified_at,
          expires_at as mark_expires_at, host as mark_host
        from mark where account_id = $1
        """,
        account_id,
    )
    return None if row is None else of_row(row)


async def sweep(conn: Connection, *, now: datetime, limit: int) -> list[AccountId]:
    """Takes away marks of other servers that ran out, and says whose. Ours go when their certificate does."""
    rows = await conn.fetch(
        """
        delete from mark where account_id in (
          select account_id from mark where expires_at <= $1 and host is not null limit $2)
        returning account_id
        """,
        now,
        limit,
    )
    return [AccountId(row["account_id"]) for row in rows]


def of_row(row: Any) -> Mark | None:
    """The mark in a row with `COLUMNS`; `None` where there is none."""
    if row["mark_class"] is None:
        return None
    return Mark(
        class_=CertClass(row["mark_class"]),
        label=row["mark_label"],
        certified_at=row["mark_certified_at"],
        expires_at=row["mark_expires_at"],
        host=row["mark_host"],
    )


def _names(row: Any) -> frozenset[str]:
    if row["host"] is not None:
        return frozenset()
    names = skeletons(row["username"]) | skeletons(row["display_name"])
    # What a person is certified as (a physician, a singer) is no name: others are that too.
    return names if row["class"] == CertClass.INDIVIDUAL else names | skeletons(row["label"])
