"""Collections of ours: outbox, followers and following, pins, and what hangs on a post.

A collection tells its size and where its first page is; a page is a keyset window, and leads to the next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from aiohttp import web

from compliance.activity import AccountId
from federation import render
from federation.wire import Document, Value, write

from .. import documents, keys
from ..db.pool import Connection
from ..errors import NotFound
from ..http.routes import Reach, needs
from ..ids import MAX_ID
from ..store import accounts, collections, follows, posts
from ..store.model import AccountView, Keyed, Page
from ..uris import Uris
from . import signers
from .negotiation import document
from .objects import local_account, seen_post

PAGE = 40
_Items: TypeAlias = tuple[Sequence[Value], int | None]
"""A page's items, and the key of its last one; `None` on the last page."""
_Reader: TypeAlias = Callable[[Connection, AccountView, Page, Uris], Awaitable[_Items]]


@needs(reach=Reach.PUBLIC, uncounted=True)
async def outbox(request: web.Request) -> web.Response:
    """What somebody here posted and boosted in public."""

    async def items(conn: Connection, account: AccountView, page: Page, uris: Uris) -> _Items:
        ids = await collections.outbox(conn, account.id, page)
        views = await posts.load(conn, ids, None, uris=uris)
        return [_bare(documents.act(view, uris)) for view in views], _last(ids)

    return await _of_account(request, "outbox", lambda account: account.posts, items)


@needs(reach=Reach.PUBLIC, uncounted=True)
async def followers(request: web.Request) -> web.Response:
    """Who follows somebody here."""

    async def items(conn: Connection, account: AccountView, page: Page, uris: Uris) -> _Items:
        return await _people(conn, await follows.followers(conn, account.id, None, page), uris)

    return await _of_account(request, "followers", lambda account: account.followers, items)


@needs(reach=Reach.PUBLIC, uncounted=True)
async def following(request: web.Request) -> web.Response:
    """Whom somebody here follows."""

    async def items(conn: Connection, account: AccountView, page: Page, uris: Uris) -> _Items:
        return await _people(conn, await follows.following(conn, account.id, None, page), uris)

    return await _of_account(request, "following", lambda account: account.following, items)


@needs(reach=Reach.PUBLIC, uncounted=True)
async def featured(request: web.Request) -> web.Response:
    """Pinned posts of somebody here: nobody can pin yet, and servers ask all the same."""
    by_signer = await signers.admit(request)
    uris = request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        account = await local_account(conn, request.match_info["username"], uris)
    body = write(render.collection(uris.featured(account.username), total=0, items=[]))
    return document(request, body, by_signer=by_signer)


@needs(reach=Reach.SEEN, uncounted=True)
async def replies(request: web.Request) -> web.Response:
    """Open answers to a post, ours and other servers'."""
    view, by_signer = await seen_post(request, request.match_info["username"], request.match_info["id"])
    id_ = f"{view.uri}/replies"
    page = _page(request)
    if page is None:
        body = render.collection(id_, total=view.replies, first=f"{id_}?page=true")
    else:
        async with request.app[keys.POOL].acquire() as conn:
            found = await collections.replies(conn, view.id, page)
        body = _page_of(id_, page, [uri for _, uri in found], _last([key for key, _ in found]))
    return document(request, write(body), by_signer=by_signer)


@needs(reach=Reach.SEEN, uncounted=True)
async def likes(request: web.Request) -> web.Response:
    """How many favourited a post; who they are is for people to look at."""
    view, by_signer = await seen_post(request, request.match_info["username"], request.match_info["id"])
    body = write(render.collection(f"{view.uri}/likes", total=view.likes))
    return document(request, body, by_signer=by_signer)


@needs(reach=Reach.SEEN, uncounted=True)
async def shares(request: web.Request) -> web.Response:
    """How many boosted a post."""
    view, by_signer = await seen_post(request, request.match_info["username"], request.match_info["id"])
    body = write(render.collection(f"{view.uri}/shares", total=view.boosts))
    return document(request, body, by_signer=by_signer)


async def _of_account(
    request: web.Request, name: str, total: Callable[[AccountView], int], items: _Reader
) -> web.Response:
    by_signer = await signers.admit(request)
    uris = request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        account = await local_account(conn, request.match_info["username"], uris)
        if account.suspended:
            raise NotFound
        id_ = f"{account.uri}/{name}"
        page = _page(request)
        if page is None:
            body = render.collection(id_, total=total(account), first=f"{id_}?page=true")
        else:
            body = _page_of(id_, page, *await items(conn, account, page, uris))
    return document(request, write(body), by_signer=by_signer)


async def _people(conn: Connection, keyed: Sequence[Keyed[AccountId]], uris: Uris) -> _Items:
    found = await accounts.load_in_order(conn, [one.id for one in keyed], uris=uris)
    return [account.uri for account in found], _last([one.key for one in keyed])


def _page(request: web.Request) -> Page | None:
    """The window asked for; `None` where the collection itself is."""
    if request.query.get("page") != "true":
        return None
    below = request.query.get("max_id", str(MAX_ID))
    if not (below.isascii() and below.isdigit() and len(below) <= 19):
        raise NotFound
    return Page(limit=PAGE, max_id=min(int(below), MAX_ID))


def _page_of(id_: str, page: Page, items: Sequence[Value], last: int | None) -> Document:
    this = f"{id_}?page=true" if page.below == MAX_ID else f"{id_}?page=true&max_id={page.below}"
    following = f"{id_}?page=true&max_id={last}" if last is not None else None
    return render.page(this, part_of=id_, items=items, following=following)


def _last(ids: Sequence[int]) -> int | None:
    return ids[-1] if len(ids) == PAGE else None


def _bare(whole: Document) -> Document:
    return {name: value for name, value in whole.items() if name != "@context"}
