"""Mail waits in lanes: nothing is lost, nothing goes twice, order holds, and nobody waits for a dead host."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from compliance import gate
from compliance.activity import (
    Activity,
    Actor,
    Create,
    Delete,
    Direction,
    Follow,
    Like,
    Note,
    Undo,
    Undoable,
    Uri,
)
from compliance.verdict import Cleared
from federation import outbox
from federation.outbox import Fate, Job, Policy, Result
from federation.signatures import Dialect
from server.db.pool import Connection
from server.pipeline import Road
from tests.fixtures.people import SOURCE, Join

POLICY = Policy(chance=lambda: 0.0)
LEASE = timedelta(seconds=90)


class Post:
    """A post office with one sender, and a clock of its own."""

    def __init__(self, road: Road, conn: Connection, sender: Actor) -> None:
        self.road, self.conn, self.sender = road, conn, sender
        self.now = road.clock()

    async def clear(self, activity: Activity) -> Cleared[Activity]:
        [verdict] = await gate.judge(
            self.conn,
            [activity],
            Direction.OUT,
            rulebook=self.road.rules.book,
            now=self.now,
            new_id=self.road.ids,
            source=SOURCE,
        )
        assert isinstance(verdict, Cleared)
        return verdict

    async def write(self, activity: Activity, *inboxes: str) -> int:
        message = outbox.Message(
            await self.clear(activity), signer=self.sender.id, body=activity.id.encode(), inboxes=inboxes
        )
        return await outbox.enqueue(self.conn, [message], now=self.now, new_id=self.road.ids)

    async def follow(self, who: str, *inboxes: str) -> int:
        return await self.write(
            Follow(id=self.act(), actor=self.sender, target=Uri(f"https://far.example/{who}")), *inboxes
        )

    def act(self) -> Uri:
        return self.road.uris.activity(self.road.ids())

    async def claim(self, *, limit: int = 100, per_host: int = 4) -> list[Job]:
        return await outbox.claim(self.conn, now=self.now, lease=LEASE, limit=limit, per_host=per_host)

    async def end(self, fate: Fate, *jobs: Job, **more: object) -> int:
        results = [Result(job=job, fate=fate, error="an error", **more) for job in jobs]  # type: ignore[arg-type]  # keywords of Result
        return await outbox.settle(self.conn, results, now=self.now, policy=POLICY)

    def wait(self, **time: float) -> datetime:
        self.now += timedelta(**time)
        return self.now

    async def left(self) -> int:
        return int(await self.conn.fetchval("select count(*) from federation.outbound"))


@pytest.fixture
async def post(road: Road, join: Join) -> AsyncIterator[Post]:
    sender = await join("alice")
    async with road.pool.acquire() as conn:
        yield Post(road, conn, sender)


def _at(*hosts: str) -> list[str]:
    return [f"https://{host}/inbox" for host in hosts]


async def test_a_message_goes_once_to_each_inbox(post: Post) -> None:
    """One body for all of them, and the key of whoever wrote it."""
    assert 3 == await post.follow("bob", *_at("a.example", "b.example", "c.example:8443"))
    jobs = await post.claim()
    assert [("a.example", 0), ("b.example", 0), ("c.example:8443", 0)] == [(j.host, j.attempts) for j in jobs]
    assert {post.sender.id} == {job.signer for job in jobs}
    assert {jobs[0].activity_uri.encode()} == {job.body for job in jobs}
    assert [] == await post.claim()
    await post.end(Fate.DELIVERED, *jobs, dialect=Dialect.CAVAGE)
    assert 0 == await post.left()


async def test_a_lease_that_runs_out_is_a_letter_that_waits(post: Post) -> None:
    """The worker died with it."""
    await post.follow("bob", *_at("a.example"))
    [first] = await post.claim()
    post.wait(seconds=89)
    assert [] == await post.claim()
    post.wait(seconds=2)
    assert [first.id] == [job.id for job in await post.claim()]


async def test_what_was_not_tried_can_be_given_back(post: Post) -> None:
    """At a stop in good order nobody has to wait for the lease."""
    await post.follow("bob", *_at("a.example"))
    await outbox.release(post.conn, await post.claim())
    assert 1 == len(await post.claim())


async def test_letters_of_one_author_to_one_inbox_keep_their_order(post: Post) -> None:
    """A thread arrives as it was written; other inboxes do not wait for it."""
    for who in ("b", "c", "d"):
        await post.follow(who, *_at("a.example"), "https://a.example/users/x/inbox")
    seen = []
    while jobs := await post.claim():
        seen += [(job.inbox, job.activity_uri) for job in jobs]
        assert len(jobs) == 2
        await post.end(Fate.DELIVERED, *jobs)
    for inbox in {inbox for inbox, _ in seen}:
        order = [uri for at, uri in seen if at == inbox]
        assert order == sorted(order, key=lambda uri: int(uri.rsplit("/", 1)[1]))


async def test_a_letter_that_failed_holds_up_only_what_is_about_the_same_thing(post: Post) -> None:
    """One post that a peer chokes on does not silence its author; its Delete still waits its turn."""
    target = Uri("https://far.example/posts/1")
    like = Like(id=post.act(), actor=post.sender, target=target)
    await post.write(like, *_at("a.example"))
    [job] = await post.claim()
    await post.end(Fate.LATER, job)
    undo = Undo(id=post.act(), actor=post.sender, kind=Undoable.LIKE, target=target, act=like.id)
    await post.write(undo, *_at("a.example"))
    await post.follow("bob", *_at("a.example"))
    [passing] = await post.claim()
    assert passing.kind == "follow"
    await post.end(Fate.DELIVERED, passing)
    post.wait(seconds=31)
    [again] = await post.claim()
    assert ("like", 1) == (again.kind, again.attempts)
    await post.end(Fate.DELIVERED, again)
    assert ["undo"] == [job.kind for job in await post.claim()]


async def test_few_letters_go_to_one_host_at_a_time(post: Post) -> None:
    """However many inboxes it has; the others have places meanwhile."""
    await post.follow("bob", *(f"https://gts.example/users/u{number}/inbox" for number in range(20)))
    await post.follow("carol", *_at("a.example"))
    jobs = await post.claim(per_host=4)
    assert sorted(["gts.example"] * 4 + ["a.example"]) == sorted(job.host for job in jobs)
    assert [] == await post.claim(per_host=4)
    await post.end(Fate.DELIVERED, *[job for job in jobs if job.host == "gts.example"][:3])
    assert 3 == len(await post.claim(per_host=4))


async def test_a_limit_takes_the_oldest_and_the_rest_later(post: Post) -> None:
    """Nothing is skipped for good."""
    await post.follow("bob", *_at(*(f"h{number:02}.example" for number in range(10))))
    first = await post.claim(limit=4)
    rest = await post.claim(limit=100)
    assert (4, 6) == (len(first), len(rest))
    assert not {job.id for job in first} & {job.id for job in rest}


async def test_a_backlog_of_one_host_is_passed_by(post: Post) -> None:
    """Hundreds of letters for a slow host stand before everybody else's."""
    for number in range(60):
        await post.follow(f"u{number}", "https://slow.example/inbox", "https://slow.example/other")
    post.wait(seconds=1)
    await post.follow("bob", *_at("quick.example"))
    hosts = [job.host for job in await post.claim(limit=8)]
    assert "quick.example" in hosts


async def test_failures_pause_a_host_and_a_probe_opens_it(post: Post) -> None:
    """Five in a row; then one letter alone sees whether it lives."""
    await post.follow("bob", *(f"https://down.example/users/u{number}/inbox" for number in range(9)))
    for _ in range(2):
        jobs = await post.claim()
        await post.end(Fate.FAILED, *jobs)
    assert [] == await post.claim()
    due = await outbox.next_due(post.conn, now=post.now)
    assert due is not None
    post.now = due
    post.wait(minutes=30)
    [probe] = await post.claim()
    await post.end(Fate.DELIVERED, probe)
    assert 4 == len(await post.claim())


async def test_a_failed_probe_pauses_longer(post: Post) -> None:
    """Silence is answered with patience."""
    await post.follow("bob", *(f"https://down.example/users/u{number}/inbox" for number in range(9)))
    pauses = []
    for _ in range(5):
        while jobs := await post.claim():
            await post.end(Fate.FAILED, *jobs)
        until = await post.conn.fetchval("select paused_until from federation.host")
        if until is not None:
            pauses.append(until - post.now)
        post.now = max(until or post.now, post.now) + timedelta(hours=1)
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]


async def test_whoever_is_heard_from_lives(post: Post) -> None:
    """A host that sends us something can be sent something."""
    await post.follow("bob", *(f"https://down.example/users/u{number}/inbox" for number in range(8)))
    for _ in range(2):
        await post.end(Fate.FAILED, *(await post.claim()))
    post.wait(minutes=2)
    await outbox.heard_from(post.conn, ["down.example"], now=post.now)
    assert 4 == len(await post.claim())


async def test_an_answer_of_any_kind_is_no_failure_of_the_host(post: Post) -> None:
    """4xx proves that it lives."""
    await post.follow("bob", *(f"https://odd.example/users/u{number}/inbox" for number in range(12)))
    for fate in (Fate.REFUSED, Fate.GONE, Fate.LATER):
        await post.end(fate, *(await post.claim()))
    assert 4 == await post.left()
    assert 0 == await post.conn.fetchval("select coalesce(max(failures), 0) from federation.host")


async def test_retry_after_is_honoured(post: Post) -> None:
    """Not before the host wants it, and the others go on."""
    await post.follow("bob", *_at("busy.example", "a.example"))
    jobs = {job.host: job for job in await post.claim()}
    await post.end(Fate.LATER, jobs["busy.example"], retry_after=timedelta(minutes=10))
    await post.end(Fate.DELIVERED, jobs["a.example"])
    post.wait(minutes=9)
    assert [] == await post.claim()
    post.wait(minutes=2)
    assert 1 == len(await post.claim())


async def test_a_host_that_asks_for_patience_is_left_alone(post: Post) -> None:
    """Other letters to it wait as well, those written meanwhile too; other hosts get theirs."""
    await post.follow("bob", *_at("busy.example"))
    [job] = await post.claim()
    await post.follow("carol", *_at("busy.example"))
    await post.end(Fate.LATER, job, retry_after=timedelta(minutes=10))
    await post.follow("dan", *_at("busy.example", "a.example"))
    assert ["a.example"] == [job.host for job in await post.claim()]
    post.wait(minutes=11)
    assert 3 == len(await post.claim())


async def test_after_a_week_a_letter_is_given_up(post: Post) -> None:
    """And what is written to a host that failed for so long is not even queued while it is paused."""
    await post.follow("bob", *_at("dead.example"))
    given_up = 0
    while await post.left():
        for job in await post.claim():
            given_up += await post.end(Fate.FAILED, job)
        post.wait(hours=13)
    assert given_up == 1
    await post.conn.execute("update federation.host set paused_until = $1", post.now + timedelta(hours=1))
    assert 1 == await post.follow("carol", *_at("dead.example"))
    assert 0 == await post.left()
    post.wait(hours=2)
    await post.follow("carol", *_at("dead.example"))
    assert 1 == await post.left()


async def test_the_dialect_a_host_took_is_remembered(post: Post) -> None:
    """The next letter knocks once only."""
    await post.follow("bob", *_at("new.example"))
    [job] = await post.claim()
    assert job.dialect is None
    await post.end(Fate.DELIVERED, job, dialect=Dialect.RFC9421)
    await post.follow("carol", *_at("new.example"))
    [job] = await post.claim()
    assert job.dialect is Dialect.RFC9421


async def test_mail_about_what_was_withdrawn_is_dropped(post: Post) -> None:
    """And the Delete goes out all the same."""
    name = "alice"
    uri = post.road.uris.post(name, post.road.ids())
    note = Note(uri=uri, author=post.sender.uri, url=uri, html="<p>x</p>", text="x", published=post.now)
    await post.write(Create(id=post.act(), actor=post.sender, note=note), *_at("a.example", "b.example"))
    await post.follow("bob", *_at("a.example"))
    assert 2 == await outbox.cancel(post.conn, [uri])
    await post.write(Delete(id=post.act(), actor=post.sender, target=uri), *_at("a.example", "b.example"))
    kinds = []
    while jobs := await post.claim():
        kinds += [job.kind for job in jobs]
        await post.end(Fate.DELIVERED, *jobs)
    assert ["delete", "delete", "follow"] == sorted(kinds)


async def test_a_delete_does_not_overtake_what_is_on_its_way(post: Post) -> None:
    """The post would stand on the other server for ever."""
    uri = post.road.uris.post("alice", post.road.ids())
    note = Note(uri=uri, author=post.sender.uri, url=uri, html="<p>x</p>", text="x", published=post.now)
    await post.write(Create(id=post.act(), actor=post.sender, note=note), *_at("a.example"))
    [job] = await post.claim()
    assert 0 == await outbox.cancel(post.conn, [uri])
    await post.write(Delete(id=post.act(), actor=post.sender, target=uri), *_at("a.example"))
    assert [] == await post.claim()
    await post.end(Fate.DELIVERED, job)
    assert ["delete"] == [job.kind for job in await post.claim()]


async def test_what_two_claim_at_once_they_share(post: Post) -> None:
    """Two workers, one letter each way or the other."""
    await post.follow("bob", *_at(*(f"h{number}.example" for number in range(20))))
    async with post.road.pool.acquire() as other:
        rival = Post(post.road, other, post.sender)
        rival.now = post.now
        first, second = await post.claim(limit=15), await rival.claim(limit=15)
    ids = [job.id for job in (*first, *second)]
    assert (20, 20) == (len(ids), len(set(ids)))
