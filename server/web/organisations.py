"""One's organisations: founding one, taking an invitation, and choosing for whom one acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from compliance import identity, organisations
from compliance.activity import AccountId
from compliance.classes import CertClass
from compliance.organisations import KINDS, Act, MemberState

from .. import keys
from ..errors import AppError, Forbidden, Invalid, NotFound
from ..http import acting, auth, body, limits
from ..http.auth import person
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..organising import founding, people
from ..pages import orgtabs, render
from ..pages.render import local_path, say, see_other
from ..store import accounts, sessions
from .signup import documents, errors_of, versions

KIND_NAMES: Final = {
    CertClass.ENTERPRISE: mark("Enterprise"),
    CertClass.INSTITUTION: mark("Public institution"),
    CertClass.GOVERNMENT: mark("Government body"),
    CertClass.SOCIAL: mark("Social organisation"),
    CertClass.MEDIA: mark("News media"),
    CertClass.FOREIGN: mark("Foreign organisation with an office in China"),
}


@dataclass(frozen=True, slots=True)
class Values:
    """What was typed, to be shown again."""

    username: str = ""
    name: str = ""
    kind: str = ""
    agreement: bool = False


@needs(member=True, reach=Reach.OWN)
async def index(request: web.Request) -> web.Response:
    """Whom one can act for, and who asks one to."""
    me, road = person(request), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        asked = await organisations.of_person(conn, me.id, states=(MemberState.INVITED,))
        inviting = await accounts.load(conn, [each.organisation_id for each in asked], uris=road.uris)
        known = await identity.get(conn, me.id)
    return await render.page(
        request,
        "web/organisation/index.html",
        section="organisations",
        places=[(place, say(request, orgtabs.ROLES[place.role])) for place in me.places],
        invitations=[
            (inviting[each.organisation_id], say(request, orgtabs.ROLES[each.role]))
            for each in asked
            if each.organisation_id in inviting
        ],
        acting_for=me.acting_for,
        may_found=known.may_publish(road.clock()),
    )


@needs(member=True, reach=Reach.OWN)
async def switch(request: web.Request) -> web.Response:
    """Chooses for whom the pages act from now on; without an organisation, for oneself."""
    form, me, road = await body.read(request), person(request), request.app[keys.ROAD]
    chosen: AccountId | None = None
    name = form.text("organisation").strip()
    async with road.pool.acquire() as conn:
        if name:
            place = await acting.find(conn, name, me.id, uris=road.uris)
            if place is None:
                raise NotFound
            if not (place.rights.may(Act.READ) or place.rights.may(Act.APPEAL)):
                raise Forbidden(acting.OUTSIDE_ROLE)
            chosen = place.account.id
        await sessions.act_for(conn, me.token_hash, chosen)
    auth.forget(request)
    next_ = local_path(form.text("next"), "/home")
    flash = (
        say(request, "You act for @%(name)s now", name=name) if name else say(request, "You act as yourself")
    )
    return see_other(request, next_, flash)


@needs(member=True, reach=Reach.OWN)
async def new(request: web.Request) -> web.Response:
    """The form to found an organisation with."""
    return await _form(request, Values())


@needs(member=True, reach=Reach.OWN, limit=limits.SIGN_UP)
async def create(request: web.Request) -> web.Response:
    """Founds it; whoever does is its first owner."""
    sent, me = await body.read(request), person(request)
    values = Values(sent.text("username"), sent.text("name"), sent.text("kind"), bool(sent.text("agreement")))
    try:
        if not values.agreement:
            raise Invalid("Accept the agreement and the rules to go on", field="agreement")
        await founding.create(
            request.app[keys.ROAD],
            me.me,
            username=values.username,
            name=values.name,
            kind=values.kind,
            locale=locale_of(request),
            accepted=versions(sent),
            source=source_of(request),
        )
    except AppError as error:
        return await _form(request, values, error)
    auth.forget(request)
    path = f"/org/{values.username.strip().removeprefix('@')}"
    return see_other(request, path, say(request, "The organisation is founded. You are its owner."))


@needs(member=True, reach=Reach.OWN)
async def invitation(request: web.Request) -> web.Response:
    """What one is asked to do for whom."""
    return await _invitation(request)


@needs(member=True, reach=Reach.OWN)
async def answer(request: web.Request) -> web.Response:
    """Says yes or no."""
    form, me, road = await body.read(request), person(request), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        organisation = await people.find(conn, road, request.match_info["name"])
    accept = form.text("decision") == "accept"
    try:
        await people.answer(road, organisation, me.me, accept=accept, source=source_of(request))
    except Forbidden as error:
        return await _invitation(request, error)
    auth.forget(request)
    if not accept:
        return see_other(request, "/org", say(request, "Declined"))
    flash = say(
        request, "You act for @%(name)s now and then, under your own login", name=organisation.username
    )
    return see_other(request, f"/org/{organisation.username}", flash)


async def _invitation(request: web.Request, error: AppError | None = None) -> web.Response:
    me, road = person(request), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        organisation = await people.find(conn, road, request.match_info["name"])
        mine = await organisations.membership(conn, organisation.id, me.id)
        if mine is not None and mine.state is MemberState.ACTIVE:
            return see_other(request, f"/org/{organisation.username}")
        if mine is None or mine.state is not MemberState.INVITED:
            raise NotFound
        by = None
        if mine.invited_by is not None:
            by = await accounts.find(conn, mine.invited_by, uris=road.uris)
        known = await identity.get(conn, me.id)
    return await render.page(
        request,
        "web/organisation/invitation.html",
        status=error.status if error else 200,
        section="organisations",
        organisation=organisation,
        role=say(request, orgtabs.ROLES[mine.role]),
        acts=[say(request, words) for words in orgtabs.powers(mine.role)],
        by=by,
        is_known=known.may_publish(road.clock()),
        errors=errors_of(request, error),
    )


async def _form(request: web.Request, values: Values, error: AppError | None = None) -> web.Response:
    me, road = person(request), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        known = await identity.get(conn, me.id)
    context: dict[str, Any] = {
        "values": values,
        "host": road.uris.host,
        "documents": await documents(request),
        "kinds": [(kind.value, say(request, KIND_NAMES[kind]), "") for kind in KINDS],
        "may_found": known.may_publish(road.clock()),
        "errors": errors_of(request, error),
    }
    return await render.page(
        request, "web/organisation/new.html", status=error.status if error else 200, **context
    )
