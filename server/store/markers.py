"""How far somebody has read, in each of the timelines that remember it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from compliance.activity import AccountId
from server.db.pool import Connection

TIMELINES = ("home", "notifications")


class Marker(Struct, frozen=True, kw_only=True):
    """How far somebody has read; `version` rises with each change."""

    timeline: str
    last_read_id: int
    version: int
    updated_at: datetime


async def load(
    conn: Connection, account_id: AccountId, timelines: Sequence[str] = TIMELINES
) -> dict[str, Marker]:
    """The account's markers, by timeline."""
    rows = await conn.fetch(
        "select timeline, last_read_id, version, updated_at from marker "
        "where account_id = $1 and timeline = any($2)",
        account_id,
        timelines,
    )
    return {row["timeline"]: _marker(row) for row in rows}


async def put(
    conn: Connection, account_id: AccountId, timeline: str, last_read_id: int, *, now: datetime
) -> Marker:
    """Moves a marker, forth or back."""
    row = await conn.fetchrow(
        """
        insert into marker (account_id, timeline, last_read_id, updated_at) values ($1, $2, $3, $4)
        on conflict (account_id, timeline) do update
          set last_read_id = excluded.last_read_id, version = marker.version + 1,
              updated_at = excluded.updated_at
        returning timeline, last_read_id, version, updated_at
        """,
        account_id,
        timeline,
        last_read_id,
        now,
    )
    return _marker(row)


def _marker(row: Any) -> Marker:
    return Marker(
        timeline=row["timeline"],
        last_read_id=row["last_read_id"],
        version=row["version"],
        updated_at=row["updated_at"],
    )
