"""Posts that wait for their time: which, when, and taking one back or giving it another time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from compliance import reasons
from compliance.verdict import Reason

from .. import keys, scheduling
from ..errors import AppError, Invalid, NotFound
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import moments, render, windows
from ..pages.render import say, see_other
from ..store import scheduled
from ..store.scheduled import Scheduled, ScheduledState
from .signup import errors_of

_LENGTH: Final = 30
_STATES: Final = {
    ScheduledState.WAITING: (mark("waits for its time"), ""),
    ScheduledState.PUBLISHED: (mark("published"), "ok"),
    ScheduledState.HELD: (mark("under review"), "warn"),
    ScheduledState.FAILED: (mark("not published"), "danger"),
    ScheduledState.CANCELLED: (mark("taken back"), ""),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One post of the list."""

    id: int
    words: str
    pictures: int
    due_at: datetime
    state: str
    look: str
    why: str
    link: str
    waits: bool


@needs(member=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """The list, what waits first in the order of time."""
    return await _show(request)


@needs(member=True, reach=Reach.OWN)
async def move(request: web.Request) -> web.Response:
    """Gives one another time."""
    form, road = await body.read(request), request.app[keys.ROAD]
    try:
        due_at = moments.moment_of(form.text("due_at"), form.text("zone"))
        await scheduling.move(road, person(request).me, _id(request), due_at, source=source_of(request))
    except Invalid as error:
        return await _show(request, error)
    return see_other(request, "/scheduled", say(request, "It has a new time"))


@needs(member=True, reach=Reach.OWN)
async def cancel(request: web.Request) -> web.Response:
    """Takes one back."""
    road = request.app[keys.ROAD]
    await scheduling.cancel(road, person(request).me, _id(request), source=source_of(request))
    return see_other(request, "/scheduled", say(request, "It will not be published"))


async def _show(request: web.Request, error: AppError | None = None) -> web.Response:
    me, page = person(request), windows.page_of(request, _LENGTH)
    async with request.app[keys.POOL].acquire() as conn:
        found = await scheduled.list_(conn, me.id, page, tuple(ScheduledState))
    listed = windows.shown(page, found)
    newer, older = windows.links(request, page, [one.id for one in found])
    rows = [_row(request, one) for one in listed]
    return await render.page(
        request,
        "web/scheduled.html",
        section="compose",
        status=error.status if error else 200,
        waiting=sorted((row for row in rows if row.waits), key=lambda row: row.due_at),
        past=[row for row in rows if not row.waits],
        zones=moments.zones(request),
        zone=moments.usual_zone(request),
        newer=newer,
        older=older,
        errors=errors_of(request, error),
    )


def _row(request: web.Request, one: Scheduled) -> Row:
    draft, (words, look) = scheduling.unpack(one.draft), _STATES[one.state]
    link = ""
    if one.post_id is not None:
        link = f"/@{person(request).me.username}/{one.post_id}"
    elif one.decision_id is not None:
        link = f"/my/decisions/{one.decision_id}"
    known = {reason.value: reasons.TEXTS[reason].title for reason in Reason}
    why = say(request, known.get(one.failure, one.failure)) if one.failure else ""
    return Row(
        one.id,
        draft.text,
        len(draft.media_ids),
        one.due_at,
        say(request, words),
        look,
        why,
        link,
        one.state is ScheduledState.WAITING,
    )


def _id(request: web.Request) -> int:
    found = windows.number(request.match_info["id"])
    if found is None:
        raise NotFound
    return found
