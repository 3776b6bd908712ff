"""What an organisation writes, in its console: drafts until they are approved and published or scheduled, and
the posts that stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from compliance.activity import AccountId, MediaId, PostId
from compliance.organisations import Act

from .. import acts, keys, scheduling
from ..acts import NotPublished
from ..db.pool import Connection
from ..errors import AppError, NotFound
from ..http import auth, body, limits
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..organising import drafting
from ..pages import moments, windows
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store import accounts, media, orgdrafts, posts, timelines
from ..store.model import AccountView, Page
from ..store.orgdrafts import DraftState, OrgDraft
from . import composer, orgdesk, strangers
from .composer import Answer, Sheet
from .orgdesk import Desk
from .signup import errors_of

_LENGTH: Final = 20
_BODY: Final = 160 * 1024 * 1024
_STATES: Final = {
    DraftState.DRAFT: (mark("draft"), ""),
    DraftState.SUBMITTED: (mark("waits for approval"), "warn"),
    DraftState.APPROVED: (mark("approved"), "ok"),
    DraftState.SCHEDULED: (mark("scheduled"), "ok"),
    DraftState.PUBLISHED: (mark("published"), "ok"),
    DraftState.DISCARDED: (mark("discarded"), ""),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One draft of the list."""

    id: int
    words: str
    state: str
    look: str
    author: str
    is_edit: bool
    failure: str
    due_at: datetime | None
    changed_at: datetime


@needs(member=True, reach=Reach.OWN)
async def index(request: web.Request) -> web.Response:
    """Drafts that something is left to be done about, and the posts."""
    desk, road = await orgdesk.enter(request), request.app[keys.ROAD]
    page = windows.page_of(request, _LENGTH)
    async with road.pool.acquire() as conn:
        found = await orgdrafts.list_(conn, desk.account.id, Page(limit=80))
        authors = await accounts.load(conn, [each.author for each in found], uris=road.uris)
        ids = await timelines.account(conn, desk.account.id, desk.account.id, page)
        entries = await posts.entries(conn, windows.shown(page, ids), desk.account.id, uris=road.uris)
    newer, older = windows.links(request, page, ids)
    return await orgdesk.page(
        request,
        desk,
        "web/organisation/content.html",
        "content",
        drafts=[_row(request, each, authors) for each in found],
        posts=entries,
        newer=newer,
        older=older,
        may_write=desk.may(Act.WRITE),
        may_publish=desk.may(Act.PUBLISH),
        may_remove=desk.may(Act.REMOVE),
    )


@needs(member=True, reach=Reach.OWN)
async def new(request: web.Request) -> web.Response:
    """An empty page to write on; `edit` names a post that is to be changed."""
    desk = await orgdesk.enter(request, Act.WRITE)
    return await _sheet(request, desk, await _empty(request, desk), heading=say(request, "New draft"))


@needs(member=True, reach=Reach.OWN, limit=limits.POSTING, body=_BODY)
async def save(request: web.Request) -> web.Response:
    """Keeps a new draft."""
    return await _save(request, None)


@needs(member=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """One draft, and what can be done with it."""
    desk = await orgdesk.enter(request)
    return await _show(request, desk)


@needs(member=True, reach=Reach.OWN)
async def edit(request: web.Request) -> web.Response:
    """A draft's words, to be changed; whoever approved them has not approved the new ones."""
    desk = await orgdesk.enter(request, Act.WRITE)
    sheet, _ = await _filled(request, desk)
    return await _sheet(request, desk, sheet, heading=say(request, "Edit the draft"))


@needs(member=True, reach=Reach.OWN, limit=limits.POSTING, body=_BODY)
async def rewrite(request: web.Request) -> web.Response:
    """Keeps a draft's new words."""
    return await _save(request, _id(request))


@needs(member=True, reach=Reach.OWN, limit=limits.POSTING)
async def act(request: web.Request) -> web.Response:
    """Takes a draft one step on: submit, approve, return, publish, schedule, unschedule or discard it."""
    form, desk, road = await body.read(request), await orgdesk.enter(request), request.app[keys.ROAD]
    draft_id, step, source = _id(request), request.match_info["act"], source_of(request)
    org, me = desk.account, desk.me
    path, flash = f"{desk.base}/content", ""
    try:
        match step:
            case "submit":
                await drafting.submit(road, org, me, draft_id, source=source)
                path, flash = f"{path}/{draft_id}", say(request, "Submitted: the others are told")
            case "approve":
                await drafting.approve(road, org, me, draft_id, source=source)
                path, flash = f"{path}/{draft_id}", say(request, "Approved")
            case "return":
                await drafting.send_back(road, org, me, draft_id, form.text("note"), source=source)
                flash = say(request, "Sent back")
            case "publish":
                await drafting.publish(
                    road, org, me, draft_id, source=source, resolve=strangers.handles(request)
                )
                flash = say(request, "Posted")
            case "schedule":
                due_at = moments.moment_of(form.text("due_at"), form.text("zone"))
                await drafting.schedule(road, org, me, draft_id, due_at, source=source)
                flash = say(request, "It is published at its time")
            case "unschedule":
                await drafting.unschedule(road, org, me, draft_id, source=source)
                path, flash = f"{path}/{draft_id}", say(request, "It is a draft again")
            case "discard":
                await drafting.discard(road, org, me, draft_id, source=source)
                flash = say(request, "Thrown away")
            case _:
                raise NotFound
    except NotPublished as stopped:
        if stopped.stopped.is_held:
            return see_other(request, path, say(request, "It is under review before anybody sees it."))
        return await _show(request, desk, stopped=stopped)
    except NotFound:
        raise
    except AppError as error:
        return await _show(request, desk, error=error)
    return see_other(request, path, flash)


@needs(member=True, reach=Reach.OWN)
async def delete(request: web.Request) -> web.Response:
    """Takes one of the organisation's posts back."""
    await body.read(request)
    desk, post_id = await orgdesk.enter(request, Act.REMOVE), _id(request)
    with auth.acting_as(request, desk.place):
        await acts.delete(request.app[keys.ROAD], desk.account, PostId(post_id), source=source_of(request))
    return see_other(request, f"{desk.base}/content", say(request, "Deleted"))


async def _save(request: web.Request, draft_id: int | None) -> web.Response:
    desk = await orgdesk.enter(request, Act.WRITE)
    form = await body.read(request, limit=composer.form_limit(request))
    pictures: list[MediaId] = []
    try:
        with auth.acting_as(request, desk.place):
            pictures = await composer.take_pictures(request, form)
        kept = await drafting.save(
            request.app[keys.ROAD],
            desk.account,
            desk.me,
            composer.draft_of(form, pictures),
            draft_id=draft_id,
            edits=_edited(request.query.get("edit", "")),
            source=source_of(request),
        )
    except NotPublished as stopped:
        return await _again(request, desk, form, pictures, answer=composer.answer_of(request, stopped))
    except NotFound:
        raise
    except AppError as error:
        return await _again(request, desk, form, pictures, error=error)
    return see_other(request, f"{desk.base}/content/{kept}", say(request, "Saved"))


async def _again(
    request: web.Request,
    desk: Desk,
    form: body.Body,
    pictures: list[MediaId],
    *,
    error: AppError | None = None,
    answer: Answer | None = None,
) -> web.Response:
    """What was typed once more, with what has to be different."""
    draft_id = request.match_info.get("id")
    sheet = (await _filled(request, desk))[0] if draft_id else await _empty(request, desk)
    with auth.acting_as(request, desk.place):
        async with request.app[keys.POOL].acquire() as conn:
            await composer.fill(request, conn, sheet, form, pictures)
    return await _sheet(
        request,
        desk,
        sheet,
        heading=say(request, "Edit the draft") if draft_id else say(request, "New draft"),
        answer=answer,
        errors=errors_of(request, error),
        status=error.status if error else 422,
    )


async def _empty(request: web.Request, desk: Desk) -> Sheet:
    edited = _edited(request.query.get("edit", ""))
    with auth.acting_as(request, desk.place):
        async with request.app[keys.POOL].acquire() as conn:
            if edited is None:
                sheet = await composer.fresh(request, conn, next_=f"{desk.base}/content", key="draft")
            else:
                post = await posts.get(conn, edited, desk.account.id, uris=request.app[keys.URIS])
                if post.account.id != desk.account.id or post.boost_of is not None:
                    raise NotFound
                sheet = composer.for_edit(request, post)
    sheet.action, sheet.submit = f"{desk.base}/content/new", say(request, "Save the draft")
    if edited is not None:
        sheet.action, sheet.key = f"{sheet.action}?edit={edited}", f"draft-of-{edited}"
    sheet.back = sheet.next = f"{desk.base}/content"
    # A draft is scheduled once it is ready, on its own page.
    sheet.zones = ()
    return sheet


async def _filled(request: web.Request, desk: Desk) -> tuple[Sheet, OrgDraft]:
    """The composer with what a draft says."""
    async with request.app[keys.POOL].acquire() as conn:
        found = await orgdrafts.find(conn, desk.account.id, _id(request))
        if found is None:
            raise NotFound
        sheet = await _empty(request, desk)
        draft = scheduling.unpack(found.draft)
        sheet.text, sheet.spoiler, sheet.sensitive = draft.text, draft.spoiler, draft.sensitive
        sheet.visibility, sheet.language = draft.visibility, draft.language or sheet.language
        sheet.in_reply_to_id = draft.in_reply_to_id
        sheet.media = await _pictures(request, conn, desk.account.id, found)
    if found.edits is not None:
        sheet.visibilities = ()
    sheet.action, sheet.key = f"{desk.base}/content/{found.id}/edit", f"draft-{found.id}"
    sheet.back = sheet.next = f"{desk.base}/content/{found.id}"
    return sheet, found


async def _pictures(
    request: web.Request, conn: Connection, organisation_id: AccountId, found: OrgDraft
) -> Sequence[Any]:
    draft = scheduling.unpack(found.draft)
    return await media.load(conn, list(draft.media_ids), organisation_id, uris=request.app[keys.URIS])


async def _show(
    request: web.Request,
    desk: Desk,
    *,
    stopped: NotPublished | None = None,
    error: AppError | None = None,
) -> web.Response:
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        found = await orgdrafts.find(conn, desk.account.id, _id(request))
        if found is None or found.state is DraftState.DISCARDED:
            raise NotFound
        ids = [found.author, *([found.approved_by] if found.approved_by else [])]
        people = await accounts.load(conn, ids, uris=road.uris)
        pictures = await _pictures(request, conn, desk.account.id, found)
    failed = stopped or error
    return await orgdesk.page(
        request,
        desk,
        "web/organisation/draft.html",
        "content",
        status=failed.status if failed else 200,
        row=_row(request, found, people),
        found=found,
        draft_text=scheduling.unpack(found.draft),
        pictures=pictures,
        approver=people.get(found.approved_by) if found.approved_by else None,
        steps=_steps(desk, found),
        zones=moments.zones(request),
        zone=moments.usual_zone(request),
        four_eyes=desk.whole.four_eyes,
        answer=composer.answer_of(request, stopped) if stopped else None,
        errors=errors_of(request, error),
    )


def _steps(desk: Desk, found: OrgDraft) -> set[str]:
    """What this person can do with the draft now."""
    state, steps = found.state, set[str]()
    waits = state in (DraftState.DRAFT, DraftState.SUBMITTED, DraftState.APPROVED)
    if desk.may(Act.WRITE) and waits:
        steps |= {"edit", "discard"}
        if state is DraftState.DRAFT:
            steps.add("submit")
    if desk.may(Act.APPROVE) and state in (DraftState.SUBMITTED, DraftState.APPROVED):
        steps.add("return")
        if state is DraftState.SUBMITTED and found.author != desk.me.id:
            steps.add("approve")
    if desk.may(Act.PUBLISH):
        if waits and (state is DraftState.APPROVED or not desk.whole.four_eyes):
            steps |= {"publish"} if found.edits else {"publish", "schedule"}
        if state is DraftState.SCHEDULED and found.scheduled_state in ("waiting", "failed"):
            steps.add("unschedule")
    return steps


def _row(request: web.Request, found: OrgDraft, people: dict[AccountId, AccountView]) -> Row:
    words, look = _STATES[found.state]
    author = people.get(found.author)
    if found.failure:
        words, look = mark("not published"), "danger"
    elif found.scheduled_state == "held":
        words, look = mark("under review"), "warn"
    return Row(
        found.id,
        scheduling.unpack(found.draft).text[:200],
        say(request, words),
        look,
        author.username if author else "",
        found.edits is not None,
        found.failure or "",
        found.due_at if found.state is DraftState.SCHEDULED else None,
        found.changed_at,
    )


def _id(request: web.Request) -> int:
    found = number(request.match_info["id"])
    if found is None:
        raise NotFound
    return found


def _edited(text: str) -> PostId | None:
    found = number(text)
    return None if found is None else PostId(found)


async def _sheet(
    request: web.Request,
    desk: Desk,
    sheet: Sheet,
    *,
    heading: str,
    answer: Answer | None = None,
    errors: object = (),
    status: int = 200,
) -> web.Response:
    return await orgdesk.page(
        request,
        desk,
        "web/organisation/write.html",
        "content",
        status=status,
        heading=heading,
        draft=sheet,
        answer=answer,
        errors=errors,
    )
