"""People are told that their identity is to be verified again: once for each step, whatever happens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from compliance import campaigns, identity, records, reminders
from compliance.activity import AccountId
from compliance.campaigns import Audience
from compliance.turnout import CampaignId
from server import keys, postbox
from server.db.pool import Connection
from server.letters import Letter
from server.pipeline import Road
from server.reminding import Reminding
from server.store.postbox import Waiting
from tests.fixtures.server import SOURCE, Caller, Client, Enter

DAY = timedelta(days=1)
# Far enough that the application's own upkeep, by the real clock, has nothing to tell of it.
VERIFIED, DUE, LAPSES = (datetime(2040, month, 1, 12, tzinfo=UTC) for month in (1, 6, 7))


@pytest.fixture(autouse=True)
async def _months(road_of: Road) -> None:
    """The log of those years."""
    async with road_of.pool.acquire() as conn:
        for month in range(0, 20, 3):
            await records.open_months(conn, VERIFIED + month * 30 * DAY)


async def _due(road: Road, person: Caller, *, lapses_at: datetime = LAPSES) -> None:
    async with road.pool.acquire() as conn:
        await conn.execute(
            "update compliance.identity set verified_at = $2, due_at = $3, lapses_at = $4"
            " where account_id = $1",
            person.id,
            VERIFIED,
            DUE,
            lapses_at,
        )


async def _remind(road: Road, now: datetime) -> int:
    reminding = Reminding(replace(road, clock=lambda: now))
    async with road.pool.acquire() as conn, conn.transaction():
        done = await reminding.remind(conn, now, 100)
    await reminding.wake()
    return done


async def _notices(road: Road, account_id: AccountId) -> list[str]:
    async with road.pool.acquire() as conn:
        rows = await conn.fetch(
            "select code from notification where account_id = $1 and code is not null order by id",
            account_id,
        )
    return [row["code"] for row in rows]


async def _letters(road: Road) -> list[Letter]:
    """What lies in the postbox; by a clock of 2040, nobody empties it meanwhile."""
    async with road.pool.acquire() as conn:
        rows = await conn.fetch("select id, sealed, tries, created_at from letter order by id")
    return [postbox.opened(road, Waiting(*row)) for row in rows]


async def test_each_step_is_told_once_by_notice_and_letter(road_of: Road, enter: Enter) -> None:
    """30, 7 and 1 days before, on the day, and three days before publishing ends; nothing between."""
    person = await enter("xiaoming", locale="zh-CN")
    await _due(road_of, person)
    told = []
    for days in (-31, -30, -29.5, -10, -7, -6.5, -1, -0.5, 0, 1, 20, 26.9, 27, 28, 30, 31):
        if await _remind(road_of, DUE + days * DAY):
            told.append(days)
        await _remind(road_of, DUE + days * DAY)
    assert [-30, -7, -1, 0, 27] == told
    assert ["identity:due"] * 3 + ["identity:overdue", "identity:lapses"] == (
        await _notices(road_of, person.id)
    )
    letters = await _letters(road_of)
    assert [("xiaoming@mail.example", "zh-CN")] * 5 == [(one.to, one.locale) for one in letters]
    assert all("2040-06-01" in one.text and "/settings/identity" in one.text for one in letters)


async def test_a_new_due_date_has_its_own_reminders(road_of: Road, enter: Enter) -> None:
    """Verified again, the next year begins from the start."""
    person = await enter("xiaoming")
    await _due(road_of, person)
    await _remind(road_of, DUE - 7 * DAY)
    async with road_of.pool.acquire() as conn:
        await conn.execute(
            "update compliance.identity set verified_at = $2, due_at = $3, lapses_at = $3"
            " where account_id = $1",
            person.id,
            DUE - 6 * DAY,
            DUE + 365 * DAY,
        )
    assert 0 == await _remind(road_of, DUE)
    assert 1 == await _remind(road_of, DUE + (365 - 7) * DAY)


async def test_what_was_missed_is_not_made_up_for(road_of: Road, enter: Enter) -> None:
    """A server that was down for weeks tells one thing, not four."""
    person = await enter("xiaoming")
    await _due(road_of, person)
    assert [1, 0] == [await _remind(road_of, DUE - 5 * DAY), await _remind(road_of, DUE - 4 * DAY)]
    assert ["identity:due"] == await _notices(road_of, person.id)


async def test_who_was_just_verified_for_a_short_time_is_not_reminded_at_once(
    road_of: Road, enter: Enter
) -> None:
    """An interval of a month has no step a month before."""
    person = await enter("xiaoming")
    await _due(road_of, person)
    async with road_of.pool.acquire() as conn:
        await conn.execute(
            "update compliance.identity set verified_at = due_at - interval '28 days' where account_id = $1",
            person.id,
        )
    assert [0, 1] == [await _remind(road_of, DUE - 28 * DAY), await _remind(road_of, DUE - 7 * DAY)]


async def test_workers_beside_each_other_tell_it_once(road_of: Road, enter: Enter) -> None:
    """Each process has the chore; the lock of upkeep is not what this rests on."""
    person = await enter("xiaoming")
    await _due(road_of, person)
    done = await asyncio.gather(*(_remind(road_of, DUE - 7 * DAY) for _ in range(4)))
    assert 1 == sum(done)
    assert (["identity:due"], 1) == (await _notices(road_of, person.id), len(await _letters(road_of)))


async def test_a_crash_before_the_commit_leaves_nothing_and_loses_nothing(
    road_of: Road, enter: Enter
) -> None:
    """The step, the notice and the letter are one transaction."""
    person = await enter("xiaoming")
    await _due(road_of, person)
    now = DUE - 7 * DAY
    with pytest.raises(RuntimeError):
        async with road_of.pool.acquire() as conn, conn.transaction():
            assert 1 == await Reminding(replace(road_of, clock=lambda: now)).remind(conn, now, 100)
            raise RuntimeError
    assert ([], []) == (await _notices(road_of, person.id), await _letters(road_of))
    assert 1 == await _remind(road_of, now)


async def test_of_an_organisation_its_owners_are_told(road_of: Road, enter: Enter) -> None:
    """Nobody logs in as it; its editors are not asked."""
    organisation, owner, editor = [await enter(name) for name in ("daily", "owner", "editor")]
    await _due(road_of, organisation)
    async with road_of.pool.acquire() as conn:
        await conn.execute(
            "insert into compliance.organisation (account_id, kind, name, created_at)"
            " values ($1, 'media', 'The Daily', $2)",
            organisation.id,
            VERIFIED,
        )
        for person, role in ((owner, "owner"), (editor, "editor")):
            await conn.execute(
                "insert into compliance.organisation_member"
                " (organisation_id, account_id, role, state, invited_at, changed_at)"
                " values ($1, $2, $3, 'active', $4, $4)",
                organisation.id,
                person.id,
                role,
                VERIFIED,
            )
    assert 1 == await _remind(road_of, DUE - 7 * DAY)
    assert [["organisation:identity-due"], [], []] == [
        await _notices(road_of, person.id) for person in (owner, editor, organisation)
    ]
    (letter,) = await _letters(road_of)
    assert ("owner@mail.example", True) == (letter.to, "/org/daily/certification" in letter.text)


async def test_without_grace_the_day_itself_is_told(road_of: Road, enter: Enter) -> None:
    """Publishing has ended, and its owner should not find that out by a refusal."""
    person = await enter("xiaoming")
    await _due(road_of, person, lapses_at=DUE)
    assert 1 == await _remind(road_of, DUE + DAY / 24)
    assert ["identity:overdue"] == await _notices(road_of, person.id)


async def test_who_is_gone_or_has_no_confirmed_address_gets_no_letter(road_of: Road, enter: Enter) -> None:
    """An address that nobody confirmed may be somebody else's."""
    unsure, gone = await enter("unsure", confirmed=False), await enter("gone")
    for person in (unsure, gone):
        await _due(road_of, person)
    async with road_of.pool.acquire() as conn:
        await conn.execute("update account set gone_at = now() where id = $1", gone.id)
    assert 1 == await _remind(road_of, DUE - 7 * DAY)
    assert (["identity:due"], [], []) == (
        await _notices(road_of, unsure.id),
        await _notices(road_of, gone.id),
        await _letters(road_of),
    )


async def _start(conn: Connection, road: Road, now: datetime, *people: Caller) -> CampaignId:
    """One that runs, once this is committed."""
    campaign_id = await campaigns.create(
        conn,
        title="Autumn",
        reason="Numbers change hands.",
        audience=Audience(accounts=tuple(person.id for person in people)),
        deadline=now + 6 * DAY,
        grace_days=3,
        by=AccountId(1),
        now=now,
        source=SOURCE,
        new_id=road.ids,
    )
    await campaigns.start(conn, campaign_id, by=AccountId(1), now=now, source=SOURCE, new_id=road.ids)
    return campaign_id


async def test_a_campaign_tells_everybody_in_it_once_and_why(client: Client, enter: Enter) -> None:
    """And the reminder that would fit the same day is not told as well."""
    road = client.app[keys.ROAD]
    one, two, outside = [await enter(name) for name in ("one", "two", "outside")]
    now = VERIFIED + 30 * DAY
    for person in (one, two, outside):
        await _due(road, person)
    reminding = Reminding(replace(road, clock=lambda: now))
    async with road.pool.acquire() as conn, conn.transaction():
        # In the transaction that starts it, or the application's own upkeep might be first.
        await _start(conn, road, now, one, two)
        told = [await reminding.ask(conn, now, 1) for _ in range(3)]
    assert [1, 1, 0] == told
    assert [["identity:asked"], ["identity:asked"], []] == [
        await _notices(road, person.id) for person in (one, two, outside)
    ]
    letters = await _letters(road)
    assert {"one@mail.example", "two@mail.example"} == {letter.to for letter in letters}
    assert all("Numbers change hands." in letter.text for letter in letters)
    assert [0, 2] == [await _remind(road, now + DAY), await _remind(road, now + 5 * DAY)]
    async with road.pool.acquire() as conn:
        noted = await conn.fetch("select object from compliance.record where kind = 'identity:ask'")
        known = await identity.get(conn, one.id)
    assert {str(one.id), str(two.id)} == {row["object"] for row in noted}
    assert now + 6 * DAY == known.due_at


async def test_what_was_told_is_forgotten_when_it_cannot_be_told_again(road_of: Road, enter: Enter) -> None:
    """The newest stays, so that it is not told twice."""
    person = await enter("xiaoming")
    await _due(road_of, person)
    await _remind(road_of, DUE - 7 * DAY)
    await _remind(road_of, DUE)
    async with road_of.pool.acquire() as conn:
        gone = await reminders.sweep(conn, now=DUE - 6 * DAY + reminders.KEPT, limit=10)
        left = await conn.fetch("select step from compliance.identity_reminder")
    assert (1, ["due"]) == (gone, [row["step"] for row in left])
