"""Campaigns: a group is asked to verify again. Counted before anybody is asked, then watched, then closed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from aiohttp import hdrs, web

from compliance import campaigns, tierbook, turnout
from compliance.activity import AccountId
from compliance.campaigns import Audience, Campaign, CampaignState
from compliance.classes import CertClass
from compliance.errors import ComplianceError, NotAllowed
from compliance.identity import Method, SubjectType
from compliance.tierpolicy import Tier
from compliance.turnout import CampaignId, Progress

from .. import identities, keys
from ..db.pool import Connection
from ..errors import AppError, Invalid
from ..http import body
from ..http.auth import person
from ..http.body import Body
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import plots, tierwords
from ..pages.certificates import CLASSES
from ..pages.plots import Curve
from ..pages.render import say, see_other
from ..pages.windows import number
from ..store import accounts, handles
from . import desk

_E = TypeVar("_E", bound=StrEnum)

_FORM_BYTES: Final = 1024 * 1024
_MOST_HANDLES: Final = 10_000
_MOST_NAMED: Final = 5
_SHOWN: Final = 50
_BATCH: Final = 1_000
_SUBJECTS: Final = {
    SubjectType.PERSON: mark("people"),
    SubjectType.ORGANISATION: mark("organisations"),
}
_STATES: Final = {
    CampaignState.DRAFT: (mark("draft"), ""),
    CampaignState.RUNNING: (mark("running"), "warn"),
    CampaignState.CLOSED: (mark("closed"), "ok"),
}
# What the judgement says to programmers: as people read it, and the field that it is about.
_SAID: Final = {
    "a campaign needs a title of at most 100 characters": (
        mark("Give it a title of at most 100 characters"),
        "title",
    ),
    "a campaign needs a reason of at most 500 characters": (
        mark("Give a reason of at most 500 characters: everybody in it reads it"),
        "reason",
    ),
    "the days after the deadline are 0 to 180": (mark("Choose 0 to 180 days"), "grace_days"),
    "the deadline is to be between tomorrow and a year from now": (
        mark("Choose a day between tomorrow and a year from now"),
        "deadline",
    ),
    "this campaign has been started": (mark("This campaign has been started"), None),
    "this campaign has been closed": (mark("This campaign has been closed"), None),
    "nobody is in this campaign": (mark("Nobody is in this campaign"), None),
}


@dataclass(frozen=True, slots=True)
class Values:
    """What was typed, as it was typed."""

    title: str = ""
    reason: str = ""
    deadline: str = ""
    grace_days: str = "7"
    subject: str = ""
    method: str = ""
    tier: str = ""
    class_: str = ""
    verified_before: str = ""
    handles: str = ""

    @classmethod
    def of(cls, form: Body) -> Values:
        return cls(*(form.text(field.name.rstrip("_")).strip() for field in fields(cls)))


@dataclass(frozen=True, slots=True)
class Row:
    """A campaign in the list."""

    campaign: Campaign
    state: str
    look: str
    progress: Progress
    share: float


@needs(role=desk.CAMPAIGNS, reach=Reach.ANY)
async def index(request: web.Request) -> web.Response:
    """All campaigns, and the form for a new one."""
    return await _index(request, Values())


@needs(role=desk.CAMPAIGNS, reach=Reach.ANY, body=_FORM_BYTES)
async def create(request: web.Request) -> web.Response:
    """Counts whom it would ask, or keeps it as a draft. Nobody is asked by either."""
    form, road = await body.read(request, limit=_FORM_BYTES), request.app[keys.ROAD]
    values = Values.of(form)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            audience = await _audience(request, conn, values)
            if form.text("act") != "create":
                counted = await campaigns.count(conn, audience, road.clock())
                return await _index(request, values, counted=counted)
            campaign_id = await campaigns.create(
                conn,
                title=values.title,
                reason=values.reason,
                audience=audience,
                deadline=datetime.combine(_date(values.deadline, "deadline"), time(23, 59, 59), UTC),
                grace_days=_days(values.grace_days),
                by=person(request).id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except NotAllowed as error:
        return await _index(request, values, _refused(error))
    except Invalid as error:
        return await _index(request, values, error)
    flash = say(request, "Kept as a draft. Nobody has been asked yet.")
    return see_other(request, f"/admin/campaigns/{campaign_id}", flash)


@needs(role=desk.CAMPAIGNS, reach=Reach.ANY)
async def show(request: web.Request) -> web.Response:
    """One campaign: whom it asks, how far it is, and who is open."""
    return await _show(request)


@needs(role=desk.CAMPAIGNS, reach=Reach.ANY, fresh=True)
async def start(request: web.Request) -> web.Response:
    """Asks everybody in it."""
    road, campaign_id = request.app[keys.ROAD], CampaignId(desk.id_of(request))
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            asked = await campaigns.start(
                conn,
                campaign_id,
                by=person(request).id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except NotAllowed as error:
        return await _show(request, _refused(error))
    except ComplianceError as error:
        raise desk.refused(error) from None
    flash = say(request, "Started. %(count)s accounts are told within the next minutes.", count=asked)
    return see_other(request, f"/admin/campaigns/{campaign_id}", flash)


@needs(role=desk.CAMPAIGNS, reach=Reach.ANY, fresh=True)
async def close(request: web.Request) -> web.Response:
    """Ends it, or throws a draft away."""
    road, campaign_id = request.app[keys.ROAD], CampaignId(desk.id_of(request))
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await campaigns.close(
                conn,
                campaign_id,
                by=person(request).id,
                now=road.clock(),
                source=source_of(request),
                new_id=road.ids,
            )
    except NotAllowed as error:
        return await _show(request, _refused(error))
    except ComplianceError as error:
        raise desk.refused(error) from None
    return see_other(request, "/admin/campaigns", say(request, "Closed"))


@needs(role=desk.CAMPAIGNS, reach=Reach.ANY)
async def export(request: web.Request) -> web.StreamResponse:
    """Who is open, as a list for a spreadsheet: handles, and nothing else that is known of them."""
    campaign_id, after = CampaignId(desk.id_of(request)), 0
    async with request.app[keys.POOL].acquire() as conn:
        await desk.found(campaigns.get(conn, campaign_id))
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: "text/csv; charset=utf-8",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="campaign-{campaign_id}-open.csv"',
            hdrs.CACHE_CONTROL: "no-store",
        }
    )
    await response.prepare(request)
    await response.write(_csv(["handle"]))
    while True:
        async with request.app[keys.POOL].acquire() as conn:
            found = await turnout.list_open(conn, campaign_id, after=after, limit=_BATCH)
            people = await accounts.load(conn, found, uris=request.app[keys.URIS])
        await response.write(_csv([people[one].handle for one in found if one in people]))
        if len(found) < _BATCH:
            break
        after = found[-1]
    await response.write_eof()
    return response


async def _index(
    request: web.Request, values: Values, error: AppError | None = None, *, counted: int | None = None
) -> web.Response:
    now = request.app[keys.CLOCK]()
    async with request.app[keys.POOL].acquire() as conn:
        rows = []
        for campaign in await campaigns.list_(conn):
            reached = await turnout.progress(conn, campaign.id, now)
            state, look = _STATES[campaign.state]
            share = plots.share(reached.done, reached.total)
            rows.append(Row(campaign, say(request, state), look, reached, share))
        tiers = [(tier.id, tierwords.name(request, tier)) for tier in await _tiers(conn)]
    return await desk.page(
        request,
        "admin/campaigns.html",
        "campaigns",
        status=error.status if error else 200,
        rows=rows,
        values=values,
        counted=counted,
        subjects=_options(request, _SUBJECTS),
        methods=_options(request, identities.METHODS),
        classes=_options(request, CLASSES),
        tiers=tiers,
        suggested=f"{now + timedelta(days=30):%Y-%m-%d}",
        errors=_errors(request, error),
    )


async def _show(request: web.Request, error: AppError | None = None) -> web.Response:
    campaign_id, now = CampaignId(desk.id_of(request)), request.app[keys.CLOCK]()
    uris = request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        campaign = await desk.found(campaigns.get(conn, campaign_id))
        reached = await turnout.progress(conn, campaign_id, now)
        days = await turnout.by_day(conn, campaign_id, now)
        counted = await campaigns.count(conn, campaign.audience, now)
        after = number(request.query.get("after")) or 0
        found = await turnout.list_open(conn, campaign_id, after=after, limit=_SHOWN + 1)
        people = await accounts.load(conn, [*found, campaign.created_by], uris=uris)
        tiers = {tier.id: tierwords.name(request, tier) for tier in await _tiers(conn)}
    state, look = _STATES[campaign.state]
    return await desk.page(
        request,
        "admin/campaign.html",
        "campaigns",
        status=error.status if error else 200,
        campaign=campaign,
        state=say(request, state),
        look=look,
        progress=reached,
        shares={name: plots.share(getattr(reached, name), reached.total) for name in _PARTS},
        plot=_curve(campaign, reached, days, now),
        counted=counted,
        audience=list(_audience_words(request, campaign.audience, tiers)),
        open=[people[one] for one in found[:_SHOWN] if one in people],
        more=found[_SHOWN - 1] if len(found) > _SHOWN else None,
        by=people.get(campaign.created_by),
        errors=_errors(request, error),
    )


_PARTS: Final = ("done", "open", "lapsed", "told")


def _curve(
    campaign: Campaign, reached: Progress, days: list[tuple[date, int]], now: datetime
) -> Curve | None:
    """How many have verified again, day by day, and the way that is left until the deadline."""
    if campaign.started_at is None:
        return None
    ends = campaign.closed_at or now
    past, sum_ = [(campaign.started_at, 0.0)], 0
    for day, verified in days:
        sum_ += verified
        moment = datetime.combine(day, time(23, 59), UTC)
        past.append((min(max(moment, campaign.started_at), ends), float(sum_)))
    past.append((ends, float(sum_)))
    future = [(ends, float(sum_))]
    if ends < campaign.deadline and campaign.state is CampaignState.RUNNING:
        future.append((campaign.deadline, float(reached.total)))
    return plots.curve(past, future, [], [(float(reached.total), f"{reached.total}")])


async def _audience(request: web.Request, conn: Connection, values: Values) -> Audience:
    """What was chosen. Raises `Invalid` for what there is not, and keeps nothing of it."""
    before = None
    if values.verified_before:
        before = datetime.combine(_date(values.verified_before, "verified_before"), time(), UTC)
    if values.tier and values.tier not in {tier.id for tier in await _tiers(conn)}:
        raise Invalid("There is no such tier", field="tier")
    return Audience(
        subject=_choice(SubjectType, values.subject, "subject"),
        method=_choice(Method, values.method, "method"),
        tier=values.tier or None,
        class_=_choice(CertClass, values.class_, "class"),
        verified_before=before,
        accounts=await _named(request, conn, values.handles) if values.handles else None,
    )


async def _named(request: web.Request, conn: Connection, text: str) -> tuple[AccountId, ...]:
    names = {name.removeprefix("@") for name in text.replace(",", " ").split() if name.removeprefix("@")}
    if len(names) > _MOST_HANDLES:
        raise Invalid("At most %(most)s accounts can be named", field="handles", most=_MOST_HANDLES)
    uris = request.app[keys.URIS]
    known = await handles.find(conn, sorted(names), uris=uris)
    strangers = sorted(
        name for name in names if name not in known or not known[name].handle.endswith(f"@{uris.host}")
    )
    if strangers:
        listed = ", ".join(strangers[:_MOST_NAMED]) + (" …" if len(strangers) > _MOST_NAMED else "")
        raise Invalid("Nobody here is called %(names)s", field="handles", names=listed)
    return tuple(sorted({one.id for one in known.values()}))


async def _tiers(conn: Connection) -> tuple[Tier, ...]:
    """Those of the policy in force; the built-in one has nobody in a tier."""
    found = await tierbook.in_force(conn)
    return tuple(found.policy.tiers) if found.version else ()


def _audience_words(
    request: web.Request, audience: Audience, tiers: dict[str, str]
) -> Iterator[tuple[str, str]]:
    if audience.subject is not None:
        yield say(request, "Who"), say(request, _SUBJECTS[audience.subject])
    if audience.method is not None:
        yield say(request, "Verified"), say(request, identities.METHODS[audience.method])
    if audience.tier is not None:
        yield say(request, "Tier"), tiers.get(audience.tier, audience.tier)
    if audience.class_ is not None:
        yield say(request, "Certified as"), say(request, CLASSES[audience.class_])
    if audience.verified_before is not None:
        yield say(request, "Verified before"), f"{audience.verified_before:%Y-%m-%d}"
    if audience.accounts is not None:
        yield say(request, "Named"), say(request, "%(count)s accounts", count=len(audience.accounts))


def _choice(kind: type[_E], text: str, field: str) -> _E | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise Invalid("Choose one of these", field=field) from None


def _options(request: web.Request, words: Mapping[_E, str]) -> list[tuple[str, str]]:
    return [(key.value, say(request, said)) for key, said in words.items()]


def _date(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("Give a day as year-month-day, such as 2027-03-31", field=field) from None


def _days(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else -1


def _refused(error: NotAllowed) -> Invalid:
    words, field = _SAID.get(str(error), (str(error), None))
    return Invalid(words, field=field)


def _errors(request: web.Request, error: AppError | None) -> list[tuple[str | None, str]]:
    return [(error.field, say(request, error.message, **error.values))] if error else []


def _csv(lines: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([line] for line in lines)
    return text.getvalue().encode()
