"""Article 14: complaints, from anybody, each with a receipt by which its outcome can be asked for.

    waiting ──decide──> upheld | dismissed

What is done about an upheld one (a withdrawal, a suspension) is an act of its own, by its own road.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from . import credit, organisations
from .activity import AccountId, PostId
from .connection import Connection
from .errors import NotAllowed, NotFound
from .records import Detail, Entry, RecordKind, Source, write


class ReportState(enum.StrEnum):
    """How a complaint stands."""

    WAITING = "waiting"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A complaint. `reporter_id` is `None` for somebody without an account."""

    id: int
    code: str
    reporter_id: AccountId | None
    target_id: AccountId
    posts: tuple[PostId, ...]
    comment: str
    category: str
    forwarded: bool
    state: ReportState
    decided_by: AccountId | None
    decided_at: datetime | None
    statement: str | None
    created_at: datetime


_SELECT = """
  select id, code, reporter_id, target_id, posts, comment, category, forwarded, state, decided_by, decided_at,
         statement, created_at
  from compliance.report
"""


async def get(conn: Connection, report_id: int) -> Report:
    """The complaint, or `NotFound`."""
    return _report(await conn.fetchrow(f"{_SELECT} where id = $1", report_id))


async def get_by_code(conn: Connection, code: str) -> Report:
    """The complaint with this receipt, however it was typed; `NotFound` for none."""
    typed = "".join(code.split()).replace("-", "").upper()
    return _report(await conn.fetchrow(f"{_SELECT} where code = $1", typed))


async def list_waiting(conn: Connection, *, after: int = 0, limit: int = 40) -> list[Report]:
    """What waits, the oldest first, behind the complaint `after`."""
    rows = await conn.fetch(
        f"{_SELECT} where state = 'waiting' and id > $1 order by id limit $2", after, limit
    )
    return [_report(row) for row in rows]


async def list_about(
    conn: Connection, target_id: AccountId, *, max_id: int | None = None, limit: int = 40
) -> list[Report]:
    """Complaints about one account, newest first, below `max_id`."""
    rows = await conn.fetch(
        f"{_SELECT} where target_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3",
        target_id,
        max_id,
        limit,
    )
    return [_report(row) for row in rows]


async def list_for(
    conn: Connection, reporter_id: AccountId, *, max_id: int | None = None, limit: int = 40
) -> list[Report]:
    """One person's own complaints, newest first, below `max_id`."""
    rows = await conn.fetch(
        f"{_SELECT} where reporter_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3",
        reporter_id,
        max_id,
        limit,
    )
    return [_report(row) for row in rows]


async def count_waiting(conn: Connection) -> int:
    """How many wait."""
    count: int = await conn.fetchval("select count(*) from compliance.report where state = 'waiting'")
    return count


async def decide(
    conn: Connection,
    report_id: int,
    *,
    reviewer: AccountId,
    outcome: ReportState,
    statement: str,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Report:
    """Decides a complaint once. The statement is what both sides read, so there must be one."""
    if outcome is ReportState.WAITING:
        raise NotAllowed("a decision is upheld or dismissed")
    if not statement.strip():
        raise NotAllowed("a decision needs a statement of reasons")
    await conn.execute("select from compliance.report where id = $1 for update", report_id)
    report = await get(conn, report_id)
    if report.state is not ReportState.WAITING:
        raise NotAllowed("this complaint has been decided")
    for side in (report.reporter_id, report.target_id):
        if await organisations.is_own(conn, side, reviewer):
            raise NotAllowed("nobody decides a complaint of theirs, or about them")
    await conn.execute(
        """
        update compliance.report set state = $2, decided_by = $3, decided_at = $4, statement = $5
        where id = $1
        """,
        report_id,
        outcome.value,
        reviewer,
        now,
        statement.strip(),
    )
    detail: Detail = {"outcome": outcome.value, "target": report.target_id}
    entry = Entry(RecordKind.REPORT_DECIDE, reviewer, str(report_id), source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
    if outcome is ReportState.UPHELD:
        about = report.target_id
        await credit.complained(
            conn, about, report_id, statement=statement, by=reviewer, now=now, new_id=new_id
        )
    return await get(conn, report_id)


def _report(row: asyncpg.Record | None) -> Report:
    if row is None:
        raise NotFound("no such complaint")
    return Report(**{**row, "state": ReportState(row["state"]), "posts": tuple(row["posts"])})
