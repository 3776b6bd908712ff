"""Sealed papers: who asks to have them opened, who approves, and the one time that they are shown.

What is read stands on one page that nobody may store, with the reader's name across it; the browser leaves it
after five minutes by itself.
"""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from html import escape
from typing import Final

from aiohttp import web

from compliance import accesses, openings
from compliance.accesses import Field, OpenedPaper, Purpose
from compliance.activity import AccountId
from compliance.errors import ComplianceError, SealBroken
from compliance.openings import Opening, OpeningState

from .. import disclosure, keys
from ..errors import AppError, Conflict, Invalid
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..media.stamp import stamp
from ..pages import papers
from ..pages.render import say, secret, see_other
from ..pages.windows import number
from ..store import accounts
from ..store.model import AccountView, Role
from ..telling import Code, Notice, tell
from . import desk

_LENGTH: Final = 40
_LOOKS: Final = {
    OpeningState.WAITING: "warn",
    OpeningState.APPROVED: "ok",
    OpeningState.REFUSED: "danger",
    OpeningState.READ: "",
}
_DOES_NOT_OPEN: Final = mark(
    "Something that was sealed does not open: it was changed, or its key is not here."
    " `yanlu vault audit` says what."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Values:
    """The form of a request as it was filled in."""

    account: str = ""
    fields: frozenset[str] = frozenset()
    purpose: str = ""
    legal_basis: str = ""
    case: str = ""
    hold_until: str = ""
    hold_basis: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One paper in the open, on the page of its one reading."""

    name: str
    text: str
    picture: str


@needs(role=desk.SEE_VAULT, reach=Reach.ANY)
async def index(request: web.Request) -> web.Response:
    """The requests, and the form of a new one."""
    return await _index(request, Values(account=request.query.get("account", "")))


@needs(role=Role.COMPLIANCE, reach=Reach.ANY, fresh=True)
async def ask(request: web.Request) -> web.Response:
    """Asks for papers of one person."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    values = Values(
        form.text("account").strip(),
        frozenset(form.texts("fields")),
        form.text("purpose"),
        form.text("legal_basis"),
        form.text("case"),
        form.text("hold_until").strip(),
        form.text("hold_basis"),
    )
    try:
        purpose, hold_until = _purpose(values.purpose), _until(values.hold_until)
        async with road.pool.acquire() as conn, conn.transaction():
            name = values.account.removeprefix("@")
            found = await accounts.find_by_name(conn, name, None, uris=road.uris)
            if found is None:
                raise Invalid("There is nobody of this name here", field="account")
            opening_id = await openings.request(
                conn,
                found.id,
                [field for field in Field if field.value in values.fields],
                purpose=purpose,
                legal_basis=values.legal_basis,
                case=values.case,
                hold_until=hold_until,
                hold_basis=values.hold_basis,
                by=me.id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
            told = await disclosure.tell_editors(
                road, conn, Code.VAULT_ASKED, f"/admin/vault/{opening_id}", besides=me.id
            )
    except ComplianceError as error:
        return await _index(request, values, papers.refused(error))
    except Invalid as error:
        return await _index(request, values, error)
    disclosure.wake(road, told)
    flash = say(request, "Asked. Another person has to approve it within 24 hours.")
    return see_other(request, f"/admin/vault/{opening_id}", flash)


@needs(role=desk.SEE_VAULT, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One request: what for, by whom, and what became of it. Never a word of the papers."""
    return await _show(request)


@needs(role=Role.EDITOR, reach=Reach.ANY, fresh=True)
async def decide(request: web.Request) -> web.Response:
    """Approves or refuses a request of somebody else."""
    form, road = await body.read(request), request.app[keys.ROAD]
    try:
        if form.text("outcome") not in ("approve", "refuse"):
            raise Invalid("Choose an outcome", field="outcome")
        async with road.pool.acquire() as conn, conn.transaction():
            await openings.decide(
                conn,
                desk.id_of(request),
                approve=form.text("outcome") == "approve",
                statement=form.text("statement"),
                by=person(request).id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
            opening = await openings.get(conn, desk.id_of(request))
            await tell(
                conn,
                [Notice(to=opening.requested_by, code=Code.VAULT_DECIDED, link=f"/admin/vault/{opening.id}")],
                now=road.clock(),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _show(request, papers.refused(error))
    except Invalid as error:
        return await _show(request, error)
    disclosure.wake(road, [opening.requested_by])
    return see_other(request, f"/admin/vault/{opening.id}", say(request, "Decided"))


@needs(role=Role.EDITOR, reach=Reach.ANY, fresh=True)
async def hold(request: web.Request) -> web.Response:
    """Prolongs the bar on telling the person, or lifts it."""
    form, road = await body.read(request), request.app[keys.ROAD]
    try:
        until = _until(form.text("hold_until").strip()) if form.text("act") == "prolong" else None
        if form.text("act") == "prolong" and until is None:
            raise Invalid("Choose a day within a year from now", field="hold_until")
        async with road.pool.acquire() as conn, conn.transaction():
            await openings.set_hold(
                conn,
                desk.id_of(request),
                until=until,
                basis=form.text("hold_basis"),
                by=person(request).id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
            told = await disclosure.tell_of_readings(road, conn, road.clock())
    except ComplianceError as error:
        return await _show(request, papers.refused(error))
    except Invalid as error:
        return await _show(request, error)
    disclosure.wake(road, told)
    return see_other(request, f"/admin/vault/{desk.id_of(request)}", say(request, "Set"))


@needs(role=Role.COMPLIANCE, reach=Reach.ANY, fresh=True)
async def read(request: web.Request) -> web.Response:
    """Shows the papers of an approved request, once. The access is committed before anything is opened."""
    await body.read(request)
    road, me, now = request.app[keys.ROAD], person(request), request.app[keys.CLOCK]()
    opening_id = desk.id_of(request)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            rows = await openings.read(
                conn, opening_id, by=me.id, now=now, source=source_of(request), new_id=road.ids
            )
            told = await disclosure.tell_of_readings(road, conn, road.clock())
            opening = await openings.get(conn, opening_id)
    except ComplianceError as error:
        if str(error) == papers.LOCKED:
            await _note_locked(request)
        return await _show(request, papers.refused(error))
    disclosure.wake(road, told)
    try:
        opened = accesses.opened(rows, road.sealer)
    except SealBroken as error:
        log.error("a sealed paper does not open: %s", error)
        return await _show(request, Conflict(_DOES_NOT_OPEN))
    return await _reading(request, opening, opened, now)


async def _reading(
    request: web.Request, opening: Opening, opened: list[OpenedPaper], now: datetime
) -> web.Response:
    me, host = person(request).me, request.app[keys.URIS].host
    words = f"{me.username}@{host} {now:%Y-%m-%d %H:%M} UTC {opening.case_ref}"
    response = await desk.page(
        request,
        "admin/reading.html",
        "vault",
        opening=opening,
        shown=[await _shown(request, paper, words) for paper in opened],
        across=_across(f"{me.username} {now:%Y-%m-%d %H:%M} UTC"),
        minutes=openings.SHOWN_FOR // timedelta(minutes=1),
        reader=me,
        legend=papers.names_of(request, opening.fields),
    )
    seconds = int(openings.SHOWN_FOR.total_seconds())
    response.headers["Refresh"] = f"{seconds}; url=/admin/vault/{opening.id}"
    return secret(response)


def _across(words: str) -> str:
    """A picture to lie over the page, with the words across all of it."""
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="100%"><defs>'
        '<pattern id="p" width="250" height="36" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(-20)">'
        '<text x="0" y="22" font-family="sans-serif" font-size="15" fill="#8a8a8a" fill-opacity="0.45">'
        f'{escape(words)}</text></pattern></defs><rect width="100%" height="100%" fill="url(#p)"/></svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"


async def _shown(request: web.Request, paper: OpenedPaper, words: str) -> Shown:
    name = say(request, papers.FIELDS[paper.field])
    if paper.field is not Field.SCAN:
        return Shown(name, paper.value.decode(), "")
    try:
        picture = base64.b64encode(await stamp(paper.value, words)).decode()
    except (OSError, ValueError):
        # Not a picture, or one that nobody can decode: its name has to do.
        return Shown(name, f"{paper.name} ({paper.mime}, {len(paper.value)} B)", "")
    return Shown(name, paper.name, f"data:image/jpeg;base64,{picture}")


async def _index(request: web.Request, values: Values, error: AppError | None = None) -> web.Response:
    road, before = request.app[keys.ROAD], number(request.query.get("max_id"))
    now = road.clock()
    async with road.pool.acquire() as conn:
        due = await openings.list_(conn, is_open=True, now=now, limit=_LENGTH)
        over = await openings.list_(conn, is_open=False, now=now, before=before, limit=_LENGTH + 1)
        people = await accounts.load(conn, _people([*due, *over]), uris=road.uris)
    older = f"/admin/vault?max_id={over[_LENGTH - 1].id}" if len(over) > _LENGTH else ""
    return await desk.page(
        request,
        "admin/vault.html",
        "vault",
        status=error.status if error else 200,
        due=[_row(request, opening, people, now) for opening in due],
        over=[_row(request, opening, people, now) for opening in over[:_LENGTH]],
        older=older,
        may_ask=desk.may(request, (Role.COMPLIANCE,)),
        fields=[(field, say(request, words)) for field, words in papers.FIELDS.items()],
        purposes=[(each, say(request, papers.PURPOSES[each])) for each in openings.REQUESTABLE],
        values=values,
        errors=_errors(request, error),
    )


async def _show(request: web.Request, error: AppError | None = None) -> web.Response:
    road, me = request.app[keys.ROAD], person(request)
    now = road.clock()
    async with road.pool.acquire() as conn:
        opening = await desk.found(openings.get(conn, desk.id_of(request)))
        people = await accounts.load(conn, _people([opening]), uris=road.uris)
    is_due = not opening.is_over(now)
    holds = opening.hold_until is not None and opening.hold_until > now
    asked_by_me = opening.requested_by == me.id
    is_editor = desk.may(request, (Role.EDITOR,)) and not asked_by_me
    return await desk.page(
        request,
        "admin/opening.html",
        "vault",
        status=error.status if error else 200,
        opening=opening,
        row=_row(request, opening, people, now),
        legend=papers.names_of(request, opening.fields),
        purpose=say(request, papers.PURPOSES[opening.purpose]),
        asked_by=_handle(people, opening.requested_by),
        decided_by=_handle(people, opening.decided_by),
        may_decide=is_due
        and opening.state is OpeningState.WAITING
        and is_editor
        and opening.account_id != me.id,
        may_read=is_due and opening.state is OpeningState.APPROVED and asked_by_me,
        may_hold=holds and is_editor,
        waits_for_other=is_due and opening.state is OpeningState.WAITING and asked_by_me,
        closes_at=opening.closes_at() if is_due else None,
        errors=_errors(request, error),
    )


def _row(
    request: web.Request, opening: Opening, people: dict[AccountId, AccountView], now: datetime
) -> dict[str, object]:
    is_lost = opening.is_over(now) and opening.state in (OpeningState.WAITING, OpeningState.APPROVED)
    state = mark("not used in time") if is_lost else papers.STATES[opening.state]
    return {
        "path": f"/admin/vault/{opening.id}",
        "whose": _handle(people, opening.account_id),
        "fields": papers.names_of(request, opening.fields),
        "case": opening.case_ref,
        "by": _handle(people, opening.requested_by),
        "at": opening.requested_at,
        "state": say(request, state),
        "look": "" if is_lost else _LOOKS[opening.state],
    }


def _people(found: list[Opening]) -> list[AccountId]:
    return [
        id_ for one in found for id_ in (one.account_id, one.requested_by, one.decided_by) if id_ is not None
    ]


def _handle(people: dict[AccountId, AccountView], id_: AccountId | None) -> str:
    return f"@{people[id_].handle}" if id_ in people else "-"


def _errors(request: web.Request, error: AppError | None) -> list[tuple[str | None, str]]:
    return [(error.field, say(request, error.message, **error.values))] if error else []


def _purpose(text: str) -> Purpose:
    found = next((each for each in openings.REQUESTABLE if each == text), None)
    if found is None:
        raise Invalid("Choose a purpose", field="purpose")
    return found


def _until(text: str) -> datetime | None:
    """The end of that day; `None` where nothing is written."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
    except ValueError:
        raise Invalid("Write the day as 2026-12-31", field="hold_until") from None


async def _note_locked(request: web.Request) -> None:
    road, me = request.app[keys.ROAD], person(request)
    async with road.pool.acquire() as conn, conn.transaction():
        await openings.note_locked(conn, me.id, now=road.clock(), source=source_of(request), new_id=road.ids)
        told = await disclosure.tell_editors(
            road, conn, Code.VAULT_LOCKED, "/admin/vault", besides=me.id, name=me.me.username
        )
    disclosure.wake(road, told)
