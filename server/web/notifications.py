"""What people are told: grouped by post and kind, calm, and read when it has been looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from aiohttp import web
from markupsafe import Markup, escape

from .. import keys, telling
from ..http.auth import person
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..i18n import mark, translate_count
from ..pages import cards, render, windows
from ..pages.cards import Card
from ..pages.render import say
from ..store import markers, notifications
from ..store.model import AccountView, Entry, NotificationView
from ..store.notifications import Kind

_LENGTH: Final = 40
_LOOKS: Final = {
    "favourite": ("like", "heart"),
    "reblog": ("boost", "boost"),
    "follow": ("follow", "user-plus"),
    "follow_request": ("follow", "user"),
    "update": ("update", "edit"),
    "decision": ("decision", "scale"),
    "notice": ("decision", "info"),
}
_ALONE: Final = {
    "favourite": mark("%(who)s favourited your post"),
    "reblog": mark("%(who)s boosted your post"),
    "follow": mark("%(who)s follows you"),
    "follow_request": mark("%(who)s asks to follow you"),
    "update": mark("%(who)s edited a post you boosted"),
    "decision": mark("A decision was made about something of yours"),
}
_TOGETHER: Final = {
    "favourite": mark("%(who)s and %(count)s more favourited your post"),
    "reblog": mark("%(who)s and %(count)s more boosted your post"),
    "follow": mark("%(who)s and %(count)s more follow you"),
}
_FILTERS: Final = (
    ("", mark("All"), tuple(Kind)),
    ("mentions", mark("Mentions"), (Kind.MENTION, Kind.STATUS)),
    ("boosts", mark("Boosts"), (Kind.REBLOG,)),
    ("favourites", mark("Favourites"), (Kind.FAVOURITE,)),
    ("follows", mark("Follows"), (Kind.FOLLOW, Kind.FOLLOW_REQUEST)),
    ("decisions", mark("Decisions"), (Kind.DECISION, Kind.NOTICE)),
)


@dataclass(slots=True)
class Group:
    """One line of the list: a mention, or several people who did the same to one post."""

    id: int
    kind: str
    at: datetime
    unread: bool
    people: list[AccountView] = field(default_factory=list)
    card: Card | None = None
    excerpt: str = ""
    words: Markup = field(default_factory=Markup)
    decision_id: int | None = None
    link: str | None = None

    @property
    def look(self) -> str:
        return _LOOKS[self.kind][0]

    @property
    def icon(self) -> str:
        return _LOOKS[self.kind][1]


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """The list, and with it everything on it is read."""
    me, page = person(request), windows.page_of(request, _LENGTH)
    chosen = request.query.get("show", "")
    kinds = next((kinds for name, _, kinds in _FILTERS if name == chosen), tuple(Kind))
    async with request.app[keys.POOL].acquire() as conn:
        rows = await notifications.page(conn, me.id, page, uris=request.app[keys.URIS], kinds=kinds)
        read = (await markers.load(conn, me.id, ("notifications",))).get("notifications")
        listed = windows.shown(page, rows)
        if listed and page.max_id is None:
            newest = max(row.id for row in listed)
            await markers.put(conn, me.id, "notifications", newest, now=request.app[keys.CLOCK]())
    newer, older = windows.links(request, page, [row.id for row in rows])
    return await render.page(
        request,
        "web/notifications.html",
        section="notifications",
        groups=_groups(request, listed, read.last_read_id if read else 0),
        filters=[
            (f"/notifications?show={name}" if name else "/notifications", say(request, words), name == chosen)
            for name, words, _ in _FILTERS
        ],
        newer=newer,
        older=older,
    )


def _groups(request: web.Request, rows: Sequence[NotificationView], read: int) -> list[Group]:
    groups: list[Group] = []
    open_: dict[tuple[object, ...], Group] = {}
    for row in rows:
        key = (row.kind, row.post.id if row.post else None, row.id <= read)
        group = open_.get(key) if row.kind in _TOGETHER else None
        if group is None:
            card = cards.one(request, Entry(row.post, row.flags)) if row.post else None
            group = Group(
                row.id, row.kind, row.created_at, row.id > read, card=card, decision_id=row.decision_id
            )
            if row.notice is not None:
                text = telling.TEXTS[telling.Code(row.notice.code)]
                group.words, group.link = escape(say(request, text, **row.notice.values)), row.notice.link
            if card is not None:
                group.excerpt = cards.excerpt(card.post)
            open_[key] = group
            groups.append(group)
        if row.account is not None:
            group.people.append(row.account)
    for group in groups:
        group.words = group.words or _words(request, group)
    return groups


def _words(request: web.Request, group: Group) -> Markup:
    if group.kind not in _ALONE:
        return Markup()
    people = group.people
    who = (
        Markup('<a href="/@{}"><bdi>{}</bdi></a>').format(people[0].handle, people[0].name) if people else ""
    )
    if len(people) > 1:
        more = translate_count(locale_of(request), "%(count)s", "%(count)s", len(people) - 1)
        said = escape(say(request, _TOGETHER[group.kind]))
        return said % {"who": who, "count": more}
    return escape(say(request, _ALONE[group.kind])) % {"who": who}
