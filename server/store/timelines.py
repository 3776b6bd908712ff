"""Lists of posts, newest first. Each is a keyset window over one index; blocks, mutes and visibility are
asked when it is read.

A timeline gives ids, for `posts.load` or `posts.entries`. The home timeline, which is read more than
everything else together, also comes whole from one statement: `home_entries`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache as memoize

from compliance.activity import AccountId, PostId
from server.db.pool import Connection
from server.uris import Uris

from . import cache, posts
from .model import Entry, Keyed, Line, Page
from .sql import Both, both_ways, compose, fetch_page
from .visibility import SEEN, is_listed, may_see, may_see_both, stands, wanted

PAGE_CAP = 40
ANCESTORS = 100
DESCENDANTS = 500

_HAS_MEDIA = "and (select true from media m where m.post_id = p.id limit 1)"
_HAS_TAG = """and exists (select from post_tag e
  where e.post_id = p.id and e.tag_id = (select t.id from tag t where t.name = $6))"""

# $4 is the viewer in all of them.
_HOME = both_ways(
    """
    select {columns}
    from feed e join (visible_post p left join visible_post b on b.id = p.boost_of_id) on p.id = e.post_id
    where e.owner_id = $4 and e.post_id > $1 and e.post_id < $2 and {may_see} and {wanted}
    order by e.post_id {order} limit $3
    """,
    columns=posts.line_columns("$4", muted_="false"),
    may_see=may_see_both("$4"),
    wanted=wanted("$4"),
)
_BOOKMARKS = both_ways(
    """
    select e.id as key, p.id
    from bookmark e join (visible_post p left join visible_post b on b.id = p.boost_of_id) on p.id = e.post_id
    where e.account_id = $4 and e.id > $1 and e.id < $2 and {may_see}
    order by e.id {order} limit $3
    """,
    may_see=may_see_both("$4"),
)
_LIKES = both_ways(
    """
    select e.id as key, p.id
    from reaction e join (visible_post p left join visible_post b on b.id = p.boost_of_id) on p.id = e.post_id
    where e.account_id = $4 and e.id > $1 and e.id < $2 and {may_see}
    order by e.id {order} limit $3
    """,
    may_see=may_see_both("$4"),
)
_ANCESTORS = compose(
    """
    with recursive up as (
      select q.in_reply_to_id as id, 1 as depth from post q where q.id = $1
      union all
      select q.in_reply_to_id, up.depth + 1 from up join post q on q.id = up.id where up.depth < $3
    )
    select p.id from up join visible_post p on p.id = up.id left join visible_post b on b.id = p.boost_of_id
    where {may_see} and {wanted}
    order by up.depth desc
    """,
    may_see=may_see_both("$2"),
    wanted=wanted("$2"),
)
# Breadth first, so that a limit keeps what is nearest.
_DESCENDANTS = compose(
    """
    with recursive down as (
      select q.id, q.in_reply_to_id from post q where q.in_reply_to_id = $1
      union all
      select q.id, q.in_reply_to_id from down join post q on q.in_reply_to_id = down.id
    ), near as (select id, in_reply_to_id from down limit $3)
    select near.id, near.in_reply_to_id as parent_id,
      p.id is not null and {may_see} and {wanted} and {stands} as shown
    from near left join visible_post p on p.id = near.id left join visible_post b on b.id = p.boost_of_id
    order by near.id
    """,
    may_see=may_see_both("$2"),
    wanted=wanted("$2"),
    stands=stands("p", "$2"),
)
_PINNED = """
    select post_id from compliance.comment
    where thread_id = (select thread_id from post where id = $1) and pinned_at is not null order by pinned_at
    """

_PROFILE = """
    select p.id from {seen}
    where p.account_id = $5 and p.id > $1 and p.id < $2 and {may_see} {conditions}
    order by p.id {order} limit $3
    """
# Read from the pictures, in their order: few of somebody's posts may have any.
_GALLERY = """
    select p.id
    from (select m.post_id from media m where m.account_id = $5 and m.post_id > $1 and m.post_id < $2
          group by m.post_id order by m.post_id {order}) e
      join (visible_post p left join visible_post b on b.id = p.boost_of_id) on p.id = e.post_id
    where {may_see} {conditions}
    order by e.post_id {order} limit $3
    """


async def home(conn: Connection, viewer: AccountId, page: Page) -> list[PostId]:
    """What the people the viewer follows wrote and boosted."""
    return [PostId(row["id"]) for row in await fetch_page(conn, _HOME, page, PAGE_CAP, viewer)]


async def home_entries(conn: Connection, viewer: AccountId, page: Page, *, uris: Uris) -> list[Entry]:
    """The home timeline with views and flags: one statement when the views are at hand, none for a top
    just read.
    """
    in_transaction = conn.is_in_transaction()
    lines = None if in_transaction else _kept_lines(viewer, page)
    if lines is None:
        tick = cache.homes.tick
        lines = tuple(map(posts.line_of, await fetch_page(conn, _HOME, page, PAGE_CAP, viewer)))
        if not in_transaction and page.max_id is None and page.since_id is None and page.min_id is None:
            top = cache.Home(lines, page.rows(PAGE_CAP), time.monotonic())
            cache.homes.keep(viewer, top, read_at=tick)
    return await posts.dress(conn, lines, uris=uris)


def kept_home(viewer: AccountId, page: Page) -> list[Entry] | None:
    """The same from memory alone, without a connection; `None` where the database has to be asked."""
    lines = _kept_lines(viewer, page)
    return None if lines is None else posts.dress_kept(lines)


def _kept_lines(viewer: AccountId, page: Page) -> tuple[Line, ...] | None:
    if page.max_id is not None or page.rises:
        return None
    home = cache.homes.find(viewer)
    if home is None or home.kept_at < time.monotonic() - cache.HOME_SECONDS:
        return None
    rows = page.rows(PAGE_CAP)
    if len(home.lines) < rows and len(home.lines) == home.asked:
        return None
    lines = home.lines[:rows]
    return lines if page.since_id is None else tuple(line for line in lines if line.id > page.above)


async def public(
    conn: Connection,
    viewer: AccountId | None,
    page: Page,
    *,
    local: bool | None = None,
    only_media: bool = False,
) -> list[PostId]:
    """Public posts of everybody known here, without boosts and replies; `local` narrows to ours, or
    (`False`) to others'.
    """
    statements = _public(local is not None, only_media)
    rows = await fetch_page(conn, statements, page, PAGE_CAP, viewer, *(() if local is None else (local,)))
    return [PostId(row["id"]) for row in rows]


async def local(
    conn: Connection, viewer: AccountId | None, page: Page, *, only_media: bool = False
) -> list[PostId]:
    """Public posts of our own people."""
    return await public(conn, viewer, page, local=True, only_media=only_media)


async def tag(
    conn: Connection,
    name: str,
    viewer: AccountId | None,
    page: Page,
    *,
    local: bool | None = None,
    only_media: bool = False,
) -> list[PostId]:
    """Public posts with a hashtag, in whatever case it is given."""
    statements = _tag(local is not None, only_media)
    rows = await fetch_page(
        conn, statements, page, PAGE_CAP, viewer, name.casefold(), *(() if local is None else (local,))
    )
    return [PostId(row["id"]) for row in rows]


async def account(
    conn: Connection,
    account_id: AccountId,
    viewer: AccountId | None,
    page: Page,
    *,
    exclude_replies: bool = False,
    only_media: bool = False,
    exclude_boosts: bool = False,
    tagged: str | None = None,
) -> list[PostId]:
    """What one account wrote and boosted, as far as the viewer may see it. A mute does not hide it here."""
    statements = _account(exclude_replies, only_media, exclude_boosts, tagged is not None)
    extra = () if tagged is None else (tagged.casefold(),)
    rows = await fetch_page(conn, statements, page, PAGE_CAP, viewer, account_id, *extra)
    return [PostId(row["id"]) for row in rows]


async def bookmarks(conn: Connection, viewer: AccountId, page: Page) -> list[Keyed[PostId]]:
    """What the viewer bookmarked, by when."""
    rows = await fetch_page(conn, _BOOKMARKS, page, PAGE_CAP, viewer)
    return [Keyed(row["key"], PostId(row["id"])) for row in rows]


async def likes(conn: Connection, viewer: AccountId, page: Page) -> list[Keyed[PostId]]:
    """What the viewer favourited, by when."""
    rows = await fetch_page(conn, _LIKES, page, PAGE_CAP, viewer)
    return [Keyed(row["key"], PostId(row["id"])) for row in rows]


async def thread(
    conn: Connection, post_id: PostId, viewer: AccountId | None
) -> tuple[list[PostId], list[PostId]]:
    """What a post answers, from the start, and the answers to it, each branch after its root, and what was
    pinned before the rest; raises `NotFound` for a post that the viewer may not see.

    A post in between that the viewer may not see is left out, and what hangs on it stays.
    """
    await posts.require(conn, post_id, viewer)
    above = await conn.fetch(_ANCESTORS, post_id, viewer, ANCESTORS)
    below = await conn.fetch(_DESCENDANTS, post_id, viewer, DESCENDANTS)
    children: dict[PostId, list[PostId]] = defaultdict(list)
    for row in below:
        children[row["parent_id"]].append(PostId(row["id"]))
    if below and (pinned := {row["post_id"] for row in await conn.fetch(_PINNED, post_id)}):
        for each in children.values():
            each.sort(key=lambda id_: id_ not in pinned)
    shown = {row["id"] for row in below if row["shown"]}
    return [PostId(row["id"]) for row in above], [id_ for id_ in _branches(post_id, children) if id_ in shown]


def _branches(root: PostId, children: Mapping[PostId, Sequence[PostId]]) -> list[PostId]:
    """Everything under `root`, depth first; a parent's children are taken once, so that a ring ends."""
    found: list[PostId] = []
    seen = {root}
    waiting = list(reversed(children.get(root, ())))
    while waiting:
        id_ = waiting.pop()
        if id_ not in seen:
            seen.add(id_)
            found.append(id_)
            waiting.extend(reversed(children.get(id_, ())))
    return found


@memoize
def _public(one_origin: bool, only_media: bool) -> Both:
    return both_ways(
        """
        select p.id from visible_post p left join visible_post b on b.id = p.boost_of_id
        where {public} and p.boost_of_id is null and p.in_reply_to_uri is null {origin}
          and p.id > $1 and p.id < $2 and {may_see} and {wanted} {media}
        order by p.id {order} limit $3
        """,
        public=is_listed("p"),
        origin="and p.local = $5" if one_origin else "",
        may_see=may_see("p", "$4"),
        wanted=wanted("$4"),
        media=_HAS_MEDIA if only_media else "",
    )


@memoize
def _tag(one_origin: bool, only_media: bool) -> Both:
    return both_ways(
        """
        select p.id
        from post_tag e join visible_post p on p.id = e.post_id
          left join visible_post b on b.id = p.boost_of_id
        where e.tag_id = (select t.id from tag t where t.name = $5) and e.post_id > $1 and e.post_id < $2
          and {public} {origin} and {may_see} and {wanted} {media}
        order by e.post_id {order} limit $3
        """,
        public=is_listed("p"),
        origin="and p.local = $6" if one_origin else "",
        may_see=may_see("p", "$4"),
        wanted=wanted("$4"),
        media=_HAS_MEDIA if only_media else "",
    )


@memoize
def _account(exclude_replies: bool, only_media: bool, exclude_boosts: bool, tagged: bool) -> Both:
    conditions = [
        "and (p.in_reply_to_uri is null or p.in_reply_to_account_id = p.account_id)"
        if exclude_replies
        else "",
        "and p.boost_of_id is null" if exclude_boosts else "",
        _HAS_TAG if tagged else "",
    ]
    return both_ways(
        _GALLERY if only_media else _PROFILE,
        seen=SEEN,
        may_see=may_see_both("$4"),
        conditions=" ".join(conditions),
    )
