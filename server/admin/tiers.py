"""Graded service: tier policies by version, what each would change, and how two people put one in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from compliance import tierbook, tiers
from compliance.errors import ComplianceError, InvalidPolicy
from compliance.tierpolicy import MAX_BYTES, TierPolicy

from .. import keys, standings
from ..db.pool import Connection
from ..errors import AppError, Invalid
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import plots, tierwords
from ..pages.render import say, see_other
from ..pages.windows import number
from ..standings import Trial
from ..store import accounts
from . import desk

_AT_ONCE: Final = 20
"""Batches that a request tries by itself; upkeep does the rest, and the page shows how far it is."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Accounts in one tier, now and as a trial found."""

    name: str
    now: int
    now_share: float
    then: int | None = None
    then_share: float = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """Accounts that would go from one tier to another."""

    former: str
    latter: str
    count: int
    samples: tuple[str, ...]


@needs(role=desk.SEE_TIERS, reach=Reach.ANY)
async def index(request: web.Request) -> web.Response:
    """The policies there are, which one is in force, and how many accounts are in each of its tiers."""
    text = ""
    async with request.app[keys.POOL].acquire() as conn:
        origin = request.query.get("from", "")
        if origin == "shipped":
            text = tierbook.shipped()
        elif (version := number(origin)) is not None:
            text = await desk.found(tierbook.text(conn, version))
    return await _index(request, text=text)


@needs(role=desk.CHANGE_TIERS, reach=Reach.ANY, body=4 * MAX_BYTES, fresh=True)
async def import_policy(request: web.Request) -> web.Response:
    """Proposes a policy, after checking all of it; somebody else puts it in force."""
    form, road = await body.read(request, limit=4 * MAX_BYTES), request.app[keys.ROAD]
    text = form.text("body")
    try:
        text = await desk.pasted(form, mark("Choose a file, or paste a policy"))
        async with road.pool.acquire() as conn, conn.transaction():
            version = await tierbook.import_(
                conn,
                text,
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except InvalidPolicy as error:
        return await _index(request, Invalid("%(what)s", field="body", what=str(error)), text)
    except Invalid as error:
        return await _index(request, error, text)
    flash = say(request, "Proposed as version %(version)s. Another person puts it in force.", version=version)
    return see_other(request, f"/admin/tiers/{version}", flash)


@needs(role=desk.SEE_TIERS, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One policy: its tiers, what it changes in words, and whom it would move."""
    return await _show(request)


@needs(role=desk.SEE_TIERS, reach=Reach.ANY)
async def download(request: web.Request) -> web.Response:
    """The policy as a document, to keep or to give to another server."""
    version = desk.id_of(request)
    async with request.app[keys.POOL].acquire() as conn:
        text = await desk.found(tierbook.text(conn, version))
    name = f'attachment; filename="tiers-{version}.toml"'
    return web.Response(text=text, content_type="application/toml", headers={hdrs.CONTENT_DISPOSITION: name})


@needs(role=desk.CHANGE_TIERS, reach=Reach.ANY)
async def try_policy(request: web.Request) -> web.Response:
    """Finds out how many accounts a policy would move; nobody is moved."""
    version = desk.id_of(request)
    try:
        await standings.run_trial(request.app[keys.ROAD], version, most=_AT_ONCE)
    except ComplianceError as error:
        raise desk.refused(error) from None
    return see_other(request, f"/admin/tiers/{version}")


@needs(role=desk.CHANGE_TIERS, reach=Reach.ANY, fresh=True)
async def activate(request: web.Request) -> web.Response:
    """Puts a policy in force, by another person than proposed it."""
    road, version = request.app[keys.ROAD], desk.id_of(request)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await tierbook.activate(
                conn,
                version,
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except ComplianceError as error:
        return await _show(request, desk.refused(error))
    flash = say(
        request, "Version %(version)s is in force. Accounts are looked at from now on.", version=version
    )
    return see_other(request, "/admin/tiers", flash)


@needs(role=desk.CHANGE_TIERS, reach=Reach.ANY, fresh=True)
async def deactivate(request: web.Request) -> web.Response:
    """Puts no policy in force."""
    road = request.app[keys.ROAD]
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await tierbook.deactivate(
                conn,
                by=person(request).id,
                source=source_of(request),
                now=road.clock(),
                new_id=road.ids,
            )
    except ComplianceError as error:
        raise desk.refused(error) from None
    return see_other(request, "/admin/tiers", say(request, "No policy is in force"))


async def _index(request: web.Request, error: AppError | None = None, text: str = "") -> web.Response:
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        versions = await tierbook.list_(conn)
        found = await tierbook.in_force(conn)
        counts = await tiers.counts(conn, found.version) if found.version else {}
        names = await _people(request, conn, versions)
    return await desk.page(
        request,
        "admin/tiers.html",
        "tiers",
        status=error.status if error else 200,
        versions=versions,
        people=names,
        me=person(request).id,
        in_force=found.version,
        sweeping=next((one for one in versions if one.active and one.swept_at is None), None),
        bars=_bars(request, found.policy, counts, None),
        may_change=desk.may(request, desk.CHANGE_TIERS),
        body=text,
        errors=_errors(request, error),
    )


async def _show(request: web.Request, error: AppError | None = None) -> web.Response:
    version = desk.id_of(request)
    async with request.app[keys.POOL].acquire() as conn:
        one = await desk.found(tierbook.get(conn, version))
        policy = await tierbook.load(conn, version)
        found = await tierbook.in_force(conn)
        against = found.version if found.version not in (0, version) else None
        changes = await tierbook.differences(conn, version, against)
        trial = await standings.trial(conn, version)
        counts = await tiers.counts(conn, version) if one.active else {}
        names = await _people(request, conn, [one])
    return await desk.page(
        request,
        "admin/tier_policy.html",
        "tiers",
        status=error.status if error else 200,
        one=one,
        policy=policy,
        people=names,
        tiers=[_described(request, policy, n) for n in range(len(policy.tiers))],
        rules=[
            (say(request, tierwords.CREDIT[kind]), f"{points:+g}")
            for kind, points in policy.credit.points.items()
        ],
        changes=[(line[:1], line) for line in changes],
        trial=trial,
        bars=_bars(request, policy, counts, trial, found.policy) if trial or one.active else [],
        moved=_moves(request, policy, found.policy, trial) if trial else [],
        may_change=desk.may(request, desk.CHANGE_TIERS),
        plain=tierwords.plain,
        is_mine=one.proposed_by == person(request).id,
        errors=_errors(request, error),
    )


def _described(
    request: web.Request, policy: TierPolicy, place: int
) -> tuple[str, str, list[tierwords.Line], list[tuple[str, str]]]:
    tier = policy.tiers[place]
    return (
        tierwords.name(request, tier),
        tier.id,
        tierwords.asked(request, tier.when),
        tierwords.gives(request, tier.gives),
    )


def _bars(
    request: web.Request,
    policy: TierPolicy,
    counts: Mapping[str, int],
    trial: Trial | None,
    former: TierPolicy | None = None,
) -> list[Bar]:
    """One bar for each tier of the policy, and for those of the former one that it no longer has."""
    before = trial.before() if trial else counts
    after = trial.after() if trial else {}
    tiers_shown = {tier.id: tierwords.name(request, tier) for tier in policy.tiers}
    for id_ in before:
        tiers_shown.setdefault(id_, _name(request, id_, former))
    most = max([*before.values(), *after.values(), 1])
    return [
        Bar(
            name,
            before.get(id_, 0),
            plots.share(before.get(id_, 0), most),
            after.get(id_, 0) if trial else None,
            plots.share(after.get(id_, 0), most),
        )
        for id_, name in tiers_shown.items()
    ]


def _moves(request: web.Request, policy: TierPolicy, former: TierPolicy, trial: Trial) -> list[Moved]:
    return [
        Moved(_name(request, before, former), _name(request, after, policy), count, tuple(samples))
        for before, after, count, samples in trial.moved()
    ]


def _name(request: web.Request, id_: str, policy: TierPolicy | None) -> str:
    if not id_:
        return say(request, "no tier yet")
    tier = next((one for one in policy.tiers if one.id == id_), None) if policy else None
    return tierwords.name(request, tier) if tier else id_


async def _people(request: web.Request, conn: Connection, versions: list[tierbook.Version]) -> dict[int, str]:
    ids = [id_ for one in versions for id_ in (one.proposed_by, one.activated_by) if id_]
    views = await accounts.load(conn, ids, uris=request.app[keys.URIS])
    return {id_: view.username for id_, view in views.items()}


def _errors(request: web.Request, error: AppError | None) -> list[tuple[str | None, str]]:
    return [(error.field, say(request, error.message, **error.values))] if error else []
