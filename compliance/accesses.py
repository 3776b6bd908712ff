"""Who took papers out, as the person they are about is told of it; and what is kept of oneself.

A person sees every access in their own history at once, unless a stated legal hold forbids telling; then when
the hold ends. Of who read there is the office and not the name; the log of the operators has both.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from . import vault
from .activity import AccountId
from .connection import Connection
from .records import Detail, Entry, RecordKind, Source, write
from .sealing import Sealer
from .vault import Field, OpenedPaper

__all__ = [
    "Access",
    "Connection",
    "Field",
    "Kept",
    "OpenedPaper",
    "Purpose",
    "history",
    "list_kept",
    "masked",
    "opened",
    "read_own",
    "take_untold",
]


class Purpose(enum.StrEnum):
    """Why something was taken out; the values are what the database stores."""

    AUTHORITY = "authority"
    COURT = "court"
    DISPUTE = "dispute"
    MISUSE = "misuse"
    INCIDENT = "incident"
    SUBJECT = "subject"
    REVIEW = "review"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One time that papers were taken out, as the person they are about is told of it."""

    id: int
    at: datetime
    fields: tuple[Field, ...]
    purpose: Purpose
    case_ref: str
    legal_basis: str | None
    is_own: bool
    told_late: bool
    """Whether a legal hold forbade telling for a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A paper that is here, and not what it says."""

    field: Field
    since: datetime
    is_proof: bool
    """Whether it is forgotten, and only the proof of it is left."""
    ends_at: datetime | None
    """When it is destroyed, where a day is set."""


async def list_kept(conn: Connection, account_id: AccountId) -> list[Kept]:
    """What is kept of a person, the oldest first."""
    rows = await conn.fetch(
        """
        select p.field, p.created_at as since, p.forgotten_at is not null as is_proof, e.ends_at
        from vault.paper p left join compliance.paper_end e on e.paper_id = p.id
        where p.account_id = $1 order by p.id
        """,
        account_id,
    )
    return [Kept(**(dict(row) | {"field": Field(row["field"])})) for row in rows]


async def read_own(
    conn: Connection,
    account_id: AccountId,
    *,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> list[vault.Row]:
    """What is kept of a person, for that person: everything but scans, still sealed. Commit, then have it
    `opened`, and show it `masked`."""
    rows = await vault.call(conn, "select * from vault.read_own($1, $2, $3)", account_id, new_id(), now)
    if rows:
        detail: Detail = {"papers": len(rows)}
        entry = Entry(RecordKind.VAULT_OWN, account_id, str(account_id), source=source, detail=detail)
        await write(conn, [entry], now=now, new_id=new_id)
    return rows


def opened(rows: Sequence[vault.Row], sealer: Sealer) -> list[OpenedPaper]:
    """What papers say that were given out. `SealBroken` where one was changed or moved."""
    return [vault.unsealed(row, sealer) for row in rows]


def masked(paper: OpenedPaper) -> str:
    """As much of a paper as shows its owner which one it is: `110***********002X`, `李*`."""
    if paper.field is Field.SCAN:
        return ""
    text = paper.value.decode()
    if len(text) < 7:
        return text[:1] + "*" * (len(text) - 1)
    front, back = (3, 4) if len(text) >= 11 else (1, 2)
    return text[:front] + "*" * (len(text) - front - back) + text[-back:]


async def history(
    conn: Connection, account_id: AccountId, now: datetime, *, before: int | None = None, limit: int = 200
) -> list[Access]:
    """What the person sees: each access to their papers, newest first; what a hold bars, when it ended."""
    rows = await conn.fetch(
        """
        select a.id, a.at, a.fields, a.purpose, a.case_ref, o.legal_basis,
               a.reader_id = a.account_id as is_own, o.hold_until is not null as told_late
        from vault.access a left join vault.opening o on o.id = a.opening_id
        where a.account_id = $1 and (o.hold_until is null or o.hold_until <= $2)
          and ($3::bigint is null or a.id < $3)
        order by a.id desc limit $4
        """,
        account_id,
        now,
        before,
        limit,
    )
    return [
        Access(
            id=row["id"],
            at=row["at"],
            fields=tuple(map(Field, row["fields"])),
            purpose=Purpose(row["purpose"]),
            case_ref=row["case_ref"],
            legal_basis=row["legal_basis"],
            is_own=row["is_own"],
            told_late=row["told_late"],
        )
        for row in rows
    ]


async def take_untold(conn: Connection, *, now: datetime, limit: int) -> list[tuple[int, AccountId]]:
    """Readings that their person may now be told of, marked as told: opening and person."""
    rows = await conn.fetch(
        """
        select id, account_id from vault.opening
        where state = 'read' and told_at is null and (hold_until is null or hold_until <= $1)
        order by id limit $2
        """,
        now,
        limit,
    )
    await conn.execute("select vault.mark_told($1, $2)", [row["id"] for row in rows], now)
    return [(row["id"], AccountId(row["account_id"])) for row in rows]
