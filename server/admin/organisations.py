"""Organisations, as operators see them: who runs them, what was done in their name, and the rights that can
be suspended or, where every owner is lost, given to somebody new by two people.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from compliance import identity, organisations, records, transfers
from compliance.activity import AccountId
from compliance.organisations import MemberState
from compliance.transfers import TransferKind

from .. import keys
from ..errors import AppError, NotFound
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..organising import handing_on, overseeing
from ..pages import orgtabs, windows
from ..pages.render import say, see_other
from ..store import accounts
from ..store.model import AccountView
from . import desk

_LENGTH: Final = 40
_HISTORY: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One organisation of the list."""

    account: AccountView
    name: str
    kind: str
    people: int
    owners: int
    suspended: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One of its people."""

    account: AccountView
    role: str
    state: str
    is_known: bool


@needs(role=desk.ORGANISATIONS, reach=Reach.ANY)
async def index(request: web.Request) -> web.Response:
    """Every organisation, the newest first; those whose rights are suspended where that is asked for."""
    state, max_id = request.query.get("state", ""), windows.number(request.query.get("max_id"))
    async with request.app[keys.POOL].acquire() as conn:
        found = await organisations.list_page(
            conn,
            max_id=max_id,
            suspended={"suspended": True, "active": False}.get(state),
            limit=_LENGTH + 1,
        )
        views = await accounts.load(conn, [each.id for each in found], uris=request.app[keys.URIS])
        rows = []
        for each in found[:_LENGTH]:
            held = await organisations.members(conn, each.id)
            active = [one for one in held if one.state is MemberState.ACTIVE]
            owners = await organisations.count_owners(conn, each.id)
            view = views[each.id]
            rows.append(Row(view, each.name, each.kind.value, len(active), owners, each.is_suspended))
    older = (
        f"/admin/organisations?state={state}&max_id={found[_LENGTH - 1].id}" if len(found) > _LENGTH else ""
    )
    return await desk.page(
        request,
        "admin/organisations.html",
        "organisations",
        rows=rows,
        state_chosen=state if state in ("suspended", "active") else "",
        older=older,
    )


@needs(role=desk.ORGANISATIONS, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One organisation: its people, and who did what in its name."""
    return await _show(request)


@needs(role=desk.SUSPEND, reach=Reach.ANY, fresh=True)
async def suspend(request: web.Request) -> web.Response:
    """Suspends what its people may do."""
    form, account = await body.read(request), await _account(request)
    work = overseeing.suspend(
        request.app[keys.ROAD],
        account,
        reason=form.text("reason"),
        by=person(request).id,
        source=source_of(request),
    )
    return await _do(request, account, work, say(request, "Suspended"))


@needs(role=desk.SUSPEND, reach=Reach.ANY, fresh=True)
async def restore(request: web.Request) -> web.Response:
    """Gives the rights back."""
    form, account = await body.read(request), await _account(request)
    work = overseeing.restore(
        request.app[keys.ROAD],
        account,
        reason=form.text("reason"),
        by=person(request).id,
        source=source_of(request),
    )
    return await _do(request, account, work, say(request, "Restored"))


@needs(role=desk.SUSPEND, reach=Reach.ANY, fresh=True)
async def request_grant(request: web.Request) -> web.Response:
    """Asks for a new owner, where no owner is left who could act."""
    form, account = await body.read(request), await _account(request)
    work = handing_on.request_grant(
        request.app[keys.ROAD],
        account,
        person(request).me,
        form.text("handle"),
        form.text("grant_reason"),
        source=source_of(request),
    )
    return await _do(request, account, work, say(request, "Asked: another operator approves it"))


@needs(role=desk.SUSPEND, reach=Reach.ANY, fresh=True)
async def decide_grant(request: web.Request) -> web.Response:
    """Approves or refuses what another operator asked for."""
    form, account = await body.read(request), await _account(request)
    approve = form.text("decision") == "approve"
    work = handing_on.decide_grant(
        request.app[keys.ROAD], account, person(request).me, approve=approve, source=source_of(request)
    )
    flash = say(request, "Approved") if approve else say(request, "Refused")
    return await _do(request, account, work, flash)


async def _do(request: web.Request, account: AccountView, work: Awaitable[None], flash: str) -> web.Response:
    try:
        await work
    except NotFound:
        raise
    except AppError as error:
        return await _show(request, error)
    return see_other(request, f"/admin/organisations/{account.id}", flash)


async def _account(request: web.Request) -> AccountView:
    async with request.app[keys.POOL].acquire() as conn:
        account = await accounts.get(conn, AccountId(desk.id_of(request)), uris=request.app[keys.URIS])
        await desk.found(organisations.get(conn, account.id))
    return account


async def _show(request: web.Request, error: AppError | None = None) -> web.Response:
    road, account = request.app[keys.ROAD], await _account(request)
    async with road.pool.acquire() as conn:
        whole = await organisations.get(conn, account.id)
        held = await organisations.members(conn, account.id)
        views = await accounts.load(conn, [each.account_id for each in held], uris=road.uris)
        verified = await identity.load(conn, [each.account_id for each in held])
        owners = await organisations.count_owners(conn, account.id)
        moving = await transfers.waiting(conn, account.id)
        granting = await transfers.waiting(conn, account.id, TransferKind.GRANT)
        log = await records.list_page(conn, actor_id=account.id, limit=_HISTORY)
        ids = [AccountId(row.source.by) for row in log if row.source.by is not None]
        ids += [each.to_id for each in (moving, granting) if each is not None]
        ids += [each.requested_by for each in (moving, granting) if each is not None]
        who = await accounts.load(conn, ids, uris=road.uris)
        known = await identity.get(conn, account.id)
    return await desk.page(
        request,
        "admin/organisation.html",
        "organisations",
        status=error.status if error else 200,
        account=account,
        whole=whole,
        people=[
            Member(
                views[each.account_id],
                say(request, orgtabs.ROLES[each.role]),
                each.state.value,
                verified[each.account_id].may_publish(road.clock()),
            )
            for each in held
        ],
        owners=owners,
        moving=moving,
        granting=granting,
        records=log,
        who=who,
        identity_state=known.state.value,
        may_suspend=desk.may(request, desk.SUSPEND),
        me_id=person(request).id,
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )
