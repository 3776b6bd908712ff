"""Organisations on the road: what they do by themselves, what reviewers release, and posts at their time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from compliance import identity, records
from compliance.activity import AccountId, Direction, Follow, Uri
from compliance.organisations import Role
from compliance.records import RecordKind, Source
from server import scheduling
from server.drafts import Draft
from server.errors import Forbidden, Invalid, NotFound
from server.pipeline import Done, Road, submit
from server.store import accounts, scheduled
from server.store.model import AccountView
from server.store.scheduled import ScheduledState
from tests.fixtures.people import SOURCE, Join, MovingClock
from tests.server.orgs import enrol, found_one


async def _press(road: Road, join: Join) -> tuple[AccountView, AccountId]:
    ann = await join("ann")
    return await found_one(road, ann.id), ann.id


def _by(person: AccountId, second: AccountId | None = None) -> Source:
    return Source(SOURCE.address, SOURCE.port, SOURCE.client, person, second)


async def test_it_accepts_followers_of_other_servers_without_a_person(road: Road, join: Join) -> None:
    """The answer to a Follow is the server's own act; nobody has to be at the console."""
    press, _ = await _press(road, join)
    far = await join("far", host="far.example")
    act = Follow(id=Uri(f"{far.uri}/follows/1"), actor=far, target=press.uri)
    [answer] = await submit(road, [act], Direction.IN, source=Source.internal())
    assert isinstance(answer, Done)
    async with road.pool.acquire() as conn:
        state = await conn.fetchval("select state from follow where followee_id = $1", press.id)
        kinds = {record.kind for record in await records.list_page(conn, actor_id=press.id)}
    assert state == "accepted"
    assert RecordKind.ACTIVITY_ACCEPT in kinds


async def test_a_scheduled_post_appears_once_however_many_look(
    road: Road, join: Join, clock: MovingClock
) -> None:
    """Every process has the job; a post is taken by one of them, and told of once."""
    ann = await join("ann")
    async with road.pool.acquire() as conn:
        me = await accounts.get(conn, ann.id, uris=road.uris)
    due_at = clock() + timedelta(minutes=10)
    kept = await scheduling.schedule(road, me, Draft(text="at ten"), due_at, source=SOURCE)
    await scheduling.publish_due(road)
    assert await _posts(road, ann.id) == []
    clock.move(minutes=11)
    await asyncio.gather(*(scheduling.publish_due(road) for _ in range(4)))
    assert await _posts(road, ann.id) == ["at ten"]
    async with road.pool.acquire() as conn:
        done = await scheduled.find(conn, ann.id, kept.id)
        told = await conn.fetchval("select count(*) from notification where code = 'scheduled:published'")
    assert done is not None
    assert (done.state, scheduling.unpack(done.draft).text, told) == (ScheduledState.PUBLISHED, "", 1)


async def test_a_process_that_stops_after_publishing_does_not_publish_twice(
    road: Road, join: Join, clock: MovingClock
) -> None:
    """The next one asks by the same key, and is given the first one's answer."""
    ann = await join("ann")
    async with road.pool.acquire() as conn:
        me = await accounts.get(conn, ann.id, uris=road.uris)
    kept = await scheduling.schedule(
        road, me, Draft(text="once"), clock() + timedelta(minutes=1), source=SOURCE
    )
    clock.move(minutes=2)
    await scheduling.publish_due(road)
    async with road.pool.acquire() as conn:
        await conn.execute(
            "update scheduled_post set state = 'waiting', post_id = null, claimed_until = null, "
            "draft = $2::text::jsonb where id = $1",
            kept.id,
            scheduling.pack(Draft(text="once")),
        )
    await scheduling.publish_due(road)
    assert await _posts(road, ann.id) == ["once"]


@pytest.mark.parametrize("lost", ["identity", "role"])
async def test_what_was_lost_meanwhile_counts_at_the_time(
    road: Road, join: Join, clock: MovingClock, lost: str
) -> None:
    """Article 7 on the scheduled road, and a role that ended; the words are kept and the writer is told."""
    press, _ = await _press(road, join)
    bob = await join("bob")
    await enrol(road, press.id, bob.id, Role.EDITOR)
    due_at = clock() + timedelta(minutes=1)
    kept = await scheduling.schedule(road, press, Draft(text="too late"), due_at, source=_by(bob.id))
    if lost == "role":
        await enrol(road, press.id, bob.id, None)
    else:
        async with road.pool.acquire() as conn:
            await conn.execute(
                "update compliance.identity set state = 'lapsed' where account_id = $1", bob.id
            )
    clock.move(minutes=2)
    await scheduling.publish_due(road)
    assert await _posts(road, press.id) == []
    async with road.pool.acquire() as conn:
        done = await scheduled.find(conn, press.id, kept.id)
        told = await conn.fetchval("select account_id from notification where code = 'scheduled:failed'")
    assert done is not None
    assert done.failure == ("role_required" if lost == "role" else "identity_lapsed")
    assert (done.state, scheduling.unpack(done.draft).text, told) == (
        ScheduledState.FAILED,
        "too late",
        bob.id,
    )


async def test_a_scheduled_post_is_moved_and_taken_back_by_its_own_account_only(
    road: Road, join: Join, clock: MovingClock
) -> None:
    """Rule D2, and a time that is over is no time."""
    press, ann = await _press(road, join)
    cy = await join("cy")
    async with road.pool.acquire() as conn:
        stranger = await accounts.get(conn, cy.id, uris=road.uris)
    due_at = clock() + timedelta(minutes=5)
    kept = await scheduling.schedule(road, press, Draft(text="x"), due_at, source=_by(ann))
    with pytest.raises(NotFound):
        await scheduling.cancel(road, stranger, kept.id, source=SOURCE)
    with pytest.raises(NotFound):
        await scheduling.move(road, stranger, kept.id, due_at, source=SOURCE)
    with pytest.raises(Invalid):
        await scheduling.move(road, press, kept.id, clock() - timedelta(minutes=1), source=_by(ann))
    moved = await scheduling.move(road, press, kept.id, due_at + timedelta(hours=1), source=_by(ann))
    assert moved.due_at == due_at + timedelta(hours=1)
    await scheduling.cancel(road, press, kept.id, source=_by(ann))
    with pytest.raises(NotFound):
        await scheduling.cancel(road, press, kept.id, source=_by(ann))


async def test_four_eyes_hold_for_what_is_scheduled(road: Road, join: Join, clock: MovingClock) -> None:
    """Said when it is scheduled, not when it is too late."""
    press, ann = await _press(road, join)
    bob = await join("bob")
    await enrol(road, press.id, bob.id, Role.EDITOR)
    async with road.pool.acquire() as conn:
        await conn.execute("update compliance.organisation set four_eyes = true")
    due_at = clock() + timedelta(minutes=1)
    with pytest.raises(Forbidden):
        await scheduling.schedule(road, press, Draft(text="alone"), due_at, source=_by(ann))
    await scheduling.schedule(road, press, Draft(text="together"), due_at, source=_by(ann, bob.id))
    clock.move(minutes=2)
    await scheduling.publish_due(road)
    assert await _posts(road, press.id) == ["together"]


async def test_an_organisation_is_not_verified_by_its_founder(road: Road, join: Join) -> None:
    """Two identities: the person's, and the organisation's own."""
    ann = await join("ann")
    press = await found_one(road, ann.id, verified=False)
    async with road.pool.acquire() as conn:
        assert (await identity.get(conn, press.id)).may_publish(road.clock()) is False
        assert (await identity.get(conn, ann.id)).may_publish(road.clock()) is True
        assert await conn.fetchval("select count(*) from member where account_id = $1", press.id) == 0


async def _posts(road: Road, account_id: AccountId) -> list[str]:
    async with road.pool.acquire() as conn:
        rows = await conn.fetch("select text from post where account_id = $1 order by id", account_id)
    return [row["text"] for row in rows]
