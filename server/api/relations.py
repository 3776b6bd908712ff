"""The lists one keeps of people: asked to follow, blocked, muted."""

from __future__ import annotations

from aiohttp import web

from .. import acts, keys
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..store import accounts, follows
from . import answers, entities, render
from .accounts import relationship
from .moments import maybe_stamp
from .render import RENDERER


@needs("read:follows", reach=Reach.OWN)
async def requests(request: web.Request) -> web.Response:
    """Who asks to follow one."""
    me, page = person(request), answers.page_of(request, usual=40, most=80)
    async with request.app[keys.POOL].acquire() as conn:
        rows = await follows.requests(conn, me.id, page)
        views = await accounts.load_in_order(conn, [row.id for row in rows], uris=request.app[keys.URIS])
    return answers.accounts(request, views, rows)


@needs("write:follows", reach=Reach.OWN)
async def authorize(request: web.Request) -> web.Response:
    """Says yes to somebody who asks."""
    follower = answers.account_id(request)
    await acts.authorize(request.app[keys.ROAD], person(request).me, follower, source=source_of(request))
    return await relationship(request, follower)


@needs("write:follows", reach=Reach.OWN)
async def reject(request: web.Request) -> web.Response:
    """Says no to somebody who asks."""
    follower = answers.account_id(request)
    await acts.reject(request.app[keys.ROAD], person(request).me, follower, source=source_of(request))
    return await relationship(request, follower)


@needs("read:blocks", reach=Reach.OWN)
async def blocks(request: web.Request) -> web.Response:
    """Whom one has blocked."""
    me, page = person(request), answers.page_of(request, usual=40, most=80)
    async with request.app[keys.POOL].acquire() as conn:
        rows = await follows.list_blocked(conn, me.id, page)
        views = await accounts.load_in_order(conn, [row.id for row in rows], uris=request.app[keys.URIS])
    return answers.accounts(request, views, rows)


@needs("read:mutes", reach=Reach.OWN)
async def mutes(request: web.Request) -> web.Response:
    """Whom one has muted, and until when."""
    me, page, uris = person(request), answers.page_of(request, usual=40, most=80), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        rows = await follows.list_muted(conn, me.id, page)
        ids = [row.id for row in rows]
        views = await accounts.load(conn, ids, uris=uris)
        ends = {each.id: each.mute_expires_at for each in await follows.relationships(conn, me.id, ids)}
    renderer = request.app[RENDERER]
    muted = [
        entities.MutedAccount(
            **renderer.account_members(views[id_]), mute_expires_at=maybe_stamp(ends.get(id_))
        )
        for id_ in ids
        if id_ in views
    ]
    return answers.paged(request, render.encode(muted), [row.key for row in rows])
