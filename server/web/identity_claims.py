"""Claims by number and papers: the form of each way, what is sent, what is added, what is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from compliance import consents
from compliance import identity as known_by
from compliance.consents import Purpose
from compliance.errors import NotAllowed
from compliance.errors import NotFound as NoSuchThing
from compliance.identity import ClaimState, Identity, IdentityState, Method, Scan, claims, sending
from compliance.numbers import ISSUERS

from .. import identities, keys, papers
from ..errors import AppError, Forbidden, Invalid, NotFound, TooLarge, TooMany, Unavailable
from ..http import body
from ..http.auth import person
from ..http.body import Body
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..identities import Form, Typed
from ..pages import render
from ..pages.render import say, see_other
from . import identity
from .keeping import keep, kept
from .signup import errors_of

_PAPERS: Final = 160 * 1024 * 1024  # the settings say less, and how much
_SLACK: Final = 256 * 1024
_MOST_PAGES: Final = 12
"""Of all files of a claim together: as many as a reviewer looks at in one go."""
_SENT: Final = mark("Sent. A person will look at it, and you are told.")


@needs(member=True, reach=Reach.OWN)
async def way(request: web.Request) -> web.Response:
    """The form of one way."""
    return await _way(request, _form(request))


@needs(member=True, reach=Reach.OWN, body=_PAPERS)
async def send(request: web.Request) -> web.Response:
    """Takes a number, names and papers: verified now, or looked at by a person."""
    asked = _form(request)
    road, me, limits = request.app[keys.ROAD], person(request), request.app[keys.SETTINGS]
    most = limits.identity.max_papers * limits.media.max_paper_bytes + _SLACK
    form = await body.read(request, limit=most)
    values = _typed(request, form, asked)
    typed = Typed(
        number=values.get("number", ""),
        names={what: values.get(what.value, "") for what in asked.names},
        state=values.get("state", ""),
    )
    try:
        said = identities.read(asked, typed, road.clock())
        await identities.consent(
            road,
            me.id,
            bool(form.text("consent")),
            locale=locale_of(request),
            source=source_of(request),
        )
        scans = await _scans(request, form)
        if not scans and identities.needs_papers(road.settings, asked):
            raise Invalid("Send pictures of the paper, for a person to look at", field="papers")
        claim = await identities.claim(
            road,
            me.id,
            asked,
            said,
            scans=scans,
            checker=request.app[keys.CHECKER],
            source=source_of(request),
        )
    except (Invalid, TooLarge, Forbidden, TooMany, Unavailable) as error:
        return await _way(request, asked, values=values, error=error)
    if claim.state is ClaimState.APPROVED:
        return see_other(request, identities.PAGE, say(request, identity.VERIFIED))
    return see_other(request, identities.PAGE, say(request, _SENT))


@needs(member=True, reach=Reach.OWN, body=_PAPERS)
async def add(request: web.Request) -> web.Response:
    """Adds what a reviewer asked for."""
    road, me, limits = request.app[keys.ROAD], person(request), request.app[keys.SETTINGS]
    most = limits.identity.max_papers * limits.media.max_paper_bytes + _SLACK
    form = await body.read(request, limit=most)
    try:
        scans = await _scans(request, form)
        if not scans:
            raise Invalid("Choose the pictures that were asked for", field="papers")
        async with road.pool.acquire() as conn, conn.transaction():
            await sending.answer(
                conn,
                _id(request),
                me.id,
                scans,
                sealer=road.sealer,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except NoSuchThing:
        raise NotFound from None
    except NotAllowed:
        return see_other(request, identities.PAGE)
    except (Invalid, TooLarge, Unavailable) as error:
        return await identity.page(request, error=error)
    return see_other(request, identities.PAGE, say(request, _SENT))


@needs(member=True, reach=Reach.OWN)
async def take_back(request: web.Request) -> web.Response:
    """Takes one's own claim back, with its papers."""
    road, me = request.app[keys.ROAD], person(request)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await sending.withdraw(
                conn,
                _id(request),
                me.id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except NoSuchThing:
        raise NotFound from None
    except NotAllowed:
        return see_other(request, identities.PAGE)
    return see_other(request, identities.PAGE, say(request, "Taken back; its pictures are destroyed"))


async def _way(
    request: web.Request,
    form: Form,
    *,
    values: Mapping[str, str] | None = None,
    error: AppError | None = None,
) -> web.Response:
    settings, me = request.app[keys.SETTINGS], person(request)
    async with request.app[keys.POOL].acquire() as conn:
        consented = await consents.find(conn, me.id, Purpose.IDENTITY)
        waiting = await claims.find_open(conn, me.id)
        known: Identity = await known_by.get(conn, me.id)
    wrong = error.field if error is not None else None
    # What was wrong is to be typed again; the rest need not be.
    again = {name: value for name, value in (values or {}).items() if value and name != wrong}
    fields = [("number", form.number_label), *((what.value, words) for what, words in form.names.items())]
    return await render.page(
        request,
        "web/settings/identity_way.html",
        status=error.status if error else 200,
        tab="identity",
        heading=say(request, form.title),
        told=say(request, form.told),
        way=form.method.value,
        fields=[(name, say(request, words), name in again) for name, words in fields],
        states=_states(request) if form.has_state else [],
        state=again.get("state", ""),
        kept=keep(request, again) if again else "",
        papers_told=say(request, form.papers_told),
        papers_required=identities.needs_papers(settings, form),
        most=settings.identity.max_papers,
        accept=papers.ACCEPT,
        consented=consented,
        is_open=waiting is None and known.state is not IdentityState.REVOKED,
        settings=settings.identity,
        keeps_proof_only=settings.vault.keep == "proof",
        errors=errors_of(request, error),
    )


def _states(request: web.Request) -> list[tuple[str, str]]:
    """Whose passports are taken, by the code that stands in them."""
    is_chinese = locale_of(request).startswith("zh")
    named = ((code, names.chinese if is_chinese else names.english) for code, names in ISSUERS.items())
    return [("", say(request, "Choose")), *((code, f"{code} · {name}") for code, name in named)]


def _form(request: web.Request) -> Form:
    """The form of the way in the address, where it is offered."""
    name = request.match_info["way"]
    form = identities.FORMS.get(Method(name)) if name in {one.value for one in Method} else None
    if form is None or form.method not in identities.ways(request.app[keys.SETTINGS]):
        raise NotFound
    return form


def _id(request: web.Request) -> int:
    digits = request.match_info["id"]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise NotFound
    return int(digits)


def _typed(request: web.Request, form: Body, asked: Form) -> dict[str, str]:
    """What was typed now, over what came back sealed."""
    names = ["number", *(what.value for what in asked.names), *(["state"] if asked.has_state else [])]
    before = kept(request, form)
    return {name: form.text(name).strip() or before.get(name, "") for name in names}


async def _scans(request: web.Request, form: Body) -> list[Scan]:
    """The pictures that were sent, and each page of the PDFs."""
    settings = request.app[keys.SETTINGS]
    sent = form.uploads("papers")
    if len(sent) > settings.identity.max_papers:
        raise Invalid("Send %(most)s files at most", field="papers", most=settings.identity.max_papers)
    found: list[papers.Paper] = []
    for upload in sent:
        found += await papers.accept(upload, settings.media)
        if len(found) > _MOST_PAGES:
            raise Invalid(
                "Send %(most)s pictures and pages at most, all together", field="papers", most=_MOST_PAGES
            )
    return [
        Scan(data=paper.data, mime=paper.mime, name=f"paper {place}") for place, paper in enumerate(found, 1)
    ]
