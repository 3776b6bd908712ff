"""What the pages about comments share: whose comments they are, who works through them, and a comment as a
row."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from aiohttp import web

from compliance.activity import PostId
from compliance.commentqueue import Comment
from compliance.comments import State
from compliance.organisations import Act
from compliance.records import Source

from .. import keys, moderating
from ..db.pool import Connection
from ..errors import Forbidden, NotFound
from ..http.auth import person
from ..http.body import Body
from ..http.source import source_of
from ..i18n import mark
from ..moderating import Deed
from ..pages import cards, render, windows
from ..pages.cards import Card
from ..pages.render import say
from ..store import accounts, posts
from ..store.model import AccountView
from . import orgdesk
from .orgdesk import Desk

E = TypeVar("E", bound=enum.StrEnum)

STATES: Final = {
    State.WAITING: mark("Waiting"),
    State.SHOWN: mark("Shown"),
    State.HIDDEN: mark("Hidden"),
    State.REMOVED: mark("Removed"),
}
DONE: Final = {
    Deed.APPROVE: mark("Approved"),
    Deed.HIDE: mark("Hidden"),
    Deed.UNHIDE: mark("Shown again"),
    Deed.REMOVE: mark("Removed"),
    Deed.PIN: mark("Pinned"),
    Deed.UNPIN: mark("No longer pinned"),
    Deed.BLOCK: mark("Blocked from commenting"),
    Deed.UNBLOCK: mark("May comment again"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One comment on the page."""

    comment: Comment
    author: AccountView
    card: Card | None
    """Its post as it is shown; `None` for what was removed."""
    state: str
    look: str
    under: str
    """The beginning of the post that it stands under, and where that is."""
    under_path: str
    under_id: int


@dataclass(frozen=True, slots=True)
class At:
    """Whose comments, who works through them, and where."""

    owner: AccountView
    me: AccountView
    base: str
    source: Source
    desk: Desk | None = None

    @property
    def layout(self) -> str:
        return "layouts/organisation.html" if self.desk else "layouts/column.html"


async def enter(request: web.Request) -> At:
    """Whose comments the address names; for an organisation's, by the person's role in it."""
    source = source_of(request)
    if "name" in request.match_info:
        desk = await orgdesk.enter(request, Act.COMMENTS)
        return At(desk.account, desk.me, f"{desk.base}/comments", replace(source, by=desk.me.id), desk)
    found = person(request)
    if found.place is not None and not found.place.rights.may(Act.COMMENTS):
        raise Forbidden("Your role in this organisation does not include this")
    return At(found.me, found.myself, "/my/comments", source)


async def rows_of(request: web.Request, conn: Connection, at: At, found: Sequence[Comment]) -> list[Row]:
    """Rows with all they show: four statements, however many there are."""
    uris = request.app[keys.URIS]
    ids = [*(one.id for one in found), *dict.fromkeys(one.thread_id for one in found)]
    by_id = {entry.view.id: entry for entry in await posts.entries(conn, ids, at.owner.id, uris=uris)}
    people = await accounts.load(conn, [one.author_id for one in found], uris=uris)
    rows = []
    for one in found:
        entry, above = by_id.get(one.id), by_id.get(one.thread_id)
        rows.append(
            Row(
                comment=one,
                author=people[one.author_id],
                card=cards.one(request, entry) if entry is not None else None,
                state=say(request, STATES[one.state]),
                look={State.WAITING: "warn", State.SHOWN: "ok"}.get(one.state, ""),
                under=cards.excerpt(above.view, 80) if above else "",
                under_path=cards.path_of(above.view) if above else "",
                under_id=one.thread_id,
            )
        )
    return rows


async def page(
    request: web.Request, at: At, template: str, *, status: int = 200, **context: Any
) -> web.Response:
    """A page of the person's own, or of the organisation's console."""
    shared = {"layout": at.layout, "owner": at.owner, "queue": at.base, **context}
    if at.desk is None:
        return await render.page(request, template, status=status, section="comments", **shared)
    return await orgdesk.page(request, at.desk, template, "comments", status=status, **shared)


def statement(request: web.Request, form: Body) -> str:
    """The reason that the commenter reads: a quick one, own words, or both."""
    reason = moderating.REASONS.get(form.text("reason"), "")
    return moderating.statement_of(say(request, reason) if reason else "", form.text("statement"))


def optional(kind: type[E], text: str) -> E | None:
    """The member of that name, where there is one."""
    return kind(text) if text in {each.value for each in kind} else None


def id_of(request: web.Request) -> PostId:
    """The id in the address; raises `NotFound`."""
    found = windows.number(request.match_info["id"])
    if found is None:
        raise NotFound
    return PostId(found)
