"""Posts come whole, in few statements, and say to each viewer what that viewer did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from compliance.activity import PostId, Visibility
from server.db.pool import Connection
from server.errors import NotFound
from server.store import posts, timelines
from server.store.model import Page, PostFlags
from tests.fixtures.factory import URIS, Factory


@asynccontextmanager
async def counted(conn: Connection) -> AsyncIterator[list[str]]:
    """The statements that are run meanwhile."""
    run: list[str] = []
    with conn.query_logger(lambda record: run.append(record.query)):
        yield run
        # The driver tells of a statement in the loop's next round.
        await asyncio.sleep(0)


async def test_a_post_comes_with_all_that_hangs_on_it(make: Factory, conn: Connection) -> None:
    author = await make.member("Li")
    far = await make.account("bob", "far.example")
    hidden = await make.account("carol", "far.example")
    app = await make.app("Tusk")
    post = await make.post(
        author, "words", mentions=[author, far], addressed=[hidden], tags=["Tea", "茶"], media=2
    )
    await conn.execute("update post set app_id = $2, labels = '{rumour}' where id = $1", post, app)
    await conn.execute("update post_count set replies = 3, boosts = 2, likes = 1 where post_id = $1", post)

    view = await posts.get(conn, post, None, uris=URIS)

    assert "https://example.org/users/Li" == view.account.uri
    assert f"https://example.org/users/Li/statuses/{post}" == view.uri
    assert ("words", "<p>words</p>", "words") == (view.text, view.html, view.source)
    assert ["Li", "bob@far.example"] == [mention.handle for mention in view.mentions]
    assert ("Tea", "茶") == view.tags
    assert 2 == len(view.media)
    assert view.media[0].url == f"https://example.org/media/{view.media[0].id}.webp"
    assert view.media[0].preview == f"https://example.org/media/{view.media[0].id}-small.webp"
    assert ("Tusk", None) == view.app
    assert ("rumour",) == view.labels
    assert (3, 2, 1) == (view.replies, view.boosts, view.likes)
    assert (Visibility.PUBLIC, post, 0, None) == (
        view.visibility,
        view.thread_id,
        view.version,
        view.boost_of,
    )


async def test_a_remote_picture_is_on_its_own_server(make: Factory, conn: Connection) -> None:
    author = await make.account("bob", "far.example")
    post = await make.post(author)
    await make.media(author, post_id=post, remote_url="https://far.example/cat.jpg")
    [picture] = (await posts.get(conn, post, None, uris=URIS)).media
    assert ["https://far.example/cat.jpg"] * 3 == [picture.url, picture.preview, picture.remote_url]


async def test_posts_keep_the_order_asked_for(make: Factory, conn: Connection) -> None:
    author = await make.member("author")
    ids = [await make.post(author) for _ in range(4)]
    wanted = [ids[2], ids[0], PostId(1), ids[3]]
    assert [ids[2], ids[0], ids[3]] == [post.id for post in await posts.load(conn, wanted, None, uris=URIS)]


async def test_a_boost_holds_the_post_and_its_flags_are_about_the_post(
    make: Factory, conn: Connection
) -> None:
    author, booster, me = [await make.member(name) for name in ("author", "booster", "me")]
    post = await make.post(author)
    boost = await make.boost(booster, post)
    await make.like(me, post)
    await make.boost(me, post)
    await make.bookmark(me, post)
    await make.mute(me, author)
    entry = await posts.get_entry(conn, boost, me, uris=URIS)
    assert entry.view.boost_of is not None
    assert (boost, booster, post) == (entry.view.id, entry.view.account.id, entry.view.boost_of.id)
    assert PostFlags(liked=True, boosted=True, bookmarked=True, muted=True) == entry.flags
    assert {boost: PostFlags()} == await posts.flags(conn, [boost], None)


async def test_a_boost_taken_back_is_not_flagged(make: Factory, conn: Connection) -> None:
    author, me = await make.member("author"), await make.member("me")
    post = await make.post(author)
    await make.withdraw(await make.boost(me, post))
    assert {post: PostFlags()} == await posts.flags(conn, [post], me)


async def test_history_ends_with_the_present(make: Factory, conn: Connection) -> None:
    author = await make.member("author")
    post = await make.post(author, "one", media=1)
    first = await make.edit(post, "two")
    second = await make.edit(post, "three")
    await conn.execute("update media set description = 'new' where post_id = $1", post)
    view = await posts.get(conn, post, None, uris=URIS)
    past = await posts.history(conn, post, None, uris=URIS)
    assert (2, second) == (view.version, view.edited_at)
    assert ["one", "two", "three"] == [version.text for version in past]
    assert [view.created_at, first, second] == [version.created_at for version in past]
    assert [["", "", "new"]] == [[version.media[0].description for version in past]]


async def test_a_picture_dropped_for_good_leaves_history(make: Factory, conn: Connection) -> None:
    author = await make.member("author")
    post = await make.post(author, "one", media=1)
    await make.edit(post, "two")
    await conn.execute("delete from media where post_id = $1", post)
    assert [(), ()] == [version.media for version in await posts.history(conn, post, None, uris=URIS)]


async def test_an_unedited_post_has_one_version(make: Factory, conn: Connection) -> None:
    post = await make.post(await make.member("author"), "one")
    assert ["one"] == [version.text for version in await posts.history(conn, post, None, uris=URIS)]


async def test_who_liked_and_boosted_is_paged_by_when(make: Factory, conn: Connection) -> None:
    author = await make.member("author")
    post = await make.post(author)
    people = [await make.account(f"p{n}", "far.example") for n in range(3)]
    likes = [await make.like(person, post) for person in people]
    boosts = [await make.boost(person, post) for person in people]
    await make.block(people[0], author)
    assert [(likes[2], people[2]), (likes[1], people[1])] == await posts.liked_by(conn, post, author, Page())
    assert [(likes[0], people[0])] == await posts.liked_by(conn, post, None, Page(max_id=likes[1]))
    assert [(boosts[1], people[1])] == await posts.boosted_by(
        conn, post, None, Page(min_id=boosts[0], limit=1)
    )
    assert [people[2], people[1]] == [row.id for row in await posts.boosted_by(conn, post, author, Page())]


async def test_a_post_is_found_by_its_id_on_the_network_until_withdrawn(
    make: Factory, conn: Connection
) -> None:
    post = await make.post(await make.member("author"))
    uri = (await posts.get(conn, post, None, uris=URIS)).uri
    assert post == await posts.find_id_by_uri(conn, uri)
    await make.withdraw(post)
    assert await posts.find_id_by_uri(conn, uri) is None
    assert await posts.find(conn, post, None, uris=URIS) is None


async def test_a_page_costs_the_same_statements_whatever_its_length(make: Factory, conn: Connection) -> None:
    """A statement for each post is what makes a timeline slow."""
    me = await make.member("me")
    ids: list[PostId] = []
    for n in range(12):
        author = await make.account(f"a{n}", "far.example")
        post = await make.post(author, tags=["x"], mentions=[me], media=2)
        ids += [post, await make.boost(await make.account(f"b{n}", "far.example"), post)]
    # The driver asks once about types it has not met.
    await posts.entries(conn, ids, me, uris=URIS)
    counts = []
    for size in (1, 2, 24):
        async with counted(conn) as run:
            assert size == len(await posts.entries(conn, ids[:size], me, uris=URIS))
        counts.append(len(run))
    assert [4, 4, 4] == counts

    await make.feed(me, *ids)
    async with counted(conn) as run:
        assert 24 == len(await timelines.home_entries(conn, me, Page(limit=40), uris=URIS))
    assert 4 == len(run)


async def test_counting_our_posts_leaves_out_others(make: Factory, conn: Connection) -> None:
    ours, theirs = await make.member("ours"), await make.account("theirs", "far.example")
    await conn.execute("update account_count set posts = 3 where account_id = any($1)", [ours, theirs])
    assert 3 == await posts.count_local(conn)


async def test_requiring_what_may_not_be_seen_raises(make: Factory, conn: Connection) -> None:
    author = await make.member("author")
    post = await make.post(author, visibility=Visibility.DIRECT)
    await posts.require(conn, post, author)
    with pytest.raises(NotFound):
        await posts.require(conn, post, None)


async def test_an_older_post_of_another_server_stands_at_its_own_time(
    make: Factory, conn: Connection
) -> None:
    author = await make.account("bob", "far.example")
    new = await make.post(author)
    view = await posts.get(conn, new, None, uris=URIS)
    old = await make.post(author, at=view.created_at - timedelta(days=3))
    assert [new, old] == await timelines.account(conn, author, None, Page())
