"""Being verified by an identity provider: a page that says what it will hear and tell, the way there, and the
way back.

The way back is a GET, since the provider sends the browser. What keeps others out is the state: random, good
once, for minutes, and only in the session of the person who began.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from aiohttp import hdrs, web

from compliance import identity
from compliance.errors import NotAllowed
from compliance.identity import NotConfirmed

from .. import identities, keys, tries
from ..errors import AppError, Forbidden, Invalid, NotFound
from ..http import cookies, headers
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import render
from ..pages.render import say, see_other
from ..providers.oidc import Declined, Flow, Provider
from ..store import oidc_flows

_MINUTES: Final = 10
_STARTS: Final = 10  # in an hour, for an account
_LONGEST: Final = 2_048
_ACCESS_DENIED: Final = "access_denied"
_NOT_CONFIRMED: Final = mark("The identity provider's answer could not be confirmed. Nothing has changed.")
_STOPPED: Final = mark("The identity provider did not confirm who you are. Nothing has changed.")
_OTHER_BROWSER: Final = mark(
    "This answer belongs to no verification that you began here in the last minutes. Please begin again."
)
_IN_USE: Final = mark("This identity has verified as many accounts as one may")
_REVOKED: Final = mark("A person withdrew this identity. Only a person can restore it; you can appeal.")

log = logging.getLogger(__name__)


@needs(member=True, reach=Reach.OWN)
async def ask(request: web.Request) -> web.Response:
    """Says what the provider hears and tells, before anybody goes there."""
    provider = _provider(request)
    # The form leads on to the provider, which may send people on to hosts of its own.
    request[headers.FORM_ACTION] = f"https: {await provider.origin()}"
    return await _page(request)


@needs(member=True, reach=Reach.OWN)
async def start(request: web.Request) -> web.Response:
    """Sends the browser to the provider."""
    provider, road, me = _provider(request), request.app[keys.ROAD], person(request)
    now = road.clock()
    async with road.pool.acquire() as conn:
        await tries.take(road, conn, f"oidc:{me.id}", _STARTS, tries.HOUR)
    flow = Flow.of(cookies.new_token(), road.sealer)
    address = await provider.address(flow)
    async with road.pool.acquire() as conn:
        await oidc_flows.insert(
            conn,
            state_hash=_digest(flow.state),
            account_id=me.id,
            session_hash=me.token_hash,
            now=now,
            expires_at=now + timedelta(minutes=_MINUTES),
        )
    return web.Response(status=303, headers={hdrs.LOCATION: address, hdrs.CACHE_CONTROL: "no-store"})


@needs(member=True, reach=Reach.OWN)
async def callback(request: web.Request) -> web.Response:
    """Where the provider sends the browser back to."""
    provider, road, me = _provider(request), request.app[keys.ROAD], person(request)
    state, code = _given(request, "state"), _given(request, "code")
    async with road.pool.acquire() as conn:
        is_mine = await oidc_flows.take(
            conn, _digest(state), account_id=me.id, session_hash=me.token_hash, now=road.clock()
        )
    if not is_mine:
        return await _page(request, Invalid(_OTHER_BROWSER))
    if not code:
        denied = _given(request, "error") == _ACCESS_DENIED
        return await _page(request, Invalid(_STOPPED if denied else _NOT_CONFIRMED))
    try:
        subject = await provider.subject(Flow.of(state, road.sealer), code=code, iss=request.query.get("iss"))
    except Declined as error:
        log.warning("an identity provider's answer was not taken", extra={"error": str(error)})
        return await _page(request, Invalid(_NOT_CONFIRMED))
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            outcome = await identity.confirm_external(
                conn,
                me.id,
                provider.issuer,
                subject,
                # Of a pseudonym there is nothing to read later on: the blind index is all that is kept.
                terms=replace(await identities.terms(conn, road.settings, me.id), forget=True),
                sealer=road.sealer,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except NotAllowed:
        return await _page(request, Forbidden(_REVOKED))
    if isinstance(outcome, NotConfirmed):
        return await _page(request, Invalid(_IN_USE))
    return see_other(request, "/settings/identity", say(request, "You are verified and can publish"))


async def _page(request: web.Request, error: AppError | None = None) -> web.Response:
    return await render.page(
        request,
        "web/settings/oidc.html",
        status=error.status if error else 200,
        tab="identity",
        heading=say(request, "Identity"),
        provider=_provider(request).label,
        problem=say(request, error.message) if error else "",
    )


def _provider(request: web.Request) -> Provider:
    found = request.app[keys.OIDC]
    if found is None:
        raise NotFound()
    return found


def _given(request: web.Request, name: str) -> str:
    """A parameter of the answer. One that comes twice is nobody's (RFC 6749, section 3.1)."""
    values = request.query.getall(name, [])
    return values[0] if len(values) == 1 and len(values[0]) <= _LONGEST else ""


def _digest(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
