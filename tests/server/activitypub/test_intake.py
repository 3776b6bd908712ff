"""What is acknowledged is committed, and many requests share a commit."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from compliance.activity import Uri
from server.activitypub.intake import Full, Intake
from server.store.inbound import Received

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def received(number: int, *, actor: str = "https://far.test/users/fei") -> Received:
    return Received(number, "far.test", Uri(f"https://far.test/a/{number}"), Uri(actor), b"{}")


def intake(pool: asyncpg.Pool[Any], woken: list[int] | None = None, **options: Any) -> Intake:
    return Intake(pool, lambda: NOW, lambda: None if woken is None else woken.append(1), **options)


async def test_what_is_acknowledged_is_there(pool: asyncpg.Pool[Any]) -> None:
    """Whoever got an answer can rely on it, whatever happens to this process next."""
    woken: list[int] = []
    await intake(pool, woken).put(received(1))
    assert b"{}" == await pool.fetchval("select body from federation.inbound where id = 1")
    assert [1] == woken


async def test_many_at_once_share_a_few_commits(pool: asyncpg.Pool[Any]) -> None:
    """The first is written at once, all that came meanwhile together."""
    woken: list[int] = []
    box = intake(pool, woken)
    async with asyncio.TaskGroup() as group:
        for number in range(300):
            group.create_task(box.put(received(number)))
    assert 300 == await pool.fetchval("select count(*) from federation.inbound")
    assert len(woken) <= 3


async def test_the_same_activity_is_stored_once(pool: asyncpg.Pool[Any]) -> None:
    """A sender that got no answer sends again; the second is acknowledged and changes nothing."""
    box = intake(pool)
    await asyncio.gather(*(box.put(received(number=7)) for _ in range(5)))
    again = Received(8, "far.test", Uri("https://far.test/a/7"), Uri("https://far.test/users/fei"), b"other")
    await box.put(again)
    assert [(7, b"{}")] == [tuple(r) for r in await pool.fetch("select id, body from federation.inbound")]


async def test_a_database_that_is_down_is_not_acknowledged(pool: asyncpg.Pool[Any]) -> None:
    """Everybody in the batch hears of it, and the next batch is tried afresh."""
    box = intake(pool)
    broken = Received(9, "far.test", Uri("x\x00"), Uri("https://far.test/users/fei"), b"{}")
    with pytest.raises(asyncpg.PostgresError):
        await box.put(broken)
    await box.put(received(10))
    assert 1 == await pool.fetchval("select count(*) from federation.inbound")


async def test_more_than_can_be_written_is_sent_away(pool: asyncpg.Pool[Any]) -> None:
    """Memory is bounded: a flood is told to come back."""
    box = intake(pool, capacity=2)
    first = asyncio.gather(*(box.put(received(number)) for number in range(2)))
    await asyncio.sleep(0)
    with pytest.raises(Full):
        await box.put(received(3))
    await first
    large = intake(pool, capacity_bytes=3)
    second = asyncio.ensure_future(large.put(received(4)))
    await asyncio.sleep(0)
    with pytest.raises(Full):
        await large.put(received(5))
    await second
    await large.put(received(6))
