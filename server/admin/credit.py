"""One account's credit for operators: the ledger, and an event by hand, which always has a reason."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from compliance import credit, tierbook, tiers
from compliance.activity import AccountId
from compliance.errors import ComplianceError

from .. import keys
from ..errors import AppError, Invalid
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..pages import tierwords
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store import accounts
from . import desk

_LENGTH: Final = 40
_NUMBER: Final = re.compile(r"[+−-]?[0-9]{1,9}(?:\.[0-9]{1,9})?")


@needs(role=desk.SEE_TIERS, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """What the account has, and every event that made it so."""
    return await _show(request)


@needs(role=desk.CHANGE_TIERS, reach=Reach.ANY, fresh=True)
async def change(request: web.Request) -> web.Response:
    """Gives or takes points, with a reason that the account reads and can appeal against."""
    form, road = await body.read(request), request.app[keys.ROAD]
    points, reason = form.text("points").strip(), form.text("reason")
    account_id = AccountId(desk.id_of(request))
    try:
        if not reason.strip():
            raise Invalid("Credit is never changed without a reason", field="reason")
        if len(reason) > credit.LONGEST_REASON:
            most = credit.LONGEST_REASON
            raise Invalid("At most %(most)s characters", field="reason", most=most)
        if not _NUMBER.fullmatch(points):
            raise Invalid("Write a number, such as -5 or 3", field="points")
        count = float(points.replace("−", "-"))
        if not 1 <= abs(count) <= credit.MOST_POINTS:
            most = credit.MOST_POINTS
            raise Invalid("From 1 to %(most)s points, given or taken", field="points", most=most)
        async with road.pool.acquire() as conn, conn.transaction():
            await credit.set_by_hand(
                conn,
                account_id,
                count,
                reason,
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _show(request, desk.refused(error), points, reason)
    except Invalid as error:
        return await _show(request, error, points, reason)
    return see_other(request, f"/admin/accounts/{account_id}/credit", say(request, "Recorded"))


async def _show(
    request: web.Request, error: AppError | None = None, points: str = "", reason: str = ""
) -> web.Response:
    road, account_id = request.app[keys.ROAD], AccountId(desk.id_of(request))
    max_id = number(request.query.get("max_id"))
    async with road.pool.acquire() as conn:
        account = await accounts.get(conn, account_id, uris=road.uris)
        found = await tierbook.in_force(conn)
        standing = await tiers.standing(conn, account_id)
        value = await credit.current(conn, account_id, road.clock())
        events = await credit.list_for(conn, account_id, max_id=max_id, limit=_LENGTH + 1)
        ids = [event.by_id for event in events if event.by_id]
        people = await accounts.load(conn, ids, uris=road.uris)
    older = f"{request.path}?max_id={events[_LENGTH - 1].id}" if len(events) > _LENGTH else ""
    return await desk.page(
        request,
        "admin/credit.html",
        "accounts",
        status=error.status if error else 200,
        account=account,
        tier=tierwords.name(request, standing.tier) if found.version else "",
        value=tierwords.plain(value),
        events=[
            (
                say(request, tierwords.CREDIT[event.kind]),
                event,
                people[event.by_id].username if event.by_id in people else "",
            )
            for event in events[:_LENGTH]
        ],
        plain=tierwords.plain,
        older=older,
        may_change=desk.may(request, desk.CHANGE_TIERS) and found.version > 0,
        points=points,
        reason=reason,
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )
