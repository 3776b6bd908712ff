"""Filings: what is owed and until when, drafts to check and release, what was handed over, what came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from aiohttp import hdrs, web

from compliance import filings, owed, places, records
from compliance.classes import CertClass
from compliance.errors import ComplianceError
from compliance.filings import Filing, State
from compliance.owed import Key, Kind
from compliance.places import Authority
from compliance.records import Entry, RecordKind

from .. import handover, keys
from ..errors import AppError, Invalid
from ..http import body
from ..http.auth import person
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..pages import environment, filingdoc
from ..pages.assets import ASSETS
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store import accounts
from . import desk

_LENGTH: Final = 40
_ASSESSMENT: Final = ("feature", "version", "assessed_on", "result", "reference")
_LOOKS: Final = {
    State.DRAFTED: "warn",
    State.RELEASED: "warn",
    State.SUBMITTED: "",
    State.ACKNOWLEDGED: "ok",
    State.RETURNED: "danger",
    State.WITHDRAWN: "",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One filing in a list."""

    id: int
    title: str
    state: str
    look: str
    filing: Filing


@needs(role=desk.SEE_FILINGS, reach=Reach.ANY)
async def index(request: web.Request) -> web.Response:
    """What is to be filed, and what was."""
    return await _index(request)


@needs(role=desk.FILE, reach=Reach.ANY)
async def draft(request: web.Request) -> web.Response:
    """Drafts one thing that is filed by itself."""
    form, road = await body.read(request), request.app[keys.ROAD]
    try:
        key = _key(form.text("kind"), form.text("province"), form.text("class"))
        async with road.pool.acquire() as conn, conn.transaction():
            made = await handover.draft(conn, road, key, by=person(request).id, source=source_of(request))
    except ComplianceError as error:
        return await _index(request, desk.refused(error))
    except AppError as error:
        return await _index(request, error)
    if made is None:
        return see_other(request, "/admin/filings", say(request, "There is nothing to file"))
    flash = say(request, "Drafted") if made.is_new else say(request, "Nothing has changed since this one")
    return see_other(request, f"/admin/filings/{made.filing.id}", flash)


@needs(role=desk.FILE, reach=Reach.ANY)
async def assess(request: web.Request) -> web.Response:
    """Notes that a feature was assessed."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    values = {name: form.text(name) for name in _ASSESSMENT}
    try:
        if values["result"] not in filingdoc.RESULTS:
            raise Invalid("Choose a result", field="result")
        try:
            day = date.fromisoformat(values["assessed_on"])
        except ValueError:
            raise Invalid("Write the day as 2026-01-31", field="assessed_on") from None
        id_, now = road.ids(), road.clock()
        async with road.pool.acquire() as conn, conn.transaction():
            await owed.record_assessment(
                conn,
                id_,
                feature=values["feature"],
                version=values["version"],
                assessed_on=day,
                result=values["result"],
                reference=values["reference"],
                by=me.id,
                now=now,
            )
            kind, detail = RecordKind.ASSESSMENT_RECORD, {"feature": values["feature"].strip()}
            entry = Entry(kind, me.id, str(id_), source=source_of(request), detail=detail)
            await records.write(conn, [entry], now=now, new_id=road.ids)
    except ComplianceError as error:
        return await _index(request, desk.refused(error), values)
    except Invalid as error:
        return await _index(request, error, values)
    return see_other(request, "/admin/filings", say(request, "Recorded"))


@needs(role=desk.SEE_FILINGS, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One filing: its lines, what is different from the one before, and how far it is."""
    return await _show(request, "admin/filing.html")


@needs(role=desk.FILE, reach=Reach.ANY)
async def check(request: web.Request) -> web.Response:
    """All that is about to leave under the person's name, once more, before it is released."""
    return await _show(request, "admin/filing_check.html")


@needs(role=desk.FILE, reach=Reach.ANY, fresh=True)
async def step(request: web.Request) -> web.Response:
    """Moves a filing on."""
    form, road, filing_id = await body.read(request), request.app[keys.ROAD], desk.id_of(request)
    wanted, words = form.text("state"), form.text("words")
    try:
        if wanted not in set(State):
            raise Invalid("Choose what happened", field="state")
        async with road.pool.acquire() as conn, conn.transaction():
            await filings.step(
                conn,
                filing_id,
                State(wanted),
                words=words,
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _show(request, "admin/filing.html", desk.refused(error), wanted, words)
    except Invalid as error:
        return await _show(request, "admin/filing.html", error, wanted, words)
    return see_other(request, f"/admin/filings/{filing_id}", say(request, "Written down"))


@needs(role=desk.SEE_FILINGS, reach=Reach.ANY)
async def download(request: web.Request) -> web.Response:
    """The signed file."""
    found = await _get(request)
    return _file(found.body, "application/json", filingdoc.file_name(found, "json"))


@needs(role=desk.SEE_FILINGS, reach=Reach.ANY)
async def to_print(request: web.Request) -> web.Response:
    """The same as a page to print, one file by itself."""
    found, locale = await _get(request), locale_of(request)
    settings, clock = request.app[keys.SETTINGS], request.app[keys.CLOCK]
    made = environment.make(locale, request.app[ASSETS], settings, clock)
    return _file(filingdoc.html(made, locale, found), "text/html", filingdoc.file_name(found, "html"))


@needs(role=desk.SEE_FILINGS, reach=Reach.ANY)
async def authorities(request: web.Request) -> web.Response:
    """Whom to file with, by place."""
    return await _authorities(request, request.query.get("province", ""))


@needs(role=desk.FILE, reach=Reach.ANY, fresh=True)
async def set_authority(request: web.Request) -> web.Response:
    """Writes who the authority of a place is."""
    form, road = await body.read(request), request.app[keys.ROAD]
    typed = Authority(
        province=form.text("province"),
        name=form.text("name"),
        contact=form.text("contact"),
        channel=form.text("channel"),
    )
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await places.set_(
                conn,
                typed.province,
                name=typed.name,
                contact=typed.contact,
                channel=typed.channel,
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _authorities(request, typed.province, typed, desk.refused(error))
    return see_other(request, "/admin/filings/authorities", say(request, "Saved"))


async def _index(
    request: web.Request, error: AppError | None = None, values: dict[str, str] | None = None
) -> web.Response:
    road, before = request.app[keys.ROAD], number(request.query.get("max_id"))
    locale, now = locale_of(request), road.clock()
    async with road.pool.acquire() as conn:
        listed = await handover.list_owed(conn, road)
        found = await filings.list_(conn, before=before, limit=_LENGTH + 1)
    older = f"/admin/filings?max_id={found[_LENGTH - 1].id}" if len(found) > _LENGTH else ""
    return await desk.page(
        request,
        "admin/filings.html",
        "filings",
        status=error.status if error else 200,
        listed=[(filingdoc.title(locale, one.key), one, one.is_late(now)) for one in listed],
        rows=[_row(request, one) for one in found[:_LENGTH]],
        older=older,
        results=[("", "—"), *((key, say(request, words)) for key, words in filingdoc.RESULTS.items())],
        values=dict.fromkeys(_ASSESSMENT, "") | (values or {}),
        may_file=desk.may(request, desk.FILE),
        errors=_errors(request, error),
    )


async def _show(
    request: web.Request, template: str, error: AppError | None = None, wanted: str = "", words: str = ""
) -> web.Response:
    road, locale = request.app[keys.ROAD], locale_of(request)
    found = await _get(request)
    async with road.pool.acquire() as conn:
        history = await filings.steps(conn, found.id)
        authority = await handover.authority_of(conn, road, found.key.province)
        ids = [one.by_id for one in history if one.by_id]
        people = await accounts.load(conn, ids, uris=road.uris)
    document = filingdoc.document(found)
    me = person(request).id
    return await desk.page(
        request,
        template,
        "filings",
        status=error.status if error else 200,
        filing=found,
        title=filingdoc.title(locale, found.key),
        state=say(request, filingdoc.STATES[found.state]),
        look=_LOOKS[found.state],
        authority=authority,
        columns=[say(request, label) for _, label in filingdoc.COLUMNS[found.key.kind]],
        lines=filingdoc.rows(found),
        removed=filingdoc.rows(found, document["delta"]["removed"]) if found.removed else [],
        digest=filingdoc.digest(found),
        history=[
            (
                say(request, filingdoc.STATES[one.state])
                + (f" · @{people[one.by_id].username}" if one.by_id in people else ""),
                one.at,
                one.words,
                n == len(history) - 1,
            )
            for n, one in enumerate(history)
        ],
        steps=[one.value for one in filings.STEPS[found.state]] if desk.may(request, desk.FILE) else [],
        is_mine=found.drafted_by == me,
        wanted=wanted,
        words=words,
        errors=_errors(request, error),
    )


async def _authorities(
    request: web.Request, province: str, typed: Authority | None = None, error: AppError | None = None
) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        found = await places.list_(conn)
    chosen = typed or next((one for one in found if one.province == province), None)
    return await desk.page(
        request,
        "admin/authorities.html",
        "filings",
        status=error.status if error else 200,
        found=found,
        places=[(one.province, f"{one.province} {one.place}") for one in found],
        chosen=chosen or Authority(province=request.app[keys.SETTINGS].filings.province, name=""),
        may_file=desk.may(request, desk.FILE),
        errors=_errors(request, error),
    )


async def _get(request: web.Request) -> Filing:
    async with request.app[keys.POOL].acquire() as conn:
        return await desk.found(filings.get(conn, desk.id_of(request)))


def _key(kind: str, province: str, class_: str) -> Key:
    if kind not in set(Kind) or (class_ and class_ not in set(CertClass)):
        raise Invalid("Choose what is to be filed", field="kind")
    return Key(Kind(kind), province, CertClass(class_) if class_ else None)


def _row(request: web.Request, one: Filing) -> Row:
    return Row(
        one.id,
        filingdoc.title(locale_of(request), one.key),
        say(request, filingdoc.STATES[one.state]),
        _LOOKS[one.state],
        one,
    )


def _file(text: str, mime: str, name: str) -> web.Response:
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'}
    return web.Response(text=text, content_type=mime, charset="utf-8", headers=headers)


def _errors(request: web.Request, error: AppError | None) -> list[tuple[str | None, str]]:
    return [(error.field, say(request, error.message, **error.values))] if error else []
