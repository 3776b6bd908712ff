"""How acts about identities stand in the log: who, about whom, and never a word of a paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ..activity import AccountId
from ..connection import Connection
from ..records import Detail, Entry, RecordKind, Source, write
from ..verdict import DecisionId


async def note(
    conn: Connection,
    kind: RecordKind,
    by: AccountId | None,
    account_id: AccountId,
    detail: Detail,
    *,
    decision_id: DecisionId | None = None,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    """Writes one record about `account_id`."""
    entry = Entry(kind, by, str(account_id), decision_id=decision_id, source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
