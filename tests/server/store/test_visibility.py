"""Who sees what: every visibility, every way two people can stand to each other, every road by which a post
is read.

Security rule D: one set of conditions for all read paths. Each cell of the matrix is asked of the database.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable

import pytest

from compliance.activity import AccountId, PostId, Visibility
from server.db.pool import Connection
from server.errors import NotFound
from server.store import bookmarks, collections, notifications, posts, timelines
from server.store.model import Page
from tests.fixtures.factory import URIS, Factory

PUBLIC, UNLISTED, FOLLOWERS, DIRECT = Visibility


class Viewer(enum.StrEnum):
    """How the viewer stands to the author."""

    NOBODY = "not logged in"
    STRANGER = "a stranger"
    AUTHOR = "the author"
    FOLLOWER = "a follower"
    ASKED = "asked to follow, not accepted"
    NAMED = "named in the post"
    ADDRESSED = "addressed, not named"
    FOLLOWED = "followed by the author, not following"
    BLOCKED = "a follower, named, then blocked by the author"
    BLOCKING = "a follower, named, who blocks the author"
    MUTING = "a follower who mutes the author"


class Author(enum.StrEnum):
    """What became of the author and the post."""

    THERE = "there"
    SUSPENDED = "suspended"
    GONE = "gone"
    WITHDRAWN = "the post was withdrawn"


_ALWAYS = {Viewer.AUTHOR, Viewer.NAMED, Viewer.ADDRESSED}
MAY_SEE = {
    PUBLIC: set(Viewer) - {Viewer.BLOCKED, Viewer.BLOCKING},
    UNLISTED: set(Viewer) - {Viewer.BLOCKED, Viewer.BLOCKING},
    FOLLOWERS: _ALWAYS | {Viewer.FOLLOWER, Viewer.MUTING},
    DIRECT: _ALWAYS,
}


class Scene:
    """An author, a viewer, a third person and what they wrote."""

    def __init__(self, make: Factory) -> None:
        self.make = make
        self.conn = make.conn

    async def set_up(self, visibility: Visibility, stands: Viewer, author: Author = Author.THERE) -> Scene:
        make = self.make
        self.author = await make.member("author")
        self.third = await make.member("third")
        me = self.author if stands is Viewer.AUTHOR else await make.member("viewer")
        self.me: AccountId | None = None if stands is Viewer.NOBODY else me
        named = [me] if stands in (Viewer.NAMED, Viewer.BLOCKED, Viewer.BLOCKING) else []
        addressed = [me] if stands is Viewer.ADDRESSED else []
        if stands in (Viewer.FOLLOWER, Viewer.MUTING, Viewer.ASKED, Viewer.BLOCKED, Viewer.BLOCKING):
            await make.follow(me, self.author, accepted=stands is not Viewer.ASKED)
        if stands is Viewer.FOLLOWED:
            await make.follow(self.author, me)
        self.root = await make.post(self.third, "first")
        self.post = await make.post(
            self.author,
            "the words",
            visibility=visibility,
            reply_to=self.root,
            mentions=named,
            addressed=addressed,
            tags=["Tea"],
            media=1,
        )
        self.top = await make.post(
            self.author,
            "no reply",
            visibility=visibility,
            mentions=named,
            addressed=addressed,
            tags=["Tea"],
            media=1,
        )
        self.answer = await make.post(self.third, "an answer", reply_to=self.post)
        self.boost = await make.boost(self.third, self.post)
        if self.me is not None:
            await make.feed(self.me, self.post, self.boost)
            await make.bookmark(self.me, self.post)
            await make.like(self.me, self.post)
            await make.notification(self.me, "mention", from_id=self.third, post_id=self.post)
        if stands is Viewer.BLOCKED:
            await make.block(self.author, me)
        if stands is Viewer.BLOCKING:
            await make.block(me, self.author)
        if stands is Viewer.MUTING:
            await make.mute(me, self.author)
        if author is Author.WITHDRAWN:
            await make.withdraw(self.post)
            await make.withdraw(self.top)
        elif author is not Author.THERE:
            column = "suspended_at" if author is Author.SUSPENDED else "gone_at"
            await self.conn.execute(f"update account set {column} = now() where id = $1", self.author)  # noqa: S608
        return self


Read = Callable[[Scene], Awaitable[bool]]


async def _raises(read: Awaitable[object]) -> bool:
    try:
        await read
    except NotFound:
        return True
    return False


async def _get(s: Scene) -> bool:
    return not await _raises(posts.get(s.conn, s.post, s.me, uris=URIS))


async def _load(s: Scene) -> bool:
    return bool(await posts.load(s.conn, [s.post], s.me, uris=URIS))


async def _flags(s: Scene) -> bool:
    return s.post in await posts.flags(s.conn, [s.post], s.me)


async def _history(s: Scene) -> bool:
    return not await _raises(posts.history(s.conn, s.post, s.me, uris=URIS))


async def _liked_by(s: Scene) -> bool:
    return not await _raises(posts.liked_by(s.conn, s.post, s.me, Page()))


async def _boosted_by(s: Scene) -> bool:
    return not await _raises(posts.boosted_by(s.conn, s.post, s.me, Page()))


async def _thread(s: Scene) -> bool:
    return not await _raises(timelines.thread(s.conn, s.post, s.me))


async def _by_boost(s: Scene) -> bool:
    return bool(await posts.load(s.conn, [s.boost], s.me, uris=URIS))


async def _profile(s: Scene) -> bool:
    return s.post in await timelines.account(s.conn, s.author, s.me, Page())


async def _profile_media(s: Scene) -> bool:
    return s.post in await timelines.account(s.conn, s.author, s.me, Page(), only_media=True)


async def _profile_tagged(s: Scene) -> bool:
    return s.post in await timelines.account(s.conn, s.author, s.me, Page(), tagged="tea")


async def _profile_boosts(s: Scene) -> bool:
    return s.boost in await timelines.account(s.conn, s.third, s.me, Page())


DIRECTLY: dict[str, Read] = {
    "get": _get,
    "load": _load,
    "flags": _flags,
    "history": _history,
    "liked_by": _liked_by,
    "boosted_by": _boosted_by,
    "thread": _thread,
    "by_boost": _by_boost,
    "profile": _profile,
    "profile_media": _profile_media,
    "profile_tagged": _profile_tagged,
    "profile_boosts": _profile_boosts,
}
"""Roads by which somebody asks for this post, or for what this author shows: a mute does not close them."""


async def _home(s: Scene) -> bool:
    assert s.me is not None
    return s.post in await timelines.home(s.conn, s.me, Page())


async def _home_boost(s: Scene) -> bool:
    assert s.me is not None
    return s.boost in await timelines.home(s.conn, s.me, Page())


async def _home_entries(s: Scene) -> bool:
    assert s.me is not None
    entries = await timelines.home_entries(s.conn, s.me, Page(), uris=URIS)
    return s.post in [entry.view.id for entry in entries]


async def _below(s: Scene) -> bool:
    return s.post in (await timelines.thread(s.conn, s.root, s.me))[1]


async def _above(s: Scene) -> bool:
    return s.post in (await timelines.thread(s.conn, s.answer, s.me))[0]


IN_LISTS: dict[str, Read] = {
    "home": _home,
    "home_boost": _home_boost,
    "home_entries": _home_entries,
    "below in a thread": _below,
    "above in a thread": _above,
}
"""Roads on which the viewer comes across this post without asking for it: a mute closes them."""


async def _bookmarks(s: Scene) -> bool:
    assert s.me is not None
    return s.post in [row.id for row in await timelines.bookmarks(s.conn, s.me, Page())]


async def _likes(s: Scene) -> bool:
    assert s.me is not None
    return s.post in [row.id for row in await timelines.likes(s.conn, s.me, Page())]


async def _insert_bookmark(s: Scene) -> bool:
    assert s.me is not None
    return await bookmarks.insert(s.conn, s.me, s.post, new_id=s.make.ids)


async def _notification(s: Scene) -> bool:
    assert s.me is not None
    return bool(await notifications.page(s.conn, s.me, Page(), uris=URIS))


async def _unread(s: Scene) -> bool:
    assert s.me is not None
    return await notifications.unread_count(s.conn, s.me) > 0


OWN: dict[str, Read] = {
    "bookmarks": _bookmarks,
    "likes": _likes,
    "bookmarking": _insert_bookmark,
    "notifications": _notification,
    "unread count": _unread,
}
"""The viewer's own lists: what they kept while they could see it is not theirs for ever."""


async def _public(s: Scene) -> bool:
    return s.top in await timelines.public(s.conn, s.me, Page())


async def _public_media(s: Scene) -> bool:
    return s.top in await timelines.public(s.conn, s.me, Page(), only_media=True)


async def _local(s: Scene) -> bool:
    return s.top in await timelines.local(s.conn, s.me, Page())


async def _tag(s: Scene) -> bool:
    return s.top in await timelines.tag(s.conn, "TEA", s.me, Page())


PUBLICLY: dict[str, Read] = {"public": _public, "public_media": _public_media, "local": _local, "tag": _tag}
"""Timelines of everybody: public posts alone."""


async def _read(scene: Scene, roads: dict[str, Read]) -> dict[str, bool]:
    return {name: await read(scene) for name, read in roads.items()}


def _all(roads: dict[str, Read], seen: bool) -> dict[str, bool]:
    return dict.fromkeys(roads, seen)


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize("stands", Viewer)
async def test_every_road_shows_a_post_to_the_same_people(
    make: Factory, visibility: Visibility, stands: Viewer
) -> None:
    """One road with its own idea of visibility is how private posts leak."""
    scene = await Scene(make).set_up(visibility, stands)
    may = stands in MAY_SEE[visibility]
    listed = may and stands is not Viewer.MUTING
    expected = _all(DIRECTLY, may) | _all(PUBLICLY, listed and visibility is PUBLIC)
    actual = await _read(scene, DIRECTLY | PUBLICLY)
    if stands is Viewer.NOBODY:
        in_threads = {name: read for name, read in IN_LISTS.items() if "thread" in name}
        expected |= _all(in_threads, may)
        actual |= await _read(scene, in_threads)
    else:
        expected |= _all(IN_LISTS, listed) | _all(OWN, may)
        actual |= await _read(scene, IN_LISTS | OWN)
    assert expected == actual


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize("stands", [Viewer.STRANGER, Viewer.FOLLOWER, Viewer.NAMED, Viewer.AUTHOR])
@pytest.mark.parametrize("author", [Author.SUSPENDED, Author.GONE, Author.WITHDRAWN])
async def test_nobody_sees_what_was_withdrawn_or_whose_author_is_not_there(
    make: Factory, visibility: Visibility, stands: Viewer, author: Author
) -> None:
    """A suspension must hold at once on every road, also through boosts by others (rule D6)."""
    scene = await Scene(make).set_up(visibility, stands, author)
    roads = DIRECTLY | PUBLICLY | IN_LISTS | OWN
    assert _all(roads, False) == await _read(scene, roads)


async def test_a_block_of_the_booster_hides_the_boost_and_not_the_post(
    make: Factory, conn: Connection
) -> None:
    author, booster, me = [await make.member(name) for name in ("author", "booster", "me")]
    post = await make.post(author)
    boost = await make.boost(booster, post)
    await make.feed(me, post, boost)
    await make.block(booster, me)
    assert [post] == await timelines.home(conn, me, Page())


async def test_a_mute_of_the_booster_hides_the_boost_from_lists(make: Factory, conn: Connection) -> None:
    author, booster, me = [await make.member(name) for name in ("author", "booster", "me")]
    post = await make.post(author)
    boost = await make.boost(booster, post)
    await make.feed(me, post, boost)
    await make.mute(me, booster)
    assert [post] == await timelines.home(conn, me, Page())
    assert [boost] == await timelines.account(conn, booster, me, Page())


async def test_a_boost_for_followers_is_seen_by_followers_of_the_booster_alone(
    make: Factory, conn: Connection
) -> None:
    author, booster, follower, stranger = [
        await make.member(n) for n in ("author", "booster", "follower", "stranger")
    ]
    await make.follow(follower, booster)
    post = await make.post(author)
    boost = await make.boost(booster, post, visibility=FOLLOWERS)
    seen = {
        viewer: bool(await posts.flags(conn, [boost], viewer))
        for viewer in (None, stranger, follower, booster)
    }
    assert {None: False, stranger: False, follower: True, booster: True} == seen


async def test_an_expired_mute_hides_nothing(make: Factory, conn: Connection) -> None:
    author, me = await make.member("author"), await make.member("me")
    post = await make.post(author)
    await make.feed(me, post)
    await make.mute(me, author)
    await conn.execute("update mute set expires_at = now() - interval '1 second'")
    assert [post] == await timelines.home(conn, me, Page())


async def test_absent_and_forbidden_are_the_same_error(make: Factory, conn: Connection) -> None:
    """Otherwise the existence of a private id can be asked (rule D1)."""
    author, me = await make.member("author"), await make.member("me")
    hidden = await make.post(author, visibility=DIRECT)
    said = []
    for id_ in (hidden, PostId(hidden + 1)):
        with pytest.raises(NotFound) as error:
            await posts.get(conn, id_, me, uris=URIS)
        said.append((error.value.message, error.value.status, error.value.values))
    assert said[0] == said[1]


async def test_what_hangs_on_a_hidden_post_stays_in_the_thread(make: Factory, conn: Connection) -> None:
    author, third, me = [await make.member(name) for name in ("author", "third", "me")]
    root = await make.post(third, "root")
    hidden = await make.post(author, "hidden", visibility=FOLLOWERS, reply_to=root)
    below = await make.post(third, "below", reply_to=hidden)
    assert ([], [below]) == await timelines.thread(conn, root, me)
    assert ([root], []) == await timelines.thread(conn, below, me)


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize("author", Author)
async def test_collections_hold_what_anybody_may_read(
    make: Factory, conn: Connection, visibility: Visibility, author: Author
) -> None:
    """Other servers read these without saying for whom."""
    scene = await Scene(make).set_up(visibility, Viewer.STRANGER, author)
    there = author is Author.THERE
    outbox = await collections.outbox(conn, scene.author, Page())
    replies = [id_ for id_, _ in await collections.replies(conn, scene.root, Page())]
    boosts = await collections.outbox(conn, scene.third, Page())
    withdrawn = await collections.find_withdrawn(conn, scene.post)
    is_open = visibility in (PUBLIC, UNLISTED)
    assert ([scene.top, scene.post] if there and visibility is PUBLIC else []) == outbox
    assert ([scene.post] if there and is_open else []) == replies
    assert (there and is_open) == (scene.boost in boosts)
    assert (author is Author.WITHDRAWN and is_open) == (withdrawn is not None)
