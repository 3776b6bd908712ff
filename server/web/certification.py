"""Applying for a certified account: one step at a time, each kept as a draft, and then how it stands.

One set of handlers for a person (`/settings/certification`) and for an organisation
(`/org/NAME/certification`), whose owners apply for it under their own login.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from compliance import applications, certification, identity, organisations, paperwork, steps, submitting
from compliance.applications import Application
from compliance.claims import Wrong, is_sealed
from compliance.classes import CertClass
from compliance.errors import ComplianceError, NotAllowed
from compliance.errors import NotFound as NoSuchThing
from compliance.numbers import NumberType
from compliance.organisations import Act
from compliance.paperwork import FieldName, Kind
from compliance.ways import Claimed

from .. import certifying, keys, papers, tries
from ..errors import AppError, Conflict, Invalid, NotFound
from ..http import body
from ..http.auth import person
from ..http.body import Body, Upload
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..media import disguise
from ..pages import certificates, render
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store.model import AccountView
from . import orgdesk
from .signup import errors_of

_STEPS: Final = ("details", "papers", "send")
_STEP_WORDS: Final = {
    "kind": mark("What you are"),
    "details": mark("Details"),
    "papers": mark("Papers"),
    "send": mark("Look and send"),
}
_FILES: Final = 64 * 1024 * 1024
_UPLOADS: Final = 60  # in an hour
_SAID: Final = {
    "there is an application already": mark("There is an application already"),
    "this application is not open for that": mark("This application cannot be changed any more"),
    f"an application has at most {applications.MOST_PAPERS} pictures": mark(
        "An application has at most 12 pictures, each page of a PDF being one: take one out first"
    ),
    f"an answer has at most {submitting.ANSWER_LONGEST} characters": mark("The answer is too long"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose certification it is, and where its pages are. `desk` is the console of an organisation."""

    account: AccountView
    home: str
    desk: orgdesk.Desk | None = None

    @property
    def classes(self) -> tuple[CertClass, ...]:
        """What it can be certified as."""
        return organisations.KINDS if self.desk else (CertClass.INDIVIDUAL,)


@needs(member=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """How it stands, and the next step."""
    return await _show(request, await _subject(request))


@needs(member=True, reach=Reach.OWN)
async def begin(request: web.Request) -> web.Response:
    """Begins an application of the kind that was chosen."""
    form, road, subject = await body.read(request), request.app[keys.ROAD], await _subject(request)
    class_, _, name = form.text("kind").partition("/")
    try:
        if class_ not in subject.classes:
            raise Invalid("Choose what the account is to be certified as", field="kind")
        async with road.pool.acquire() as conn, conn.transaction():
            await applications.begin(
                conn,
                subject.account.id,
                CertClass(class_),
                name,
                by=person(request).id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except (ComplianceError, AppError) as error:
        return await _show(request, subject, error=_said(error))
    return see_other(request, f"{subject.home}?step=details")


@needs(member=True, reach=Reach.OWN)
async def details(request: web.Request) -> web.Response:
    """Keeps what was typed, and goes on to the papers."""
    form, road, subject = await body.read(request), request.app[keys.ROAD], await _subject(request)
    values = {name: form.text(name) for name in FieldName if name in form.params}
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            one = await _open(conn, subject)
            await applications.save(conn, one, values, sealer=road.sealer, now=road.clock())
    except ComplianceError as error:
        return await _show(request, subject, step="details", error=_said(error), typed=values)
    if form.text("then") == "later":
        return see_other(request, subject.home, say(request, "The draft is kept"))
    return see_other(request, f"{subject.home}?step=papers")


@needs(member=True, reach=Reach.OWN, body=_FILES)
async def add_papers(request: web.Request) -> web.Response:
    """Seals the pictures that were sent, each for what it is to prove."""
    form, subject = await body.read(request, limit=_FILES), await _subject(request)
    errors: list[tuple[str, str]] = []
    status = 200
    for name, upload in _uploads(form):
        try:
            await _add(request, subject, name, upload)
        except (ComplianceError, AppError) as error:
            found = _said(error)
            status = found.status
            errors.append((f"paper-{name}", say(request, found.message, **found.values)))
    if errors:
        return await _show(request, subject, step="papers", errors=errors, status=status)
    if form.text("then") == "send":
        return see_other(request, f"{subject.home}?step=send")
    return see_other(request, f"{subject.home}?step=papers", say(request, "Sealed"))


@needs(member=True, reach=Reach.OWN)
async def drop_paper(request: web.Request) -> web.Response:
    """Takes a picture back and destroys it."""
    road, subject = request.app[keys.ROAD], await _subject(request)
    paper_id = number(request.match_info["paper"])
    if paper_id is None:
        raise NotFound
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            one = await _open(conn, subject)
            await applications.drop_paper(conn, one, paper_id, now=road.clock())
    except NoSuchThing:
        raise NotFound from None
    except ComplianceError as error:
        return await _show(request, subject, step="papers", error=_said(error))
    return see_other(request, f"{subject.home}?step=papers", say(request, "Taken out and destroyed"))


@needs(member=True, reach=Reach.OWN)
async def send(request: web.Request) -> web.Response:
    """Sends the application in, or says all that is wrong with it."""
    form, road, subject = await body.read(request), request.app[keys.ROAD], await _subject(request)
    words = form.text("words")
    try:
        async with road.pool.acquire() as conn:
            one = await _open(conn, subject)
        register = await _ask_register(request, one)
        async with road.pool.acquire() as conn, conn.transaction():
            wrong = await submitting.submit(
                conn,
                one.id,
                words=words,
                by=person(request).id,
                sealer=road.sealer,
                register=register,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _show(request, subject, step="send", error=_said(error), words=words)
    if wrong:
        return await _show(request, subject, step="send", wrong=wrong, words=words, status=422)
    return see_other(request, subject.home, say(request, "Sent in. You hear as soon as somebody decides."))


@needs(member=True, reach=Reach.OWN)
async def withdraw(request: web.Request) -> web.Response:
    """Takes the application back; its papers are destroyed."""
    road, subject = request.app[keys.ROAD], await _subject(request)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            one = await _open(conn, subject)
            await applications.withdraw(
                conn,
                one.id,
                by=person(request).id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _show(request, subject, error=_said(error))
    return see_other(request, subject.home, say(request, "Withdrawn; the papers are destroyed"))


async def _subject(request: web.Request) -> Subject:
    """The person, or the organisation of the address whose owner they are."""
    if "name" not in request.match_info:
        return Subject(person(request).me, "/settings/certification")
    found = await orgdesk.enter(request, Act.CERTIFY)
    return Subject(found.account, f"{found.base}/certification", found)


async def _open(conn: Any, subject: Subject) -> Application:
    """The open application, which nobody else changes until the transaction ends: pictures that come at the
    same time are all kept, and what was sent in meanwhile is not written over."""
    found = await applications.find_open(conn, subject.account.id, lock=True)
    if found is None:
        raise NotAllowed("this application is not open for that")
    return found


def _uploads(form: Body) -> list[tuple[str, Upload]]:
    names = sorted({name for name in form.params if name.startswith("paper-")})
    return [(name.removeprefix("paper-"), upload) for name in names for upload in form.uploads(name)]


async def _add(request: web.Request, subject: Subject, slot: str, upload: Upload) -> None:
    road, settings = request.app[keys.ROAD], request.app[keys.SETTINGS]
    async with road.pool.acquire() as conn:
        await tries.take(road, conn, f"papers:{person(request).id}", _UPLOADS, tries.HOUR)
    if upload.size <= settings.media.max_paper_bytes:
        disguise.check(await upload.read(), name=upload.name, mime=upload.mime)
    pages = await papers.accept(upload, settings.media)
    # All pages of a PDF or none: half a paper proves nothing.
    async with road.pool.acquire() as conn, conn.transaction():
        for page in pages:
            await applications.add_paper(
                conn,
                await _open(conn, subject),
                slot,
                page.data,
                mime=page.mime,
                sealer=road.sealer,
                now=road.clock(),
                new_id=road.ids,
            )


async def _ask_register(request: web.Request, one: Application) -> bool | None:
    """What the identity service knows of an organisation's code and name; `None` where it knows nothing."""
    values = applications.typed(one, request.app[keys.ROAD].sealer)
    code, name = values.get(FieldName.USCC), values.get(FieldName.ORGANISATION_NAME)
    if not code or not name or one.class_ is CertClass.FOREIGN:
        return None
    outcome = await request.app[keys.CHECKER].check(
        Claimed(
            number_type=NumberType.USCC,
            number=code,
            name=name,
            legal_representative=values.get(FieldName.LEGAL_REPRESENTATIVE),
        )
    )
    return outcome.agrees


def _said(error: ComplianceError | AppError) -> AppError:
    if isinstance(error, AppError):
        return error
    if isinstance(error, NoSuchThing):
        return Invalid("Choose what the account is to be certified as", field="kind")
    return Conflict(_SAID.get(str(error), str(error)))


async def _show(
    request: web.Request,
    subject: Subject,
    *,
    step: str = "",
    error: AppError | None = None,
    errors: list[tuple[str, str]] | None = None,
    wrong: list[Wrong] | None = None,
    typed: dict[FieldName, str] | None = None,
    words: str = "",
    status: int = 200,
) -> web.Response:
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        one = await applications.find_latest(conn, subject.account.id)
        kind = await applications.kind_of(conn, one) if one else None
        way = await steps.list_(conn, one.id) if one else []
        held = await certification.list_of(conn, subject.account.id)
        known = await identity.get(conn, person(request).id)
        current = (await paperwork.current(conn)).paperwork
    is_open = one is not None and one.state in applications.WRITABLE
    step = step or request.query.get("step", "")
    values = typed if typed is not None else (applications.typed(one, road.sealer) if one else {})
    found = errors_of(request, error) + (errors or []) + certificates.errors(request, wrong or [])
    return await _page(
        request,
        subject,
        status=error.status if error else status,
        heading=say(request, "Certification"),
        home=subject.home,
        one=one,
        state=one.state.value if one else "",
        is_open=is_open,
        step=(step if step in _STEPS else "details") if is_open else "",
        step_words=[(name, say(request, text)) for name, text in _STEP_WORDS.items()],
        kind_title=kind.title.to(locale_of(request)) if kind else "",
        kind_help=kind.help.to(locale_of(request)) if kind and kind.help else "",
        class_words=say(request, certificates.CLASSES[one.class_]) if one else "",
        inputs=certificates.inputs(request, kind, values, one) if kind and one else [],
        slots=certificates.slots(request, kind, one) if kind and one else [],
        review=_review(request, kind, values, one) if kind and one else [],
        four_eyes=kind.four_eyes if kind else False,
        kinds=_kinds(request, subject, current.kind),
        states=certificates.timeline(request, way),
        ground=say(request, certificates.GROUNDS[_ground(one)]) if one and one.ground else "",
        held=[
            (certificate, say(request, certificates.CERTIFICATIONS[certificate.state]))
            for certificate in held
        ],
        active=next((each for each in held if certifying.is_in_force(each, road.clock())), None),
        verified=known.may_publish(road.clock()),
        accept=papers.ACCEPT,
        words=words,
        errors=found,
    )


async def _page(request: web.Request, subject: Subject, **context: Any) -> web.Response:
    if subject.desk is not None:
        template = "web/organisation/certification.html"
        return await orgdesk.page(
            request, subject.desk, template, "certification", subject=subject, **context
        )
    return await render.page(
        request, "web/settings/certification.html", tab="certification", subject=subject, **context
    )


def _ground(one: Application) -> Any:
    return next(ground for ground in certificates.GROUNDS if ground == one.ground)


def _review(
    request: web.Request, kind: Kind, values: dict[FieldName, str], one: Application
) -> list[tuple[str, str]]:
    """What is about to be sent, to be looked at once more."""
    found = []
    for name in (*kind.fields, *kind.optional):
        value = values.get(name) or (one.claims.get(name, "") if is_sealed(name) else "")
        if value:
            found.append((say(request, certificates.FIELDS[name]), value))
    return found


def _kinds(request: web.Request, subject: Subject, listed: tuple[Kind, ...]) -> list[tuple[str, str, str]]:
    locale = locale_of(request)
    return [
        (
            f"{kind.class_}/{kind.name}",
            kind.title.to(locale),
            f"{kind.help.to(locale) if kind.help else ''} {_papers(kind, locale)}".strip(),
        )
        for kind in listed
        if kind.class_ in subject.classes
    ]


def _papers(kind: Kind, locale: str) -> str:
    return ", ".join(paper.title.to(locale) for paper in kind.papers)
