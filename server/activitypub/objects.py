"""Actors, posts and the activities that made them, at their own addresses.

What may be read unsigned is answered unsigned, the same for everybody, so that caches can keep it. Only for
the rest is a signature looked at, and then the signer is the viewer. Absent and forbidden are one answer;
what was public and is withdrawn answers 410 with a Tombstone.
"""

from __future__ import annotations

from aiohttp import hdrs, web

from compliance import commentqueue, comments
from compliance.activity import AccountId, PostId
from federation import render
from federation.wire import write

from .. import documents, keys, vouching
from ..db.pool import Connection
from ..errors import Gone, NotFound
from ..http.routes import Handler, Reach, needs
from ..ids import MAX_ID
from ..store import accounts, actor_keys, collections, posts
from ..store.model import AccountView, PostView
from ..uris import Uris
from . import signers
from .negotiation import asks_for_document, asks_for_page, document

_SEE_OTHER = 303


@needs(reach=Reach.PUBLIC, uncounted=True)
async def actor(request: web.Request) -> web.StreamResponse:
    """Somebody here; a browser is led to their page."""
    username = request.match_info["username"]
    if asks_for_page(request):
        return _to_page(request.app[keys.URIS].profile_page(username))
    return await _actor(request, username)


@needs(reach=Reach.PUBLIC, uncounted=True)
async def instance_actor(request: web.Request) -> web.StreamResponse:
    """What stands for this server. Asks for no signature: two strict servers would wait for each other."""
    uris = request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        account = await accounts.instance_actor(conn, uris=uris)
        key = await actor_keys.get_public(conn, account.id)
        said = await vouching.instance_actor(conn, account, key, uris=uris)
    return document(request, write(said))


@needs(reach=Reach.PUBLIC, uncounted=True)
async def certification(request: web.Request) -> web.StreamResponse:
    """What this server certified of somebody here, signed; 404 where that is nothing, or no more. A browser
    is led to the page that says the same.
    """
    username, uris = request.match_info["username"], request.app[keys.URIS]
    if asks_for_page(request):
        return _to_page(f"{uris.profile_page(username)}/certification")
    by_signer = await signers.admit(request)
    now = request.app[keys.CLOCK]()
    async with request.app[keys.POOL].acquire() as conn:
        account = await local_account(conn, username, uris)
        said = await vouching.certification(
            conn, account, sealer=request.app[keys.SEALER], uris=uris, now=now
        )
    if said is None:
        raise NotFound
    return document(request, write(said), by_signer=by_signer)


@needs(reach=Reach.SEEN, uncounted=True)
async def post(request: web.Request) -> web.StreamResponse:
    """A post of somebody here; a browser is led to its page."""
    if asks_for_page(request):
        username, post_id = request.match_info["username"], request.match_info["id"]
        return _to_page(f"{request.app[keys.URIS].profile_page(username)}/{post_id}")
    return await _post(request, request.match_info["username"], request.match_info["id"])


@needs(reach=Reach.SEEN, uncounted=True)
async def act(request: web.Request) -> web.StreamResponse:
    """The Create of a post, or a boost."""
    view, by_signer = await seen_post(request, request.match_info["username"], request.match_info["id"])
    body = write(documents.act(view, request.app[keys.URIS]))
    return document(request, body, by_signer=by_signer)


@web.middleware
async def negotiate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Shows servers the document where people see a page: at `/@name` and `/@name/1`."""
    if not request.path.startswith("/@") or request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
        return await handler(request)
    username, _, post_id = request.path.removeprefix("/@").partition("/")
    if asks_for_document(request) and "@" not in username and "/" not in post_id:
        answer = _post(request, username, post_id) if post_id else _actor(request, username)
        return await answer
    page = await handler(request)
    if not page.prepared:
        page.headers.add(hdrs.VARY, hdrs.ACCEPT)
    return page


async def local_account(conn: Connection, username: str, uris: Uris) -> AccountView:
    """Somebody here by name; `Gone` for an account that was deleted, `NotFound` for none."""
    account = await accounts.find_by_name(conn, username, None, uris=uris)
    if account is None:
        raise NotFound
    if account.gone:
        raise Gone("This account was deleted")
    return account


async def seen_post(request: web.Request, username: str, post_id: str) -> tuple[PostView, bool]:
    """A post or boost of `username`, and whether only its signer may see it; `NotFound` for all others."""
    id_ = _post_id(post_id)
    forced = await signers.admit(request)
    async with request.app[keys.POOL].acquire() as conn:
        view = await _find(conn, id_, username, None, request.app[keys.URIS])
    if view is not None:
        return view, forced
    reader = await signers.find_reader(request)
    if reader is not None:
        async with request.app[keys.POOL].acquire() as conn:
            view = await _find(conn, id_, username, reader, request.app[keys.URIS])
    if view is None:
        raise NotFound
    return view, True


async def _find(
    conn: Connection, id_: PostId, username: str, viewer: AccountId | None, uris: Uris
) -> PostView | None:
    view = await posts.find(conn, id_, viewer, uris=uris)
    is_theirs = view is not None and view.local and view.account.username.lower() == username.lower()
    return view if is_theirs else None


async def _actor(request: web.Request, username: str) -> web.Response:
    by_signer = await signers.admit(request)
    uris = request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        account = await accounts.find_by_name(conn, username, None, uris=uris)
        if account is None:
            raise NotFound
        if account.gone:
            return document(request, write(render.tombstone(account.uri)), status=Gone.status)
        key = await actor_keys.get_public(conn, account.id)
        said = await vouching.actor(
            conn,
            account,
            key,
            sealer=request.app[keys.SEALER],
            uris=uris,
            now=request.app[keys.CLOCK](),
        )
    return document(request, write(said), by_signer=by_signer)


async def _post(request: web.Request, username: str, post_id: str) -> web.Response:
    uris = request.app[keys.URIS]
    try:
        view, by_signer = await seen_post(request, username, post_id)
    except NotFound:
        async with request.app[keys.POOL].acquire() as conn:
            withdrawn = await collections.find_withdrawn(conn, _post_id(post_id))
        if withdrawn is None or withdrawn[0] != uris.post(username, int(post_id)):
            raise
        return document(
            request, write(render.tombstone(withdrawn[0], deleted=withdrawn[1])), status=Gone.status
        )
    if view.boost_of is not None:
        raise NotFound  # a boost is an activity, and has no object of its own
    async with request.app[keys.POOL].acquire() as conn:
        policy = (await comments.policies_of(conn, [view.id])).get(view.id)
        stamp = await commentqueue.authorization(conn, view.id) if view.in_reply_to_id else None
    body = write(documents.post(view, uris, policy=policy, reply_authorization=stamp))
    return document(request, body, by_signer=by_signer)


@needs(reach=Reach.PUBLIC, uncounted=True)
async def reply_authorization(request: web.Request) -> web.Response:
    """That a reply may stand under a post of somebody here, while it may."""
    uris, username = request.app[keys.URIS], request.match_info["username"]
    async with request.app[keys.POOL].acquire() as conn:
        owner = await local_account(conn, username, uris)
        found = await commentqueue.find_approved(conn, owner.id, _post_id(request.match_info["id"]))
    if found is None:
        raise NotFound
    reply, post = found
    id_ = uris.reply_authorization(owner.uri, int(request.match_info["id"]))
    stamp = render.reply_authorization(id_, owner=owner.uri, reply=reply, post=post)
    return document(request, write(stamp), by_signer=await signers.admit(request))


def _post_id(text: str) -> PostId:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MAX_ID):
        raise NotFound
    return PostId(int(text))


def _to_page(address: str) -> web.Response:
    return web.Response(status=_SEE_OTHER, headers={hdrs.LOCATION: address, hdrs.VARY: hdrs.ACCEPT})
