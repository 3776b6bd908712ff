"""What is certified, and its end before its time; and the papers that applications are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from compliance import certification, paperwork
from compliance.certification import State
from compliance.claims import Ground
from compliance.errors import ComplianceError
from compliance.paperwork import InvalidPaperwork

from .. import certifying, keys
from ..errors import AppError, Invalid
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..pages import certificates
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store import accounts
from . import desk

_LENGTH: Final = 40
_LOOKS: Final = {State.ACTIVE: "ok", State.EXPIRED: "warn", State.REVOKED: "danger"}
_FORM: Final = 2 * paperwork.MAX_BYTES + 4096


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    path: str
    words: str
    facts: tuple[str, ...]
    at: datetime
    state: str
    look: str


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def index(request: web.Request) -> web.Response:
    """Certifications, newest first, of one state where asked."""
    before, asked = number(request.query.get("before")), request.query.get("state", "")
    state = State(asked) if asked in set(State) else None
    async with request.app[keys.POOL].acquire() as conn:
        listed = await certification.list_(conn, state=state, before=before, limit=_LENGTH + 1)
        people = await accounts.load(conn, [one.account_id for one in listed], uris=request.app[keys.URIS])
    rows = [
        Row(
            f"/admin/certifications/held/{one.id}",
            one.label,
            (
                say(request, certificates.CLASSES[one.class_]),
                f"@{people[one.account_id].handle}" if one.account_id in people else "",
                say(request, "until %(day)s", day=f"{one.expires_at:%Y-%m-%d}"),
            ),
            one.certified_at,
            say(request, certificates.CERTIFICATIONS[one.state]),
            _LOOKS[one.state],
        )
        for one in listed[:_LENGTH]
    ]
    query = f"&state={state}" if state else ""
    older = (
        f"/admin/certifications/held?before={listed[_LENGTH - 1].id}{query}" if len(listed) > _LENGTH else ""
    )
    return await desk.page(
        request,
        "admin/list.html",
        "certifications",
        heading=say(request, "Certified accounts"),
        rows=rows,
        empty_words=say(request, "Nothing is certified yet."),
        older=older,
    )


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One certification, and the form that ends it."""
    return await _show(request)


@needs(role=desk.REVOKE, reach=Reach.ANY, fresh=True)
async def revoke(request: web.Request) -> web.Response:
    """Withdraws a certification, with reasons that its holder can appeal against."""
    form, road, now = await body.read(request), request.app[keys.ROAD], request.app[keys.CLOCK]()
    ground, statement = form.text("ground"), form.text("statement")
    try:
        if ground not in set(Ground):
            raise Invalid("Choose a reason from the list", field="ground")
        if not statement.strip():
            raise Invalid("A refusal needs a statement of reasons", field="statement")
        async with road.pool.acquire() as conn, conn.transaction():
            held = await desk.found(certification.get(conn, desk.id_of(request)))
            decision_id = await certification.revoke(
                conn,
                held.id,
                ground=Ground(ground),
                statement=statement,
                by=person(request).id,
                now=now,
                source=source_of(request),
                new_id=road.ids,
            )
            told = await certifying.tell_decision(
                road, conn, held.account_id, held.class_, decision_id, now=now
            )
    except ComplianceError as error:
        return await _show(request, desk.refused(error), ground=ground, statement=statement)
    except Invalid as error:
        return await _show(request, error, ground=ground, statement=statement)
    certifying.wake(road, told)
    await certifying.settle(road)
    return see_other(request, "/admin/certifications/held", say(request, "Withdrawn"))


async def _show(
    request: web.Request, error: AppError | None = None, *, ground: str = "", statement: str = ""
) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        held = await desk.found(certification.get(conn, desk.id_of(request)))
        subject = await accounts.get(conn, held.account_id, uris=request.app[keys.URIS])
    return await desk.page(
        request,
        "admin/certificate.html",
        "certifications",
        status=error.status if error else 200,
        held=held,
        subject=subject,
        class_words=say(request, certificates.CLASSES[held.class_]),
        state_words=say(request, certificates.CERTIFICATIONS[held.state]),
        checked_words=say(request, certificates.CHECKED.get(held.checked_by, held.checked_by)),
        revoked_words=say(request, certificates.GROUNDS[Ground(held.revoked_reason)])
        if held.revoked_reason
        else "",
        may_revoke=desk.may(request, desk.REVOKE) and held.state is State.ACTIVE,
        grounds=[(each.value, say(request, words)) for each, words in certificates.GROUNDS.items()],
        ground_chosen=ground,
        statement=statement,
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


@needs(role=desk.REVIEW, reach=Reach.ANY)
async def papers(request: web.Request) -> web.Response:
    """Which papers each kind of subject must bring, as they are in force."""
    return await _papers(request)


@needs(role=desk.CHANGE_RULES, reach=Reach.ANY, body=_FORM, fresh=True)
async def import_papers(request: web.Request) -> web.Response:
    """Puts other papers in force, for applications that begin from now on."""
    form, road = await body.read(request), request.app[keys.ROAD]
    text = form.text("text").replace("\r\n", "\n")
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            version = await paperwork.import_(
                conn,
                text,
                by=person(request).id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except InvalidPaperwork as error:
        return await _papers(request, text, Invalid(str(error).replace("%", "%%"), field="text"))
    flash = say(request, "Version %(version)s is in force", version=version)
    return see_other(request, "/admin/certifications/papers", flash)


async def _papers(request: web.Request, text: str = "", error: Invalid | None = None) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        versions = await paperwork.list_(conn)
    current = versions[0]
    listed = [(say(request, certificates.CLASSES[kind.class_]), kind) for kind in current.paperwork.kind]
    return await desk.page(
        request,
        "admin/certification_papers.html",
        "certifications",
        status=error.status if error else 200,
        current=current,
        listed=listed,
        versions=versions,
        field_words={name.value: say(request, words) for name, words in certificates.FIELDS.items()},
        text=text or current.body,
        may_change=desk.may(request, desk.CHANGE_RULES),
        errors=[(error.field, str(error.message).replace("%%", "%"))] if error else [],
    )
