"""Accounts, as operators see and handle them: the list, one account, suspension, roles, attestation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from compliance import decisions, identity, organisations, records
from compliance.activity import AccountId
from compliance.errors import ComplianceError
from compliance.records import Record

from .. import identities, keys, staff
from ..errors import AppError, Invalid
from ..http import auth, body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import render, windows, wording
from ..pages.render import say, see_other
from ..store import accounts, members
from ..store.members import Member
from ..store.model import AccountView, Role
from . import desk

_LENGTH: Final = 50
_HISTORY: Final = 25
_ROLES: Final = (
    (Role.REVIEWER, mark("Works through the queue and reports")),
    (Role.COMPLIANCE, mark("Decides on appeals, rules and other servers; suspends")),
    (Role.EDITOR, mark("Answers for the content: everything a compliance officer may, and the log")),
    (Role.AUDITOR, mark("Reads the log; never together with administrator")),
    (Role.ADMIN, mark("Runs the machine, gives roles")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One unfavourable decision."""

    at: datetime
    kind: str
    state: str
    look: str
    title: str


@needs(role=desk.ACCOUNTS, reach=Reach.ANY)
async def index(request: web.Request) -> web.Response:
    """Everybody who is known here, the newest first, or who fits a name."""
    words = request.query.get("q", "").strip()[:100]
    origin, state = request.query.get("origin", ""), request.query.get("state", "")
    page, uris = windows.page_of(request, _LENGTH), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        if words:
            rows = await accounts.search(conn, words, _LENGTH, None, uris=uris)
            exact = await accounts.find_by_name(conn, *_parts(words), uris=uris)
            if exact is not None and exact.id not in {row.id for row in rows}:
                rows = [exact, *rows]
        else:
            rows = await accounts.list_(
                conn,
                page,
                uris=uris,
                local={"local": True, "remote": False}.get(origin),
                suspended={"suspended": True, "active": False}.get(state),
            )
    newer, older = ("", "") if words else windows.links(request, page, [row.id for row in rows])
    return await desk.page(
        request,
        "admin/accounts.html",
        "accounts",
        people=rows if words else windows.shown(page, rows),
        q=words,
        origin_chosen=origin,
        state_chosen=state,
        newer=newer,
        older=older,
    )


@needs(role=desk.ACCOUNTS, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One account with its history. Identity is a state here, never a number."""
    return await _show(request)


@needs(role=desk.SUSPEND, reach=Reach.ANY, fresh=True)
async def suspend(request: web.Request) -> web.Response:
    """Takes the account out of sight."""
    return await _act(request, restore=False)


@needs(role=desk.SUSPEND, reach=Reach.ANY, fresh=True)
async def restore(request: web.Request) -> web.Response:
    """Brings it back."""
    return await _act(request, restore=True)


async def _act(request: web.Request, *, restore: bool) -> web.Response:
    form, road, account_id = await body.read(request), request.app[keys.ROAD], AccountId(desk.id_of(request))
    try:
        async with road.pool.acquire() as conn:
            account = await accounts.get(conn, account_id, uris=road.uris)
        if form.text("username").strip().removeprefix("@").lower() != account.username.lower():
            raise Invalid("This is not the account's user name", field="username")
        reason = form.text("reason").strip()
        if not reason:
            raise Invalid("Say why: the reason is kept and shown to the person", field="reason")
        work = staff.restore if restore else staff.suspend
        await work(road, account_id, reason=reason, by=person(request).id, source=source_of(request))
    except AppError as error:
        return await _show(request, error)
    request.app[auth.SEEN].forget()
    flash = say(request, "Restored") if restore else say(request, "Suspended")
    return see_other(request, f"/admin/accounts/{account_id}", flash)


@needs(role=desk.ROLES, reach=Reach.ANY, fresh=True)
async def roles(request: web.Request) -> web.Response:
    """Gives and takes roles, each with its record; whoever's roles change is logged out."""
    form, road, account_id = await body.read(request), request.app[keys.ROAD], AccountId(desk.id_of(request))
    wanted = {role for role in Role if role.value in form.texts("role")}
    try:
        async with road.pool.acquire() as conn:
            held = (await members.get(conn, account_id)).roles
        by, source = person(request).id, source_of(request)
        # First what goes, so that admin and auditor can be exchanged in one step.
        for role in sorted(held - wanted):
            await staff.revoke(road, account_id, role, by=by, source=source)
        for role in sorted(wanted - held):
            await staff.grant(road, account_id, role, by=by, source=source)
    except AppError as error:
        return await _show(request, error)
    request.app[auth.SEEN].forget()
    return see_other(request, f"/admin/accounts/{account_id}", say(request, "Saved"))


@needs(role=desk.ATTEST, reach=Reach.ANY, fresh=True)
async def attest(request: web.Request) -> web.Response:
    """Notes that somebody's papers were seen in person."""
    form, road, account_id = await body.read(request), request.app[keys.ROAD], AccountId(desk.id_of(request))
    me = person(request)
    try:
        if account_id == me.id:
            raise Invalid("Nobody attests their own identity", field="attest")
        if not form.text("attest").strip():
            raise Invalid("Say how you know", field="attest")
        async with road.pool.acquire() as conn, conn.transaction():
            if await organisations.find(conn, account_id) is None:
                await members.get(conn, account_id)
            if await organisations.role_of(conn, account_id, me.id) is not None:
                raise Invalid("Nobody attests an organisation of their own", field="attest")
            terms = await identities.terms(conn, road.settings, account_id)
            await identity.attest(
                conn,
                account_id,
                reason=form.text("attest"),
                by=me.id,
                now=road.clock(),
                months=terms.months,
                grace_days=terms.grace_days,
                source=source_of(request),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _show(request, desk.refused(error))
    except Invalid as error:
        return await _show(request, error)
    return see_other(request, f"/admin/accounts/{account_id}", say(request, "Attested"))


async def _show(request: web.Request, error: AppError | None = None) -> web.Response:
    me, uris, account_id = person(request), request.app[keys.URIS], AccountId(desk.id_of(request))
    async with request.app[keys.POOL].acquire() as conn:
        account = await accounts.get(conn, account_id, uris=uris)
        member = await members.find(conn, account_id)
        whole = await organisations.find(conn, account_id)
        known = await identity.get(conn, account_id)
        unfavourable = await decisions.list_for(conn, account_id, limit=_HISTORY)
        log: list[Record] = []
        if desk.may(request, desk.RECORDS):
            log = await records.list_page(conn, actor_id=account_id, limit=_HISTORY)
    return await desk.page(
        request,
        "admin/account.html",
        "accounts",
        status=error.status if error else 200,
        account=account,
        identity=_identity(request, account, known),
        email_state=_email(request, member),
        second_factor=_second_factor(request, member),
        decisions=[
            Row(
                decision.created_at,
                wording.kind(request, decision.kind),
                say(request, wording.VERDICTS[decision.verdict]),
                wording.LOOKS[decision.verdict],
                wording.title(request, decision.reason),
            )
            for decision in unfavourable
        ],
        records=log,
        roles=[
            (
                role.value,
                say(request, render.ROLES[role]),
                say(request, more),
                member is not None and role in member.roles,
            )
            for role, more in _ROLES
        ],
        may_see_identity=desk.may(request, desk.REVIEW) and account.host is None,
        may_suspend=desk.may(request, desk.SUSPEND) and account_id != me.id and not account.gone,
        may_grant=desk.may(request, desk.ROLES) and member is not None and account_id != me.id,
        may_attest=desk.may(request, desk.ATTEST)
        and (member is not None or whole is not None)
        and account_id != me.id,
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


def _identity(request: web.Request, account: AccountView, known: identity.Identity) -> str:
    if account.host is not None:
        return say(request, "the other server's matter")
    words = say(request, identities.STATES[known.state])
    return f"{words}, {say(request, identities.METHODS[known.method])}" if known.method else words


def _email(request: web.Request, member: Member | None) -> str:
    if member is None:
        return ""
    return say(request, "confirmed") if member.email_confirmed_at else say(request, "not confirmed")


def _second_factor(request: web.Request, member: Member | None) -> str:
    if member is None:
        return ""
    return say(request, "in force") if member.totp_enabled_at else say(request, "none")


def _parts(words: str) -> tuple[str, str | None]:
    name, _, host = words.removeprefix("@").partition("@")
    return name, host or None
