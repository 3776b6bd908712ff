"""The pages of the vault in the running server: two people of the staff, and the person whose papers they
are."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from compliance import accesses, vault
from compliance.activity import AccountId
from compliance.openings import A_DAY
from compliance.vault import Field
from server import membership
from server.db.embedded import SUPERUSER, Cluster
from server.pipeline import Road
from server.store import members
from server.store.model import Role
from tests.fixtures.server import ORIGIN, SOURCE, Caller, Client, Enter, Serve
from tests.fixtures.upkeep import keep_house
from tests.security.world import Browser, open_browser, open_desk, png

NUMBER = "11010519491231002X"
NAME = "欧阳明月"


@pytest.fixture
async def bob(enter: Enter, road_of: Road) -> Caller:
    """Somebody whose number and name are sealed here."""
    bob = await enter("bob")
    about = {"sealer": road_of.sealer, "now": road_of.clock(), "new_id": road_of.ids}
    async with road_of.pool.acquire() as conn, conn.transaction():
        await vault.put(conn, bob.id, Field.RESIDENT_ID, NUMBER, **about)  # type: ignore[arg-type]
        await vault.put(conn, bob.id, Field.NAME, NAME, **about)  # type: ignore[arg-type]
    return bob


@pytest.fixture
async def officer(client: Client, road_of: Road, enter: Enter) -> Browser:
    return await open_desk(client, road_of, await enter("olga"), [Role.COMPLIANCE])


@pytest.fixture
async def chief(client: Client, road_of: Road, enter: Enter) -> Browser:
    return await open_desk(client, road_of, await enter("chen"), [Role.EDITOR])


async def ask(officer: Browser, **more: object) -> str:
    """A request, and the path of its page."""
    form = {
        "account": "@bob",
        "fields": Field.RESIDENT_ID.value,
        "purpose": "authority",
        "legal_basis": "Cybersecurity Law, article 28",
        "case": "2026-118",
    } | more
    answer = await officer.send("/admin/vault", form)
    assert 303 == answer.status, re.findall(r'class="error"[^>]*>([^<]+)', answer.body)
    return str(answer.headers["Location"])


async def test_two_people_open_what_is_shown_once(
    client: Client, road_of: Road, bob: Caller, officer: Browser, chief: Browser
) -> None:
    """Asked, approved, read with the reader's name across it, gone; and Bob sees it at once."""
    path = await ask(officer)
    assert 403 == (await officer.send(f"{path}/read")).status
    page = await chief.get(path)
    assert "@olga" in page.body
    assert NUMBER not in page.body
    assert 303 == (await chief.send(path, {"outcome": "approve", "statement": "seen the letter"})).status
    assert 403 == (await chief.send(f"{path}/read")).status

    reading = await officer.send(f"{path}/read")
    assert 200 == reading.status
    assert NUMBER in reading.body
    assert NAME not in reading.body
    across = re.search(r'class="across" src="data:image/svg\+xml;base64,([^"]+)"', reading.body)
    assert across is not None
    assert b">olga 20" in base64.b64decode(across[1])
    assert ("no-store", f"300; url={path}") == (
        reading.headers["Cache-Control"],
        reading.headers["Refresh"],
    )
    again = await officer.send(f"{path}/read")
    assert 403 == again.status
    assert NUMBER not in again.body

    own = await open_browser(client, road_of, bob)
    seen = (await own.get("/settings/identity/access")).body
    assert "2026-118" in seen
    assert "An authority asked, in due form" in seen
    assert "olga" not in seen
    assert NUMBER not in seen
    notices = (await own.get("/notifications")).body
    assert "Your identity papers were opened" in notices


async def test_the_same_person_does_not_approve(
    client: Client, road_of: Road, bob: Caller, enter: Enter
) -> None:
    """Whoever has both offices still needs somebody else."""
    both = await open_desk(client, road_of, await enter("both"), [Role.COMPLIANCE, Role.EDITOR])
    path = await ask(both)
    assert 'name="outcome"' not in (await both.get(path)).body
    assert 403 == (await both.send(path, {"outcome": "approve"})).status
    assert 403 == (await both.send(f"{path}/read")).status


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ADMIN, Role.AUDITOR])
async def test_other_offices_neither_ask_nor_approve_nor_read(
    client: Client, road_of: Road, officer: Browser, bob: Caller, *, enter: Enter, role: Role
) -> None:
    """An auditor may look at what was asked; nobody else sees even that."""
    path = await ask(officer)
    other = await open_desk(client, road_of, await enter("other"), [role])
    for form, where in (
        ({"account": "bob"}, "/admin/vault"),
        ({"outcome": "approve"}, path),
        ({}, f"{path}/read"),
    ):
        assert 403 == (await other.send(where, form)).status
    assert (200 if role is Role.AUDITOR else 403) == (await other.get(path)).status


async def test_an_old_second_factor_does_not_do(
    client: Client, road_of: Road, bob: Caller, officer: Browser
) -> None:
    """Asking and reading each want one that was given lately."""
    path = await ask(officer)
    async with road_of.pool.acquire() as conn:
        member = await members.get(conn, officer.id)
    stale = replace(officer, cookie=await membership.open_session(road_of, member, source=SOURCE))
    for where in ("/admin/vault", f"{path}/read"):
        answer = await stale.send(where, headers={"Referer": f"{ORIGIN}{path}"})
        assert (303, True) == (answer.status, "/confirm-login" in answer.headers.get("Location", ""))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"account": "@nobody"}, "account"),
        ({"fields": ""}, "fields"),
        ({"fields": Field.USCC.value}, "fields"),
        ({"purpose": "curiosity"}, "purpose"),
        ({"purpose": "review"}, "purpose"),
        ({"legal_basis": " "}, "legal_basis"),
        ({"case": ""}, "case"),
        ({"hold_until": "soon"}, "hold_until"),
        ({"hold_until": "2099-01-01", "hold_basis": "order"}, "hold_until"),
        ({"hold_until": "2026-12-31"}, "hold_basis"),
    ],
)
async def test_a_request_that_lacks_something_loses_nothing_typed(
    road_of: Road, bob: Caller, officer: Browser, wrong: dict[str, str], field: str
) -> None:
    """The field is named, and the rest stands as it was."""
    form = {
        "account": "@bob",
        "fields": Field.NAME.value,
        "purpose": "court",
        "legal_basis": "Order 7 of the court",
        "case": "2026-119",
    } | wrong
    if "hold_until" in wrong and wrong["hold_until"].startswith("2026"):
        form["hold_until"] = f"{road_of.clock() + timedelta(days=9):%Y-%m-%d}"
    answer = await officer.send("/admin/vault", form)
    assert 422 == answer.status
    assert f'href="#f-{field}"' in answer.body
    if field != "legal_basis":
        assert 'value="Order 7 of the court"' in answer.body
    assert 0 == await road_of.pool.fetchval("select count(*) from vault.opening")


async def test_a_legal_hold_keeps_it_from_the_person_until_it_is_lifted(
    client: Client, road_of: Road, bob: Caller, officer: Browser, chief: Browser
) -> None:
    """Then it is in the history, marked as told late, and in a notice."""
    day = f"{road_of.clock() + timedelta(days=30):%Y-%m-%d}"
    path = await ask(officer, hold_until=day, hold_basis="Criminal Procedure Law, article 54")
    await chief.send(path, {"outcome": "approve"})
    assert 200 == (await officer.send(f"{path}/read")).status
    own = await open_browser(client, road_of, bob)
    assert "2026-118" not in (await own.get("/settings/identity/access")).body
    await keep_house(road_of)
    assert "papers were opened" not in (await own.get("/notifications")).body

    assert 303 == (await chief.send(f"{path}/hold", {"act": "lift", "hold_basis": "case closed"})).status
    seen = (await own.get("/settings/identity/access")).body
    assert "2026-118" in seen
    assert "telling you was forbidden at first" in seen
    assert "papers were opened" in (await own.get("/notifications")).body


async def test_a_hold_that_ends_by_itself_is_told_by_the_upkeep(
    client: Client, road_of: Road, bob: Caller, officer: Browser, chief: Browser
) -> None:
    """Nobody has to think of it."""
    day = f"{road_of.clock() + timedelta(days=2):%Y-%m-%d}"
    path = await ask(officer, hold_until=day, hold_basis="order 7")
    await chief.send(path, {"outcome": "approve"})
    await officer.send(f"{path}/read")
    later = road_of.clock() + timedelta(days=4)
    async with road_of.pool.acquire() as conn, conn.transaction():
        [(_, whose)] = await accesses.take_untold(conn, now=later, limit=9)
    assert bob.id == whose
    async with road_of.pool.acquire() as conn:
        assert 1 == len(await accesses.history(conn, bob.id, later))


async def test_a_person_sees_what_is_kept_in_part(client: Client, road_of: Road, bob: Caller) -> None:
    """Masked, after a look that is in the history as well; nothing of it is cached."""
    own = await open_browser(client, road_of, bob)
    assert "Resident identity number" in (await own.get("/settings/identity/access")).body
    answer = await own.send("/settings/identity/access")
    assert 200 == answer.status
    assert "110***********002X" in answer.body
    assert "欧***" in answer.body
    assert NUMBER not in answer.body
    assert "no-store" == answer.headers["Cache-Control"]
    assert "Looked at by yourself" in (await own.get("/settings/identity/access")).body


async def test_the_21st_opening_is_locked_and_told(
    cluster: Cluster, road_of: Road, bob: Caller, officer: Browser, chief: Browser
) -> None:
    """403, a record, and a notice to the editors in chief."""
    path = await ask(officer)
    await chief.send(path, {"outcome": "approve"})
    await _fill_the_day(cluster, road_of, officer.id, bob.id)
    answer = await officer.send(f"{path}/read")
    assert 403 == answer.status
    assert NUMBER not in answer.body
    assert 1 == await road_of.pool.fetchval(
        "select count(*) from compliance.record where kind = 'vault:lock' and actor_id = $1", officer.id
    )
    assert "olga asked to open more papers" in (await chief.get("/notifications")).body


async def test_scans_are_shown_with_the_readers_name_in_the_picture(
    road_of: Road, bob: Caller, officer: Browser, chief: Browser
) -> None:
    """A copy of the picture says who made it: it is not the one that was put in."""
    picture = png(60, 60).getvalue()
    async with road_of.pool.acquire() as conn, conn.transaction():
        await vault.put_scan(
            conn,
            bob.id,
            picture,
            mime="image/png",
            name="card.png",
            sealer=road_of.sealer,
            now=road_of.clock(),
            new_id=road_of.ids,
        )
    path = await ask(officer, fields=Field.SCAN.value)
    await chief.send(path, {"outcome": "approve"})
    reading = await officer.send(f"{path}/read")
    assert 'src="data:image/jpeg;base64,' in reading.body


async def test_the_upkeep_destroys_the_key_of_who_left_long_ago(
    client: Client, cluster: Cluster, road_of: Road, bob: Caller
) -> None:
    """Six months after the account was closed, and not a day before; with a record."""
    count = "select count(*) from vault.paper where account_id = $1"
    await road_of.pool.execute(
        "update account set gone_at = now() - interval '6 months' + interval '1 day' where id = $1", bob.id
    )
    await keep_house(road_of)
    assert 2 == await road_of.pool.fetchval(count, bob.id)
    await road_of.pool.execute(
        "update account set gone_at = now() - interval '6 months 1 day' where id = $1", bob.id
    )
    await keep_house(road_of)
    assert 0 == await road_of.pool.fetchval(count, bob.id)
    assert 0 == await road_of.pool.fetchval("select count(*) from vault.person_key")
    assert 1 == await road_of.pool.fetchval(
        "select count(*) from compliance.record where kind = 'vault:shred' and object = $1", str(bob.id)
    )


async def test_a_server_that_keeps_only_proof_forgets_what_was_checked(
    serve: Serve, road_of: Road, bob: Caller
) -> None:
    """What was sealed before the setting was changed goes with the next upkeep; the index stays."""
    vault_settings = msgspec.structs.replace(road_of.settings.vault, keep="proof")
    road = replace(road_of, settings=msgspec.structs.replace(road_of.settings, vault=vault_settings))
    await keep_house(road)
    assert 2 == await road.pool.fetchval("select count(*) from vault.paper where forgotten_at is null")
    later = replace(road, clock=lambda: road_of.clock() + timedelta(minutes=11))
    await keep_house(later)
    rows = await road.pool.fetch("select forgotten_at is not null, index is not null from vault.paper")
    assert [(True, True)] * 2 == [tuple(row) for row in rows]


async def _fill_the_day(cluster: Cluster, road: Road, reader: AccountId, whose: AccountId) -> None:
    """As many openings as a day allows, read a moment ago."""
    conn = await asyncpg.connect(
        cluster.url(SUPERUSER, await road.pool.fetchval("select current_database()"))
    )
    try:
        for _ in range(A_DAY):
            opening, now = road.ids(), road.clock()
            await conn.execute(
                "insert into vault.opening (id, account_id, fields, purpose, legal_basis, case_ref, state,"
                " requested_by, requested_at, decided_by, decided_at, read_at)"
                " values ($1, $2, '{name}', 'court', 'x', 'x', 'read', $3, $4, 0, $4, $4)",
                opening,
                whose,
                reader,
                now,
            )
            await conn.execute(
                "insert into vault.access (id, account_id, papers, fields, reader_id, purpose, case_ref,"
                " opening_id, at) values ($1, $2, '{1}', '{name}', $3, 'court', 'x', $1, $4)",
                opening,
                whose,
                reader,
                now,
            )
    finally:
        await conn.close()


async def test_a_person_is_told_the_day_on_which_each_paper_is_destroyed(
    client: Client, road_of: Road, bob: Caller
) -> None:
    """Not only the time after an account is closed: a number that was deleted has a day of its own."""
    day = road_of.clock() + timedelta(days=180)
    await road_of.pool.execute(
        """
        insert into compliance.paper_end (paper_id, account_id, why, ends_at)
        select id, account_id, 'withdrawn', $2 from vault.paper
        where account_id = $1 and field = 'resident-id'
        """,
        bob.id,
        day,
    )
    page = await (await open_browser(client, road_of, bob)).get("/settings/identity/access")
    assert 1 == page.body.count(f"destroyed on {day.date().isoformat()}")
    async with road_of.pool.acquire() as conn:
        kept = await accesses.list_kept(conn, bob.id)
    assert [day, None] == [one.ends_at for one in kept]
