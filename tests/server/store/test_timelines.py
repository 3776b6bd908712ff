"""Timelines are windows: nothing twice, nothing left out, from either end."""

from __future__ import annotations

from datetime import timedelta

from compliance.activity import AccountId, PostId, Visibility
from server.db.pool import Connection
from server.store import homes, timelines
from server.store.model import Page
from tests.fixtures.factory import URIS, Factory, now


async def test_pages_meet_without_gap_or_overlap(make: Factory, conn: Connection) -> None:
    me = await make.member("me")
    ids = [await make.post(me) for _ in range(7)]
    await make.feed(me, *ids)
    newest_first = ids[::-1]

    down: list[PostId] = []
    while found := await timelines.home(conn, me, Page(limit=3, max_id=down[-1] if down else None)):
        down += found
    up: list[PostId] = []
    while found := await timelines.home(conn, me, Page(limit=3, min_id=up[0] if up else 0)):
        up = found + up

    assert newest_first == down
    assert newest_first == up


async def test_since_id_gives_the_newest_and_min_id_the_next(make: Factory, conn: Connection) -> None:
    """Clients fill gaps with `min_id` and look for news with `since_id`."""
    me = await make.member("me")
    ids = [await make.post(me) for _ in range(5)]
    await make.feed(me, *ids)
    assert [ids[4], ids[3]] == await timelines.home(conn, me, Page(limit=2, since_id=ids[0]))
    assert [ids[2], ids[1]] == await timelines.home(conn, me, Page(limit=2, min_id=ids[0]))
    assert [ids[2]] == await timelines.home(conn, me, Page(since_id=ids[1], max_id=ids[3]))


async def test_a_page_has_bounds(make: Factory, conn: Connection) -> None:
    me = await make.member("me")
    await make.feed(me, *[await make.post(me) for _ in range(42)])
    assert 40 == len(await timelines.home(conn, me, Page(limit=10_000)))
    assert 1 == len(await timelines.home(conn, me, Page(limit=0)))
    assert 1 == len(await timelines.home(conn, me, Page(limit=-5)))
    assert 40 == len(await timelines.home(conn, me, Page(limit=40, max_id=2**80)))
    assert [] == await timelines.home(conn, me, Page(since_id=2**63 - 1))


async def test_public_timelines_have_no_boosts_no_replies_and_only_public_posts(
    make: Factory, conn: Connection
) -> None:
    me, far = await make.member("me"), await make.account("bob", "far.example")
    ours, theirs = await make.post(me, media=1), await make.post(far)
    await make.post(far, reply_to=ours)
    await make.boost(far, ours)
    await make.post(me, visibility=Visibility.UNLISTED)
    assert [theirs, ours] == await timelines.public(conn, None, Page())
    assert [ours] == await timelines.local(conn, None, Page())
    assert [theirs] == await timelines.public(conn, None, Page(), local=False)
    assert [ours] == await timelines.public(conn, None, Page(), only_media=True)
    assert [] == await timelines.public(conn, None, Page(), local=False, only_media=True)


async def test_a_profile_can_be_narrowed(make: Factory, conn: Connection) -> None:
    me, other = await make.member("me"), await make.member("other")
    plain = await make.post(me)
    picture = await make.post(me, media=2, tags=["Tea"])
    theirs = await make.post(other)
    reply = await make.post(me, reply_to=theirs)
    to_self = await make.post(me, reply_to=plain)
    boost = await make.boost(me, theirs)
    assert [boost, to_self, reply, picture, plain] == await timelines.account(conn, me, None, Page())
    assert [boost, to_self, picture, plain] == await timelines.account(
        conn, me, None, Page(), exclude_replies=True
    )
    assert [to_self, reply, picture, plain] == await timelines.account(
        conn, me, None, Page(), exclude_boosts=True
    )
    assert [picture] == await timelines.account(conn, me, None, Page(), only_media=True)
    assert [picture] == await timelines.account(conn, me, None, Page(), tagged="TEA")


async def test_a_hashtag_is_found_in_whatever_case(make: Factory, conn: Connection) -> None:
    me, far = await make.member("me"), await make.account("bob", "far.example")
    first, second = await make.post(me, tags=["Tea"]), await make.post(far, tags=["tEA"], media=1)
    await make.post(me, tags=["Coffee"])
    assert [second, first] == await timelines.tag(conn, "TEA", None, Page())
    assert [first] == await timelines.tag(conn, "tea", None, Page(), local=True)
    assert [second] == await timelines.tag(conn, "tea", None, Page(), only_media=True)
    assert [] == await timelines.tag(conn, "milk", None, Page())


async def test_a_thread_keeps_its_branches_together(make: Factory, conn: Connection) -> None:
    me = await make.member("me")
    root = await make.post(me)
    one = await make.post(me, reply_to=root)
    two = await make.post(me, reply_to=root)
    one_one = await make.post(me, reply_to=one)
    one_one_one = await make.post(me, reply_to=one_one)
    assert ([], [one, one_one, one_one_one, two]) == await timelines.thread(conn, root, None)
    assert ([root, one], [one_one_one]) == await timelines.thread(conn, one_one, None)


async def test_a_ring_of_replies_ends(make: Factory, conn: Connection) -> None:
    """Ids come from other servers: two posts may claim to answer each other."""
    me = await make.member("me")
    one = await make.post(me)
    two = await make.post(me, reply_to=one)
    await conn.execute("update post set in_reply_to_id = $2 where id = $1", one, two)
    above, below = await timelines.thread(conn, one, None)
    assert ({one, two}, [two]) == (set(above) | {one}, below)


async def test_own_lists_are_ordered_by_when_something_was_kept(make: Factory, conn: Connection) -> None:
    author, me = await make.member("author"), await make.member("me")
    old, new = await make.post(author), await make.post(author)
    bookmarks = [await make.bookmark(me, new), await make.bookmark(me, old)]
    likes = [await make.like(me, new), await make.like(me, old)]
    assert [(bookmarks[1], old), (bookmarks[0], new)] == await timelines.bookmarks(conn, me, Page())
    assert [(likes[0], new)] == await timelines.likes(conn, me, Page(max_id=likes[1]))


async def test_home_entries_are_the_home_timeline(make: Factory, conn: Connection) -> None:
    me, author = await make.member("me"), await make.member("author")
    ids = [await make.post(author) for _ in range(3)]
    await make.feed(me, *ids)
    await make.like(me, ids[1])
    entries = await timelines.home_entries(conn, me, Page(), uris=URIS)
    assert await timelines.home(conn, me, Page()) == [entry.view.id for entry in entries]
    assert [False, True, False] == [entry.flags.liked for entry in entries]


async def test_a_timeline_of_nobody_known_is_empty(conn: Connection) -> None:
    assert [] == await timelines.home(conn, AccountId(1), Page())
    assert [] == await timelines.account(conn, AccountId(1), None, Page())


async def test_whoever_was_away_finds_a_home_timeline(make: Factory, conn: Connection) -> None:
    """Nobody writes it ahead for people who do not come."""
    me, friend, stranger = [await make.member(name) for name in ("me", "friend", "stranger")]
    await make.follow(me, friend)
    quiet = await make.account("quiet", "far.example")
    await make.follow(me, quiet, boosts=False)
    theirs = await make.post(stranger)
    mine = await make.post(me)
    plain = await make.post(friend)
    boost = await make.boost(friend, theirs)
    to_me = await make.post(friend, reply_to=mine)
    await make.post(friend, reply_to=theirs)
    await make.post(friend, visibility=Visibility.DIRECT)
    named = await make.post(friend, visibility=Visibility.DIRECT, mentions=[me])
    await make.boost(quiet, theirs)
    for_followers = await make.post(quiet, visibility=Visibility.FOLLOWERS)
    at = now()
    await homes.welcome(conn, me, now=at)
    assert [] == await timelines.home(conn, me, Page())
    await homes.welcome(conn, me, now=at + timedelta(days=31))
    expected = [for_followers, named, to_me, boost, plain, mine]
    assert expected == await timelines.home(conn, me, Page())
    await homes.rebuild(conn, me)
    assert expected == await timelines.home(conn, me, Page())
