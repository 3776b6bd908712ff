"""The way of an application: what happened to it, as both sides see it, and the records of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from .activity import AccountId
from .connection import Connection
from .records import Entry, RecordKind, Source, write


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened to an application."""

    state: str
    by_id: AccountId | None
    words: str
    at: datetime


async def list_(conn: Connection, application_id: int) -> list[Step]:
    """What happened to an application, the first thing first."""
    rows = await conn.fetch(
        """
        select state, by_id, words, at from compliance.application_step where application_id = $1 order by id
        """,
        application_id,
    )
    return [Step(**row) for row in rows]


async def note(
    conn: Connection,
    application_id: int,
    state: str,
    by: AccountId | None,
    words: str,
    *,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Adds a step to what is shown of the application's way."""
    await conn.execute(
        """
        insert into compliance.application_step (id, application_id, state, by_id, words, at)
        values ($1, $2, $3, $4, $5, $6)
        """,
        new_id(),
        application_id,
        str(state),
        by,
        words,
        now,
    )


async def record(
    conn: Connection,
    kind: RecordKind,
    application_id: int,
    by: AccountId | None,
    *,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
    detail: Mapping[str, str | int | bool | None] | None = None,
    decision_id: int | None = None,
) -> None:
    """Writes the record of an act on an application."""
    entry = Entry(
        kind, by, f"application:{application_id}", source=source, detail=detail or {}, decision_id=decision_id
    )
    await write(conn, [entry], now=now, new_id=new_id)
