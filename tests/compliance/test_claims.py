"""Claims by numbers and papers: who decides, who counts, and what nobody but a reviewer hears."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from compliance import appeals, decisions, identity
from compliance.activity import AccountId
from compliance.appeals import AppealState
from compliance.connection import Connection
from compliance.errors import InvalidNumber, NotAllowed, NotFound
from compliance.identity import (
    Claim,
    ClaimState,
    IdentityState,
    Method,
    Said,
    Scan,
    SubjectType,
    Terms,
    claims,
    holders,
    review,
    sending,
)
from compliance.numbers import NumberType
from compliance.sealing import Sealer
from compliance.vault import Field
from compliance.verdict import DecisionId, Reason
from compliance.ways import CheckOutcome

from .build import NOW, SOURCE, Clock, ids

LI, BO, REVIEWER, OTHER = (AccountId(number) for number in (1, 2, 90, 91))
NUMBER, NAME = "11010519491231002X", "张三丰"
SCAN = Scan(data=b"a picture", mime="image/jpeg", name="front")
UNKNOWN, AGREES, DIFFERS = CheckOutcome(None, "nobody"), CheckOutcome(True, "r1"), CheckOutcome(False, "r2")
RESIDENT = (NumberType.RESIDENT_ID, NumberType.RESIDENT_ID_15)


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    return Sealer.load(tmp_path_factory.mktemp("keys") / "secret.key")


@dataclass
class Desk:
    """Claims on one connection, one clock and one key file."""

    conn: Connection
    sealer: Sealer
    clock: Clock

    def said(self, number: str = NUMBER) -> Said:
        return Said(
            method=Method.RESIDENT_ID,
            subject=SubjectType.PERSON,
            number=holders.read(RESIDENT, number, as_of=NOW.date()),
            names={Field.NAME: NAME},
        )

    async def submit(
        self,
        who: AccountId = LI,
        number: str = NUMBER,
        *,
        outcome: CheckOutcome = UNKNOWN,
        scans: Sequence[Scan] = (SCAN,),
        said: Said | None = None,
    ) -> Claim | None:
        return await sending.submit(
            self.conn,
            who,
            said or self.said(number),
            scans,
            outcome,
            terms=Terms(accounts=2),
            sealer=self.sealer,
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )

    async def sent(self, who: AccountId = LI, number: str = NUMBER) -> Claim:
        claim = await self.submit(who, number)
        assert claim is not None
        return claim

    async def approve(self, claim: Claim, by: AccountId = REVIEWER) -> None:
        await review.approve(
            self.conn,
            claim.id,
            reviewer=by,
            terms=Terms(accounts=2),
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )

    async def decline(self, claim: Claim, by: AccountId = REVIEWER, reason: str = "cannot be read") -> int:
        _, decision_id = await review.decline(
            self.conn, claim.id, reviewer=by, reason=reason, now=self.clock(), source=SOURCE, new_id=ids()
        )
        return decision_id

    async def state(self, who: AccountId = LI) -> IdentityState:
        return (await identity.get(self.conn, who)).state

    async def appeal(self, decision_id: int) -> None:
        opened = await appeals.open_(
            self.conn,
            DecisionId(decision_id),
            LI,
            "it can be read",
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )
        await appeals.decide(
            self.conn,
            opened.id,
            decider=OTHER,
            outcome=AppealState.OVERTURNED,
            statement="it can",
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )


@pytest.fixture
def desk(conn: Connection, sealer: Sealer) -> Desk:
    return Desk(conn, sealer, Clock())


async def test_where_the_one_asked_agrees_the_claim_is_approved_at_once(desk: Desk) -> None:
    """No person looks, and no picture is kept."""
    claim = await desk.submit(outcome=AGREES)
    assert claim is not None
    assert (claim.state, claim.shown) == (
        ClaimState.APPROVED,
        {"resident-id": "110***********002X", "name": "张**"},
    )
    known = await identity.get(desk.conn, LI)
    assert (known.state, known.method) == (IdentityState.VERIFIED, Method.RESIDENT_ID)
    assert next(iter(claim.shown)) == "resident-id", "the number goes first"
    [held] = await holders.list_for(desk.conn, LI)
    assert (held.kind, held.masked) == (Field.RESIDENT_ID, "110***********002X")
    fields = [row["field"] for row in await desk.conn.fetch("select field from vault.paper order by id")]
    assert fields == ["resident-id", "name"]


async def test_where_nobody_knows_a_person_looks_at_papers(desk: Desk) -> None:
    """Without papers there is nothing to look at, and nothing is kept."""
    assert await desk.submit(scans=()) is None
    assert await desk.conn.fetchval("select count(*) from vault.paper") == 0
    claim = await desk.sent()
    assert (claim.state, await desk.state()) == (ClaimState.WAITING, IdentityState.PENDING)
    with pytest.raises(NotAllowed, match="already"):
        await desk.submit()
    await desk.approve(claim)
    assert await desk.state() is IdentityState.VERIFIED


async def test_a_number_in_use_looks_like_one_that_nobody_knows(desk: Desk) -> None:
    """Whoever types another's number gets what they get for any number; the reviewer alone sees more."""
    for number in (10, 11):
        await desk.submit(AccountId(number), outcome=AGREES)
    full, free = await desk.submit(LI, outcome=AGREES), await desk.submit(BO, "110101190501010010")
    assert full is not None
    assert free is not None
    assert (full.state, full.statement, full.question) == (free.state, free.statement, free.question)
    assert await desk.state(LI) is await desk.state(BO) is IdentityState.PENDING
    assert await desk.submit(AccountId(12), outcome=AGREES, scans=()) is None, "as where nobody knows"
    assert (await review.used_by(desk.conn, full), await review.used_by(desk.conn, free)) == (2, 0)
    with pytest.raises(NotAllowed, match="as many accounts"):
        await desk.approve(full)


async def test_a_number_in_use_takes_the_same_steps_as_one_that_nobody_knows(desk: Desk) -> None:
    """Timing alike: the same statements, in the same order, whatever others hold."""
    for number in (10, 11):
        await desk.submit(AccountId(number), outcome=AGREES)

    async def steps(who: AccountId, typed: str, outcome: CheckOutcome) -> list[str]:
        asked: list[str] = []
        with desk.conn.query_logger(lambda record: asked.append(" ".join(record.query.split()))):
            await desk.submit(who, typed, outcome=outcome)
            await asyncio.sleep(0)  # the logger hears of the last one a turn later
        return asked

    full = await steps(LI, NUMBER, AGREES)
    assert len(full) > 10
    assert full == await steps(BO, "110101190501010010", UNKNOWN)


async def test_a_closed_account_holds_no_number(desk: Desk) -> None:
    """Who left does not stand in the way of who comes back; after the retention nothing is left of them."""
    await desk.conn.execute(
        """
        insert into account (id, username, uri, url, inbox, created_at, gone_at)
        values ($1, 'li', 'https://h.example/li', '', 'https://h.example/li/inbox', $2, $2)
        """,
        LI,
        NOW,
    )
    await desk.submit(outcome=AGREES)
    claim = await desk.sent(BO)
    assert await review.used_by(desk.conn, claim) == 0
    assert await holders.forget_closed(desk.conn, before=NOW) == 0
    assert await holders.forget_closed(desk.conn, before=desk.clock.move(days=1)) == 1
    assert await holders.list_for(desk.conn, LI) == []
    assert [one.shown for one in await claims.list_for(desk.conn, LI)] == [{}]


async def test_fifteen_digits_are_the_eighteen_that_replaced_them(desk: Desk) -> None:
    """One person, however old the card that they copy from."""
    for number, typed in ((10, "110101050101001"), (11, "110101 1905 0101 0010")):
        claim = await desk.submit(AccountId(number), typed, outcome=AGREES)
        assert claim is not None
        assert claim.shown["resident-id"] == "110***********0010"
    third = await desk.sent(LI, "110101190501010010")
    assert await review.used_by(desk.conn, third) == 2


async def test_a_social_credit_code_is_the_organisation_code_in_it(desk: Desk) -> None:
    """One organisation, by whichever of its codes."""
    for who, typed in ((LI, "91350100MA01ABCD55"), (BO, "MA01ABCD-5")):
        said = Said(
            method=Method.ORGANISATION,
            subject=SubjectType.ORGANISATION,
            number=holders.read((NumberType.USCC, NumberType.ORG_CODE), typed, as_of=NOW.date()),
            names={Field.ORGANISATION_NAME: "某某有限公司", Field.LEGAL_REPRESENTATIVE: NAME},
        )
        last = await desk.submit(who, said=said, outcome=AGREES if who == LI else UNKNOWN)
    assert last is not None
    assert await review.used_by(desk.conn, last) == 1
    assert (await identity.get(desk.conn, LI)).subject is SubjectType.ORGANISATION


@pytest.mark.parametrize("typed", ["110105194912310021", "", "11010520991231002X", "张三"])
def test_what_is_no_number_is_refused_by_its_form(typed: str) -> None:
    with pytest.raises(InvalidNumber):
        holders.read(RESIDENT, typed, as_of=NOW.date())


async def test_nobody_reviews_their_own_claim(desk: Desk) -> None:
    """Nor twice, nor without reasons."""
    claim = await desk.sent()
    for work in (desk.approve(claim, LI), desk.decline(claim, LI)):
        with pytest.raises(NotAllowed, match="own claim"):
            await work
    with pytest.raises(NotAllowed, match="statement of reasons"):
        await desk.decline(claim, reason=" ")
    await desk.decline(claim)
    with pytest.raises(NotAllowed, match="does not wait"):
        await desk.approve(claim)


async def test_more_is_asked_for_and_answered_and_the_claim_waits_again(desk: Desk) -> None:
    """By its owner alone."""
    claim = await desk.sent()
    await review.ask(
        desk.conn,
        claim.id,
        reviewer=REVIEWER,
        question="the back, please",
        now=NOW,
        source=SOURCE,
        new_id=ids(),
    )
    more = {"sealer": desk.sealer, "now": NOW, "source": SOURCE, "new_id": ids()}
    with pytest.raises(NotFound):
        await sending.answer(desk.conn, claim.id, BO, [SCAN], **more)  # type: ignore[arg-type]
    await sending.answer(desk.conn, claim.id, LI, [SCAN], **more)  # type: ignore[arg-type]
    again = await claims.get(desk.conn, claim.id)
    assert (again.state, len(again.papers)) == (ClaimState.WAITING, len(claim.papers) + 1)
    with pytest.raises(NotAllowed, match="nothing more"):
        await sending.answer(desk.conn, claim.id, LI, [SCAN], **more)  # type: ignore[arg-type]


async def test_a_declined_claim_may_be_tried_anew(desk: Desk) -> None:
    """It is no verdict about the person."""
    decision = await decisions.get(desk.conn, DecisionId(await desk.decline(await desk.sent())))
    assert (decision.reason, decision.statement) == (Reason.IDENTITY_REJECTED, "cannot be read")
    assert await desk.state() is IdentityState.REJECTED
    await desk.approve(await desk.sent())
    assert await desk.state() is IdentityState.VERIFIED


async def test_a_further_claim_that_fails_takes_nothing_away(desk: Desk) -> None:
    """Whoever is verified by a phone and sends a bad picture stays verified."""
    await identity.attest(desk.conn, LI, reason="seen", by=BO, now=NOW, source=SOURCE, new_id=ids())
    await desk.decline(await desk.sent())
    assert await desk.state() is IdentityState.VERIFIED


async def test_an_appeal_that_was_right_puts_the_claim_before_somebody_else(desk: Desk) -> None:
    """With the papers that were sent before."""
    claim = await desk.sent()
    await desk.appeal(await desk.decline(claim))
    assert (await claims.get(desk.conn, claim.id)).state is ClaimState.WAITING
    assert await desk.conn.fetchval("select count(*) from compliance.paper_end") == 0
    with pytest.raises(NotAllowed, match="another person"):
        await desk.approve(claim, REVIEWER)
    await desk.approve(claim, OTHER)
    assert await desk.state() is IdentityState.VERIFIED


async def test_an_appeal_that_was_right_gives_a_revoked_identity_back(desk: Desk) -> None:
    """As it was."""
    await desk.submit(outcome=AGREES)
    decision_id = await identity.revoke(
        desk.conn, LI, reason="not theirs", by=REVIEWER, now=NOW, source=SOURCE, new_id=ids()
    )
    await desk.appeal(decision_id)
    assert await desk.state() is IdentityState.VERIFIED


async def _shred(desk: Desk) -> int:
    return await review.shred_ended(desk.conn, desk.clock(), source=SOURCE, new_id=ids())


async def _fields(desk: Desk) -> list[str]:
    return [row["field"] for row in await desk.conn.fetch("select field from vault.paper order by id")]


async def test_papers_of_a_decided_claim_are_destroyed_after_thirty_days(desk: Desk) -> None:
    """The pictures; what the account is verified by stays until it is withdrawn, and six months more."""
    await desk.approve(await desk.sent())
    desk.clock.move(days=29, hours=23)
    assert await _shred(desk) == 0
    desk.clock.move(hours=1)
    assert await _shred(desk) == 1
    assert await _fields(desk) == ["resident-id", "name"]
    until = await identity.withdraw(desk.conn, LI, now=desk.clock(), source=SOURCE, new_id=ids())
    assert until == desk.clock().replace(year=2027, month=1)
    [claim] = await claims.list_for(desk.conn, LI)
    assert (claim.shown, claim.counted) == ({}, ()), "what was masked goes at once"
    desk.clock.move(days=183)
    assert await _shred(desk) == 0
    desk.clock.move(days=2)
    assert await _shred(desk) == 2
    assert await _fields(desk) == []


async def test_papers_stay_while_their_refusal_is_appealed_against(desk: Desk) -> None:
    """Or nobody could look again."""
    decision_id = await desk.decline(await desk.sent())
    opened = await appeals.open_(
        desk.conn, DecisionId(decision_id), LI, "no", now=NOW, source=SOURCE, new_id=ids()
    )
    desk.clock.move(days=60)
    assert await _shred(desk) == 0
    await appeals.decide(
        desk.conn,
        opened.id,
        decider=OTHER,
        outcome=AppealState.UPHELD,
        statement="it cannot",
        now=NOW,
        source=SOURCE,
        new_id=ids(),
    )
    assert await _shred(desk) == 3
    assert await _fields(desk) == []


async def test_a_withdrawn_claim_leaves_nothing_behind(desk: Desk) -> None:
    """Nor does anybody withdraw another's."""
    claim = await desk.sent()
    for who, outcome in ((BO, NotFound), (LI, None)):
        work = sending.withdraw(desk.conn, claim.id, who, now=NOW, source=SOURCE, new_id=ids())
        if outcome is None:
            await work
        else:
            with pytest.raises(outcome):
                await work
    assert await _shred(desk) == 3
    assert await _fields(desk) == []


async def test_nothing_that_was_typed_is_in_a_table_that_can_be_read(desk: Desk) -> None:
    """Masked, sealed, or a keyed digest."""
    await desk.approve(await desk.sent())
    for table in ("identity", "identity_claim", "identity_number", "paper_end", "record", "decision"):
        rows = await desk.conn.fetch(f"select t::text as row from compliance.{table} t")  # noqa: S608
        for row in rows:
            assert not any(word in row["row"] for word in (NUMBER, NUMBER[3:14], NAME, "a picture")), table


async def test_an_issuers_word_is_counted_by_the_name_it_gives(desk: Desk) -> None:
    """And two issuers may give the same name to two people."""

    async def confirm(who: int, issuer: str = "https://id.example") -> object:
        return await identity.confirm_external(
            desk.conn,
            AccountId(who),
            issuer,
            "sub-1",
            terms=Terms(accounts=2),
            sealer=desk.sealer,
            now=NOW,
            source=SOURCE,
            new_id=ids(),
        )

    assert isinstance(await confirm(1), identity.Identity)
    assert isinstance(await confirm(2), identity.Identity)
    assert await confirm(3) is identity.NotConfirmed.IN_USE
    assert isinstance(await confirm(3, "https://other.example"), identity.Identity)
