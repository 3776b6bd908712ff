"""Ours: where one stands (Article 9), for programs. `GET /api/yanlu/v1/standing` and `/credit`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from compliance import credit, measures, tierbook, tiers
from compliance.weighing import Looked, place

from .. import keys
from ..http.auth import person
from ..http.routes import Reach, needs
from ..pages.windows import number
from . import answers, render
from .moments import stamp

_MOST: Final = 40


@needs("read:accounts", reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """The tier, what applies in it, why, and what the next one asks for."""
    road, me = request.app[keys.ROAD], person(request)
    now = road.clock()
    async with road.pool.acquire() as conn:
        standing = await tiers.standing(conn, me.id)
        found = await tierbook.in_force(conn)
        measured = await measures.measure_one(conn, me.id, now=now)
        moves = await tiers.moves_of(conn, me.id, limit=_MOST)
    placed = place(found.policy, measured) if measured and found.version else None
    return _answer(
        {
            "tier": {"id": standing.tier.id, "name": dict(standing.tier.name)},
            "since": stamp(standing.since) if standing.since else None,
            "policy": None
            if not found.version
            else {"version": found.version, "name": found.policy.name, "label": found.policy.version},
            "gives": asdict(standing.tier.gives),
            "credit": round(measured.credit, 1) if measured and found.version else None,
            "because": [_looked(one) for one in placed.looked] if placed else [],
            "next": None
            if placed is None or placed.above is None
            else {
                "tier": {"id": placed.above.id, "name": dict(placed.above.name)},
                "missing": [_looked(one) for one in placed.missing],
            },
            "moves": [
                {
                    "from": move.from_tier,
                    "to": move.to_tier,
                    "at": stamp(move.at),
                    "policy_version": move.policy_version,
                    "decision": _id(move.decision_id),
                }
                for move in moves
            ],
        }
    )


@needs("read:accounts", reach=Reach.OWN)
async def show_credit(request: web.Request) -> web.Response:
    """The value, the rules it is kept by, and every change with its reason, newest first below `max_id`."""
    road, me = request.app[keys.ROAD], person(request)
    now, max_id = road.clock(), number(request.query.get("max_id"))
    async with road.pool.acquire() as conn:
        found = await tierbook.in_force(conn)
        value = await credit.current(conn, me.id, now)
        events = await credit.list_for(conn, me.id, max_id=max_id, limit=_MOST)
    rules = found.policy.credit
    return _answer(
        {
            "value": round(value, 1) if found.version else None,
            "rules": {
                "start": rules.start,
                "floor": rules.floor,
                "cap": rules.cap,
                "half_life_days": rules.half_life_days,
                "points": {kind.value: points for kind, points in rules.points.items()},
            },
            "forecast": [
                {"days": days, "value": round(credit.forecast(value, rules, now, days=days, points=2)[1], 1)}
                for days in (30, 90, 180)
            ],
            "events": [
                {
                    "id": str(event.id),
                    "kind": event.kind.value,
                    "points": round(event.points, 2),
                    "before": round(event.before, 2),
                    "after": round(event.after, 2),
                    "reason": event.reason,
                    "policy_version": event.policy_version,
                    "decision": _id(event.decision_id),
                    "reverses": _id(event.reverses),
                    "at": stamp(event.at),
                }
                for event in events
            ],
        }
    )


def _answer(said: dict[str, Any]) -> web.Response:
    return answers.json(render.encode(said))


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


def _looked(one: Looked) -> dict[str, Any]:
    return asdict(one)
