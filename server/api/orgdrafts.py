"""Drafts of organisations, for apps: written, submitted, approved, published and scheduled."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from compliance.activity import AccountId, MediaId, PostId
from compliance.organisations import Act

from .. import keys, scheduling
from ..db.pool import Connection
from ..drafts import Draft
from ..errors import Invalid, NotFound
from ..http import body, limits
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..organising import drafting
from ..store import accounts, orgdrafts
from ..store.model import AccountView
from ..store.orgdrafts import OrgDraft
from . import answers, render, resolving, scheduled, schemas
from .moments import maybe_stamp, stamp
from .organisations import enter
from .statuses import visibility_of


class Note(Struct):
    """What whoever sends a draft back has to say; when one is to be published."""

    note: Annotated[str, Meta(max_length=10_000)] = ""
    scheduled_at: schemas.Short | None = None


class NewDraft(schemas.NewStatus):
    """A post to be, and the one that it changes."""

    edits: int | None = None


class OrgDraftShown(Struct, kw_only=True):
    """A draft of an organisation."""

    id: str
    state: str
    text: str
    spoiler_text: str
    sensitive: bool
    visibility: str
    language: str | None
    in_reply_to_id: str | None
    media_ids: list[str]
    author: str
    approved_by: str | None
    note: str
    scheduled_at: str | None
    failure: str | None
    edits: str | None
    status_id: str | None
    created_at: str
    updated_at: str


@needs("read:statuses", reach=Reach.OWN)
async def drafts(request: web.Request) -> web.Response:
    """Drafts that something is left to be done about."""
    view, road = await enter(request, Act.SEE), request.app[keys.ROAD]
    page = answers.page_of(request)
    async with road.pool.acquire() as conn:
        found = await orgdrafts.list_(conn, view.id, page)
        shown = await _drafts(request, conn, found)
    return answers.paged(request, render.encode(shown), [each.id for each in found])


@needs("write:statuses", reach=Reach.OWN, limit=limits.POSTING)
async def draft(request: web.Request) -> web.Response:
    """Keeps a new draft, or one that changes a post (`edits`)."""
    new, view = await body.to(request, NewDraft), await enter(request)
    kept = await drafting.save(
        request.app[keys.ROAD],
        view,
        person(request).myself,
        _words(request, new),
        edits=None if new.edits is None else PostId(answers.known_id(new.edits)),
        source=source_of(request),
    )
    return await _draft(request, view, kept)


@needs("read:statuses", reach=Reach.OWN)
async def show_draft(request: web.Request) -> web.Response:
    """One draft."""
    return await _draft(request, await enter(request, Act.SEE), _draft_id(request))


@needs("write:statuses", reach=Reach.OWN, limit=limits.POSTING)
async def rewrite(request: web.Request) -> web.Response:
    """Gives a draft other words; whoever approved it has not approved them."""
    new, view, draft_id = await body.to(request, NewDraft), await enter(request), _draft_id(request)
    await drafting.save(
        request.app[keys.ROAD],
        view,
        person(request).myself,
        _words(request, new),
        draft_id=draft_id,
        source=source_of(request),
    )
    return await _draft(request, view, draft_id)


@needs("write:statuses", reach=Reach.OWN)
async def discard(request: web.Request) -> web.Response:
    """Throws a draft away."""
    view = await enter(request)
    await drafting.discard(
        request.app[keys.ROAD],
        view,
        person(request).myself,
        _draft_id(request),
        source=source_of(request),
    )
    return answers.empty()


@needs("write:statuses", reach=Reach.OWN, limit=limits.POSTING)
async def step(request: web.Request) -> web.Response:
    """Takes a draft one step on."""
    asked, view, draft_id = await body.to(request, Note), await enter(request), _draft_id(request)
    road, me, source = request.app[keys.ROAD], person(request).myself, source_of(request)
    match request.match_info["step"]:
        case "submit":
            await drafting.submit(road, view, me, draft_id, source=source)
        case "approve":
            await drafting.approve(road, view, me, draft_id, source=source)
        case "return":
            await drafting.send_back(road, view, me, draft_id, asked.note, source=source)
        case "publish":
            resolve = resolving.handles(request)
            await drafting.publish(road, view, me, draft_id, source=source, resolve=resolve)
        case "schedule":
            await drafting.schedule(road, view, me, draft_id, _when(asked), source=source)
        case "unschedule":
            await drafting.unschedule(road, view, me, draft_id, source=source)
        case _:
            raise NotFound
    return await _draft(request, view, draft_id)


async def _draft(request: web.Request, view: AccountView, draft_id: int) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        found = await orgdrafts.find(conn, view.id, draft_id)
        if found is None:
            raise NotFound
        [shown] = await _drafts(request, conn, [found])
    return answers.entity(shown)


async def _drafts(request: web.Request, conn: Connection, found: list[OrgDraft]) -> list[OrgDraftShown]:
    ids = [each for one in found for each in (one.author, one.approved_by) if each is not None]
    who = await accounts.load(conn, ids, uris=request.app[keys.URIS])
    return [_shown(one, {id_: view.username for id_, view in who.items()}) for one in found]


def _shown(one: OrgDraft, names: dict[AccountId, str]) -> OrgDraftShown:
    words = scheduling.unpack(one.draft)
    return OrgDraftShown(
        id=str(one.id),
        state=one.state.value,
        text=words.text,
        spoiler_text=words.spoiler,
        sensitive=words.sensitive,
        visibility=render.VISIBILITIES[words.visibility],
        language=words.language,
        in_reply_to_id=None if words.in_reply_to_id is None else str(words.in_reply_to_id),
        media_ids=[str(each) for each in words.media_ids],
        author=names.get(one.author, ""),
        approved_by=None if one.approved_by is None else names.get(one.approved_by),
        note=one.note,
        scheduled_at=maybe_stamp(one.due_at),
        failure=one.failure,
        edits=None if one.edits is None else str(one.edits),
        status_id=None if one.post_id is None else str(one.post_id),
        created_at=stamp(one.created_at),
        updated_at=stamp(one.changed_at),
    )


def _words(request: web.Request, new: NewDraft) -> Draft:
    return Draft(
        text=new.status,
        spoiler=new.spoiler_text,
        sensitive=bool(new.sensitive),
        visibility=visibility_of(new.visibility or "public"),
        language=new.language,
        in_reply_to_id=None if new.in_reply_to_id is None else PostId(answers.known_id(new.in_reply_to_id)),
        media_ids=tuple(MediaId(answers.known_id(each)) for each in new.media_ids),
        app_id=person(request).app_id,
    )


def _draft_id(request: web.Request) -> int:
    return int(answers.post_id(request, "draft"))


def _when(asked: Note) -> datetime:
    due_at = scheduled.when(asked.scheduled_at)
    if due_at is None:
        raise Invalid("Choose a day and a time", field="scheduled_at")
    return due_at
