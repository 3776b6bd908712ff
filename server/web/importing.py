"""Bringing one's posts along from another server."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from .. import importing, keys, tries
from ..errors import AppError, Conflict, Invalid, NotFound, TooLarge
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import render, windows
from ..pages.render import say, see_other
from ..store import imports
from ..store.imports import ImportState
from .signup import errors_of

_LENGTH: Final = 10
_MOST: Final = 5
"""Archives in an hour."""
_BODY: Final = 1024 * 1024 * 1024
_SLACK: Final = 64 * 1024
_STATES: Final = {
    ImportState.WAITING: (mark("at work"), "warn"),
    ImportState.DONE: (mark("done"), "ok"),
    ImportState.FAILED: (mark("stopped"), "danger"),
    ImportState.CANCELLED: (mark("cancelled"), ""),
}


@needs(member=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """What can be brought, and how far it is."""
    return await _show(request)


@needs(member=True, reach=Reach.OWN, body=_BODY)
async def take(request: web.Request) -> web.Response:
    """Takes an archive."""
    road, me = request.app[keys.ROAD], person(request)
    try:
        async with road.pool.acquire() as conn:
            await tries.take(road, conn, f"import:{me.id}", _MOST, tries.HOUR)
        form = await body.read(request, limit=road.settings.media.max_archive_bytes + _SLACK)
        sent = form.upload("archive")
        if sent is None:
            raise Invalid("Choose a file", field="archive")
        await importing.start(road, me.me, sent.chunks(), source=source_of(request))
    except (Invalid, Conflict, TooLarge) as error:
        return await _show(request, error)
    return see_other(request, "/settings/import", say(request, "Your posts are being brought here"))


@needs(member=True, reach=Reach.OWN)
async def cancel(request: web.Request) -> web.Response:
    """Stops it; what is here already stays."""
    road, import_id = request.app[keys.ROAD], windows.number(request.match_info["id"])
    async with road.pool.acquire() as conn, conn.transaction():
        if import_id is None or not await imports.cancel(
            conn, person(request).id, import_id, now=road.clock()
        ):
            raise NotFound
    return see_other(request, "/settings/import", say(request, "Cancelled"))


async def _show(request: web.Request, error: AppError | None = None) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        found = await imports.list_(conn, person(request).id, _LENGTH)
    return await render.page(
        request,
        "web/settings/import.html",
        status=error.status if error else 200,
        tab="account",
        heading=say(request, "Bring posts along"),
        rows=[
            (one, say(request, words), look, say(request, one.failure) if one.failure else "")
            for one in found
            for words, look in (_STATES[one.state],)
        ],
        at_work=any(one.state is ImportState.WAITING for one in found),
        most=request.app[keys.SETTINGS].media.max_archive_bytes // (1024 * 1024),
        errors=errors_of(request, error),
    )
