"""Filings (Articles 9, 10 and 13): what is handed to an authority, by whom, and what came back.

    drafted ──release, by a second person──> released ──handed over──> submitted ──receipt──> acknowledged
       │                                        │                          └──reason──> returned
       └──withdrawn, or another draft──> withdrawn <──withdrawn──┘

Nothing is sent by this program: a named person releases the signed file, hands it over by the authority's
own channel, and writes down what came of it. What was drafted is never changed; another draft takes its
place.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from . import records
from .activity import AccountId
from .classes import CertClass
from .connection import Connection
from .errors import NotAllowed, NotFound
from .owed import Delta, Entry, Key, Kind
from .records import RecordKind, Source


class State(enum.StrEnum):
    """How far a filing is."""

    DRAFTED = "drafted"
    RELEASED = "released"
    SUBMITTED = "submitted"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


STEPS = {
    State.DRAFTED: (State.RELEASED, State.WITHDRAWN),
    State.RELEASED: (State.SUBMITTED, State.WITHDRAWN),
    State.SUBMITTED: (State.ACKNOWLEDGED, State.RETURNED),
    State.ACKNOWLEDGED: (),
    State.RETURNED: (),
    State.WITHDRAWN: (),
}
"""Where each state leads."""
COUNTS = (State.RELEASED, State.SUBMITTED, State.ACKNOWLEDGED)
"""What a later filing is compared with: the rest never reached the authority, or was not taken."""
_LONGEST = 2000
OPEN = (State.DRAFTED, State.RELEASED, State.SUBMITTED)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[dict[str, str | int | bool | None]]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """One filing. `body` is the signed document as it leaves."""

    id: int
    key: Key
    state: State
    body: str
    entries: list[Entry]
    added: int
    removed: int
    changed: int
    previous_id: int | None
    due_at: datetime | None
    drafted_by: AccountId | None
    drafted_at: datetime
    released_by: AccountId | None
    receipt: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happened to a filing."""

    state: State
    by_id: AccountId | None
    words: str
    at: datetime


_SELECT = """
  select id, kind, province, class, state, body, entries::text as entries, added, removed, changed,
         previous_id, due_at, drafted_by, drafted_at, released_by, receipt, reason
  from compliance.filing
"""


async def get(conn: Connection, filing_id: int, *, lock: bool = False) -> Filing:
    """The filing, or `NotFound`."""
    row = await conn.fetchrow(f"{_SELECT} where id = $1{' for update' if lock else ''}", filing_id)
    if row is None:
        raise NotFound("no such filing")
    return _filing(row)


async def list_(
    conn: Connection, *, state: State | None = None, before: int | None = None, limit: int = 40
) -> list[Filing]:
    """Filings, newest first, below `before`."""
    rows = await conn.fetch(
        f"""
        {_SELECT} where ($1::text is null or state = $1) and ($2::bigint is null or id < $2)
        order by id desc limit $3
        """,
        state,
        before,
        limit,
    )
    return [_filing(row) for row in rows]


async def latest(conn: Connection, key: Key, states: Sequence[State]) -> Filing | None:
    """The newest filing of a thing that is in one of these states."""
    row = await conn.fetchrow(
        f"""
        {_SELECT} where kind = $1 and province = $2 and class = $3 and state = any($4)
        order by id desc limit 1
        """,
        key.kind,
        key.province,
        key.class_ or "",
        list(states),
    )
    return None if row is None else _filing(row)


async def steps(conn: Connection, filing_id: int) -> list[Step]:
    """What happened to a filing, in order."""
    rows = await conn.fetch(
        "select state, by_id, words, at from compliance.filing_step where filing_id = $1 order by id",
        filing_id,
    )
    return [Step(**{**row, "state": State(row["state"])}) for row in rows]


async def insert(
    conn: Connection,
    filing_id: int,
    key: Key,
    *,
    body: str,
    entries: Sequence[Entry],
    delta: Delta,
    previous_id: int | None,
    due_at: datetime | None,
    by: AccountId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Keeps a draft in the place of the one before, which nobody has released."""
    await conn.execute("select pg_advisory_xact_lock(hashtext($1))", f"filing:{key}")
    standing = await latest(conn, key, OPEN)
    if standing is not None and standing.state is not State.DRAFTED:
        raise NotAllowed("a filing of this is on its way: write down what came of it first")
    if standing is not None:
        await _move(conn, standing, State.WITHDRAWN, by=by, words="", now=now, new_id=new_id)
    await conn.execute(
        """
        insert into compliance.filing
          (id, kind, province, class, body, entries, added, removed, changed, previous_id, due_at,
           drafted_by, drafted_at)
        values ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12, $13)
        """,
        filing_id,
        key.kind,
        key.province,
        key.class_ or "",
        body,
        _encode(list(entries)).decode(),
        len(delta.added),
        len(delta.removed),
        len(delta.changed),
        previous_id,
        due_at,
        by,
        now,
    )
    await _note(conn, filing_id, State.DRAFTED, by=by, words="", now=now, new_id=new_id)
    await _record(conn, filing_id, State.DRAFTED, by=by, source=source, now=now, new_id=new_id)


async def step(
    conn: Connection,
    filing_id: int,
    state: State,
    *,
    words: str = "",
    by: AccountId,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> Filing:
    """Moves a filing on, by a named person. `words` are how it was handed over, the receipt's number, or why
    it came back."""
    found, said = await get(conn, filing_id, lock=True), words.strip()
    if len(said) > _LONGEST:
        raise NotAllowed("what is written about a step is too long")
    if state not in STEPS[found.state]:
        raise NotAllowed("this step is not open")
    if state is State.RELEASED and found.drafted_by == by:
        raise NotAllowed("a filing is released by another person than drafted it")
    if state is State.ACKNOWLEDGED and not said:
        raise NotAllowed("an acknowledged filing has the number of its receipt")
    if state is State.RETURNED and not said:
        raise NotAllowed("a returned filing has the reason why")
    await _move(conn, found, state, by=by, words=said, now=now, new_id=new_id)
    await _record(conn, filing_id, state, by=by, source=source, now=now, new_id=new_id)
    return await get(conn, filing_id)


async def _move(
    conn: Connection,
    found: Filing,
    state: State,
    *,
    by: AccountId | None,
    words: str,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    await conn.execute(
        """
        update compliance.filing
        set state = $2, released_by = case when $2 = 'released' then $3 else released_by end,
            receipt = case when $2 = 'acknowledged' then $4 else receipt end,
            reason = case when $2 = 'returned' then $4 else reason end
        where id = $1
        """,
        found.id,
        state,
        by,
        words,
    )
    await _note(conn, found.id, state, by=by, words=words, now=now, new_id=new_id)


async def _note(
    conn: Connection,
    filing_id: int,
    state: State,
    *,
    by: AccountId | None,
    words: str,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    await conn.execute(
        "insert into compliance.filing_step (id, filing_id, state, by_id, words, at)"
        " values ($1, $2, $3, $4, $5, $6)",
        new_id(),
        filing_id,
        state,
        by,
        words,
        now,
    )


async def _record(
    conn: Connection,
    filing_id: int,
    state: State,
    *,
    by: AccountId | None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    detail = {"state": state.value}
    entry = records.Entry(RecordKind.FILING_STEP, by, str(filing_id), source=source, detail=detail)
    await records.write(conn, [entry], now=now, new_id=new_id)


async def first_telling(conn: Connection, key: Key, due_at: datetime, step_: str, now: datetime) -> bool:
    """Whether staff have not been told this yet; from now on they have."""
    told: int | None = await conn.fetchval(
        """
        insert into compliance.filing_notice (key, due_at, step, told_at) values ($1, $2, $3, $4)
        on conflict do nothing returning 1
        """,
        str(key),
        due_at,
        step_,
        now,
    )
    return told is not None


def _filing(row: asyncpg.Record) -> Filing:
    values = dict(row)
    class_ = values.pop("class")
    key = Key(Kind(values.pop("kind")), values.pop("province"), CertClass(class_) if class_ else None)
    values |= {"key": key, "state": State(row["state"]), "entries": _decode(row["entries"])}
    return Filing(**values)
