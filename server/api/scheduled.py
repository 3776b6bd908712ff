"""Posts that wait for their time: kept, listed, moved, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aiohttp import web
from msgspec import Struct

from compliance.activity import AccountId

from .. import keys, scheduling
from ..db.pool import Connection
from ..drafts import Draft
from ..errors import Invalid, NotFound
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..pipeline import Once
from ..store import media, scheduled
from ..store.model import MediaView
from ..store.scheduled import Scheduled, ScheduledState
from ..uris import Uris
from . import answers, entities, render, schemas
from .moments import stamp

_SOON = timedelta(seconds=1)


class Params(Struct, kw_only=True):
    """What the post is to be. `scheduled_at` and `idempotency` are always null, on Mastodon too."""

    text: str
    media_ids: list[str] | None
    sensitive: bool
    spoiler_text: str | None
    visibility: str
    in_reply_to_id: int | None
    language: str | None
    application_id: int
    poll: None = None
    scheduled_at: None = None
    idempotency: None = None
    with_rate_limit: bool = False


class ScheduledStatus(Struct, kw_only=True):
    """A post that waits for its time."""

    id: str
    scheduled_at: str
    params: Params
    media_attachments: list[entities.MediaAttachment]


def when(text: str | None) -> datetime | None:
    """The moment a client writes; without a zone it is UTC, as Mastodon reads it."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("This is not a time", field="scheduled_at") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def is_later(request: web.Request, moment: datetime | None) -> bool:
    """Whether a post is for later. A time that has passed means now, as on Mastodon."""
    return moment is not None and moment > request.app[keys.CLOCK]() + _SOON


async def keep(request: web.Request, draft: Draft, due_at: datetime, once: Once | None) -> web.Response:
    """Keeps a post for its time and shows it."""
    kept = await scheduling.schedule(
        request.app[keys.ROAD], person(request).me, draft, due_at, source=source_of(request), once=once
    )
    return await _one(request, kept)


@needs("read:statuses", reach=Reach.OWN)
async def several(request: web.Request) -> web.Response:
    """One's posts that wait."""
    me, uris = person(request), request.app[keys.URIS]
    page = answers.page_of(request, usual=20, most=40)
    async with request.app[keys.POOL].acquire() as conn:
        found = await scheduled.list_(conn, me.id, page)
        pictures = await _pictures(conn, found, me.id, uris)
    shown = [_entity(one, pictures) for one in found]
    return answers.paged(request, render.encode(shown), [one.id for one in found])


@needs("read:statuses", reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """One of one's posts that wait."""
    return await _one(request, await _waiting(request))


@needs("write:statuses", reach=Reach.OWN)
async def move(request: web.Request) -> web.Response:
    """Gives it another time."""
    change = await body.to(request, schemas.MovedStatus)
    due_at = when(change.scheduled_at)
    if due_at is None:
        raise Invalid("Choose a time in the future", field="scheduled_at")
    kept = await scheduling.move(
        request.app[keys.ROAD],
        person(request).me,
        (await _waiting(request)).id,
        due_at,
        source=source_of(request),
    )
    return await _one(request, kept)


@needs("write:statuses", reach=Reach.OWN)
async def cancel(request: web.Request) -> web.Response:
    """Takes it back."""
    one = await _waiting(request)
    await scheduling.cancel(request.app[keys.ROAD], person(request).me, one.id, source=source_of(request))
    return answers.empty()


async def _waiting(request: web.Request) -> Scheduled:
    async with request.app[keys.POOL].acquire() as conn:
        found = await scheduled.find(conn, person(request).id, answers.post_id(request))
    if found is None or found.state is not ScheduledState.WAITING:
        raise NotFound
    return found


async def _one(request: web.Request, one: Scheduled) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        pictures = await _pictures(conn, [one], one.account_id, request.app[keys.URIS])
    return answers.entity(_entity(one, pictures))


async def _pictures(
    conn: Connection, found: Sequence[Scheduled], owner: AccountId, uris: Uris
) -> dict[int, MediaView]:
    """The pictures of all of them, in one query."""
    ids = [id_ for one in found for id_ in scheduling.unpack(one.draft).media_ids]
    return {view.id: view for view in await media.load(conn, ids, owner, uris=uris)}


def _entity(one: Scheduled, pictures: dict[int, MediaView]) -> ScheduledStatus:
    draft = scheduling.unpack(one.draft)
    return ScheduledStatus(
        id=str(one.id),
        scheduled_at=stamp(one.due_at),
        params=Params(
            text=draft.text,
            media_ids=[str(id_) for id_ in draft.media_ids] or None,
            sensitive=draft.sensitive,
            spoiler_text=draft.spoiler or None,
            visibility=render.VISIBILITIES[draft.visibility],
            in_reply_to_id=draft.in_reply_to_id,
            language=draft.language,
            application_id=draft.app_id or 0,
        ),
        media_attachments=[render.media(pictures[id_]) for id_ in draft.media_ids if id_ in pictures],
    )
