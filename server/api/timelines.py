"""The home, public and hashtag timelines."""

from __future__ import annotations

from aiohttp import web

from .. import keys
from ..http.auth import person, viewer_id
from ..http.routes import Reach, needs
from ..store import posts, timelines
from . import answers
from .tags import folded


@needs("read:statuses", reach=Reach.SEEN)
async def home(request: web.Request) -> web.Response:
    """What the people one follows wrote and boosted."""
    me = person(request)
    page = answers.page_of(request)
    entries = timelines.kept_home(me.id, page)
    if entries is None:
        async with request.app[keys.POOL].acquire() as conn:
            entries = await timelines.home_entries(conn, me.id, page, uris=request.app[keys.URIS])
    return answers.statuses(request, entries, [entry.view.id for entry in entries])


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def public(request: web.Request) -> web.Response:
    """What everybody may read, of everybody, of us, or of others."""
    page, viewer = answers.page_of(request), viewer_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        ids = await timelines.public(
            conn, viewer, page, local=_origin(request), only_media=answers.flag(request, "only_media")
        )
        entries = await posts.entries(conn, ids, viewer, uris=request.app[keys.URIS])
    return answers.statuses(request, entries, ids)


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def tag(request: web.Request) -> web.Response:
    """Public posts with a hashtag."""
    name = folded(request, "hashtag")
    page, viewer = answers.page_of(request), viewer_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        ids = await timelines.tag(
            conn,
            name,
            viewer,
            page,
            local=_origin(request),
            only_media=answers.flag(request, "only_media"),
        )
        entries = await posts.entries(conn, ids, viewer, uris=request.app[keys.URIS])
    return answers.statuses(request, entries, ids)


def _origin(request: web.Request) -> bool | None:
    if answers.flag(request, "local"):
        return True
    return False if answers.flag(request, "remote") else None
