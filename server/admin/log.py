"""The log, to be read: who did what, when and from where. Nobody can change a line of it, here or
elsewhere.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from compliance import records
from compliance.activity import AccountId
from compliance.records import RecordKind

from .. import keys
from ..http.routes import Reach, needs
from ..pages import windows
from ..pages.render import say
from ..store import accounts
from . import desk

_LENGTH: Final = 50


@needs(role=desk.RECORDS, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """The log, the newest first, of one account or one kind of act where that is asked for."""
    name, kind = request.query.get("account", "").strip()[:100], request.query.get("kind", "")
    page, uris = windows.page_of(request, _LENGTH), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        chosen = None
        if name:
            username, _, host = name.removeprefix("@").partition("@")
            chosen = await accounts.find_by_name(conn, username, host or None, uris=uris)
        rows = []
        if chosen is not None or not name:
            rows = await records.list_page(
                conn,
                actor_id=chosen.id if chosen else None,
                kind=RecordKind(kind) if kind in {each.value for each in RecordKind} else None,
                max_id=page.max_id,
                min_id=page.min_id,
                limit=page.limit,
            )
        listed = windows.shown(page, rows)
        ids = [AccountId(row.actor_id) for row in listed if row.actor_id is not None]
        people = await accounts.load(conn, ids, uris=uris)
    newer, older = windows.links(request, page, [row.id for row in rows])
    return await desk.page(
        request,
        "admin/records.html",
        "records",
        records=listed,
        people=people,
        account_chosen=name,
        kind_chosen=kind,
        kinds=[("", say(request, "Every act")), *((each.value, each.value) for each in RecordKind)],
        newer=newer,
        older=older,
    )
