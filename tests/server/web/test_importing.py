"""Posts brought along from another server: at the time they had, to nobody's surprise, and past the gate."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from PIL import Image

from compliance import identity, wordlists
from server import importing
from server.db.pool import Connection
from server.pipeline import Road
from server.store import imports
from tests.fixtures.server import PASSWORD, SOURCE, Enter
from tests.server.web.visitor import Seen, Visitor

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
OLD = "https://old.example/users/mei"


def note(number: int, content: str = "", **members: Any) -> dict[str, Any]:
    made = {
        "id": f"{OLD}/statuses/{number}",
        "type": "Note",
        "attributedTo": OLD,
        "published": f"2021-03-0{number}T08:00:00Z",
        "content": content or f"<p>post {number}</p>",
        "to": [PUBLIC],
        "cc": [f"{OLD}/followers"],
    }
    return made | members


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(file, "PNG")
    return file.getvalue()


def packed(*notes: dict[str, Any], files: dict[str, bytes] | None = None, outbox: object = None) -> bytes:
    """An archive as Mastodon makes it."""
    acts: list[object] = [{"type": "Create", "actor": OLD, "object": one} for one in notes]
    acts.append({"type": "Announce", "actor": OLD, "object": "https://x.example/1"})
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        whole = {"type": "OrderedCollection", "orderedItems": acts} if outbox is None else outbox
        archive.writestr("outbox.json", json.dumps(whole))
        for name, data in (files or {}).items():
            archive.writestr(name, data)
    return file.getvalue()


async def send(who: Visitor, data: bytes) -> Seen:
    return await who.send("/settings/import", files={"archive": ("a.zip", data, "application/zip")})


async def settled(road: Road) -> None:
    """Until no archive waits: the application's own worker is at it too."""
    for _ in range(200):
        await importing.work(road)
        async with road.pool.acquire() as conn:
            if not await conn.fetchval("select exists (select from archive_import where state = 'waiting')"):
                return
        await asyncio.sleep(0.05)
    raise AssertionError("the archive is never done")


async def test_posts_come_at_the_time_they_had(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """With their words, pictures and threads; private messages are left out."""
    mei, fan = await enter("mei"), await enter("fan")
    await fan.do(f"/api/v1/accounts/{mei.id}/follow")
    now = await mei.post("now")
    shown = {
        "type": "Document",
        "mediaType": "image/png",
        "url": "/media_attachments/files/1/a.png",
        "name": "red",
    }
    archive = packed(
        note(2, '<p>second <a href="https://old.example/tags/t">#t</a></p>', inReplyTo=f"{OLD}/statuses/1"),
        note(1, attachment=[shown], tag=[{"type": "Mention", "href": "http://example.org/users/fan"}]),
        note(3, to=[f"{OLD}/followers"], cc=[]),
        note(4, to=["http://example.org/users/fan"], cc=[]),
        files={"media_attachments/files/1/a.png": picture()},
    )
    await visitor.log_in("mei")
    assert "at work" in (await send(visitor, archive)).text
    await settled(road_of)
    posts = await mei.get(f"/api/v1/accounts/{mei.id}/statuses")
    assert [now["created_at"][:10], "2021-03-03", "2021-03-02", "2021-03-01"] == [
        one["created_at"][:10] for one in posts
    ]
    assert ["public", "private", "public", "public"] == [one["visibility"] for one in posts]
    assert (posts[3]["id"], "red") == (
        posts[2]["in_reply_to_id"],
        posts[3]["media_attachments"][0]["description"],
    )
    assert "<p>second <a" in posts[2]["content"]
    assert [] == [each for each in await fan.get("/api/v1/notifications") if each["type"] == "mention"]
    assert [now["id"]] == [one["id"] for one in await fan.get("/api/v1/timelines/home")]
    async with road_of.pool.acquire() as conn:
        assert 0 == await conn.fetchval("select count(*) from federation.outbound")
    page = await visitor.get("/settings/import")
    assert ("3 of 4" in page.text, "1 were left out" in page.text) == (True, True)
    assert not list(importing.folder(road_of).glob("*.zip"))


async def test_what_was_brought_comes_once(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """Also out of a newer archive of the same posts."""
    mei = await enter("mei")
    await visitor.log_in("mei")
    for archive in (packed(note(1)), packed(note(1), note(2))):
        await send(visitor, archive)
        await settled(road_of)
    assert 2 == len(await mei.get(f"/api/v1/accounts/{mei.id}/statuses"))


async def test_the_gate_judges_each(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """The operator's rules stop one; the others come."""
    mei = await enter("mei")
    words = {"category": "fraud", "action": "refuse", "basis": "x", "rules": [{"pattern": "diploma"}]}
    rules = json.dumps({"name": "t", "version": "1", "lists": {"l": words}})
    async with road_of.pool.acquire() as conn, conn.transaction():
        now = road_of.clock()
        version = await wordlists.import_(conn, rules, by=None, now=now, source=SOURCE, new_id=road_of.ids)
        await wordlists.activate(conn, version, by=None, now=now, source=SOURCE, new_id=road_of.ids)
    await visitor.log_in("mei")
    await send(visitor, packed(note(1), note(2, "<p>a dip<b>loma</b></p>"), note(3)))
    await settled(road_of)
    assert 2 == len(await mei.get(f"/api/v1/accounts/{mei.id}/statuses"))
    assert "1 wait for a reviewer or were not let through" in (await visitor.get("/settings/import")).text


async def test_nobody_unknown_publishes_by_an_archive(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """Article 7: a lapsed identity stops here too; once it is renewed, the archive can be sent again."""
    mei = await enter("mei")
    await visitor.log_in("mei")
    async with road_of.pool.acquire() as conn, conn.transaction():
        lapsed = road_of.clock() - timedelta(days=1)
        await conn.execute("update compliance.identity set due_at = $1, lapses_at = $1", lapsed)
        await identity.sweep(conn, road_of.clock())
    await send(visitor, packed(note(1), note(2)))
    await settled(road_of)
    assert [] == await mei.get(f"/api/v1/accounts/{mei.id}/statuses")
    page = await visitor.get("/settings/import")
    assert ("stopped" in page.text, "Verify your identity again" in page.text) == (True, True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no zip", "not a ZIP file"),
        (packed(outbox={"orderedItems": 7}), "cannot be read"),
        (packed(outbox=[]), "cannot be read"),
        (packed()[:-30], "not a ZIP file"),
    ],
)
async def test_what_is_no_archive_is_refused(visitor: Visitor, enter: Enter, data: bytes, words: str) -> None:
    """With what to do about it, and nothing stays behind."""
    await enter("mei")
    await visitor.log_in("mei")
    answer = await send(visitor, data)
    assert (422, True) == (answer.status, words in answer.text)


async def test_it_can_be_stopped(visitor: Visitor, another: Visitor, enter: Enter, road_of: Road) -> None:
    """By its owner, and by nobody else."""
    mei, _ = await enter("mei"), await enter("fan")
    await visitor.log_in("mei")
    await send(visitor, packed(note(1, to=[OLD], cc=[])))
    await settled(road_of)
    async with road_of.pool.acquire() as conn:
        # As if another process were at it.
        import_id = await conn.fetchval(
            "update archive_import set state = 'waiting', claimed_until = 'infinity' returning id"
        )
    await another.log_in("fan")
    path = f"/settings/import/{import_id}/cancel"
    assert 404 == (await another.send(path, page="/settings/import")).status
    assert "cancelled" in (await visitor.send(path, page="/settings/import")).text
    assert [] == await mei.get(f"/api/v1/accounts/{mei.id}/statuses")


async def test_the_composer_keeps_a_post_for_later(visitor: Visitor, enter: Enter) -> None:
    """A day and a time in a zone; the list shows it, moves it and lets it go."""
    mei = await enter("mei")
    await visitor.log_in("mei")
    await visitor.send("/compose", status="later", due_at="2126-01-02T08:00", zone="8")
    assert [] == await mei.get("/api/v1/scheduled_statuses")
    year = datetime.now(UTC).year + 1
    page = await visitor.send("/compose", status="later", due_at=f"{year}-01-02T08:00", zone="8")
    assert ("/scheduled", True) == (page.path, "later" in page.text)
    [kept] = await mei.get("/api/v1/scheduled_statuses")
    assert f"{year}-01-02T00:00:00.000Z" == kept["scheduled_at"]
    path = f"/scheduled/{kept['id']}"
    await visitor.send(f"{path}/move", page="/scheduled", due_at=f"{year}-01-03T08:00", zone="0")
    [kept] = await mei.get("/api/v1/scheduled_statuses")
    assert f"{year}-01-03T08:00:00.000Z" == kept["scheduled_at"]
    assert 422 == (await visitor.send(f"{path}/move", page="/scheduled", due_at="x")).status
    await visitor.send(f"{path}/cancel", page="/scheduled")
    assert [] == await mei.get("/api/v1/scheduled_statuses")


async def test_whoever_stops_an_archive_hears_nothing_of_it(
    visitor: Visitor, enter: Enter, road_of: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that it was done, when the process that is at it finds out."""
    mei = await enter("mei")

    async def stopped(conn: Connection, import_id: int, *, now: datetime, **_: int) -> bool:
        await imports.cancel(conn, mei.id, import_id, now=now)
        return False

    monkeypatch.setattr(imports, "advance", stopped)
    await visitor.log_in("mei")
    await send(visitor, packed(note(1), note(2)))
    await settled(road_of)
    await asyncio.sleep(0.3)
    assert "cancelled" in (await visitor.get("/settings/import")).text
    assert 1 == len(await mei.get(f"/api/v1/accounts/{mei.id}/statuses"))
    assert [] == await mei.get("/api/v1/notifications")


async def test_what_waits_ends_with_the_account(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """No word of a scheduled post stays, and no archive is worked on."""
    await enter("mei")
    await visitor.log_in("mei")
    year = datetime.now(UTC).year + 1
    await visitor.send("/compose", status="secret words", due_at=f"{year}-01-02T08:00", zone="8")
    await send(visitor, packed(note(1)))
    await settled(road_of)
    async with road_of.pool.acquire() as conn:
        await conn.execute("update archive_import set state = 'waiting', claimed_until = 'infinity'")
    await visitor.send("/settings/account/close", page="/settings/account", username="mei", password=PASSWORD)
    async with road_of.pool.acquire() as conn:
        assert [("cancelled", '{"text": ""}')] == [
            tuple(row) for row in await conn.fetch("select state, draft::text from scheduled_post")
        ]
        assert "cancelled" == await conn.fetchval("select state from archive_import")
    await importing.sweep(road_of)
    assert not list(importing.folder(road_of).glob("*.zip"))


async def test_with_an_account_goes_where_its_posts_came_from(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """Data dies on time: addresses on another server say who somebody was there."""
    await enter("mei")
    await visitor.log_in("mei")
    await send(visitor, packed(note(1)))
    await settled(road_of)
    assert 1 == await road_of.pool.fetchval("select count(*) from imported_post")
    page = "/settings/account"
    await visitor.send(f"{page}/close", page=page, username="mei", password=PASSWORD)
    assert 0 == await road_of.pool.fetchval("select count(*) from imported_post")
