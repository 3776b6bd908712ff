"""Claims of what was received: once each, in order for each actor, and never lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from compliance.activity import Uri
from server.db.pool import Connection
from server.store import inbound
from server.store.inbound import Claimed, LeaseLost, Received

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def put(conn: Connection, *pairs: tuple[int, str]) -> None:
    rows = [
        Received(id_, "far.test", Uri(f"https://far.test/a/{id_}"), Uri(f"https://far.test/{who}"), b"{}")
        for id_, who in pairs
    ]
    await inbound.insert(conn, rows, now=NOW)


async def claim(conn: Connection, *, at: datetime = NOW, limit: int = 10) -> list[int]:
    return [row.id for row in await take(conn, at=at, limit=limit)]


async def take(conn: Connection, *, at: datetime = NOW, limit: int = 10) -> list[Claimed]:
    return await inbound.claim(conn, limit=limit, now=at)


async def test_a_claim_takes_the_oldest_and_nobody_takes_them_again(conn: Connection) -> None:
    """Two workers never have the same row."""
    await put(conn, (1, "fei"), (2, "yun"), (3, "bo"))
    assert ([1, 2], [3], []) == (
        await claim(conn, limit=2),
        await claim(conn, limit=2),
        await claim(conn, limit=2),
    )


async def test_a_claim_brings_no_more_into_memory_than_it_may(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large activities come a few at a time, and one that is too large by itself comes alone."""
    await put(conn, (1, "fei"), (2, "yun"), (3, "bo"))
    monkeypatch.setattr(inbound, "CLAIM_BYTES", 4)
    assert [1, 2] == await claim(conn)
    monkeypatch.setattr(inbound, "CLAIM_BYTES", 1)
    assert [3] == await claim(conn)


async def test_nothing_of_an_actor_is_claimed_past_what_is_under_way(conn: Connection) -> None:
    """A Create and its Update must not pass each other in two workers."""
    await put(conn, (1, "fei"), (2, "fei"), (3, "bo"))
    assert ([1], [3]) == (await claim(conn, limit=1), await claim(conn))


async def test_what_was_put_back_waits_by_itself(conn: Connection) -> None:
    """A boost of a post on a dead server does not keep its booster silent."""
    await put(conn, (1, "fei"), (2, "fei"))
    [first] = await take(conn, limit=1)
    await inbound.put_back(conn, [first], due_at=NOW + 30 * SECOND, error="not now")
    assert [2] == await claim(conn, at=NOW + 29 * SECOND)
    assert [1] == await claim(conn, at=NOW + 31 * SECOND)


async def test_a_dead_workers_rows_are_claimed_again(conn: Connection) -> None:
    """A lease ends by itself; until then the row is not touched."""
    await put(conn, (1, "fei"))
    assert [1] == await claim(conn)
    assert [] == await claim(conn, at=NOW + inbound.LEASE - SECOND)
    assert [1] == await claim(conn, at=NOW + inbound.LEASE + SECOND)


async def test_a_late_worker_cannot_finish_what_another_has_now(conn: Connection) -> None:
    """Its transaction is rolled back, so the activity is applied by one of them only."""
    await put(conn, (1, "fei"))
    [mine] = await take(conn)
    [theirs] = await take(conn, at=NOW + inbound.LEASE + SECOND)
    with pytest.raises(LeaseLost):
        await inbound.finish(conn, [mine])
    await inbound.finish(conn, [theirs])
    assert "done" == await conn.fetchval("select state from federation.inbound where id = 1")


async def test_a_finished_row_keeps_its_id_and_drops_its_bytes(conn: Connection) -> None:
    """The id is what makes a repeated delivery known; the words are in their post."""
    await put(conn, (1, "fei"))
    await inbound.finish(conn, await take(conn))
    await put(conn, (1, "fei"))
    row = await conn.fetchrow("select state, body from federation.inbound")
    assert ("done", None) == tuple(row)


async def test_a_parked_row_lets_the_actors_others_pass(conn: Connection) -> None:
    """One activity that cannot be worked on does not silence its actor."""
    await put(conn, (1, "fei"), (2, "fei"))
    [first] = await take(conn, limit=1)
    await inbound.park(conn, first, error="unreadable")
    assert [2] == await claim(conn)


async def test_old_rows_are_forgotten_and_waiting_ones_are_not(conn: Connection) -> None:
    """Ids are kept longer than a signature holds, then go."""
    await put(conn, (1, "fei"), (2, "bo"))
    [first] = await take(conn, limit=1)
    await inbound.finish(conn, [first])
    assert 1 == await inbound.sweep(conn, before=NOW + SECOND, limit=10)
    assert [2] == [row["id"] for row in await conn.fetch("select id from federation.inbound")]
