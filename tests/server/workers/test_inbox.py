"""What was received is worked on in order, with what it lacks fetched, and never past the gate."""

from __future__ import annotations

import json
from typing import Any

import pytest

from federation import wire
from server import keys
from server.store import posts
from server.store.model import PostView
from tests.fixtures.server import ORIGIN, Caller, Enter
from tests.fixtures.stranger import Here, Stranger

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


async def receive(
    here: Here, stranger: Stranger, *activities: dict[str, Any]
) -> list[tuple[str, str | None]]:
    """Delivers activities one after the other, and says what became of each."""
    for activity in activities:
        assert 202 == (await here.post("/inbox", activity, stranger.key())).status
    return [(state, error) for state, _, error in await here.settled()]


async def words(here: Here) -> list[str]:
    """The words of all posts from elsewhere that are shown, in the order of their ids."""
    rows = await here.app[keys.POOL].fetch("select text from visible_post where not local order by id")
    return [row["text"] for row in rows]


async def test_a_post_is_created_edited_and_deleted(here: Here, stranger: Stranger) -> None:
    """The life of a post, each step seen before the next."""
    note = stranger.note(content="<p>one</p>")
    await receive(here, stranger, stranger.activity("Create", note))
    assert ["one"] == await words(here)
    edited = note | {"content": "<p>two</p>", "updated": "2026-01-03T00:00:00Z"}
    await receive(here, stranger, stranger.activity("Update", edited))
    assert ["two"] == await words(here)
    older = note | {"content": "<p>old</p>", "updated": "2026-01-02T12:00:00Z"}
    await receive(here, stranger, stranger.activity("Update", older))
    assert ["two"] == await words(here)
    await receive(here, stranger, stranger.activity("Delete", note["id"]))
    assert [] == await words(here)


async def test_a_deleted_post_does_not_come_back(here: Here, stranger: Stranger) -> None:
    """A Delete that overtakes its Create, and a Create that is sent again under another id."""
    note = stranger.note()
    gone = stranger.activity("Delete", {"id": note["id"], "type": "Tombstone"})
    await receive(here, stranger, gone, stranger.activity("Create", note), stranger.activity("Create", note))
    assert [] == await words(here)


async def test_activities_of_one_actor_keep_their_order_while_one_is_fetched_for(
    here: Here, stranger: Stranger
) -> None:
    """A Create that names its post by id waits for the post, and its Update waits for it."""
    id_ = stranger.put_note("/notes/slow", content="<p>first</p>")
    edited = stranger.note("/notes/slow", content="<p>second</p>", updated="2026-01-03T00:00:00Z")
    states = await receive(
        here, stranger, stranger.activity("Create", id_), stranger.activity("Update", edited)
    )
    assert [("done", None), ("done", None)] == states
    assert ["second"] == await words(here)


async def test_nobody_writes_for_somebody_else(here: Here, stranger: Stranger) -> None:
    """Neighbours on one server do not edit or delete each other's posts, nor speak for other servers."""
    note = stranger.note()
    await receive(here, stranger, stranger.activity("Create", note))
    neighbour = stranger.put_person("yun")
    key = stranger.key(f"{neighbour}#main-key")
    hostile = [
        stranger.activity("Update", note | {"content": "<p>hacked</p>"}, actor=neighbour),
        stranger.activity("Delete", note["id"], actor=neighbour),
        stranger.activity("Create", stranger.note(attributedTo=stranger.actor), actor=neighbour),
        stranger.activity("Create", stranger.note() | {"id": "https://victim.test/1"}, actor=neighbour),
        stranger.activity(
            "Create", stranger.note() | {"id": f"{ORIGIN}/users/an/statuses/1"}, actor=neighbour
        ),
        stranger.activity("Undo", stranger.activity("Like", note["id"]), actor=neighbour),
    ]
    for activity in hostile:
        assert 202 == (await here.post("/inbox", activity, key)).status
    settled = await here.settled()
    assert ["hello"] == await words(here)
    assert {"done"} == {state for state, _, _ in settled}


async def test_a_boost_fetches_the_post_from_where_it_lives(here: Here, stranger: Stranger) -> None:
    """The copy inside an Announce is not believed."""
    id_ = stranger.put_note("/notes/true", content="<p>true</p>")
    false = stranger.note("/notes/true", content="<p>false</p>")
    announce = stranger.activity("Announce", false, to=[PUBLIC], published="2026-01-04T00:00:00Z")
    assert [("done", None)] == await receive(here, stranger, announce)
    assert 1 == stranger.asked["/notes/true"]
    rows = await here.app[keys.POOL].fetch(
        "select p.text from visible_post b join visible_post p on p.id = b.boost_of_id where p.uri = $1", id_
    )
    assert ["true"] == [row["text"] for row in rows]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_boost_of_what_is_gone_comes_to_nothing(here: Here, stranger: Stranger, status: int) -> None:
    """And is not tried again."""
    stranger.put("/notes/gone", {}, status=status)
    announce = stranger.activity("Announce", f"{stranger.origin}/notes/gone", to=[PUBLIC])
    [(state, error)] = await receive(here, stranger, announce)
    assert state == "done" and error is not None


async def test_what_cannot_be_fetched_now_is_tried_again_later(here: Here, stranger: Stranger) -> None:
    """A server that is down for a moment does not lose its people's boosts, and holds up nothing else."""
    stranger.put("/notes/later", {}, status=503)
    announce = stranger.activity("Announce", f"{stranger.origin}/notes/later", to=[PUBLIC])
    after = stranger.activity("Create", stranger.note(content="<p>after</p>"))
    for activity in (announce, after):
        await here.post("/inbox", activity, stranger.key())
    await here.until(lambda: _equals(words(here), ["after"]))
    stranger.put_note("/notes/later", content="<p>later</p>")
    await here.app[keys.POOL].execute("update federation.inbound set due_at = now() where state = 'waiting'")
    here.app[keys.EVENTS].notify("inbound")
    assert [("done", None), ("done", None)] == [(state, error) for state, _, error in await here.settled()]
    assert "later" in await words(here)


async def test_a_reply_brings_the_conversation_above_it(here: Here, stranger: Stranger) -> None:
    """And no more of it than ten posts."""
    above = stranger.put_note("/notes/0", content="<p>0</p>")
    for number in range(1, 15):
        above = stranger.put_note(f"/notes/{number}", content=f"<p>{number}</p>", inReplyTo=above)
    reply = stranger.note(content="<p>reply</p>", inReplyTo=above)
    await receive(here, stranger, stranger.activity("Create", reply))
    await here.until(lambda: _holds(words(here), {"reply", *map(str, range(5, 15))}))
    assert "4" not in await words(here)


async def test_a_reply_finds_its_place_when_what_it_answers_comes_later(
    here: Here, stranger: Stranger
) -> None:
    """Also for those who saw it before that."""
    road = here.app[keys.ROAD]

    async def look(uri: str) -> PostView:
        async with road.pool.acquire() as conn:
            id_ = await posts.find_id_by_uri(conn, uri)
            assert id_ is not None
            return await posts.get(conn, id_, None, uris=road.uris)

    above = stranger.note(content="<p>above</p>")
    reply = stranger.note(content="<p>reply</p>", inReplyTo=above["id"])
    await receive(here, stranger, stranger.activity("Create", reply))
    assert (await look(reply["id"])).in_reply_to_id is None
    await receive(here, stranger, stranger.activity("Create", above))
    found = await look(above["id"])
    assert found.id == (await look(reply["id"])).in_reply_to_id
    assert 1 == found.replies


async def test_a_conversation_without_end_ends(here: Here, stranger: Stranger) -> None:
    """Two posts that answer each other are fetched once each."""
    stranger.put_note("/notes/a", content="<p>a</p>", inReplyTo=f"{stranger.origin}/notes/b")
    stranger.put_note("/notes/b", content="<p>b</p>", inReplyTo=f"{stranger.origin}/notes/a")
    reply = stranger.note(content="<p>reply</p>", inReplyTo=f"{stranger.origin}/notes/a")
    await receive(here, stranger, stranger.activity("Create", reply))
    await here.until(lambda: _holds(words(here), {"a", "b", "reply"}))
    assert stranger.asked["/notes/a"] + stranger.asked["/notes/b"] <= 10


async def test_a_follow_is_answered_every_time_it_is_asked(
    here: Here, stranger: Stranger, enter: Enter
) -> None:
    """A peer that lost the answer asks again."""
    await enter("an")
    follow = stranger.activity("Follow", f"{ORIGIN}/users/an")
    await receive(here, stranger, follow)
    await here.until(lambda: _count(stranger, "Accept", 1))
    again = stranger.activity("Follow", f"{ORIGIN}/users/an")
    await receive(here, stranger, again)
    await here.until(lambda: _count(stranger, "Accept", 2))
    assert [follow["id"], again["id"]] == [one["object"]["id"] for one in stranger.received]


async def test_an_answer_that_names_a_follow_by_its_id_is_understood(
    here: Here, stranger: Stranger, enter: Enter
) -> None:
    """Some servers send an Accept with nothing but the id of what they accept."""
    an = await enter("an")
    await _follow(here, an, stranger)
    [follow] = stranger.received
    assert "Follow" == follow["type"]
    await receive(here, stranger, stranger.activity("Accept", follow["id"]))
    state = await here.app[keys.POOL].fetchval("select state from follow where uri = $1", follow["id"])
    assert "accepted" == state


async def test_only_the_asked_may_answer(here: Here, stranger: Stranger, enter: Enter) -> None:
    """Somebody else's Accept changes nothing."""
    an = await enter("an")
    await _follow(here, an, stranger)
    [follow] = stranger.received
    yun = stranger.put_person("yun")
    forged = stranger.activity("Accept", follow, actor=yun)
    assert 202 == (await here.post("/inbox", forged, stranger.key(f"{yun}#main-key"))).status
    await here.settled()
    assert "requested" == await here.app[keys.POOL].fetchval("select state from follow")


async def test_a_new_profile_and_a_new_key_come_with_one_update(here: Here, stranger: Stranger) -> None:
    """What others show is judged; where to reach them and their keys are simply so."""
    await receive(here, stranger, stranger.activity("Create", stranger.note()))
    stranger.put_person("fei", summary="<p>飞</p>", key=stranger.key(false=True))
    person = stranger.document("/users/fei")
    await receive(here, stranger, stranger.activity("Update", person, to=[PUBLIC]))
    row = await here.app[keys.POOL].fetchrow(
        "select p.text, k.public_pem from account a join profile p on p.account_id = a.id "
        "join actor_key k on k.account_id = a.id where a.uri = $1",
        stranger.actor,
    )
    assert ("飞", person["publicKey"]["publicKeyPem"]) == tuple(row)


async def test_what_means_nothing_to_us_is_dropped_with_the_reason(here: Here, stranger: Stranger) -> None:
    """Acknowledged, closed, and its bytes not kept."""
    [(state, error)] = await receive(here, stranger, stranger.activity("Listen", "https://music.test/1"))
    assert ("done", "activity of type Listen") == (state, error)
    assert await here.app[keys.POOL].fetchval("select body is null from federation.inbound")


HOSTILE: list[dict[str, Any]] = [
    {"type": "Create"},
    {"type": "Create", "object": {}},
    {"type": "Create", "object": {"type": "Note"}},
    {"type": "Create", "object": ["x", None, 7]},
    {"type": ["Create", "Delete"], "object": 1e308},
    {"type": None},
    {"type": "Undo", "object": {"type": "Undo", "object": {"type": "Undo"}}},
    {"type": "Follow", "object": "javascript:alert(1)"},
    {"type": "Delete", "object": {"id": {"id": {}}}},
    {"type": "Announce", "object": "http://127.0.0.1:1/x"},
    {"type": "Announce", "object": "http://169.254.169.254/latest"},
    {"type": "Flag", "object": []},
    {"type": "Accept", "object": {"type": "Follow"}},
    {"@context": "https://unknown.test/context", "type": "Create", "object": {"type": "Note"}},
    {"@context": {"Create": "https://x.test/Delete"}, "type": "Create", "object": {}},
    {"@graph": [], "type": "Create", "object": {}},
]


async def test_hostile_activities_come_to_nothing(here: Here, stranger: Stranger) -> None:
    """Signed, and still wrong: nothing is stored of them, and the worker goes on."""
    for document in HOSTILE:
        hostile = stranger.activity("x", None) | document
        assert 202 == (await here.post("/inbox", hostile, stranger.key())).status
    await here.post(
        "/inbox", stranger.activity("Create", stranger.note(content="<p>after</p>")), stranger.key()
    )
    await here.until(lambda: _equals(words(here), ["after"]))
    states = await here.app[keys.POOL].fetch("select distinct state from federation.inbound")
    # Only what a server that is down may still show later waits.
    assert {"done", "waiting"} >= {row["state"] for row in states}
    assert 1 == await here.app[keys.POOL].fetchval("select count(*) from post")


async def test_a_document_that_trips_the_parser_does_not_stop_the_others(
    here: Here, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours costs the one activity that shows it, which is tried again later."""
    await receive(here, stranger, stranger.activity("Create", stranger.note(content="<p>first</p>")))
    read = wire.parse

    def trip(body: bytes) -> wire.Document:
        if b"trip" in body:
            raise RuntimeError("a mistake of ours")
        return read(body)

    monkeypatch.setattr(wire, "parse", trip)
    bad, good = (
        stranger.activity("Create", stranger.note(content="trip")),
        stranger.note(content="<p>good</p>"),
    )
    await here.app[keys.POOL].execute(
        "insert into federation.inbound (id, host, activity_uri, actor_uri, body, due_at, received_at) "
        "values ($1, $2, $3, $4, $5, now(), now())",
        here.app[keys.ROAD].ids(),
        stranger.host,
        bad["id"],
        stranger.actor,
        json.dumps(bad).encode(),
    )
    assert 202 == (await here.post("/inbox", stranger.activity("Create", good), stranger.key())).status
    await here.until(lambda: _equals(words(here), ["first", "good"]))
    error = "select error from federation.inbound where state = 'waiting'"
    assert "RuntimeError: a mistake of ours" == await here.app[keys.POOL].fetchval(error)


async def test_an_actor_that_leaves_takes_everything_along(
    here: Here, stranger: Stranger, enter: Enter
) -> None:
    """Posts and follows end, and nothing comes from them any more."""
    an = await enter("an")
    await receive(here, stranger, stranger.activity("Follow", f"{ORIGIN}/users/an"))
    await receive(here, stranger, stranger.activity("Create", stranger.note()))
    farewell = stranger.activity("Delete", stranger.actor, to=[PUBLIC])
    await receive(here, stranger, farewell, stranger.activity("Create", stranger.note(content="<p>late</p>")))
    assert [] == await words(here)
    assert [] == await an.get(f"/api/v1/accounts/{an.id}/followers")


async def test_a_complaint_from_elsewhere_waits_for_a_moderator(
    here: Here, stranger: Stranger, enter: Enter
) -> None:
    """With the posts it names."""
    an = await enter("an")
    post = await an.post("rude")
    flag = stranger.activity("Flag", [f"{ORIGIN}/users/an", post["uri"]], content="look at this")
    await receive(here, stranger, flag)
    row = await here.app[keys.POOL].fetchrow("select target_id, posts, comment, state from compliance.report")
    assert (an.id, [int(post["id"])], "look at this", "waiting") == tuple(row)


async def _follow(here: Here, caller: Caller, stranger: Stranger) -> None:
    """Has somebody here follow fei, and waits until the Follow has arrived."""
    await receive(here, stranger, stranger.activity("Create", stranger.note()))
    fei = await here.app[keys.POOL].fetchval("select id from account where uri = $1", stranger.actor)
    await caller.do(f"/api/v1/accounts/{fei}/follow")
    await here.until(lambda: _count(stranger, "Follow", 1))


async def _count(stranger: Stranger, kind: str, number: int) -> bool:
    return number == len([one for one in stranger.received if one["type"] == kind])


async def _equals(seen: Any, expected: object) -> bool:
    return bool(await seen == expected)


async def _holds(seen: Any, expected: set[str]) -> bool:
    return expected <= set(await seen)
