"""The decisions about an application for certification, each in one transaction, and who hears of it."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from compliance import applications, approvals, identity, openings
from compliance.activity import AccountId
from compliance.applications import Application
from compliance.approvals import Looked
from compliance.claims import Ground
from compliance.classes import CertClass
from compliance.paperwork import FieldName
from compliance.records import Source

from .. import certifying, keys
from ..db.pool import Connection
from ..errors import Forbidden, Invalid
from ..http.auth import person
from ..http.body import Body
from ..http.source import source_of
from ..i18n import mark
from ..pipeline import Road
from ..store import accounts
from ..telling import Code
from . import desk


async def ask(request: web.Request, application_id: int, question: str) -> None:
    """Asks for more, and tells whoever applied."""
    road, now = request.app[keys.ROAD], request.app[keys.CLOCK]()
    if not question.strip():
        raise Invalid("Say what is missing", field="statement")
    async with road.pool.acquire() as conn, conn.transaction():
        one = await approvals.ask(
            conn,
            application_id,
            question,
            reviewer=person(request).id,
            now=now,
            source=source_of(request),
            new_id=road.ids,
        )
        account = await accounts.get(conn, one.account_id, uris=road.uris)
        told = await certifying.tell(road, conn, account, one.class_, Code.CERTIFICATION_MORE, now=now)
    certifying.wake(road, told)
    for member in told:
        request.app[keys.MAIL].send(certifying.question(road, member, account, one.class_))


async def decline(request: web.Request, application_id: int, form: Body) -> None:
    """Turns it down, and tells whoever applied."""
    road, now = request.app[keys.ROAD], request.app[keys.CLOCK]()
    if not desk.may(request, desk.CERTIFY):
        raise Forbidden("A compliance officer decides; you can ask for more, or say that it agrees")
    if form.text("ground") not in set(Ground):
        raise Invalid("Choose a reason from the list", field="ground")
    if not form.text("statement").strip():
        raise Invalid("A refusal needs a statement of reasons", field="statement")
    async with road.pool.acquire() as conn, conn.transaction():
        one = await applications.get(conn, application_id)
        decision_id = await approvals.decline(
            conn,
            application_id,
            Ground(form.text("ground")),
            form.text("statement"),
            reviewer=person(request).id,
            now=now,
            source=source_of(request),
            new_id=road.ids,
        )
        told = await certifying.tell_decision(road, conn, one.account_id, one.class_, decision_id, now=now)
    certifying.wake(road, told)


async def approve(request: web.Request, application_id: int, looked: Looked) -> str:
    """Certifies, or says as the first of two people that it agrees; says what became of it."""
    road, me, source = request.app[keys.ROAD], person(request), source_of(request)
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        one = await applications.get(conn, application_id, lock=True)
        kind = await applications.kind_of(conn, one)
        _check_looked(await approvals.compare(conn, one), looked)
        if approvals.needs_another(one, kind) or not desk.may(request, desk.CERTIFY):
            await approvals.check(
                conn, one.id, looked, reviewer=me.id, now=now, source=source, new_id=road.ids
            )
            return mark("Checked; a second person decides")
        made = await approvals.approve(
            conn,
            one.id,
            looked,
            registered=await read_fields(request, conn, one, FieldName.ORGANISATION_NAME, FieldName.USCC),
            reviewer=me.id,
            checked_by="two" if one.first_by else "compliance",
            now=now,
            source=source,
            new_id=road.ids,
        )
        if one.class_ is not CertClass.INDIVIDUAL:
            await _verify(road, conn, one, by=me.id, now=now, source=source)
        account = await accounts.get(conn, one.account_id, uris=road.uris)
        told = await certifying.tell(
            road,
            conn,
            account,
            one.class_,
            Code.CERTIFICATION_APPROVED,
            now=now,
            expires_at=made.expires_at,
        )
    certifying.wake(road, told)
    return mark("Certified")


async def _verify(
    road: Road, conn: Connection, one: Application, *, by: AccountId, now: datetime, source: Source
) -> None:
    """An organisation is known by what was just certified of it, and may publish."""
    fields = one.sealed_fields()
    await identity.verify_organisation(
        conn,
        one.account_id,
        papers=list(fields),
        masked={paper_id: one.claims.get(name, "") for paper_id, name in fields.items()},
        by=by,
        now=now,
        months=road.settings.identity.organisation_reverify_months,
        grace_days=road.settings.identity.grace_days,
        source=source,
        new_id=road.ids,
    )


async def read_fields(
    request: web.Request, conn: Connection, one: Application, *names: FieldName
) -> dict[FieldName, str]:
    """What was claimed and sealed, opened for whoever decides: of `names` only, where any are given."""
    wanted, road = one.sealed_fields(*names), request.app[keys.ROAD]
    if not wanted:
        return {}
    opened = await openings.read_for_review(
        conn,
        list(wanted),
        reviewer=person(request).id,
        case=one.about,
        sealer=road.sealer,
        now=road.clock(),
        source=source_of(request),
        new_id=road.ids,
    )
    return {wanted[each.id]: each.value.decode() for each in opened}


def _check_looked(compared: list[approvals.Comparison], looked: Looked) -> None:
    left = approvals.unresolved(compared, looked)
    if not left:
        return
    if left[0] not in looked.agrees:
        raise Invalid(
            "Say of each field that it agrees with the papers, or ask for more, or decline",
            field=f"agrees-{left[0]}",
        )
    raise Invalid("Write how the difference was resolved", field=f"resolved-{left[0]}")
