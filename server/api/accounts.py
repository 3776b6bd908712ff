"""Accounts as others see them: looked up, listed, followed, muted, blocked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias

from aiohttp import web

from compliance.activity import AccountId

from .. import acts, keys
from ..db.pool import Connection
from ..errors import Invalid, NotFound
from ..http import body
from ..http.auth import person, viewer_id
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..store import accounts, follows, posts, timelines
from ..store.model import Keyed, Page
from . import answers, render, schemas
from .render import RENDERER

_MOST_RELATIONSHIPS = 100
_MOST_ACCOUNTS = 40
_MAX_TAG = 100
_Act: TypeAlias = Callable[..., Awaitable[object]]
_List: TypeAlias = Callable[
    [Connection, AccountId, AccountId | None, Page], Awaitable[list[Keyed[AccountId]]]
]


@needs("read:accounts", optional=True, reach=Reach.PUBLIC)
async def show(request: web.Request) -> web.Response:
    """One account. A suspended one is shown without its words; a deleted one is gone."""
    async with request.app[keys.POOL].acquire() as conn:
        view = await accounts.get(conn, answers.account_id(request), uris=request.app[keys.URIS])
    if view.gone:
        raise NotFound
    return answers.json(request.app[RENDERER].account(view))


@needs("read:accounts", optional=True, reach=Reach.PUBLIC)
async def several(request: web.Request) -> web.Response:
    """Several accounts by their ids; those that are not here are left out."""
    ids = [AccountId(id_) for id_ in body.query(request, schemas.Several).id if answers.is_id(id_)]
    if len(ids) > _MOST_ACCOUNTS:
        raise Invalid("At most %(limit)s ids", field="id", limit=_MOST_ACCOUNTS)
    async with request.app[keys.POOL].acquire() as conn:
        views = await accounts.load_in_order(conn, ids, uris=request.app[keys.URIS])
    return answers.json(request.app[RENDERER].accounts(view for view in views if not view.gone))


@needs("read:accounts", optional=True, reach=Reach.PUBLIC)
async def lookup(request: web.Request) -> web.Response:
    """The account with a handle, if it is known here; nobody is asked."""
    name, _, host = request.query.get("acct", "").strip().removeprefix("@").partition("@")
    if not name or "\x00" in name + host:
        raise NotFound
    async with request.app[keys.POOL].acquire() as conn:
        view = await accounts.find_by_name(conn, name, host.lower() or None, uris=request.app[keys.URIS])
    if view is None or view.gone:
        raise NotFound
    return answers.json(request.app[RENDERER].account(view))


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def statuses(request: web.Request) -> web.Response:
    """What one account wrote and boosted, as far as the caller may see it."""
    account_id, viewer = answers.account_id(request), viewer_id(request)
    page, uris = answers.page_of(request), request.app[keys.URIS]
    if answers.flag(request, "pinned"):
        # Pins come later; until then nobody has any, and clients always ask.
        return answers.none()
    tagged = request.query.get("tagged") or None
    if tagged is not None and (len(tagged) > _MAX_TAG or "\x00" in tagged):
        raise NotFound
    async with request.app[keys.POOL].acquire() as conn:
        await _present(conn, account_id, request)
        ids = await timelines.account(
            conn,
            account_id,
            viewer,
            page,
            exclude_replies=answers.flag(request, "exclude_replies"),
            only_media=answers.flag(request, "only_media"),
            exclude_boosts=answers.flag(request, "exclude_reblogs"),
            tagged=tagged,
        )
        entries = await posts.entries(conn, ids, viewer, uris=uris)
    return answers.statuses(request, entries, ids)


@needs("read:accounts", optional=True, reach=Reach.SEEN)
async def followers(request: web.Request) -> web.Response:
    """Who follows an account."""
    return await _people(request, follows.followers)


@needs("read:accounts", optional=True, reach=Reach.SEEN)
async def following(request: web.Request) -> web.Response:
    """Whom an account follows."""
    return await _people(request, follows.following)


@needs("read:follows", reach=Reach.SEEN)
async def relationships(request: web.Request) -> web.Response:
    """How one stands to several accounts."""
    asked = body.query(request, schemas.Several).id
    ids = [AccountId(id_) for id_ in dict.fromkeys(asked) if answers.is_id(id_)]
    if len(ids) > _MOST_RELATIONSHIPS:
        raise Invalid("At most %(limit)s ids", field="id", limit=_MOST_RELATIONSHIPS)
    async with request.app[keys.POOL].acquire() as conn:
        found = await follows.relationships(conn, person(request).id, ids) if ids else []
    return answers.entity([render.relationship(each) for each in found])


@needs("write:follows", reach=Reach.SEEN)
async def follow(request: web.Request) -> web.Response:
    """Follows an account, or asks to, or changes what one wants of it."""
    me, target, wish = person(request), answers.account_id(request), await body.to(request, schemas.NewFollow)
    async with request.app[keys.POOL].acquire() as conn:
        await _present(conn, target, request)
        [before] = await follows.relationships(conn, me.id, [target])
    chosen = before.following or before.requested
    await acts.follow(
        request.app[keys.ROAD],
        me.me,
        target,
        source=source_of(request),
        boosts=(before.boosts if chosen else True) if wish.reblogs is None else wish.reblogs,
        notify=(before.notify if chosen else False) if wish.notify is None else wish.notify,
    )
    return await relationship(request, target)


@needs("write:follows", reach=Reach.SEEN)
async def unfollow(request: web.Request) -> web.Response:
    """Stops following an account."""
    return await _act(request, acts.unfollow)


@needs("write:follows", reach=Reach.SEEN)
async def remove_from_followers(request: web.Request) -> web.Response:
    """Makes an account follow one no more."""
    me, target = person(request), answers.account_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        await _present(conn, target, request)
        [before] = await follows.relationships(conn, me.id, [target])
    if before.followed_by:
        await acts.reject(request.app[keys.ROAD], me.me, target, source=source_of(request))
    return await relationship(request, target)


@needs("write:blocks", reach=Reach.SEEN)
async def block(request: web.Request) -> web.Response:
    """Blocks an account."""
    return await _act(request, acts.block)


@needs("write:blocks", reach=Reach.SEEN)
async def unblock(request: web.Request) -> web.Response:
    """Lifts a block."""
    return await _act(request, acts.unblock)


@needs("write:mutes", reach=Reach.SEEN)
async def mute(request: web.Request) -> web.Response:
    """Mutes an account, for good or for a time; nobody else hears of it."""
    me, target, wish = person(request), answers.account_id(request), await body.to(request, schemas.NewMute)
    if target == me.id:
        raise Invalid("This is your own account")
    road = request.app[keys.ROAD]
    now = road.clock()
    async with road.pool.acquire() as conn:
        await _present(conn, target, request)
        await follows.mute(
            conn,
            me.id,
            target,
            notifications=wish.notifications is not False,
            expires_at=now + timedelta(seconds=wish.duration) if wish.duration else None,
            now=now,
            new_id=road.ids,
        )
    road.events.notify("homes", str(me.id))
    return await relationship(request, target)


@needs("write:mutes", reach=Reach.SEEN)
async def unmute(request: web.Request) -> web.Response:
    """Hears an account again."""
    me, target, road = person(request), answers.account_id(request), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        await _present(conn, target, request)
        await follows.unmute(conn, me.id, target)
    road.events.notify("homes", str(me.id))
    return await relationship(request, target)


async def _present(conn: Connection, account_id: AccountId, request: web.Request) -> None:
    """Raises `NotFound` unless there is such an account."""
    view = await accounts.get(conn, account_id, uris=request.app[keys.URIS])
    if view.gone:
        raise NotFound


async def _people(request: web.Request, list_: _List) -> web.Response:
    account_id, viewer = answers.account_id(request), viewer_id(request)
    page = answers.page_of(request, usual=40, most=80)
    async with request.app[keys.POOL].acquire() as conn:
        await _present(conn, account_id, request)
        rows = await list_(conn, account_id, viewer, page)
        views = await accounts.load_in_order(conn, [row.id for row in rows], uris=request.app[keys.URIS])
    return answers.accounts(request, views, rows)


async def _act(request: web.Request, act: _Act) -> web.Response:
    target = answers.account_id(request)
    await act(request.app[keys.ROAD], person(request).me, target, source=source_of(request))
    return await relationship(request, target)


async def relationship(request: web.Request, target: AccountId) -> web.Response:
    """The answer that is how the caller now stands to one account."""
    async with request.app[keys.POOL].acquire() as conn:
        [found] = await follows.relationships(conn, person(request).id, [target])
    return answers.entity(render.relationship(found))
