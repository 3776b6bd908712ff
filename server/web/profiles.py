"""Somebody's page: who they are, what they wrote, whom they follow."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .. import keys
from ..db.pool import Connection
from ..errors import Gone, NotFound
from ..http.auth import viewer_id
from ..http.routes import Reach, needs
from ..pages import cards, environment, render, windows
from ..pages.render import say
from ..store import accounts, follows, posts, timelines
from ..store.model import AccountView, Relationship
from ..uris import USERNAME
from . import front_name, shared

_TEMPLATE = "web/profile.html"
_PEOPLE = 40


async def find(request: web.Request, conn: Connection) -> AccountView:
    """The account that the address names; raises `NotFound`, or `Gone` for one that was closed."""
    name, _, host = request.match_info["acct"].partition("@")
    if not name or len(name) > 100 or len(host) > 255 or (not host and not USERNAME.fullmatch(name)):
        raise NotFound
    found = await accounts.find_by_name(conn, name, host or None, uris=request.app[keys.URIS])
    if found is None or found.actor_type == "Application":
        raise NotFound
    if found.gone:
        raise Gone("This account was closed")
    return found


@needs(reach=Reach.SEEN)
async def profile(request: web.Request) -> web.Response:
    """Posts and boosts, without replies to others."""
    return await _profile(request, "posts")


@needs(reach=Reach.SEEN)
async def with_replies(request: web.Request) -> web.Response:
    """Replies too."""
    return await _profile(request, "with_replies")


@needs(reach=Reach.SEEN)
async def media(request: web.Request) -> web.Response:
    """Posts with pictures only."""
    return await _profile(request, "media")


async def _profile(request: web.Request, tab: str) -> web.Response:
    if shared.is_shared(request):

        async def context() -> tuple[dict[str, Any], shared.About]:
            made = await _context(request, tab)
            return made, {f"account {made['account'].id}", *shared.about(made["cards"])}

        return await shared.serve(request, _TEMPLATE, context)
    made = await _context(request, tab)
    if render.wants_fragment(request):
        return await render.page(request, "web/_pieces.html", **made)
    return await render.page(request, _TEMPLATE, **made)


async def _context(request: web.Request, tab: str) -> dict[str, Any]:
    me, page, uris = viewer_id(request), windows.page_of(request), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        account = await find(request, conn)
        relation = None
        if me is not None and me != account.id:
            [relation] = await follows.relationships(conn, me, [account.id])
        ids = []
        if not account.suspended and not (relation and relation.blocked_by):
            ids = await timelines.account(
                conn,
                account.id,
                me,
                page,
                exclude_replies=tab == "posts",
                only_media=tab == "media",
                exclude_boosts=tab == "media",
            )
        entries = await posts.entries(conn, ids, me, uris=uris)
        front = await front_name.seen(request, conn, account, me)
    if account.suspended:
        account = account.veiled()
    newer, older = windows.links(request, page, ids)
    return {
        "account": account,
        "full_handle": f"{account.username}@{account.host or uris.host}",
        "bio": environment.words(account.html)[:200],
        "mine": me == account.id,
        "front_name": None if account.suspended else front,
        "relation": relation,
        "tab": tab,
        "cards": cards.of(request, windows.shown(page, entries)),
        "newest": max(ids, default=0),
        "newer": newer,
        "older": older,
    }


@needs(reach=Reach.SEEN)
async def followers(request: web.Request) -> web.Response:
    """Who follows the account."""
    return await _people(request, "followers")


@needs(reach=Reach.SEEN)
async def following(request: web.Request) -> web.Response:
    """Whom the account follows."""
    return await _people(request, "following")


async def _people(request: web.Request, tab: str) -> web.Response:
    me, page, uris = viewer_id(request), windows.page_of(request, _PEOPLE), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        account = await find(request, conn)
        load = follows.followers if tab == "followers" else follows.following
        rows = [] if account.suspended else await load(conn, account.id, me, page)
        listed = windows.shown(page, rows)
        people = await accounts.load_in_order(conn, [row.id for row in listed], uris=uris)
        relations: dict[int, Relationship] = {}
        if me is not None:
            found = await follows.relationships(conn, me, [person.id for person in people])
            relations = {relation.id: relation for relation in found}
    newer, older = windows.links(request, page, [row.key for row in rows])
    heading = say(request, "Followers") if tab == "followers" else say(request, "Following")
    return await render.page(
        request,
        "web/people.html",
        account=account,
        heading=heading,
        tab=tab,
        people=people,
        relations=relations,
        newer=newer,
        older=older,
    )
