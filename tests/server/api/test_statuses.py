"""Posts by the client API: written, read, changed, withdrawn, and by whom."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from compliance import wordlists
from server.pipeline import Road
from tests.fixtures.server import SOURCE, Caller, Enter

PUBLIC, FOLLOWERS, DIRECT = "public", "private", "direct"


async def test_a_post_comes_back_as_it_was_written(enter: Enter) -> None:
    """Every part that one can write."""
    alice, bob = await enter("alice"), await enter("bob")
    first = await alice.post("first")
    made = await alice.do(
        "/api/v1/statuses",
        status="Hello @bob, see #Tests and https://example.net/a?b=c&d <b>",
        spoiler_text="about tests",
        visibility="unlisted",
        language="en",
        in_reply_to_id=first["id"],
    )
    assert "unlisted" == made["visibility"]
    assert ("about tests", True) == (made["spoiler_text"], made["sensitive"])
    assert ("en", first["id"], str(alice.id)) == (
        made["language"],
        made["in_reply_to_id"],
        made["in_reply_to_account_id"],
    )
    assert [("bob", str(bob.id))] == [(each["acct"], each["id"]) for each in made["mentions"]]
    assert [{"name": "tests", "url": "http://example.org/tags/Tests"}] == made["tags"]
    assert "&lt;b&gt;" in made["content"]
    assert 'class="u-url mention"' in made["content"]
    assert {"name": "Tests", "website": None} == made["application"]
    assert f"http://example.org/users/alice/statuses/{made['id']}" == made["uri"]
    assert made == await alice.get(f"/api/v1/statuses/{made['id']}")
    assert 1 == (await alice.get(f"/api/v1/statuses/{first['id']}"))["replies_count"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"status": ""}, "text"),
        ({"status": " \n\t "}, "text"),
        ({"status": "a" * 5_001}, "text"),
        ({"status": "a", "visibility": "everybody"}, "visibility"),
        ({"status": "a", "language": "not a language"}, "language"),
        ({"status": "a", "media_ids": ["12345"]}, "media_ids"),
        ({"status": "a", "media_ids": [str(number) for number in range(1, 11)]}, "media_ids"),
        ({"status": "a", "media_ids": ["x"]}, "media_ids[0]"),
        ({"status": "a", "poll": {"options": ["1", "2"], "expires_in": 300}}, "poll"),
        ({"status": "a", "scheduled_at": "2030-01-01T00:00:00Z"}, "scheduled_at"),
        ({"status": {"a": 1}}, "status"),
        ({"status": "a\x00b"}, None),
    ],
)
async def test_what_cannot_be_posted_says_why_and_leaves_nothing(
    enter: Enter, said: dict[str, Any], field: str | None
) -> None:
    """422 in Mastodon's form; a poll that is not there is refused rather than dropped in silence."""
    alice = await enter("alice")
    answer = await alice.call("POST", "/api/v1/statuses", json=said)
    assert 422 == answer.status, answer.body
    assert field is None or [field] == list(answer.body["details"])
    assert 0 == (await alice.get(f"/api/v1/accounts/{alice.id}"))["statuses_count"]


async def test_links_count_23_and_hosts_of_names_do_not(enter: Enter) -> None:
    """As clients count, or a post that they let through would be refused."""
    alice = await enter("alice")
    await alice.post("a" * 4_976 + " https://example.net/" + "b" * 300)
    answer = await alice.call(
        "POST", "/api/v1/statuses", json={"status": "a" * 4_977 + " https://example.net/" + "b" * 300}
    )
    assert 422 == answer.status


async def test_a_key_makes_a_repeated_request_one_request(enter: Enter) -> None:
    """A phone that lost its answer asks again."""
    alice = await enter("alice")
    key = {"Idempotency-Key": "k1"}
    one, other = await asyncio.gather(
        *(alice.call("POST", "/api/v1/statuses", json={"status": "once"}, headers=key) for _ in range(2))
    )
    assert one.raised().body["id"] == other.raised().body["id"]
    bob = await enter("bob")
    third = await bob.call("POST", "/api/v1/statuses", json={"status": "once"}, headers=key)
    assert one.body["id"] != third.raised().body["id"]
    assert 1 == len(await alice.get(f"/api/v1/accounts/{alice.id}/statuses"))


async def test_somebody_unverified_hears_what_to_do(enter: Enter) -> None:
    """Article 7: 403 with the reason, the article, and the page where it is put right."""
    new = await enter("new", verified=False)
    answer = await new.call("POST", "/api/v1/statuses", json={"status": "hello"})
    assert 403 == answer.status
    assert answer.body["error"] and answer.body["error_description"].startswith(answer.body["error"])
    told = answer.body["yanlu"]
    assert ("identity_required", "7.1", "refused", None) == (
        told["reason"],
        told["article"],
        told["outcome"],
        told["case"],
    )
    assert "http://example.org/settings/identity" == told["help_url"]
    assert told["decision"].isdigit()
    assert [] == await new.get(f"/api/v1/accounts/{new.id}/statuses")
    assert "none" == (await new.get("/api/v1/accounts/verify_credentials"))["yanlu"]["identity"]["state"]


async def test_visibility_holds_on_every_way_to_read(enter: Enter, nobody: Caller) -> None:
    """Each kind of post, caller and path; what is hidden reads like what is not there (rule D1)."""
    alice, friend, stranger = await enter("alice"), await enter("friend"), await enter("stranger")
    named = await enter("named")
    await friend.do(f"/api/v1/accounts/{alice.id}/follow")
    may = {
        "public": {nobody, alice, friend, stranger, named},
        "unlisted": {nobody, alice, friend, stranger, named},
        "private": {alice, friend, named},
        "direct": {alice, named},
    }
    absent = await stranger.call("GET", "/api/v1/statuses/99999999")
    for visibility, readers in may.items():
        made = await alice.post(f"for @named {visibility}", visibility=visibility)
        reply = await alice.post("more", in_reply_to_id=made["id"], visibility=visibility)
        for caller in (nobody, alice, friend, stranger, named):
            for way in ("", "/context", "/history", "/favourited_by", "/reblogged_by"):
                answer = await caller.call("GET", f"/api/v1/statuses/{made['id']}{way}")
                assert (200 if caller in readers else 404) == answer.status, (visibility, way, caller.name)
                assert caller in readers or absent.body == answer.body
            several = await caller.get("/api/v1/statuses", **{"id[]": made["id"]})
            assert (caller in readers) == (len(several) == 1)
            page = await caller.get(f"/api/v1/accounts/{alice.id}/statuses")
            assert (caller in readers) == (made["id"] in [each["id"] for each in page])
            below = (await alice.get(f"/api/v1/statuses/{made['id']}/context"))["descendants"]
            assert [reply["id"]] == [each["id"] for each in below]


async def test_nobody_touches_anothers_post(enter: Enter, nobody: Caller) -> None:
    """Not known to be there is all that is told."""
    alice, bob = await enter("alice"), await enter("bob")
    made = await alice.post("mine")
    path = f"/api/v1/statuses/{made['id']}"
    for method, way, said in (("DELETE", "", None), ("PUT", "", {"status": "x"}), ("GET", "/source", None)):
        assert 404 == (await bob.call(method, path + way, json=said)).status
        assert 401 == (await nobody.call(method, path + way, json=said)).status
    assert made["content"] == (await alice.get(path))["content"]


async def test_an_edit_keeps_its_history(enter: Enter) -> None:
    """What was said before stays readable, and the source is what was typed."""
    alice, bob = await enter("alice"), await enter("bob")
    made = await alice.post("one #a", spoiler_text="w")
    path = f"/api/v1/statuses/{made['id']}"
    changed = (await alice.call("PUT", path, json={"status": "two @bob"})).raised().body
    assert changed["edited_at"] is not None
    assert ("w", [], ["bob"]) == (
        changed["spoiler_text"],
        changed["tags"],
        [each["acct"] for each in changed["mentions"]],
    )
    assert {"id": made["id"], "text": "two @bob", "spoiler_text": "w"} == await alice.get(f"{path}/source")
    versions = await bob.get(f"{path}/history")
    assert [True, False] == ["one" in each["content"] for each in versions]
    assert made["created_at"] == versions[0]["created_at"]


async def test_saving_without_a_change_is_no_edit(enter: Enter) -> None:
    """No version is kept of it; a new description of a picture is a change."""
    alice = await enter("alice")
    made = await alice.post("one", spoiler_text="w", language="en")
    path = f"/api/v1/statuses/{made['id']}"
    same = (await alice.call("PUT", path, json={"status": "one", "spoiler_text": "w"})).raised().body
    assert same["edited_at"] is None
    assert 1 == len(await alice.get(f"{path}/history"))
    for change in ({"status": "two"}, {"spoiler_text": "v"}, {"language": "fr"}):
        before = len(await alice.get(f"{path}/history"))
        (await alice.call("PUT", path, json=change)).raised()
        assert before + 1 == len(await alice.get(f"{path}/history"))


@pytest.mark.parametrize("text", ["\u200b", " \u3000\n", "\u200d\ufeff"])
async def test_a_post_that_shows_nothing_is_refused(enter: Enter, text: str) -> None:
    """Spaces, and marks that have no width, say nothing."""
    alice = await enter("alice")
    assert 422 == (await alice.call("POST", "/api/v1/statuses", json={"status": text})).status


async def test_a_withdrawn_post_gives_its_words_back_once(enter: Enter) -> None:
    """Delete and redraft: nobody else sees it from then on."""
    alice, bob = await enter("alice"), await enter("bob")
    made = await alice.post('a "quoted" word')
    await bob.do(f"/api/v1/statuses/{made['id']}/reblog")
    gone = (await alice.call("DELETE", f"/api/v1/statuses/{made['id']}")).raised().body
    assert ('a "quoted" word', made["id"]) == (gone["text"], gone["id"])
    assert 404 == (await alice.call("DELETE", f"/api/v1/statuses/{made['id']}")).status
    assert 404 == (await bob.call("GET", f"/api/v1/statuses/{made['id']}")).status
    assert [] == await bob.get(f"/api/v1/accounts/{bob.id}/statuses")


async def test_boost_favourite_and_bookmark_and_back(enter: Enter, nobody: Caller) -> None:
    """Twice is once, and taking back what was not given is no error."""
    alice, bob = await enter("alice"), await enter("bob")
    made = await alice.post("good")
    path = f"/api/v1/statuses/{made['id']}"
    for _ in range(2):
        assert (True, 1) == _of(await bob.do(f"{path}/favourite"), "favourited", "favourites_count")
        assert True is (await bob.do(f"{path}/bookmark"))["bookmarked"]
        boost = await bob.do(f"{path}/reblog")
        assert (made["id"], True) == (boost["reblog"]["id"], boost["reblogged"])
        assert 1 == boost["reblog"]["reblogs_count"]
    assert ["bob"] == [each["acct"] for each in await nobody.get(f"{path}/favourited_by")]
    assert ["bob"] == [each["acct"] for each in await nobody.get(f"{path}/reblogged_by")]
    assert [made["id"]] == [each["id"] for each in await bob.get("/api/v1/favourites")]
    assert [made["id"]] == [each["id"] for each in await bob.get("/api/v1/bookmarks")]
    assert [] == await alice.get("/api/v1/bookmarks")
    assert "favourited" not in await nobody.get(path)
    for _ in range(2):
        assert (False, 0) == _of(await bob.do(f"{path}/unfavourite"), "favourited", "favourites_count")
        assert False is (await bob.do(f"{path}/unbookmark"))["bookmarked"]
        assert (False, 0) == _of(await bob.do(f"{path}/unreblog"), "reblogged", "reblogs_count")
    assert [] == await bob.get("/api/v1/favourites")


async def test_an_act_on_a_boost_is_an_act_on_what_it_shows(enter: Enter) -> None:
    """Clients send whichever id they have."""
    alice, bob = await enter("alice"), await enter("bob")
    made = await alice.post("good")
    boost = await bob.do(f"/api/v1/statuses/{made['id']}/reblog")
    assert made["id"] == (await alice.do(f"/api/v1/statuses/{boost['id']}/favourite"))["id"]
    assert made["id"] == (await alice.do(f"/api/v1/statuses/{boost['id']}/bookmark"))["id"]
    assert made["id"] == (await bob.do(f"/api/v1/statuses/{boost['id']}/unreblog"))["id"]


async def test_what_is_not_for_all_cannot_be_boosted(enter: Enter) -> None:
    """Rule D4; one's own for followers may be, for followers."""
    alice, bob = await enter("alice"), await enter("bob")
    await bob.do(f"/api/v1/accounts/{alice.id}/follow")
    for visibility in (FOLLOWERS, DIRECT):
        made = await alice.post("@bob only", visibility=visibility)
        assert 404 == (await bob.call("POST", f"/api/v1/statuses/{made['id']}/reblog")).status
    own = await alice.post("mine", visibility=FOLLOWERS)
    assert "private" == (await alice.do(f"/api/v1/statuses/{own['id']}/reblog"))["visibility"]
    shown = await bob.post("open")
    boost = await alice.do(f"/api/v1/statuses/{shown['id']}/reblog", visibility="unlisted")
    assert "unlisted" == boost["visibility"]


async def test_a_thread_reads_from_both_sides(enter: Enter) -> None:
    """Above in order, below by branch."""
    alice, bob = await enter("alice"), await enter("bob")
    root = await alice.post("root")
    left = await bob.post("left", in_reply_to_id=root["id"])
    right = await bob.post("right", in_reply_to_id=root["id"])
    deep = await alice.post("deep", in_reply_to_id=left["id"])
    context = await bob.get(f"/api/v1/statuses/{root['id']}/context")
    assert [left["id"], deep["id"], right["id"]] == [each["id"] for each in context["descendants"]]
    context = await bob.get(f"/api/v1/statuses/{deep['id']}/context")
    assert [root["id"], left["id"]] == [each["id"] for each in context["ancestors"]]


@pytest.mark.parametrize("id_", ["0", "-1", "abc", "9223372036854775808", "9" * 30, "1e3", "%00"])
async def test_an_id_that_no_post_can_have_is_404(enter: Enter, id_: str) -> None:
    """The database would refuse it with an error of its own."""
    alice = await enter("alice")
    for method, way in (("GET", ""), ("POST", "/favourite"), ("DELETE", ""), ("GET", "/context")):
        answer = await alice.call(method, f"/api/v1/statuses/{id_}{way}")
        assert (404, {"error": "Record not found"}) == (answer.status, answer.body)
    reply = await alice.call("POST", "/api/v1/statuses", json={"status": "a", "in_reply_to_id": id_})
    assert reply.status in (404, 422)


async def test_a_held_post_is_422_with_its_case_and_stays_so(enter: Enter, road_of: Road) -> None:
    """The same key gives the same answer; nobody but reviewers sees the words meanwhile."""
    alice, bob = await enter("alice"), await enter("bob")
    await use_rules(road_of, "forbidden-word")
    key = {"Idempotency-Key": "held"}
    said = {"status": "a forbidden-word here"}
    first = await alice.call("POST", "/api/v1/statuses", json=said, headers=key)
    assert 422 == first.status
    told = first.body["yanlu"]
    assert ("held", "words", True) == (told["outcome"], told["reason"], told["case"].isdigit())
    again = await alice.call("POST", "/api/v1/statuses", json=said, headers=key)
    assert (422, first.body, "text") == (again.status, again.body, told["field"])
    assert [] == await bob.get(f"/api/v1/accounts/{alice.id}/statuses")
    notice = (await alice.get("/api/v1/notifications"))[0]
    assert ("moderation_warning", told["decision"]) == (notice["type"], notice["moderation_warning"]["id"])
    assert "forbidden-word" not in notice["moderation_warning"]["text"]


async def use_rules(road: Road, word: str) -> None:
    """Puts a rule set in force that holds posts with `word`."""
    lists = {"all": {"category": "test", "action": "hold", "basis": "12.1", "rules": [{"pattern": word}]}}
    text = json.dumps({"name": "tests", "version": "1", "lists": lists})
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        version = await wordlists.import_(conn, text, by=None, source=SOURCE, now=now, new_id=road.ids)
        await wordlists.activate(conn, version, by=None, source=SOURCE, now=now, new_id=road.ids)


def _of(body: Any, *names: str) -> tuple[Any, ...]:
    return tuple(body[name] for name in names)
