"""Pictures on the wire: what is served, to whom, with which headers, and when no longer."""

from __future__ import annotations

import io

import pytest

from server import keys, media_routes
from server.db.pool import Connection
from server.media import files
from server.store import served
from tests.fixtures.server import Caller, Client, Enter

from .samples import encoded, scene


async def _upload(caller: Caller) -> dict[str, str]:
    made = await caller.call("POST", "/api/v2/media", data={"file": io.BytesIO(encoded(scene(), "PNG"))})
    body: dict[str, str] = made.raised().body
    return body


def _path(url: str) -> str:
    return "/media/" + url.rpartition("/")[2]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are not kept, so that a change shows at the next request."""
    monkeypatch.setattr(media_routes, "KEPT_SECONDS", 0.0)


async def test_a_picture_and_its_preview_are_served_as_what_they_are(
    client: Client, enter: Enter, nobody: Caller
) -> None:
    """Harmless even when opened alone, kept by caches for good, shown by clients of any origin."""
    made = await _upload(await enter("alice"))
    for url, mime in ((made["url"], "image/png"), (made["preview_url"], "image/jpeg")):
        answer = await nobody.call("GET", _path(url))
        assert 200 == answer.status
        assert mime == answer.headers["Content-Type"]
        assert "nosniff" == answer.headers["X-Content-Type-Options"]
        assert "public, max-age=31536000, immutable" == answer.headers["Cache-Control"]
        assert "default-src 'none'; sandbox" == answer.headers["Content-Security-Policy"]
        assert "*" == answer.headers["Access-Control-Allow-Origin"]
        assert "Set-Cookie" not in answer.headers


async def test_a_part_or_a_copy_known_already_costs_little(
    client: Client, enter: Enter, nobody: Caller
) -> None:
    """Players and resumed downloads ask for ranges; browsers ask whether theirs is still right."""
    path = _path((await _upload(await enter("alice")))["url"])
    part = await nobody.call("GET", path, headers={"Range": "bytes=0-7"})
    assert (206, b"\x89PNG\r\n\x1a\n") == (part.status, part.body)
    again = await nobody.call("GET", path, headers={"If-None-Match": part.headers["ETag"]})
    assert 304 == again.status


@pytest.mark.parametrize(
    "name",
    [
        "0" * 32 + ".png",
        "0" * 32 + ".html",
        "..%2f..%2fsecret.key",
        "%252e%252e",
        "tmp",
        "a%00b",
        "x" * 300,
    ],
)
async def test_nothing_else_is_reached(nobody: Caller, name: str) -> None:
    """The same 404 for a name that does not exist and for one that could not."""
    assert 404 == (await nobody.call("GET", f"/media/{name}")).status


@pytest.mark.usefixtures("at_once")
async def test_pictures_of_a_deleted_post_are_gone(client: Client, enter: Enter, nobody: Caller) -> None:
    """Taking a post back takes its pictures back."""
    alice = await enter("alice")
    made = await _upload(alice)
    post = await alice.post("look", media_ids=[made["id"]])
    assert 200 == (await nobody.call("GET", _path(made["url"]))).status
    (await alice.call("DELETE", f"/api/v1/statuses/{post['id']}")).raised()
    assert 404 == (await nobody.call("GET", _path(made["url"]))).status
    assert 404 == (await nobody.call("GET", _path(made["preview_url"]))).status


@pytest.mark.usefixtures("at_once")
async def test_pictures_of_a_suspended_account_are_not_shown(
    client: Client, enter: Enter, nobody: Caller
) -> None:
    """And come back with the account."""
    alice = await enter("alice")
    path = _path((await _upload(alice))["url"])
    async with client.app[keys.POOL].acquire() as conn:
        await conn.execute("update account set suspended_at = now() where id = $1", alice.id)
        assert 404 == (await nobody.call("GET", path)).status
        await conn.execute("update account set suspended_at = null where id = $1", alice.id)
    assert 200 == (await nobody.call("GET", path)).status


async def test_the_database_is_asked_once_in_a_while(
    client: Client, enter: Enter, nobody: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of pictures must not be a page of queries."""
    asked = 0
    real = served.is_served

    async def counting(conn: Connection, names: list[str]) -> bool:
        nonlocal asked
        asked += 1
        return await real(conn, names)

    monkeypatch.setattr(served, "is_served", counting)
    path = _path((await _upload(await enter("alice")))["url"])
    for _ in range(3):
        assert 200 == (await nobody.call("GET", path)).status
        assert 404 == (await nobody.call("GET", f"/media/{'0' * 32}.png")).status
    assert 2 == asked


async def test_a_file_that_is_lost_is_not_an_error_of_ours(
    client: Client, enter: Enter, nobody: Caller
) -> None:
    """A restored backup may lack files; a page with a gap is better than a 500."""
    made = await _upload(await enter("alice"))
    root = client.app[keys.SETTINGS].data / "media"
    await files.remove(root, made["url"].rpartition("/")[2])
    assert 404 == (await nobody.call("GET", _path(made["url"]))).status
