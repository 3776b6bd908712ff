"""Lists of posts: home, local, federated, a tag, bookmarks and favourites; and the welcome of strangers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from compliance import cases, identity
from compliance.activity import PostId

from .. import keys
from ..db.pool import Connection
from ..errors import NotFound
from ..http.auth import person, viewer, viewer_id
from ..http.routes import Reach, needs
from ..i18n import mark
from ..pages import cards, render, windows
from ..pages.render import say
from ..store import markers, posts, tags, timelines
from ..store.model import Entry, Keyed, Page
from . import composer, counts, shared

_TEMPLATE = "web/timeline.html"
_WELCOME = 10
_NOBODY_YET = (
    mark("Follow a few people and their posts show up here."),
    "local",
    "/local",
    mark("See who is here"),
)


@needs()
async def welcome(request: web.Request) -> web.StreamResponse:
    """What this server is, for strangers; members go on to their home timeline."""
    if viewer(request) is not None:
        return render.see_other(request, "/home")
    if shared.is_shared(request):

        async def context() -> tuple[dict[str, Any], shared.About]:
            made = await _welcome_context(request)
            return made, {shared.ANY_POST, *shared.about(made["cards"])}

        return await shared.serve(request, "web/welcome.html", context)
    return await render.page(request, "web/welcome.html", **await _welcome_context(request))


async def _welcome_context(request: web.Request) -> dict[str, Any]:
    async with request.app[keys.POOL].acquire() as conn:
        ids = await timelines.local(conn, None, Page(limit=_WELCOME))
        entries = await posts.entries(conn, ids, None, uris=request.app[keys.URIS])
    return {"cards": cards.of(request, entries), "numbers": await counts.get(request)}


@needs(member=True, unconfirmed=True, reach=Reach.SEEN)
async def home(request: web.Request) -> web.Response:
    """The posts of the people one follows, and where to write."""
    me, page, uris = person(request), windows.page_of(request), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        entries = await timelines.home_entries(conn, me.id, page, uris=uris)
        marker = (await markers.load(conn, me.id, ("home",))).get("home")
        known = await identity.get(conn, me.id)
        first = page.max_id is None and page.min_id is None
        waiting = await cases.list_for(conn, me.id, limit=5) if first else []
        draft = await composer.fresh(request, conn, next_="/home") if first else None
        if first and entries:
            await markers.put(conn, me.id, "home", entries[0].view.id, now=request.app[keys.CLOCK]())
    return await _list(
        request,
        page,
        entries,
        [entry.view.id for entry in entries],
        section="home",
        heading=say(request, "Home"),
        draft=draft,
        held=[case for case in waiting if case.state == "waiting"],
        read_until=marker.last_read_id if marker is not None else None,
        identity_needed=not known.may_publish(request.app[keys.CLOCK]()),
        empty=(
            mark("Follow a few people and their posts show up here."),
            "local",
            "/local",
            mark("See who is here"),
        ),
    )


@needs(reach=Reach.PUBLIC)
async def local(request: web.Request) -> web.Response:
    """Public posts of people here."""

    async def ids(conn: Connection, page: Page) -> Sequence[PostId]:
        return await timelines.local(conn, viewer_id(request), page)

    return await _by_ids(request, ids, section="local", heading=say(request, "Local"))


@needs(reach=Reach.PUBLIC)
async def public(request: web.Request) -> web.Response:
    """Public posts of everybody that is known here."""

    async def ids(conn: Connection, page: Page) -> Sequence[PostId]:
        return await timelines.public(conn, viewer_id(request), page)

    return await _by_ids(request, ids, section="public", heading=say(request, "Federated"))


@needs(reach=Reach.PUBLIC)
async def tag(request: web.Request) -> web.Response:
    """Public posts with a hashtag."""
    name = request.match_info["name"].removeprefix("#")
    if len(name) > 200:
        raise NotFound
    async with request.app[keys.POOL].acquire() as conn:
        found = await tags.find(conn, name)

    async def ids(conn: Connection, page: Page) -> Sequence[PostId]:
        return await timelines.tag(conn, found.name, viewer_id(request), page) if found else []

    return await _by_ids(request, ids, section="tag", heading=f"#{found.shown if found else name}")


@needs(member=True, reach=Reach.SEEN)
async def bookmarks(request: web.Request) -> web.Response:
    """What one has put aside."""
    me, page = person(request), windows.page_of(request)
    async with request.app[keys.POOL].acquire() as conn:
        rows = await timelines.bookmarks(conn, me.id, page)
        entries = await _entries(request, conn, rows)
    empty = (mark("What you bookmark is kept here, for you alone."), "bookmark", "", "")
    heading = say(request, "Bookmarks")
    cursors = [row.key for row in rows]
    return await _list(request, page, entries, cursors, section="bookmarks", heading=heading, empty=empty)


@needs(member=True, reach=Reach.SEEN)
async def favourites(request: web.Request) -> web.Response:
    """What one liked."""
    me, page = person(request), windows.page_of(request)
    async with request.app[keys.POOL].acquire() as conn:
        rows = await timelines.likes(conn, me.id, page)
        entries = await _entries(request, conn, rows)
    empty = (mark("What you favourite shows up here."), "heart", "", "")
    heading = say(request, "Favourites")
    cursors = [row.key for row in rows]
    return await _list(request, page, entries, cursors, section="favourites", heading=heading, empty=empty)


async def _entries(request: web.Request, conn: Connection, rows: Sequence[Keyed[PostId]]) -> list[Entry]:
    return await posts.entries(
        conn, [row.id for row in rows], viewer_id(request), uris=request.app[keys.URIS]
    )


async def _by_ids(request: web.Request, load: Any, *, section: str, heading: str) -> web.Response:
    page = windows.page_of(request)

    async def found() -> tuple[list[Entry], list[int]]:
        async with request.app[keys.POOL].acquire() as conn:
            ids = await load(conn, page)
            entries = await posts.entries(conn, ids, viewer_id(request), uris=request.app[keys.URIS])
        return entries, list(ids)

    if shared.is_shared(request):

        async def context() -> tuple[dict[str, Any], shared.About]:
            made = _context(request, page, *await found(), heading=heading)
            return made, {shared.ANY_POST, *shared.about(made["cards"])}

        return await shared.serve(request, _TEMPLATE, context, section=section)
    entries, cursors = await found()
    return await _list(request, page, entries, cursors, section=section, heading=heading)


async def _list(
    request: web.Request,
    page: Page,
    entries: Sequence[Entry],
    cursors: Sequence[int],
    *,
    section: str,
    heading: str,
    empty: tuple[str, str, str, str] = (mark("Nothing here yet."), "pen", "", ""),
    identity_needed: bool = False,
    **more: object,
) -> web.Response:
    made = _context(request, page, entries, cursors, heading=heading, empty=empty)
    if render.wants_fragment(request):
        return await _pieces(request, made)
    return await render.page(
        request, _TEMPLATE, section=section, identity_needed=identity_needed, **{**made, **more}
    )


async def _pieces(request: web.Request, made: dict[str, Any]) -> web.Response:
    """The posts alone, for a script that puts them above or below those that are there."""
    return await render.page(request, "web/_pieces.html", **made)


def _context(
    request: web.Request,
    page: Page,
    entries: Sequence[Entry],
    cursors: Sequence[int],
    *,
    heading: str,
    empty: tuple[str, str, str, str] = (mark("Nothing here yet."), "pen", "", ""),
) -> dict[str, Any]:
    newer, older = windows.links(request, page, cursors)
    words, icon, path, link = empty
    return {
        "heading": heading,
        "cards": cards.of(request, windows.shown(page, entries)),
        "newer": newer,
        "older": older,
        "newest": max(cursors, default=0),
        "read_until": None,
        "empty_words": say(request, words),
        "empty_icon": icon,
        "empty_path": path,
        "empty_link": say(request, link) if link else "",
    }
