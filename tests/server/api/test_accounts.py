"""People by the client API: who they are, how they stand to each other, what they show."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image

from server.http.auth import SEEN
from server.pipeline import Road
from tests.fixtures.server import PASSWORD, Caller, Client, Enter, give_token


def picture(width: int = 40, height: int = 30, kind: str = "PNG") -> io.BytesIO:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "#993311").save(file, kind)
    file.seek(0)
    return file


async def _relation(caller: Caller, other: Caller) -> Any:
    (found,) = await caller.get("/api/v1/accounts/relationships", **{"id[]": str(other.id)})
    return found


def _true(relation: Mapping[str, Any]) -> set[str]:
    return {name for name, value in relation.items() if value is True}


async def test_following_and_letting_go(enter: Enter, nobody: Caller) -> None:
    """Counts and lists agree with what both sides are told."""
    alice, bob = await enter("alice"), await enter("bob")
    assert {"following", "showing_reblogs"} == _true(await bob.do(f"/api/v1/accounts/{alice.id}/follow"))
    assert {"followed_by"} == _true(await _relation(alice, bob))
    assert ["bob"] == [a["acct"] for a in await nobody.get(f"/api/v1/accounts/{alice.id}/followers")]
    assert ["alice"] == [a["acct"] for a in await nobody.get(f"/api/v1/accounts/{bob.id}/following")]
    assert 1 == (await nobody.get(f"/api/v1/accounts/{alice.id}"))["followers_count"]
    wish = await bob.do(f"/api/v1/accounts/{alice.id}/follow", reblogs=False, notify="true")
    assert {"following", "notifying"} == _true(wish)
    assert {"following", "notifying"} == _true(await bob.do(f"/api/v1/accounts/{alice.id}/follow"))
    assert set() == _true(await bob.do(f"/api/v1/accounts/{alice.id}/unfollow"))
    assert set() == _true(await bob.do(f"/api/v1/accounts/{alice.id}/unfollow"))
    assert 0 == (await nobody.get(f"/api/v1/accounts/{alice.id}"))["followers_count"]


async def test_a_locked_account_is_asked(enter: Enter) -> None:
    """Nobody reads what is for followers before they are one."""
    alice, bob, eve = await enter("alice"), await enter("bob"), await enter("eve")
    await alice.call("PATCH", "/api/v1/accounts/update_credentials", json={"locked": True})
    assert {"requested"} == _true(await bob.do(f"/api/v1/accounts/{alice.id}/follow"))
    await eve.do(f"/api/v1/accounts/{alice.id}/follow")
    assert {"requested_by"} == _true(await _relation(alice, bob))
    assert ["eve", "bob"] == [a["acct"] for a in await alice.get("/api/v1/follow_requests")]
    mine = await alice.get("/api/v1/accounts/verify_credentials")
    assert 2 == mine["source"]["follow_requests_count"]
    assert {"followed_by"} == _true(await alice.do(f"/api/v1/follow_requests/{bob.id}/authorize"))
    assert set() == _true(await alice.do(f"/api/v1/follow_requests/{eve.id}/reject"))
    assert [] == await alice.get("/api/v1/follow_requests")
    assert 404 == (await alice.call("POST", f"/api/v1/follow_requests/{eve.id}/authorize")).status
    assert set() == _true(await alice.do(f"/api/v1/accounts/{bob.id}/remove_from_followers"))
    assert set() == _true(await _relation(bob, alice))


async def test_a_block_ends_everything_between_two(enter: Enter) -> None:
    """And each is gone from the other's sight."""
    alice, bob = await enter("alice"), await enter("bob")
    await bob.do(f"/api/v1/accounts/{alice.id}/follow")
    made = await alice.post("hello @bob")
    assert {"blocking"} == _true(await alice.do(f"/api/v1/accounts/{bob.id}/block"))
    assert {"blocked_by"} == _true(await _relation(bob, alice))
    assert 404 == (await bob.call("GET", f"/api/v1/statuses/{made['id']}")).status
    assert [] == await bob.get("/api/v1/timelines/home")
    assert [] == await bob.get("/api/v1/notifications")
    assert 403 == (await bob.call("POST", f"/api/v1/accounts/{alice.id}/follow")).status
    assert ["bob"] == [a["acct"] for a in await alice.get("/api/v1/blocks")]
    assert set() == _true(await alice.do(f"/api/v1/accounts/{bob.id}/unblock"))
    assert 200 == (await bob.call("GET", f"/api/v1/statuses/{made['id']}")).status


async def test_a_mute_hides_from_lists_and_is_nobodys_business(enter: Enter) -> None:
    """For good or for a time."""
    alice, bob = await enter("alice"), await enter("bob")
    await bob.do(f"/api/v1/accounts/{alice.id}/follow")
    made = await alice.post("hello @bob")
    muted = await bob.do(f"/api/v1/accounts/{alice.id}/mute", duration="3600", notifications="false")
    assert {"muting", "following", "showing_reblogs"} == _true(muted)
    (shown,) = await bob.get("/api/v1/mutes")
    assert ("alice", True) == (shown["acct"], shown["mute_expires_at"].endswith("Z"))
    assert [] == await bob.get("/api/v1/timelines/home")
    assert 200 == (await bob.call("GET", f"/api/v1/statuses/{made['id']}")).status
    assert set() == _true(await _relation(alice, bob)) - {"followed_by"}
    again = await bob.do(f"/api/v1/accounts/{alice.id}/mute")
    assert {"muting", "muting_notifications"} <= _true(again)
    assert "muting" not in _true(await bob.do(f"/api/v1/accounts/{alice.id}/unmute"))
    assert [made["id"]] == [each["id"] for each in await bob.get("/api/v1/timelines/home")]
    assert 422 == (await bob.call("POST", f"/api/v1/accounts/{bob.id}/mute")).status


async def test_nobody_acts_on_themselves_or_on_nobody(enter: Enter) -> None:
    """4xx, and nothing happens."""
    alice = await enter("alice")
    for act in ("follow", "block", "unfollow", "unblock"):
        assert 403 == (await alice.call("POST", f"/api/v1/accounts/{alice.id}/{act}")).status
    for act in ("follow", "block", "mute", "unmute", "unfollow", "remove_from_followers"):
        assert 404 == (await alice.call("POST", f"/api/v1/accounts/12345/{act}")).status


async def test_relationships_take_both_spellings_and_leave_out_strangers(enter: Enter) -> None:
    """`id[]=1&id[]=2`, and `id=1` of older clients."""
    alice, bob = await enter("alice"), await enter("bob")
    path = "/api/v1/accounts/relationships"
    several = await alice.call("GET", f"{path}?id[]={bob.id}&id[]={alice.id}&id[]=1&id[]={bob.id}")
    assert [str(bob.id), str(alice.id)] == [each["id"] for each in several.body]
    assert [str(bob.id)] == [each["id"] for each in await alice.get(path, id=str(bob.id))]
    assert [] == await alice.get(path)
    assert 422 == (await alice.call("GET", path, params={"id[]": "x"})).status


async def test_a_profile_shows_what_was_set_and_keeps_the_rest(enter: Enter, nobody: Caller) -> None:
    """Each client sends only what changed."""
    alice = await enter("alice")
    path = "/api/v1/accounts/update_credentials"
    fields = {"0": {"name": "site", "value": "https://example.net"}, "1": {"name": "city", "value": "杭州"}}
    first = await alice.call(
        "PATCH", path, json={"display_name": "Alice", "note": "I am #here\n<b>", "fields_attributes": fields}
    )
    mine = first.raised().body
    assert ("I am #here\n<b>", "https://example.net") == (
        mine["source"]["note"],
        mine["source"]["fields"][0]["value"],
    )
    form = {"bot": "true", "discoverable": "0", "indexable": "1"}
    form |= {"source[privacy]": "unlisted", "source[sensitive]": "true", "source[language]": "fr"}
    (await alice.call("PATCH", path, data=form)).raised()
    shown = await nobody.get(f"/api/v1/accounts/{alice.id}")
    assert "Alice" == shown["display_name"]
    assert "&lt;b&gt;" in shown["note"]
    assert ["site", "city"] == [field["name"] for field in shown["fields"]]
    assert 'rel="me nofollow noopener"' in shown["fields"][0]["value"]
    assert (True, False, True, False) == (
        shown["bot"],
        shown["discoverable"],
        shown["indexable"],
        shown["noindex"],
    )
    made = await alice.post("by default")
    assert ("unlisted", True, "fr") == (made["visibility"], made["sensitive"], made["language"])
    chosen = await alice.get("/api/v1/preferences")
    assert {
        "posting:default:visibility": "unlisted",
        "posting:default:sensitive": True,
        "posting:default:language": "fr",
        "reading:expand:media": "default",
        "reading:expand:spoilers": False,
    } == chosen
    cleared = await alice.call("PATCH", path, json={"display_name": "", "fields_attributes": []})
    assert ("", []) == (cleared.body["display_name"], cleared.body["fields"])
    assert "I am #here\n<b>" == cleared.body["source"]["note"]


async def test_pictures_of_a_profile_come_and_go(enter: Enter, client: Client) -> None:
    """Sent as files beside the words; other changes leave them alone."""
    alice = await enter("alice")
    path = "/api/v1/accounts/update_credentials"
    before = await alice.get("/api/v1/accounts/verify_credentials")
    assert "missing" in before["avatar"] and "missing" in before["header"]
    form = FormData({"display_name": "Alice"})
    form.add_field("avatar", picture(), filename="a.png", content_type="image/png")
    form.add_field("header", picture(80, 20), filename="h.png", content_type="image/png")
    shown = (await alice.call("PATCH", path, data=form)).raised().body
    assert shown["avatar"].startswith("http://example.org/media/")
    later = (await alice.call("PATCH", path, json={"note": "x"})).raised().body
    assert (shown["avatar"], shown["header"]) == (later["avatar"], later["header"])
    gone = (await alice.call("DELETE", "/api/v1/profile/avatar")).raised().body
    assert ("missing" in gone["avatar"], shown["header"]) == (True, gone["header"])
    assert "missing" in (await alice.call("DELETE", "/api/v1/profile/header")).body["header"]


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": "a" * 51},
        {"note": "a" * 1_001},
        {"fields_attributes": [{"name": "a" * 256, "value": "b"}]},
        {"fields_attributes": [{"name": str(number), "value": "b"} for number in range(11)]},
        {"fields_attributes": "text"},
        {"source": {"privacy": "nobody"}},
        {"source": {"language": "x" * 36}},
        {"display_name": ["a"]},
    ],
)
async def test_a_profile_that_cannot_be_is_422(enter: Enter, change: dict[str, Any]) -> None:
    """And the one before it stays."""
    alice = await enter("alice")
    assert 422 == (await alice.call("PATCH", "/api/v1/accounts/update_credentials", json=change)).status
    assert "" == (await alice.get("/api/v1/accounts/verify_credentials"))["display_name"]


async def test_profile_words_are_published_words(enter: Enter) -> None:
    """Rule H4: an unverified person shows nothing."""
    new = await enter("new", verified=False)
    answer = await new.call("PATCH", "/api/v1/accounts/update_credentials", json={"display_name": "X"})
    assert (403, "identity_required") == (answer.status, answer.body["yanlu"]["reason"])
    prefer = {"source": {"privacy": "private"}}
    assert 200 == (await new.call("PATCH", "/api/v1/accounts/update_credentials", json=prefer)).status


async def test_who_is_looked_up_by_name(enter: Enter, nobody: Caller) -> None:
    """With or without our own host, in whatever case."""
    alice = await enter("Alice")
    for acct in ("alice", "ALICE", "@Alice", "Alice@example.org", "@alice@EXAMPLE.org"):
        assert str(alice.id) == (await nobody.get("/api/v1/accounts/lookup", acct=acct))["id"]
    for acct in ("", "nobody", "alice@elsewhere.example", "@", "a b", "alice%00"):
        assert 404 == (await nobody.call("GET", "/api/v1/accounts/lookup", params={"acct": acct})).status
    found = await alice.get("/api/v1/accounts/search", q="ali")
    assert [str(alice.id)] == [each["id"] for each in found]
    several = await nobody.get("/api/v1/accounts", **{"id[]": str(alice.id)})
    assert ["Alice"] == [each["username"] for each in several]


async def test_who_is_suspended_shows_nothing_and_who_is_gone_is_404(
    enter: Enter, nobody: Caller, client: Client, road_of: Road
) -> None:
    """Rule D6: at read time, wherever they are met."""
    alice, bob = await enter("alice"), await enter("bob")
    await alice.call("PATCH", "/api/v1/accounts/update_credentials", json={"display_name": "Alice"})
    made = await alice.post("hello")
    await bob.do(f"/api/v1/statuses/{made['id']}/reblog")
    async with road_of.pool.acquire() as conn:
        await conn.execute("update account set suspended_at = now() where id = $1", alice.id)
    road_of.events.notify("accounts", str(alice.id))
    shown = await nobody.get(f"/api/v1/accounts/{alice.id}")
    assert (True, "") == (shown["suspended"], shown["display_name"])
    assert 404 == (await bob.call("GET", f"/api/v1/statuses/{made['id']}")).status
    assert [] == await bob.get(f"/api/v1/accounts/{bob.id}/statuses")
    async with road_of.pool.acquire() as conn:
        await conn.execute("update account set gone_at = now() where id = $1", alice.id)
    road_of.events.notify("accounts", str(alice.id))
    assert 404 == (await nobody.call("GET", f"/api/v1/accounts/{alice.id}")).status
    assert 404 == (await nobody.call("GET", "/api/v1/accounts/lookup", params={"acct": "alice"})).status


async def test_lists_of_posts_narrow_as_asked(enter: Enter, nobody: Caller) -> None:
    """The tabs of a profile."""
    alice, bob = await enter("alice"), await enter("bob")
    plain = await alice.post("plain #one")
    other = await bob.post("other")
    reply = await alice.post("reply", in_reply_to_id=other["id"])
    boost = await alice.do(f"/api/v1/statuses/{other['id']}/reblog")
    path = f"/api/v1/accounts/{alice.id}/statuses"

    async def ids(**asked: str) -> list[str]:
        return [each["id"] for each in await nobody.get(path, **asked)]

    assert [boost["id"], reply["id"], plain["id"]] == await ids()
    assert [boost["id"], plain["id"]] == await ids(exclude_replies="true")
    assert [reply["id"], plain["id"]] == await ids(exclude_reblogs="1")
    assert [plain["id"]] == await ids(tagged="ONE")
    assert [] == await ids(only_media="true")
    assert [] == await ids(pinned="true")


async def test_an_app_signs_somebody_up(nobody: Caller, road_of: Road, tmp_path: Path) -> None:
    """The token works once the address is confirmed, and nothing tells who has an account (rule E7)."""
    app = Caller(nobody.client, await give_token(road_of, None, ("read", "write")))
    said = {"username": "carol", "email": "carol@mail.example", "password": PASSWORD, "agreement": "true"}
    first = await app.call("POST", "/api/v1/accounts", json=said)
    token = first.raised().body
    second = await app.call("POST", "/api/v1/accounts", json=said | {"username": "other"})
    assert (200, token.keys()) == (second.status, second.body.keys())
    carol, decoy = (Caller(nobody.client, each["access_token"]) for each in (token, second.body))
    kept_out = [await caller.call("GET", "/api/v1/accounts/verify_credentials") for caller in (carol, decoy)]
    assert kept_out[0].body == kept_out[1].body
    assert [403, 403] == [each.status for each in kept_out]
    async with road_of.pool.acquire() as conn:
        await conn.execute("update member set email_confirmed_at = now()")
    nobody.client.app[SEEN].forget()
    assert "carol" == (await carol.get("/api/v1/accounts/verify_credentials"))["username"]
    assert 403 == (await decoy.call("GET", "/api/v1/accounts/verify_credentials")).status


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "a b"}, "username"),
        ({"username": "admin"}, "username"),
        ({"username": "Taken"}, "username"),
        ({"email": "nonsense"}, "email"),
        ({"password": "short"}, "password"),
        ({"agreement": False}, "agreement"),
    ],
)
async def test_a_sign_up_that_cannot_be_names_its_field(
    enter: Enter, nobody: Caller, road_of: Road, change: dict[str, Any], field: str
) -> None:
    """In the form that clients mark fields by."""
    await enter("taken")
    app = Caller(nobody.client, await give_token(road_of, None, ("write:accounts",)))
    said = {"username": "dave", "email": "dave@mail.example", "password": PASSWORD, "agreement": True}
    answer = await app.call("POST", "/api/v1/accounts", json=said | change)
    assert (422, [field]) == (answer.status, list(answer.body["details"]))
    assert 401 == (await nobody.call("POST", "/api/v1/accounts", json=said)).status
