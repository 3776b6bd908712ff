"""The people of an organisation, in its console: who they are, inviting, changing, going, and handing on."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from compliance import identity, organisations, transfers
from compliance.activity import AccountId
from compliance.organisations import Act, MemberState, Role

from .. import keys
from ..errors import AppError, NotFound
from ..http import auth, body
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..organising import handing_on, people
from ..pages import orgtabs
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store import accounts
from ..store.model import AccountView
from . import orgdesk
from .orgdesk import Desk
from .signup import errors_of


@dataclass(frozen=True, slots=True)
class Row:
    """One of the people."""

    account: AccountView
    role: Role
    role_name: str
    invited: bool
    is_me: bool
    is_known: bool
    since: datetime
    may_change: bool


@needs(member=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """Everybody who acts for it, and what each role may do."""
    return await _show(request, await orgdesk.enter(request))


@needs(member=True, reach=Reach.OWN)
async def invite(request: web.Request) -> web.Response:
    """Asks somebody to act for it."""
    form, desk = await body.read(request), await orgdesk.enter(request, Act.MEMBERS)
    handle, role = form.text("handle"), form.text("role")
    work = people.invite(
        request.app[keys.ROAD], desk.account, desk.me, handle, role, source=source_of(request)
    )
    return await _do(request, desk, work, say(request, "Invited"), handle=handle, role=role)


@needs(member=True, reach=Reach.OWN)
async def change(request: web.Request) -> web.Response:
    """Gives somebody another role."""
    form, desk = await body.read(request), await orgdesk.enter(request, Act.MEMBERS)
    work = people.change_role(
        request.app[keys.ROAD],
        desk.account,
        desk.me,
        _target(request),
        form.text("role"),
        source=source_of(request),
    )
    return await _do(request, desk, work, say(request, "Saved"))


@needs(member=True, reach=Reach.OWN)
async def remove(request: web.Request) -> web.Response:
    """Ends somebody's place, or an invitation."""
    await body.read(request)
    desk = await orgdesk.enter(request, Act.MEMBERS)
    work = people.remove(
        request.app[keys.ROAD], desk.account, desk.me, _target(request), source=source_of(request)
    )
    return await _do(request, desk, work, say(request, "Removed"))


@needs(member=True, reach=Reach.OWN)
async def leave(request: web.Request) -> web.Response:
    """Gives up one's own place."""
    await body.read(request)
    desk = await orgdesk.enter(request)
    work = people.leave(request.app[keys.ROAD], desk.account, desk.me, source=source_of(request))
    flash = say(request, "You no longer act for @%(name)s", name=desk.account.username)
    return await _do(request, desk, work, flash, path="/org")


@needs(member=True, reach=Reach.OWN)
async def settle(request: web.Request) -> web.Response:
    """Changes how it works."""
    form, desk = await body.read(request), await orgdesk.enter(request, Act.SETTINGS)
    work = people.settle(
        request.app[keys.ROAD],
        desk.account,
        desk.me,
        four_eyes=bool(form.text("four_eyes")),
        source=source_of(request),
    )
    return await _do(request, desk, work, say(request, "Saved"))


@needs(member=True, reach=Reach.OWN, fresh=True)
async def hand_on(request: web.Request) -> web.Response:
    """Announces another owner in one's own place."""
    form, desk = await body.read(request), await orgdesk.enter(request, Act.TRANSFER)
    heir = form.text("heir")
    work = handing_on.start(request.app[keys.ROAD], desk.account, desk.me, heir, source=source_of(request))
    return await _do(request, desk, work, say(request, "Announced to everybody it concerns"), heir=heir)


@needs(member=True, reach=Reach.OWN)
async def stop(request: web.Request) -> web.Response:
    """Stops a transfer."""
    await body.read(request)
    desk = await orgdesk.enter(request, Act.TRANSFER)
    work = handing_on.cancel(request.app[keys.ROAD], desk.account, desk.me, source=source_of(request))
    return await _do(request, desk, work, say(request, "It is not handed on"))


async def _do(
    request: web.Request, desk: Desk, work: Awaitable[Any], flash: str, *, path: str = "", **typed: str
) -> web.Response:
    try:
        await work
    except NotFound:
        raise
    except AppError as error:
        return await _show(request, desk, error, **typed)
    auth.forget(request)
    return see_other(request, path or f"{desk.base}/members", flash)


def _target(request: web.Request) -> AccountId:
    found = number(request.match_info["id"])
    if found is None:
        raise NotFound
    return AccountId(found)


async def _show(
    request: web.Request, desk: Desk, error: AppError | None = None, **typed: str
) -> web.Response:
    road = request.app[keys.ROAD]
    now, rows = road.clock(), []
    may_change = desk.may(Act.MEMBERS)
    async with road.pool.acquire() as conn:
        held = await organisations.members(conn, desk.account.id)
        views = await accounts.load(conn, [each.account_id for each in held], uris=road.uris)
        known = await identity.load(conn, [each.account_id for each in held])
        moving = await transfers.waiting(conn, desk.account.id)
        heir = None if moving is None else await accounts.find(conn, moving.to_id, uris=road.uris)
        for each in held:
            invited = each.state is MemberState.INVITED
            rows.append(
                Row(
                    views[each.account_id],
                    each.role,
                    say(request, orgtabs.ROLES[each.role]),
                    invited,
                    each.account_id == desk.me.id,
                    known[each.account_id].may_publish(now),
                    each.changed_at,
                    may_change and (each.role is not Role.OWNER or invited or each.account_id == desk.me.id),
                )
            )
    return await orgdesk.page(
        request,
        desk,
        "web/organisation/members.html",
        "members",
        status=error.status if error else 200,
        rows=rows,
        role_options=[(role.value, say(request, name)) for role, name in orgtabs.ROLES.items()],
        roles=[
            (say(request, name), [say(request, words) for words in orgtabs.powers(role)])
            for role, name in orgtabs.ROLES.items()
        ],
        moving=moving,
        heir=heir,
        transfer_days=road.settings.organisations.transfer_days,
        may_invite=may_change,
        may_settle=desk.may(Act.SETTINGS),
        may_hand_on=desk.may(Act.TRANSFER),
        typed={"handle": "", "role": Role.EDITOR.value, "heir": ""} | typed,
        errors=errors_of(request, error),
    )
