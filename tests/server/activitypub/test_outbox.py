"""ActivityPub client-to-server: its owner writes to the outbox, by the same road as everybody else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from compliance import wordlists
from server.pipeline import Road
from tests.fixtures.server import SOURCE, Answer, Caller, Enter, give_token

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
USERS = "http://example.org/users"
AS2 = {"Content-Type": "application/activity+json"}


def note(content: str = "<p>Hello <strong>world</strong></p>", **members: Any) -> dict[str, Any]:
    return {"type": "Note", "content": content, "to": [PUBLIC], "cc": [f"{USERS}/alice/followers"], **members}


async def say(who: Caller, document: object, **headers: str) -> Answer:
    return await who.call("POST", f"/users/{who.name}/outbox", json=document, headers=AS2 | headers)


def post_id(answer: Answer) -> str:
    assert 201 == answer.status, answer.body
    return str(answer.headers["Location"].removesuffix("/activity").rpartition("/")[2])


async def test_a_bare_note_becomes_a_create(enter: Enter) -> None:
    """Section 6.2.1: the server wraps it, gives ids, and names the activity's in Location."""
    alice = await enter("alice")
    made = await say(alice, note(summary="careful", sensitive=True))
    shown = await alice.get(f"/api/v1/statuses/{post_id(made)}")
    assert "<p>Hello <strong>world</strong></p>" == shown["content"]
    assert ("careful", True, "public") == (shown["spoiler_text"], shown["sensitive"], shown["visibility"])
    document = await alice.get(made.headers["Location"].removeprefix("http://example.org"))
    assert ("Create", f"{USERS}/alice") == (document["type"], document["actor"])


async def test_an_activity_is_taken_with_its_note(enter: Enter) -> None:
    """Addressing may stand on the activity alone."""
    alice = await enter("alice")
    bare = {"type": "Note", "content": "hi #Tag"}
    create = {"type": "Create", "actor": f"{USERS}/alice", "to": PUBLIC, "object": bare}
    shown = await alice.get(f"/api/v1/statuses/{post_id(await say(alice, create))}")
    assert ["tag"] == [tag["name"] for tag in shown["tags"]]


@pytest.mark.parametrize(
    ("to", "cc", "visibility"),
    [
        ([PUBLIC], [], "public"),
        ("as:Public", [], "public"),
        ([f"{USERS}/alice/followers"], [PUBLIC], "unlisted"),
        ([f"{USERS}/alice/followers"], [], "private"),
        ([f"{USERS}/bob"], [], "direct"),
    ],
)
async def test_the_addressing_is_the_visibility(enter: Enter, to: Any, cc: Any, visibility: str) -> None:
    """As other servers read it."""
    alice, bob = await enter("alice"), await enter("bob")
    shown = await alice.get(f"/api/v1/statuses/{post_id(await say(alice, note(to=to, cc=cc)))}")
    assert visibility == shown["visibility"]
    seen = await bob.call("GET", f"/api/v1/statuses/{shown['id']}")
    assert (404 if visibility == "private" else 200) == seen.status


async def test_who_is_addressed_unseen_reads_it_and_nobody_learns_that(enter: Enter) -> None:
    """bto and bcc are taken off before anybody sees the note."""
    alice, bob, carol = await enter("alice"), await enter("bob"), await enter("carol")
    made = await say(alice, note(to=[f"{USERS}/carol"], cc=[], bcc=[f"{USERS}/bob"]))
    for reader in (bob, carol):
        assert 200 == (await reader.call("GET", f"/api/v1/statuses/{post_id(made)}")).status
    shown = await carol.get(f"/api/v1/statuses/{post_id(made)}")
    assert "bob" not in str(shown)


async def test_a_note_for_nobody_is_refused(enter: Enter) -> None:
    """Nothing is published by accident, and nothing vanishes silently."""
    alice = await enter("alice")
    assert 422 == (await say(alice, {"type": "Note", "content": "hm"})).status


async def test_mentions_and_answers_reach_people(enter: Enter) -> None:
    """Somebody named is told, and the answer stands under the post."""
    alice, bob = await enter("alice"), await enter("bob")
    first = await bob.post("first")
    tag = {"type": "Mention", "href": f"{USERS}/bob", "name": "@bob@example.org"}
    words = f'<p><a class="u-url mention" href="{USERS}/bob">@bob</a> yes</p>'
    made = await say(alice, note(words, inReplyTo=first["uri"], tag=[tag], cc=[f"{USERS}/bob"]))
    shown = await alice.get(f"/api/v1/statuses/{post_id(made)}")
    assert (first["id"], ["bob"]) == (shown["in_reply_to_id"], [each["acct"] for each in shown["mentions"]])
    assert ["mention"] == [each["type"] for each in await bob.get("/api/v1/notifications")]


async def test_typed_text_is_rendered_as_on_the_pages(enter: Enter) -> None:
    """`source` is what was typed; an editor gets it back."""
    alice, _ = await enter("alice"), await enter("bob")
    typed = note("ignored <b>html</b>", source={"content": "see @bob <i> #Tag", "mediaType": "text/plain"})
    made = post_id(await say(alice, typed))
    shown = await alice.get(f"/api/v1/statuses/{made}")
    assert ("&lt;i&gt;" in shown["content"], "ignored" in shown["content"]) == (True, False)
    assert "see @bob <i> #Tag" == (await alice.get(f"/api/v1/statuses/{made}/source"))["text"]


async def test_a_post_is_edited_and_deleted(enter: Enter) -> None:
    """By its owner, and by nobody else."""
    alice, bob = await enter("alice"), await enter("bob")
    made = await alice.post("first")
    change = {"type": "Update", "object": {"id": made["uri"], "type": "Note", "content": "<p>second</p>"}}
    assert 422 == (await say(bob, change)).status
    assert 201 == (await say(alice, change)).status
    assert "<p>second</p>" == (await alice.get(f"/api/v1/statuses/{made['id']}"))["content"]
    delete = {"type": "Delete", "object": made["uri"]}
    assert 404 == (await say(bob, delete)).status
    assert 201 == (await say(alice, delete)).status
    assert 404 == (await alice.call("GET", f"/api/v1/statuses/{made['id']}")).status


async def test_what_ties_people_and_takes_it_back(enter: Enter) -> None:
    """Follow, Like, Announce, Block and their Undo, by id and written out."""
    alice, bob = await enter("alice"), await enter("bob")
    post = await bob.post("hello")
    for kind, object_ in (("Follow", f"{USERS}/bob"), ("Like", post["uri"]), ("Announce", post["uri"])):
        said = await say(alice, {"type": kind, "object": object_})
        assert 201 == said.status, (kind, said.body)
        if kind == "Announce":
            undo: object = said.headers["Location"]
        else:
            undo = {"type": kind, "actor": f"{USERS}/alice", "object": object_}
        shown = await alice.get(f"/api/v1/statuses/{post['id']}")
        relation = (await alice.get("/api/v1/accounts/relationships", id=str(bob.id)))[0]
        assert 1 == sum((shown["favourited"], shown["reblogged"], relation["following"]))
        assert 201 == (await say(alice, {"type": "Undo", "object": undo})).status
        shown = await alice.get(f"/api/v1/statuses/{post['id']}")
        relation = (await alice.get("/api/v1/accounts/relationships", id=str(bob.id)))[0]
        assert 0 == sum((shown["favourited"], shown["reblogged"], relation["following"]))
    assert 201 == (await say(alice, {"type": "Block", "object": f"{USERS}/bob"})).status
    assert (await alice.get("/api/v1/accounts/relationships", id=str(bob.id)))[0]["blocking"]


async def test_a_follow_is_answered(enter: Enter) -> None:
    """Accept and Reject name the Follow."""
    alice, bob = await enter("alice"), await enter("bob")
    await alice.call("PATCH", "/api/v1/accounts/update_credentials", json={"locked": True})
    asked = await say(bob, {"type": "Follow", "object": f"{USERS}/alice"})
    follow = {"type": "Follow", "actor": f"{USERS}/bob", "object": f"{USERS}/alice"}
    accept = {"type": "Accept", "object": follow}
    assert 201 == asked.status
    assert 201 == (await say(alice, accept)).status
    assert (await bob.get("/api/v1/accounts/relationships", id=str(alice.id)))[0]["following"]


async def test_a_profile_is_changed_in_part(enter: Enter) -> None:
    """What is not named stays."""
    alice = await enter("alice")
    await say(
        alice, {"type": "Update", "object": {"id": f"{USERS}/alice", "type": "Person", "name": "Alice"}}
    )
    change = {"id": f"{USERS}/alice", "type": "Person", "summary": "<p>I test</p>"}
    assert 201 == (await say(alice, {"type": "Update", "object": change})).status
    me = await alice.get("/api/v1/accounts/verify_credentials")
    assert ("Alice", "<p>I test</p>") == (me["display_name"], me["note"])


@pytest.mark.parametrize(
    ("path", "document", "status"),
    [
        ("/users/bob/outbox", note(), 403),
        ("/users/alice/outbox", {"type": "Travel", "object": PUBLIC}, 422),
        ("/users/alice/outbox", {"type": "Like"}, 422),
        ("/users/alice/outbox", {"type": "Like", "object": f"{USERS}/bob/statuses/1"}, 404),
        ("/users/alice/outbox", {"type": "Create", "object": {"type": "Question"}}, 422),
        ("/users/alice/outbox", {"type": "Create", "actor": f"{USERS}/bob", "object": note()}, 403),
        ("/users/alice/outbox", {"type": "Delete", "object": f"{USERS}/alice"}, 403),
        ("/users/alice/outbox", note(inReplyTo=f"{USERS}/bob/statuses/1"), 404),
        ("/users/alice/outbox", note(attachment=[{"type": "Image", "url": "https://x.test/a.png"}]), 422),
        ("/users/alice/outbox", note("<p></p>"), 422),
        ("/users/alice/outbox", [], 400),
        ("/users/alice/outbox", {}, 422),
    ],
)
async def test_what_cannot_be_said_is_refused(enter: Enter, path: str, document: object, status: int) -> None:
    """A clear error in JSON, and nothing is stored."""
    alice, _ = await enter("alice"), await enter("bob")
    answer = await alice.call("POST", path, json=document, headers=AS2)
    assert (status, True) == (answer.status, bool(answer.body["error"]))
    assert [] == await alice.get(f"/api/v1/accounts/{alice.id}/statuses")


async def test_the_gate_stands_here_too(enter: Enter, road_of: Road) -> None:
    """No verified identity, no publishing (Article 7); and the operator's words are looked for."""
    guest, alice = await enter("guest", verified=False), await enter("alice")
    stopped = await say(guest, note())
    assert (403, "identity_required") == (stopped.status, stopped.body["yanlu"]["reason"])
    words = {"category": "fraud", "action": "refuse", "basis": "x", "rules": [{"pattern": "diploma"}]}
    rules = json.dumps({"name": "t", "version": "1", "lists": {"l": words}})
    async with road_of.pool.acquire() as conn, conn.transaction():
        now = road_of.clock()
        version = await wordlists.import_(conn, rules, by=None, now=now, source=SOURCE, new_id=road_of.ids)
        await wordlists.activate(conn, version, by=None, now=now, source=SOURCE, new_id=road_of.ids)
    stopped = await say(alice, note("<p>a dip<b>loma</b></p>"))
    assert (422, "words") == (stopped.status, stopped.body["yanlu"]["reason"])


async def test_a_token_reaches_as_far_as_its_scopes(enter: Enter, road_of: Road) -> None:
    """One that may favourite may not post; one that may read says nothing."""
    alice, bob = await enter("alice"), await enter("bob")
    post = await bob.post("hello")
    likes = Caller(alice.client, await give_token(road_of, alice.id, ["write:favourites"]), alice.id, "alice")
    reads = Caller(alice.client, await give_token(road_of, alice.id, ["read"]), alice.id, "alice")
    like = {"type": "Like", "object": post["uri"]}
    assert (201, 403) == ((await say(likes, like)).status, (await say(likes, note())).status)
    assert 403 == (await say(likes, {"type": "Update", "object": {"id": post["uri"], "type": "Note"}})).status
    assert 403 == (await say(reads, like)).status
    assert (
        401 == (await Caller(alice.client).call("POST", "/users/alice/outbox", json=like, headers=AS2)).status
    )


async def test_said_again_with_its_key_it_is_said_once(enter: Enter) -> None:
    """A client that lost the answer asks again."""
    alice = await enter("alice")
    first, second = [await say(alice, note(), **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert first.headers["Location"] == second.headers["Location"]
    assert 1 == len(await alice.get(f"/api/v1/accounts/{alice.id}/statuses"))


async def test_a_complaint_is_filed(enter: Enter, road_of: Road) -> None:
    """Flag names posts of one account, or the account."""
    alice, bob = await enter("alice"), await enter("bob")
    post = await bob.post("hello")
    assert 201 == (await say(alice, {"type": "Flag", "object": [post["uri"]], "content": "spam"})).status
    async with road_of.pool.acquire() as conn:
        row = await conn.fetchrow("select target_id, posts, comment from compliance.report")
    assert (bob.id, [int(post["id"])], "spam") == tuple(row)
