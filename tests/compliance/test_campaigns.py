"""Asking a group to verify again: who is in it, what it does to their dates, and what it does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from compliance import campaigns, identity, turnout
from compliance.activity import AccountId
from compliance.campaigns import Audience, Campaign, CampaignState
from compliance.errors import NotAllowed
from compliance.identity import Method, SubjectType
from compliance.turnout import CampaignId, Progress
from server.pipeline import Road
from tests.fixtures.people import SOURCE, Join, MovingClock

DAY = timedelta(days=1)
OPERATOR = AccountId(1)
EVERYBODY = Audience()


async def _create(road: Road, audience: Audience = EVERYBODY, *, days: int = 14, **more: Any) -> CampaignId:
    async with road.pool.acquire() as conn, conn.transaction():
        wanted: dict[str, Any] = {
            "title": "Autumn",
            "reason": "Numbers change hands.",
            "audience": audience,
            "deadline": road.clock() + days * DAY,
            "grace_days": 3,
            "by": OPERATOR,
            "now": road.clock(),
            "source": SOURCE,
            "new_id": road.ids,
        }
        return await campaigns.create(conn, **wanted | more)


async def _start(road: Road, campaign_id: CampaignId) -> int:
    async with road.pool.acquire() as conn, conn.transaction():
        return await campaigns.start(
            conn, campaign_id, by=OPERATOR, now=road.clock(), source=SOURCE, new_id=road.ids
        )


async def _close(road: Road, campaign_id: CampaignId) -> Progress:
    async with road.pool.acquire() as conn, conn.transaction():
        return await campaigns.close(
            conn, campaign_id, by=OPERATOR, now=road.clock(), source=SOURCE, new_id=road.ids
        )


async def _attest(road: Road, account_id: AccountId) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        await identity.attest(
            conn, account_id, reason="seen again", by=None, now=road.clock(), source=SOURCE, new_id=road.ids
        )


async def _dates(road: Road, account_id: AccountId) -> tuple[datetime | None, datetime | None]:
    async with road.pool.acquire() as conn:
        known = await identity.get(conn, account_id)
    return known.due_at, known.lapses_at


async def _campaign(road: Road, campaign_id: CampaignId) -> Campaign:
    async with road.pool.acquire() as conn:
        return await campaigns.get(conn, campaign_id)


async def _progress(road: Road, campaign_id: CampaignId) -> Progress:
    async with road.pool.acquire() as conn:
        return await turnout.progress(conn, campaign_id, road.clock())


async def test_the_audience_is_counted_before_anybody_is_asked(road: Road, join: Join) -> None:
    """A dry count: nobody's dates move, and whoever may not publish is not in it."""
    old, new = await join("old"), await join("new")
    await join("nobody", verified=False)
    await join("far", host="far.example")
    async with road.pool.acquire() as conn:
        await conn.execute(
            "update compliance.identity set verified_at = verified_at - interval '90 days', method = 'mobile'"
            " where account_id = $1",
            old.id,
        )
        await conn.execute(
            "update compliance.identity set subject = 'organisation' where account_id = $1", new.id
        )
        now = road.clock()
        counted = [
            await campaigns.count(conn, audience, now)
            for audience in (
                Audience(),
                Audience(verified_before=now - 30 * DAY),
                Audience(method=Method.MOBILE),
                Audience(subject=SubjectType.ORGANISATION),
                Audience(subject=SubjectType.ORGANISATION, method=Method.MOBILE),
                Audience(accounts=(old.id, AccountId(404))),
                Audience(accounts=()),
                Audience(tier="no such tier"),
            )
        ]
    assert [2, 1, 1, 1, 0, 1, 0, 0] == counted


async def test_starting_brings_due_dates_nearer_and_never_moves_them_away(road: Road, join: Join) -> None:
    """Somebody who is due sooner anyway stays so."""
    far, near = await join("far"), await join("near")
    soon = road.clock() + 2 * DAY
    async with road.pool.acquire() as conn:
        await conn.execute(
            "update compliance.identity set due_at = $2::timestamptz,"
            " lapses_at = $2::timestamptz + interval '1 day' where account_id = $1",
            near.id,
            soon,
        )
    campaign_id = await _create(road)
    assert 2 == await _start(road, campaign_id)
    campaign = await _campaign(road, campaign_id)
    assert CampaignState.RUNNING is campaign.state
    assert (campaign.deadline, campaign.deadline + 3 * DAY) == await _dates(road, far.id)
    assert (soon, soon + DAY) == await _dates(road, near.id)


async def test_who_verifies_again_is_done_and_who_does_not_lapses_after_the_grace(
    road: Road, join: Join, clock: MovingClock
) -> None:
    """The whole course of a campaign, with the clock moved past its end."""
    one, two = await join("one"), await join("two")
    campaign_id = await _create(road)
    await _start(road, campaign_id)
    assert Progress(2, 0, 0, 0) == await _progress(road, campaign_id)
    clock.move(days=2)
    await _attest(road, one.id)
    clock.move(days=13)
    async with road.pool.acquire() as conn:
        await identity.sweep(conn, road.clock())
        states = [(await identity.get(conn, person.id)).may_publish(road.clock()) for person in (one, two)]
    assert [True, True] == states  # two is due, and in the grace time
    clock.move(days=3)
    async with road.pool.acquire() as conn:
        states = [(await identity.get(conn, person.id)).may_publish(road.clock()) for person in (one, two)]
        days = await turnout.by_day(conn, campaign_id, road.clock())
        still = await turnout.list_open(conn, campaign_id)
    assert [True, False] == states
    assert Progress(2, 0, 1, 1) == await _progress(road, campaign_id)
    assert ([1], [two.id]) == ([verified for _, verified in days], still)


async def test_closing_early_gives_the_open_ones_their_own_dates_back(road: Road, join: Join) -> None:
    """A campaign that was a mistake harms nobody; who has verified again keeps the new date."""
    one, two = await join("one"), await join("two")
    before = await _dates(road, two.id)
    campaign_id = await _create(road)
    await _start(road, campaign_id)
    await _attest(road, one.id)
    renewed = await _dates(road, one.id)
    assert Progress(2, 0, 1, 0) == await _close(road, campaign_id)
    assert (renewed, before) == (await _dates(road, one.id), await _dates(road, two.id))
    assert CampaignState.CLOSED is (await _campaign(road, campaign_id)).state


async def test_two_campaigns_end_in_any_order_without_a_date_of_either_staying(
    road: Road, join: Join
) -> None:
    """The second took the first one's deadline for people's own."""
    one = await join("one")
    before = await _dates(road, one.id)
    first, second = await _create(road, days=30), await _create(road, days=10)
    await _start(road, first)
    await _start(road, second)
    await _close(road, first)
    assert (await _campaign(road, second)).deadline == (await _dates(road, one.id))[0]
    await _close(road, second)
    assert before == await _dates(road, one.id)


async def test_a_draft_is_thrown_away_and_nothing_is_started_or_closed_twice(road: Road, join: Join) -> None:
    """Two operators press at once: the second hears what has happened."""
    await join("one")
    draft = await _create(road)
    await _close(road, draft)
    campaign_id = await _create(road)
    await _start(road, campaign_id)
    with pytest.raises(NotAllowed, match="has been started"):
        await _start(road, campaign_id)
    await _close(road, campaign_id)
    with pytest.raises(NotAllowed, match="has been closed"):
        await _close(road, campaign_id)
    async with road.pool.acquire() as conn:
        assert [campaign_id] == [found.id for found in await campaigns.list_(conn)]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"reason": ""}, "reason"),
        ({"days": 0}, "deadline"),
        ({"days": 400}, "deadline"),
        ({"grace_days": -1}, "0 to 180"),
        ({"grace_days": 181}, "0 to 180"),
    ],
)
async def test_what_makes_no_campaign_is_refused(road: Road, wrong: dict[str, Any], why: str) -> None:
    """Said before anybody is asked."""
    with pytest.raises(NotAllowed, match=why):
        await _create(road, **wrong)


async def test_nobody_in_it_is_no_campaign(road: Road) -> None:
    """It stays a draft: nothing was committed."""
    campaign_id = await _create(road, Audience(accounts=()))
    with pytest.raises(NotAllowed, match="nobody"):
        await _start(road, campaign_id)
    assert CampaignState.DRAFT is (await _campaign(road, campaign_id)).state


async def test_what_somebody_is_asked_is_known_until_they_have_done_it(road: Road, join: Join) -> None:
    """Their own page says it, with the nearest deadline where two ask."""
    one, other = await join("one"), await join("other")
    await _start(road, await _create(road, Audience(accounts=(one.id,)), days=20, title="Later"))
    await _start(road, await _create(road, Audience(accounts=(one.id,)), days=10, title="Sooner"))
    async with road.pool.acquire() as conn:
        asked = await turnout.asked_of(conn, one.id)
        assert ("Sooner", None) == (asked and asked.title, await turnout.asked_of(conn, other.id))
    await _attest(road, one.id)
    async with road.pool.acquire() as conn:
        assert await turnout.asked_of(conn, one.id) is None


async def test_every_step_is_a_record(road: Road, join: Join) -> None:
    """Who started it, and how many it asked, stands in the log."""
    await join("one")
    campaign_id = await _create(road)
    await _start(road, campaign_id)
    await _close(road, campaign_id)
    async with road.pool.acquire() as conn:
        rows = await conn.fetch(
            "select kind, actor_id from compliance.record where object = $1 order by id",
            f"campaign:{campaign_id}",
        )
    assert [("campaign:create", 1), ("campaign:start", 1), ("campaign:close", 1)] == [
        (row["kind"], row["actor_id"]) for row in rows
    ]


def test_an_audience_is_kept_as_it_was_said() -> None:
    """What is not said stays out of it."""
    said = Audience(method=Method.OIDC, accounts=(AccountId(2),))
    kept = campaigns._encode(said)
    assert b'{"method":"oidc","accounts":[2]}' == kept
