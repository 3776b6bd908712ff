"""The review queue: take a case, look at it, release or refuse it with a statement, and on to the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from compliance import cases, decisions
from compliance.activity import AccountId, Attachment, Create, Update, UpdateProfile, Upload
from compliance.cases import Case
from compliance.decisions import Decision
from compliance.errors import ComplianceError
from compliance.verdict import CaseId

from .. import keys, pipeline
from ..errors import AppError, Invalid
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import wording
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store import accounts
from . import desk

_LENGTH: Final = 40
_LOOK_AHEAD: Final = 40
_STATES: Final = {
    "released": mark("Released"),
    "refused": mark("Refused"),
    "withdrawn": mark("Withdrawn by its author"),
}
State = tuple[str, datetime | None, str, bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue."""

    id: int
    words: str
    reason: str
    category: str
    kind: str
    author: str
    source: str
    at: datetime
    claimed: str


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def queue(request: web.Request) -> web.Response:
    """What waits, the oldest first."""
    after, now, uris = (
        number(request.query.get("after")) or 0,
        request.app[keys.CLOCK](),
        request.app[keys.URIS],
    )
    async with request.app[keys.POOL].acquire() as conn:
        waiting = await cases.list_waiting(conn, after=after, limit=_LENGTH + 1)
        total = await cases.count_waiting(conn)
        ids = [case.actor_id for case in waiting] + [case.claimed_by for case in waiting if case.claimed_by]
        people = await accounts.load(conn, ids, uris=uris)
    rows = [
        Row(
            case.id,
            case.words,
            wording.title(request, case.reason),
            next((finding.category for finding in case.findings if finding.category), ""),
            wording.kind(request, case.kind),
            people[case.actor_id].handle if case.actor_id in people else "",
            _source(request, case),
            case.created_at,
            _holder(case, now, {id_: view.username for id_, view in people.items()}),
        )
        for case in waiting[:_LENGTH]
    ]
    older = f"/admin/queue?after={rows[-1].id}" if len(waiting) > _LENGTH else ""
    return await desk.page(request, "admin/queue.html", "queue", rows=rows, total=total, older=older)


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def take_next(request: web.Request) -> web.Response:
    """Leads to the oldest case that nobody has and that is not one's own."""
    found = await _next(request)
    return see_other(request, f"/admin/queue/{found}" if found else "/admin/queue")


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One case, with all that is needed to decide it."""
    return await _show(request)


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def claim(request: web.Request) -> web.Response:
    """Takes the case, so that nobody else works on it meanwhile."""
    road, case_id = request.app[keys.ROAD], CaseId(desk.id_of(request))
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await cases.claim(
                conn,
                case_id,
                person(request).id,
                road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except ComplianceError as error:
        raise desk.refused(error) from None
    return see_other(request, f"/admin/queue/{case_id}")


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def decide(request: web.Request) -> web.Response:
    """Releases or refuses the case. A released one goes down the road again, in the same transaction."""
    form, case_id = await body.read(request), CaseId(desk.id_of(request))
    outcome, statement = form.text("outcome"), form.text("statement")
    try:
        if outcome not in ("release", "refuse"):
            raise Invalid("Choose an outcome", field="outcome")
        if outcome == "refuse" and not statement.strip():
            raise Invalid("A refusal needs a statement of reasons", field="statement")
        await _decide(request, case_id, statement, release=outcome == "release")
    except ComplianceError as error:
        return await _show(request, outcome=outcome, statement=statement, error=desk.refused(error))
    except Invalid as error:
        return await _show(request, outcome=outcome, statement=statement, error=error)
    flash = say(request, "Released") if outcome == "release" else say(request, "Refused")
    following = await _next(request) if desk.wants_next(form) else None
    return see_other(request, f"/admin/queue/{following}" if following else "/admin/queue", flash)


async def _decide(request: web.Request, case_id: CaseId, statement: str, *, release: bool) -> None:
    road, me, source = request.app[keys.ROAD], person(request), source_of(request)
    after_commit = None
    async with road.pool.acquire() as conn, conn.transaction():
        now = road.clock()
        if release:
            activity, direction = await cases.release(
                conn,
                case_id,
                reviewer=me.id,
                statement=statement,
                now=now,
                source=source,
                new_id=road.ids,
            )
            _, after_commit = await pipeline.resubmit(conn, road, activity, direction, source=source)
        else:
            await cases.refuse(
                conn,
                case_id,
                reviewer=me.id,
                statement=statement,
                now=now,
                source=source,
                new_id=road.ids,
            )
    if after_commit is not None:
        after_commit()


async def _next(request: web.Request) -> CaseId | None:
    me, now = person(request).id, request.app[keys.CLOCK]()
    async with request.app[keys.POOL].acquire() as conn:
        for case in await cases.list_waiting(conn, limit=_LOOK_AHEAD):
            if case.actor_id != me and (not _is_claimed(case, now) or case.claimed_by == me):
                return case.id
    return None


async def _show(
    request: web.Request, *, outcome: str = "", statement: str = "", error: AppError | None = None
) -> web.Response:
    me, uris, now = person(request), request.app[keys.URIS], request.app[keys.CLOCK]()
    async with request.app[keys.POOL].acquire() as conn:
        case = await desk.found(cases.get(conn, CaseId(desk.id_of(request))))
        decision = await desk.found(decisions.get(conn, case.decision_id))
        ids = [case.actor_id, *(id_ for id_ in (case.claimed_by, case.decided_by) if id_)]
        people = await accounts.load(conn, ids, uris=uris)
    held = _is_claimed(case, now)
    names = {id_: view.username for id_, view in people.items()}
    return await desk.page(
        request,
        "admin/case.html",
        "queue",
        status=error.status if error else 200,
        case=case,
        decision=decision,
        author=people[case.actor_id],
        reason=wording.title(request, case.reason),
        article=decision.article,
        kind=wording.kind(request, case.kind),
        source=_source(request, case),
        findings=case.findings,
        fields=wording.fields(request, case.activity, case.findings) or [("", [(False, case.words)])],
        pictures=_pictures(case),
        states=_states(request, case, decision, names),
        outcome=say(request, _STATES.get(case.state, "")),
        own=case.actor_id == me.id,
        mine=held and case.claimed_by == me.id,
        claimed_by_other=names.get(case.claimed_by or AccountId(0), "")
        if held and case.claimed_by != me.id
        else "",
        may_see_account=desk.may(request, desk.ACCOUNTS),
        outcome_chosen=outcome,
        statement=statement,
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


def _states(request: web.Request, case: Case, decision: Decision, names: dict[AccountId, str]) -> list[State]:
    version = say(request, "by rule set version %(version)s", version=decision.rule_version)
    states: list[State] = [(say(request, "Held back for review"), case.created_at, version, False)]
    if case.claimed_by is not None:
        name = names.get(case.claimed_by, "")
        states.append((say(request, "Taken by @%(name)s", name=name), None, "", case.decided_at is None))
    if case.decided_at is not None:
        name = names.get(case.decided_by or AccountId(0), "")
        words = say(request, _STATES.get(case.state, "")) + (f" · @{name}" if name else "")
        states.append((words, case.decided_at, case.statement or "", True))
    return states


def _pictures(case: Case) -> list[Attachment]:
    match case.activity:
        case Create(note=note) | Update(note=note):
            return list(note.attachments)
        case Upload(attachment=attachment):
            return [attachment]
        case UpdateProfile(profile=profile):
            return [picture for picture in (profile.avatar, profile.header) if picture]
        case _:
            return []


def _source(request: web.Request, case: Case) -> str:
    return say(request, "from another server") if case.direction == "in" else say(request, "from here")


def _is_claimed(case: Case, now: datetime) -> bool:
    return case.claimed_by is not None and case.claimed_until is not None and case.claimed_until > now


def _holder(case: Case, now: datetime, names: dict[AccountId, str]) -> str:
    return names.get(case.claimed_by or AccountId(0), "") if _is_claimed(case, now) else ""
