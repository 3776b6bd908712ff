"""Claims of people about who they are: the queue, the claimed fields beside the papers, and the decision.

Papers are opened by a press that is written down, for this answer alone; each picture has the reviewer's name
and the time across it. A reviewer advises, compliance and the editor decide, nobody their own.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import hdrs, web

from compliance import identity, openings
from compliance.accesses import OpenedPaper
from compliance.activity import AccountId
from compliance.errors import ComplianceError
from compliance.identity import Claim, ClaimState, Field, claims, review

from .. import identities, keys, reviewing
from ..db.pool import Connection
from ..errors import AppError, Invalid
from ..http import body
from ..http.auth import person
from ..http.body import Body
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..media import stamp
from ..pages.render import say, see_other
from ..pages.windows import number
from ..reviewing import Outcome
from ..store import accounts
from ..store.model import AccountView
from . import desk

_LENGTH: Final = 40
_PATH: Final = "/admin/identity"
_STATES: Final = {
    ClaimState.WAITING: (mark("Waiting"), "warn"),
    ClaimState.MORE: (mark("Asked for more"), "warn"),
    ClaimState.APPROVED: (mark("Approved"), "ok"),
    ClaimState.DECLINED: (mark("Turned down"), "danger"),
    ClaimState.WITHDRAWN: (mark("Taken back"), ""),
}
_SHOWN: Final = (ClaimState.WAITING, ClaimState.MORE)
_ADVICE: Final = {"approve": mark("would approve"), "decline": mark("would turn down")}
_AGREES: Final = {
    True: mark("agrees"),
    False: mark("does not agree"),
    None: mark("does not know, or was not asked"),
}
_DONE: Final = {
    Outcome.APPROVE: mark("Approved"),
    Outcome.DECLINE: mark("Turned down"),
    Outcome.MORE: mark("Asked for more"),
    Outcome.ADVISE_APPROVE: mark("Your advice is noted"),
    Outcome.ADVISE_DECLINE: mark("Your advice is noted"),
}


_PURPOSE: Final = mark("identity check only")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue."""

    id: int
    handle: str
    way: str
    facts: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """The papers of one look: what was typed, and the pictures with the writing across them."""

    fields: list[tuple[str, str]]
    pictures: list[str]
    stamped: str


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def queue(request: web.Request) -> web.Response:
    """What waits, the oldest first; or what people were asked for."""
    after = number(request.query.get("after")) or 0
    state = ClaimState.MORE if request.query.get("show") == "more" else ClaimState.WAITING
    async with request.app[keys.POOL].acquire() as conn:
        waiting = await claims.list_waiting(conn, after=after, limit=_LENGTH + 1, state=state)
        people = await accounts.load(
            conn, [claim.account_id for claim in waiting], uris=request.app[keys.URIS]
        )
    rows = [
        Row(
            claim.id,
            people[claim.account_id].handle if claim.account_id in people else "",
            say(request, identities.METHODS[claim.method]),
            tuple(claim.shown.values())
            + ((say(request, _ADVICE[claim.advice]),) if claim.advice is not None else ()),
            claim.created_at,
        )
        for claim in waiting[:_LENGTH]
    ]
    older = f"{_PATH}?show={state}&after={rows[-1].id}" if len(waiting) > _LENGTH else ""
    tabs = [(f"{_PATH}?show={one}", say(request, _STATES[one][0]), one is state) for one in _SHOWN]
    return await desk.page(request, "admin/identities.html", "identity", rows=rows, tabs=tabs, older=older)


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One claim, masked; its papers are opened by a press."""
    return await _show(request)


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def open_papers(request: web.Request) -> web.Response:
    """Opens the papers for this one answer. Who looked, when and why is written before anything is shown."""
    road, me = request.app[keys.ROAD], person(request)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            claim = await desk.found(claims.get(conn, desk.id_of(request)))
            found = await openings.read_for_review(
                conn,
                claim.papers,
                reviewer=me.id,
                case=claim.case,
                sealer=road.sealer,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _show(request, error=desk.refused(error))
    return await _show(request, opened=await _opened(request, found))


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def decide(request: web.Request) -> web.Response:
    """Approves, turns down, asks for more, or advises whoever may."""
    form, claim_id = await body.read(request), desk.id_of(request)
    try:
        try:
            outcome = Outcome(form.text("outcome"))
        except ValueError:
            raise Invalid("Choose an outcome", field="outcome") from None
        if outcome.decides and not desk.may(request, desk.IDENTITIES):
            raise Invalid("Only a compliance officer or the editor decides", field="outcome")
        words = form.text("statement")
        if outcome in (Outcome.DECLINE, Outcome.MORE) and not words.strip():
            raise Invalid("Say why, or what is missing: the person reads it", field="statement")
        await reviewing.decide(
            request.app[keys.ROAD],
            claim_id,
            outcome,
            words=words,
            by=person(request).id,
            source=source_of(request),
        )
    except ComplianceError as error:
        return await _show(request, form, error=desk.refused(error))
    except Invalid as error:
        return await _show(request, form, error=error)
    return see_other(request, _PATH, say(request, _DONE[outcome]))


@needs(role=desk.IDENTITIES, reach=Reach.ANY, fresh=True)
async def revoke(request: web.Request) -> web.Response:
    """Withdraws a verified identity: publishing ends, and the person can appeal."""
    return await _on_identity(request, restore=False)


@needs(role=desk.IDENTITIES, reach=Reach.ANY, fresh=True)
async def restore(request: web.Request) -> web.Response:
    """Takes a withdrawal back."""
    return await _on_identity(request, restore=True)


async def _on_identity(request: web.Request, *, restore: bool) -> web.Response:
    form, account_id = await body.read(request), AccountId(desk.id_of(request))
    try:
        if not form.text("reason").strip():
            raise Invalid("Say why: the reason is kept and shown to the person", field="reason")
        if restore:
            await reviewing.restore(
                request.app[keys.ROAD],
                account_id,
                reason=form.text("reason"),
                by=person(request).id,
                source=source_of(request),
            )
        else:
            await reviewing.revoke(
                request.app[keys.ROAD],
                account_id,
                reason=form.text("reason"),
                by=person(request).id,
                source=source_of(request),
            )
    except ComplianceError as error:
        return await _account(request, account_id, form, error=desk.refused(error))
    except Invalid as error:
        return await _account(request, account_id, form, error=error)
    flash = say(request, "Restored") if restore else say(request, "Withdrawn")
    return see_other(request, f"{_PATH}/accounts/{account_id}", flash)


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def account(request: web.Request) -> web.Response:
    """The identity of one account: how it stands, by what, and every claim that was made."""
    return await _account(request, AccountId(desk.id_of(request)))


async def _account(
    request: web.Request, account_id: AccountId, form: Body | None = None, *, error: AppError | None = None
) -> web.Response:
    me = person(request)
    async with request.app[keys.POOL].acquire() as conn:
        view = await accounts.get(conn, account_id, uris=request.app[keys.URIS])
        known = await identity.get(conn, account_id)
        made = await claims.list_for(conn, account_id)
    return await desk.page(
        request,
        "admin/identity_account.html",
        "identity",
        status=error.status if error else 200,
        account=view,
        known=known,
        state_words=say(request, identities.STATES[known.state]),
        method=say(request, identities.METHODS[known.method]) if known.method else "",
        rows=[
            (
                f"{_PATH}/{one.id}",
                say(request, identities.METHODS[one.method]),
                say(request, _STATES[one.state][0]),
                _STATES[one.state][1],
                one.created_at,
            )
            for one in made
        ],
        may_decide=desk.may(request, desk.IDENTITIES) and account_id != me.id and view.host is None,
        reason=form.text("reason") if form else "",
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


async def _show(
    request: web.Request,
    form: Body | None = None,
    *,
    opened: Opened | None = None,
    error: AppError | None = None,
) -> web.Response:
    me = person(request)
    async with request.app[keys.POOL].acquire() as conn, conn.transaction():
        claim = await desk.found(claims.get(conn, desk.id_of(request)))
        used = await review.used_by(conn, claim)
        people = await _people(request, conn, claim)
        known = await identity.get(conn, claim.account_id)
    state, look = _STATES[claim.state]
    response = await desk.page(
        request,
        "admin/identity.html",
        "identity",
        status=error.status if error else 200,
        claim=claim,
        state=say(request, state),
        look=look,
        way=say(request, identities.METHODS[claim.method]),
        account=people[claim.account_id],
        known=say(request, identities.STATES[known.state]),
        shown=[(say(request, identities.FIELDS[Field(what)]), value) for what, value in claim.shown.items()],
        agrees=say(request, _AGREES[claim.agrees]),
        used=used,
        most=request.app[keys.SETTINGS].identity.accounts_per_identity,
        advice=say(request, _ADVICE[claim.advice]) if claim.advice else "",
        advised_by=_name(people, claim.advised_by),
        decided_by=_name(people, claim.decided_by),
        opened=opened,
        own=claim.account_id == me.id,
        may_decide=desk.may(request, desk.IDENTITIES),
        outcome_chosen=form.text("outcome") if form else "",
        statement=form.text("statement") if form else "",
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    return response


async def _people(request: web.Request, conn: Connection, claim: Claim) -> dict[AccountId, AccountView]:
    ids = [claim.account_id, *(one for one in (claim.advised_by, claim.decided_by) if one)]
    return await accounts.load(conn, ids, uris=request.app[keys.URIS])


async def _opened(request: web.Request, found: list[OpenedPaper]) -> Opened:
    now, me = request.app[keys.CLOCK](), person(request)
    who = f"@{me.me.username} {now:%Y-%m-%d %H:%M} UTC - "
    words = stamp.legible(who + say(request, _PURPOSE), who + _PURPOSE)
    fields, pictures = [], []
    for paper in found:
        if paper.field is Field.SCAN:
            marked = await stamp.stamp(paper.value, words)
            pictures.append(f"data:image/jpeg;base64,{base64.b64encode(marked).decode()}")
        else:
            fields.append((say(request, identities.FIELDS[paper.field]), paper.value.decode()))
    return Opened(fields, pictures, words)


def _name(people: dict[AccountId, AccountView], account_id: AccountId | None) -> str:
    return people[account_id].username if account_id is not None and account_id in people else ""
