"""Proving who one is: a task list that ends with publishing, what is kept of it, and the phone. What goes in
is masked at once and never shown again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from compliance import consents, identity, numbers, turnout
from compliance.consents import Purpose
from compliance.errors import InvalidNumber, NotAllowed
from compliance.identity import (
    Claim,
    ClaimState,
    Event,
    Field,
    Method,
    NotConfirmed,
    claims,
    holders,
    states,
)
from compliance.numbers import NumberType, masked

from .. import identities, keys, papers, tries
from ..errors import AppError, Forbidden, Invalid, TooMany
from ..http import body
from ..http.auth import person
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark, translate
from ..pages import render
from ..pages.render import say, see_other
from .keeping import keep, kept, opened
from .signup import errors_of

_CODES: Final = 5  # in an hour, for an account, for an address, and to a number
_MESSAGE: Final = mark(
    "%(code)s is your code for %(site)s. It is good for %(minutes)s minutes. Tell it to nobody."
)
_CLAIMS: Final = {
    ClaimState.WAITING: (mark("waits for a person to look at it"), "warn"),
    ClaimState.MORE: (mark("something more is needed"), "warn"),
    ClaimState.APPROVED: (mark("approved"), "ok"),
    ClaimState.DECLINED: (mark("turned down"), "danger"),
    ClaimState.WITHDRAWN: (mark("taken back"), ""),
}
VERIFIED: Final = mark("You are verified and can publish")


@dataclass(frozen=True, slots=True)
class Row:
    """One claim, in the list of those that were made."""

    id: int
    way: str
    shown: list[tuple[str, str]]
    state: str
    look: str
    at: datetime
    question: str
    decision_id: int | None
    is_open: bool
    wants_more: bool


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """How far it is, what is kept, and what to do next."""
    return await page(request)


@needs(member=True, reach=Reach.OWN)
async def start(request: web.Request) -> web.Response:
    """Sends a code to the number."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    phone, code, source = form.text("phone"), identity.new_code(), source_of(request)
    minutes = road.settings.identity.code_minutes
    try:
        _offered(request, Method.MOBILE)
        await identities.consent(
            road, me.id, bool(form.text("consent")), locale=locale_of(request), source=source
        )
        # Many accounts at many addresses do not ring one phone all night. What is counted is no number.
        dialled = road.sealer.mac(numbers.mobile(phone), purpose="phone-tries").hex()
        async with road.pool.acquire() as conn:
            for subject in (me.id, tries.network(source), dialled):
                await tries.take(road, conn, f"code:{subject}", _CODES, tries.HOUR)
            async with conn.transaction():
                number = await identity.start_mobile(
                    conn,
                    me.id,
                    phone,
                    sealer=road.sealer,
                    now=road.clock(),
                    code=code,
                    minutes=minutes,
                    source=source,
                    new_id=road.ids,
                )
    except InvalidNumber:
        error = Invalid("This does not look like a mobile number with its country code", field="phone")
        return await page(request, sealed_form=keep(request, {"phone": phone}), error=error)
    except NotAllowed:
        return await page(request, error=Forbidden(identities.REVOKED))
    except (Invalid, TooMany) as error:
        return await page(request, sealed_form=keep(request, {"phone": phone}), error=error)
    values = {"code": code, "site": road.settings.site.title, "minutes": minutes}
    await request.app[keys.SMS].send(number, translate(locale_of(request), _MESSAGE, values), code=code)
    return await page(request, sealed_form=keep(request, {"phone": number}), waiting=True)


@needs(member=True, reach=Reach.OWN)
async def confirm(request: web.Request) -> web.Response:
    """Checks the code."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    phone = form.text("phone") or kept(request, form).get("phone", "")
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            terms = await identities.terms(conn, road.settings, me.id)
            outcome = await identity.confirm_mobile(
                conn,
                me.id,
                phone,
                form.text("code"),
                sealer=road.sealer,
                now=road.clock(),
                months=terms.months,
                grace_days=terms.grace_days,
                accounts_per_identity=terms.accounts,
                forget=terms.forget,
                keep_months=terms.keep_months,
                source=source_of(request),
                new_id=road.ids,
            )
    except (InvalidNumber, NotAllowed):
        outcome = NotConfirmed.WRONG_CODE
    if outcome is NotConfirmed.WRONG_CODE:
        error = Invalid("This code is not right, or is too old", field="code")
        return await page(request, sealed_form=keep(request, {"phone": phone}), waiting=True, error=error)
    if outcome is NotConfirmed.IN_USE:
        error = Invalid("This number has verified as many accounts as one number may", field="phone")
        return await page(request, error=error)
    return see_other(request, identities.PAGE, say(request, VERIFIED))


@needs(member=True, reach=Reach.OWN)
async def ask_withdraw(request: web.Request) -> web.Response:
    """Says what deleting one's identity does and what stays, before it is done."""
    return await _ask_withdraw(request)


@needs(member=True, reach=Reach.OWN)
async def withdraw(request: web.Request) -> web.Response:
    """Deletes one's identity data, as far as the law lets it be deleted."""
    form = await body.read(request)
    if not form.text("understood"):
        error = Invalid("Tick the box to say that you have read this", field="understood")
        return await _ask_withdraw(request, error)
    try:
        until = await identities.withdraw(
            request.app[keys.ROAD], person(request).id, source=source_of(request)
        )
    except NotAllowed:
        return await _ask_withdraw(request, Forbidden(identities.REVOKED))
    if until is None:
        return see_other(request, identities.PAGE, say(request, "Deleted. Nothing of it is kept."))
    words = say(
        request,
        "Deleted. What is sealed is destroyed on %(date)s; until then nobody uses it.",
        date=until.date().isoformat(),
    )
    return see_other(request, identities.PAGE, words)


async def _ask_withdraw(request: web.Request, error: AppError | None = None) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        known = await identity.get(conn, person(request).id)
    return await render.page(
        request,
        "web/settings/identity_delete.html",
        status=error.status if error else 200,
        tab="identity",
        heading=say(request, "Delete my identity data"),
        is_open=known.state in states.STEPS[Event.WITHDRAW],
        was_verified=known.verified_at is not None,
        months=request.app[keys.SETTINGS].identity.keep_months,
        errors=errors_of(request, error),
    )


async def page(
    request: web.Request,
    *,
    sealed_form: str = "",
    waiting: bool = False,
    error: AppError | None = None,
) -> web.Response:
    me, settings = person(request), request.app[keys.SETTINGS]
    async with request.app[keys.POOL].acquire() as conn:
        known = await identity.get(conn, me.id)
        held = await holders.list_for(conn, me.id)
        made = await claims.list_for(conn, me.id, limit=10)
        consented = await consents.find(conn, me.id, Purpose.IDENTITY)
        asked = await turnout.asked_of(conn, me.id)
    offered = identities.ways(settings)
    return await render.page(
        request,
        "web/settings/identity.html",
        status=error.status if error else 200,
        tab="identity",
        heading=say(request, "Identity"),
        state=known.state.value,
        known=known,
        state_words=say(request, identities.STATES[known.state]),
        method=say(request, identities.METHODS[known.method]) if known.method else "",
        held=[(say(request, identities.FIELDS[one.kind]), one.masked, one.put_at) for one in held],
        rows=[_row(request, one) for one in made],
        consented=consented,
        has_mobile=Method.MOBILE in offered,
        has_oidc=Method.OIDC in offered,
        provider=provider.label if (provider := request.app[keys.OIDC]) else "",
        asked=asked,
        forms=[
            (form.method.value, say(request, form.title), say(request, form.told))
            for form in (identities.FORMS.get(one) for one in offered)
            if form is not None
        ],
        phone=_mask_of(request, sealed_form),
        kept=sealed_form,
        waiting=waiting,
        accept=papers.ACCEPT,
        settings=settings.identity,
        keeps_proof_only=settings.vault.keep == "proof",
        errors=errors_of(request, error),
    )


def _row(request: web.Request, claim: Claim) -> Row:
    words, look = _CLAIMS[claim.state]
    return Row(
        claim.id,
        say(request, identities.METHODS[claim.method]),
        [(say(request, identities.FIELDS[Field(what)]), value) for what, value in claim.shown.items()],
        say(request, words),
        look,
        claim.created_at,
        claim.question or "" if claim.state is ClaimState.MORE else "",
        claim.decision_id,
        claim.is_open,
        claim.state is ClaimState.MORE,
    )


def _offered(request: web.Request, method: Method) -> None:
    if method not in identities.ways(request.app[keys.SETTINGS]):
        raise Invalid("This way is not offered here")


def _mask_of(request: web.Request, sealed_form: str) -> str:
    phone = opened(request, sealed_form).get("phone", "") if sealed_form else ""
    return masked(NumberType.MOBILE, phone) if phone.startswith("+") else ""
