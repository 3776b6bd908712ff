"""Timelines, paging, notices, markers, search, pictures, reports, and what the server says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import FormData

from tests.fixtures.server import Answer, Caller, Enter

from .test_accounts import picture


def links(answer: Answer) -> dict[str, dict[str, str]]:
    """The `Link` header as queries by relation."""
    found = re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("Link", ""))
    assert all(url.startswith("http://example.org/api/") for url, _ in found)
    return {rel: dict(parse_qsl(urlsplit(url).query)) for url, rel in found}


async def test_a_timeline_pages_both_ways_by_its_links(enter: Enter) -> None:
    """Keyset windows: nothing twice, nothing left out, whatever is posted meanwhile."""
    alice = await enter("alice")
    ids = [(await alice.post(f"number {number}"))["id"] for number in range(7)][::-1]
    path, seen = "/api/v1/timelines/home", []
    answer = await alice.call("GET", path, params={"limit": "3"})
    first = links(answer)
    while answer.raised().body:
        seen += [each["id"] for each in answer.body]
        asked = links(answer)["next"]
        assert "3" == asked["limit"]
        answer = await alice.call("GET", path, params=asked)
    assert ids == seen
    newer = [(await alice.post(f"newer {number}"))["id"] for number in range(5)]
    answer = await alice.call("GET", path, params=first["prev"])
    assert newer[:3][::-1] == [each["id"] for each in answer.body]
    answer = await alice.call("GET", path, params=links(answer)["prev"])
    assert newer[3:][::-1] == [each["id"] for each in answer.body]
    since = await alice.get(path, since_id=newer[1])
    assert newer[2:][::-1] == [each["id"] for each in since]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"limit": "0"}, 200),
        ({"limit": "-5"}, 200),
        ({"limit": "1000000"}, 200),
        ({"limit": "many"}, 422),
        ({"max_id": "9" * 30}, 200),
        ({"min_id": "-1"}, 200),
        ({"since_id": ""}, 200),
        ({"max_id": "abc"}, 422),
    ],
)
async def test_odd_windows_are_bounded_or_refused(enter: Enter, asked: dict[str, str], status: int) -> None:
    """No list is unbounded, and no number reaches the database that it cannot hold."""
    alice = await enter("alice")
    for path in (
        "/api/v1/timelines/home",
        "/api/v1/timelines/public",
        "/api/v1/notifications",
        "/api/v1/mutes",
    ):
        assert status == (await alice.call("GET", path, params=asked)).status


async def test_home_holds_whom_one_follows_and_their_boosts(enter: Enter) -> None:
    """Also what they wrote before nobody asked; not replies of strangers to strangers."""
    alice, bob, carol = await enter("alice"), await enter("bob"), await enter("carol")
    await carol.do(f"/api/v1/accounts/{alice.id}/follow")
    made = await bob.post("by bob")
    boost = await alice.do(f"/api/v1/statuses/{made['id']}/reblog")
    own = await carol.post("mine")
    home = await carol.get("/api/v1/timelines/home")
    assert [own["id"], boost["id"]] == [each["id"] for each in home]
    assert made["id"] == home[1]["reblog"]["id"]
    await bob.call("DELETE", f"/api/v1/statuses/{made['id']}")
    assert [own["id"]] == [each["id"] for each in await carol.get("/api/v1/timelines/home")]


async def test_public_timelines_narrow_as_asked(enter: Enter, nobody: Caller) -> None:
    """No replies, no boosts, nothing that is not public."""
    alice = await enter("alice")
    made = await alice.post("open #日本語 #Mixed")
    await alice.post("quiet", visibility="unlisted")
    await alice.post("reply", in_reply_to_id=made["id"])

    async def ids(path: str, **asked: str) -> list[str]:
        return [each["id"] for each in await nobody.get(path, **asked)]

    assert [made["id"]] == await ids("/api/v1/timelines/public")
    assert [made["id"]] == await ids("/api/v1/timelines/public", local="true")
    assert [] == await ids("/api/v1/timelines/public", remote="true")
    assert [] == await ids("/api/v1/timelines/public", only_media="1")
    assert [made["id"]] == await ids("/api/v1/timelines/tag/日本語")
    assert [made["id"]] == await ids("/api/v1/timelines/tag/mIXED")
    assert [] == await ids("/api/v1/timelines/tag/unused")
    assert 404 == (await nobody.call("GET", f"/api/v1/timelines/tag/{'a' * 101}")).status
    assert 401 == (await nobody.call("GET", "/api/v1/timelines/home")).status


async def test_a_hashtag_by_itself_counts_its_days(enter: Enter, nobody: Caller) -> None:
    """As strings, as Mastodon does."""
    alice = await enter("alice")
    await alice.post("a #Tag")
    tag = await alice.get("/api/v1/tags/TAG")
    assert ("tag", "http://example.org/tags/tag", False) == (tag["name"], tag["url"], tag["following"])
    assert ("1", "1") == (tag["history"][0]["uses"], tag["history"][0]["accounts"])
    assert 7 == len(tag["history"])
    assert "following" not in await nobody.get("/api/v1/tags/other")


async def test_one_is_told_what_others_do(enter: Enter) -> None:
    """Each kind, with what it is about, and only as long as it may be seen."""
    alice, bob = await enter("alice"), await enter("bob")
    made = await alice.post("good")
    await bob.do(f"/api/v1/accounts/{alice.id}/follow")
    await bob.do(f"/api/v1/statuses/{made['id']}/favourite")
    await bob.do(f"/api/v1/statuses/{made['id']}/reblog")
    named = await bob.post("hello @alice", visibility="direct")
    told = await alice.get("/api/v1/notifications")
    assert ["mention", "reblog", "favourite", "follow"] == [each["type"] for each in told]
    assert [named["id"], made["id"], made["id"]] == [each["status"]["id"] for each in told[:3]]
    assert "status" not in told[3]
    assert {"bob"} == {each["account"]["acct"] for each in told}
    assert told[1]["group_key"] != told[2]["group_key"]
    assert ["mention", "follow"] == [
        each["type"]
        for each in (await alice.call("GET", "/api/v1/notifications?types[]=mention&types[]=follow")).body
    ]
    assert ["follow"] == [
        each["type"]
        for each in await alice.get(
            "/api/v1/notifications", **{"types[]": "follow", "exclude_types[]": "poll"}
        )
    ]
    assert [] == await alice.get("/api/v1/notifications", account_id=str(alice.id))
    assert told[0] == await alice.get(f"/api/v1/notifications/{told[0]['id']}")
    assert 404 == (await bob.call("GET", f"/api/v1/notifications/{told[0]['id']}")).status
    assert 404 == (await bob.call("POST", f"/api/v1/notifications/{told[0]['id']}/dismiss")).status
    assert {"count": 4} == await alice.get("/api/v1/notifications/unread_count")
    assert {} == await alice.do(f"/api/v1/notifications/{told[0]['id']}/dismiss")
    await alice.do("/api/v1/markers", notifications={"last_read_id": told[2]["id"]})
    assert {"count": 1} == await alice.get("/api/v1/notifications/unread_count")
    assert {} == await alice.do("/api/v1/notifications/clear")
    assert [] == await alice.get("/api/v1/notifications")


async def test_markers_remember_how_far_one_has_read(enter: Enter) -> None:
    """Form, JSON, and only what is asked for."""
    alice, bob = await enter("alice"), await enter("bob")
    assert {} == await alice.get("/api/v1/markers")
    moved = await alice.call("POST", "/api/v1/markers", data={"home[last_read_id]": "123"})
    assert ("123", 1) == (moved.body["home"]["last_read_id"], moved.body["home"]["version"])
    await alice.do("/api/v1/markers", home={"last_read_id": 456}, notifications={"last_read_id": "7"})
    asked = await alice.call("GET", "/api/v1/markers?timeline[]=home&timeline[]=other")
    assert ("456", 2) == (asked.body["home"]["last_read_id"], asked.body["home"]["version"])
    assert ["home"] == list(asked.body)
    assert {} == (await bob.call("GET", "/api/v1/markers?timeline[]=home")).body
    assert 422 == (await alice.call("POST", "/api/v1/markers", json={"home": {"last_read_id": "x"}})).status


async def _upload(caller: Caller, file: Any, path: str = "/api/v2/media", **said: str) -> Answer:
    form = FormData(said)
    form.add_field("file", file, filename="../x.png", content_type="image/png")
    return await caller.call("POST", path, data=form)


async def test_a_picture_comes_onto_a_post(enter: Enter, nobody: Caller) -> None:
    """By the old way and the new, with words and focus; afterwards it belongs to the post."""
    alice, bob = await enter("alice"), await enter("bob")
    one = (await _upload(alice, picture(), description="a square", focus="-0.5,0.25")).raised().body
    two = (await _upload(alice, picture(kind="JPEG"), "/api/v1/media")).raised().body
    assert ("image", "a square") == (one["type"], one["description"])
    assert {"x": -0.5, "y": 0.25} == one["meta"]["focus"]
    assert {"width": 40, "height": 30, "size": "40x30", "aspect": 40 / 30} == one["meta"]["original"]
    assert re.fullmatch(r"http://example\.org/media/[0-9a-f]{32}\.\w+", one["url"])
    assert one["blurhash"]
    assert (None, None) == (one["remote_url"], two["description"])
    for method, said in (("GET", None), ("PUT", {"description": "x"}), ("DELETE", None)):
        assert 404 == (await bob.call(method, f"/api/v1/media/{one['id']}", json=said)).status
    changed = await alice.call("PUT", f"/api/v1/media/{two['id']}", json={"description": "two"})
    assert "two" == changed.raised().body["description"]
    assert 422 == (await bob.call("POST", "/api/v1/statuses", json={"media_ids": [one["id"]]})).status
    made = await alice.do("/api/v1/statuses", media_ids=[two["id"], one["id"]])
    assert [two["id"], one["id"]] == [each["id"] for each in made["media_attachments"]]
    assert "two" == made["media_attachments"][0]["description"]
    assert [made["id"]] == [
        each["id"] for each in await nobody.get("/api/v1/timelines/public", only_media="true")
    ]
    assert 422 == (await alice.call("POST", "/api/v1/statuses", json={"media_ids": [one["id"]]})).status
    assert 404 == (await alice.call("DELETE", f"/api/v1/media/{one['id']}")).status
    words = {"media_ids": [one["id"]], "media_attributes": [{"id": one["id"], "description": "new"}]}
    edited = await alice.call("PUT", f"/api/v1/statuses/{made['id']}", json={"status": "x"} | words)
    assert [(one["id"], "new")] == [
        (each["id"], each["description"]) for each in edited.raised().body["media_attachments"]
    ]


async def test_a_retried_post_with_a_picture_is_one_post(enter: Enter) -> None:
    """The picture is on the post by then, which must not make the answer another."""
    alice = await enter("alice")
    one = (await _upload(alice, picture())).raised().body
    key, said = {"Idempotency-Key": "p"}, {"media_ids": [one["id"]]}
    first, again = [await alice.call("POST", "/api/v1/statuses", json=said, headers=key) for _ in range(2)]
    assert first.raised().body["id"] == again.raised().body["id"]


async def test_a_picture_that_was_not_wanted_can_be_taken_back(enter: Enter, tmp_path: Path) -> None:
    """And its files with it."""
    alice = await enter("alice")
    one = (await _upload(alice, picture())).raised().body
    assert {} == (await alice.call("DELETE", f"/api/v1/media/{one['id']}")).raised().body
    assert 404 == (await alice.call("GET", f"/api/v1/media/{one['id']}")).status
    assert [] == [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def test_what_is_no_picture_is_refused_and_leaves_nothing(enter: Enter, tmp_path: Path) -> None:
    """Whatever its name and type say."""
    alice, new = await enter("alice"), await enter("new", verified=False)
    cut = picture(400, 300).getvalue()[:200]
    for raw in (b"<svg/>", b"", cut, b"GIF89a"):
        assert 422 == (await _upload(alice, raw)).status
    for focus in ("a,b", "2,0", "1", "nan,0", "0,0,0"):
        assert 422 == (await _upload(alice, picture(), focus=focus)).status
    assert 422 == (await alice.call("POST", "/api/v2/media", data={"file": "text"})).status
    assert 422 == (await alice.call("POST", "/api/v2/media")).status
    refused = await _upload(new, picture())
    assert (403, "identity_required") == (refused.status, refused.body["yanlu"]["reason"])
    assert [] == [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def test_search_finds_people_tags_and_addresses(enter: Enter, nobody: Caller) -> None:
    """What is known here, for everybody; asking elsewhere is for people who are logged in."""
    alice, bob = await enter("alice"), await enter("bob")
    made = await alice.post("see #Searching")
    secret = await alice.post("hidden", visibility="private")
    path = "/api/v2/search"

    async def found(caller: Caller, **asked: str) -> dict[str, list[str]]:
        body = await caller.get(path, **asked)
        return {kind: [each.get("acct") or each["id"] for each in hits] for kind, hits in body.items()}

    nothing: Mapping[str, list[str]] = {"accounts": [], "statuses": [], "hashtags": []}
    assert {**nothing, "accounts": ["alice"]} == await found(nobody, q="@alice")
    assert {**nothing, "accounts": ["alice"]} == await found(bob, q="alice@example.org", resolve="true")
    assert {**nothing, "hashtags": ["searching"]} == await found(nobody, q="#search")
    assert {**nothing, "hashtags": ["searching"]} == await found(nobody, q="sear", type="hashtags")
    assert {**nothing, "statuses": [made["id"]]} == await found(bob, q=made["url"])
    assert {**nothing, "statuses": [made["id"]]} == await found(nobody, q=made["uri"], type="statuses")
    assert {**nothing, "accounts": ["alice"]} == await found(bob, q="http://example.org/@alice", resolve="1")
    assert nothing == await found(bob, q=made["uri"], type="accounts")
    assert nothing == await found(bob, q=secret["uri"])
    assert {**nothing, "statuses": [secret["id"]]} == await found(alice, q=secret["uri"])
    assert nothing == await found(nobody, q="  ")
    assert 401 == (await nobody.call("GET", path, params={"q": "a", "resolve": "true"})).status
    assert 401 == (await nobody.call("GET", path, params={"q": "a", "offset": "5"})).status
    await bob.do(f"/api/v1/accounts/{alice.id}/follow")
    assert ["alice"] == (await found(bob, q="al", following="true"))["accounts"]
    assert [] == (await found(alice, q="bo", following="true"))["accounts"]
    await bob.do(f"/api/v1/accounts/{alice.id}/block")
    assert [] == (await found(bob, q="ali"))["accounts"]
    assert ["alice"] == (await found(bob, q="@alice"))["accounts"]


async def test_a_complaint_gets_a_receipt(enter: Enter) -> None:
    """Article 14: also from somebody who may not publish; and only about what they can see."""
    alice, new = await enter("alice"), await enter("new", verified=False)
    made = await alice.post("bad")
    hidden = await alice.post("worse", visibility="private")
    said = {"account_id": str(alice.id), "status_ids": [made["id"]], "comment": "look", "category": "spam"}
    report = await new.do("/api/v1/reports", **said)
    assert (False, "spam", "look", [made["id"]], "alice") == (
        report["action_taken"],
        report["category"],
        report["comment"],
        report["status_ids"],
        report["target_account"]["acct"],
    )
    assert report["yanlu"]["url"] == f"http://example.org/report/{report['yanlu']['code']}"
    for wrong in ({"status_ids": [hidden["id"]]}, {"account_id": "1"}, {"account_id": str(new.id)}):
        assert 404 == (await new.call("POST", "/api/v1/reports", json=said | wrong)).status
    for wrong in ({"account_id": "x"}, {"comment": "a" * 1_001}):
        assert 422 == (await new.call("POST", "/api/v1/reports", json=said | wrong)).status


async def test_the_server_says_what_it_is_and_allows(nobody: Caller) -> None:
    """Clients decide by this what to offer."""
    new, old = await nobody.get("/api/v2/instance"), await nobody.get("/api/v1/instance/")
    assert ("example.org", "example.org") == (new["domain"], old["uri"])
    assert re.fullmatch(r"4\.\d+\.\d+ \(compatible; Yanlu \S+\)", new["version"])
    assert 5_000 == new["configuration"]["statuses"]["max_characters"]
    assert new["configuration"]["statuses"] == old["configuration"]["statuses"]
    assert "image/heic" in new["configuration"]["media_attachments"]["supported_mime_types"]
    assert {"mastodon": 1} == new["api_versions"]
    assert new["rules"] == await nobody.get("/api/v1/instance/rules")
    rules = (await nobody.call("GET", "/api/v1/instance/rules", headers={"Accept-Language": "zh-CN"})).body
    assert {"zh-CN", "en"} == set(rules[0]["translations"])
    assert rules[0]["text"] == rules[0]["translations"]["zh-CN"]["text"]
    for name in ("privacy_policy", "terms_of_service", "extended_description"):
        assert "content" in await nobody.get(f"/api/v1/instance/{name}")


async def test_what_clients_ask_for_at_start_is_empty_or_404(enter: Enter, nobody: Caller) -> None:
    """The empty list where that is the truth, and Mastodon's 404 where there is no such thing yet."""
    alice = await enter("alice")
    for path in (
        "announcements",
        "lists",
        "filters",
        "followed_tags",
        "featured_tags",
        "custom_emojis",
        "trends/tags",
        "trends/statuses",
        "trends/links",
        "scheduled_statuses",
        "domain_blocks",
        "notifications/requests",
        f"accounts/{alice.id}/featured_tags",
    ):
        assert [] == await alice.get(f"/api/v1/{path}")
    assert [] == await alice.get("/api/v2/filters")
    assert [] == await nobody.get("/api/v1/custom_emojis")
    assert "accept" == (await alice.get("/api/v2/notifications/policy"))["for_new_accounts"]
    for path in ("v1/polls/1", "v1/push/subscription", "v2/notifications", "v1/conversations", "v1/lists/1"):
        answer = await alice.call("GET", f"/api/{path}")
        assert (404, {"error": "Record not found"}) == (answer.status, answer.body)
