"""What one is told: mentions, boosts, favourites, follows, new posts, and decisions about one's own words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from aiohttp import web
from msgspec import UNSET, Raw, UnsetType

from compliance import decisions, reasons
from compliance.decisions import Decision
from compliance.verdict import DecisionId

from .. import i18n, keys, telling
from ..db.pool import Connection
from ..errors import NotFound
from ..http import body
from ..http.auth import person
from ..http.errors import locale_of
from ..http.routes import Reach, needs
from ..store import accounts, notifications
from ..store.model import AccountView, NotificationView
from ..store.notifications import Kind
from . import answers, entities, render, schemas
from .moments import stamp
from .render import RENDERER

# Clients know what the house decides or tells as a moderation warning, and show its text.
_WARNING = "moderation_warning"
_NAMES: Mapping[Kind, str] = {kind: kind.value for kind in Kind} | {
    Kind.DECISION: _WARNING,
    Kind.NOTICE: _WARNING,
}
_KINDS: Mapping[str, tuple[Kind, ...]] = {kind.value: (kind,) for kind in Kind} | {
    _WARNING: (Kind.DECISION, Kind.NOTICE)
}
_GROUP_SECONDS = 12 * 3600
_GROUPED = frozenset({Kind.FAVOURITE, Kind.REBLOG, Kind.FOLLOW})


@needs("read:notifications", reach=Reach.OWN)
async def several(request: web.Request) -> web.Response:
    """One's notices, newest first, of the kinds that are asked for."""
    me, which = person(request), body.query(request, schemas.Which)
    page, uris = answers.page_of(request, usual=40, most=80), request.app[keys.URIS]
    wanted = _kinds(which.types) if which.types else tuple(Kind)
    async with request.app[keys.POOL].acquire() as conn:
        found = await notifications.page(
            conn, me.id, page, uris=uris, kinds=wanted, exclude=_kinds(which.exclude_types)
        )
        made = await _decisions(conn, found)
        mine = await accounts.get(conn, me.id, uris=uris)
    shown = [
        _notification(request, each, made, mine)
        for each in found
        if which.account_id is None or (each.account is not None and each.account.id == which.account_id)
    ]
    return answers.paged(request, render.encode(shown), [each.id for each in found])


@needs("read:notifications", reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """One notice."""
    me, uris = person(request), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        found = await notifications.get(conn, me.id, answers.notification_id(request), uris=uris)
        made = await _decisions(conn, [found])
        mine = await accounts.get(conn, me.id, uris=uris)
    return answers.entity(_notification(request, found, made, mine))


@needs("write:notifications", reach=Reach.OWN)
async def dismiss(request: web.Request) -> web.Response:
    """Takes one notice away."""
    async with request.app[keys.POOL].acquire() as conn:
        if not await notifications.dismiss(conn, person(request).id, answers.notification_id(request)):
            raise NotFound
    return answers.empty()


@needs("write:notifications", reach=Reach.OWN)
async def clear(request: web.Request) -> web.Response:
    """Takes all notices away."""
    async with request.app[keys.POOL].acquire() as conn:
        await notifications.clear(conn, person(request).id)
    return answers.empty()


@needs("read:notifications", reach=Reach.OWN)
async def unread_count(request: web.Request) -> web.Response:
    """How many notices came since one's marker, up to a hundred."""
    async with request.app[keys.POOL].acquire() as conn:
        count = await notifications.unread_count(conn, person(request).id)
    return answers.entity(entities.Count(count))


def _kinds(names: Sequence[str]) -> tuple[Kind, ...]:
    """The kinds with these names; clients also name kinds that do not exist here."""
    return tuple(dict.fromkeys(kind for name in names for kind in _KINDS.get(name, ())))


async def _decisions(conn: Connection, found: Collection[NotificationView]) -> Mapping[DecisionId, Decision]:
    ids = [DecisionId(each.decision_id) for each in found if each.decision_id is not None]
    return await decisions.load(conn, ids) if ids else {}


def _notification(
    request: web.Request,
    view: NotificationView,
    made: Mapping[DecisionId, Decision],
    mine: AccountView,
) -> entities.Notification:
    renderer, kind = request.app[RENDERER], Kind(view.kind)
    account = Raw(renderer.account(view.account or mine))
    decision = None if view.decision_id is None else made.get(DecisionId(view.decision_id))
    return entities.Notification(
        id=str(view.id),
        type=_NAMES[kind],
        group_key=_group(view, kind),
        created_at=stamp(view.created_at),
        account=account,
        status=UNSET if view.post is None else Raw(renderer.status(view.post, view.flags)),
        moderation_warning=_warning(request, view, decision, account),
    )


def _group(view: NotificationView, kind: Kind) -> str:
    """The same for notices that a client may show as one."""
    if kind not in _GROUPED:
        return f"ungrouped-{view.id}"
    about = "" if view.post is None else f"-{view.post.id}"
    return f"{_NAMES[kind]}{about}-{int(view.created_at.timestamp()) // _GROUP_SECONDS}"


def _warning(
    request: web.Request, view: NotificationView, decision: Decision | None, account: Raw
) -> entities.AccountWarning | UnsetType:
    locale = locale_of(request)
    if decision is not None:
        text = None if decision.reason is None else reasons.TEXTS[decision.reason]
        parts = (text.happened, text.next_step) if text else ()
        words = " ".join(i18n.translate(locale, part) for part in parts if part)
    elif view.notice is not None:
        words = i18n.translate(locale, telling.TEXTS[telling.Code(view.notice.code)], view.notice.values)
    else:
        return UNSET
    return entities.AccountWarning(
        id=str(decision.id if decision else view.id),
        text=words,
        target_account=account,
        created_at=stamp(decision.created_at if decision else view.created_at),
    )
