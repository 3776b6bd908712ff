"""Proving who one is: a task list that ends with publishing. The number goes in and is never shown again."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from compliance import identity
from compliance.errors import InvalidNumber, NotAllowed
from compliance.identity import IdentityState, Method, NotConfirmed

from .. import keys, tries
from ..errors import AppError, Forbidden, Invalid
from ..http import body
from ..http.auth import person
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark, translate
from ..pages import render
from ..pages.render import say, see_other
from .signup import errors_of

_CODES: Final = 5  # in an hour, for an account and for an address
_STATES: Final = {
    IdentityState.NONE: mark("not verified"),
    IdentityState.PENDING: mark("not verified; a code was sent"),
    IdentityState.VERIFIED: mark("verified"),
    IdentityState.DUE: mark("verified, to be confirmed again"),
    IdentityState.LAPSED: mark("lapsed"),
    IdentityState.REJECTED: mark("the last claim was turned down"),
    IdentityState.REVOKED: mark("withdrawn by a person"),
}
_METHODS: Final = {
    Method.MOBILE: mark("by mobile phone"),
    Method.ATTESTATION: mark("in person"),
}
_MESSAGE: Final = mark(
    "%(code)s is your code for %(site)s. It is good for %(minutes)s minutes. Tell it to nobody."
)


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """How far it is, what is kept, and what to do next."""
    return await _show(request)


@needs(member=True, reach=Reach.OWN)
async def start(request: web.Request) -> web.Response:
    """Sends a code to the number."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    phone, code = form.text("phone"), identity.new_code()
    settings = road.settings.identity
    source = source_of(request)
    try:
        async with road.pool.acquire() as conn:
            for subject in (me.id, tries.network(source)):
                await tries.take(road, conn, f"code:{subject}", _CODES, tries.HOUR)
            async with conn.transaction():
                number = await identity.start_mobile(
                    conn,
                    me.id,
                    phone,
                    sealer=road.sealer,
                    now=road.clock(),
                    code=code,
                    minutes=settings.code_minutes,
                    source=source,
                    new_id=road.ids,
                )
    except InvalidNumber:
        error = Invalid("This does not look like a mobile number with its country code", field="phone")
        return await _show(request, phone=phone, error=error)
    except NotAllowed:
        rejected = Forbidden("A person rejected this identity. A code does not change that; you can appeal.")
        return await _show(request, error=rejected)
    values = {"code": code, "site": road.settings.site.title, "minutes": settings.code_minutes}
    await request.app[keys.SMS].send(number, translate(locale_of(request), _MESSAGE, values), code=code)
    return await _show(request, phone=number, waiting=True)


@needs(member=True, reach=Reach.OWN)
async def confirm(request: web.Request) -> web.Response:
    """Checks the code."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    phone, settings = form.text("phone"), road.settings.identity
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            outcome = await identity.confirm_mobile(
                conn,
                me.id,
                phone,
                form.text("code"),
                sealer=road.sealer,
                now=road.clock(),
                months=settings.reverify_months,
                grace_days=settings.grace_days,
                accounts_per_identity=settings.accounts_per_identity,
                source=source_of(request),
                new_id=road.ids,
            )
    except (InvalidNumber, NotAllowed):
        outcome = NotConfirmed.WRONG_CODE
    if outcome is NotConfirmed.WRONG_CODE:
        error = Invalid("This code is not right, or is too old", field="code")
        return await _show(request, phone=phone, waiting=True, error=error)
    if outcome is NotConfirmed.IN_USE:
        error = Invalid("This number has verified as many accounts as one number may", field="phone")
        return await _show(request, error=error)
    return see_other(request, "/settings/identity", say(request, "You are verified and can publish"))


async def _show(
    request: web.Request, *, phone: str = "", waiting: bool = False, error: AppError | None = None
) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        known = await identity.get(conn, person(request).id)
    return await render.page(
        request,
        "web/settings/identity.html",
        status=error.status if error else 200,
        tab="identity",
        heading=say(request, "Identity"),
        state=known.state.value,
        state_words=say(request, _STATES[known.state]),
        method=say(request, _METHODS[known.method]) if known.method else "",
        verified_at=known.verified_at,
        due_at=known.due_at,
        phone=phone,
        waiting=waiting,
        errors=errors_of(request, error),
    )
