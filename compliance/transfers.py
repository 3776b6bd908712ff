"""Who owns an organisation next.

    transfer   waiting ──due_at──> done | failed       by an owner; any owner may cancel until then
    grant      waiting ──another operator──> done      for an organisation whose owners are lost
                  └──cancel──> cancelled

A transfer takes days, so that an owner whose login was stolen hears of it in time. A grant takes two
operators.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from .activity import AccountId
from .connection import Connection
from .errors import NotFound

MAX_REASON = 1_000


class TransferKind(enum.StrEnum):
    """Who gives: an owner, or two operators."""

    TRANSFER = "transfer"
    GRANT = "grant"


class TransferState(enum.StrEnum):
    """How far it is."""

    WAITING = "waiting"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One change of ownership, asked for or done."""

    id: int
    organisation_id: AccountId
    kind: TransferKind
    from_id: AccountId | None
    to_id: AccountId
    reason: str
    requested_by: AccountId
    requested_at: datetime
    due_at: datetime | None
    state: TransferState


_SELECT = """
  select id, organisation_id, kind, from_id, to_id, reason, requested_by, requested_at, due_at, state
  from compliance.organisation_transfer
"""


async def insert(
    conn: Connection,
    transfer_id: int,
    organisation_id: AccountId,
    kind: TransferKind,
    *,
    from_id: AccountId | None,
    to_id: AccountId,
    by: AccountId,
    now: datetime,
    due_at: datetime | None = None,
    reason: str = "",
) -> bool:
    """Asks for it; `False` while another one of this kind waits for the same organisation."""
    done = await conn.fetchval(
        """
        insert into compliance.organisation_transfer
          (id, organisation_id, kind, from_id, to_id, reason, requested_by, requested_at, due_at, state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting')
        on conflict (organisation_id, kind) where state = 'waiting' do nothing returning true
        """,
        transfer_id,
        organisation_id,
        kind.value,
        from_id,
        to_id,
        reason,
        by,
        now,
        due_at,
    )
    return bool(done)


async def waiting(
    conn: Connection, organisation_id: AccountId, kind: TransferKind = TransferKind.TRANSFER
) -> Transfer | None:
    """The one that waits for this organisation."""
    row = await conn.fetchrow(
        f"{_SELECT} where organisation_id = $1 and kind = $2 and state = 'waiting'",
        organisation_id,
        kind.value,
    )
    return None if row is None else _transfer(row)


async def lock(conn: Connection, transfer_id: int) -> Transfer:
    """The transfer, which nobody else decides until the transaction ends; or `NotFound`."""
    row = await conn.fetchrow(f"{_SELECT} where id = $1 for update", transfer_id)
    if row is None:
        raise NotFound("no such transfer")
    return _transfer(row)


async def due(conn: Connection, *, now: datetime, limit: int) -> list[Transfer]:
    """Transfers whose time has come, for the caller alone."""
    rows = await conn.fetch(
        f"""{_SELECT} where state = 'waiting' and due_at <= $1
        order by due_at limit $2 for update skip locked""",
        now,
        limit,
    )
    return [_transfer(row) for row in rows]


async def settle(
    conn: Connection, transfer_id: int, state: TransferState, *, by: AccountId | None, now: datetime
) -> None:
    """Writes down how it ended."""
    await conn.execute(
        """
        update compliance.organisation_transfer set state = $2, decided_by = $3, decided_at = $4
        where id = $1 and state = 'waiting'
        """,
        transfer_id,
        state.value,
        by,
        now,
    )


def _transfer(row: asyncpg.Record) -> Transfer:
    return Transfer(
        id=row["id"],
        organisation_id=AccountId(row["organisation_id"]),
        kind=TransferKind(row["kind"]),
        from_id=row["from_id"],
        to_id=AccountId(row["to_id"]),
        reason=row["reason"],
        requested_by=AccountId(row["requested_by"]),
        requested_at=row["requested_at"],
        due_at=row["due_at"],
        state=TransferState(row["state"]),
    )
