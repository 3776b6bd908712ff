"""The log is written whole, read by page, and never changed by anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from compliance import records
from compliance.activity import AccountId
from compliance.connection import Connection
from compliance.records import Entry, RecordKind, Source

from .build import NOW, SOURCE, ids


async def _write(
    conn: Connection, count: int, kind: RecordKind = RecordKind.SESSION_LOGIN, actor: int = 1
) -> None:
    entries = [Entry(kind, AccountId(actor), f"object {number}", source=SOURCE) for number in range(count)]
    await records.write(conn, entries, now=NOW, new_id=ids())


async def test_a_record_is_read_as_it_was_written(conn: Connection) -> None:
    """Address, port, client and detail are what an authority may ask for, and a person may."""
    entry = Entry(
        RecordKind.ROLE_GRANT,
        AccountId(5),
        "account 6",
        decision_id=None,
        source=Source("2001:db8::1", 443, "curl"),
        detail={"role": "reviewer", "count": 3, "first": True, "note": None},
    )
    await records.write(conn, [entry], now=NOW, new_id=ids())
    [record] = await records.list_page(conn)
    assert (record.kind, record.actor_id, record.object, record.at) == ("role:grant", 5, "account 6", NOW)
    assert (record.source, record.detail) == (entry.source, entry.detail)


async def test_nothing_to_write_writes_nothing(conn: Connection) -> None:
    """A batch may have nothing to tell."""
    await records.write(conn, [], now=NOW, new_id=ids())
    assert await records.list_page(conn) == []


async def test_pages_go_down_and_up_and_by_person_and_kind(conn: Connection) -> None:
    """No list is unbounded, and none skips or repeats."""
    await _write(conn, 5)
    await _write(conn, 2, RecordKind.SESSION_LOGOUT, actor=2)
    whole = [record.id for record in await records.list_page(conn)]
    assert whole == sorted(whole, reverse=True)
    first = await records.list_page(conn, limit=3)
    second = await records.list_page(conn, max_id=first[-1].id, limit=10)
    assert [record.id for record in (*first, *second)] == whole
    back = await records.list_page(conn, min_id=second[-1].id, limit=2)
    assert [record.id for record in back] == whole[-3:-1]
    assert len(await records.list_page(conn, actor_id=1)) == 5
    assert len(await records.list_page(conn, kind=RecordKind.SESSION_LOGOUT)) == 2
    assert await records.list_page(conn, actor_id=1, kind=RecordKind.SESSION_LOGOUT) == []


@pytest.mark.parametrize("statement", ["update {} set kind = 'x'", "delete from {}", "truncate {}"])
@pytest.mark.parametrize("table", ["compliance.record", "compliance.record_2026_06", "compliance.decision"])
async def test_the_servers_role_changes_no_record(conn: Connection, statement: str, table: str) -> None:
    """Append-only for the role that the server runs as: it has no right to."""
    await _write(conn, 1)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute(statement.format(table))


async def test_months_are_opened_ahead(conn: Connection) -> None:
    """A month without a partition would stop every act of everybody."""
    far = datetime(2031, 12, 15, tzinfo=UTC)
    assert await records.open_months(conn, far) == 1 + records.MONTHS_AHEAD
    assert await records.open_months(conn, far) == 0
    entry = Entry(RecordKind.SESSION_LOGIN, None, None, source=Source.internal())
    for days in (0, 31, 62, 93):
        await records.write(conn, [entry], now=far + timedelta(days=days), new_id=ids())
    with pytest.raises(asyncpg.CheckViolationError):
        await records.write(conn, [entry], now=far + timedelta(days=200), new_id=ids())
