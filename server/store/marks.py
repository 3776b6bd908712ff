"""The marks of certified accounts: what was certified of somebody, by whom, and until when.

Ours are set when an application is approved, renewed, revoked or runs out; those of other servers when their
assertion was fetched from them and verified. A mark comes with the account wherever that is shown
(`AccountView.mark`), and is shown for as long as it holds, whether or not anybody has swept it away.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from compliance.activity import AccountId, Uri
from compliance.classes import CertClass
from compliance.lookalikes import skeletons
from server.db.pool import Connection

from . import cache
from .model import Mark

__all__ = ["Mark"]

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


class Claim(Struct, frozen=True, kw_only=True):
    """That an account of another server says where its certification is; `attempts` counts those without an
    answer, this one included.
    """

    account_id: AccountId
    subject: Uri
    uri: Uri
    attempts: int


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


async def claim(conn: Connection, account_id: AccountId, uri: Uri | None, *, now: datetime) -> None:
    """Notes where somebody of another server says that their certification is to be found, to be looked at
    soon; with `None`, they say so no more, and their mark is gone at once.
    """
    if uri is None:
        await conn.execute(
            "with gone as (delete from mark_claim where account_id = $1) "
            "delete from mark where account_id = $1",
            account_id,
        )
        return
    await conn.execute(
        """
        insert into mark_claim (account_id, uri, due_at) values ($1, $2, $3)
        on conflict (account_id) do update
          set uri = excluded.uri, due_at = excluded.due_at, attempts = 0
        """,
        account_id,
        uri,
        now,
    )


async def take_claims(conn: Connection, *, now: datetime, again_at: datetime, limit: int) -> list[Claim]:
    """The claims that are to be looked at; whoever takes them has until `again_at`."""
    rows = await conn.fetch(
        """
        update mark_claim c set due_at = $2, attempts = c.attempts + 1
        from (
          select account_id from mark_claim where due_at <= $1 order by due_at
          for update skip locked limit $3
        ) due, account a
        where c.account_id = due.account_id and a.id = c.account_id
        returning c.account_id, a.uri as subject, c.uri, c.attempts
        """,
        now,
        again_at,
        limit,
    )
    return [Claim(**row) for row in rows]


async def settle_claim(conn: Connection, taken: Claim, *, due_at: datetime, answered: bool) -> bool:
    """When the claim is to be looked at again; `False` where it is another one by now. `answered`: its server
    said something, whatever it was.
    """
    found = await conn.fetchval(
        """
        update mark_claim set due_at = $3, attempts = case when $4 then 0 else attempts end
        where account_id = $1 and uri = $2 and attempts = $5 returning account_id
        """,
        taken.account_id,
        taken.uri,
        due_at,
        answered,
        taken.attempts,
    )
    return found is not None


async def list_hosts(conn: Connection) -> list[str]:
    """The servers that vouch for somebody shown here."""
    rows = await conn.fetch("select distinct host from mark where host is not null order by host")
    return [row["host"] for row in rows]


async def forget_host(conn: Connection, host: str) -> list[AccountId]:
    """Takes away every mark that a server gave, and says whose."""
    rows = await conn.fetch("delete from mark where host = $1 returning account_id", host)
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
