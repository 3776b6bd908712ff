"""Posts and boosts as they are shown, for one viewer at a time.

Which of the ids the viewer may see is asked of the database each time; how they look comes from the cache
where it can. A page costs the same number of statements whatever its length: one to ask, and, for what the
cache lacks, one each for posts, their pictures and their authors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, structs

from compliance.activity import AccountId, PostId, Uri, Visibility
from server.db.pool import Connection
from server.errors import NotFound
from server.uris import Uris

from . import accounts, cache
from .media import COLUMNS as MEDIA_COLUMNS
from .media import view_of as media_view
from .model import AccountView, Entry, Keyed, Line, MediaView, MentionView, Page, PostFlags, PostView, Version
from .sql import both_ways, compose, fetch_page
from .visibility import SEEN, may_meet, may_see, may_see_both, muted

PAGE_CAP = 80

_NO_FLAGS = PostFlags()


def line_columns(viewer: str, *, muted_: str | None = None) -> str:
    """What a statement over `SEEN` selects for `line_of`; `muted_` where the answer to that is known."""
    return compose(
        """p.id, p.boost_of_id, p.edited_at, b.edited_at as boost_edited_at,
        (select true from reaction x
         where x.account_id = {viewer} and x.post_id = coalesce(b.id, p.id)) as liked,
        (select true from post x where x.account_id = {viewer} and x.boost_of_id = coalesce(b.id, p.id)
           and x.withdrawn_at is null) as boosted,
        (select true from bookmark x
         where x.account_id = {viewer} and x.post_id = coalesce(b.id, p.id)) as bookmarked,
        {muted} as muted""",
        viewer=viewer,
        muted=muted_ or muted("coalesce(b.account_id, p.account_id)", viewer),
    )


_SEEN = compose(
    "select {columns} from {seen} where p.id = any($1) and {may_see}",
    columns=line_columns("$2"),
    seen=SEEN,
    may_see=may_see_both("$2"),
)
_BARE = """
    select p.id, p.account_id, p.local, p.uri, p.url, p.boost_of_id, p.in_reply_to_id,
      p.in_reply_to_account_id, p.in_reply_to_uri, p.thread_id, p.visibility, p.html, p.text, p.source,
      p.spoiler, p.sensitive, p.language, p.labels, p.created_at, p.edited_at, p.waits, p.hidden,
      o.name as app_name, o.website as app_website, c.replies, c.boosts, c.likes,
      (select json_agg(json_build_array(a.id, a.username, a.host, a.url, a.uri) order by a.id)
       from mention m join account a on a.id = m.account_id
       where m.post_id = p.id and not m.silent)::text as mentions,
      array(select t.shown from post_tag t where t.post_id = p.id order by t.position) as tags,
      case when p.edited_at is null then 0 else
        coalesce((select max(e.version) + 1 from post_edit e where e.post_id = p.id), 0) end as version
    from post p left join post_count c on c.post_id = p.id left join oauth_app o on o.id = p.app_id
    where p.id = any($1)
    """
_MEDIA = compose(
    "select post_id, {columns} from media where post_id = any($1) order by post_id, position",
    columns=MEDIA_COLUMNS,
)
_HISTORY = """
    select version, html, text, spoiler, sensitive, media::text as media, created_at
    from post_edit where post_id = $1 order by version limit 200
    """
_HISTORY_MEDIA = compose("select {columns} from media where id = any($1)", columns=MEDIA_COLUMNS)
_LIKED_BY = both_ways(
    """
    select r.id as key, r.account_id as id from reaction r join account a on a.id = r.account_id
    where r.post_id = $4 and r.id > $1 and r.id < $2 and {may_meet}
    order by r.id {order} limit $3
    """,
    may_meet=may_meet("a", "$5"),
)
_BOOSTED_BY = both_ways(
    """
    select p.id as key, p.account_id as id from visible_post p
    where p.boost_of_id = $4 and p.id > $1 and p.id < $2 and {may_see}
    order by p.id {order} limit $3
    """,
    may_see=may_see("p", "$5"),
)

_mentions = msgspec.json.Decoder(list[tuple[int, str, str | None, str, str]])


class _PastMedia(Struct):
    id: int
    description: str = ""


_past_media = msgspec.json.Decoder(list[_PastMedia])


async def load(
    conn: Connection, ids: Sequence[PostId], viewer: AccountId | None, *, uris: Uris
) -> list[PostView]:
    """The posts with these ids, in this order, without those that the viewer may not see."""
    return [entry.view for entry in await entries(conn, ids, viewer, uris=uris)]


async def entries(
    conn: Connection, ids: Sequence[PostId], viewer: AccountId | None, *, uris: Uris
) -> list[Entry]:
    """The same, each with what the viewer did with it: one statement asks for both."""
    if not ids:
        return []
    lines = {line.id: line for line in map(line_of, await conn.fetch(_SEEN, ids, viewer))}
    return await dress(conn, [lines[id_] for id_ in ids if id_ in lines], uris=uris)


async def find(conn: Connection, post_id: PostId, viewer: AccountId | None, *, uris: Uris) -> PostView | None:
    """The post, if it is there and the viewer may see it."""
    found = await load(conn, [post_id], viewer, uris=uris)
    return found[0] if found else None


async def get(conn: Connection, post_id: PostId, viewer: AccountId | None, *, uris: Uris) -> PostView:
    """The post; raises `NotFound`, the same for one that is not there and one that the viewer may not see."""
    return (await get_entry(conn, post_id, viewer, uris=uris)).view


async def get_entry(conn: Connection, post_id: PostId, viewer: AccountId | None, *, uris: Uris) -> Entry:
    """The post with what the viewer did with it; raises `NotFound` like `get`."""
    found = await entries(conn, [post_id], viewer, uris=uris)
    if not found:
        raise NotFound
    return found[0]


async def require(conn: Connection, post_id: PostId, viewer: AccountId | None) -> None:
    """Raises `NotFound` unless the post is there and the viewer may see it."""
    if not await conn.fetch(_SEEN, [post_id], viewer):
        raise NotFound


async def flags(conn: Connection, ids: Sequence[PostId], viewer: AccountId | None) -> dict[PostId, PostFlags]:
    """What the viewer did with these posts; for a boost, with the boosted post. Posts not to be seen are
    left out.
    """
    return {line.id: line.flags for line in map(line_of, await conn.fetch(_SEEN, ids, viewer))}


async def find_id_by_uri(conn: Connection, uri: str) -> PostId | None:
    """The post or boost with this id on the network, unless it was withdrawn. Says nothing about who may
    see it.
    """
    found = await conn.fetchval("select id from visible_post where uri = $1", uri)
    return None if found is None else PostId(found)


async def count_local(conn: Connection) -> int:
    """How many posts our own people wrote."""
    found = await conn.fetchval(
        "select coalesce(sum(n.posts), 0) from account a join account_count n on n.account_id = a.id "
        "where a.host is null and a.suspended_at is null and a.gone_at is null"
    )
    return int(found)


async def history(
    conn: Connection, post_id: PostId, viewer: AccountId | None, *, uris: Uris
) -> list[Version]:
    """How the post read before each edit, oldest first, and last how it reads now; raises `NotFound` like
    `get`.

    A picture that was taken off the post and is gone since is gone from its history too.
    """
    now = await get(conn, post_id, viewer, uris=uris)
    rows = await conn.fetch(_HISTORY, post_id)
    pictures = [_past_media.decode(row["media"]) for row in rows]
    media = {
        row["id"]: media_view(row, uris)
        for row in await conn.fetch(_HISTORY_MEDIA, list({m.id for past in pictures for m in past}))
    }
    past = [
        Version(
            html=row["html"],
            text=row["text"],
            spoiler=row["spoiler"],
            sensitive=row["sensitive"],
            media=tuple(
                structs.replace(media[m.id], description=m.description) for m in then if m.id in media
            ),
            created_at=row["created_at"],
        )
        for row, then in zip(rows, pictures, strict=True)
    ]
    present = Version(
        html=now.html,
        text=now.text,
        spoiler=now.spoiler,
        sensitive=now.sensitive,
        media=now.media,
        created_at=now.edited_at or now.created_at,
    )
    return [*past, present]


async def liked_by(
    conn: Connection, post_id: PostId, viewer: AccountId | None, page: Page
) -> list[Keyed[AccountId]]:
    """Who favourited the post, newest first; raises `NotFound` like `get`."""
    await require(conn, post_id, viewer)
    rows = await fetch_page(conn, _LIKED_BY, page, PAGE_CAP, post_id, viewer)
    return [Keyed(row["key"], AccountId(row["id"])) for row in rows]


async def boosted_by(
    conn: Connection, post_id: PostId, viewer: AccountId | None, page: Page
) -> list[Keyed[AccountId]]:
    """Who boosted the post, newest first; raises `NotFound` like `get`."""
    await require(conn, post_id, viewer)
    rows = await fetch_page(conn, _BOOSTED_BY, page, PAGE_CAP, post_id, viewer)
    return [Keyed(row["key"], AccountId(row["id"])) for row in rows]


def line_of(row: Any) -> Line:
    """A row with `line_columns`."""
    liked, boosted, bookmarked, is_muted = row["liked"], row["boosted"], row["bookmarked"], row["muted"]
    some = liked or boosted or bookmarked or is_muted
    return Line(
        row["id"],
        row["boost_of_id"],
        row["edited_at"],
        row["boost_edited_at"],
        PostFlags(bool(liked), bool(boosted), bool(bookmarked), bool(is_muted)) if some else _NO_FLAGS,
    )


async def dress(conn: Connection, lines: Sequence[Line], *, uris: Uris) -> list[Entry]:
    """Lines with their views, in the same order."""
    keeps = not conn.is_in_transaction()
    tick = cache.posts.tick
    views = await _views(conn, lines, tick=tick, keeps=keeps, uris=uris)
    dressed: list[Entry] = []
    for line in lines:
        view = views.get(line.id)
        if view is not None and line.boost_of_id is not None:
            boosted = views.get(line.boost_of_id)
            if boosted is None:
                continue
            if view.boost_of is not boosted:
                view = structs.replace(view, boost_of=boosted)
                if keeps:
                    cache.posts.keep(view.id, view, read_at=tick)
        if view is not None and _is_there(view):
            dressed.append(Entry(view, line.flags))
    return dressed


def dress_kept(lines: Sequence[Line]) -> list[Entry] | None:
    """The same from memory alone; `None` where a view is not at hand, or not as it is now."""
    dressed: list[Entry] = []
    for line in lines:
        view = _kept(line.id, line.edited_at)
        if view is None:
            return None
        if line.boost_of_id is not None:
            boosted = _kept(line.boost_of_id, line.boost_edited_at)
            if boosted is None or view.boost_of is not boosted:
                return None
        if _is_there(view):
            dressed.append(Entry(view, line.flags))
    return dressed


def _kept(post_id: PostId, edited_at: datetime | None) -> PostView | None:
    """A view from memory that is whole and no older than the stamp."""
    view = cache.posts.find(post_id)
    if view is None or _is_older(view, edited_at):
        return None
    return view if view.account is cache.accounts.find(view.account.id) else None


def _is_older(view: PostView, edited_at: datetime | None) -> bool:
    return edited_at is not None and (view.edited_at is None or view.edited_at < edited_at)


def _is_there(view: PostView) -> bool:
    """Whether the authors are: lines may be kept for a moment longer than a suspension takes."""
    shown = view.boost_of or view
    return not (view.account.suspended or view.account.gone or shown.account.suspended or shown.account.gone)


async def _views(
    conn: Connection, lines: Sequence[Line], *, tick: int, keeps: bool, uris: Uris
) -> dict[PostId, PostView]:
    """The views of the lines' posts and of what they boost. Each holds its author's view as it is now."""
    stamps = {line.id: line.edited_at for line in lines}
    stamps |= {line.boost_of_id: line.boost_edited_at for line in lines if line.boost_of_id is not None}
    views: dict[PostId, PostView] = {}
    if keeps:
        for id_, edited_at in stamps.items():
            kept = cache.posts.find(id_)
            if kept is not None and not _is_older(kept, edited_at):
                views[id_] = kept
    missing = [id_ for id_ in stamps if id_ not in views]
    rows = await conn.fetch(_BARE, missing) if missing else ()
    media = await _media(conn, [row["id"] for row in rows if row["boost_of_id"] is None], uris)
    authors = {view.account.id for view in views.values()} | {AccountId(row["account_id"]) for row in rows}
    people = await accounts.load(conn, list(authors), uris=uris)
    for id_, view in views.items():
        author = people[view.account.id]
        if view.account is not author:
            views[id_] = structs.replace(view, account=author)
            cache.posts.keep(id_, views[id_], read_at=tick)
    for row in rows:
        new = _view(row, people[row["account_id"]], media.get(row["id"], ()))
        views[new.id] = new
        if keeps:
            cache.posts.keep(new.id, new, read_at=tick)
    return views


async def _media(
    conn: Connection, ids: Sequence[PostId], uris: Uris
) -> Mapping[PostId, tuple[MediaView, ...]]:
    found: dict[PostId, tuple[MediaView, ...]] = {}
    if ids:
        for row in await conn.fetch(_MEDIA, ids):
            found[row["post_id"]] = (*found.get(row["post_id"], ()), media_view(row, uris))
    return found


def _view(row: Any, author: AccountView, media: Iterable[MediaView]) -> PostView:
    mentions = row["mentions"]
    return PostView(
        id=PostId(row["id"]),
        uri=Uri(row["uri"]),
        url=row["url"],
        local=row["local"],
        account=author,
        boost_of=None,
        in_reply_to_id=row["in_reply_to_id"],
        in_reply_to_account_id=row["in_reply_to_account_id"],
        in_reply_to_uri=row["in_reply_to_uri"],
        thread_id=PostId(row["thread_id"]),
        visibility=Visibility(row["visibility"]),
        html=row["html"],
        text=row["text"],
        source=row["source"],
        spoiler=row["spoiler"],
        sensitive=row["sensitive"],
        language=row["language"],
        media=tuple(media),
        mentions=()
        if mentions is None
        else tuple(
            MentionView(AccountId(id_), username, host, url, Uri(uri))
            for id_, username, host, url, uri in _mentions.decode(mentions)
        ),
        tags=tuple(row["tags"]),
        labels=tuple(row["labels"]),
        waits=row["waits"],
        hidden=row["hidden"],
        app=None if row["app_name"] is None else (row["app_name"], row["app_website"]),
        created_at=row["created_at"],
        edited_at=row["edited_at"],
        replies=row["replies"] or 0,
        boosts=row["boosts"] or 0,
        likes=row["likes"] or 0,
        version=row["version"],
    )
