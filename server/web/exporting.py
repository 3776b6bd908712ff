"""Taking one's own data along."""

from __future__ import annotations

import asyncio
import tempfile
from typing import Final

from aiohttp import hdrs, web

from compliance import records
from compliance.activity import AccountId
from compliance.records import Entry, RecordKind

from .. import export, keys, passwords, tries
from ..errors import Invalid, TooMany
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..store import members
from . import settings

_MOST: Final = 5
"""Archives in an hour; each costs as much as all of somebody's pages."""
_PIECE: Final = 256 * 1024
_at_work: set[AccountId] = set()


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def download(request: web.Request) -> web.StreamResponse:
    """One's own posts, pictures, lists, decisions and log entries in one file, for whoever gives the password
    again."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    try:
        async with road.pool.acquire() as conn:
            member = await members.get(conn, me.id)
            await tries.take(road, conn, f"export:{me.id}", _MOST, tries.HOUR)
            await tries.take(road, conn, f"login:{me.id}", road.settings.limits.account_logins, tries.HOUR)
        if not await passwords.matches(form.text("export_password"), member.password):
            raise Invalid("This is not your current password", field="export_password")
    except Invalid as error:
        return await settings.account_page(request, error)
    if me.id in _at_work:
        raise TooMany("Your archive is being made. Please wait until it is there.")
    _at_work.add(me.id)
    try:
        with tempfile.TemporaryFile(prefix="yanlu-") as file:
            await export.write(road, me.me, file)
            async with road.pool.acquire() as conn, conn.transaction():
                entry = Entry(RecordKind.ACCOUNT_EXPORT, me.id, me.me.uri, source=source_of(request))
                await records.write(conn, [entry], now=road.clock(), new_id=road.ids)
            size = file.tell()
            file.seek(0)
            name = f"{me.me.username}-{road.clock():%Y-%m-%d}.zip"
            response = web.StreamResponse(
                headers={
                    hdrs.CONTENT_TYPE: "application/zip",
                    hdrs.CONTENT_LENGTH: str(size),
                    hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
                    hdrs.CACHE_CONTROL: "no-store",
                }
            )
            await response.prepare(request)
            while piece := await asyncio.to_thread(file.read, _PIECE):
                await response.write(piece)
            await response.write_eof()
            return response
    finally:
        _at_work.discard(me.id)
