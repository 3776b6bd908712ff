"""Marks come with their accounts, and stop when they run out or are taken away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from compliance.activity import Actor
from compliance.classes import CertClass
from server.pipeline import Road
from server.store import accounts, cache, marks
from server.store.marks import Mark
from tests.fixtures.people import NOW, Join


def mark(label: str = "北京市示范局", **changes: Any) -> Mark:
    values: dict[str, Any] = {
        "class_": CertClass.GOVERNMENT,
        "label": label,
        "certified_at": NOW - timedelta(days=1),
        "expires_at": NOW + timedelta(days=364),
    }
    return Mark(**(values | changes))


async def give(road: Road, who: Actor, given: Mark | None) -> bool:
    async with road.pool.acquire() as conn, conn.transaction():
        changed = await marks.set(conn, who.id, given)
    marks.forget(road.events, who.id)
    return changed


async def names(road: Road) -> set[str]:
    return {row["skeleton"] for row in await road.pool.fetch("select skeleton from mark_name")}


async def test_a_mark_comes_with_the_account_and_goes(road: Road, join: Join) -> None:
    ju = await join("ju")
    assert await give(road, ju, mark())
    async with road.pool.acquire() as conn:
        view = await accounts.get(conn, ju.id, uris=road.uris)
        assert view.mark == mark() == await marks.find(conn, ju.id)
        assert view is await accounts.get(conn, ju.id, uris=road.uris)  # kept
        assert await give(road, ju, None)
        assert (await accounts.get(conn, ju.id, uris=road.uris)).mark is None
    assert ("accounts", str(ju.id)) in road.events.notes  # type: ignore[attr-defined]
    assert not await give(road, ju, None)
    assert await names(road) == set()


async def test_the_same_mark_again_changes_nothing(road: Road, join: Join) -> None:
    ju = await join("ju")
    assert await give(road, ju, mark())
    assert not await give(road, ju, mark())
    assert await give(road, ju, mark("北京市新局"))
    assert "北京市新局" in await names(road)
    assert "北京市示范局" not in await names(road)


@pytest.mark.parametrize(("days", "shown"), [(-2, False), (0, True), (363, True), (364, False)])
async def test_it_shows_only_while_it_holds(road: Road, join: Join, days: int, shown: bool) -> None:
    ju = await join("ju")
    await give(road, ju, mark())
    async with road.pool.acquire() as conn:
        view = await accounts.get(conn, ju.id, uris=road.uris)
    assert (view.mark_at(NOW + timedelta(days=days)) is not None) is shown


async def test_out_of_sight_is_without_mark(road: Road, join: Join) -> None:
    ju = await join("ju")
    await give(road, ju, mark())
    async with road.pool.acquire() as conn:
        view = await accounts.get(conn, ju.id, uris=road.uris)
    assert view.veiled().mark is None
    cache.forget_all()


async def test_names_are_kept_for_ours_only_and_by_class(road: Road, join: Join) -> None:
    ju, singer, far = await join("ju"), await join("singer"), await join("far", host="far.example")
    await give(road, ju, mark())
    await give(road, singer, mark("歌手", class_=CertClass.INDIVIDUAL))
    await give(road, far, mark("远方局", host="far.example"))
    assert await names(road) == {"北京市示范局", "ju", "singer"}
