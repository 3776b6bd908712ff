"""The road: what is judged, applied, queued and remembered, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from compliance import hosts, wordlists
from compliance.activity import (
    Activity,
    Announce,
    Attachment,
    Block,
    Delete,
    Direction,
    Follow,
    Like,
    MediaId,
    Mention,
    Undo,
    Undoable,
    Update,
    Upload,
    Uri,
    Visibility,
)
from compliance.verdict import Reason
from server.pipeline import Answer, Done, Failed, Once, Road, Stopped, submit
from server.store import sweeps
from tests.fixtures.people import SOURCE, Join, MovingClock, create

RULES = """{"name": "test", "version": "1", "lists": {
  "fraud": {"category": "fraud", "action": "hold", "basis": "house rule 2", "rules": [{"pattern": "假文凭"}]},
  "drugs": {"category": "drugs", "action": "refuse", "basis": "house rule 3",
  "rules": [{"pattern": "forbidden powder"}]}}}"""


async def out(road: Road, *activities: Activity, once: Once | None = None) -> list[Answer]:
    return await submit(road, activities, Direction.OUT, source=SOURCE, once=once)


async def came(road: Road, *activities: Activity) -> list[Answer]:
    return await submit(road, activities, Direction.IN, source=SOURCE)


async def rows(road: Road, statement: str, *arguments: object) -> Sequence[Any]:
    found: Sequence[Any] = await road.pool.fetch(statement, *arguments)
    return found


async def activate(road: Road) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        version = await wordlists.import_(
            conn, RULES, by=None, now=road.clock(), new_id=road.ids, source=SOURCE
        )
        await wordlists.activate(conn, version, by=None, now=road.clock(), new_id=road.ids, source=SOURCE)


async def test_a_post_shows_to_followers_and_leaves_once_for_each_server(road: Road, join: Join) -> None:
    """The main job: fan-out here, one message and one row for each shared inbox elsewhere."""
    alice, bob = await join("alice"), await join("bob")
    far = [await join(name, host="far.example") for name in ("cora", "dina")]
    await out(road, Follow(id=Uri("https://example.org/activities/1"), actor=bob, target=alice.uri))
    for one in far:
        await came(road, Follow(id=Uri(f"{one.uri}/follows/1"), actor=one, target=alice.uri))
    await road.pool.execute("delete from federation.message")

    [done] = await out(road, create(road, alice, "hello"))

    assert isinstance(done, Done)
    owners = {
        r["owner_id"] for r in await rows(road, "select owner_id from feed where post_id = $1", done.post_id)
    }
    assert owners == {alice.id, bob.id}
    queued = await rows(road, "select inbox, host from federation.outbound")
    assert [(r["inbox"], r["host"]) for r in queued] == [("https://far.example/inbox", "far.example")]


async def test_nobody_unverified_publishes_and_nothing_of_it_is_kept(road: Road, join: Join) -> None:
    """Article 7: no verified identity, no publishing."""
    carl = await join("carl", verified=False)
    [answer] = await out(road, create(road, carl, "hello"))
    assert isinstance(answer, Stopped)
    assert answer.reason is Reason.IDENTITY_REQUIRED
    assert await road.pool.fetchval("select count(*) from post") == 0


async def test_a_held_post_is_kept_unseen_and_its_author_is_told(road: Road, join: Join) -> None:
    """Held means a case with the words, no post, and a notice to the author."""
    await activate(road)
    alice = await join("alice")
    [answer] = await out(road, create(road, alice, "出售假文凭"))
    assert isinstance(answer, Stopped)
    assert answer.is_held
    assert await road.pool.fetchval("select count(*) from post") == 0
    assert await road.pool.fetchval("select words from compliance.review_case") == "出售假文凭"
    assert (
        await road.pool.fetchval("select kind from notification where account_id = $1", alice.id)
        == "decision"
    )


async def test_one_key_is_one_post_also_when_asked_for_at_the_same_time(road: Road, join: Join) -> None:
    """A client that repeats a request must not post twice, whatever the verdict was."""
    await activate(road)
    alice = await join("alice")
    for text in ("hello", "假文凭", "forbidden powder"):
        once = Once(alice.id, text)
        answers = await asyncio.gather(*(out(road, create(road, alice, text), once=once) for _ in range(5)))
        assert len({repr(a[0].decision_id) for a in answers if not isinstance(a[0], Failed)}) == 1
    assert await road.pool.fetchval("select count(*) from post") == 1


async def test_a_bad_one_in_a_batch_does_not_spoil_its_neighbours(road: Road, join: Join) -> None:
    """A batch is one transaction; what breaks it is found and left out."""
    far = await join("cora", host="far.example")
    good = [create(road, far, f"post {n}") for n in range(6)]
    picture = Attachment(url="https://far.example/1.png", mime="image/png", width=2**40)
    bad = create(road, far, "a picture wider than a column", attachments=(picture,))
    answers = await came(road, *good[:3], bad, *good[3:])
    assert [isinstance(a, Done) for a in answers] == [True, True, True, False, True, True, True]
    assert isinstance(answers[3], Failed)
    assert await road.pool.fetchval("select count(*) from post") == 6


async def test_a_batch_keeps_the_order_of_what_concerns_one_thing(road: Road, join: Join) -> None:
    """Create, Update, Delete, and the Create once more: deleted it stays."""
    far = await join("cora", host="far.example")
    first = create(road, far, "one")
    edited = Update(
        id=Uri(f"{first.id}/2"),
        actor=far,
        note=create(road, far, "two", uri=first.note.uri, updated=road.clock()).note,
    )
    gone = Delete(id=Uri(f"{first.id}/3"), actor=far, target=first.note.uri)
    answers = await came(road, first, edited, gone, first)
    assert [a.took for a in answers if isinstance(a, Done)] == [True, True, True, False]
    assert await road.pool.fetchval("select count(*) from visible_post") == 0


async def test_a_refused_host_is_not_heard(road: Road, join: Join) -> None:
    """Host policy is a check like the others: nothing is stored but the decision."""
    far = await join("cora", host="far.example")
    async with road.pool.acquire() as conn, conn.transaction():
        await hosts.set_policy(
            conn,
            "far.example",
            hosts.Policy.REFUSE,
            reason="spam",
            by=None,
            now=road.clock(),
            new_id=road.ids,
            source=SOURCE,
        )
    [answer] = await came(road, create(road, far, "hello"))
    assert isinstance(answer, Stopped)
    assert answer.reason is Reason.HOST_BLOCKED


async def test_a_follow_from_elsewhere_is_answered_each_time(road: Road, join: Join) -> None:
    """Peers resend a Follow when they lost the answer."""
    alice, far = await join("alice"), await join("cora", host="far.example")
    for n in range(2):
        await came(road, Follow(id=Uri(f"{far.uri}/follows/{n}"), actor=far, target=alice.uri))
    kinds = [r["kind"] for r in await rows(road, "select kind from federation.message order by id")]
    assert kinds == ["accept", "accept"]
    assert (
        await road.pool.fetchval("select followers from account_count where account_id = $1", alice.id) == 1
    )


async def test_counts_follow_what_is_done_and_undone(road: Road, join: Join) -> None:
    """Favourites, boosts and replies count once a person, and go down again."""
    alice, bob = await join("alice"), await join("bob")
    post = create(road, alice, "hello")
    await out(road, post)
    like = Like(id=Uri("https://example.org/activities/9"), actor=bob, target=post.note.uri)
    boost = Announce(
        id=road.uris.boost("bob", road.ids()), actor=bob, target=post.note.uri, published=road.clock()
    )
    reply = create(road, bob, "hi", in_reply_to=post.note.uri)
    await out(road, like, boost, reply)
    await out(road, like)
    counts = (
        "select replies, boosts, likes from post_count c join post p on p.id = c.post_id where p.uri = $1"
    )
    assert tuple(await road.pool.fetchrow(counts, post.note.uri)) == (1, 1, 1)
    undo = [
        Undo(id=Uri(f"https://example.org/activities/u{k}"), actor=bob, kind=k, target=post.note.uri)
        for k in (Undoable.LIKE, Undoable.ANNOUNCE)
    ]
    await out(
        road, *undo, Delete(id=Uri("https://example.org/activities/d"), actor=bob, target=reply.note.uri)
    )
    assert tuple(await road.pool.fetchrow(counts, post.note.uri)) == (0, 0, 0)


async def test_nobody_deletes_or_edits_what_is_anothers(road: Road, join: Join) -> None:
    """The stored author counts, not the sender's claim."""
    alice, mallory = await join("alice", host="far.example"), await join("mallory", host="far.example")
    post = create(road, alice, "hello")
    await came(road, post)
    note = create(road, alice, "changed", uri=post.note.uri, updated=road.clock()).note
    answers = await came(
        road,
        Delete(id=Uri(f"{mallory.uri}/1"), actor=mallory, target=post.note.uri),
        Update(id=Uri(f"{mallory.uri}/2"), actor=mallory, note=note),
    )
    assert [a.took for a in answers if isinstance(a, Done)] == [False, False]
    assert await road.pool.fetchval("select text from visible_post") == "hello"


async def test_a_block_ends_follows_both_ways(road: Road, join: Join) -> None:
    alice, bob = await join("alice"), await join("bob")
    await out(road, Follow(id=Uri("https://example.org/activities/1"), actor=bob, target=alice.uri))
    await out(road, Follow(id=Uri("https://example.org/activities/2"), actor=alice, target=bob.uri))
    await out(road, Block(id=Uri("https://example.org/activities/3"), actor=alice, target=bob.uri))
    assert await road.pool.fetchval("select count(*) from follow") == 0
    assert await road.pool.fetchval("select sum(followers + following) from account_count") == 0


async def test_a_direct_post_reaches_only_the_named(road: Road, join: Join) -> None:
    """A message leaves for the personal inbox of whom it names, and for nobody else."""
    alice = await join("alice")
    cora, dina = await join("cora", host="far.example"), await join("dina", host="other.example")
    await came(road, Follow(id=Uri(f"{dina.uri}/1"), actor=dina, target=alice.uri))
    await road.pool.execute("delete from federation.message")
    named = (Mention(uri=cora.uri, handle="cora@far.example"),)
    post = create(road, alice, "psst", visibility=Visibility.DIRECT, mentions=named)
    await out(road, post)
    await out(road, Delete(id=Uri("https://example.org/activities/1"), actor=alice, target=post.note.uri))
    inboxes = {r["inbox"] for r in await rows(road, "select inbox from federation.outbound")}
    assert inboxes == {f"{cora.uri}/inbox"}


async def test_mail_not_yet_sent_is_taken_back_by_a_delete(road: Road, join: Join) -> None:
    """A post that is gone before it left is not sent at all; its Delete goes to those who may have it."""
    alice, cora = await join("alice"), await join("cora", host="far.example")
    await came(road, Follow(id=Uri(f"{cora.uri}/1"), actor=cora, target=alice.uri))
    await road.pool.execute("delete from federation.message")
    post = create(road, alice, "oops")
    await out(road, post)
    await out(road, Delete(id=Uri("https://example.org/activities/1"), actor=alice, target=post.note.uri))
    kinds = [
        r["kind"]
        for r in await rows(
            road, "select kind from federation.outbound o join federation.message m on m.id = o.message_id"
        )
    ]
    assert kinds == ["delete"]


async def test_an_answer_before_its_question_finds_its_place(road: Road, join: Join) -> None:
    """Replies arrive before the post they answer when servers differ in speed."""
    cora, dina = await join("cora", host="far.example"), await join("dina", host="other.example")
    question = create(road, cora, "why?")
    answer = create(road, dina, "because", in_reply_to=question.note.uri)
    deeper = create(road, cora, "I see", in_reply_to=answer.note.uri)
    await came(road, answer)
    await came(road, deeper)
    await came(road, question)
    threads = await rows(road, "select distinct thread_id from post")
    assert len(threads) == 1
    assert (
        await road.pool.fetchval(
            "select replies from post_count c join post p on p.id = c.post_id where p.uri = $1",
            question.note.uri,
        )
        == 1
    )


async def test_work_that_belongs_to_the_act_is_done_with_it_or_not_at_all(road: Road, join: Join) -> None:
    """The inbox marks its rows in the transaction of the effects: neither is there without the other."""
    cora = await join("cora", host="far.example")

    async def fails(*_: object) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await submit(road, [create(road, cora, "hello")], Direction.IN, source=SOURCE, within=fails)
    assert await road.pool.fetchval("select count(*) from post") == 0
    assert await road.pool.fetchval("select count(*) from compliance.decision") == 0


async def test_a_muted_or_blocked_person_causes_no_notice(road: Road, join: Join, clock: MovingClock) -> None:
    alice, bob, cora = await join("alice"), await join("bob"), await join("cora")
    post = create(road, alice, "hello")
    await out(road, post)
    await road.pool.execute(
        "insert into mute (account_id, target_id, id, created_at) values ($1, $2, 1, $3)",
        alice.id,
        bob.id,
        clock(),
    )
    await out(road, Block(id=Uri("https://example.org/activities/3"), actor=alice, target=cora.uri))
    for n, one in enumerate((bob, cora)):
        await out(road, Like(id=Uri(f"https://example.org/activities/l{n}"), actor=one, target=post.note.uri))
    assert await road.pool.fetchval("select count(*) from notification where account_id = $1", alice.id) == 0


async def test_pictures_of_a_held_post_are_there_when_it_is_released(
    road: Road, join: Join, clock: MovingClock
) -> None:
    """A review may take longer than loose uploads are kept."""
    await activate(road)
    alice = await join("alice")
    media_id = MediaId(road.ids())
    picture = Attachment(url="https://example.org/media/a.png", mime="image/png", media_id=media_id)
    upload = Upload(
        id=Uri(picture.url),
        actor=alice,
        attachment=picture,
        file="a.png",
        preview_file="a-small.png",
        preview_width=1,
        preview_height=1,
        size=1,
    )
    await out(road, upload, create(road, alice, "假文凭", attachments=(picture,)))
    clock.move(days=3)
    async with road.pool.acquire() as conn, conn.transaction():
        await sweeps.loose_media(conn, before=clock(), limit=10)
    assert await road.pool.fetchval("select count(*) from media where id = $1", media_id) == 1
    await road.pool.execute("update compliance.review_case set state = 'withdrawn'")
    async with road.pool.acquire() as conn, conn.transaction():
        await sweeps.loose_media(conn, before=clock(), limit=10)
    assert await road.pool.fetchval("select count(*) from media where id = $1", media_id) == 0


async def test_a_closed_account_is_gone_at_once_and_followers_elsewhere_hear_of_it(
    road: Road, join: Join
) -> None:
    """Its follows end with it, and still whoever followed must get the Delete."""
    alice, cora = await join("alice"), await join("cora", host="far.example")
    await came(road, Follow(id=Uri(f"{cora.uri}/1"), actor=cora, target=alice.uri))
    await out(road, create(road, alice, "hello"))
    await road.pool.execute("delete from federation.message")
    await out(road, Delete(id=road.uris.activity(1), actor=alice, target=alice.uri))
    assert await road.pool.fetchval("select count(*) from visible_post") == 0
    assert await road.pool.fetchval("select count(*) from follow") == 0
    queued = await rows(
        road, "select kind, inbox from federation.message m join federation.outbound o on o.message_id = m.id"
    )
    assert [tuple(row) for row in queued] == [("delete", "https://far.example/inbox")]


async def test_a_refused_host_hears_nothing_new_and_all_that_is_taken_back(road: Road, join: Join) -> None:
    """Nothing is exchanged with it; a Delete still asks it to let go of what it had."""
    alice, cora = await join("alice"), await join("cora", host="sub.far.example")
    await came(road, Follow(id=Uri(f"{cora.uri}/1"), actor=cora, target=alice.uri))
    post = create(road, alice, "hello")
    await out(road, post)
    async with road.pool.acquire() as conn, conn.transaction():
        await hosts.set_policy(
            conn,
            "far.example",
            hosts.Policy.REFUSE,
            reason="spam",
            by=None,
            now=road.clock(),
            new_id=road.ids,
            source=SOURCE,
        )
    await road.pool.execute("delete from federation.message")
    await out(road, create(road, alice, "after"))
    await out(road, Delete(id=road.uris.activity(1), actor=alice, target=post.note.uri))
    kinds = await rows(road, "select kind from federation.message")
    assert [row["kind"] for row in kinds] == ["delete"]
