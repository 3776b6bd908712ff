"""Organisations, for apps: which ones the person acts for, and their people.

These are the person's own calls, also with a token that acts for an organisation: each asks for the role in
the very organisation that its address names.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web
from msgspec import Raw, Struct

from compliance import identity, organisations, records
from compliance.activity import AccountId
from compliance.organisations import POWERS, Act, Membership, MemberState, Organisation, Rights

from .. import keys
from ..db.pool import Connection
from ..errors import NotFound
from ..http import auth, body, limits
from ..http.auth import person
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..organising import founding, handing_on, people
from ..store import accounts
from ..store.model import AccountView
from . import answers, render, schemas
from .moments import maybe_stamp, stamp
from .render import RENDERER


class NewOrganisation(Struct):
    """An organisation to be."""

    username: schemas.Short = ""
    name: schemas.Short = ""
    kind: schemas.Short = ""
    agreement: bool = False


class NewPerson(Struct):
    """Who is to act for an organisation, and as what."""

    username: schemas.Short = ""
    role: schemas.Short = ""


class Org(Struct, kw_only=True):
    """An organisation, as somebody who acts for it sees it."""

    id: str
    username: str
    name: str
    kind: str
    role: str
    acts: list[str]
    """What the role includes now."""
    four_eyes: bool
    suspended: bool
    account: Raw


class Person(Struct, kw_only=True):
    """Somebody's place in an organisation."""

    account: Raw
    role: str
    state: str
    verified: bool
    since: str


class Invitation(Struct, kw_only=True):
    """What somebody is asked to do."""

    organisation: Raw
    role: str
    invited_at: str


class LogEntry(Struct, kw_only=True):
    """One act in an organisation's name."""

    id: str
    at: str
    act: str
    by: str | None
    object: str | None
    detail: dict[str, str | int | bool | None]


@needs("read:accounts", "profile", reach=Reach.OWN)
async def several(request: web.Request) -> web.Response:
    """The organisations that the person acts for."""
    me, road = person(request).myself, request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        held = await organisations.of_person(conn, me.id)
        found = [await _org(request, conn, each.organisation_id, me.id) for each in held]
    return answers.entity(found)


@needs("write:accounts", reach=Reach.OWN, limit=limits.SIGN_UP)
async def create(request: web.Request) -> web.Response:
    """Founds one; `agreement` says that the current terms, rules and privacy notice are accepted for it."""
    asked, me, road = await body.to(request, NewOrganisation), person(request).myself, request.app[keys.ROAD]
    made = await founding.create(
        road,
        me,
        username=asked.username,
        name=asked.name,
        kind=asked.kind,
        locale=locale_of(request),
        accepted=asked.agreement,
        source=source_of(request),
    )
    auth.forget(request)
    async with road.pool.acquire() as conn:
        return answers.entity(await _org(request, conn, made, me.id))


@needs("read:accounts", "profile", reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """One organisation."""
    view = await enter(request, Act.SEE)
    async with request.app[keys.POOL].acquire() as conn:
        return answers.entity(await _org(request, conn, view.id, person(request).myself.id))


@needs("read:accounts", reach=Reach.OWN)
async def invitations(request: web.Request) -> web.Response:
    """Which organisations ask the person to act for them."""
    me, road = person(request).myself, request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        asked = await organisations.of_person(conn, me.id, states=(MemberState.INVITED,))
        views = await accounts.load(conn, [each.organisation_id for each in asked], uris=road.uris)
    return answers.entity(
        [
            Invitation(
                organisation=_account(request, views[each.organisation_id]),
                role=each.role.value,
                invited_at=stamp(each.invited_at),
            )
            for each in asked
            if each.organisation_id in views
        ]
    )


@needs("write:accounts", reach=Reach.OWN)
async def answer(request: web.Request) -> web.Response:
    """Accepts or declines an invitation."""
    me, road = person(request).myself, request.app[keys.ROAD]
    step = request.match_info["answer"]
    if step not in ("accept", "decline"):
        raise NotFound
    async with road.pool.acquire() as conn:
        view = await find_organisation(request, conn)
    await people.answer(road, view, me, accept=step == "accept", source=source_of(request))
    auth.forget(request)
    return answers.empty()


@needs("read:accounts", reach=Reach.OWN)
async def members(request: web.Request) -> web.Response:
    """Everybody who acts for it or is invited."""
    view, road = await enter(request, Act.SEE), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        held = await organisations.members(conn, view.id)
        found = await _people(request, conn, held)
    return answers.entity(found)


@needs("write:accounts", reach=Reach.OWN)
async def invite(request: web.Request) -> web.Response:
    """Asks a member of this server to act for it."""
    asked, view, road = await body.to(request, NewPerson), await enter(request), request.app[keys.ROAD]
    me = person(request).myself
    target = await people.invite(road, view, me, asked.username, asked.role, source=source_of(request))
    return await _one(request, view, target)


@needs("write:accounts", reach=Reach.OWN)
async def change(request: web.Request) -> web.Response:
    """Gives somebody another role."""
    asked, view, road = await body.to(request, NewPerson), await enter(request), request.app[keys.ROAD]
    target = answers.account_id(request, "person")
    await people.change_role(
        road, view, person(request).myself, target, asked.role, source=source_of(request)
    )
    auth.forget(request)
    return await _one(request, view, target)


@needs("write:accounts", reach=Reach.OWN)
async def remove(request: web.Request) -> web.Response:
    """Ends somebody's place or invitation; one's own is left."""
    view, road, me = await enter(request), request.app[keys.ROAD], person(request).myself
    target = answers.account_id(request, "person")
    if target == me.id:
        await people.leave(road, view, me, source=source_of(request))
    else:
        await people.remove(road, view, me, target, source=source_of(request))
    auth.forget(request)
    return answers.empty()


@needs("write:accounts", reach=Reach.OWN)
async def hand_on(request: web.Request) -> web.Response:
    """Announces that somebody becomes the owner in the person's place."""
    asked, view, road = await body.to(request, NewPerson), await enter(request), request.app[keys.ROAD]
    made = await handing_on.start(
        road, view, person(request).myself, asked.username, source=source_of(request)
    )
    return answers.json(render.encode({"to": str(made.to_id), "due_at": maybe_stamp(made.due_at)}))


@needs("write:accounts", reach=Reach.OWN)
async def stop(request: web.Request) -> web.Response:
    """Stops a transfer."""
    view, road = await enter(request), request.app[keys.ROAD]
    await handing_on.cancel(road, view, person(request).myself, source=source_of(request))
    return answers.empty()


@needs("read:accounts", reach=Reach.OWN)
async def log(request: web.Request) -> web.Response:
    """Who did what in its name, the newest first."""
    view, page, road = await enter(request, Act.LOG), answers.page_of(request), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        found = await records.list_page(
            conn, actor_id=view.id, max_id=page.max_id, min_id=page.min_id, limit=page.limit
        )
        ids = [AccountId(row.source.by) for row in found if row.source.by is not None]
        who = await accounts.load(conn, ids, uris=road.uris)
    entries = [
        LogEntry(
            id=str(row.id),
            at=stamp(row.at),
            act=row.kind,
            by=None if row.source.by is None else who[AccountId(row.source.by)].username,
            object=row.object,
            detail=dict(row.detail),
        )
        for row in found
    ]
    return answers.paged(request, render.encode(entries), [row.id for row in found])


async def find_organisation(request: web.Request, conn: Connection) -> AccountView:
    view = await accounts.get(conn, answers.account_id(request), uris=request.app[keys.URIS])
    if view.gone or await organisations.find(conn, view.id) is None:
        raise NotFound
    return view


async def enter(request: web.Request, act: Act = Act.SEE) -> AccountView:
    """The organisation in the address, for somebody whose role in it includes `act` (rule H3)."""
    async with request.app[keys.POOL].acquire() as conn:
        view = await find_organisation(request, conn)
        await people.demand(conn, view.id, person(request).myself.id, act)
    return view


async def _org(request: web.Request, conn: Connection, organisation_id: AccountId, me: AccountId) -> Org:
    whole: Organisation = await organisations.get(conn, organisation_id)
    rights: Rights | None = await organisations.rights_of(conn, organisation_id, me)
    if rights is None:
        raise NotFound
    view = await accounts.get(conn, organisation_id, uris=request.app[keys.URIS])
    return Org(
        id=str(whole.id),
        username=view.username,
        name=whole.name,
        kind=whole.kind.value,
        role=rights.role.value,
        acts=[act.value for act in Act if act in POWERS[rights.role] and rights.may(act)],
        four_eyes=whole.four_eyes,
        suspended=rights.suspended,
        account=_account(request, view),
    )


async def _people(request: web.Request, conn: Connection, held: Sequence[Membership]) -> list[Person]:
    road, ids = request.app[keys.ROAD], [each.account_id for each in held]
    views = await accounts.load(conn, ids, uris=road.uris)
    known = await identity.load(conn, ids)
    return [
        Person(
            account=_account(request, views[each.account_id]),
            role=each.role.value,
            state=each.state.value,
            verified=known[each.account_id].may_publish(road.clock()),
            since=stamp(each.changed_at),
        )
        for each in held
    ]


async def _one(request: web.Request, view: AccountView, target: AccountId) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        held = await organisations.membership(conn, view.id, target)
        if held is None:
            raise NotFound
        [shown] = await _people(request, conn, [held])
    return answers.entity(shown)


def _account(request: web.Request, view: AccountView) -> Raw:
    return render.raw(request.app[RENDERER].account(view))
