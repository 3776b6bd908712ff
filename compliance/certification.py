"""Certified accounts (Articles 8 and 10 paragraph 1): what holds, until when, and how it ends.

    (approved) ──> active ──renewed──> active
                     │ ├──the day comes──> expired ──approved anew──> active (another row)
                     │ └──revoked──> revoked ──overturned on appeal, in time──> active
                                             └──overturned, too late──> expired

Every change sets `unsettled` in its own transaction: the server shows the mark or takes it away, tells other
servers, and clears it. A stop in between is made good by the next one who looks.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from . import statements
from .activity import AccountId
from .claims import Ground
from .classes import CertClass
from .connection import Connection
from .errors import NotAllowed, NotFound
from .records import Detail, Entry, RecordKind, Source, write
from .statements import Matter
from .verdict import DecisionId, Reason

NOTICE_DAYS = (60, 30, 7)
"""How long before its end somebody is told that a certification is to be renewed."""


class State(enum.StrEnum):
    """How a certification stands; the values are what the database stores."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """What was certified of an account. `label` stands by the mark."""

    id: int
    account_id: AccountId
    class_: CertClass
    kind: str
    label: str
    registered_name: str | None
    province: str | None
    application_id: int
    state: State
    certified_at: datetime
    renewed_at: datetime | None
    expires_at: datetime
    checked_by: str
    revoked_at: datetime | None
    revoked_by: AccountId | None
    revoked_reason: str | None
    decision_id: int | None
    updated_at: datetime

    @property
    def about(self) -> str:
        """What a decision about it names."""
        return f"certification:{self.id}"


_SELECT = """
  select id, account_id, class, kind, label, registered_name, province, application_id, state, certified_at,
         renewed_at, expires_at, checked_by, revoked_at, revoked_by, revoked_reason, decision_id, updated_at
  from compliance.certification
"""


async def get(conn: Connection, certification_id: int, *, lock: bool = False) -> Certification:
    """The certification, or `NotFound`."""
    row = await conn.fetchrow(f"{_SELECT} where id = $1{' for update' if lock else ''}", certification_id)
    if row is None:
        raise NotFound("no such certification")
    return _certification(row)


async def find_active(conn: Connection, account_id: AccountId) -> Certification | None:
    """What is certified of an account now."""
    row = await conn.fetchrow(f"{_SELECT} where account_id = $1 and state = 'active'", account_id)
    return None if row is None else _certification(row)


async def list_of(conn: Connection, account_id: AccountId) -> list[Certification]:
    """All certifications of an account, newest first."""
    rows = await conn.fetch(f"{_SELECT} where account_id = $1 order by id desc", account_id)
    return [_certification(row) for row in rows]


async def list_(
    conn: Connection,
    *,
    state: State | None = None,
    class_: CertClass | None = None,
    before: int | None = None,
    limit: int = 40,
) -> list[Certification]:
    """Certifications, newest first."""
    rows = await conn.fetch(
        f"""
        {_SELECT} where ($1::text is null or state = $1) and ($2::text is null or class = $2)
          and ($3::bigint is null or id < $3)
        order by id desc limit $4
        """,
        state.value if state else None,
        class_.value if class_ else None,
        before,
        limit,
    )
    return [_certification(row) for row in rows]


async def grant(
    conn: Connection,
    account_id: AccountId,
    class_: CertClass,
    kind: str,
    *,
    label: str,
    registered_name: str | None,
    province: str | None,
    application_id: int,
    months: int,
    checked_by: str,
    now: datetime,
    new_id: Callable[[], int],
) -> Certification:
    """Certifies an account, or renews what is certified: the new time begins where the old one ends."""
    held = await find_active(conn, account_id)
    certification_id = held.id if held else new_id()
    start = max(now, held.expires_at) if held and held.class_ is class_ else now
    await conn.execute(
        """
        insert into compliance.certification as c
          (id, account_id, class, kind, label, registered_name, province, application_id, state, certified_at,
           expires_at, checked_by, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9,
                $10::timestamptz + make_interval(months => $11), $12, $9)
        on conflict (id) do update
          set class = excluded.class, kind = excluded.kind, label = excluded.label,
              registered_name = excluded.registered_name, province = excluded.province,
              application_id = excluded.application_id, expires_at = excluded.expires_at,
              certified_at = case when c.class = excluded.class then c.certified_at else $9 end,
              checked_by = excluded.checked_by, renewed_at = $9, told_days = null, unsettled = true,
              updated_at = $9
        """,
        certification_id,
        account_id,
        class_.value,
        kind,
        label,
        registered_name,
        province,
        application_id,
        now,
        start,
        months,
        checked_by,
    )
    return await get(conn, certification_id)


async def expire(
    conn: Connection, now: datetime, *, limit: int = 100, new_id: Callable[[], int]
) -> list[Certification]:
    """Ends what has had its time; returns what it ended."""
    rows = await conn.fetch(
        """
        update compliance.certification set state = 'expired', unsettled = true, updated_at = $1
        where id in (select id from compliance.certification where state = 'active' and expires_at <= $1
                     order by expires_at limit $2 for update skip locked)
        returning id
        """,
        now,
        limit,
    )
    ended = [await get(conn, row["id"]) for row in rows]
    entries = [
        Entry(RecordKind.CERTIFICATION_EXPIRE, one.account_id, one.about, source=Source.internal("upkeep"))
        for one in ended
    ]
    await write(conn, entries, now=now, new_id=new_id)
    return ended


async def close(conn: Connection, account_id: AccountId, *, now: datetime) -> None:
    """Ends what is certified of an account that was closed; nobody needs to be told."""
    await conn.execute(
        """
        update compliance.certification set state = 'expired', unsettled = true, updated_at = $2
        where account_id = $1 and state = 'active'
        """,
        account_id,
        now,
    )


async def due_notices(
    conn: Connection, now: datetime, *, limit: int = 100
) -> list[tuple[Certification, int]]:
    """Those whose end is 60, 30 or 7 days away or nearer and who were not told so; each is told once."""
    found: list[tuple[Certification, int]] = []
    for days in sorted(NOTICE_DAYS):
        rows = await conn.fetch(
            """
            update compliance.certification set told_days = $2
            where id in (select id from compliance.certification
                         where state = 'active' and expires_at > $1 and expires_at <= $3
                           and (told_days is null or told_days > $2)
                         order by expires_at limit $4 for update skip locked)
            returning id
            """,
            now,
            days,
            now + timedelta(days=days),
            limit,
        )
        found += [(await get(conn, row["id"]), days) for row in rows]
    return found


async def revoke(
    conn: Connection,
    certification_id: int,
    *,
    ground: Ground,
    statement: str,
    by: AccountId | None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> DecisionId:
    """Withdraws a certification, with reasons that its holder reads and can appeal against."""
    held = await get(conn, certification_id, lock=True)
    if held.state is not State.ACTIVE:
        raise NotAllowed("this certification is not in force")
    if by == held.account_id:
        raise NotAllowed("nobody decides about their own certification")
    if not statement.strip():
        raise NotAllowed("a decision needs a statement of reasons")
    decision_id = await statements.issue(
        conn,
        held.account_id,
        Matter.CERTIFICATION,
        Reason.CERTIFICATION_REVOKED,
        about=held.about,
        statement=statement,
        by=by,
        now=now,
        new_id=new_id,
    )
    await conn.execute(
        """
        update compliance.certification
        set state = 'revoked', revoked_at = $2, revoked_by = $3, revoked_reason = $4, decision_id = $5,
            unsettled = true, updated_at = $2
        where id = $1
        """,
        held.id,
        now,
        by,
        ground.value,
        decision_id,
    )
    detail: Detail = {"ground": ground.value, "statement": statement.strip(), "account": held.account_id}
    entry = Entry(
        RecordKind.CERTIFICATION_REVOKE, by, held.about, decision_id=decision_id, source=source, detail=detail
    )
    await write(conn, [entry], now=now, new_id=new_id)
    return decision_id


async def restore(
    conn: Connection,
    certification_id: int,
    *,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Puts a revoked certification in force again, unless its time is over or another one holds by now."""
    held = await get(conn, certification_id, lock=True)
    if held.state is not State.REVOKED:
        return
    in_time = held.expires_at > now and await find_active(conn, held.account_id) is None
    await conn.execute(
        """
        update compliance.certification
        set state = $2, revoked_at = null, revoked_by = null, revoked_reason = null, unsettled = true,
            updated_at = $3
        where id = $1
        """,
        held.id,
        (State.ACTIVE if in_time else State.EXPIRED).value,
        now,
    )
    entry = Entry(RecordKind.CERTIFICATION_RESTORE, by, held.about, source=source)
    await write(conn, [entry], now=now, new_id=new_id)


async def list_unsettled(conn: Connection, *, limit: int = 100) -> list[Certification]:
    """What others do not see yet as it is."""
    rows = await conn.fetch(f"{_SELECT} where unsettled order by id limit $1", limit)
    return [_certification(row) for row in rows]


async def settled(conn: Connection, seen: Certification) -> None:
    """Others see it as it was when it was read; a change since then is settled by the next one."""
    await conn.execute(
        "update compliance.certification set unsettled = false where id = $1 and updated_at = $2",
        seen.id,
        seen.updated_at,
    )


def _certification(row: asyncpg.Record) -> Certification:
    values = dict(row)
    values |= {"class_": CertClass(values.pop("class")), "state": State(row["state"])}
    return Certification(**values)
