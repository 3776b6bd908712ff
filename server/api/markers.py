"""How far one has read, so that another device begins there."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from .. import keys
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..store import markers
from ..store.markers import Marker
from . import answers, entities, render, schemas
from .moments import stamp


@needs("read:statuses", reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """One's markers, of the timelines that are asked for."""
    wanted = body.query(request, schemas.MarkerQuery).timeline
    async with request.app[keys.POOL].acquire() as conn:
        found = await markers.load(conn, person(request).id, wanted)
    return _answer(found)


@needs("write:statuses", reach=Reach.OWN)
async def change(request: web.Request) -> web.Response:
    """Moves one's markers."""
    me, wish = person(request), await body.to(request, schemas.ChangedMarkers)
    now = request.app[keys.CLOCK]()
    found: dict[str, Marker] = {}
    async with request.app[keys.POOL].acquire() as conn, conn.transaction():
        for timeline, moved in (("home", wish.home), ("notifications", wish.notifications)):
            if moved is not None:
                last = answers.known_id(moved.last_read_id)
                found[timeline] = await markers.put(conn, me.id, timeline, last, now=now)
    return _answer(found)


def _answer(found: Mapping[str, Marker]) -> web.Response:
    shown = {
        timeline: entities.Marker(
            last_read_id=str(marker.last_read_id),
            version=marker.version,
            updated_at=stamp(marker.updated_at),
        )
        for timeline, marker in found.items()
    }
    return answers.json(render.encode(shown))
