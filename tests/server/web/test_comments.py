"""The pages about comments under one's own posts: the queue, what is asked before an act, the policy, and
what a reader of a post is told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from server.pipeline import Road
from tests.fixtures.server import Caller, Enter
from tests.server.web.visitor import Visitor


async def thread(
    enter: Enter, *words: str, mode: str = "open"
) -> tuple[Caller, Caller, dict[str, Any], list[Any]]:
    """Somebody with a post, somebody who comments on it, the post, and the comments."""
    owner, author = await enter("owner"), await enter("author")
    root = await owner.post("a post")
    if mode != "open":
        await owner.call("PUT", "/api/yanlu/v1/comments/policy", json={"mode": mode})
    return owner, author, root, [await author.post(text, in_reply_to_id=root["id"]) for text in words]


async def test_a_queue_is_worked_through_without_a_script(enter: Enter, visitor: Visitor) -> None:
    """Several at once by their boxes, one by its own button; what was typed stays where something lacks."""
    _, _, root, made = await thread(enter, "first", "second", "third", mode="reviewed")
    await visitor.log_in("owner")
    page = await visitor.get("/my/comments?state=waiting")
    assert [words in page.text for words in ("first", "second", "third")] == [True] * 3
    assert "data-waiting>3<" in page.text
    await visitor.send("/my/comments", act="approve", ids=[made[0]["id"], made[1]["id"]])
    refused = await visitor.send("/my/comments", act=f"remove {made[2]['id']}", statement=" ")
    assert refused.status == 422 and "Say why" in refused.text
    done = await visitor.send(
        "/my/comments", act=f"remove {made[2]['id']}", reason="insult", statement="Really"
    )
    assert done.status == 200 and "Removed" in done.text
    anybody = await Visitor(visitor.session).get(f"/@owner/{root['id']}")
    assert [words in anybody.text for words in ("first", "second", "third")] == [True, True, False]
    author = Visitor(visitor.session)
    await author.log_in("author")
    told = await author.get("/my/decisions")
    link = re.search(r"/my/decisions/\d+", told.text)
    assert link is not None
    assert "It insults or threatens somebody. Really" in (await author.get(link[0])).text


async def test_another_persons_comments_are_not_there(enter: Enter, visitor: Visitor) -> None:
    """Neither to be seen nor to be acted on (H3)."""
    _, _, _, [comment] = await thread(enter, "a comment")
    await visitor.log_in("author")
    assert "a comment" not in (await visitor.get("/my/comments")).text
    assert (await visitor.get(f"/my/comments/{comment['id']}/hide")).status == 404
    assert (await visitor.send("/my/comments", act=f"hide {comment['id']}", statement="no")).status == 404


@pytest.mark.parametrize(
    ("deed", "needs_reason"),
    [("hide", True), ("remove", True), ("block", True), ("pin", False), ("approve", False)],
)
async def test_a_posts_own_menu_leads_to_the_same_acts(
    enter: Enter, visitor: Visitor, deed: str, *, needs_reason: bool
) -> None:
    """From the thread to the question, and back to the thread."""
    mode = "reviewed" if deed == "approve" else "open"
    _, _, root, [comment] = await thread(enter, "a comment", mode=mode)
    await visitor.log_in("owner")
    page = await visitor.get(f"/@owner/{root['id']}")
    assert f"/my/comments/{comment['id']}/{deed}" in page.text
    question = await visitor.get(f"/my/comments/{comment['id']}/{deed}")
    assert question.status == 200 and "a comment" in question.text
    assert ('name="statement"' in question.text) is needs_reason
    if needs_reason:
        assert (await visitor.send(f"/my/comments/{comment['id']}/{deed}")).status == 422
    done = await visitor.send(
        f"/my/comments/{comment['id']}/{deed}", reason="off-topic", next=f"/@owner/{root['id']}"
    )
    assert done.status == 200 and done.path.startswith("/@owner/")


async def test_readers_are_told_what_holds_for_comments(
    enter: Enter, visitor: Visitor, another: Visitor
) -> None:
    """Closed, or looked at first: under the post, and there is no composer for what would be refused."""
    _, _, root, _ = await thread(enter, mode="reviewed")
    await visitor.log_in("owner")
    await another.log_in("author")
    assert "looked at first" in (await another.get(f"/@owner/{root['id']}")).text
    await visitor.send(
        f"/my/comments/posts/{root['id']}",
        page="/my/comments/policy",
        act="close",
        next=f"/@owner/{root['id']}",
    )
    page = await another.get(f"/@owner/{root['id']}")
    assert "Comments are closed" in page.text and 'name="status"' not in page.text
    assert "Open comments" in (await visitor.get(f"/@owner/{root['id']}")).text
    await visitor.send(
        f"/my/comments/posts/{root['id']}",
        page="/my/comments/policy",
        act="open",
        next=f"/@owner/{root['id']}",
    )
    assert 'name="status"' in (await another.get(f"/@owner/{root['id']}")).text


async def test_the_author_sees_that_a_comment_waits(enter: Enter, visitor: Visitor) -> None:
    """Marked, so that nobody wonders why nobody answers."""
    _, _, root, _ = await thread(enter, "a comment", mode="reviewed")
    await visitor.log_in("author")
    assert "Waits until" in (await visitor.get(f"/@owner/{root['id']}")).text


async def test_a_policy_is_saved_or_said_to_be_wrong(enter: Enter, visitor: Visitor) -> None:
    """Words are read one a line; a word of nothing is refused, and what was typed stays."""
    await enter("owner")
    await visitor.log_in("owner")
    good: dict[str, Any] = {
        "who": "followers",
        "mode": "filtered",
        "sensitivity": "strict",
        "words": "spam\n广告",
    }
    page = await visitor.send("/my/comments/policy", **good)
    assert page.status == 200
    assert re.search(r'value="followers" checked', page.text) and "spam\n广告</textarea>" in page.text
    wrong = await visitor.send("/my/comments/policy", **{**good, "words": "fine\n" + "x" * 101})
    assert wrong.status == 422 and "at most 100 characters" in wrong.text and "fine" in wrong.text


async def test_a_person_blocked_is_listed_and_let_again(enter: Enter, visitor: Visitor) -> None:
    """With the reason that they were given."""
    _, author, root, [comment] = await thread(enter, "a comment")
    await visitor.log_in("owner")
    await visitor.send("/my/comments", act=f"block {comment['id']}", reason="advertising")
    refused = await author.call(
        "POST", "/api/v1/statuses", json={"status": "x", "in_reply_to_id": root["id"]}
    )
    assert refused.status == 403
    page = await visitor.get("/my/comments/policy")
    assert "It is advertising" in page.text
    await visitor.send(f"/my/comments/blocked/{author.id}/unblock", page="/my/comments/policy")
    await author.post("again", in_reply_to_id=root["id"])


async def test_a_page_of_fifty_asks_no_more_than_a_page_of_five(
    enter: Enter, visitor: Visitor, road_of: Road
) -> None:
    """Two hundred comments are four pages, each a handful of statements."""
    _, author, root, _ = await thread(enter, mode="reviewed")
    for number in range(55):
        await author.post(f"comment {number}", in_reply_to_id=root["id"])
    await visitor.log_in("owner")
    page = await visitor.get("/my/comments?state=waiting")
    assert page.text.count('class="comment-row"') == 50
    older = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert older is not None
    rest = await visitor.get(older[1].replace("&amp;", "&"))
    assert rest.text.count('class="comment-row"') == 5
    assert (
        await road_of.pool.fetchval("select count(*) from compliance.comment where state = 'waiting'") == 55
    )


async def test_the_composer_tells_before_and_after(enter: Enter, visitor: Visitor) -> None:
    """On the page to answer on, and once it is sent: nobody thinks that a comment was lost."""
    _, _, root, _ = await thread(enter, mode="reviewed")
    await visitor.log_in("author")
    path = f"/posts/{root['id']}/reply"
    assert "looked at first" in (await visitor.get(path)).text
    sent = await visitor.send(
        "/compose",
        page=path,
        status="hello",
        visibility="public",
        in_reply_to_id=str(root["id"]),
        next=f"/@owner/{root['id']}",
    )
    assert "looks at it before others see it" in sent.text
