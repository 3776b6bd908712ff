"""Ours: how far it is known who one is (Article 7), for programs. `GET /api/yanlu/v1/identity`: a state,
dates and ways, and nothing of a number."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from compliance import identity
from compliance.identity import claims

from .. import identities, keys
from ..http.auth import person
from ..http.routes import Reach, needs
from . import answers, render
from .moments import stamp


@needs("read:accounts", reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """Whether one may publish, until when, and how one gets there."""
    road, me = request.app[keys.ROAD], person(request)
    async with road.pool.acquire() as conn:
        known = await identity.get(conn, me.id)
        waiting = await claims.find_open(conn, me.id)
    said = {
        "state": known.state.value,
        "may_publish": known.may_publish(road.clock()),
        "method": known.method.value if known.method else None,
        "subject": known.subject.value,
        "verified_at": _moment(known.verified_at),
        "due_at": _moment(known.due_at),
        "lapses_at": _moment(known.lapses_at),
        "ways": [way.value for way in identities.ways(road.settings)],
        "claim": None
        if waiting is None
        else {
            "id": str(waiting.id),
            "method": waiting.method.value,
            "state": waiting.state.value,
            "at": stamp(waiting.created_at),
        },
        "url": f"{road.uris.origin}{identities.PAGE}",
    }
    return answers.json(render.encode(said))


def _moment(at: datetime | None) -> str | None:
    return stamp(at) if at is not None else None
