"""An organisation's console: how it stands, what it owes, and who did what in its name."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import hdrs, web

from compliance import (
    agreements,
    certification,
    commentqueue,
    decisions,
    identity,
    organisations,
    records,
    transfers,
)
from compliance.activity import AccountId
from compliance.organisations import Act, MemberState
from compliance.records import Record, RecordKind

from .. import keys
from ..db.pool import Connection
from ..errors import NotFound
from ..http import body
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..organising import people
from ..pages import orgtabs, windows
from ..pages.render import say
from ..store import accounts, orgdrafts, scheduled
from ..store.model import AccountView
from ..store.orgdrafts import DraftState
from . import orgdesk
from .orgdesk import Desk

_LENGTH: Final = 50
_LATELY: Final = 8
_EXPORTED: Final = 10_000
_STEP: Final = 500
OBLIGATIONS: Final = (
    mark("The organisation answers for its posts and for the comments under them (Article 10)."),
    mark("Whoever acts for it is verified in person, acts under the own login, and is recorded."),
    mark("Its identity and its certification are renewed in time; papers that change are sent in anew."),
    mark("Comments that break the law are hidden or removed, with a reason that their author can appeal."),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the overview."""

    label: str
    value: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is to be done."""

    words: str
    path: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A record as the organisation reads it: without addresses, which are its people's own."""

    at: datetime
    kind: str
    act: str
    """The same in words."""
    who: str
    object: str
    detail: str


@needs(member=True, reach=Reach.OWN)
async def overview(request: web.Request) -> web.Response:
    """Figures, dates, and who did what lately."""
    desk, road = await orgdesk.enter(request), request.app[keys.ROAD]
    now = road.clock()
    async with road.pool.acquire() as conn:
        comments = await commentqueue.figures(conn, desk.account.id, now=now)
        known = await identity.get(conn, desk.account.id)
        certified = await certification.find_active(conn, desk.account.id)
        submitted = await orgdrafts.count(conn, desk.account.id, DraftState.SUBMITTED)
        waiting = await scheduled.count_waiting(conn, desk.account.id)
        items = await _items(request, conn, desk)
        found = await records.list_page(conn, actor_id=desk.account.id, limit=_LATELY)
        lines = await _lines(request, conn, found)
    figures = [
        Figure(say(request, "Posts"), str(desk.account.posts), f"{desk.base}/content"),
        Figure(say(request, "Followers"), str(desk.account.followers)),
        Figure(say(request, "Comments waiting"), str(comments.waiting), f"{desk.base}/comments"),
        Figure(say(request, "Drafts to approve"), str(submitted), f"{desk.base}/content"),
        Figure(say(request, "Scheduled posts"), str(waiting), f"{desk.base}/content"),
    ]
    return await orgdesk.page(
        request,
        desk,
        "web/organisation/overview.html",
        "overview",
        figures=figures,
        identity_due=known.due_at,
        may_publish=known.may_publish(now),
        certified=certified,
        items=items,
        lines=lines,
        may_switch=desk.may(Act.READ),
    )


@needs(member=True, reach=Reach.OWN)
async def duties(request: web.Request) -> web.Response:
    """What the organisation owes, and what of it is open."""
    desk = await orgdesk.enter(request)
    async with request.app[keys.POOL].acquire() as conn:
        items = await _items(request, conn, desk)
        unfavourable = await decisions.list_for(conn, desk.account.id, limit=20)
    return await orgdesk.page(
        request,
        desk,
        "web/organisation/duties.html",
        "duties",
        obligations=[say(request, words) for words in OBLIGATIONS],
        items=items,
        decisions=len(unfavourable),
        may_appeal=desk.may(Act.APPEAL),
    )


@needs(member=True, reach=Reach.OWN)
async def log(request: web.Request) -> web.Response:
    """Who did what in the organisation's name."""
    desk, page = await orgdesk.enter(request, Act.LOG), windows.page_of(request, _LENGTH)
    by, kind = _chosen(request)
    async with request.app[keys.POOL].acquire() as conn:
        found = await records.list_page(
            conn,
            actor_id=desk.account.id,
            by=by,
            kind=kind,
            max_id=page.max_id,
            min_id=page.min_id,
            limit=page.limit,
        )
        lines = await _lines(request, conn, windows.shown(page, found))
        folk = await _folk(request, conn, desk.account.id)
    newer, older = windows.links(request, page, [row.id for row in found])
    return await orgdesk.page(
        request,
        desk,
        "web/organisation/log.html",
        "log",
        lines=lines,
        folk=[("", say(request, "Everybody")), *((str(one.id), f"@{one.username}") for one in folk)],
        kinds=[
            ("", say(request, "Every act")),
            *((each.value, orgtabs.act_name(request, each.value)) for each in orgtabs.LOG_NAMES),
        ],
        by_chosen=request.query.get("by", ""),
        kind_chosen=request.query.get("kind", ""),
        newer=newer,
        older=older,
    )


@needs(member=True, reach=Reach.OWN)
async def export(request: web.Request) -> web.Response:
    """The log as a table for other programs; that it was taken along is recorded."""
    await body.read(request)
    desk, road = await orgdesk.enter(request, Act.LOG), request.app[keys.ROAD]
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["time", "act", "person", "object", "detail"])
    async with road.pool.acquire() as conn:
        max_id, count = None, 0
        while count < _EXPORTED:
            found = await records.list_page(conn, actor_id=desk.account.id, max_id=max_id, limit=_STEP)
            for line in await _lines(request, conn, found):
                row = [line.at.isoformat(), line.kind, line.who, line.object, line.detail]
                table.writerow([_plain(cell) for cell in row])
            count += len(found)
            if len(found) < _STEP:
                break
            max_id = found[-1].id
        async with conn.transaction():
            await people.record(
                road,
                conn,
                RecordKind.ORGANISATION_EXPORT,
                desk.account,
                desk.account.id,
                me=desk.me,
                source=source_of(request),
                detail={"rows": count},
            )
    name = f"{desk.account.username}-log-{road.clock():%Y-%m-%d}.csv"
    return web.Response(
        body=b"\xef\xbb\xbf" + text.getvalue().encode(),
        headers={
            hdrs.CONTENT_TYPE: "text/csv; charset=utf-8",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
            hdrs.CACHE_CONTROL: "no-store",
        },
    )


async def _items(request: web.Request, conn: Connection, desk: Desk) -> list[Item]:
    """What is open, the gravest first."""
    road, organisation_id = request.app[keys.ROAD], desk.account.id
    now, found = road.clock(), []
    if desk.whole.suspended_at is not None:
        found.append(
            Item(say(request, "The operators have suspended its rights"), "", desk.whole.suspended_at)
        )
    known = await identity.get(conn, organisation_id)
    path = f"{desk.base}/certification" if desk.may(Act.CERTIFY) else ""
    if not known.may_publish(now):
        words = say(request, "Its identity is not verified, so it cannot publish: apply for certification")
        found.append(Item(words, path))
    elif known.state is identity.IdentityState.DUE:
        found.append(Item(say(request, "Its identity is to be verified again"), path, known.lapses_at))
    if await agreements.missing(conn, desk.me.id, locale=locale_of(request), now=now):
        found.append(Item(say(request, "Accept the new agreement, to act for it"), "/settings/account"))
    moving = await transfers.waiting(conn, organisation_id)
    if moving is not None:
        found.append(
            Item(say(request, "The organisation is being handed on"), f"{desk.base}/members", moving.due_at)
        )
    comments = await commentqueue.figures(conn, organisation_id, now=now)
    if comments.waiting:
        path = f"{desk.base}/comments" if desk.may(Act.COMMENTS) else ""
        found.append(Item(say(request, "Comments wait: %(count)d", count=comments.waiting), path))
    submitted = await orgdrafts.count(conn, organisation_id, DraftState.SUBMITTED)
    if submitted:
        words = say(request, "Drafts wait to be approved: %(count)d", count=submitted)
        found.append(Item(words, f"{desk.base}/content"))
    members = await organisations.members(conn, organisation_id)
    active = [each.account_id for each in members if each.state is MemberState.ACTIVE]
    theirs = await identity.load(conn, active)
    lapsed = [id_ for id_ in active if not theirs[id_].may_publish(now)]
    for person in await accounts.load_in_order(conn, lapsed, uris=road.uris):
        words = say(
            request, "@%(name)s is not verified any more and cannot publish for it", name=person.username
        )
        found.append(Item(words, f"{desk.base}/members"))
    return found


async def _lines(request: web.Request, conn: Connection, found: Sequence[Record]) -> list[Line]:
    ids = [AccountId(each) for row in found for each in (row.source.by, row.actor_id) if each is not None]
    who = await accounts.load(conn, ids, uris=request.app[keys.URIS])
    lines = []
    for row in found:
        by = who.get(AccountId(row.source.by)) if row.source.by is not None else None
        lines.append(
            Line(
                row.at,
                row.kind,
                orgtabs.act_name(request, row.kind),
                by.username if by else say(request, "the server"),
                row.object or "",
                ", ".join(f"{name}: {value}" for name, value in row.detail.items() if value is not None),
            )
        )
    return lines


async def _folk(request: web.Request, conn: Connection, organisation_id: AccountId) -> list[AccountView]:
    """Everybody who acts for it or did."""
    ids = await organisations.people_ever(conn, organisation_id)
    return await accounts.load_in_order(conn, ids, uris=request.app[keys.URIS])


def _chosen(request: web.Request) -> tuple[int | None, RecordKind | None]:
    kind = request.query.get("kind", "")
    by = windows.number(request.query.get("by")) if request.query.get("by") else None
    if request.query.get("by") and by is None:
        raise NotFound
    return by, RecordKind(kind) if kind in {each.value for each in RecordKind} else None


def _plain(cell: str) -> str:
    """A spreadsheet must not take somebody's words for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
