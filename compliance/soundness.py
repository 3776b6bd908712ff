"""Whether what is sealed still opens, each paper with its own person's key, and says what its index says.

For the operator's command, which works as the owner of the tables; the running server could not. What a paper
says is compared and let go, and is told to nobody.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from . import vault
from .accesses import Purpose
from .activity import AccountId
from .connection import Connection
from .errors import SealBroken
from .sealing import Sealer
from .vault import Field, PaperId


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A paper that does not open, or says something else than its index."""

    paper_id: PaperId
    account_id: AccountId
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What one step looked at."""

    papers: int
    faults: tuple[Fault, ...]
    last: PaperId | None
    """Where the next step begins; `None` at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One access, as an operator reads of it."""

    at: datetime
    reader: str
    whose: str
    fields: tuple[Field, ...]
    purpose: Purpose
    case_ref: str
    legal_basis: str | None
    approved_by: str | None
    hold_until: datetime | None


async def check(conn: Connection, sealer: Sealer, *, after: PaperId | None, limit: int) -> Checked:
    """Opens up to `limit` papers past `after` and says which of them are not whole."""
    rows = await conn.fetch(
        """
        select t.*, p.index from (
          select id, index from vault.paper where id > $1 and sealed is not null order by id limit $2) p
        cross join lateral vault.taken(array[p.id]) t order by t.id
        """,
        -1 if after is None else after,
        limit,
    )
    found = [fault for fault in (_fault(row, sealer) for row in rows) if fault is not None]
    last = PaperId(rows[-1]["id"]) if len(rows) == limit else None
    return Checked(len(rows), tuple(found), last)


async def list_taken(conn: Connection, *, since: datetime, limit: int) -> list[Taken]:
    """Accesses, newest first, with the names of who is involved."""
    rows = await conn.fetch(
        """
        select a.at, r.username as reader, w.username as whose, a.fields, a.purpose, a.case_ref,
               o.legal_basis, d.username as approved_by, o.hold_until
        from vault.access a
          left join public.account r on r.id = a.reader_id
          left join public.account w on w.id = a.account_id
          left join vault.opening o on o.id = a.opening_id
          left join public.account d on d.id = o.decided_by
        where a.at >= $1 order by a.id desc limit $2
        """,
        since,
        limit,
    )
    return [
        Taken(
            at=row["at"],
            reader=row["reader"] or "?",
            whose=row["whose"] or "?",
            fields=tuple(map(Field, row["fields"])),
            purpose=Purpose(row["purpose"]),
            case_ref=row["case_ref"],
            legal_basis=row["legal_basis"],
            approved_by=row["approved_by"],
            hold_until=row["hold_until"],
        )
        for row in rows
    ]


async def count_unrecorded(conn: Connection) -> int:
    """How many openings were read without an access that says so; more than none means that somebody changed
    the tables past the functions."""
    found: int = await conn.fetchval(
        """
        select count(*) from vault.opening o
        where o.state = 'read' and not exists (select 1 from vault.access a where a.opening_id = o.id)
        """
    )
    return found


def _fault(row: asyncpg.Record, sealer: Sealer) -> Fault | None:
    try:
        paper = vault.unsealed(row, sealer)
        if row["index"] is None or hmac.compare_digest(row["index"], _index(paper, sealer)):
            return None
        why = "its index stands for something else"
    except SealBroken as error:
        why = str(error)
    except ValueError:
        why = "its form is not one that was ever written"
    return Fault(
        paper_id=PaperId(row["id"]), account_id=AccountId(row["account_id"]), field=row["field"], why=why
    )


def _index(paper: vault.OpenedPaper, sealer: Sealer) -> bytes:
    return sealer.index(paper.value.decode(), purpose=vault.index_purpose(paper.field))
