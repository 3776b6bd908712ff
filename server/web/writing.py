"""Writing: a new post, a reply, an edit, and taking a post back."""

from __future__ import annotations

from aiohttp import web

from compliance import commenting, commentqueue
from compliance.activity import MediaId, PostId
from compliance.verdict import Reason

from .. import acts, keys, scheduling
from ..acts import Draft, NotPublished
from ..errors import AppError, Forbidden, Invalid, NotFound, TooLarge
from ..http import body, limits
from ..http.auth import person, viewer_id
from ..http.body import Body
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..organising import drafting
from ..pages import cards, moments, render
from ..pages.render import local_path, say, see_other
from ..pages.windows import number
from ..pipeline import Once
from ..store import posts
from ..store.model import Entry
from . import composer, strangers
from .composer import Answer, Sheet

_KEY_LENGTH = 100
# Larger than any picture limit: the handler itself says what is too much, in the composer's own words.
_BODY = 160 * 1024 * 1024


@needs(member=True, reach=Reach.SEEN)
async def compose(request: web.Request) -> web.Response:
    """An empty page to write on; `to` names somebody first."""
    to = request.query.get("to", "")[:300]
    async with request.app[keys.POOL].acquire() as conn:
        sheet = await composer.fresh(request, conn, next_="/home", to=to, key=f"to-{to}" if to else "home")
    return await _sheet(request, sheet, heading=say(request, "New post"))


@needs(member=True, reach=Reach.SEEN)
async def reply(request: web.Request) -> web.Response:
    """A page to answer a post on."""
    entry = await _entry(request)
    async with request.app[keys.POOL].acquire() as conn:
        sheet = await composer.fresh(request, conn, next_=cards.path_of(entry.view), parent=entry.view)
    return await _sheet(request, sheet, heading=say(request, "Reply"), entry=entry)


@needs(member=True, reach=Reach.OWN, limit=limits.POSTING, body=_BODY)
async def publish(request: web.Request) -> web.Response:
    """Publishes what the composer sent. Whatever stops it, the words come back to be changed."""
    form = await body.read(request, limit=composer.form_limit(request))
    pictures: list[MediaId] = []
    draft: Draft | None = None
    try:
        pictures = await composer.take_pictures(request, form)
        draft = composer.draft_of(form, pictures)
        key = form.text("once")[:_KEY_LENGTH]
        me = person(request)
        if form.text("due_at"):
            return await _later(request, form, draft, key)
        post_id = await acts.publish(
            request.app[keys.ROAD],
            me.me,
            draft,
            source=source_of(request),
            once=Once(me.id, f"page:{key}") if key else None,
            resolve=strangers.handles(request),
        )
    except NotPublished as stopped:
        if stopped.stopped.is_held:
            flash = say(request, "Your post is under review. Only you see it for now.")
            return see_other(request, local_path(form.text("next"), "/home"), flash)
        if draft is not None and stopped.stopped.reason is Reason.APPROVAL_REQUIRED:
            return await _kept(request, draft)
        parts = await composer.matched(request, stopped, form.text("status"))
        answer = composer.answer_of(request, stopped, parts)
        return await _again(request, form, pictures, answer=answer, error=stopped)
    except (Forbidden, Invalid, TooLarge, NotFound) as error:
        return await _again(request, form, pictures, error=error)
    place = local_path(form.text("next"), "/home")
    said = mark("Posted")
    if draft.in_reply_to_id is not None:
        async with request.app[keys.POOL].acquire() as conn:
            if await commentqueue.waits(conn, post_id):
                said = mark("Posted. Whoever answers for the post above looks at it before others see it.")
    return see_other(request, f"{place.partition('#')[0]}#p-{post_id}", say(request, said))


async def _later(request: web.Request, form: Body, draft: Draft, key: str) -> web.Response:
    """Keeps a post for the time that was chosen."""
    me, due_at = person(request), moments.moment_of(form.text("due_at"), form.text("zone"))
    once = Once(me.id, f"page:{key}") if key else None
    await scheduling.schedule(
        request.app[keys.ROAD], me.me, draft, due_at, source=source_of(request), once=once
    )
    return see_other(request, "/scheduled", say(request, "It will be published at its time"))


@needs(member=True, reach=Reach.OWN)
async def edit_form(request: web.Request) -> web.Response:
    """One's own post, to be changed."""
    entry = await _own(request)
    return await _sheet(request, composer.for_edit(request, entry.view), heading=say(request, "Edit"))


@needs(member=True, reach=Reach.OWN, limit=limits.POSTING, body=_BODY)
async def edit(request: web.Request) -> web.Response:
    """Gives one's own post new words and pictures."""
    entry = await _own(request)
    form = await body.read(request, limit=composer.form_limit(request))
    pictures: list[MediaId] = []
    path = cards.path_of(entry.view)
    try:
        pictures = await composer.take_pictures(request, form)
        draft = composer.draft_of(form, pictures)
        me = person(request).me
        await acts.edit(
            request.app[keys.ROAD],
            me,
            entry.view.id,
            draft,
            source=source_of(request),
            resolve=strangers.handles(request),
        )
    except NotPublished as stopped:
        if stopped.stopped.is_held:
            flash = say(request, "Your change is under review. Until then the post stays as it was.")
            return see_other(request, path, flash)
        parts = await composer.matched(request, stopped, form.text("status"))
        answer = composer.answer_of(request, stopped, parts)
        return await _again(request, form, pictures, answer=answer, error=stopped, entry=entry)
    except (Invalid, TooLarge) as error:
        return await _again(request, form, pictures, error=error, entry=entry)
    return see_other(request, path, say(request, "Saved"))


@needs(member=True, reach=Reach.OWN)
async def delete_form(request: web.Request) -> web.Response:
    """Asks once more."""
    entry = await _own(request)
    path = cards.path_of(entry.view)
    return await render.page(
        request,
        "web/confirm.html",
        heading=say(request, "Delete this post?"),
        words=say(
            request, "It disappears here, and other servers are asked to delete it. This cannot be undone."
        ),
        action=f"/posts/{entry.view.id}/delete",
        submit=say(request, "Delete"),
        grave=True,
        choices=(),
        card=cards.one(request, entry),
        account=None,
        next=local_path(request.query.get("next", ""), path),
    )


@needs(member=True, reach=Reach.OWN)
async def delete(request: web.Request) -> web.Response:
    """Takes one's own post back."""
    entry = await _own(request)
    await acts.delete(request.app[keys.ROAD], person(request).me, entry.view.id, source=source_of(request))
    next_ = local_path((await body.read(request)).text("next"), "/home")
    # The post's own page is gone.
    return see_other(request, "/home" if f"/{entry.view.id}" in next_ else next_, say(request, "Deleted"))


async def _kept(request: web.Request, draft: Draft) -> web.Response:
    """What an organisation with four eyes may not publish yet, as a draft to be submitted."""
    me = person(request)
    kept = await drafting.save(request.app[keys.ROAD], me.me, me.myself, draft, source=source_of(request))
    flash = say(request, "Kept as a draft: another owner or editor must approve it. Submit it.")
    return see_other(request, f"/org/{me.me.username}/content/{kept}", flash)


async def _entry(request: web.Request) -> Entry:
    post_id = number(request.match_info["id"])
    if post_id is None:
        raise NotFound
    async with request.app[keys.POOL].acquire() as conn:
        return await posts.get_entry(conn, PostId(post_id), viewer_id(request), uris=request.app[keys.URIS])


async def _own(request: web.Request) -> Entry:
    entry = await _entry(request)
    if entry.view.account.id != person(request).id:
        raise NotFound
    return entry


async def _again(
    request: web.Request,
    form: Body,
    pictures: list[MediaId],
    *,
    error: AppError,
    answer: Answer | None = None,
    entry: Entry | None = None,
) -> web.Response:
    """The composer once more, with everything that was typed and what has to be different."""
    parent_id = number(form.text("in_reply_to_id"))
    async with request.app[keys.POOL].acquire() as conn:
        uris, me = request.app[keys.URIS], person(request)
        if entry is not None:
            sheet = composer.for_edit(request, entry.view)
        else:
            found = await posts.entries(conn, [PostId(parent_id)], me.id, uris=uris) if parent_id else []
            parent = found[0] if found else None
            sheet = await composer.fresh(request, conn, next_="/home", parent=parent.view if parent else None)
            entry = parent
        await composer.fill(request, conn, sheet, form, pictures)
    errors = [] if answer else [(error.field, say(request, error.message, **error.values))]
    shown = entry if sheet.in_reply_to_id else None
    heading = say(request, "Reply") if sheet.in_reply_to_id else say(request, "New post")
    return await _sheet(
        request, sheet, heading=heading, entry=shown, answer=answer, errors=errors, status=error.status
    )


async def _sheet(
    request: web.Request,
    sheet: Sheet,
    *,
    heading: str,
    entry: Entry | None = None,
    answer: Answer | None = None,
    errors: object = (),
    status: int = 200,
) -> web.Response:
    stance = None
    if sheet.in_reply_to_id is not None:
        async with request.app[keys.POOL].acquire() as conn:
            stance = await commenting.stance(conn, sheet.in_reply_to_id)
    return await render.page(
        request,
        "web/compose.html",
        section="compose",
        status=status,
        heading=heading,
        stance=stance,
        draft=sheet,
        card=cards.one(request, entry) if entry else None,
        answer=answer,
        errors=errors,
    )
