"""What people do with posts: boost, favourite, bookmark, and take it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from compliance.activity import PostId, Visibility

from .. import acts, keys
from ..http import body, limits
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..store import bookmarks, posts, timelines
from . import answers, schemas
from .statuses import one, visibility_of


@needs("write:statuses", reach=Reach.SEEN, limit=limits.POSTING)
async def boost(request: web.Request) -> web.Response:
    """Boosts a post; the answer is the boost."""
    wish = await body.to(request, schemas.Boost)
    boost_id = await acts.boost(
        request.app[keys.ROAD],
        person(request).me,
        answers.post_id(request),
        Visibility.PUBLIC if wish.visibility is None else visibility_of(wish.visibility),
        source=source_of(request),
    )
    return await one(request, boost_id)


@needs("write:statuses", reach=Reach.SEEN)
async def unboost(request: web.Request) -> web.Response:
    """Takes a boost back; the answer is the post."""
    return await _act(request, acts.unboost)


@needs("write:favourites", reach=Reach.SEEN)
async def like(request: web.Request) -> web.Response:
    """Favourites a post."""
    return await _act(request, acts.like)


@needs("write:favourites", reach=Reach.SEEN)
async def unlike(request: web.Request) -> web.Response:
    """Takes a favourite back."""
    return await _act(request, acts.unlike)


@needs("write:bookmarks", reach=Reach.SEEN)
async def bookmark(request: web.Request) -> web.Response:
    """Bookmarks a post; nobody else hears of it."""
    me, post_id, road = person(request), await _itself(request), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        await bookmarks.insert(conn, me.id, post_id, new_id=road.ids)
    road.events.notify("homes", str(me.id))
    return await one(request, post_id)


@needs("write:bookmarks", reach=Reach.SEEN)
async def unbookmark(request: web.Request) -> web.Response:
    """Takes a bookmark away."""
    me, post_id, road = person(request), await _itself(request), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        await bookmarks.delete(conn, me.id, post_id)
    road.events.notify("homes", str(me.id))
    return await one(request, post_id)


@needs("read:bookmarks", reach=Reach.OWN)
async def bookmarked(request: web.Request) -> web.Response:
    """What one has bookmarked, newest bookmark first."""
    me, page, uris = person(request), answers.page_of(request), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        rows = await timelines.bookmarks(conn, me.id, page)
        entries = await posts.entries(conn, [row.id for row in rows], me.id, uris=uris)
    return answers.statuses(request, entries, [row.key for row in rows])


@needs("read:favourites", reach=Reach.OWN)
async def liked(request: web.Request) -> web.Response:
    """What one has favourited, newest favourite first."""
    me, page, uris = person(request), answers.page_of(request), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        rows = await timelines.likes(conn, me.id, page)
        entries = await posts.entries(conn, [row.id for row in rows], me.id, uris=uris)
    return answers.statuses(request, entries, [row.key for row in rows])


async def _itself(request: web.Request) -> PostId:
    """The post that is meant when a boost is named."""
    async with request.app[keys.POOL].acquire() as conn:
        found = await posts.get(
            conn, answers.post_id(request), person(request).id, uris=request.app[keys.URIS]
        )
    return (found.boost_of or found).id


_Act: TypeAlias = Callable[..., Awaitable[object]]


async def _act(request: web.Request, act: _Act) -> web.Response:
    post_id = await _itself(request)
    await act(request.app[keys.ROAD], person(request).me, post_id, source=source_of(request))
    return await one(request, post_id)
