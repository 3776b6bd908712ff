"""Reading what is sealed: never without a record, and never by one person alone but for a waiting case.

    ──request──> waiting ──approve──> approved ──read──> read        by whoever asked, once, within the hour
    compliance      │                 editor in chief
                    └──refuse──> refused        nobody decides a request of their own; after 24 h it is over

A reviewer reads the papers of a claim or an application that waits (`read_for_review`), and a person their
own (`read_own`). Every way leads through one function of the database, which writes the access before it
gives anything out; the server's role has no other way to the sealed bytes.

Commit before showing anything: an access that is rolled back was none.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import asyncpg

from . import vault
from .accesses import Purpose, opened
from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed, NotFound
from .records import Detail, Entry, RecordKind, Source, write
from .sealing import Sealer
from .vault import Field, OpenedPaper, PaperId

DECIDE_WITHIN = timedelta(hours=24)
READ_WITHIN = timedelta(hours=1)
SHOWN_FOR = timedelta(minutes=5)
A_DAY = 20
"""Openings of one person in 24 hours; then the function is locked for them."""

_COLUMNS = """
  id, account_id, fields, purpose, legal_basis, case_ref, state, requested_by, requested_at, decided_by,
  decided_at, statement, read_at, hold_until, hold_basis
"""


REQUESTABLE = (
    Purpose.AUTHORITY,
    Purpose.COURT,
    Purpose.DISPUTE,
    Purpose.MISUSE,
    Purpose.INCIDENT,
    Purpose.SUBJECT,
)
"""What papers may be asked for; the other two have ways of their own."""


class OpeningState(enum.StrEnum):
    """How far a request is; the values are what the database stores."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A wish to open papers, and what became of it. Nothing of the papers themselves."""

    id: int
    account_id: AccountId
    fields: tuple[Field, ...]
    purpose: Purpose
    legal_basis: str
    case_ref: str
    state: OpeningState
    requested_by: AccountId
    requested_at: datetime
    decided_by: AccountId | None
    decided_at: datetime | None
    statement: str | None
    read_at: datetime | None
    hold_until: datetime | None
    hold_basis: str | None

    def closes_at(self) -> datetime | None:
        """When the step that is due can no longer be taken."""
        if self.state is OpeningState.WAITING:
            return self.requested_at + DECIDE_WITHIN
        if self.state is OpeningState.APPROVED and self.decided_at is not None:
            return self.decided_at + READ_WITHIN
        return None

    def is_over(self, now: datetime) -> bool:
        """Whether nothing can come of it any more."""
        closes = self.closes_at()
        return closes is None or now >= closes


async def request(
    conn: Connection,
    account_id: AccountId,
    wanted: Sequence[Field],
    *,
    purpose: Purpose,
    legal_basis: str,
    case: str,
    hold_until: datetime | None = None,
    hold_basis: str = "",
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> int:
    """Asks for papers of one person, and says the id of the request. `NotAllowed` without a legal basis, a
    case, or the role for it."""
    if purpose not in REQUESTABLE:
        raise NotAllowed("papers are not asked for with this purpose")
    for text, what in ((legal_basis, "a legal basis"), (case, "a case or ticket")):
        if not text.strip():
            raise NotAllowed(f"an opening needs {what}")
    if not wanted:
        raise NotAllowed("say which papers are to be opened")
    if hold_until is not None and not hold_basis.strip():
        raise NotAllowed("a legal hold needs its legal basis")
    opening_id = new_id()
    await vault.call(
        conn,
        "select vault.request_opening($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        opening_id,
        account_id,
        [field.value for field in wanted],
        purpose.value,
        legal_basis.strip(),
        case.strip(),
        by,
        hold_until,
        hold_basis.strip() if hold_until is not None else None,
        now,
    )
    detail: Detail = {
        "account": str(account_id),
        "fields": " ".join(wanted),
        "purpose": purpose.value,
        "legal_basis": legal_basis.strip(),
        "case": case.strip(),
        "hold_until": hold_until.isoformat() if hold_until else None,
    }
    await _note(
        conn,
        RecordKind.VAULT_REQUEST,
        opening_id,
        by=by,
        detail=detail,
        source=source,
        now=now,
        new_id=new_id,
    )
    return opening_id


async def decide(
    conn: Connection,
    opening_id: int,
    *,
    approve: bool,
    statement: str,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Approves or refuses a request. `NotAllowed` for who asked, for the wrong role, and after 24 hours."""
    if not approve and not statement.strip():
        raise NotAllowed("a refusal needs a statement of reasons")
    await vault.call(
        conn,
        "select vault.decide_opening($1, $2, $3, $4, $5)",
        opening_id,
        by,
        approve,
        statement.strip(),
        now,
    )
    kind = RecordKind.VAULT_APPROVE if approve else RecordKind.VAULT_REFUSE
    await _note(
        conn,
        kind,
        opening_id,
        by=by,
        detail={"statement": statement.strip()},
        source=source,
        now=now,
        new_id=new_id,
    )


async def read(
    conn: Connection,
    opening_id: int,
    *,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> list[vault.Row]:
    """The one reading of an approved request, by who asked: still sealed. Commit, then have it `opened`, so
    that nothing is seen whose access is not written."""
    access_id = new_id()
    rows = await vault.call(
        conn, "select * from vault.read_opening($1, $2, $3, $4)", opening_id, by, access_id, now
    )
    await _note(
        conn,
        RecordKind.VAULT_OPEN,
        opening_id,
        by=by,
        detail={"papers": len(rows)},
        source=source,
        now=now,
        new_id=new_id,
    )
    return rows


async def read_for_review(
    conn: Connection,
    paper_ids: Sequence[PaperId],
    *,
    reviewer: AccountId,
    case: str,
    sealer: Sealer,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> list[OpenedPaper]:
    """Papers of the waiting `claim:ID` or `application:ID` that the reviewer works on. Commit, then show."""
    rows = await vault.call(
        conn,
        "select * from vault.read_for_review($1, $2, $3, $4, $5)",
        list(paper_ids),
        reviewer,
        case,
        new_id(),
        now,
    )
    detail: Detail = {"papers": len(rows), "case": case}
    entry = Entry(RecordKind.VAULT_REVIEW, reviewer, case, source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
    return opened(rows, sealer)


async def set_hold(
    conn: Connection,
    opening_id: int,
    *,
    until: datetime | None,
    basis: str,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Prolongs a running bar on telling the person, or lifts it with `until=None`. By an editor in chief who
    did not ask for the opening."""
    if not basis.strip():
        raise NotAllowed("a legal hold needs its legal basis")
    await vault.call(
        conn,
        "select vault.set_hold($1, $2, $3, $4, $5)",
        opening_id,
        by,
        until,
        basis.strip() if until is not None else None,
        now,
    )
    detail: Detail = {"until": until.isoformat() if until else None, "basis": basis.strip()}
    await _note(
        conn, RecordKind.VAULT_HOLD, opening_id, by=by, detail=detail, source=source, now=now, new_id=new_id
    )


async def note_locked(
    conn: Connection, by: AccountId, *, now: datetime, source: Source, new_id: Callable[[], int]
) -> None:
    """Records that somebody asked for more than a day allows. In a transaction of its own: the refused one
    is rolled back."""
    entry = Entry(RecordKind.VAULT_LOCK, by, str(by), source=source)
    await write(conn, [entry], now=now, new_id=new_id)


async def get(conn: Connection, opening_id: int) -> Opening:
    """One request. `NotFound` where there is none."""
    row = await conn.fetchrow(f"select {_COLUMNS} from vault.opening where id = $1", opening_id)  # noqa: S608
    if row is None:
        raise NotFound("no such opening")
    return _opening(row)


async def list_(
    conn: Connection, *, is_open: bool, now: datetime, before: int | None = None, limit: int = 40
) -> list[Opening]:
    """Requests that a step is due on, or those that are over; newest first."""
    rows = await conn.fetch(
        # Only the fixed names above are put into the text.
        f"""
        select {_COLUMNS} from vault.opening o
        where ($4::bigint is null or id < $4) and $1 = (
          (state = 'waiting' and requested_at > $2::timestamptz - interval '24 hours')
          or (state = 'approved' and decided_at > $2::timestamptz - interval '1 hour'))
        order by id desc limit $3
        """,  # noqa: S608
        is_open,
        now,
        limit,
        before,
    )
    return [_opening(row) for row in rows]


async def count_waiting(conn: Connection, now: datetime) -> int:
    """How many requests wait for somebody's approval."""
    count: int = await conn.fetchval(
        "select count(*) from vault.opening where state = 'waiting' and requested_at > $1",
        now - DECIDE_WITHIN,
    )
    return count


def _opening(row: asyncpg.Record) -> Opening:
    values = {field.name: row[field.name] for field in fields(Opening)}
    return Opening(
        **values
        | {
            "fields": tuple(map(Field, row["fields"])),
            "purpose": Purpose(row["purpose"]),
            "state": OpeningState(row["state"]),
        }
    )


async def _note(
    conn: Connection,
    kind: RecordKind,
    opening_id: int,
    *,
    by: AccountId,
    detail: Detail,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    entry = Entry(kind, by, f"opening:{opening_id}", source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
