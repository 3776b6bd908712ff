"""What other servers may read of comments: nothing of those that wait, and of those that are hidden only the
post itself."""

from __future__ import annotations

from typing import Any

import pytest

from server.pipeline import Road
from tests.fixtures.server import ORIGIN, Caller, Enter

DOCUMENT = {"Accept": "application/activity+json"}


@pytest.fixture
async def author(enter: Enter) -> Caller:
    return await enter("author")


async def _read(caller: Caller, uri: str) -> Any:
    return await Caller(caller.client).call("GET", uri.removeprefix(ORIGIN), headers=DOCUMENT)


async def test_a_comment_that_waits_cannot_be_read_and_is_in_no_collection(
    enter: Enter, author: Caller, road_of: Road
) -> None:
    """Not its document, not its Create, not among the replies, not in its author's outbox; then all of it."""
    owner = await enter("olga")
    await owner.call("PUT", "/api/yanlu/v1/comments/policy", json={"mode": "reviewed"})
    root = await owner.post("a post")
    document = (await _read(owner, root["uri"])).body
    assert document["interactionPolicy"]["canReply"]["manualApproval"] == [
        "https://www.w3.org/ns/activitystreams#Public"
    ]
    comment = await author.post("a comment", in_reply_to_id=root["id"])
    for uri in (comment["uri"], f"{comment['uri']}/activity"):
        assert (await _read(author, uri)).status == 404
    replies = f"{root['uri']}/replies"
    outbox = f"{ORIGIN}/users/author/outbox?page=true"
    stamp = f"{ORIGIN}/users/olga/reply_authorizations/{comment['id']}"
    for place in (f"{replies}?page=true", replies, outbox):
        assert comment["uri"] not in str((await _read(owner, place)).body)
    assert (await _read(owner, stamp)).status == 404

    await owner.do("/api/yanlu/v1/comments/approve", ids=[int(comment["id"])])

    assert (await _read(author, comment["uri"])).status == 200
    assert comment["uri"] in str((await _read(author, outbox)).body)
    assert (await _read(owner, stamp)).body["interactingObject"] == comment["uri"]

    await owner.do("/api/yanlu/v1/comments/hide", ids=[int(comment["id"])], reason="off-topic")

    assert (await _read(author, comment["uri"])).status == 200
    assert (await _read(owner, stamp)).status == 404
    assert comment["uri"] not in str((await _read(owner, f"{replies}?page=true")).body)

    await owner.do("/api/yanlu/v1/comments/remove", ids=[int(comment["id"])], reason="insult")

    assert (await _read(author, comment["uri"])).status == 410


async def test_a_context_leaves_out_what_the_reader_is_not_to_see(enter: Enter, author: Caller) -> None:
    """For apps: the author and the owner find what waits and what is hidden, marked; others do not."""
    owner, reader = await enter("olga"), await enter("rita")
    root = await owner.post("a post")
    hidden = await author.post("hidden", in_reply_to_id=root["id"])
    await owner.do("/api/yanlu/v1/comments/hide", ids=[int(hidden["id"])], reason="off-topic")
    await owner.call("PUT", f"/api/yanlu/v1/statuses/{root['id']}/comments", json={"mode": "reviewed"})
    waiting = await author.post("waiting", in_reply_to_id=root["id"])
    path = f"/api/v1/statuses/{root['id']}/context"
    both = {hidden["id"]: "hidden", waiting["id"]: "waiting"}
    for caller in (author, owner):
        found = (await caller.get(path))["descendants"]
        assert {one["id"]: one["yanlu"]["comment"] for one in found} == both
    assert (await reader.get(path))["descendants"] == []
    assert (await reader.get(f"/api/v1/statuses/{hidden['id']}"))["id"] == hidden["id"]
    assert (await reader.call("GET", f"/api/v1/statuses/{waiting['id']}")).status == 404
    assert (await reader.get(f"/api/v1/statuses/{root['id']}"))["replies_count"] == 0
    chosen = await reader.get(f"/api/yanlu/v1/statuses/{root['id']}/comments")
    assert chosen == {"who": None, "mode": "reviewed"}


async def test_what_the_api_is_told_wrong_is_said_with_its_field(enter: Enter, author: Caller) -> None:
    """And nothing is done."""
    owner = await enter("olga")
    root = await owner.post("a post")
    comment = await author.post("a comment", in_reply_to_id=root["id"])
    ids = [int(comment["id"])]
    for path, body in (
        ("comments/hide", {"ids": ids}),
        ("comments/hide", {"ids": [], "reason": "insult"}),
        ("comments/hide", {"ids": ids, "reason": "because"}),
    ):
        assert (await owner.call("POST", f"/api/yanlu/v1/{path}", json=body)).status == 422
    assert (await owner.call("POST", "/api/yanlu/v1/comments/explode", json={"ids": ids})).status == 404
    for wrong in ({"who": "friends"}, {"mode": "later"}, {"words": ["x" * 101]}):
        assert (await owner.call("PUT", "/api/yanlu/v1/comments/policy", json=wrong)).status == 422
    assert (
        await author.call("PUT", f"/api/yanlu/v1/statuses/{root['id']}/comments", json={"who": "nobody"})
    ).status == 404
    assert (await owner.get("/api/yanlu/v1/comments/policy"))["who"] == "anyone"
    listed = await owner.get("/api/yanlu/v1/comments", state="shown")
    assert [one["id"] for one in listed] == [comment["id"]]


async def test_what_waits_anew_leaves_a_home_timeline_that_was_just_read(
    enter: Enter, author: Caller
) -> None:
    """The kept top of it too, and the boosts: nobody reads the new words before they are let."""
    owner, reader = await enter("olga"), await enter("rita")
    for followed in (owner, author):
        await reader.do(f"/api/v1/accounts/{followed.id}/follow")
    root = await owner.post("a post")
    comment = await author.post("fine words", in_reply_to_id=root["id"])
    await owner.do(f"/api/v1/statuses/{comment['id']}/reblog")
    home = await reader.get("/api/v1/timelines/home")
    assert "fine words" in str(home)
    await owner.call("PUT", "/api/yanlu/v1/comments/policy", json={"mode": "reviewed"})
    edited = {"status": "other words"}
    assert (await author.call("PUT", f"/api/v1/statuses/{comment['id']}", json=edited)).status == 200
    assert [one["id"] for one in await reader.get("/api/v1/timelines/home")] == [root["id"]]

    await owner.do("/api/yanlu/v1/comments/approve", ids=[int(comment["id"])])

    shown = await reader.get("/api/v1/timelines/home")
    assert [one["id"] for one in shown] == [one["id"] for one in home]
    assert "other words" in str(shown)
