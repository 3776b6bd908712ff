"""Search: people by name or handle, hashtags, and a post or person by its address."""

from __future__ import annotations

from aiohttp import web

from .. import keys
from ..db.pool import Connection
from ..errors import Unauthorised
from ..http import auth, body, limits
from ..http.auth import viewer_id
from ..http.routes import Reach, needs
from ..store import accounts, follows, tags
from ..store.model import AccountView, Entry
from ..uris import Uris
from . import answers, entities, render, resolving, schemas
from .render import RENDERER

_MOST = 40
_KINDS = frozenset({"accounts", "statuses", "hashtags"})


@needs("read:search", optional=True, reach=Reach.SEEN, limit=limits.SEARCH)
async def everything(request: web.Request) -> web.Response:
    """What is called, tagged or addressed like `q`. Asking other servers is for people who are logged in."""
    asked = body.query(request, schemas.Search)
    if viewer_id(request) is None and (asked.resolve or asked.offset):
        raise Unauthorised(auth.NEEDS_USER)
    words = asked.q.strip()
    if resolving.is_address(words):
        people, found = await _addressed(request, words, bool(asked.resolve))
        named: list[entities.Tag] = []
    else:
        people, found, named = await _called(request, asked, words)
    wanted = {asked.type} if asked.type in _KINDS else _KINDS
    renderer, known = request.app[RENDERER], viewer_id(request) is not None
    return answers.entity(
        entities.Search(
            render.raw(renderer.accounts(people if "accounts" in wanted else ())),
            render.raw(renderer.statuses(found if "statuses" in wanted else (), known=known)),
            named if "hashtags" in wanted else [],
        )
    )


@needs("read:accounts", reach=Reach.PUBLIC, limit=limits.SEARCH)
async def people(request: web.Request) -> web.Response:
    """Accounts that are called like `q`."""
    asked = body.query(request, schemas.AccountSearch)
    return answers.json(request.app[RENDERER].accounts(await _people(request, asked)))


async def _called(
    request: web.Request, asked: schemas.Search, words: str
) -> tuple[list[AccountView], list[Entry], list[entities.Tag]]:
    if not words:
        return [], [], []
    found: list[entities.Tag] = []
    people: list[AccountView] = []
    if asked.type in (None, "accounts"):
        people = await _people(
            request,
            schemas.AccountSearch(asked.q, asked.limit, asked.offset, asked.resolve, asked.following),
        )
    if asked.type in (None, "hashtags") and "@" not in words:
        limit, offset = _window(asked.limit, asked.offset)
        async with request.app[keys.POOL].acquire() as conn:
            tagged = await tags.search(conn, words, limit, offset=offset)
        renderer, known = request.app[RENDERER], viewer_id(request) is not None
        found = [renderer.tag(tag, known=known) for tag in tagged]
    return people, [], found


async def _people(request: web.Request, asked: schemas.AccountSearch) -> list[AccountView]:
    words, viewer, uris = asked.q.strip(), viewer_id(request), request.app[keys.URIS]
    limit, offset = _window(asked.limit, asked.offset)
    if asked.resolve:
        await resolving.ask_for_handle(request, words)
    async with request.app[keys.POOL].acquire() as conn:
        found = await accounts.search(conn, words, limit, viewer, uris=uris, offset=offset)
        if not offset:
            found = (await _exact_first(conn, words, found, uris))[:limit]
        if asked.following and viewer is not None:
            relations = await follows.relationships(conn, viewer, [view.id for view in found])
            followed = {each.id for each in relations if each.following}
            found = [view for view in found if view.id in followed]
    return found


async def _exact_first(
    conn: Connection, words: str, found: list[AccountView], uris: Uris
) -> list[AccountView]:
    """Whoever has exactly this name comes first, somebody blocked as well: how else to lift the block?"""
    name, _, host = words.removeprefix("@").partition("@")
    exact = await accounts.find_by_name(conn, name, host.lower() or None, uris=uris) if name else None
    if exact is None or exact.suspended or exact.gone or exact.actor_type == "Application":
        return found
    return [exact, *(view for view in found if view.id != exact.id)]


async def _addressed(
    request: web.Request, address: str, resolve: bool
) -> tuple[list[AccountView], list[Entry]]:
    if resolve:
        address = await resolving.ask_for_address(request, address) or address
    async with request.app[keys.POOL].acquire() as conn:
        account = await resolving.account_at(conn, address, request.app[keys.URIS])
        post = None if account is not None else await resolving.post_at(request, conn, address)
    shown = account is not None and not account.gone and not account.suspended
    return ([account] if account is not None and shown else []), ([post] if post is not None else [])


def _window(limit: int, offset: int) -> tuple[int, int]:
    return max(1, min(limit, _MOST)), max(0, offset)
