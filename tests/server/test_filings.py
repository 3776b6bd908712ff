"""Filings: complete, of one place and class and no other, signed, handed over by two people, due in time."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import msgspec
import pytest

from compliance import filings, owed, places
from compliance.activity import AccountId, Actor
from compliance.classes import CertClass
from compliance.errors import NotAllowed
from compliance.filings import State
from compliance.owed import Key, Kind
from federation import proofs
from federation.errors import NotTrusted
from server import handover, signing
from server.handover import Drafted
from server.pipeline import Road
from server.store import members, server_keys
from server.store.model import Role
from tests.compliance.test_tiers import activate
from tests.fixtures.people import SOURCE, Join, MovingClock

FUJIAN, BEIJING = "35", "11"


async def certify(
    road: Road,
    who: Actor,
    class_: CertClass = CertClass.MEDIA,
    province: str | None = FUJIAN,
    days: int = 365,
) -> int:
    """A certification as an approval leaves it."""
    certification_id, application_id, now = road.ids(), road.ids(), road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        paperwork = await conn.fetchval(
            "insert into compliance.paperwork (body, origin, imported_at) values ('', 'shipped', $1)"
            " returning version",
            now,
        )
        await conn.execute(
            """
            insert into compliance.application
              (id, account_id, by_id, class, kind, paperwork, state, created_at, updated_at)
            values ($1, $2, $2, $3, 'x', $4, 'approved', $5, $5)
            """,
            application_id,
            who.id,
            class_,
            paperwork,
            now,
        )
        await conn.execute(
            """
            insert into compliance.certification
              (id, account_id, class, kind, label, registered_name, province, application_id, state,
               certified_at, expires_at, checked_by, updated_at)
            values ($1, $2, $3, 'x', 'A label', 'A name', $4, $5, 'active', $6, $7, 'staff', $6)
            """,
            certification_id,
            who.id,
            class_,
            province,
            application_id,
            now,
            now + timedelta(days=days),
        )
    return certification_id


async def key_of_server(road: Road) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        await signing.found(conn, sealer=road.sealer, uris=road.uris, now=road.clock())


async def draft(road: Road, key: Key, by: int | None = 1) -> Drafted | None:
    async with road.pool.acquire() as conn, conn.transaction():
        who = None if by is None else AccountId(by)
        return await handover.draft(conn, road, key, by=who, source=SOURCE)


async def step(road: Road, filing_id: int, state: State, words: str = "", by: int = 2) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        await filings.step(
            conn,
            filing_id,
            state,
            words=words,
            by=AccountId(by),
            source=SOURCE,
            now=road.clock(),
            new_id=road.ids,
        )


@pytest.fixture
async def press(road: Road, join: Join) -> list[Actor]:
    """Three news media of Fujian, and others that are not to stand in the same list."""
    await key_of_server(road)
    wanted = [await join(f"press{n}") for n in range(3)]
    for who in wanted:
        await certify(road, who)
    await certify(road, await join("shop"), CertClass.ENTERPRISE)
    await certify(road, await join("capital"), province=BEIJING)
    await certify(road, await join("over"), days=-1)
    await certify(road, await join("person"), CertClass.INDIVIDUAL, None)
    revoked = await certify(road, await join("gone"))
    async with road.pool.acquire() as conn:
        await conn.execute("update compliance.certification set state = 'revoked' where id = $1", revoked)
    return wanted


PRESS = Key(Kind.CERTIFIED, FUJIAN, CertClass.MEDIA)


async def test_the_list_is_all_of_a_place_and_class_and_nothing_else(road: Road, press: list[Actor]) -> None:
    """A10.1: 100 % and no other; every active certificate is in exactly one list."""
    made = await draft(road, PRESS)
    assert made is not None and made.is_new
    assert [f"press{n}" for n in range(3)] == [entry["account"] for entry in made.filing.entries]
    async with road.pool.acquire() as conn:
        every = [
            entry["id"]
            for key in await owed.keys(conn, "10", road.clock())
            if key.kind is Kind.CERTIFIED
            for entry in await owed.entries(conn, key, road.clock())
        ]
        active = await conn.fetch(
            "select id::text from compliance.certification where state = 'active' and expires_at > $1",
            road.clock(),
        )
    assert sorted(row["id"] for row in active) == sorted(map(str, every))


async def test_a_second_run_without_a_change_is_empty(road: Road, press: list[Actor], join: Join) -> None:
    """And with one, exactly that is in it: who came, who went, whose words changed."""
    first = await draft(road, PRESS)
    again = await draft(road, PRESS)
    assert first is not None and again is not None
    assert (first.filing.id, False, True) == (again.filing.id, again.is_new, again.delta.is_empty)
    await step(road, first.filing.id, State.RELEASED)
    await step(road, first.filing.id, State.SUBMITTED, "by post")
    await step(road, first.filing.id, State.ACKNOWLEDGED, "2026-闽-17")
    fourth = await join("press4")
    await certify(road, fourth)
    async with road.pool.acquire() as conn:
        await conn.execute(
            "update compliance.certification set state = 'expired' where account_id = $1", press[0].id
        )
        await conn.execute(
            "update compliance.certification set label = 'Another' where account_id = $1", press[1].id
        )
    second = await draft(road, PRESS)
    assert second is not None
    names = [
        [entry["account"] for entry in part]
        for part in (second.delta.added, second.delta.removed, second.delta.changed)
    ]
    assert [["press4"], ["press0"], ["press1"]] == names
    document = msgspec.json.decode(second.filing.body)
    assert (str(first.filing.id), 3) == (document["previous"], document["count"])
    assert ["press0"] == [entry["account"] for entry in document["delta"]["removed"]]


async def test_the_file_verifies_with_the_servers_public_key(road: Road, press: list[Actor]) -> None:
    """And not when a single letter of it is another."""
    made = await draft(road, PRESS)
    assert made is not None
    async with road.pool.acquire() as conn:
        key = await server_keys.find_current(conn)
    assert key is not None
    document = msgspec.json.decode(made.filing.body)
    proofs.verify(document, key.public, now=road.clock())
    document["entries"][0]["label"] = "a Label"
    with pytest.raises(NotTrusted):
        proofs.verify(document, key.public, now=road.clock())


async def test_a_filing_goes_its_way_by_named_people_only(road: Road, press: list[Actor]) -> None:
    """Released by another than drafted it, acknowledged with a receipt, returned with a reason; no step
    back."""
    made = await draft(road, PRESS)
    assert made is not None
    id_ = made.filing.id
    with pytest.raises(NotAllowed, match="another person"):
        await step(road, id_, State.RELEASED, by=1)
    with pytest.raises(NotAllowed, match="not open"):
        await step(road, id_, State.SUBMITTED)
    await step(road, id_, State.RELEASED)
    await step(road, id_, State.SUBMITTED, "handed in at the counter")
    with pytest.raises(NotAllowed, match="receipt"):
        await step(road, id_, State.ACKNOWLEDGED, " ")
    await step(road, id_, State.RETURNED, "the stamp is missing")
    with pytest.raises(NotAllowed, match="not open"):
        await step(road, id_, State.ACKNOWLEDGED, "17")
    async with road.pool.acquire() as conn:
        told = [(one.state, one.words) for one in await filings.steps(conn, id_)]
        assert told[-1] == (State.RETURNED, "the stamp is missing")
        with pytest.raises(asyncpg.CheckViolationError):
            await conn.execute("update compliance.filing set released_by = drafted_by where id = $1", id_)
    # What came back was not filed: all of it is owed again.
    anew = await draft(road, PRESS)
    assert anew is not None and 3 == len(anew.delta.added)


async def test_what_is_due_is_told_to_staff_once(
    road: Road, press: list[Actor], join: Join, clock: MovingClock
) -> None:
    """Ahead of the day, and again when it has passed; nothing is told twice."""
    officer = await join("officer")
    async with road.pool.acquire() as conn, conn.transaction():
        await members.grant_role(conn, officer.id, Role.COMPLIANCE, granted_by=None, now=road.clock())

    async def told() -> set[str]:
        async with road.pool.acquire() as conn, conn.transaction():
            await handover.remind(conn, road)
            rows = await conn.fetch(
                "select code, details ->> 'what' as what from notification where account_id = $1", officer.id
            )
            await conn.execute("delete from notification where account_id = $1", officer.id)
        return {f"{row['code']} {row['what']}" for row in rows}

    assert set() == await told()
    clock.move(days=24)
    assert "filing:due 福建省 (certified:35:media)" in await told()
    assert set() == await told()
    clock.move(days=10)
    assert "filing:late 福建省 (certified:35:media)" in await told()
    assert set() == await told()


async def test_tier_policies_are_filed_with_every_version_that_was_in_force(road: Road) -> None:
    """Article 9: the management system itself, to the operator's own authority."""
    await key_of_server(road)
    key = Key(Kind.TIERS, "10")
    assert await draft(road, key) is None
    version = await activate(road)
    made = await draft(road, key)
    assert made is not None
    document = msgspec.json.decode(made.filing.body)
    assert [str(version)] == [entry["id"] for entry in document["entries"]]
    assert "[[tiers]]" in document["entries"][0]["body"]
    assert ("9", "国家互联网信息办公室") == (document["regulation"]["article"], document["authority"]["name"])


async def test_people_without_a_place_go_to_the_operators_own_authority(
    road: Road, press: list[Actor]
) -> None:
    """They are in a list too: 100 % means everybody."""
    made = await draft(road, Key(Kind.CERTIFIED, places.NOWHERE, CertClass.INDIVIDUAL))
    assert made is not None
    document = msgspec.json.decode(made.filing.body)
    assert (["person"], "10") == (
        [entry["account"] for entry in document["entries"]],
        document["authority"]["province"],
    )


async def test_the_directory_of_authorities(road: Road) -> None:
    """Every place of the standard, with the usual name until the operator writes another."""
    async with road.pool.acquire() as conn, conn.transaction():
        assert 35 == len(await places.list_(conn))
        usual = await places.find(conn, FUJIAN)
        assert usual is not None and "福建省互联网信息办公室" == usual.name
        assert await places.find(conn, "81") is None
        args = {"by": None, "source": SOURCE, "now": road.clock(), "new_id": road.ids}
        await places.set_(conn, FUJIAN, name="Ours", contact="Ms Lin", channel="post", **args)  # type: ignore[arg-type]
        changed = await places.find(conn, FUJIAN)
        assert changed is not None and ("Ours", "Ms Lin") == (changed.name, changed.contact)
        with pytest.raises(NotAllowed):
            await places.set_(conn, "99", name="x", contact="", channel="", **args)  # type: ignore[arg-type]
