"""The comments under one's own posts, as whoever answers for them works through them: `/my/comments` for a
person and whoever they act for, `/org/NAME/comments` for an organisation's people by their roles.

Every act is a form and works without a script; with one, a key decides and there are six seconds to undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from compliance import commentqueue
from compliance.activity import PostId
from compliance.commentqueue import Figures
from compliance.comments import Mode, Override, State, Who

from .. import keys, moderating
from ..errors import AppError, Invalid, NotFound
from ..http import body
from ..http.body import Body
from ..http.routes import Reach, needs
from ..i18n import mark
from ..moderating import Decided, Deed
from ..pages import render, windows
from ..pages.render import local_path, say, see_other
from . import commentdesk
from .commentdesk import DONE, STATES, At

_QUESTIONS: Final = {
    Deed.APPROVE: (
        mark("Show this comment?"),
        mark("Everybody who may see the post sees it."),
        mark("Approve"),
    ),
    Deed.HIDE: (
        mark("Hide this comment?"),
        mark("It does not stand under the post any more. Its author reads why, and can appeal."),
        mark("Hide"),
    ),
    Deed.UNHIDE: (
        mark("Show this comment again?"),
        mark("It stands under the post again."),
        mark("Show again"),
    ),
    Deed.REMOVE: (
        mark("Remove this comment?"),
        mark("It is taken away everywhere. Its author reads why, and can appeal."),
        mark("Remove"),
    ),
    Deed.PIN: (mark("Pin this comment?"), mark("It stands before the others."), mark("Pin")),
    Deed.UNPIN: (mark("Unpin this comment?"), mark("It stands among the others again."), mark("Unpin")),
    Deed.BLOCK: (
        mark("Block this person from commenting?"),
        mark("They cannot comment under any of your posts. They read why, and can appeal."),
        mark("Block"),
    ),
    Deed.UNBLOCK: (
        mark("Let this person comment again?"),
        mark("They can comment under your posts again."),
        mark("Unblock"),
    ),
}
_REFER: Final = "refer"
_CLOSE: Final = ("close", "open")


@needs(member=True, reach=Reach.OWN)
async def index(request: web.Request) -> web.Response:
    """The stream of comments, by state and by post."""
    return await _index(request, await commentdesk.enter(request))


@needs(member=True, reach=Reach.OWN)
async def decide(request: web.Request) -> web.Response:
    """Does something about one comment or several; a script gets nothing back but that it is done."""
    at, form = await commentdesk.enter(request), await body.read(request)
    try:
        said = await _do(request, at, form)
    except AppError as error:
        if render.wants_fragment(request) or isinstance(error, NotFound):
            raise
        return await _index(request, at, form=form, error=error)
    if render.wants_fragment(request):
        return render.fragment(request, render.escape_words(said))
    return see_other(request, local_path(form.text("next"), at.base), said)


@needs(member=True, reach=Reach.OWN)
async def ask(request: web.Request) -> web.Response:
    """Asks, and for what the commenter reads asks why: the way from a post's own menu."""
    return await _ask(request, await commentdesk.enter(request))


@needs(member=True, reach=Reach.OWN)
async def answer(request: web.Request) -> web.Response:
    """What was asked, done."""
    at, form = await commentdesk.enter(request), await body.read(request)
    deed, id_ = _deed(request.match_info["act"]), commentdesk.id_of(request)
    try:
        await moderating.decide(
            request.app[keys.ROAD],
            at.owner,
            deed,
            [id_],
            source=at.source,
            statement=commentdesk.statement(request, form),
        )
    except Invalid as error:
        return await _ask(request, at, form=form, error=error)
    return see_other(request, local_path(form.text("next"), at.base), say(request, DONE[deed]))


@needs(member=True, reach=Reach.OWN)
async def change_post(request: web.Request) -> web.Response:
    """Closes or opens the comments of one post, or gives it a policy of its own."""
    at, form, post_id = await commentdesk.enter(request), await body.read(request), commentdesk.id_of(request)
    road, wanted = request.app[keys.ROAD], form.text("act")
    if wanted == "close":
        await moderating.close(road, at.owner, post_id, source=at.source)
    elif wanted == "open":
        await moderating.open_(road, at.owner, post_id, source=at.source)
    else:
        who, mode = commentdesk.optional(Who, form.text("who")), commentdesk.optional(Mode, form.text("mode"))
        override = Override(who=who, mode=mode)
        await moderating.set_override(road, at.owner, post_id, override, source=at.source)
    said = {"close": mark("Comments are closed"), "open": mark("Comments are open")}
    return see_other(
        request, local_path(form.text("next"), at.base), say(request, said.get(wanted, mark("Saved")))
    )


async def _do(request: web.Request, at: At, form: Body) -> str:
    """Does what the pressed button says, and says what was done."""
    road = request.app[keys.ROAD]
    act, _, one = form.text("act").partition(" ")
    chosen = [windows.number(text) for text in ([one] if one else form.texts("ids"))]
    ids = [PostId(id_) for id_ in chosen if id_ is not None]
    if len(ids) != len(chosen):
        raise NotFound
    statement = commentdesk.statement(request, form)
    if act == _REFER:
        count = await moderating.refer(
            road, at.me, at.owner, ids, comment=statement, category="violation", source=at.source
        )
        return say(request, "Reported to the operators: %(count)d", count=count)
    if act in _CLOSE:
        return await _close(request, at, act, ids)
    decided = await moderating.decide(road, at.owner, _deed(act), ids, source=at.source, statement=statement)
    return _said(request, _deed(act), decided)


async def _close(request: web.Request, at: At, act: str, ids: Sequence[PostId]) -> str:
    """Closes or opens the posts that comments stand under, where they are the owner's."""
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        found = await commentqueue.load(conn, at.owner.id, ids)
    if not found or len(found) != len(set(ids)):
        raise NotFound
    for thread_id in dict.fromkeys(one.thread_id for one in found.values()):
        if act == "close":
            await moderating.close(road, at.owner, thread_id, source=at.source)
        else:
            await moderating.open_(road, at.owner, thread_id, source=at.source)
    said = mark("Comments are closed") if act == "close" else mark("Comments are open")
    return say(request, said)


def _said(request: web.Request, deed: Deed, decided: Decided) -> str:
    said = say(request, DONE[deed])
    if len(decided.moved) > 1:
        said = f"{said} · {len(decided.moved)}"
    if decided.kept:
        kept = say(request, "%(count)d stay as the operators decided on appeal", count=len(decided.kept))
        said = f"{said} · {kept}"
    return said


async def _index(
    request: web.Request, at: At, *, form: Body | None = None, error: AppError | None = None
) -> web.Response:
    page = windows.page_of(request, commentqueue.PAGE)
    state, thread_id = (
        commentdesk.optional(State, request.query.get("state", "")),
        windows.number(request.query.get("post")),
    )
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        found = await commentqueue.list_page(
            conn,
            at.owner.id,
            state=state,
            thread_id=None if thread_id is None else PostId(thread_id),
            max_id=page.max_id,
            min_id=page.min_id,
            limit=page.limit,
        )
        rows = await commentdesk.rows_of(request, conn, at, windows.shown(page, found))
        figures = await commentqueue.figures(conn, at.owner.id, now=road.clock())
    newer, older = windows.links(request, page, [one.id for one in found])
    return await commentdesk.page(
        request,
        at,
        "web/comments.html",
        status=error.status if error else 200,
        rows=rows,
        figures=figures,
        median=_spell(request, figures),
        tabs=_tabs(request, at, state, thread_id),
        state=state,
        reasons=[(key, say(request, words)) for key, words in moderating.REASONS.items()],
        reason=form.text("reason") if form else "",
        statement=form.text("statement") if form else "",
        chosen={*form.texts("ids")} if form else set(),
        newer=newer,
        older=older,
        errors=[(error.field or "ids", say(request, error.message, **error.values))] if error else [],
    )


def _tabs(
    request: web.Request, at: At, state: State | None, thread_id: int | None
) -> list[tuple[str, str, bool]]:
    listed: list[tuple[State | None, str]] = [(None, mark("All")), *STATES.items()]
    tabs = []
    for one, words in listed:
        values = {"state": one.value if one else "", "post": str(thread_id) if thread_id else ""}
        query = urlencode({key: value for key, value in values.items() if value})
        tabs.append((f"{at.base}?{query}" if query else at.base, say(request, words), one is state))
    return tabs


def _spell(request: web.Request, figures: Figures) -> str:
    """The median as people say it."""
    if figures.median is None:
        return say(request, "none yet")
    minutes = round(figures.median.total_seconds() / 60)
    if minutes < 120:
        return say(request, "%(count)d min", count=minutes)
    return say(request, "%(count)d h", count=round(minutes / 60))


async def _ask(
    request: web.Request, at: At, *, form: Body | None = None, error: Invalid | None = None
) -> web.Response:
    deed, id_ = _deed(request.match_info["act"]), commentdesk.id_of(request)
    async with request.app[keys.POOL].acquire() as conn:
        found = await commentqueue.load(conn, at.owner.id, [id_])
        if id_ not in found:
            raise NotFound
        [row] = await commentdesk.rows_of(request, conn, at, [found[id_]])
    heading, words, submit = _QUESTIONS[deed]
    given = form.text("next") if form else request.query.get("next", "")
    return await commentdesk.page(
        request,
        at,
        "web/comment_act.html",
        status=error.status if error else 200,
        row=row,
        deed=deed.value,
        heading=say(request, heading),
        words=say(request, words),
        submit=say(request, submit),
        grave=deed in (Deed.REMOVE, Deed.BLOCK),
        explained=deed in moderating.EXPLAINED,
        reasons=[("", say(request, "In my own words")), *_reasons(request)],
        reason=form.text("reason") if form else "",
        statement=form.text("statement") if form else "",
        next=local_path(given, row.under_path or at.base),
        errors=[(error.field, say(request, error.message, **error.values))] if error else [],
    )


def _reasons(request: web.Request) -> list[tuple[str, str]]:
    return [(key, say(request, words)) for key, words in moderating.REASONS.items()]


def _deed(text: str) -> Deed:
    try:
        return Deed(text)
    except ValueError:
        raise NotFound from None
