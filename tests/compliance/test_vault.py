"""The vault: what goes in, what comes out and by whom, on a real database."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance import accesses, openings, soundness, vault
from compliance.accesses import Purpose
from compliance.activity import AccountId
from compliance.connection import Connection
from compliance.errors import NotAllowed, NotFound, SealBroken
from compliance.identity import review
from compliance.openings import OpeningState
from compliance.sealing import Sealer
from compliance.vault import Field, PaperId
from server.db.embedded import APP, SUPERUSER, Cluster
from server.db.pool import session_settings
from tests.fixtures.postgres import Database

from .build import SOURCE, Clock, ids

LI, MEI, OFFICER, EDITOR, REVIEWER = map(AccountId, range(1, 6))
NUMBER = "+8613800138000"
NAME = "欧阳明月"
RESIDENT = "11010519491231002X"

Owner: TypeAlias = Callable[..., Awaitable[None]]

pytestmark = pytest.mark.usefixtures("staff")


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return Sealer.load(tmp_path / "secret.key")


@dataclass(frozen=True, slots=True)
class Office:
    """The vault with its people: everything at the clock's time."""

    conn: Connection
    sealer: Sealer
    clock: Clock
    new_id: Callable[[], int]

    async def put(self, field: Field, value: str, who: AccountId = LI, **more: Any) -> PaperId:
        return await vault.put(
            self.conn,
            who,
            field,
            value,
            sealer=self.sealer,
            now=self.clock(),
            new_id=self.new_id,
            **more,
        )

    async def request(self, *wanted: Field, by: AccountId = OFFICER, **more: Any) -> int:
        given: dict[str, Any] = {
            "purpose": Purpose.AUTHORITY,
            "legal_basis": "Cybersecurity Law, article 28",
            "case": "2026-118",
        }
        async with self.conn.transaction():
            return await openings.request(
                self.conn, LI, wanted or (Field.NAME,), by=by, **self.about(), **(given | more)
            )

    async def decide(self, opening: int, by: AccountId = EDITOR, *, approve: bool = True) -> None:
        async with self.conn.transaction():
            await openings.decide(
                self.conn, opening, approve=approve, statement="seen", by=by, **self.about()
            )

    async def read(self, opening: int, by: AccountId = OFFICER) -> list[str]:
        async with self.conn.transaction():
            rows = await openings.read(self.conn, opening, by=by, **self.about())
        return [paper.value.decode() for paper in accesses.opened(rows, self.sealer)]

    async def review(self, case: str, *papers: PaperId, by: AccountId = REVIEWER) -> list[vault.OpenedPaper]:
        async with self.conn.transaction():
            return await openings.read_for_review(
                self.conn, papers, reviewer=by, case=case, sealer=self.sealer, **self.about()
            )

    async def history(self, who: AccountId = LI) -> list[accesses.Access]:
        return await accesses.history(self.conn, who, self.clock())

    def about(self) -> dict[str, Any]:
        return {"now": self.clock(), "source": SOURCE, "new_id": self.new_id}


@pytest.fixture
async def staff(conn: Connection) -> None:
    """Li and Mei, a compliance officer, an editor in chief, a reviewer."""
    for account_id, name, role in (
        (LI, "li", None),
        (MEI, "mei", None),
        (OFFICER, "officer", "compliance"),
        (EDITOR, "chief", "editor"),
        (REVIEWER, "reviewer", "reviewer"),
    ):
        await conn.execute(
            "insert into account (id, username, uri, url, inbox, created_at)"
            " values ($1, $2, $3, $3, $3, now())",
            account_id,
            name,
            f"https://here.example/users/{name}",
        )
        await conn.execute(
            "insert into member (account_id, email_sealed, email_index, password, created_at)"
            " values ($1, '', $2, '', now())",
            account_id,
            name.encode(),
        )
        if role:
            await conn.execute(
                "insert into member_role (account_id, role, granted_at) values ($1, $2, now())",
                account_id,
                role,
            )


@pytest.fixture
def owner_of_all(conn: Connection) -> Owner:
    """Does one thing as somebody who may change the tables; with `None`, everything from then on."""

    async def do(statement: str | None, *values: object) -> None:
        await conn.execute(f"set local session authorization {SUPERUSER}")
        if statement is not None:
            await conn.execute(statement, *values)
            await conn.execute(f"set local session authorization {APP}")

    return do


@pytest.fixture
async def conn(shared_database: Database, cluster: Cluster) -> AsyncIterator[Connection]:
    """A connection that acts as the app, in a transaction that is rolled back, and can become the owner."""
    conn = await asyncpg.connect(
        cluster.url(SUPERUSER, shared_database.name), server_settings=session_settings(None, 30)
    )
    transaction = conn.transaction()
    await transaction.start()
    await conn.execute(f"set local session authorization {APP}")
    yield conn
    await transaction.rollback()
    await conn.close()


@pytest.fixture
def office(conn: Connection, sealer: Sealer) -> Office:
    return Office(conn, sealer, Clock(), ids())


# --- Putting in


async def test_a_person_has_one_key_for_all_papers(office: Office) -> None:
    """Whatever they give, and another person has another."""
    await office.put(Field.MOBILE, NUMBER)
    await office.put(Field.NAME, NAME)
    await office.put(Field.MOBILE, NUMBER, MEI)
    keys = await office.conn.fetch("select account_id, version, key_version from vault.person_key order by 1")
    assert [(LI, 1, 1), (MEI, 1, 1)] == [tuple(row) for row in keys]
    papers = await office.conn.fetch("select distinct person_key from vault.paper")
    assert [1] == [row["person_key"] for row in papers]


async def test_equal_papers_are_found_without_opening_them(office: Office) -> None:
    """The index is the same, and says nothing without its key."""
    await office.put(Field.MOBILE, NUMBER)
    await office.put(Field.MOBILE, NUMBER, MEI, forget=True)
    indexes = {row["index"] for row in await office.conn.fetch("select index from vault.paper")}
    assert indexes == {office.sealer.index(NUMBER, purpose="phone")}


@pytest.mark.parametrize(
    "statement",
    [
        "select sealed from vault.paper",
        "select wrapped_key from vault.paper",
        "select wrapped_key from vault.person_key",
        "select * from vault.taken(array[1]::bigint[])",
        "select vault.has_role(1, array['editor'])",
        "insert into vault.opening (id) values (1)",
        "update vault.opening set state = 'approved'",
        "insert into vault.access (id) values (1)",
        "delete from vault.access",
        "delete from vault.person_key",
        "update vault.person_key set wrapped_key = ''",
        "update vault.paper set account_id = 2",
        "delete from vault.paper",
        "truncate vault.paper",
        "copy vault.paper to stdout",
        "create or replace function vault.has_role(bigint, text[]) returns boolean language sql as ''",
    ],
)
async def test_the_server_has_no_other_way_to_what_is_sealed(office: Office, statement: str) -> None:
    """Not to read it, to approve for itself, to write an access of its own or to take one back."""
    await office.put(Field.NAME, NAME)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await office.conn.execute(statement)


async def test_papers_of_the_first_form_still_open(office: Office, owner_of_all: Owner) -> None:
    """They were there before people had keys of their own, and have one each."""
    key, nonce, context = AESGCM.generate_key(256), secrets.token_bytes(12), "paper:1:mobile:1"
    await owner_of_all(
        "insert into vault.paper (id, account_id, field, sealed, wrapped_key, key_version, index, created_at)"
        " values (7, 1, 'mobile', $1, $2, 1, $3, now())",
        nonce + AESGCM(key).encrypt(nonce, NUMBER.encode(), context.encode()),
        office.sealer.seal(key, context=context),
        office.sealer.index(NUMBER, purpose="phone"),
    )
    opening = await office.request(Field.MOBILE)
    await office.decide(opening)
    assert [NUMBER] == await office.read(opening)


# --- Openings


async def test_two_people_open_what_one_may_read_once(office: Office) -> None:
    """An officer asks, an editor in chief approves, the officer reads; the access is in the history."""
    await office.put(Field.NAME, NAME)
    await office.put(Field.RESIDENT_ID, RESIDENT)
    await office.put(Field.MOBILE, NUMBER)
    opening = await office.request(Field.NAME, Field.RESIDENT_ID)
    assert 1 == await openings.count_waiting(office.conn, office.clock())
    await office.decide(opening)
    assert [] == await office.history()
    assert [NAME, RESIDENT] == await office.read(opening)
    [access] = await office.history()
    assert (Purpose.AUTHORITY, "2026-118") == (access.purpose, access.case_ref)
    assert (Field.NAME, Field.RESIDENT_ID) == access.fields
    assert OpeningState.READ == (await openings.get(office.conn, opening)).state
    kinds = await office.conn.fetch(
        "select kind, actor_id from compliance.record where object = $1 order by id", f"opening:{opening}"
    )
    assert [("vault:request", OFFICER), ("vault:approve", EDITOR), ("vault:open", OFFICER)] == [
        tuple(row) for row in kinds
    ]
    with pytest.raises(NotAllowed, match="read once"):
        await office.read(opening)
    assert 1 == len(await office.history())


async def test_nobody_reads_alone(office: Office) -> None:
    """Not without an approval, not with one of their own, not somebody else's, not with another role."""
    await office.put(Field.NAME, NAME)
    opening = await office.request()
    with pytest.raises(NotAllowed, match="not approved"):
        await office.read(opening)
    with pytest.raises(NotAllowed, match="another role"):
        await office.decide(opening, OFFICER)
    await office.conn.execute("insert into member_role values ($1, 'editor', null, now())", OFFICER)
    with pytest.raises(NotAllowed, match="another person"):
        await office.decide(opening, OFFICER)
    await office.decide(opening)
    with pytest.raises(NotAllowed, match="only who asked"):
        await office.read(opening, EDITOR)
    for who in (REVIEWER, EDITOR, MEI):
        with pytest.raises(NotAllowed, match="another role"):
            await office.request(by=who)
    assert [] == await office.history()


async def test_an_approval_whose_giver_lost_the_office_is_none(office: Office) -> None:
    """Roles are looked at when papers are read, and not only before."""
    await office.put(Field.NAME, NAME)
    opening = await office.request()
    await office.decide(opening)
    await office.conn.execute("delete from member_role where account_id = $1", EDITOR)
    with pytest.raises(NotAllowed, match="another role"):
        await office.read(opening)


async def test_nobody_opens_their_own_or_approves_it(office: Office) -> None:
    """Li is an officer, too; and the editor in chief does not approve the opening of their own papers."""
    await office.put(Field.NAME, NAME)
    await office.conn.execute("insert into member_role values ($1, 'compliance', null, now())", LI)
    with pytest.raises(NotAllowed, match="their own"):
        await office.request(by=LI)
    opening = await office.request()
    await office.conn.execute("insert into member_role values ($1, 'editor', null, now())", LI)
    with pytest.raises(NotAllowed, match="their own"):
        await office.decide(opening, LI)


async def test_requests_and_approvals_are_over_soon(office: Office) -> None:
    """A day to approve, an hour to read."""
    await office.put(Field.NAME, NAME)
    late, opening = await office.request(), await office.request()
    office.clock.move(hours=23, minutes=59)
    await office.decide(opening)
    office.clock.move(minutes=1)
    with pytest.raises(NotAllowed, match="time for this is over"):
        await office.decide(late)
    office.clock.move(minutes=59)
    with pytest.raises(NotAllowed, match="time for this is over"):
        await office.read(opening)
    now = office.clock()
    assert [] == await openings.list_(office.conn, is_open=True, now=now)
    assert [opening, late] == [one.id for one in await openings.list_(office.conn, is_open=False, now=now)]


async def test_a_refused_request_is_not_read_and_not_decided_again(office: Office) -> None:
    """And a refusal says why."""
    await office.put(Field.NAME, NAME)
    opening = await office.request()
    with pytest.raises(NotAllowed, match="statement of reasons"):
        await openings.decide(office.conn, opening, approve=False, statement=" ", by=EDITOR, **office.about())
    await office.decide(opening, approve=False)
    with pytest.raises(NotAllowed, match="not approved"):
        await office.read(opening)
    with pytest.raises(NotAllowed, match="has been decided"):
        await office.decide(opening)
    with pytest.raises(NotFound):
        await office.decide(99)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"legal_basis": "  "}, "a legal basis"),
        ({"case": ""}, "a case or ticket"),
        ({"purpose": Purpose.REVIEW}, "this purpose"),
        ({"hold_until": Clock().now + timedelta(days=3)}, "legal hold needs"),
        ({"hold_until": Clock().now + timedelta(days=400), "hold_basis": "order"}, "within a year"),
    ],
)
async def test_a_request_says_what_for(office: Office, given: dict[str, Any], why: str) -> None:
    """Purpose from the list, legal basis, case; and a bar on telling has a basis and an end."""
    await office.put(Field.NAME, NAME)
    with pytest.raises(NotAllowed, match=why):
        await office.request(**given)


async def test_nobody_asks_for_papers_that_are_not_there(office: Office) -> None:
    """An approval is for something."""
    await office.put(Field.NAME, NAME)
    with pytest.raises(NotAllowed, match="no such papers"):
        await office.request(Field.USCC)


async def test_the_21st_opening_of_a_day_is_locked(office: Office) -> None:
    """Whoever opens so many is not looking for somebody; the next day it goes on."""
    await office.put(Field.NAME, NAME)
    for _ in range(openings.A_DAY):
        opening = await office.request()
        await office.decide(opening)
        await office.read(opening)
    opening = await office.request()
    await office.decide(opening)
    with pytest.raises(NotAllowed, match="too many"):
        await office.read(opening)
    office.clock.move(days=1, minutes=1)
    opening = await office.request()
    await office.decide(opening)
    assert [NAME] == await office.read(opening)


# --- What the person hears


async def test_a_legal_hold_bars_telling_until_it_ends(office: Office) -> None:
    """Then the access is in the history, and they are told."""
    await office.put(Field.NAME, NAME)
    until = office.clock() + timedelta(days=30)
    opening = await office.request(hold_until=until, hold_basis="Criminal Procedure Law, article 54")
    await office.decide(opening)
    await office.read(opening)
    assert [] == await office.history()
    assert [] == await accesses.take_untold(office.conn, now=office.clock(), limit=9)
    office.clock.move(days=30)
    [access] = await office.history()
    assert access.told_late
    assert [(opening, LI)] == await accesses.take_untold(office.conn, now=office.clock(), limit=9)
    assert [] == await accesses.take_untold(office.conn, now=office.clock(), limit=9)


async def test_a_hold_is_prolonged_or_lifted_by_the_editor_alone(office: Office) -> None:
    """While it runs; once it is over, the person knows."""
    await office.put(Field.NAME, NAME)
    until = office.clock() + timedelta(days=30)
    opening = await office.request(hold_until=until, hold_basis="order 7")
    await office.decide(opening)
    await office.read(opening)
    longer = office.clock() + timedelta(days=60)

    async def hold(by: AccountId, until: Any) -> None:
        async with office.conn.transaction():
            await openings.set_hold(
                office.conn, opening, until=until, basis="order 8", by=by, **office.about()
            )

    with pytest.raises(NotAllowed, match="another role"):
        await hold(OFFICER, None)
    await hold(EDITOR, longer)
    office.clock.move(days=31)
    assert [] == await office.history()
    await hold(EDITOR, None)
    assert 1 == len(await office.history())
    with pytest.raises(NotAllowed, match="told already"):
        await hold(EDITOR, longer)


async def test_a_person_reads_what_is_kept_of_them_masked(office: Office) -> None:
    """Recorded as well, and seen as their own."""
    await office.put(Field.RESIDENT_ID, RESIDENT)
    await office.put(Field.NAME, NAME)
    await vault.put_scan(
        office.conn,
        LI,
        b"\x89PNG",
        mime="image/png",
        name="card.png",
        sealer=office.sealer,
        now=office.clock(),
        new_id=office.new_id,
    )
    await office.put(Field.NAME, "别人", MEI)
    rows = await accesses.read_own(office.conn, LI, **office.about())
    found = accesses.opened(rows, office.sealer)
    assert ["110***********002X", "欧***"] == [accesses.masked(paper) for paper in found]
    [access] = await office.history()
    assert access.is_own
    assert [] == await office.history(MEI)


# --- Reviews


async def _claim(office: Office, papers: list[PaperId], state: str = "waiting") -> str:
    claim = office.new_id()
    await office.conn.execute(
        "insert into compliance.identity_claim (id, account_id, method, subject, state, numbers, papers,"
        " decided_at, created_at, updated_at) values ($1, $2, 'passport-cn', 'person', $3, '{}', $4,"
        " case when $3 <> 'waiting' then now() end, now(), now())",
        claim,
        LI,
        state,
        papers,
    )
    return f"claim:{claim}"


async def test_a_reviewer_reads_the_papers_of_a_waiting_claim(office: Office) -> None:
    """A scan comes back byte for byte, with its name, and the access is written."""
    scan = await vault.put_scan(
        office.conn,
        LI,
        b"\x89PNG\n\x00\n" + bytes(range(256)),
        mime="image/png",
        name="欧阳明月\n护照.png",
        sealer=office.sealer,
        now=office.clock(),
        new_id=office.new_id,
    )
    case = await _claim(office, [scan])
    [paper] = await office.review(case, scan)
    assert (b"\x89PNG\n\x00\n" + bytes(range(256)), "image/png") == (paper.value, paper.mime)
    assert paper.name == "欧阳明月 护照.png"
    assert "欧阳" not in repr(paper)
    [access] = await office.history()
    assert (Purpose.REVIEW, case) == (access.purpose, access.case_ref)


async def test_a_review_opens_nothing_else(office: Office) -> None:
    """Not a decided claim's papers, not others' in its name, not for who has no office, not one's own."""
    mine, other = await office.put(Field.NAME, NAME), await office.put(Field.NAME, "别人", MEI)
    waiting = await _claim(office, [mine])
    decided = await _claim(office, [mine], "declined")
    foreign = await office.conn.fetchval(
        "update compliance.identity_claim set papers = $1 where state = 'waiting' returning id", [mine, other]
    )
    for case, paper in (
        (decided, mine),
        (f"claim:{foreign}", other),
        ("claim:1", mine),
        ("application:1", mine),
        (waiting.replace("claim", "opening"), mine),
        ("claim:1 or true", mine),
    ):
        with pytest.raises(NotAllowed, match="no case that waits"):
            await office.review(case, paper)
    with pytest.raises(NotAllowed, match="another role"):
        await office.review(waiting, mine, by=MEI)
    await office.conn.execute("insert into member_role values ($1, 'reviewer', null, now())", LI)
    with pytest.raises(NotAllowed, match="their own"):
        await office.review(waiting, mine, by=LI)
    assert [] == await office.history()


# --- Changed and moved rows


@pytest.mark.parametrize(
    "change",
    [
        "update vault.paper set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) where account_id = 1",
        "update vault.paper set sealed = set_byte(sealed, 3, get_byte(sealed, 3) # 128) where account_id = 1",
        "update vault.person_key set wrapped_key = set_byte(wrapped_key, 30, get_byte(wrapped_key, 30) # 1)",
        "update vault.paper p set sealed = o.sealed from vault.paper o"
        " where o.field = 'mobile' and p.field = 'name'",
        "update vault.paper set field = 'legal-representative' where field = 'name'",
        "update vault.person_key set wrapped_key = o.wrapped_key from vault.person_key o"
        " where o.account_id = 2 and vault.person_key.account_id = 1",
        "update vault.paper set account_id = 3 - account_id;"
        " update vault.person_key set account_id = -account_id;"
        " update vault.person_key set account_id = 3 + account_id",
    ],
)
async def test_a_flipped_bit_or_a_swapped_row_gives_an_error_and_no_data(
    office: Office, owner_of_all: Owner, change: str
) -> None:
    """For whoever reads, and for the operator who looks after them."""
    await office.put(Field.NAME, NAME)
    await office.put(Field.MOBILE, NUMBER)
    await office.put(Field.NAME, "别人", MEI)
    for statement in change.split("; "):
        await owner_of_all(statement)
    opening = await office.request(*Field)
    await office.decide(opening)
    with pytest.raises(SealBroken):
        await office.read(opening)
    await owner_of_all(None)
    checked = await soundness.check(office.conn, office.sealer, after=None, limit=99)
    assert checked.faults
    assert NAME not in repr(checked.faults)


async def test_whole_papers_are_found_whole_and_a_swapped_index_is_not(
    office: Office, owner_of_all: Owner
) -> None:
    """The index is what counts accounts: it must stand for what is sealed beside it."""
    await office.put(Field.NAME, NAME)
    await office.put(Field.NAME, "别人", MEI)
    await owner_of_all(None)
    first = await soundness.check(office.conn, office.sealer, after=None, limit=1)
    rest = await soundness.check(office.conn, office.sealer, after=first.last, limit=2)
    assert (1, 1, (), ()) == (first.papers, rest.papers, first.faults, rest.faults)
    await office.conn.execute("update vault.paper set index = '\\x00' where account_id = 1")
    [fault] = (await soundness.check(office.conn, office.sealer, after=None, limit=9)).faults
    assert (LI, "its index stands for something else") == (fault.account_id, fault.why)


# --- Forgetting


async def test_proof_alone_keeps_an_index_and_nothing_to_read(office: Office, owner_of_all: Owner) -> None:
    """Verify and forget: the number is still counted, and nobody opens it."""
    await office.put(Field.MOBILE, NUMBER, forget=True)
    with pytest.raises(NotAllowed, match="no such papers"):
        await office.request(Field.MOBILE)
    await owner_of_all(None)
    assert [(None, None)] == [
        tuple(row) for row in await office.conn.fetch("select sealed, wrapped_key from vault.paper")
    ]
    assert 0 == await office.conn.fetchval("select count(*) from vault.person_key")


async def test_settled_papers_are_forgotten_and_those_under_review_are_not(
    office: Office, owner_of_all: Owner
) -> None:
    """What a claim that is open needs is kept until it is decided; then its proof alone, and of a scan
    nothing."""
    name = await office.put(Field.NAME, NAME)
    scan = await vault.put_scan(
        office.conn,
        LI,
        b"x",
        mime="image/png",
        name="a",
        sealer=office.sealer,
        now=office.clock(),
        new_id=office.new_id,
    )
    await _claim(office, [name, scan])
    assert 0 == await vault.forget(office.conn, [name, scan], now=office.clock())
    assert 0 == await vault.shred_papers(office.conn, [scan])
    await office.conn.execute("update compliance.identity_claim set state = 'approved', decided_at = now()")
    assert 0 == await vault.forget_settled(office.conn, before=office.clock(), limit=9)
    office.clock.move(minutes=1)
    assert 2 == await vault.forget_settled(office.conn, before=office.clock(), limit=9)
    left = await office.conn.fetch("select id, index is null as blank from vault.paper")
    assert [(name, False)] == [tuple(row) for row in left]
    await owner_of_all(None)
    assert 0 == await office.conn.fetchval("select count(*) from vault.person_key")


async def test_after_the_retention_a_closed_accounts_key_is_destroyed(
    office: Office, owner_of_all: Owner
) -> None:
    """Not before: the law asks for six months. It is recorded, and what is put in later has a new key."""
    await office.put(Field.NAME, NAME)
    await office.put(Field.MOBILE, NUMBER)
    about = office.about() | {"reason": "account closed"}

    async def shred() -> int:
        async with office.conn.transaction():
            return await vault.shred(office.conn, LI, **(about | {"now": office.clock()}))

    with pytest.raises(NotAllowed, match="as long as the law asks"):
        await shred()
    await office.conn.execute("update account set gone_at = $2 where id = $1", LI, office.clock())
    office.clock.move(days=100)
    with pytest.raises(NotAllowed, match="as long as the law asks"):
        await shred()
    office.clock.move(days=90)
    assert [LI] == await vault.list_ended(office.conn, months=6, now=office.clock(), limit=9)
    assert 2 == await shred()
    assert [] == await vault.list_ended(office.conn, months=6, now=office.clock(), limit=9)
    assert 0 == await office.conn.fetchval("select count(*) from vault.paper where account_id = $1", LI)
    row = await office.conn.fetchrow("select account_id, version, papers from vault.shredded")
    assert row is not None
    assert (LI, 1, 2) == tuple(row)
    assert "vault:shred" in {
        row["kind"] for row in await office.conn.fetch("select kind from compliance.record")
    }
    await office.put(Field.NAME, NAME)
    assert 2 == await office.conn.fetchval("select version from vault.person_key where account_id = $1", LI)


async def test_a_legal_hold_keeps_papers_from_the_shredder(office: Office) -> None:
    """Whoever is asked to keep quiet about papers is asked to keep them."""
    await office.put(Field.NAME, NAME)
    opening = await office.request(hold_until=office.clock() + timedelta(days=300), hold_basis="order 7")
    await office.decide(opening)
    await office.read(opening)
    await office.conn.execute("update account set gone_at = $2 where id = $1", LI, office.clock())
    office.clock.move(days=200)
    assert [] == await vault.list_ended(office.conn, months=6, now=office.clock(), limit=9)
    with pytest.raises(NotAllowed, match="legal hold"):
        await vault.shred(office.conn, LI, reason="closed", **office.about())


async def test_a_legal_hold_keeps_papers_from_being_forgotten(office: Office) -> None:
    """A server that keeps proof alone keeps what an order names, until the order ends."""
    name = await office.put(Field.NAME, NAME)
    opening = await office.request(hold_until=office.clock() + timedelta(days=300), hold_basis="order 7")
    await office.decide(opening)
    await office.read(opening)
    office.clock.move(days=1)
    assert 0 == await vault.forget(office.conn, [name], now=office.clock())
    assert 0 == await vault.forget_settled(office.conn, before=office.clock(), limit=9)
    office.clock.move(days=300)
    assert 1 == await vault.forget_settled(office.conn, before=office.clock(), limit=9)


async def test_a_legal_hold_keeps_papers_whose_owner_deleted_them(office: Office) -> None:
    """Their day comes and goes; they are destroyed when the order ends."""
    name = await office.put(Field.NAME, NAME)
    opening = await office.request(hold_until=office.clock() + timedelta(days=300), hold_basis="order 7")
    await office.decide(opening)
    await office.read(opening)
    await office.conn.execute(
        "insert into compliance.paper_end (paper_id, account_id, why, ends_at)"
        " values ($1, $2, 'withdrawn', $3)",
        name,
        LI,
        office.clock(),
    )
    about = {"source": SOURCE, "new_id": office.new_id}
    office.clock.move(days=299)
    assert 0 == await review.shred_ended(office.conn, office.clock(), **about)  # type: ignore[arg-type]
    office.clock.move(days=2)
    assert 1 == await review.shred_ended(office.conn, office.clock(), **about)  # type: ignore[arg-type]
    assert [] == await accesses.list_kept(office.conn, LI)


async def test_the_key_goes_with_the_last_paper(office: Office, owner_of_all: Owner) -> None:
    """Else an old backup would open what was destroyed, with the key that is still here."""
    keys = "select count(*) from vault.person_key where account_id = $1"
    name, mobile = await office.put(Field.NAME, NAME), await office.put(Field.MOBILE, NUMBER)
    assert 1 == await vault.shred_papers(office.conn, [name])
    assert 1 == await office.conn.fetchval(keys, LI)
    assert 1 == await vault.shred_papers(office.conn, [mobile])
    assert 0 == await office.conn.fetchval(keys, LI)
    opening = await office.put(Field.NAME, NAME)
    await owner_of_all(None)
    [row] = await office.conn.fetch("select * from vault.taken(array[$1::bigint])", opening)
    assert NAME.encode() == vault.unsealed(row, office.sealer).value


@pytest.mark.parametrize("how", ["shred_papers(array[$1::bigint])", "forget(array[$1::bigint], now(), 1)"])
async def test_no_key_goes_while_another_paper_is_put_in(
    database: Database, cluster: Cluster, sealer: Sealer, how: str
) -> None:
    """Destroying one paper waits for who seals another with the same key, and then leaves them the key."""
    url, new_id = cluster.url(APP, database.name), ids()
    one, other = await asyncpg.connect(url), await asyncpg.connect(url)
    about: dict[str, Any] = {"sealer": sealer, "now": Clock()(), "new_id": new_id}
    try:
        first = await vault.put(one, LI, Field.MOBILE, NUMBER, **about)
        async with one.transaction():
            await vault.put(one, LI, Field.NAME, NAME, **about)
            destroying = asyncio.create_task(other.fetchval(f"select vault.{how}", first))
            done, _ = await asyncio.wait([destroying], timeout=0.5)
            assert not done
        assert 1 == await destroying
        assert 1 == await one.fetchval("select count(*) from vault.person_key where account_id = $1", LI)
    finally:
        await one.close()
        await other.close()
