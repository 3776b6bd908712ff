"""Archives of posts that are being brought here, and what became of each post.

waiting ──all done──> done | failed
   └────cancel──────> cancelled
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from compliance.activity import AccountId, Uri
from server.db.pool import Connection

from .sql import affected, compose

LEASE = timedelta(minutes=2)
"""For how long a process that took an archive has it to itself; renewed with each step."""


class ImportState(enum.StrEnum):
    """How far it is; the values are what the database stores."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Import(Struct, frozen=True, kw_only=True):
    """One archive. `by` acts for the organisation whose account it is; `total` is known once it was
    opened."""

    id: int
    account_id: AccountId
    by: AccountId | None
    file: str
    state: ImportState
    failure: str | None
    total: int | None
    published: int
    skipped: int
    refused: int
    created_at: datetime

    @property
    def looked_at(self) -> int:
        return self.published + self.skipped + self.refused


_COLUMNS = """i.id, i.account_id, i.by_id, i.file, i.state, i.failure, i.total, i.published, i.skipped,
  i.refused, i.created_at"""
_LIST = compose(
    "select {columns} from archive_import i where i.account_id = $1 order by i.id desc limit $2",
    columns=_COLUMNS,
)
_CLAIM = compose(
    """
    update archive_import i set claimed_until = $2
    from (
      select id from archive_import
      where state = 'waiting' and due_at <= $1 and (claimed_until is null or claimed_until <= $1)
      order by due_at limit 1 for update skip locked) due
    where i.id = due.id returning {columns}
    """,
    columns=_COLUMNS,
)


async def insert(
    conn: Connection,
    *,
    id: int,  # noqa: A002
    account_id: AccountId,
    by: AccountId | None,
    file: str,
    now: datetime,
) -> None:
    """Notes an archive that lies in the folder of imports."""
    await conn.execute(
        """
        insert into archive_import (id, account_id, by_id, file, due_at, created_at, changed_at)
        values ($1, $2, $3, $4, $5, $5, $5)
        """,
        id,
        account_id,
        by,
        file,
        now,
    )


async def list_(conn: Connection, account_id: AccountId, limit: int) -> list[Import]:
    """The account's archives, newest first."""
    return [_import(row) for row in await conn.fetch(_LIST, account_id, limit)]


async def claim(conn: Connection, *, now: datetime) -> Import | None:
    """The next archive whose turn it is, for this process alone for a while."""
    row = await conn.fetchrow(_CLAIM, now, now + LEASE)
    return None if row is None else _import(row)


async def put_off(conn: Connection, import_id: int, due_at: datetime) -> None:
    """Lets an archive rest until `due_at`."""
    await conn.execute(
        "update archive_import set due_at = $2, claimed_until = null where id = $1", import_id, due_at
    )


async def advance(
    conn: Connection,
    import_id: int,
    *,
    total: int,
    published: int = 0,
    skipped: int = 0,
    refused: int = 0,
    now: datetime,
) -> bool:
    """Counts what a step did and keeps the archive for this process; `False` where it was cancelled
    meanwhile."""
    done = await conn.execute(
        """
        update archive_import
        set total = $2, published = published + $3, skipped = skipped + $4, refused = refused + $5,
            claimed_until = $6, changed_at = $7
        where id = $1 and state = 'waiting'
        """,
        import_id,
        total,
        published,
        skipped,
        refused,
        now + LEASE,
        now,
    )
    return affected(done) > 0


async def settle(
    conn: Connection, import_id: int, state: ImportState, *, failure: str | None = None, now: datetime
) -> bool:
    """Ends an archive that waits; `False` where it was cancelled meanwhile."""
    done = await conn.execute(
        """
        update archive_import set state = $2, failure = $3, changed_at = $4, claimed_until = null
        where id = $1 and state = 'waiting'
        """,
        import_id,
        state.value,
        failure,
        now,
    )
    return affected(done) > 0


async def cancel(conn: Connection, account_id: AccountId, import_id: int, *, now: datetime) -> bool:
    """Stops an archive of the account's own; what is here already stays."""
    done = await conn.execute(
        """
        update archive_import set state = 'cancelled', changed_at = $3
        where id = $1 and account_id = $2 and state = 'waiting'
        """,
        import_id,
        account_id,
        now,
    )
    return affected(done) > 0


async def end_all(conn: Connection, account_ids: Sequence[AccountId], *, now: datetime) -> None:
    """Stops whatever is at work, of accounts that end, and forgets where their posts came from; the next
    sweep deletes the archives."""
    await conn.execute(
        """
        update archive_import set state = 'cancelled', changed_at = $2
        where account_id = any($1) and state = 'waiting'
        """,
        account_ids,
        now,
    )
    await conn.execute("delete from imported_post where account_id = any($1)", account_ids)


async def known(conn: Connection, account_id: AccountId, origins: Sequence[str]) -> Mapping[str, Uri]:
    """Which of these posts were brought before, and what they are here."""
    rows = await conn.fetch(
        "select origin, uri from imported_post where account_id = $1 and origin = any($2)",
        account_id,
        list(origins),
    )
    return {row["origin"]: Uri(row["uri"]) for row in rows}


async def remember(conn: Connection, account_id: AccountId, origin: str, uri: Uri) -> None:
    """Notes what a post of the archive became, so that it comes once."""
    await conn.execute(
        "insert into imported_post (account_id, origin, uri) values ($1, $2, $3) on conflict do nothing",
        account_id,
        origin,
        uri,
    )


async def files_in_use(conn: Connection) -> set[str]:
    """The files that still wait."""
    return {
        row["file"] for row in await conn.fetch("select file from archive_import where state = 'waiting'")
    }


def _import(row: Any) -> Import:
    return Import(
        id=row["id"],
        account_id=AccountId(row["account_id"]),
        by=row["by_id"],
        file=row["file"],
        state=ImportState(row["state"]),
        failure=row["failure"],
        total=row["total"],
        published=row["published"],
        skipped=row["skipped"],
        refused=row["refused"],
        created_at=row["created_at"],
    )
