"""The inboxes: what other servers send is checked, stored, and only then acknowledged. Workers go on with it.

    415 not ActivityPub      413 too large          401 not signed, or somebody else's activity
    403 a refused host       400 cannot be read     404, 410 no such inbox
    429, 503 come back       202 it is stored, or was already

One road for all inboxes: whom an activity is for stands in it, not in the address it came to.
"""

from __future__ import annotations

import asyncpg
from aiohttp import hdrs, web

from compliance.activity import Uri
from federation import origin, wire
from federation.errors import Gone as KeyGone
from federation.errors import Malformed as Unreadable
from federation.errors import RemoteFault
from federation.parse import values

from .. import keys
from ..errors import AppError, Gone, Malformed, NotFound, Unauthorised, Unavailable
from ..http import limits
from ..http.body import read_bytes
from ..http.limits import Limit
from ..http.routes import needs
from ..http.source import subject_of
from ..store import accounts
from ..store.inbound import Received
from .intake import Full, Intake
from .signers import SIGNERS, request_of

INTAKE = web.AppKey("intake", Intake)

REFUSED = Limit("inbox_refusals", limits.MINUTE)
"""Of one address: what fails costs more than what holds."""


@needs(uncounted=True)
async def shared(request: web.Request) -> web.Response:
    """The inbox for everybody here."""
    return await _receive(request)


@needs(uncounted=True)
async def personal(request: web.Request) -> web.Response:
    """Somebody's own inbox."""
    uris = request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        account = await accounts.find_by_name(conn, request.match_info["username"], None, uris=uris)
    if account is None:
        raise NotFound
    if account.gone:
        raise Gone("This account was deleted")
    return await _receive(request)


async def _receive(request: web.Request) -> web.Response:
    if not request.app[keys.SETTINGS].federation.enabled:
        raise NotFound
    # Whoever sent too much that does not hold is not read, let alone asked about, for a while.
    limits.check(request, REFUSED, subject_of(request))
    _check_type(request)
    body = await read_bytes(request, wire.MAX_BYTES)
    try:
        signer = await request.app[SIGNERS].verify(request_of(request, body))
    except KeyGone:
        if _is_farewell(body):
            return _accepted()
        raise _refusal(request, Unauthorised("The key is gone")) from None
    except RemoteFault as fault:
        raise _refusal(request, Unauthorised(fault.public)) from fault
    limits.take(request, _share_of_host(request), origin.host_of(signer))
    received = _read(request, body, signer)
    try:
        await request.app[INTAKE].put(received)
    except (Full, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Unavailable from error
    return _accepted()


def _check_type(request: web.Request) -> None:
    if request.content_type not in ("application/activity+json", "application/ld+json"):
        raise _Unsupported("Send application/activity+json")
    if hdrs.CONTENT_ENCODING in request.headers:
        # A digest over packed bytes and a limit over unpacked ones do not go together.
        raise _Unsupported("Send the body as it is, not packed")


def _share_of_host(request: web.Request) -> Limit:
    """So many at once, and refilled at so many a second."""
    given = request.app[keys.SETTINGS].limits
    return Limit("inbox_burst", given.inbox_burst / given.inbox_rate)


class _Unsupported(AppError):
    """A body in a form that is not taken here."""

    status = 415


def _read(request: web.Request, body: bytes, signer: Uri) -> Received:
    """What is stored of an activity that `signer` may have sent. Its meaning is looked at later."""
    try:
        document = wire.parse(body)
    except Unreadable as fault:
        raise _refusal(request, Malformed(fault.public)) from fault
    id_, actor = origin.find_uri(document.get("id")), _actor(document)
    if id_ is None or actor is None:
        raise _refusal(request, Malformed("An activity has an id and an actor"))
    if actor != signer:
        raise _refusal(request, Unauthorised("The activity is not by the actor who signed it"))
    if not origin.is_same(id_, actor):
        raise _refusal(request, Malformed("The id of an activity lies on its actor's own server"))
    return Received(request.app[keys.ROAD].ids(), origin.host_of(actor), id_, actor, body)


def _actor(document: wire.Document) -> Uri | None:
    return values.find_id(document.get("actor"))


def _is_farewell(body: bytes) -> bool:
    """Whether somebody whose key is gone says that they are gone: servers tell everybody, known or not."""
    try:
        document = wire.parse(body)
    except RemoteFault:
        return False
    target = values.find_id(document.get("object"))
    return target is not None and target == _actor(document) and "Delete" in values.types(document)


def _refusal(request: web.Request, error: AppError) -> AppError:
    """Counts a refusal against the address it came from; `TooMany` instead of it when there were too many."""
    limits.take(request, REFUSED, subject_of(request))
    return error


def _accepted() -> web.Response:
    return web.Response(status=202)
