"""Standing: which tier one is in and why, how to reach the next, and every change of one's credit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from compliance import credit, measures, rates, tierbook, tiers
from compliance.activity import AccountId
from compliance.credit import Event
from compliance.rates import Counted
from compliance.tierpolicy import CreditKind, CreditRules, Tier, TierPolicy
from compliance.weighing import place

from .. import keys
from ..db.pool import Connection
from ..http.auth import person
from ..http.routes import Reach, needs
from ..pages import plots, render, tierwords
from ..pages.plots import Curve
from ..pages.render import say
from ..pages.windows import number

_LENGTH: Final = 40
_DAYS: Final = 180
_STEPS: Final = 25
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Row:
    """One change of credit."""

    what: str
    reason: str
    points: str
    before: str
    after: str
    at: datetime
    decision: int | None
    policy: int


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One change of tier."""

    words: str
    at: datetime
    decision: int | None
    policy: int


@needs(member=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """Where one stands."""
    road, me = request.app[keys.ROAD], person(request)
    now, max_id = road.clock(), number(request.query.get("max_id"))
    async with road.pool.acquire() as conn:
        standing = await tiers.standing(conn, me.id)
        found = await tierbook.in_force(conn)
        measured = await measures.measure_one(conn, me.id, now=now)
        events = await credit.list_for(conn, me.id, max_id=max_id, limit=_LENGTH + 1)
        latest = await credit.list_for(conn, me.id, limit=_LENGTH)
        moves = await tiers.moves_of(conn, me.id, limit=_LENGTH)
        policies = {
            version: await tierbook.load(conn, version) for version in {m.policy_version for m in moves}
        }
        used = await _used(conn, me.id, standing.tier, now)
    placed = place(found.policy, measured) if measured and found.version else None
    value, rules = (measured.credit if measured else found.policy.credit.start), found.policy.credit
    older = f"/settings/standing?max_id={events[_LENGTH - 1].id}" if len(events) > _LENGTH else ""
    return await render.page(
        request,
        "web/settings/standing.html",
        tab="standing",
        heading=say(request, "Standing"),
        in_force=found.version > 0,
        policy=found.policy,
        version=found.version,
        tier=tierwords.name(request, standing.tier),
        since=standing.since,
        pinned_until=standing.pinned_until if standing.pinned_until and standing.pinned_until > now else None,
        gives=tierwords.gives(request, standing.tier.gives),
        used=used,
        because=tierwords.lines(request, placed.looked) if placed else [],
        above=tierwords.name(request, placed.above) if placed and placed.above else "",
        missing=tierwords.lines(request, placed.missing) if placed else [],
        value=tierwords.plain(value),
        start=tierwords.plain(rules.start),
        half_life=tierwords.plain(rules.half_life_days),
        rules=rules_of(request, rules),
        plot=_plot(request, latest, value, found.policy, now),
        plot_words=_plot_words(request, value, rules, now),
        events=[_row(request, event) for event in events[:_LENGTH]],
        older=older,
        moves=[
            MoveRow(
                _moved(request, move, policies[move.policy_version]),
                move.at,
                move.decision_id,
                move.policy_version,
            )
            for move in moves
        ],
    )


async def _used(
    conn: Connection, account_id: AccountId, tier: Tier, now: datetime
) -> dict[str, tuple[int, int]]:
    """Of each hourly limit: how much is used up, and how much there is."""
    given = tier.gives
    limits = (
        (Counted.POSTS, given.posts_per_hour),
        (Counted.UPLOADS, given.uploads_per_hour),
        (Counted.FOLLOWS, given.follows_per_hour),
    )
    return {
        counted.value: (await rates.used(conn, account_id, counted, now=now), most)
        for counted, most in limits
        if most is not None
    }


def rules_of(request: web.Request, rules: CreditRules) -> list[tuple[str, str]]:
    """What counts how much, by the policy in force."""
    return [(say(request, tierwords.CREDIT[kind]), f"{points:+g}") for kind, points in rules.points.items()]


def _row(request: web.Request, event: Event) -> Row:
    return Row(
        say(request, tierwords.CREDIT[event.kind]),
        event.reason,
        f"{event.points:+.1f}".removesuffix(".0"),
        tierwords.plain(event.before),
        tierwords.plain(event.after),
        event.at,
        event.decision_id,
        event.policy_version,
    )


def _moved(request: web.Request, move: tiers.Move, policy: TierPolicy) -> str:
    to = tierwords.name(request, policy.tier(move.to_tier))
    if move.from_tier is None or policy.place(move.from_tier) is None:
        return to
    return f"{tierwords.name(request, policy.tier(move.from_tier))} → {to}"


def _plot(
    request: web.Request, latest: list[Event], value: float, policy: TierPolicy, now: datetime
) -> Curve | None:
    """What credit was and will be if nothing happens, with the heights at which a tier begins."""
    rules = policy.credit
    shown = [event for event in reversed(latest) if event.at > now - timedelta(days=_DAYS)]
    begins, first = now - timedelta(days=_DAYS // 3), rules.start
    if shown:
        begins, first = min(begins, shown[0].at - _WEEK), shown[0].before
    past = [(begins, first)]
    for n, event in enumerate(shown):
        past += [(event.at, event.before), (event.at, event.after)]
        end = shown[n + 1].at if n + 1 < len(shown) else now
        moment = event.at + _WEEK
        while moment < end:
            past.append((moment, credit.left(event.after, event.at, moment, rules)))
            moment += _WEEK
    past.append((now, value))
    step = timedelta(days=_DAYS) / (_STEPS - 1)
    ahead = credit.forecast(value, rules, now, days=_DAYS, points=_STEPS)
    marks = {
        tier.when.credit.low: tierwords.name(request, tier)
        for tier in policy.tiers
        if tier.when.credit is not None and tier.when.credit.low is not None
    }
    return plots.curve(
        past,
        [(now + n * step, each) for n, each in enumerate(ahead)],
        [(event.at, event.after) for event in shown if event.kind is not CreditKind.CLEAN_MONTH],
        sorted(marks.items()),
    )


def _plot_words(request: web.Request, value: float, rules: CreditRules, now: datetime) -> str:
    in_half, in_all = credit.forecast(value, rules, now, days=_DAYS, points=3)[1:]
    return say(
        request,
        "Credit %(now)s now; if nothing happens, %(soon)s in %(half)s days and %(late)s in %(all)s days",
        now=tierwords.plain(value),
        soon=tierwords.plain(in_half),
        half=_DAYS // 2,
        late=tierwords.plain(in_all),
        all=_DAYS,
    )
