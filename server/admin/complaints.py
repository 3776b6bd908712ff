"""Reports and appeals: the lists, and the page on which each is decided with a statement that both sides
read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from compliance import appeals, cases, decisions, reports
from compliance.appeals import AppealState
from compliance.errors import ComplianceError
from compliance.reports import ReportState

from .. import certifying, keys, pipeline
from ..errors import AppError, Invalid
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import cards, wording
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store import accounts, posts
from . import desk

_LENGTH: Final = 40
CATEGORIES: Final = {
    "spam": mark("Advertising, fraud or a fake account"),
    "violation": mark("Breaks a rule of this server"),
    "legal": mark("Against the law"),
    "other": mark("Something else"),
}
_OUTCOMES: Final = {
    ReportState.UPHELD: mark("Upheld"),
    ReportState.DISMISSED: mark("Dismissed"),
}
_APPEAL_OUTCOMES: Final = {
    AppealState.OVERTURNED: mark("Overturned"),
    AppealState.UPHELD: mark("Upheld"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    path: str
    words: str
    facts: tuple[str, ...]
    at: datetime
    state: str = ""
    look: str = ""


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def list_reports(request: web.Request) -> web.Response:
    """Reports that wait, the oldest first."""
    after, uris = number(request.query.get("after")) or 0, request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        waiting = await reports.list_waiting(conn, after=after, limit=_LENGTH + 1)
        people = await accounts.load(conn, [report.target_id for report in waiting], uris=uris)
    rows = [
        Row(
            f"/admin/reports/{report.id}",
            report.comment or say(request, "(no words)"),
            (
                say(request, CATEGORIES.get(report.category, report.category)),
                f"@{people[report.target_id].handle}" if report.target_id in people else "",
                report.code,
            ),
            report.created_at,
        )
        for report in waiting[:_LENGTH]
    ]
    older = f"/admin/reports?after={waiting[_LENGTH - 1].id}" if len(waiting) > _LENGTH else ""
    return await desk.page(
        request,
        "admin/list.html",
        "reports",
        heading=say(request, "Reports"),
        rows=rows,
        empty_words=say(request, "No report waits."),
        older=older,
    )


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def show_report(request: web.Request) -> web.Response:
    """One report with what it is about."""
    return await _show_report(request)


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def decide_report(request: web.Request) -> web.Response:
    """Upholds or dismisses a report."""
    form, road, report_id = await body.read(request), request.app[keys.ROAD], desk.id_of(request)
    try:
        outcome = _outcome(form.text("outcome"), ReportState.UPHELD, ReportState.DISMISSED)
        async with road.pool.acquire() as conn, conn.transaction():
            await reports.decide(
                conn,
                report_id,
                reviewer=person(request).id,
                outcome=ReportState(outcome),
                statement=form.text("statement"),
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _show_report(request, desk.refused(error))
    except Invalid as error:
        return await _show_report(request, error)
    place = "/admin/reports"
    if desk.wants_next(form):
        async with road.pool.acquire() as conn:
            following = await reports.list_waiting(conn, limit=1)
        place = f"/admin/reports/{following[0].id}" if following else place
    return see_other(request, place, say(request, "Decided"))


async def _show_report(request: web.Request, error: AppError | None = None) -> web.Response:
    me, uris = person(request), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        report = await desk.found(reports.get(conn, desk.id_of(request)))
        ids = [id_ for id_ in (report.target_id, report.reporter_id) if id_]
        people = await accounts.load(conn, ids, uris=uris)
        entries = await posts.entries(conn, list(report.posts), me.id, uris=uris)
    reporter = people.get(report.reporter_id) if report.reporter_id else None
    return await desk.page(
        request,
        "admin/report.html",
        "reports",
        status=error.status if error else 200,
        report=report,
        category=say(request, CATEGORIES.get(report.category, report.category)),
        reporter=f"@{reporter.handle}" if reporter else say(request, "somebody without an account"),
        target=people[report.target_id],
        cards=cards.of(request, entries),
        own=me.id in (report.reporter_id, report.target_id),
        outcome=say(request, _OUTCOMES[report.state]) if report.state in _OUTCOMES else "",
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


@needs(role=desk.APPEALS, reach=Reach.ANY)
async def list_appeals(request: web.Request) -> web.Response:
    """Appeals that wait, the oldest first."""
    after, uris = number(request.query.get("after")) or 0, request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        waiting = await appeals.list_waiting(conn, after=after, limit=_LENGTH + 1)
        people = await accounts.load(conn, [appeal.account_id for appeal in waiting], uris=uris)
    rows = [
        Row(
            f"/admin/appeals/{appeal.id}",
            appeal.words,
            (f"@{people[appeal.account_id].handle}" if appeal.account_id in people else "",),
            appeal.created_at,
        )
        for appeal in waiting[:_LENGTH]
    ]
    older = f"/admin/appeals?after={waiting[_LENGTH - 1].id}" if len(waiting) > _LENGTH else ""
    return await desk.page(
        request,
        "admin/list.html",
        "appeals",
        heading=say(request, "Appeals"),
        rows=rows,
        empty_words=say(request, "No appeal waits."),
        older=older,
    )


@needs(role=desk.APPEALS, reach=Reach.ANY)
async def show_appeal(request: web.Request) -> web.Response:
    """One appeal with the decision it is against."""
    return await _show_appeal(request)


@needs(role=desk.APPEALS, reach=Reach.ANY)
async def decide_appeal(request: web.Request) -> web.Response:
    """Overturns or upholds the decision. What was kept of overturned words goes down the road again."""
    form, road, appeal_id = await body.read(request), request.app[keys.ROAD], desk.id_of(request)
    source, after_commit = source_of(request), None
    try:
        outcome = _outcome(form.text("outcome"), AppealState.OVERTURNED, AppealState.UPHELD)
        async with road.pool.acquire() as conn, conn.transaction():
            again = await appeals.decide(
                conn,
                appeal_id,
                decider=person(request).id,
                outcome=AppealState(outcome),
                statement=form.text("statement"),
                now=road.clock(),
                accounts_per_identity=road.settings.identity.accounts_per_identity,
                source=source,
                new_id=road.ids,
            )
            if again is not None:
                activity, direction = again
                _, after_commit = await pipeline.resubmit(conn, road, activity, direction, source=source)
    except ComplianceError as error:
        return await _show_appeal(request, desk.refused(error))
    except Invalid as error:
        return await _show_appeal(request, error)
    if after_commit is not None:
        after_commit()
    await certifying.settle(road)
    place = "/admin/appeals"
    if desk.wants_next(form):
        async with road.pool.acquire() as conn:
            following = await appeals.list_waiting(conn, limit=1)
        place = f"/admin/appeals/{following[0].id}" if following else place
    return see_other(request, place, say(request, "Decided"))


async def _show_appeal(request: web.Request, error: AppError | None = None) -> web.Response:
    me, uris = person(request), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        appeal = await desk.found(appeals.get(conn, desk.id_of(request)))
        decision = await desk.found(decisions.get(conn, appeal.decision_id))
        case = await cases.find_about(conn, decision.actor_id, decision.id)
        author = await accounts.get(conn, appeal.account_id, uris=uris)
    statement = (case.statement if case else None) or decision.statement or ""
    states: list[tuple[str, datetime | None, str, bool]] = [
        (say(request, "Refused"), decision.created_at, statement, False),
        (say(request, "Appealed"), appeal.created_at, "", appeal.state is AppealState.WAITING),
    ]
    if appeal.state in _APPEAL_OUTCOMES:
        said = say(request, _APPEAL_OUTCOMES[appeal.state])
        states.append((said, appeal.decided_at, appeal.statement or "", True))
    return await desk.page(
        request,
        "admin/appeal.html",
        "appeals",
        status=error.status if error else 200,
        appeal=appeal,
        decision=decision,
        reason=wording.title(request, decision.reason),
        kind=wording.kind(request, decision.kind),
        fields=wording.fields(request, case.activity if case else None, decision.findings),
        author=author,
        states=states,
        own=me.id in (appeal.account_id, decision.decided_by, case.decided_by if case else None),
        outcome=say(request, _APPEAL_OUTCOMES[appeal.state]) if appeal.state in _APPEAL_OUTCOMES else "",
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


def _outcome(text: str, *allowed: str) -> str:
    if text not in allowed:
        raise Invalid("Choose an outcome", field="outcome")
    return text
