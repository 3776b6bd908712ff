"""What one press does: to a post (boost, favourite, bookmark) and to an account (follow, mute, block).

Each is a form that leads back to where it was pressed; for a script, the answer is the row of buttons anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp import web

from compliance.activity import AccountId, PostId

from .. import acts, keys
from ..acts import NotPublished
from ..errors import NotFound
from ..http import body
from ..http.auth import person
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import cards, render
from ..pages.render import local_path, say, see_other
from ..pages.windows import number
from ..store import accounts, bookmarks, follows, posts
from ..store.model import AccountView, Relationship
from . import composer

_DURATIONS: Final = (
    (0, mark("until I undo it")),
    (3600, mark("for an hour")),
    (86_400, mark("for a day")),
    (7 * 86_400, mark("for a week")),
)

OnPost = Callable[[web.Request, AccountView, PostId], Awaitable[object]]
OnAccount = Callable[[web.Request, AccountView, AccountId], Awaitable[object]]


async def _boost(request: web.Request, me: AccountView, post_id: PostId) -> None:
    await acts.boost(request.app[keys.ROAD], me, post_id, source=source_of(request))


async def _unboost(request: web.Request, me: AccountView, post_id: PostId) -> None:
    await acts.unboost(request.app[keys.ROAD], me, post_id, source=source_of(request))


async def _like(request: web.Request, me: AccountView, post_id: PostId) -> None:
    await acts.like(request.app[keys.ROAD], me, post_id, source=source_of(request))


async def _unlike(request: web.Request, me: AccountView, post_id: PostId) -> None:
    await acts.unlike(request.app[keys.ROAD], me, post_id, source=source_of(request))


async def _bookmark(request: web.Request, me: AccountView, post_id: PostId) -> None:
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        if not await bookmarks.insert(conn, me.id, post_id, new_id=road.ids):
            await posts.require(conn, post_id, me.id)
    road.events.notify("homes", str(me.id))


async def _unbookmark(request: web.Request, me: AccountView, post_id: PostId) -> None:
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        await bookmarks.delete(conn, me.id, post_id)
    road.events.notify("homes", str(me.id))


ON_POSTS: Final[Mapping[str, OnPost]] = {
    "boost": _boost,
    "unboost": _unboost,
    "like": _like,
    "unlike": _unlike,
    "bookmark": _bookmark,
    "unbookmark": _unbookmark,
}


@needs(member=True, reach=Reach.SEEN)
async def on_post(request: web.Request) -> web.Response:
    """Does one of `ON_POSTS` and goes back."""
    post_id, act = number(request.match_info["id"]), ON_POSTS.get(request.match_info["act"])
    if post_id is None or act is None:
        raise NotFound
    me = person(request).me
    form = await body.read(request)
    place = local_path(form.text("next"), "/home")
    try:
        await act(request, me, PostId(post_id))
    except NotPublished as stopped:
        if render.wants_fragment(request):
            raise
        answer = composer.answer_of(request, stopped)
        return await _stopped(request, answer, place)
    if not render.wants_fragment(request):
        return see_other(request, place)
    async with request.app[keys.POOL].acquire() as conn:
        entry = await posts.get_entry(conn, PostId(post_id), me.id, uris=request.app[keys.URIS])
    frame = render.Frame(request)
    made = request.app[render.PAGES].macro(
        locale_of(request), "components/post.html", "actions", cards.one(request, entry), frame, place
    )
    return render.fragment(request, made)


async def _stopped(request: web.Request, answer: composer.Answer, place: str) -> web.Response:
    return await render.page(request, "web/stopped.html", status=403, answer=answer, next=place)


async def _follow(request: web.Request, me: AccountView, target: AccountId) -> None:
    await acts.follow(request.app[keys.ROAD], me, target, source=source_of(request))


async def _unfollow(request: web.Request, me: AccountView, target: AccountId) -> None:
    await acts.unfollow(request.app[keys.ROAD], me, target, source=source_of(request))


async def _choose_boosts(request: web.Request, me: AccountView, target: AccountId, *, boosts: bool) -> None:
    async with request.app[keys.POOL].acquire() as conn:
        [relation] = await follows.relationships(conn, me.id, [target])
    if relation.following or relation.requested:
        await acts.follow(
            request.app[keys.ROAD],
            me,
            target,
            boosts=boosts,
            notify=relation.notify,
            source=source_of(request),
        )


async def _show_boosts(request: web.Request, me: AccountView, target: AccountId) -> None:
    await _choose_boosts(request, me, target, boosts=True)


async def _hide_boosts(request: web.Request, me: AccountView, target: AccountId) -> None:
    await _choose_boosts(request, me, target, boosts=False)


async def _authorize(request: web.Request, me: AccountView, target: AccountId) -> None:
    await acts.authorize(request.app[keys.ROAD], me, target, source=source_of(request))


async def _reject(request: web.Request, me: AccountView, target: AccountId) -> None:
    await acts.reject(request.app[keys.ROAD], me, target, source=source_of(request))


async def _block(request: web.Request, me: AccountView, target: AccountId) -> None:
    await acts.block(request.app[keys.ROAD], me, target, source=source_of(request))


async def _unblock(request: web.Request, me: AccountView, target: AccountId) -> None:
    await acts.unblock(request.app[keys.ROAD], me, target, source=source_of(request))


async def _mute(request: web.Request, me: AccountView, target: AccountId) -> None:
    road = request.app[keys.ROAD]
    form = await body.read(request)
    seconds, now = number(form.text("duration")) or 0, road.clock()
    async with road.pool.acquire() as conn:
        account = await accounts.get(conn, target, uris=road.uris)
        if account.id == me.id:
            raise NotFound
        await follows.mute(
            conn,
            me.id,
            target,
            new_id=road.ids,
            now=now,
            notifications=form.text("notifications") != "0",
            expires_at=now + timedelta(seconds=min(seconds, 366 * 86_400)) if seconds else None,
        )
    road.events.notify("homes", str(me.id))


async def _unmute(request: web.Request, me: AccountView, target: AccountId) -> None:
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        await follows.unmute(conn, me.id, target)
    road.events.notify("homes", str(me.id))


ON_ACCOUNTS: Final[Mapping[str, OnAccount]] = {
    "follow": _follow,
    "unfollow": _unfollow,
    "show-boosts": _show_boosts,
    "hide-boosts": _hide_boosts,
    "authorize": _authorize,
    "reject": _reject,
    "remove": _reject,
    "block": _block,
    "unblock": _unblock,
    "mute": _mute,
    "unmute": _unmute,
}


@needs(member=True, reach=Reach.SEEN)
async def on_account(request: web.Request) -> web.Response:
    """Does one of `ON_ACCOUNTS` and goes back."""
    account_id, act = number(request.match_info["id"]), ON_ACCOUNTS.get(request.match_info["act"])
    if account_id is None or act is None:
        raise NotFound
    me = person(request).me
    place = local_path((await body.read(request)).text("next"), "/home")
    try:
        await act(request, me, AccountId(account_id))
    except NotPublished as stopped:
        if render.wants_fragment(request):
            raise
        return await _stopped(request, composer.answer_of(request, stopped), place)
    if not render.wants_fragment(request):
        return see_other(request, place)
    async with request.app[keys.POOL].acquire() as conn:
        account = await accounts.get(conn, AccountId(account_id), uris=request.app[keys.URIS])
        [relation] = await follows.relationships(conn, me.id, [account.id])
    return _follow_button(request, account, relation, place)


def _follow_button(
    request: web.Request, account: AccountView, relation: Relationship, place: str
) -> web.Response:
    frame = render.Frame(request)
    made = request.app[render.PAGES].macro(
        locale_of(request), "components/follow_button.html", "follow_button", account, relation, frame, place
    )
    return render.fragment(request, made)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before an act on an account."""

    heading: str
    words: str
    submit: str
    grave: bool = False


_QUESTIONS: Final = {
    "mute": Question(
        mark("Mute @%(name)s?"),
        mark("You will not see their posts or hear of what they do. They do not learn of it."),
        mark("Mute"),
    ),
    "block": Question(
        mark("Block @%(name)s?"),
        mark("You will not see each other, and follows between you end."),
        mark("Block"),
        grave=True,
    ),
    "remove": Question(
        mark("Remove @%(name)s from your followers?"),
        mark("They stop getting your posts. They do not learn of it, and may ask to follow again."),
        mark("Remove"),
    ),
}


@needs(member=True, reach=Reach.SEEN)
async def ask_account(request: web.Request) -> web.Response:
    """Asks before muting, blocking or removing somebody."""
    account_id, asked = number(request.match_info["id"]), _QUESTIONS.get(request.match_info["act"])
    if account_id is None or asked is None:
        raise NotFound
    async with request.app[keys.POOL].acquire() as conn:
        account = await accounts.get(conn, AccountId(account_id), uris=request.app[keys.URIS])
    if account.id == person(request).id:
        raise NotFound
    choices = []
    if request.match_info["act"] == "mute":
        durations = [(seconds, say(request, words)) for seconds, words in _DURATIONS]
        shown = [(1, say(request, "hide them too")), (0, say(request, "keep them"))]
        choices = [
            ("duration", say(request, "How long?"), durations),
            ("notifications", say(request, "Notifications from them"), shown),
        ]
    return await render.page(
        request,
        "web/confirm.html",
        heading=say(request, asked.heading, name=account.handle),
        words=say(request, asked.words),
        action=f"/accounts/{account.id}/{request.match_info['act']}",
        submit=say(request, asked.submit),
        grave=asked.grave,
        choices=choices,
        card=None,
        account=account,
        next=local_path(request.query.get("next", ""), f"/@{account.handle}"),
    )
