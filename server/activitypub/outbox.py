"""The outbox, written to by its owner: ActivityPub client-to-server (section 6 of the specification).

    201 Location: the new activity's id        200 it was so already
    401 no token          403 not one's own, or outside the token's scopes, or stopped by one's standing
    404 its object is not here or not to be seen      422 cannot be done, or stopped by the gate

A client says activities, or a bare note that is wrapped in a Create; ids are given here. Everything goes
through the same acts, and so the same gate, as the pages and the Mastodon API.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import hdrs, web

from compliance.activity import AccountId, PostId, Undoable, Uri
from compliance.records import Source
from federation import wire
from federation.errors import RemoteFault
from federation.fetch import Budget
from federation.parse import values
from federation.wire import Document, Value

from .. import acts, keys, remote
from ..errors import AppError, Forbidden, Invalid, Malformed, NotFound
from ..http import limits
from ..http.auth import OUTSIDE_SCOPES, Viewer, person
from ..http.body import read_bytes
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..pipeline import Once, Road
from ..store import accounts, known, posts
from ..store.model import AccountView, PostView
from . import written
from .written import Writer

_TYPES = ("application/activity+json", "application/ld+json", "application/json")
_MAX_KEY = 255
_OBJECTS = 200
"""How much may be fetched from elsewhere for one activity."""


@dataclass(frozen=True, slots=True)
class Said:
    """One activity that a client hands in."""

    request: web.Request
    me: Viewer
    document: Document

    @property
    def road(self) -> Road:
        return self.request.app[keys.ROAD]

    @property
    def source(self) -> Source:
        return source_of(self.request)

    def require(self, scope: str) -> None:
        """Raises `Forbidden` where the token does not reach so far."""
        if not self.me.may(scope):
            raise Forbidden(OUTSIDE_SCOPES)

    @property
    def object(self) -> Value:
        """What it is about: the first of its objects."""
        items = values.each(self.document.get("object"))
        if not items:
            raise Invalid("The activity has no object", field="object")
        return items[0]

    @property
    def target(self) -> Uri:
        """The id of what it is about."""
        found = values.find_id(self.object)
        if found is None:
            raise Invalid("The object has no id", field="object")
        return found


@needs(
    *(
        "write:statuses",
        "write:favourites",
        "write:follows",
        "write:blocks",
        "write:accounts",
        "write:reports",
    ),
    reach=Reach.OWN,
    limit=limits.POSTING,
)
async def submit(request: web.Request) -> web.Response:
    """Takes an activity of the outbox's owner."""
    me = person(request)
    if request.match_info["username"].lower() != me.me.username.lower():
        raise Forbidden("This is not your outbox")
    said = Said(request, me, _activity(await _read(request), me.me))
    kind = next((kind for kind in values.types(said.document) if kind in _DOERS), None)
    if kind is None:
        raise Invalid("Activities of this type cannot be said here", field="type")
    scope, do = _DOERS[kind]
    if scope is not None:
        said.require(scope)
    made = await do(said)
    if made is None:
        return web.Response(status=200)
    return web.Response(status=201, headers={hdrs.LOCATION: made})


async def _read(request: web.Request) -> Document:
    if request.content_type not in _TYPES:
        raise _Unsupported("Send application/activity+json")
    try:
        return wire.parse(await read_bytes(request, wire.MAX_BYTES))
    except RemoteFault as fault:
        raise Malformed(fault.public) from fault


class _Unsupported(AppError):
    """A body in a form that is not taken here."""

    status = 415


def _activity(document: Document, me: AccountView) -> Document:
    """The activity itself; a bare note becomes a Create of it (section 6.2.1)."""
    actor = document.get("actor")
    if actor is not None and values.find_id(actor) != me.uri:
        raise Forbidden("The activity is not by you")
    if written.KINDS.isdisjoint(values.types(document)):
        return document
    return {"type": "Create", "actor": me.uri, "object": document}


async def _create(said: Said) -> Uri:
    note = said.object
    if not isinstance(note, dict) or written.KINDS.isdisjoint(values.types(note)):
        raise Invalid("Only notes can be created", field="object")
    key = said.request.headers.get("Idempotency-Key", "")[:_MAX_KEY]
    once = Once(said.me.id, key) if key else None
    post_id = await written.publish(Writer.of(said.request), note, said.document, once=once)
    road = said.road
    return road.uris.create_of(road.uris.post(said.me.me.username, post_id))


async def _update(said: Said) -> Uri | None:
    document = said.object
    if not isinstance(document, dict):
        raise Invalid("An Update carries its object", field="object")
    if said.target == said.me.me.uri:
        said.require("write:accounts")
        return await written.change_profile(Writer.of(said.request), document)
    said.require("write:statuses")
    return await written.edit(Writer.of(said.request), await _post(said), document)


async def _delete(said: Said) -> Uri | None:
    if said.target == said.me.me.uri:
        raise Forbidden("An account is closed by its owner on the pages, with the password")
    return await acts.delete(said.road, said.me.me, (await _post(said)).id, source=said.source)


async def _like(said: Said) -> Uri:
    return await acts.like(said.road, said.me.me, (await _post(said)).id, source=said.source)


async def _announce(said: Said) -> Uri:
    audience = written.audience(said.document, said.me.me, said.road.uris)
    post = await _post(said)
    boost_id = await acts.boost(said.road, said.me.me, post.id, audience, source=said.source)
    return said.road.uris.boost(said.me.me.username, boost_id)


async def _follow(said: Said) -> Uri | None:
    return await acts.follow(said.road, said.me.me, await _person(said, said.target), source=said.source)


async def _block(said: Said) -> Uri:
    return await acts.block(said.road, said.me.me, await _person(said, said.target), source=said.source)


async def _accept(said: Said) -> Uri:
    return await acts.authorize(said.road, said.me.me, await _follower(said), source=said.source)


async def _reject(said: Said) -> Uri:
    return await acts.reject(said.road, said.me.me, await _follower(said), source=said.source)


async def _undo(said: Said) -> Uri | None:
    """Takes back an earlier act, named by its id or written out."""
    kind, target = await _past(said)
    road, me, source = said.road, said.me.me, said.source
    if kind in (Undoable.FOLLOW, Undoable.BLOCK):
        other = await _person(said, target)
        take_back = acts.unfollow if kind is Undoable.FOLLOW else acts.unblock
        return await take_back(road, me, other, source=source)
    post = await _post_at(said, target)
    if kind is Undoable.LIKE:
        return await acts.unlike(road, me, post.id, source=source)
    return await acts.unboost(road, me, post.id, source=source)


async def _flag(said: Said) -> Uri:
    """A complaint: its objects are an account, or posts of one account."""
    named = values.ids(said.document.get("object"))
    reported = [post for uri in named if (post := await _find_post(said, uri)) is not None]
    others = [uri for uri in named if uri not in {post.uri for post in reported}]
    if reported:
        target = reported[0].account.id
    elif others:
        target = await _person(said, others[0])
    else:
        raise Invalid("The activity has no object", field="object")
    report_id = await acts.report(
        said.road,
        said.me.me,
        target,
        [post.id for post in reported],
        comment=values.text(said.document.get("content"), written.MAX_COMMENT),
        source=said.source,
        forward=True,
    )
    return said.road.uris.activity(report_id)


_Do: TypeAlias = Callable[[Said], Awaitable[Uri | None]]
_DOERS: Mapping[str, tuple[str | None, _Do]] = {
    "Create": ("write:statuses", _create),
    "Update": (None, _update),
    "Delete": ("write:statuses", _delete),
    "Announce": ("write:statuses", _announce),
    "Like": ("write:favourites", _like),
    "Follow": ("write:follows", _follow),
    "Accept": ("write:follows", _accept),
    "Reject": ("write:follows", _reject),
    "Block": ("write:blocks", _block),
    "Undo": (None, _undo),
    "Flag": ("write:reports", _flag),
}
"""What can be said, the scope it takes (`None` where that depends on the object), and who does it."""
_UNDONE: Mapping[str, tuple[str, Undoable]] = {
    "Follow": ("write:follows", Undoable.FOLLOW),
    "Like": ("write:favourites", Undoable.LIKE),
    "Announce": ("write:statuses", Undoable.ANNOUNCE),
    "Block": ("write:blocks", Undoable.BLOCK),
}


async def _past(said: Said) -> tuple[Undoable, Uri]:
    """What is taken back, and on what."""
    document = said.object
    target = values.find_id(document.get("object")) if isinstance(document, dict) else None
    kinds = values.types(document) if isinstance(document, dict) else []
    if target is None:
        async with said.road.pool.acquire() as conn:
            act = await known.find_act(conn, said.target)
        if act is None or act.actor != said.me.me.uri:
            raise NotFound
        kinds, target = [act.kind], act.target
    found = next((_UNDONE[kind] for kind in kinds if kind in _UNDONE), None)
    if found is None:
        raise Invalid("This cannot be undone", field="object")
    scope, kind = found
    said.require(scope)
    return kind, target


async def _follower(said: Said) -> AccountId:
    """Whoever asked to follow, by the Follow that is answered."""
    document = said.object
    asking = values.find_id(document.get("actor")) if isinstance(document, dict) else None
    if asking is None:
        async with said.road.pool.acquire() as conn:
            act = await known.find_act(conn, said.target)
        if act is None or act.kind != "Follow" or act.target != said.me.me.uri:
            raise NotFound
        asking = act.actor
    return await _person(said, asking)


async def _person(said: Said, uri: Uri) -> AccountId:
    """The account with this id, brought from its own server if it is not known here."""
    road = said.road
    username = road.uris.username_in(uri)
    async with road.pool.acquire() as conn:
        if username is not None:
            found = await accounts.find_by_name(conn, username, None, uris=road.uris)
        else:
            found = await accounts.find_by_uri(conn, uri, uris=road.uris)
    if found is not None:
        return found.id
    if road.uris.is_ours(uri) or not road.settings.federation.enabled:
        raise NotFound
    try:
        return (await remote.actor(road, said.request.app[keys.CLIENT], uri, budget=Budget(8))).id
    except RemoteFault:
        raise NotFound from None


async def _post(said: Said) -> PostView:
    return await _post_at(said, said.target)


async def _post_at(said: Said, uri: Uri) -> PostView:
    found = await _find_post(said, uri)
    if found is not None:
        return found
    road = said.road
    if road.uris.is_ours(uri) or not road.settings.federation.enabled:
        raise NotFound
    try:
        post_id = await remote.post(road, said.request.app[keys.CLIENT], uri, budget=Budget(_OBJECTS))
    except RemoteFault:
        raise NotFound from None
    if post_id is None:
        raise NotFound
    async with road.pool.acquire() as conn:
        return await posts.get(conn, post_id, said.me.id, uris=road.uris)


async def _find_post(said: Said, uri: Uri) -> PostView | None:
    """The post with this id or page as far as it is here and may be seen."""
    road = said.road
    async with road.pool.acquire() as conn:
        post_id: PostId | None = road.uris.post_in(uri) or await posts.find_id_by_uri(conn, uri)
        return None if post_id is None else await posts.find(conn, post_id, said.me.id, uris=road.uris)
