"""What is kept in a process is never wrong for longer than it takes to hear of a change."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from server.db.pool import Connection
from server.store import accounts, cache, posts, timelines
from server.store.cache import Shelf
from server.store.model import Page
from tests.fixtures.factory import URIS, Factory


@pytest.fixture
async def plain(pool: asyncpg.Pool[asyncpg.Record]) -> AsyncIterator[Connection]:
    """A connection outside any transaction, as handlers have it."""
    async with pool.acquire() as conn:
        yield conn


def test_a_shelf_keeps_the_last_used() -> None:
    shelf: Shelf[int, str] = Shelf(2)
    shelf.keep(1, "one", read_at=shelf.tick)
    shelf.keep(2, "two", read_at=shelf.tick)
    shelf.find(1)
    shelf.keep(3, "three", read_at=shelf.tick)
    assert ("one", None, "three") == (shelf.find(1), shelf.find(2), shelf.find(3))


def test_what_was_read_before_it_was_forgotten_is_not_kept() -> None:
    """A reader that is overtaken by a writer would keep the old value for good."""
    shelf: Shelf[int, str] = Shelf(2)
    read_at = shelf.tick
    shelf.forget([1])
    shelf.keep(1, "old", read_at=read_at)
    shelf.keep(2, "other", read_at=read_at)
    assert (None, "other") == (shelf.find(1), shelf.find(2))
    shelf.keep(1, "new", read_at=shelf.tick)
    assert "new" == shelf.find(1)


def test_clearing_counts_as_forgetting_everything() -> None:
    shelf: Shelf[int, str] = Shelf(2)
    read_at = shelf.tick
    shelf.clear()
    shelf.keep(1, "old", read_at=read_at)
    assert 0 == len(shelf)


def test_a_shelf_does_not_remember_for_ever_what_was_forgotten() -> None:
    """Yet a reader from before that is still refused."""
    shelf: Shelf[int, str] = Shelf(2)
    read_at = shelf.tick
    shelf.forget([1])
    shelf.forget(range(10, 10_000))
    shelf.keep(1, "old", read_at=read_at)
    assert shelf.find(1) is None
    shelf.keep(1, "new", read_at=shelf.tick)
    assert "new" == shelf.find(1)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_what_another_worker_forgot_is_not_shown_for_a_moment_longer() -> None:
    """Whoever deletes a post and looks again may be answered by any of the workers."""
    shelf: Shelf[int, str] = Shelf(4)
    for key in (117674142363157504, 117674142363164672):
        shelf.keep(key, "kept", read_at=shelf.tick)
    read_at = shelf.tick
    child = os.fork()
    if child == 0:
        shelf.forget([117674142363157504])
        os._exit(0)
    assert 0 == os.waitpid(child, 0)[1]
    assert (None, "kept") == (shelf.find(117674142363157504), shelf.find(117674142363164672))
    shelf.keep(117674142363157504, "overtaken", read_at=read_at)
    assert shelf.find(117674142363157504) is None
    shelf.keep(117674142363157504, "new", read_at=shelf.tick)
    assert "new" == shelf.find(117674142363157504)


async def test_a_view_stays_the_same_object_until_it_is_forgotten(plain: Connection) -> None:
    """Rendered fragments are kept beside the view they were made from."""
    make = Factory(plain)
    author, booster = await make.member("author"), await make.member("booster")
    post = await make.post(author)
    boost = await make.boost(booster, post)
    first = await posts.load(plain, [post, boost], None, uris=URIS)
    again = await posts.load(plain, [post, boost], None, uris=URIS)
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert again[1].boost_of is again[0]
    assert again[0].account is await accounts.get(plain, author, uris=URIS)

    await plain.execute("update post_count set likes = 1 where post_id = $1", post)
    cache.forget_posts([post])
    changed = await posts.load(plain, [post, boost], None, uris=URIS)
    assert 1 == changed[0].likes
    assert changed[1].boost_of is changed[0]


async def test_a_new_profile_shows_on_kept_posts(plain: Connection) -> None:
    make = Factory(plain)
    author = await make.member("author")
    post = await make.post(author)
    boost = await make.boost(author, post)
    await posts.load(plain, [post, boost], None, uris=URIS)
    await make.profile(author, display_name="New")
    cache.forget_accounts([author])
    plain_view, boosted = await posts.load(plain, [post, boost], None, uris=URIS)
    assert boosted.boost_of is plain_view
    assert ["New"] * 3 == [view.account.name for view in (plain_view, boosted, boosted.boost_of)]


async def test_an_edit_shows_even_if_nobody_told_of_it(plain: Connection) -> None:
    """The words of a post are too grave to trust an event with."""
    make = Factory(plain)
    post = await make.post(await make.member("author"), "old")
    boost = await make.boost(await make.member("booster"), post)
    await posts.load(plain, [post, boost], None, uris=URIS)
    await make.edit(post, "new")
    views = await posts.load(plain, [post, boost], None, uris=URIS)
    assert ["new", "new"] == [(view.boost_of or view).text for view in views]


async def test_a_kept_view_does_not_open_what_is_closed_meanwhile(plain: Connection) -> None:
    make = Factory(plain)
    author, me = await make.member("author"), await make.member("me")
    post = await make.post(author)
    assert await posts.load(plain, [post], me, uris=URIS)
    await make.block(author, me)
    assert [] == await posts.load(plain, [post], me, uris=URIS)
    assert await posts.load(plain, [post], None, uris=URIS)
    await accounts.suspend(
        plain, author, reason="spam", now=(await accounts.get(plain, author, uris=URIS)).created_at
    )
    assert [] == await posts.load(plain, [post], None, uris=URIS)


async def test_nothing_read_in_a_transaction_is_kept(plain: Connection) -> None:
    """It may be rolled back, and others must not see it before it is committed."""
    make = Factory(plain)
    author = await make.member("author")
    post = await make.post(author)
    kept = await posts.get(plain, post, None, uris=URIS)
    transaction = plain.transaction()
    await transaction.start()
    await make.edit(post, "never said")
    await make.profile(author, display_name="Never")
    inside = await posts.get(plain, post, None, uris=URIS)
    assert ("never said", "Never") == (inside.text, inside.account.name)
    await transaction.rollback()
    assert kept is await posts.get(plain, post, None, uris=URIS)


async def test_the_top_of_a_home_timeline_is_kept_until_something_of_it_changes(plain: Connection) -> None:
    make = Factory(plain)
    me, author = await make.member("me"), await make.member("author")
    first = await make.post(author)
    boost = await make.boost(author, first)
    await make.feed(me, first, boost)
    assert timelines.kept_home(me, Page()) is None
    read = await timelines.home_entries(plain, me, Page(), uris=URIS)
    assert read == timelines.kept_home(me, Page())
    assert read[:1] == timelines.kept_home(me, Page(limit=1))
    assert read[:1] == timelines.kept_home(me, Page(since_id=first))

    await make.like(me, first)
    cache.forget_homes([me])
    assert timelines.kept_home(me, Page()) is None
    await timelines.home_entries(plain, me, Page(), uris=URIS)
    kept = timelines.kept_home(me, Page())
    assert kept is not None
    assert [True, True] == [entry.flags.liked for entry in kept]


async def test_only_what_is_kept_whole_is_taken_from_memory(plain: Connection) -> None:
    make = Factory(plain)
    me = await make.member("me")
    posts_ = [await make.post(me) for _ in range(3)]
    await make.feed(me, *posts_)
    await timelines.home_entries(plain, me, Page(limit=2), uris=URIS)
    windows = [Page(limit=3), Page(limit=1, max_id=posts_[2]), Page(limit=1, min_id=posts_[0])]
    assert [None] * 3 == [timelines.kept_home(me, window) for window in windows]
    assert posts_[::-1] == [
        e.view.id for e in await timelines.home_entries(plain, me, Page(limit=3), uris=URIS)
    ]
    # Fewer than were asked for: there are no more, however many are asked for next.
    await timelines.home_entries(plain, me, Page(limit=10), uris=URIS)
    assert 3 == len(timelines.kept_home(me, Page(limit=40)) or ())


async def test_a_kept_home_shows_an_edit_and_hides_the_suspended(plain: Connection) -> None:
    make = Factory(plain)
    me, author = await make.member("me"), await make.member("author")
    post, other = await make.post(author, "old"), await make.post(me)
    await make.feed(me, post, other)
    await timelines.home_entries(plain, me, Page(), uris=URIS)
    await make.edit(post, "new")
    cache.forget_posts([post])
    assert timelines.kept_home(me, Page()) is None
    again = await timelines.home_entries(plain, me, Page(), uris=URIS)
    assert ["hello", "new"] == [entry.view.text for entry in again]
    assert again == timelines.kept_home(me, Page())

    await accounts.suspend(plain, author, reason="spam", now=again[0].view.created_at)
    cache.forget_accounts([author])
    assert [other] == [e.view.id for e in await timelines.home_entries(plain, me, Page(), uris=URIS)]
    assert [other] == [e.view.id for e in timelines.kept_home(me, Page()) or ()]


async def test_a_home_is_kept_for_seconds_at_most(plain: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that nobody thought of must not cost more."""
    make = Factory(plain)
    me = await make.member("me")
    await make.feed(me, await make.post(me))
    await timelines.home_entries(plain, me, Page(), uris=URIS)
    monkeypatch.setattr(cache, "HOME_SECONDS", -1.0)
    assert timelines.kept_home(me, Page()) is None
