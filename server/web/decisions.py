"""What was held back or refused of one's own, why, and the appeal against it (design rule: nothing is
silent).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from compliance import appeals, cases, decisions, reasons
from compliance.appeals import Appeal, AppealState
from compliance.cases import Case
from compliance.decisions import Decision
from compliance.errors import NotAllowed
from compliance.errors import NotFound as NoSuchThing
from compliance.verdict import DecisionId, Reason

from .. import keys
from ..errors import AppError, Conflict, NotFound
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import render, windows, wording
from ..pages.render import say, see_other
from .composer import Answer
from .signup import errors_of

_LENGTH: Final = 30
_CASE_STATES: Final = {
    "released": mark("A person released it"),
    "refused": mark("A person refused it"),
    "withdrawn": mark("You withdrew it"),
}
_APPEAL_STATES: Final = {
    AppealState.OVERTURNED: mark("The appeal was right: the decision is overturned"),
    AppealState.UPHELD: mark("The appeal was turned down: the decision stands"),
}

State = tuple[str, datetime | None, str, bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    id: int
    words: str
    title: str
    state: str
    look: str
    at: datetime


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def index(request: web.Request) -> web.Response:
    """Everything of one's own that was not let through at once."""
    me, max_id = person(request), windows.number(request.query.get("max_id"))
    async with request.app[keys.POOL].acquire() as conn:
        found = await decisions.list_for(conn, me.id, max_id=max_id, limit=_LENGTH + 1)
        words = {case.decision_id: case.words for case in await cases.list_for(conn, me.id, limit=200)}
    rows = [
        Row(
            decision.id,
            words.get(decision.id, ""),
            f"{wording.kind(request, decision.kind)}: {wording.title(request, decision.reason)}",
            say(request, wording.VERDICTS[decision.verdict]),
            wording.LOOKS[decision.verdict],
            decision.created_at,
        )
        for decision in found[:_LENGTH]
    ]
    older = f"/my/decisions?max_id={rows[-1].id}" if len(found) > _LENGTH else ""
    return await render.page(request, "web/decisions.html", section="decisions", rows=rows, older=older)


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """One decision, with everything its author may know."""
    return await _show(request)


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def appeal(request: web.Request) -> web.Response:
    """Asks for somebody else to look at it."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    decision_id, words = _id(request), form.text("words")
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await appeals.open_(
                conn,
                decision_id,
                me.id,
                words,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except NoSuchThing:
        raise NotFound from None
    except NotAllowed:
        error = Conflict("This cannot be appealed any more, or the words are missing", field="words")
        return await _show(request, words=words, error=error)
    return see_other(request, f"/my/decisions/{decision_id}", say(request, "Your appeal is on its way"))


async def _show(request: web.Request, *, words: str = "", error: AppError | None = None) -> web.Response:
    me, decision_id = person(request), _id(request)
    async with request.app[keys.POOL].acquire() as conn:
        try:
            decision = await decisions.get(conn, decision_id)
        except NoSuchThing:
            raise NotFound from None
        if decision.actor_id != me.id or decision.verdict == decisions.CLEARED:
            raise NotFound
        case = await cases.find_about(conn, me.id, decision_id)
        made = await appeals.find_against(conn, decision_id)
    return await render.page(
        request,
        "web/decision.html",
        status=error.status if error else 200,
        section="decisions",
        decision=decision,
        answer=_answer(request, decision, case),
        kind=wording.kind(request, decision.kind),
        category=next((found.category for found in decision.findings if found.category), ""),
        fields=wording.fields(request, case.activity if case else None, decision.findings),
        states=_states(request, decision, case, made),
        may_appeal=decision.verdict == decisions.REFUSED and made is None,
        words=words,
        errors=errors_of(request, error),
    )


def _id(request: web.Request) -> DecisionId:
    found = windows.number(request.match_info["id"])
    if found is None:
        raise NotFound
    return DecisionId(found)


def _answer(request: web.Request, decision: Decision, case: Case | None) -> Answer:
    text = reasons.TEXTS[decision.reason or Reason.CHECK_FAILED]
    statement = decision.statement or ""
    if case and case.outcome_id == decision.id and case.statement:
        statement = case.statement
    return Answer(
        state=decision.verdict,
        title=say(request, text.title),
        happened=say(request, text.happened),
        next_step=say(request, text.next_step),
        article=decision.article or "",
        quote=statement,
    )


def _states(request: web.Request, decision: Decision, case: Case | None, made: Appeal | None) -> list[State]:
    held = decision.verdict == decisions.HELD
    states: list[State] = [
        (
            say(request, "Held back for review") if held else say(request, "Refused"),
            decision.created_at,
            "",
            False,
        )
    ]
    if case is not None and held:
        if case.state == "waiting":
            states.append((say(request, "Waits for a person to look at it"), None, "", True))
        else:
            states.append(
                (say(request, _CASE_STATES[case.state]), case.decided_at, case.statement or "", True)
            )
    if made is not None:
        waits = made.state is AppealState.WAITING
        states.append((say(request, "You appealed"), made.created_at, made.words, waits))
        if not waits:
            words = say(request, _APPEAL_STATES[made.state])
            states.append((words, made.decided_at, made.statement or "", True))
    return states
