"""Who took out one's sealed papers, what is kept and for how long; and a masked look at it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from compliance import accesses
from compliance.accesses import Access
from compliance.errors import ComplianceError, SealBroken

from .. import keys
from ..errors import AppError, Conflict
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import papers, render
from ..pages.render import say, secret
from ..pages.windows import number

_LENGTH: Final = 50
_DOES_NOT_OPEN: Final = mark(
    "What is kept of you could not be opened. Please tell the operators of this server."
)


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """The accesses, the newest first."""
    return await _show(request)


@needs(member=True, unconfirmed=True, reach=Reach.OWN, fresh=True)
async def reveal(request: web.Request) -> web.Response:
    """What is kept, masked. Looking is an access as well."""
    await body.read(request)
    road, me = request.app[keys.ROAD], person(request)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            rows = await accesses.read_own(
                conn, me.id, now=road.clock(), source=source_of(request), new_id=road.ids
            )
        found = accesses.opened(rows, road.sealer)
    except SealBroken:
        return await _show(request, error=Conflict(_DOES_NOT_OPEN))
    except ComplianceError as error:
        return await _show(request, error=papers.refused(error))
    seen = [(say(request, papers.FIELDS[paper.field]), accesses.masked(paper)) for paper in found]
    return secret(await _show(request, seen))


async def _show(
    request: web.Request, seen: list[tuple[str, str]] | None = None, error: AppError | None = None
) -> web.Response:
    road, me, before = request.app[keys.ROAD], person(request), number(request.query.get("max_id"))
    async with road.pool.acquire() as conn:
        history = await accesses.history(conn, me.id, road.clock(), before=before, limit=_LENGTH + 1)
        kept = await accesses.list_kept(conn, me.id)
    older = f"/settings/identity/access?max_id={history[_LENGTH - 1].id}" if len(history) > _LENGTH else ""
    return await render.page(
        request,
        "web/settings/access.html",
        status=error.status if error else 200,
        section="settings",
        tab="identity",
        heading=say(request, "Who looked at your papers"),
        history=[_line(request, access) for access in history[:_LENGTH]],
        older=older,
        kept=[(say(request, papers.FIELDS[one.field]), one) for one in kept],
        seen=seen,
        proof_only=road.settings.vault.keep == "proof",
        months=road.settings.vault.retention_months,
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


def _line(request: web.Request, access: Access) -> dict[str, object]:
    return {
        "at": access.at,
        "fields": papers.names_of(request, access.fields),
        "purpose": say(request, papers.PURPOSES[access.purpose]),
        "case": "" if access.is_own else access.case_ref,
        "legal_basis": access.legal_basis or "",
        "told_late": access.told_late,
        "is_own": access.is_own,
    }
