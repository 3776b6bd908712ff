"""Posts that wait for their time: kept, moved, taken back, and judged when it comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance import identity
from server import scheduling
from server.pipeline import Road
from tests.fixtures.server import Enter

PATH = "/api/v1/scheduled_statuses"


def _in(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


async def _make_due(road: Road, scheduled_id: str) -> None:
    """Moves its time into the past, and does what the worker does."""
    async with road.pool.acquire() as conn:
        await conn.execute(
            "update scheduled_post set due_at = now() - interval '1 minute' where id = $1", int(scheduled_id)
        )
    await scheduling.publish_due(road)


async def test_a_post_waits_and_appears(enter: Enter, road_of: Road) -> None:
    """As Mastodon's clients know it."""
    alice, bob = await enter("alice"), await enter("bob")
    first = await alice.post("first")
    kept = await alice.do(
        "/api/v1/statuses",
        status="later",
        spoiler_text="careful",
        visibility="unlisted",
        in_reply_to_id=first["id"],
        scheduled_at=_in(60),
    )
    assert ("later", "careful", "unlisted") == tuple(
        kept["params"][name] for name in ("text", "spoiler_text", "visibility")
    )
    assert (int(first["id"]), []) == (kept["params"]["in_reply_to_id"], kept["media_attachments"])
    assert [kept] == await alice.get(PATH)
    assert kept == await alice.get(f"{PATH}/{kept['id']}")
    assert 404 == (await bob.call("GET", f"{PATH}/{kept['id']}")).status
    assert 1 == len(await alice.get(f"/api/v1/accounts/{alice.id}/statuses"))
    await _make_due(road_of, kept["id"])
    shown = (await alice.get(f"/api/v1/accounts/{alice.id}/statuses"))[0]
    assert ("careful", "unlisted", first["id"]) == (
        shown["spoiler_text"],
        shown["visibility"],
        shown["in_reply_to_id"],
    )
    assert [] == await alice.get(PATH)


async def test_it_is_moved_and_taken_back(enter: Enter) -> None:
    """By its author, and by nobody else."""
    alice, bob = await enter("alice"), await enter("bob")
    kept = await alice.post("later", scheduled_at=_in(60))
    path, later = f"{PATH}/{kept['id']}", _in(120)
    assert 404 == (await bob.call("PUT", path, json={"scheduled_at": later})).status
    moved = (await alice.call("PUT", path, json={"scheduled_at": later})).raised().body
    assert later[:16] == moved["scheduled_at"][:16]
    assert 404 == (await bob.call("DELETE", path)).status
    assert {} == (await alice.call("DELETE", path)).raised().body
    assert (404, []) == ((await alice.call("GET", path)).status, await alice.get(PATH))


@pytest.mark.parametrize("when", ["tomorrow", "2026-13-01T00:00:00Z", "9999-01-01T00:00:00Z"])
async def test_no_such_time(enter: Enter, when: str) -> None:
    """A clear error, and nothing is posted."""
    alice = await enter("alice")
    answer = await alice.call("POST", "/api/v1/statuses", json={"status": "x", "scheduled_at": when})
    assert 422 == answer.status
    assert [] == await alice.get(f"/api/v1/accounts/{alice.id}/statuses")


async def test_a_time_that_has_passed_means_now(enter: Enter) -> None:
    """As on Mastodon: a slow network must not turn a post into an error."""
    alice = await enter("alice")
    assert "now" in (await alice.post("now", scheduled_at=_in(-1)))["content"]


async def test_asked_for_twice_it_waits_once(enter: Enter) -> None:
    """A client that lost the answer asks again with the same key."""
    alice = await enter("alice")
    wish: dict[str, Any] = {"status": "later", "scheduled_at": _in(60)}
    asked = [
        await alice.call("POST", "/api/v1/statuses", json=wish, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert asked[0].body == asked[1].body
    assert 1 == len(await alice.get(PATH))


async def test_whose_identity_is_withdrawn_is_not_published(enter: Enter, road_of: Road) -> None:
    """The gate judges at the post's time, by what is then known (Article 7); its author is told."""
    alice = await enter("alice")
    kept = await alice.post("later", scheduled_at=_in(60))
    async with road_of.pool.acquire() as conn, conn.transaction():
        await conn.execute(
            "update compliance.identity set due_at = $2, lapses_at = $2 where account_id = $1",
            alice.id,
            road_of.clock() - timedelta(days=1),
        )
        await identity.sweep(conn, road_of.clock())
    await _make_due(road_of, kept["id"])
    assert [] == await alice.get(f"/api/v1/accounts/{alice.id}/statuses")
    told = await alice.get("/api/v1/notifications")
    words = [each["moderation_warning"]["text"] for each in told]
    assert 1 == sum("scheduled post" in each for each in words), words


async def test_pages_have_links(enter: Enter) -> None:
    """Keyset pages, as everywhere."""
    alice = await enter("alice")
    kept = [await alice.post(f"later {n}", scheduled_at=_in(60 + n)) for n in range(3)]
    page = await alice.call("GET", PATH, params={"limit": "2"})
    assert [one["id"] for one in reversed(kept)][:2] == [one["id"] for one in page.body]
    assert f"max_id={kept[1]['id']}" in page.headers["Link"]
