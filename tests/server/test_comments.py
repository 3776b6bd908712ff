"""Comments under one's own posts: who may write them, what waits, and what becomes of them here and
elsewhere."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from compliance import appeals, commentqueue
from compliance.activity import (
    ANYBODY,
    AccountId,
    Activity,
    Actor,
    Announce,
    ApproveReply,
    Create,
    Delete,
    Direction,
    HideReply,
    Mention,
    PostId,
    RemoveReply,
    ReplyControl,
    Update,
    Uri,
)
from compliance.appeals import AppealState
from compliance.comments import Mode, Override, Policy, Sensitivity, State, Who
from compliance.verdict import Reason
from server import moderating, pipeline
from server.errors import Invalid, NotFound
from server.moderating import Deed
from server.pipeline import Answer, Done, Road, Stopped, submit
from server.refusal import NotPublished
from server.store import accounts, collections, posts, timelines
from server.store.model import AccountView, Page
from tests.fixtures.people import SOURCE, Join, create


async def out(road: Road, *activities: Activity) -> list[Answer]:
    return await submit(road, activities, Direction.OUT, source=SOURCE)


async def came(road: Road, *activities: Activity) -> list[Answer]:
    return await submit(road, activities, Direction.IN, source=SOURCE)


async def view(road: Road, actor: Actor) -> AccountView:
    async with road.pool.acquire() as conn:
        return await accounts.get(conn, actor.id, uris=road.uris)


async def choose(road: Road, owner: Actor, **policy: Any) -> None:
    await moderating.set_policy(road, await view(road, owner), Policy(**policy), source=SOURCE)


async def say(road: Road, author: Actor, text: str, under: Create | None = None, **more: Any) -> Create:
    """A post or comment that is let in."""
    made = create(road, author, text, **({"in_reply_to": under.note.uri} if under else {}), **more)
    [answer] = await (out if author.is_local else came)(road, made)
    assert isinstance(answer, Done), answer
    return made


async def id_of(road: Road, made: Create) -> PostId:
    return PostId(await road.pool.fetchval("select id from post where uri = $1", made.note.uri))


async def shown(road: Road, root: Create, viewer: Actor | None = None) -> list[Uri]:
    """What stands under a post, for somebody."""
    who = viewer.id if viewer else None
    async with road.pool.acquire() as conn:
        _, below = await timelines.thread(conn, await id_of(road, root), who)
        return [post.uri for post in await posts.load(conn, below, who, uris=road.uris)]


async def replies(road: Road, root: Create) -> int:
    found: int = await road.pool.fetchval(
        "select replies from post_count where post_id = $1", await id_of(road, root)
    )
    return found


async def mail(road: Road) -> list[tuple[dict[str, Any], str]]:
    """The documents that wait to leave, each with its inbox, oldest first."""
    rows = await road.pool.fetch(
        "select m.body, o.inbox from federation.message m join federation.outbound o on o.message_id = m.id "
        "order by m.id, o.inbox"
    )
    return [(msgspec.json.decode(row["body"]), row["inbox"]) for row in rows]


async def decide(
    road: Road, owner: Actor, deed: Deed, *made: Create, statement: str = "off topic"
) -> moderating.Decided:
    ids = [await id_of(road, one) for one in made]
    return await moderating.decide(
        road, await view(road, owner), deed, ids, source=SOURCE, statement=statement
    )


async def follow(road: Road, follower: Actor, followee: Actor) -> None:
    await road.pool.execute(
        "insert into follow (follower_id, followee_id, id, uri, state, decision_id, created_at) "
        "select $1, $2, $3, $4, 'accepted', id, now() from compliance.decision "
        "where verdict = 'cleared' limit 1",
        follower.id,
        followee.id,
        road.ids(),
        f"{follower.uri}/follows/{followee.id}",
    )


async def test_a_comment_that_is_looked_at_first_is_seen_by_its_author_and_the_owner_alone(
    road: Road, join: Join
) -> None:
    """Not shown, not counted, not in a home timeline, nobody told, nothing sent: until it is approved."""
    owner, author, fan = await join("owner"), await join("author"), await join("fan")
    far = await join("far", host="far.example")
    root = await say(road, owner, "a post")
    await follow(road, fan, owner)
    await follow(road, fan, author)
    await follow(road, far, author)
    await choose(road, owner, mode=Mode.REVIEWED)

    comment = await say(
        road, author, "a comment", root, mentions=(Mention(uri=owner.uri, handle="owner@example.org"),)
    )

    assert await shown(road, root) == await shown(road, root, fan) == []
    assert await shown(road, root, author) == await shown(road, root, owner) == [comment.note.uri]
    assert await replies(road, root) == 0
    id_ = await id_of(road, comment)
    assert not await road.pool.fetch("select from feed where post_id = $1 and owner_id = $2", id_, fan.id)
    assert not await road.pool.fetch("select from notification where post_id = $1", id_)
    assert await mail(road) == []
    [boost] = await out(
        road,
        Announce(
            id=Uri("https://example.org/b/activity"),
            actor=owner,
            target=comment.note.uri,
            published=road.clock(),
        ),
    )
    assert isinstance(boost, Done) and not boost.took

    decided = await decide(road, owner, Deed.APPROVE, comment)

    assert decided.moved == (id_,)
    assert await shown(road, root) == [comment.note.uri]
    assert await replies(road, root) == 1
    assert await road.pool.fetch("select from feed where post_id = $1 and owner_id = $2", id_, fan.id)
    assert await road.pool.fetchval("select kind from notification where post_id = $1", id_) == "mention"
    assert [(body["type"], inbox) for body, inbox in await mail(road)] == [
        ("Create", "https://far.example/inbox")
    ]


@pytest.mark.parametrize(
    ("who", "of_whom"),
    [
        (Who.ANYONE, {"stranger", "follower", "followed", "named"}),
        (Who.FOLLOWERS, {"follower", "named"}),
        (Who.FOLLOWED, {"followed", "named"}),
        (Who.MENTIONED, {"named"}),
        (Who.NOBODY, set()),
    ],
)
@pytest.mark.parametrize("host", [None, "far.example"])
async def test_only_whom_the_policy_names_may_comment(
    road: Road, join: Join, who: Who, of_whom: set[str], host: str | None
) -> None:
    """The same for our people and for others': here a refusal, there silence and a decision."""
    owner = await join("owner")
    people = {name: await join(name, host=host) for name in ("stranger", "follower", "followed", "named")}
    handle = "named@example.org" if host is None else f"named@{host}"
    named = (Mention(uri=people["named"].uri, handle=handle),)
    root = await say(road, owner, "a post", mentions=named)
    await follow(road, people["follower"], owner)
    await follow(road, owner, people["followed"])
    await choose(road, owner, who=who)
    let = set()
    for name, author in people.items():
        [answer] = await (out if host is None else came)(
            road, create(road, author, "hello", in_reply_to=root.note.uri)
        )
        if isinstance(answer, Done):
            let.add(name)
        else:
            assert isinstance(answer, Stopped) and answer.reason is Reason.COMMENTS_CLOSED
    assert let == of_whom
    assert isinstance((await out(road, create(road, owner, "I", in_reply_to=root.note.uri)))[0], Done)


async def test_somebody_blocked_comments_nowhere_and_is_told_why(road: Road, join: Join) -> None:
    """Under all posts, at any depth; it is a decision to be appealed against, and the operators undo it."""
    owner, troll, friend = await join("owner"), await join("troll"), await join("friend")
    root = await say(road, owner, "a post")
    first = await say(road, troll, "nonsense", root)
    of_friend = await say(road, friend, "hello", root)
    await decide(road, owner, Deed.BLOCK, first, statement="You insult people")
    for under in (root, of_friend):
        [answer] = await out(road, create(road, troll, "more", in_reply_to=under.note.uri))
        assert isinstance(answer, Stopped) and answer.reason is Reason.COMMENTER_BLOCKED
    decision = await road.pool.fetchrow(
        "select id, statement, decided_by from compliance.decision where kind = 'comment'"
    )
    assert (decision["statement"], decision["decided_by"]) == ("You insult people", owner.id)
    assert (
        await road.pool.fetchval("select count(*) from notification where decision_id = $1", decision["id"])
        == 1
    )

    await _appeal(road, troll, decision["id"])

    assert isinstance((await out(road, create(road, troll, "sorry", in_reply_to=root.note.uri)))[0], Done)


async def _appeal(road: Road, author: Actor, decision_id: int) -> None:
    """Appeals, and an operator finds the author right."""
    more = {"now": road.clock(), "source": SOURCE, "new_id": road.ids}
    async with road.pool.acquire() as conn, conn.transaction():
        appeal = await appeals.open_(conn, decision_id, author.id, "I did nothing", **more)  # type: ignore[arg-type]
        again = await appeals.decide(
            conn,
            appeal.id,
            decider=AccountId(99),
            outcome=AppealState.OVERTURNED,
            statement="Indeed",
            **more,  # type: ignore[arg-type]
        )
        if again is not None:
            await pipeline.resubmit(conn, road, again[0], again[1], source=SOURCE)


@pytest.mark.parametrize(
    ("policy", "text", "more", "waits"),
    [
        ({"words": ("spam",)}, "buy SPAM now", {}, True),
        ({"words": ("spam",)}, "buy ｓｐａｍ now", {}, True),
        ({"words": ("spam",)}, "spamming", {}, False),
        ({"words": ("广告",)}, "这是广告", {}, True),
        ({"words": ("spam",)}, "hello", {}, False),
        ({}, "hello", {"spoiler": "careful"}, False),
        ({"sensitivity": Sensitivity.CAREFUL}, "hello", {"spoiler": "careful"}, True),
        ({"sensitivity": Sensitivity.CAREFUL}, "hello", {}, False),
        ({"sensitivity": Sensitivity.STRICT}, "hello", {}, True),
    ],
)
async def test_a_filtered_post_keeps_back_what_it_looks_for(
    road: Road, join: Join, policy: dict[str, Any], text: str, more: dict[str, Any], *, waits: bool
) -> None:
    """The account's own words are found as the server's rules find theirs: through disguises, whole."""
    owner, author = await join("owner"), await join("author")
    root = await say(road, owner, "a post")
    await choose(road, owner, mode=Mode.FILTERED, **policy)
    await say(road, author, text, root, **more)
    assert (await shown(road, root) == []) is waits


async def test_a_strict_filter_knows_who_was_let_before(road: Road, join: Join) -> None:
    """First comments wait; afterwards only links and pictures do."""
    owner, author = await join("owner"), await join("author")
    root = await say(road, owner, "a post")
    await choose(road, owner, mode=Mode.FILTERED, sensitivity=Sensitivity.STRICT)
    first = await say(road, author, "hello", root)
    await decide(road, owner, Deed.APPROVE, first)
    plain = await say(road, author, "again", root)
    link = await say(road, author, "see here", root, html='<p><a href="https://x.example/">x.example</a></p>')
    assert await shown(road, root) == [first.note.uri, plain.note.uri]
    assert link.note.uri in await shown(road, root, owner)


async def test_one_post_may_be_closed_and_another_looked_at(road: Road, join: Join) -> None:
    """What one post has instead of its author's policy; opened again, it is as the policy says."""
    owner, author = await join("owner"), await join("author")
    me = await view(road, owner)
    closed, reviewed = await say(road, owner, "one"), await say(road, owner, "two")
    await moderating.close(road, me, await id_of(road, closed), source=SOURCE)
    await moderating.set_override(
        road, me, await id_of(road, reviewed), Override(mode=Mode.REVIEWED), source=SOURCE
    )
    [answer] = await out(road, create(road, author, "hello", in_reply_to=closed.note.uri))
    assert isinstance(answer, Stopped) and answer.reason is Reason.COMMENTS_CLOSED
    waiting = await say(road, author, "hello", reviewed)
    assert await shown(road, reviewed) == []
    await moderating.open_(road, me, await id_of(road, closed), source=SOURCE)
    await say(road, author, "now", closed)
    with pytest.raises(NotFound):
        await moderating.close(road, await view(road, author), await id_of(road, closed), source=SOURCE)
    assert waiting.note.uri in await shown(road, reviewed, owner)


async def test_the_owner_of_the_thread_answers_at_any_depth_and_so_does_whoever_is_answered(
    road: Road, join: Join
) -> None:
    """Both policies count: the thread's, and that of the comment that is answered."""
    owner, middle, deep = await join("owner"), await join("middle"), await join("deep")
    root = await say(road, owner, "a post")
    comment = await say(road, middle, "a comment", root)
    await choose(road, middle, mode=Mode.REVIEWED)
    waits_for_middle = await say(road, deep, "to the comment", comment)
    assert await shown(road, root) == [comment.note.uri]
    await decide(road, owner, Deed.HIDE, waits_for_middle)
    await decide(road, middle, Deed.APPROVE, waits_for_middle)
    assert await shown(road, root) == [comment.note.uri]
    await decide(road, owner, Deed.UNHIDE, waits_for_middle)
    assert await shown(road, root) == [comment.note.uri, waits_for_middle.note.uri]
    # In one's own thread one is free, whatever those who comment have chosen.
    await choose(road, middle, who=Who.NOBODY)
    await say(road, owner, "my answer", comment)


async def test_what_is_hidden_stands_at_its_own_place_and_nowhere_under_the_post(
    road: Road, join: Join
) -> None:
    """The author sees it marked, is told why, and others find it with the author alone."""
    owner, author, reader = await join("owner"), await join("author"), await join("reader")
    root = await say(road, owner, "a post")
    comment = await say(road, author, "a comment", root)
    id_ = await id_of(road, comment)
    with pytest.raises(Invalid):
        await decide(road, owner, Deed.HIDE, comment, statement=" ")
    await decide(road, owner, Deed.HIDE, comment, statement="off topic")
    assert await shown(road, root) == await shown(road, root, reader) == []
    assert await shown(road, root, author) == [comment.note.uri]
    assert await replies(road, root) == 0
    async with road.pool.acquire() as conn:
        found = await posts.get(conn, id_, reader.id, uris=road.uris)
        assert found.hidden
        assert await timelines.account(conn, author.id, reader.id, Page()) == [id_]
        assert await collections.replies(conn, await id_of(road, root), Page()) == []
    statement = await road.pool.fetchrow(
        "select reason, statement from compliance.decision where kind = 'comment'"
    )
    assert tuple(statement) == ("comment_hidden", "off topic")
    await decide(road, owner, Deed.UNHIDE, comment)
    assert await shown(road, root) == [comment.note.uri]
    assert await replies(road, root) == 1


async def test_what_is_removed_is_gone_here_and_wherever_it_went(road: Road, join: Join) -> None:
    """Two Deletes leave: the owner's, and of our own person's post the author's, to all who had it."""
    owner, author = await join("owner"), await join("author")
    of_owner, of_author = await join("fan", host="one.example"), await join("pal", host="two.example")
    root = await say(road, owner, "a post")
    await follow(road, of_owner, owner)
    await follow(road, of_author, author)
    comment = await say(road, author, "a comment", root)
    await road.pool.execute("delete from federation.message")

    await decide(road, owner, Deed.REMOVE, comment, statement="insults")

    assert await shown(road, root, author) == await shown(road, root, owner) == []
    with pytest.raises(NotFound):
        async with road.pool.acquire() as conn:
            await posts.get(conn, await id_of(road, comment), author.id, uris=road.uris)
    assert await replies(road, root) == 0
    row = await road.pool.fetchrow("select withdrawn_by, text from post where uri = $1", comment.note.uri)
    assert tuple(row) == ("organisation", "a comment")
    sent = [(body["actor"], body["type"], inbox) for body, inbox in await mail(road)]
    assert (str(owner.uri), "Delete", "https://one.example/inbox") in sent
    assert (str(owner.uri), "Delete", "https://two.example/inbox") in sent
    assert (str(author.uri), "Delete", "https://two.example/inbox") in sent
    [by_owner] = [body for body, inbox in await mail(road) if body["actor"] == owner.uri and "one" in inbox]
    assert by_owner["object"] == {
        "id": comment.note.uri,
        "type": "Tombstone",
        "attributedTo": author.uri,
    }
    assert (by_owner["target"], by_owner["summary"]) == (root.note.uri, "insults")


async def test_an_appeal_brings_a_removed_comment_back_for_good(road: Road, join: Join) -> None:
    """The operators are the instance above the owner: what they restore the owner does not hide again."""
    owner, author = await join("owner"), await join("author")
    root = await say(road, owner, "a post")
    comment = await say(road, author, "a comment", root)
    await decide(road, owner, Deed.REMOVE, comment)
    decision_id = await road.pool.fetchval("select id from compliance.decision where kind = 'comment'")

    await _appeal(road, author, decision_id)

    assert await shown(road, root) == [comment.note.uri]
    assert await replies(road, root) == 1
    with pytest.raises(moderating.Settled):
        await decide(road, owner, Deed.HIDE, comment)
    assert await shown(road, root) == [comment.note.uri]


async def test_nobody_touches_what_stands_under_anothers_posts(road: Road, join: Join) -> None:
    """Rule H3: the query names the one who answers, and the gate refuses what goes round it."""
    owner, other, author = await join("owner"), await join("other"), await join("author")
    root, _ = await say(road, owner, "a post"), await say(road, other, "another")
    comment = await say(road, author, "a comment", root)
    for deed in Deed:
        with pytest.raises(NotFound):
            await decide(road, other, deed, comment)
        with pytest.raises(NotFound):
            await decide(road, author, deed, comment)
    act: dict[str, Any] = {"target": comment.note.uri, "post": root.note.uri, "author": author.uri}
    for kind in (ApproveReply, HideReply, RemoveReply):
        [answer] = await out(road, kind(id=Uri("https://example.org/activities/7"), actor=other, **act))
        assert isinstance(answer, Stopped) and answer.reason is Reason.ROLE_REQUIRED
    far = await join("far", host="far.example")
    for kind in (ApproveReply, HideReply, RemoveReply):
        [answer] = await came(road, kind(id=Uri("https://far.example/a/7"), actor=far, **act))
        assert isinstance(answer, Stopped) and answer.reason is Reason.ROLE_REQUIRED
    assert await shown(road, root) == [comment.note.uri]


async def test_an_edited_comment_is_looked_at_again(road: Road, join: Join) -> None:
    """Else whoever was approved once could say anything; what others have changes when it is let."""
    owner, author = await join("owner"), await join("author")
    far = await join("far", host="far.example")
    root = await say(road, owner, "a post")
    await follow(road, far, author)
    await choose(road, owner, mode=Mode.REVIEWED)
    comment = await say(road, author, "nice", root)
    await decide(road, owner, Deed.APPROVE, comment)
    await road.pool.execute("delete from federation.message")
    words = replace(comment.note, text="nasty", html="<p>nasty</p>", updated=road.clock())
    [answer] = await out(road, Update(id=Uri("https://example.org/activities/9"), actor=author, note=words))
    assert isinstance(answer, Done)
    assert await shown(road, root) == []
    assert await replies(road, root) == 0
    assert await mail(road) == []
    await decide(road, owner, Deed.APPROVE, comment)
    assert await replies(road, root) == 1
    assert [body["type"] for body, _ in await mail(road)] == ["Update"]


async def test_a_comment_from_elsewhere_waits_and_its_server_hears(road: Road, join: Join) -> None:
    """Accept with a stamp once it is approved, Reject where it is hidden."""
    owner, far = await join("owner"), await join("far", host="far.example")
    root = await say(road, owner, "a post")
    await choose(road, owner, mode=Mode.REVIEWED)
    asked = Uri("https://far.example/requests/1")
    note = create(road, far, "a comment", in_reply_to=root.note.uri)
    [answer] = await came(road, Create(id=asked, actor=far, note=note.note, asked=asked))
    assert isinstance(answer, Done)
    assert await shown(road, root) == [] and await mail(road) == []

    await decide(road, owner, Deed.APPROVE, note)

    [(accept, inbox)] = await mail(road)
    id_ = await id_of(road, note)
    assert (accept["type"], inbox) == ("Accept", "https://far.example/users/far/inbox")
    assert accept["result"] == f"{owner.uri}/reply_authorizations/{id_}"
    assert accept["object"] == {
        "id": asked,
        "type": "ReplyRequest",
        "actor": far.uri,
        "object": root.note.uri,
        "instrument": note.note.uri,
    }
    async with road.pool.acquire() as conn:
        assert await commentqueue.find_approved(conn, owner.id, id_) == (note.note.uri, root.note.uri)
    await decide(road, owner, Deed.HIDE, note)
    async with road.pool.acquire() as conn:
        assert await commentqueue.find_approved(conn, owner.id, id_) is None
    assert [body["type"] for body, _ in await mail(road)] == ["Accept", "Reject"]


@pytest.mark.parametrize("policy", [None, {"who": Who.FOLLOWERS}])
async def test_a_comment_that_is_let_at_once_is_answered_where_somebody_waits(
    road: Road, join: Join, policy: dict[str, Any] | None
) -> None:
    """A server that asked is always answered; one that only sent, where not everybody may."""
    owner, far = await join("owner"), await join("far", host="far.example")
    root = await say(road, owner, "a post")
    await follow(road, far, owner)
    if policy:
        await choose(road, owner, **policy)
    await road.pool.execute("delete from federation.message")
    await say(road, far, "plain", root)
    assert [body["type"] for body, _ in await mail(road)] == (["Accept"] if policy else [])
    asked = Uri("https://far.example/requests/2")
    note = create(road, far, "asked", in_reply_to=root.note.uri)
    await came(road, Create(id=asked, actor=far, note=note.note, asked=asked))
    assert [body["type"] for body, _ in await mail(road)][-1] == "Accept"


async def test_a_comment_that_is_refused_is_rejected(road: Road, join: Join) -> None:
    """Nothing of it is stored but the decision; its server learns that it does not stand."""
    owner, far = await join("owner"), await join("far", host="far.example")
    root = await say(road, owner, "a post")
    await choose(road, owner, who=Who.NOBODY)
    note = create(road, far, "a comment", in_reply_to=root.note.uri)
    [answer] = await came(road, note)
    assert isinstance(answer, Stopped)
    [(reject, inbox)] = await mail(road)
    assert (reject["type"], reject["object"], inbox) == (
        "Reject",
        note.note.uri,
        "https://far.example/users/far/inbox",
    )
    assert not await road.pool.fetch("select from post where uri = $1", note.note.uri)


async def test_our_people_ask_where_another_server_wants_to_be_asked(road: Road, join: Join) -> None:
    """The question leaves and nothing else, until the answer comes; then the comment, with its stamp."""
    far, ours, fan = (
        await join("far", host="far.example"),
        await join("ours"),
        await join("fan", host="fan.example"),
    )
    root = await say(road, far, "a post", can_reply=ReplyControl(automatic=(far.uri,), manual=(ANYBODY,)))
    await follow(road, fan, ours)
    comment = await say(road, ours, "a comment", root)
    [(question, inbox)] = await mail(road)
    assert (question["type"], inbox) == ("ReplyRequest", "https://far.example/users/far/inbox")
    assert (question["object"], question["instrument"]["id"]) == (root.note.uri, comment.note.uri)
    assert await shown(road, root, fan) == []
    stamp = Uri("https://far.example/users/far/stamps/1")
    yes = ApproveReply(
        id=Uri("https://far.example/accepts/1"),
        actor=far,
        target=comment.note.uri,
        post=root.note.uri,
        author=ours.uri,
        stamp=stamp,
    )
    await came(road, yes)
    assert await shown(road, root) == [comment.note.uri]
    sent = [(body, inbox) for body, inbox in await mail(road) if body["type"] == "Create"]
    assert {inbox for _, inbox in sent} == {"https://far.example/inbox", "https://fan.example/inbox"}
    assert sent[0][0]["object"]["replyAuthorization"] == stamp
    no = HideReply(
        id=Uri("https://far.example/rejects/1"),
        actor=far,
        target=comment.note.uri,
        post=root.note.uri,
        author=ours.uri,
    )
    await came(road, no)
    assert await shown(road, root) == []


async def test_our_people_do_not_comment_where_another_server_says_nobody_may(road: Road, join: Join) -> None:
    """Told before it is published; whom the post names may all the same."""
    far, ours, named = await join("far", host="far.example"), await join("ours"), await join("named")
    mentions = (Mention(uri=named.uri, handle="named@example.org"),)
    root = await say(road, far, "a post", can_reply=ReplyControl(automatic=(far.uri,)), mentions=mentions)
    [answer] = await out(road, create(road, ours, "a comment", in_reply_to=root.note.uri))
    assert isinstance(answer, Stopped) and answer.reason is Reason.COMMENTS_CLOSED
    await say(road, named, "a comment", root)


@pytest.mark.parametrize("is_early", [False, True])
async def test_another_server_takes_a_comment_away_from_under_its_own_post(
    road: Road, join: Join, *, is_early: bool
) -> None:
    """Believed because of what is stored here; also where the comment comes after its removal."""
    org, third = await join("org", host="org.example"), await join("third", host="third.example")
    root = await say(road, org, "a post")
    comment = create(road, third, "a comment", in_reply_to=root.note.uri)
    removal = RemoveReply(
        id=Uri("https://org.example/deletes/1"),
        actor=org,
        target=comment.note.uri,
        post=root.note.uri,
        author=third.uri,
    )
    first, second = (removal, comment) if is_early else (comment, removal)
    await came(road, first)
    await came(road, second)
    assert await shown(road, root) == []
    assert await replies(road, root) == 0


async def test_our_person_is_told_when_another_server_removes_their_comment(road: Road, join: Join) -> None:
    """Withdrawn here too, with a statement of reasons, and our operators to appeal to."""
    org, ours = await join("org", host="org.example"), await join("ours")
    root = await say(road, org, "a post")
    comment = await say(road, ours, "a comment", root)
    removal = RemoveReply(
        id=Uri("https://org.example/deletes/1"),
        actor=org,
        target=comment.note.uri,
        post=root.note.uri,
        author=ours.uri,
        statement="insults",
    )
    await came(road, removal)
    assert await shown(road, root, ours) == []
    decision = await road.pool.fetchrow(
        "select id, reason, statement from compliance.decision where kind = 'comment' and actor_id = $1",
        ours.id,
    )
    assert tuple(decision)[1:] == ("comment_removed", "insults")
    await _appeal(road, ours, decision["id"])
    assert await shown(road, root) == [comment.note.uri]


async def test_replies_that_came_before_what_they_answer_come_under_the_owner_too(
    road: Road, join: Join
) -> None:
    """A branch cannot slip past a post that is looked at first by arriving upside down."""
    owner, far = await join("owner"), await join("far", host="far.example")
    root = await say(road, owner, "a post")
    await choose(road, owner, mode=Mode.REVIEWED)
    middle = create(road, far, "middle", in_reply_to=root.note.uri)
    deep = create(road, far, "deep", in_reply_to=middle.note.uri)
    await came(road, deep)
    await came(road, middle)
    assert await shown(road, root) == []
    assert set(await shown(road, root, owner)) == {middle.note.uri, deep.note.uri}
    await decide(road, owner, Deed.APPROVE, middle, deep)
    assert set(await shown(road, root)) == {middle.note.uri, deep.note.uri}


async def test_pinned_comments_come_first(road: Road, join: Join) -> None:
    """For everybody, until they are unpinned, hidden or removed."""
    owner, author = await join("owner"), await join("author")
    root = await say(road, owner, "a post")
    one, two, three = [await say(road, author, text, root) for text in ("one", "two", "three")]
    await decide(road, owner, Deed.PIN, three)
    assert await shown(road, root) == [three.note.uri, one.note.uri, two.note.uri]
    await decide(road, owner, Deed.UNPIN, three)
    assert await shown(road, root) == [one.note.uri, two.note.uri, three.note.uri]


async def test_the_queue_holds_what_stands_under_ones_own_posts(road: Road, join: Join) -> None:
    """By state and by thread, newest first, with figures."""
    owner, author, other = await join("owner"), await join("author"), await join("other")
    root, second = await say(road, owner, "a post"), await say(road, owner, "a second")
    await say(road, author, "elsewhere", await say(road, other, "not the owner's"))
    seen = await say(road, author, "seen", root)
    await choose(road, owner, mode=Mode.REVIEWED)
    waiting = [await say(road, author, text, second) for text in ("one", "two", "three")]
    async with road.pool.acquire() as conn:
        every = await commentqueue.list_page(conn, owner.id)
        assert [one.uri for one in every] == [c.note.uri for c in (*reversed(waiting), seen)]
        only = await commentqueue.list_page(conn, owner.id, state=State.WAITING, limit=2)
        assert [one.uri for one in only] == [waiting[2].note.uri, waiting[1].note.uri]
        rest = await commentqueue.list_page(conn, owner.id, state=State.WAITING, max_id=only[-1].id)
        assert [one.uri for one in rest] == [waiting[0].note.uri]
        of_root = await commentqueue.list_page(conn, owner.id, thread_id=await id_of(road, root))
        assert [one.uri for one in of_root] == [seen.note.uri]
        figures = await commentqueue.figures(conn, owner.id, now=road.clock())
        assert (figures.waiting, figures.median) == (3, None)
        assert figures.oldest == await conn.fetchval(
            "select min(created_at) from compliance.comment where state = 'waiting'"
        )
    await decide(road, owner, Deed.APPROVE, *waiting)
    await out(road, Delete(id=Uri("https://example.org/d/1"), actor=author, target=seen.note.uri))
    async with road.pool.acquire() as conn:
        figures = await commentqueue.figures(conn, owner.id, now=road.clock())
        assert figures.waiting == 0 and figures.median is not None
        assert len(await commentqueue.list_page(conn, owner.id)) == 3


async def test_a_refused_deed_says_so(road: Road, join: Join) -> None:
    """A suspended owner decides nothing."""
    owner, author = await join("owner"), await join("author")
    root = await say(road, owner, "a post")
    comment = await say(road, author, "a comment", root)
    await road.pool.execute("update account set suspended_at = now() where id = $1", owner.id)
    with pytest.raises(NotPublished):
        await decide(road, owner, Deed.HIDE, comment)


@pytest.mark.parametrize("seed", range(6))
async def test_counts_are_what_is_visible_whatever_is_done(road: Road, join: Join, seed: int) -> None:
    """The property behind all of it: a number on a page is a number of things that can be seen."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    owner, people = (
        await join("owner"),
        [await join("ann"), await join("ben"), await join("cy", host="far.example")],
    )
    root = await say(road, owner, "a post")
    made: list[Create] = []
    for _ in range(40):
        match chance.choice(("say", "say", "say", "policy", "delete", "act", "act", "act")):
            case "say":
                author = chance.choice([*people, owner])
                under = chance.choice([root, *made])
                one = create(road, author, chance.choice(("spam", "hello")), in_reply_to=under.note.uri)
                [answer] = await (out if author.is_local else came)(road, one)
                if isinstance(answer, Done) and answer.post_id is not None:
                    made.append(one)
            case "policy":
                mode = chance.choice(list(Mode))
                await choose(road, chance.choice([owner, people[0]]), mode=mode, words=("spam",))
            case "delete" if made:
                one = chance.choice(made)
                gone = Delete(
                    id=Uri(f"{one.actor.uri}/deletes/{road.ids()}"), actor=one.actor, target=one.note.uri
                )
                await (out if one.actor.is_local else came)(road, gone)
            case "act" if made:
                one, by = chance.choice(made), chance.choice([owner, people[0]])
                deed = chance.choice([Deed.APPROVE, Deed.HIDE, Deed.UNHIDE, Deed.REMOVE])
                try:
                    await decide(road, by, deed, one)
                except NotFound:
                    continue
        await _counts_are_right(road)


async def _counts_are_right(road: Road) -> None:
    wrong: Sequence[Any] = await road.pool.fetch(
        """
        select p.id, c.replies, (
          select count(*) from post r
          where r.in_reply_to_id = p.id and r.withdrawn_at is null and not r.waits and not r.hidden) as seen
        from post p join post_count c on c.post_id = p.id
        """
    )
    assert all(row["replies"] == row["seen"] for row in wrong), wrong
    people = await road.pool.fetch(
        """
        select c.account_id, c.posts, (
          select count(*) from post p
          where p.account_id = c.account_id and p.withdrawn_at is null and not p.waits) as seen
        from account_count c
        """
    )
    assert all(row["posts"] == row["seen"] for row in people), people
