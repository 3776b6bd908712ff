"""Tiers on a real database: who is where, what it gives, what is told, and what an appeal gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from compliance import appeals, cases, credit, decisions, measures, records, reports, tierbook, tiers
from compliance.activity import (
    AccountId,
    Actor,
    Attachment,
    Direction,
    Flag,
    Follow,
    MediaId,
    Update,
    Upload,
    Uri,
    Visibility,
)
from compliance.appeals import AppealState
from compliance.errors import NotAllowed
from compliance.records import RecordKind
from compliance.reports import ReportState
from compliance.tierpolicy import CreditKind
from compliance.verdict import Reason
from server import standings
from server.pipeline import Answer, Done, Road, Stopped, submit
from tests.fixtures.people import SOURCE, Join, MovingClock, create

POLICY = """
name = "Test"
version = "1"
pin_days = 30

[credit]
start = 100
cap = 120
half_life_days = 30
[credit.points]
post_refused = -30
complaint_upheld = -40
clean_month = 2
identity_renewed = 1

[[tiers]]
id = "high"
name = { en = "High", zh = "高" }
[tiers.when]
followers = { min = 2 }
credit = { min = 90 }
[tiers.gives]
reverify_months = 24

[[tiers]]
id = "middle"
name = { en = "Middle", zh = "中" }
[tiers.when]
credit = { min = 80 }
[tiers.gives]
posts_per_hour = 3
follows_per_hour = 2
uploads_per_hour = 1

[[tiers]]
id = "low"
name = { en = "Low", zh = "低" }
[tiers.gives]
pre_review = true
reach = "followers"
discoverable = false
signed_in_only = true
reverify_months = 6
"""


async def activate(road: Road, text: str = POLICY) -> int:
    """Puts a policy in force, as two people do."""
    async with road.pool.acquire() as conn, conn.transaction():
        version = await tierbook.import_(
            conn, text, by=AccountId(1), source=SOURCE, now=road.clock(), new_id=road.ids
        )
        await tierbook.activate(
            conn, version, by=AccountId(2), source=SOURCE, now=road.clock(), new_id=road.ids
        )
    return version


async def look(road: Road) -> set[AccountId]:
    """What upkeep does about whoever something happened to."""
    told: set[AccountId] = set()
    async with road.pool.acquire() as conn, conn.transaction():
        await standings.look_at_due(conn, road.clock(), road.ids, told)
    return told


async def look_at_all(road: Road) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        await standings.look_at_all(conn, road.clock(), road.ids, set())


async def take(road: Road, who: Actor, points: float) -> credit.Event:
    async with road.pool.acquire() as conn, conn.transaction():
        return await credit.set_by_hand(
            conn,
            who.id,
            points,
            "it was seen",
            by=AccountId(7),
            source=SOURCE,
            now=road.clock(),
            new_id=road.ids,
        )


async def tier_of(road: Road, who: Actor) -> str:
    async with road.pool.acquire() as conn:
        return (await tiers.of(conn, who.id)).id


async def send(road: Road, *activities: object) -> Sequence[Answer]:
    return await submit(road, activities, Direction.OUT, source=SOURCE)  # type: ignore[arg-type]


async def test_without_a_policy_nobody_is_limited(road: Road, join: Join) -> None:
    """A new server works as if there were no tiers."""
    alice = await join("alice")
    await look(road)
    assert "standard" == await tier_of(road, alice)
    answers = [(await send(road, create(road, alice, f"post {n}")))[0] for n in range(5)]
    assert [True] * 5 == [isinstance(answer, Done) for answer in answers]


async def test_a_policy_is_put_in_force_by_another_person(road: Road) -> None:
    """One person alone changes nothing for anybody."""
    async with road.pool.acquire() as conn, conn.transaction():
        args = {"source": SOURCE, "now": road.clock(), "new_id": road.ids}
        version = await tierbook.import_(conn, POLICY, by=AccountId(1), **args)  # type: ignore[arg-type]
        with pytest.raises(NotAllowed):
            await tierbook.activate(conn, version, by=AccountId(1), **args)  # type: ignore[arg-type]
        await tierbook.activate(conn, version, by=AccountId(2), **args)  # type: ignore[arg-type]
        assert version == (await tierbook.in_force(conn)).version


async def test_the_hour_has_its_share_on_every_road(road: Road, join: Join, clock: MovingClock) -> None:
    """Counted in the log: deleting gives nothing back, a batch counts itself, an hour later it goes again."""
    await activate(road)
    alice, bob = await join("alice"), await join("bob")
    first = await send(road, *(create(road, alice, f"post {n}") for n in range(5)))
    assert [Done, Done, Done, Stopped, Stopped] == [type(answer) for answer in first]
    stopped = first[3]
    assert isinstance(stopped, Stopped)
    assert Reason.ACCOUNT_LIMITED == stopped.reason
    assert stopped.wait is not None and 3590 < stopped.wait <= 3600
    assert Done is type((await send(road, create(road, bob, "mine")))[0])
    clock.move(minutes=61)
    assert Done is type((await send(road, create(road, alice, "an hour later")))[0])


async def test_the_last_place_of_the_hour_is_given_once(road: Road, join: Join) -> None:
    """However many ask at the same moment, in one transaction or in several."""
    await activate(road)
    alice = await join("alice")
    apart = [submit(road, [create(road, alice, f"{n}")], Direction.OUT, source=SOURCE) for n in range(6)]
    within = [
        submit(road, [create(road, alice, f"w{n}")], Direction.OUT, source=SOURCE, within=_nothing)
        for n in range(6)
    ]
    answers = [answer for [answer] in await asyncio.gather(*apart, *within)]
    assert 3 == sum(isinstance(answer, Done) for answer in answers)


async def _nothing(*_: object) -> None:
    """Work that makes a submission travel in a transaction of its own."""


async def test_uploads_are_counted_by_the_hour(road: Road, join: Join) -> None:
    """One picture an hour is one, whether a post shows it or not."""
    await activate(road)
    alice = await join("alice")
    uploads = [
        Upload(
            id=road.uris.activity(road.ids()),
            actor=alice,
            attachment=Attachment(
                url=f"https://example.org/media/{n}",
                mime="image/webp",
                alt=f"{n}",
                media_id=MediaId(road.ids()),
                width=1,
                height=1,
            ),
            file=f"{n}.webp",
            preview_file=f"{n}-small.webp",
            preview_width=1,
            preview_height=1,
            size=1,
        )
        for n in range(2)
    ]
    answers = [(await send(road, upload))[0] for upload in uploads]
    assert [Done, Stopped] == [type(answer) for answer in answers]


async def test_follows_that_were_taken_back_count(road: Road, join: Join) -> None:
    """The limit is on how often, not on how many there are."""
    await activate(road)
    alice = await join("alice")
    others = [await join(f"far{n}", host="far.example") for n in range(3)]
    answers = [
        (await send(road, Follow(id=road.uris.activity(road.ids()), actor=alice, target=other.uri)))[0]
        for other in others
    ]
    assert [Done, Done, Stopped] == [type(answer) for answer in answers]


async def test_what_a_low_tier_publishes_is_looked_at_first(road: Road, join: Join) -> None:
    """Held for a person, except letters; and told as a decision with a statement that can be appealed."""
    version = await activate(road)
    alice = await join("alice")
    await look_at_all(road)
    assert "middle" == await tier_of(road, alice)
    await take(road, alice, -50)
    told = await look(road)
    assert {alice.id} <= told
    assert "low" == await tier_of(road, alice)
    [public] = await send(road, create(road, alice, "to everybody"))
    assert isinstance(public, Stopped) and public.is_held and public.reason is Reason.TIER_REVIEW
    [letter] = await send(road, create(road, alice, "to you", visibility=Visibility.DIRECT))
    assert isinstance(letter, Done)
    async with road.pool.acquire() as conn:
        move = (await tiers.moves_of(conn, alice.id))[0]
        assert ("middle", "low", version) == (move.from_tier, move.to_tier, move.policy_version)
        assert move.decision_id is not None
        decision = await decisions.get(conn, move.decision_id)
        assert (Reason.TIER_LOWERED, True) == (decision.reason, decision.automated)
        assert "credit: 50 (≥ 80)" in (decision.statement or "")
        assert 6 == await tiers.interval_months(conn, alice.id)
        kinds = [record.kind for record in await records.list_page(conn, kind=RecordKind.TIER_MOVE)]
        assert ["tier:move"] * len(kinds) == kinds and kinds


async def test_an_overturned_move_holds_the_former_tier(road: Road, join: Join, clock: MovingClock) -> None:
    """Until the pin ends, and not a day longer."""
    await activate(road)
    alice = await join("alice")
    await look_at_all(road)
    await take(road, alice, -60)
    await look(road)
    async with road.pool.acquire() as conn, conn.transaction():
        move = (await tiers.moves_of(conn, alice.id))[0]
        assert move.decision_id is not None
        await overturn(road, conn, move.decision_id, alice)
    await look(road)
    assert "middle" == await tier_of(road, alice)
    clock.move(days=31)
    await take(road, alice, -60)
    await look(road)
    assert "low" == await tier_of(road, alice)


async def overturn(road: Road, conn: object, decision_id: int, who: Actor) -> None:
    args = {"source": SOURCE, "now": road.clock(), "new_id": road.ids}
    appeal = await appeals.open_(conn, decision_id, who.id, "it was not so", **args)  # type: ignore[arg-type]
    await appeals.decide(
        conn,
        appeal.id,
        decider=AccountId(9),
        outcome=AppealState.OVERTURNED,
        statement="that is right",
        **args,  # type: ignore[arg-type]
    )


async def test_credit_taken_by_hand_comes_back_by_appeal(road: Road, join: Join) -> None:
    """Another event reverses it; the line that was wrong stays in the ledger."""
    await activate(road)
    alice = await join("alice")
    event = await take(road, alice, -50)
    assert event.decision_id is not None
    async with road.pool.acquire() as conn, conn.transaction():
        await overturn(road, conn, event.decision_id, alice)
        lines = await credit.list_for(conn, alice.id)
        assert [CreditKind.REVERSED, CreditKind.MANUAL] == [line.kind for line in lines]
        assert 100 == pytest.approx(await credit.current(conn, alice.id, road.clock()), abs=1e-3)


async def test_followers_that_pass_an_edge_are_noticed(road: Road, join: Join) -> None:
    """Without looking at everybody: only who passes an edge is looked at again."""
    await activate(road)
    alice, bob = await join("alice"), await join("bob")
    await look_at_all(road)
    await look(road)
    for n in range(2):
        far = await join(f"far{n}", host="far.example")
        follow = Follow(id=Uri(f"https://far.example/f/{n}"), actor=far, target=alice.uri)
        await submit(road, [follow], Direction.IN, source=SOURCE)
    async with road.pool.acquire() as conn:
        due = [
            row["account_id"] for row in await conn.fetch("select account_id from compliance.standing_due")
        ]
    assert [alice.id] == due
    await look(road)
    assert ("high", "middle") == (await tier_of(road, alice), await tier_of(road, bob))


async def test_a_month_without_a_violation_counts_once(road: Road, join: Join, clock: MovingClock) -> None:
    """For those who posted in it, and for nobody twice."""
    await activate(road)
    alice, bob = await join("alice"), await join("bob")
    await send(road, create(road, alice, "hello"))
    clock.move(days=30)
    await look_at_all(road)
    clock.move(hours=25)
    await look_at_all(road)
    async with road.pool.acquire() as conn:
        kinds = {who: [line.kind for line in await credit.list_for(conn, who.id)] for who in (alice, bob)}
    assert {alice: [CreditKind.CLEAN_MONTH], bob: []} == kinds


async def test_a_trial_says_who_would_move_and_moves_nobody(road: Road, join: Join) -> None:
    """Before a policy is in force, its effect is known."""
    await activate(road)
    alice, bob = await join("alice"), await join("bob")
    await look_at_all(road)
    async with road.pool.acquire() as conn, conn.transaction():
        version = await tierbook.import_(
            conn,
            POLICY.replace("min = 80", "min = 101"),
            by=AccountId(1),
            source=SOURCE,
            now=road.clock(),
            new_id=road.ids,
        )
    found = await standings.run_trial(road, version)
    assert (2, [("middle", "low", 2, ["alice", "bob"])]) == (found.accounts, found.moved())
    assert found.finished_at is not None
    assert ("middle", "middle") == (await tier_of(road, alice), await tier_of(road, bob))


async def test_who_came_before_a_policy_keeps_what_they_had_until_looked_at(road: Road, join: Join) -> None:
    """A new policy does not treat everybody as a newcomer for an evening."""
    alice = await join("alice")
    await activate(road)
    assert "standard" == await tier_of(road, alice)
    await look_at_all(road)
    assert "middle" == await tier_of(road, alice)


async def test_an_edit_is_held_too(road: Road, join: Join) -> None:
    """What is published later by changing words is published all the same."""
    await activate(road)
    alice = await join("alice")
    post = create(road, alice, "before")
    await send(road, post)
    await take(road, alice, -50)
    await look(road)
    edit = Update(id=road.uris.activity(road.ids()), actor=alice, note=create(road, alice, "after").note)
    [answer] = await send(road, edit)
    assert isinstance(answer, Stopped) and answer.is_held


async def test_what_a_reviewer_refuses_costs_credit_until_an_appeal_is_right(road: Road, join: Join) -> None:
    """In the transaction of the refusal, by the published rule; the appeal gives it back without being
    asked."""
    await activate(road)
    alice = await join("alice")
    await take(road, alice, -50)
    await look(road)
    [held] = await send(road, create(road, alice, "to be looked at"))
    assert isinstance(held, Stopped) and held.case_id is not None
    async with road.pool.acquire() as conn, conn.transaction():
        args = {"source": SOURCE, "now": road.clock(), "new_id": road.ids}
        decision = await cases.refuse(
            conn,
            held.case_id,
            reviewer=AccountId(8),
            statement="an advertisement",
            **args,  # type: ignore[arg-type]
        )
        line = (await credit.list_for(conn, alice.id))[0]
        assert (CreditKind.POST_REFUSED, -30, "an advertisement") == (line.kind, line.points, line.reason)
        assert decision.id == line.decision_id
        await overturn(road, conn, decision.id, alice)
        assert 50 == pytest.approx(await credit.current(conn, alice.id, road.clock()), abs=1e-3)


async def test_an_upheld_complaint_costs_credit_by_a_decision_of_its_own(road: Road, join: Join) -> None:
    """So that whom it costs can appeal; who is not from here has no credit to lose."""
    await activate(road)
    alice, bob, far = await join("alice"), await join("bob"), await join("far", host="far.example")
    for target in (alice, far):
        flag = Flag(id=road.uris.activity(road.ids()), actor=bob, target=target.uri, posts=(), comment="spam")
        await send(road, flag)
    async with road.pool.acquire() as conn, conn.transaction():
        for report in await reports.list_waiting(conn):
            await reports.decide(
                conn,
                report.id,
                reviewer=AccountId(8),
                outcome=ReportState.UPHELD,
                statement="it is",
                now=road.clock(),
                source=SOURCE,
                new_id=road.ids,
            )
        [line] = await credit.list_for(conn, alice.id)
        assert (CreditKind.COMPLAINT_UPHELD, 100, 60) == (line.kind, line.before, line.after)
        assert line.decision_id is not None and line.report_id is not None
        decision = await decisions.get(conn, line.decision_id)
        assert (Reason.CREDIT_DEDUCTED, 8) == (decision.reason, decision.decided_by)
        assert [] == await credit.list_for(conn, far.id)
        measured = await measures.measure_one(conn, alice.id, now=road.clock())
        assert measured is not None and 1 == len(measured.violations)
        await overturn(road, conn, line.decision_id, alice)
        measured = await measures.measure_one(conn, alice.id, now=road.clock())
        assert measured is not None and () == measured.violations


async def test_without_a_policy_again_nothing_is_held_back(road: Road, join: Join) -> None:
    """Standings are forgotten with the policy that made them; the ledger is not."""
    await activate(road)
    alice = await join("alice")
    await take(road, alice, -50)
    await look(road)
    async with road.pool.acquire() as conn, conn.transaction():
        assert 1 == await conn.fetchval("select count(*) from held_back")
        await tierbook.deactivate(conn, by=AccountId(2), source=SOURCE, now=road.clock(), new_id=road.ids)
        assert 0 == await conn.fetchval("select count(*) from held_back")
        assert 1 == len(await credit.list_for(conn, alice.id))
    assert isinstance((await send(road, create(road, alice, "at once")))[0], Done)


async def test_the_ledger_cannot_be_changed(road: Road, join: Join) -> None:
    """Not even by the server's own role."""
    await activate(road)
    alice = await join("alice")
    await take(road, alice, -5)
    async with road.pool.acquire() as conn:
        with pytest.raises(Exception, match=r"permission denied|append-only"):
            await conn.execute("update compliance.credit_event set points = 0")
        with pytest.raises(Exception, match=r"permission denied|append-only"):
            await conn.execute("delete from compliance.credit_event")
