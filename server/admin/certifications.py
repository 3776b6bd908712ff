"""Applications for certification: the claims beside the papers and beside what is known, and the decision.

Papers are opened for whoever has taken the application, each opening is a record, and every picture carries
across it who looks at it, when and what for. Nobody decides about their own side.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import hdrs, web

from compliance import applications, approvals, identity, openings, steps, submitting
from compliance.activity import AccountId
from compliance.applications import VAULT_FIELDS, WAITING, Application, State
from compliance.approvals import Looked, Match
from compliance.claims import is_sealed
from compliance.errors import ComplianceError
from compliance.paperwork import FieldName, Kind

from .. import certifying, identities, keys
from ..errors import AppError, Forbidden, Invalid, NotFound
from ..http import body
from ..http.auth import person
from ..http.body import Body
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..media import stamp
from ..pages import certificates, render
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store import accounts
from . import deciding, desk

_LENGTH: Final = 40
_PURPOSE: Final = mark("for certification of @%(name)s only")
_LOOK_AHEAD: Final = 40
_OUTCOMES: Final = ("approve", "more", "decline")
_FIELD: Final = "field:"
_NO_STORE: Final = {hdrs.CACHE_CONTROL: "no-store, private", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue."""

    id: int
    words: str
    class_: str
    kind: str
    author: str
    state: str
    at: datetime | None
    taken: str


@dataclass(frozen=True, slots=True)
class Line:
    """One claimed field, beside what is known."""

    name: str
    label: str
    value: str
    match: str
    match_words: str
    known: str
    """What the verified identity says, masked."""
    is_sealed: bool
    agrees: bool
    resolved: str


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def queue(request: web.Request) -> web.Response:
    """What waits, the oldest first."""
    after, now, uris = (
        number(request.query.get("after")) or 0,
        request.app[keys.CLOCK](),
        request.app[keys.URIS],
    )
    async with request.app[keys.POOL].acquire() as conn:
        waiting = await approvals.list_waiting(conn, after=after, limit=_LENGTH + 1)
        total = await approvals.count_waiting(conn)
        ids = [one.account_id for one in waiting] + [one.taken_by for one in waiting if one.taken_by]
        people = await accounts.load(conn, ids, uris=uris)
        kinds = await applications.kinds_of(conn, waiting)
    rows = [
        Row(
            one.id,
            people[one.account_id].name if one.account_id in people else "",
            say(request, certificates.CLASSES[one.class_]),
            kinds[one.id].title.to(locale_of(request)),
            people[one.account_id].handle if one.account_id in people else "",
            say(request, certificates.STATES[one.state]),
            one.submitted_at,
            people[one.taken_by].username if one.taken_by in people and one.is_taken(now) else "",
        )
        for one in waiting[:_LENGTH]
    ]
    older = f"/admin/certifications?after={rows[-1].id}" if len(waiting) > _LENGTH else ""
    return await desk.page(
        request, "admin/certifications.html", "certifications", rows=rows, total=total, older=older
    )


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def take_next(request: web.Request) -> web.Response:
    """Leads to the oldest application that this person may decide about and nobody else has."""
    found = await _next(request)
    return see_other(request, f"/admin/certifications/{found}" if found else "/admin/certifications")


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One application; its sealed claims are opened for whoever has taken it."""
    return await _show(request)


@needs(role=desk.CHECK, reach=Reach.ANY)
async def take(request: web.Request) -> web.Response:
    """Takes the application, so that nobody else works on it meanwhile."""
    road, application_id = request.app[keys.ROAD], desk.id_of(request)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await approvals.take(
                conn,
                application_id,
                person(request).id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except ComplianceError as error:
        raise desk.refused(error) from None
    return see_other(request, f"/admin/certifications/{application_id}")


@needs(role=desk.CHECK, reach=Reach.ANY)
async def paper(request: web.Request) -> web.Response:
    """One picture of a paper, with whoever looks at it written across. It is opened for this one time."""
    road, me = request.app[keys.ROAD], person(request)
    now = road.clock()
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            one = await desk.found(applications.get(conn, desk.id_of(request)))
            paper_id = one.find_paper(number(request.match_info["paper"]))
            if paper_id is None or not _is_mine(one, me.id, now):
                raise NotFound
            [opened] = await openings.read_for_review(
                conn,
                [paper_id],
                reviewer=me.id,
                case=one.about,
                sealer=road.sealer,
                now=now,
                source=source_of(request),
                new_id=road.ids,
            )
            subject = await accounts.get(conn, one.account_id, uris=road.uris)
    except ComplianceError as error:
        raise desk.refused(error) from None
    if not opened.mime.startswith("image/"):
        raise NotFound
    who, purpose = f", @{me.me.username}, {now:%Y-%m-%d %H:%M} UTC", {"name": subject.username}
    words = stamp.legible(say(request, _PURPOSE, **purpose) + who, _PURPOSE % purpose + who)
    return web.Response(
        body=await stamp.stamp(opened.value, words), content_type="image/jpeg", headers=_NO_STORE
    )


@needs(role=desk.CHECK, reach=Reach.ANY)
async def decide(request: web.Request) -> web.Response:
    """Approves or checks the application, asks for more, or turns it down."""
    form, application_id = await body.read(request), desk.id_of(request)
    try:
        flash = await _decide(request, application_id, form)
    except ComplianceError as error:
        return await _show(request, form=form, error=desk.refused(error))
    except (Invalid, Forbidden) as error:
        return await _show(request, form=form, error=error)
    await certifying.settle(request.app[keys.ROAD])
    following = await _next(request) if desk.wants_next(form) else None
    place = f"/admin/certifications/{following}" if following else "/admin/certifications"
    return see_other(request, place, say(request, flash))


async def _decide(request: web.Request, application_id: int, form: Body) -> str:
    outcome, words = form.text("outcome"), form.text("statement")
    if outcome not in _OUTCOMES:
        raise Invalid("Choose an outcome", field="outcome")
    if outcome == "more":
        await deciding.ask(request, application_id, words)
        return mark("Asked for more")
    if outcome == "decline":
        await deciding.decline(request, application_id, form)
        return mark("Declined")
    return await deciding.approve(request, application_id, _looked(form))


def _looked(form: Body) -> Looked:
    return Looked(
        agrees=frozenset(FieldName(name) for name in form.texts("agrees") if name in set(FieldName)),
        resolved={name: form.text(f"resolved-{name}") for name in FieldName if form.text(f"resolved-{name}")},
        remark=form.text("statement"),
    )


def _is_mine(one: Application, me: AccountId, now: datetime) -> bool:
    return one.taken_by == me and one.is_taken(now) and one.state in WAITING


async def _next(request: web.Request) -> int | None:
    me, now = person(request).id, request.app[keys.CLOCK]()
    async with request.app[keys.POOL].acquire() as conn:
        for one in await approvals.list_waiting(conn, limit=_LOOK_AHEAD):
            is_free = not one.is_taken(now) or one.taken_by == me
            if is_free and await approvals.bar(conn, one, me) is None:
                return one.id
    return None


async def _show(
    request: web.Request, *, form: Body | None = None, error: AppError | None = None
) -> web.Response:
    try:
        return await _page(request, form, error)
    except ComplianceError as refusal:
        # The vault gives nothing out: too much was opened in a day, or the case was decided meanwhile.
        raise desk.refused(refusal) from None


async def _page(request: web.Request, form: Body | None, error: AppError | None) -> web.Response:
    road, me, now = request.app[keys.ROAD], person(request), request.app[keys.CLOCK]()
    async with road.pool.acquire() as conn, conn.transaction():
        one = await desk.found(applications.get(conn, desk.id_of(request)))
        kind = await applications.kind_of(conn, one)
        way = await steps.list_(conn, one.id)
        compared = await approvals.compare(conn, one)
        same = await approvals.duplicates(conn, one) if one.submitted_at else []
        barred = await approvals.bar(conn, one, me.id)
        mine = _is_mine(one, me.id, now) and barred is None and desk.may(request, desk.CHECK)
        known = await identity.get(conn, one.account_id)
        masked = await submitting.known_masked(conn, one.account_id)
        applicant = await identity.get(conn, one.by_id)
        ids = [one.account_id, one.by_id, *same, *(step.by_id for step in way if step.by_id)]
        ids += [one.taken_by] if one.taken_by else []
        people = await accounts.load(conn, ids, uris=road.uris)
        opened = await deciding.read_fields(request, conn, one) if mine else {}
    looked = _looked(form) if form is not None else Looked(agrees=frozenset(), resolved={})
    names = {id_: view.username for id_, view in people.items()}
    response = await desk.page(
        request,
        "admin/certification.html",
        "certifications",
        status=error.status if error else 200,
        one=one,
        subject=people[one.account_id],
        applicant=people.get(one.by_id),
        class_words=say(request, certificates.CLASSES[one.class_]),
        kind_title=kind.title.to(locale_of(request)),
        state_words=say(request, certificates.STATES[one.state]),
        waits=one.state in WAITING,
        lines=_lines(
            request,
            kind,
            one,
            matches={each.field: each.match for each in compared},
            opened=opened,
            masked=masked,
            looked=looked,
        ),
        slots=certificates.slots(request, kind, one),
        asked=one.claims.get("asked"),
        known=say(request, identities.STATES[known.state]),
        known_applicant=say(request, identities.STATES[applicant.state]),
        duplicates=[people[each] for each in same if each in people],
        states=certificates.timeline(request, way, names),
        agreement=one.agreement,
        mine=mine,
        barred=say(request, desk.said(barred)) if barred else "",
        may_take=desk.may(request, desk.CHECK),
        may_certify=desk.may(request, desk.CERTIFY),
        first_of_two=approvals.needs_another(one, kind) or not desk.may(request, desk.CERTIFY),
        four_eyes=kind.four_eyes,
        first_note=one.first_note if one.state is State.SECOND else "",
        taken_by=names.get(one.taken_by or AccountId(0), "")
        if one.is_taken(now) and one.taken_by != me.id
        else "",
        grounds=[(ground.value, say(request, words)) for ground, words in certificates.GROUNDS.items()],
        outcome_chosen=form.text("outcome") if form else "",
        ground_chosen=form.text("ground") if form else "",
        statement=form.text("statement") if form else "",
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )
    return render.secret(response) if mine else response


def _lines(
    request: web.Request,
    kind: Kind,
    one: Application,
    *,
    matches: dict[FieldName, Match],
    opened: dict[FieldName, str],
    masked: dict[str, str],
    looked: Looked,
) -> list[Line]:
    found = []
    for name in (*kind.fields, *kind.optional):
        value = opened.get(name) or one.claims.get(name, "")
        if not value:
            continue
        match = matches.get(name, Match.UNKNOWN)
        found.append(
            Line(
                name.value,
                say(request, certificates.FIELDS[name]),
                value,
                match.value,
                say(request, certificates.MATCHES[match]),
                masked.get(VAULT_FIELDS[name], "") if name in VAULT_FIELDS else "",
                is_sealed(name),
                name in looked.agrees,
                looked.resolved.get(name, ""),
            )
        )
    return found
