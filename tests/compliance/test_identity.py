"""The real-name state machine, its clock moved, and what must never come out of it."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance import decisions, identity, records
from compliance.activity import AccountId
from compliance.connection import Connection
from compliance.errors import InvalidNumber, NotAllowed
from compliance.identity import Event, Identity, IdentityState, Method, NotConfirmed, holders, states
from compliance.records import RecordKind
from compliance.sealing import Sealer
from compliance.vault import Field
from compliance.verdict import DecisionId, Reason

from .build import NOW, SOURCE, Clock, ids

LI, BO = AccountId(1), AccountId(2)
PHONE, OTHER = "13800138000", "+8613900139000"
CODE = "123456"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    return Sealer.load(tmp_path_factory.mktemp("keys") / "secret.key")


class Desk:
    """The state machine on one connection, one clock and one key file."""

    def __init__(self, conn: Connection, sealer: Sealer, clock: Clock) -> None:
        self.conn, self.sealer, self.clock = conn, sealer, clock

    async def start(self, who: AccountId = LI, phone: str = PHONE, code: str = CODE) -> str:
        return await identity.start_mobile(
            self.conn,
            who,
            phone,
            sealer=self.sealer,
            now=self.clock(),
            code=code,
            source=SOURCE,
            new_id=ids(),
        )

    async def confirm(
        self, who: AccountId = LI, phone: str = PHONE, code: str = CODE, accounts: int = 2
    ) -> Identity | NotConfirmed:
        return await identity.confirm_mobile(
            self.conn,
            who,
            phone,
            code,
            sealer=self.sealer,
            now=self.clock(),
            accounts_per_identity=accounts,
            source=SOURCE,
            new_id=ids(),
        )

    async def verify(self, who: AccountId = LI, phone: str = PHONE) -> Identity | NotConfirmed:
        await self.start(who, phone)
        return await self.confirm(who, phone)

    async def attest(
        self, who: AccountId = LI, by: AccountId | None = None, reason: str = "seen"
    ) -> Identity:
        return await identity.attest(
            self.conn, who, reason=reason, by=by, now=self.clock(), source=SOURCE, new_id=ids()
        )

    async def revoke(self, who: AccountId = LI) -> DecisionId:
        return await identity.revoke(
            self.conn, who, reason="not theirs", by=BO, now=self.clock(), source=SOURCE, new_id=ids()
        )

    async def restore(self, who: AccountId = LI) -> Identity:
        return await identity.restore(
            self.conn,
            who,
            reason="theirs after all",
            by=BO,
            accounts_per_identity=2,
            now=self.clock(),
            source=SOURCE,
            new_id=ids(),
        )

    async def withdraw(self, who: AccountId = LI) -> datetime | None:
        return await identity.withdraw(self.conn, who, now=self.clock(), source=SOURCE, new_id=ids())

    async def state(self, who: AccountId = LI) -> IdentityState:
        return (await identity.get(self.conn, who)).state


@pytest.fixture
def desk(conn: Connection, sealer: Sealer, clock: Clock) -> Desk:
    return Desk(conn, sealer, clock)


async def test_a_code_verifies_for_a_year_and_a_month_of_grace(desk: Desk) -> None:
    """From nobody, by way of waiting, to somebody who may publish."""
    assert await desk.state() is IdentityState.NONE
    assert await desk.start() == "+8613800138000"
    assert await desk.state() is IdentityState.PENDING
    known = await desk.confirm()
    assert isinstance(known, Identity)
    assert (known.state, known.method, known.verified_at) == (IdentityState.VERIFIED, Method.MOBILE, NOW)
    assert known.due_at == NOW.replace(year=2027)
    assert known.lapses_at == NOW.replace(year=2027, month=7, day=1)
    assert known == await identity.get(desk.conn, LI)
    kinds = [record.kind for record in await records.list_page(desk.conn)]
    assert kinds == [RecordKind.IDENTITY_VERIFY, RecordKind.IDENTITY_START]


async def test_time_makes_it_due_and_then_lapsed(desk: Desk) -> None:
    """Article 7 asks for verification from time to time; in the grace time publishing goes on."""
    await desk.verify()
    steps = [
        (364, IdentityState.VERIFIED, True),
        (1, IdentityState.DUE, True),
        (29, IdentityState.DUE, True),
        (1, IdentityState.LAPSED, False),
    ]
    for days, state, may_publish in steps:
        desk.clock.move(days=days)
        await identity.sweep(desk.conn, desk.clock())
        known = await identity.get(desk.conn, LI)
        assert (known.state, known.may_publish(desk.clock())) == (state, may_publish)
    assert isinstance(await desk.verify(), Identity)
    assert await desk.state() is IdentityState.VERIFIED


async def test_a_late_sweep_skips_what_is_over_and_nobody_waits_for_it(desk: Desk) -> None:
    """The clock decides, not the cleaner."""
    known = await desk.verify()
    assert isinstance(known, Identity)
    assert known.may_publish(desk.clock.move(days=394))
    assert not known.may_publish(desk.clock.move(days=1))
    assert await identity.sweep(desk.conn, desk.clock()) == 1
    assert await desk.state() is IdentityState.LAPSED
    assert await identity.sweep(desk.conn, desk.clock()) == 0


async def test_a_sweep_takes_some_at_a_time(desk: Desk) -> None:
    """No statement over all accounts of a large server."""
    for number in range(3):
        await desk.attest(AccountId(10 + number))
    later = desk.clock.move(days=366)
    assert [await identity.sweep(desk.conn, later, limit=2) for _ in range(3)] == [2, 1, 0]


async def test_verifying_again_keeps_ones_state_meanwhile(desk: Desk) -> None:
    """Asking for a code must not take away what one has."""
    await desk.verify()
    await desk.start(phone=OTHER)
    assert await desk.state() is IdentityState.VERIFIED
    desk.clock.move(days=366)
    await identity.sweep(desk.conn, desk.clock())
    await desk.start(phone=OTHER)
    assert await desk.state() is IdentityState.DUE


@pytest.mark.parametrize(
    ("phone", "code"), [(PHONE, "654321"), (PHONE, ""), (OTHER, CODE)], ids=["wrong", "empty", "other number"]
)
async def test_what_was_wrong_is_not_told(desk: Desk, phone: str, code: str) -> None:
    """The same answer for a wrong code and for another number."""
    await desk.start()
    assert await desk.confirm(phone=phone, code=code) is NotConfirmed.WRONG_CODE
    assert await desk.state() is IdentityState.PENDING


async def test_a_code_is_accepted_as_people_type_it(desk: Desk) -> None:
    """Phones show it in groups, and input methods make it wide."""
    await desk.start()
    assert isinstance(await desk.confirm(code=" １２３ 456 "), Identity)


async def test_five_tries_and_the_code_is_void(desk: Desk) -> None:
    """A million codes are not many for a machine."""
    await desk.start()
    for _ in range(identity.TRIES):
        assert await desk.confirm(code="000000") is NotConfirmed.WRONG_CODE
    assert await desk.confirm() is NotConfirmed.WRONG_CODE
    await desk.start(code="777777")
    assert isinstance(await desk.confirm(code="777777"), Identity)


async def test_a_code_is_good_for_ten_minutes_and_once(desk: Desk) -> None:
    """What lies around in a phone's messages opens nothing."""
    await desk.start()
    desk.clock.move(minutes=10)
    assert await desk.confirm() is NotConfirmed.WRONG_CODE
    await desk.start()
    desk.clock.move(minutes=9, seconds=59)
    assert isinstance(await desk.confirm(), Identity)
    assert await desk.confirm() is NotConfirmed.WRONG_CODE


async def test_a_new_code_voids_the_one_before(desk: Desk) -> None:
    """Only the last message counts."""
    await desk.start(code="111111")
    await desk.start(code="222222")
    assert await desk.confirm(code="111111") is NotConfirmed.WRONG_CODE
    assert isinstance(await desk.confirm(code="222222"), Identity)


async def test_a_code_is_nothing_to_another_account(desk: Desk) -> None:
    """Nor is a code that nobody asked for."""
    await desk.start(LI)
    assert await desk.confirm(BO) is NotConfirmed.WRONG_CODE
    await desk.start(BO, code="999999")
    assert await desk.confirm(BO) is NotConfirmed.WRONG_CODE


async def test_one_number_opens_only_so_many_accounts_and_only_its_owner_hears(desk: Desk) -> None:
    """Counted by blind index; whoever does not hold the phone learns nothing about its number."""
    for number in (10, 11):
        assert isinstance(await desk.verify(AccountId(number)), Identity)
    assert await desk.start(LI) == "+8613800138000"
    assert await desk.confirm(LI, code="000000") is NotConfirmed.WRONG_CODE
    assert await desk.confirm(LI) is NotConfirmed.IN_USE
    assert await desk.state() is IdentityState.PENDING
    assert isinstance(await desk.verify(AccountId(10)), Identity)


async def test_a_number_is_free_again_when_its_account_has_another(desk: Desk) -> None:
    """What is counted is who is verified by it now, not who ever was."""
    for number in (10, 11):
        await desk.verify(AccountId(number))
    await desk.verify(AccountId(10), OTHER)
    assert isinstance(await desk.verify(LI), Identity)
    await desk.revoke(AccountId(11))
    assert isinstance(await desk.verify(AccountId(12)), Identity)


async def test_an_attestation_keeps_the_result_and_the_reason(desk: Desk) -> None:
    """No papers at all; somebody answers for it by name, in the log."""
    known = await desk.attest(by=BO, reason=" passport seen at the desk ")
    assert (known.state, known.method) == (IdentityState.VERIFIED, Method.ATTESTATION)
    [record] = await records.list_page(desk.conn, kind=RecordKind.IDENTITY_ATTEST)
    assert (record.actor_id, record.object) == (BO, str(LI))
    assert record.detail == {"reason": "passport seen at the desk"}
    with pytest.raises(NotAllowed, match="reason"):
        await desk.attest(reason=" ")
    with pytest.raises(NotAllowed, match="themselves"):
        await desk.attest(by=LI)


async def test_who_was_revoked_comes_back_only_by_a_person(desk: Desk) -> None:
    """A code for the same phone would undo what a person found, and so would deleting and beginning again."""
    await desk.verify()
    await desk.start()
    decision = await decisions.get(desk.conn, await desk.revoke())
    assert (decision.reason, decision.actor_id, decision.decided_by, decision.statement) == (
        Reason.IDENTITY_REVOKED,
        LI,
        BO,
        "not theirs",
    )
    assert await desk.state() is IdentityState.REVOKED
    assert await desk.confirm() is NotConfirmed.WRONG_CODE
    for act in (desk.start, desk.withdraw, desk.revoke):
        with pytest.raises(NotAllowed, match="revoked"):
            await act()
    assert (await desk.attest()).state is IdentityState.VERIFIED


@pytest.mark.parametrize(
    ("days", "state"),
    [(0, IdentityState.VERIFIED), (365, IdentityState.DUE), (395, IdentityState.LAPSED)],
)
async def test_a_restored_identity_is_what_it_was_as_the_clock_has_it(
    desk: Desk, days: int, state: IdentityState
) -> None:
    """Nobody gains or loses time by a mistake of ours."""
    before = await desk.verify()
    await desk.revoke()
    desk.clock.move(days=days)
    known = await desk.restore()
    assert isinstance(before, Identity)
    assert (known.state, known.due_at) == (state, before.due_at)
    with pytest.raises(NotAllowed, match="not revoked"):
        await desk.restore()


async def test_a_restored_identity_has_no_more_accounts_than_others(desk: Desk) -> None:
    """What others verified by the same number meanwhile counts."""
    await desk.verify()
    await desk.revoke()
    for number in (10, 11):
        await desk.verify(AccountId(number))
    assert (await desk.restore()).state is IdentityState.PENDING


async def test_a_withdrawn_identity_publishes_no_more_and_its_paper_is_kept_as_the_law_asks(
    desk: Desk,
) -> None:
    """Six months, as for the log of what was published; then the upkeep destroys it."""
    await desk.verify()
    assert await desk.withdraw() == NOW.replace(month=12)
    assert await desk.state() is IdentityState.NONE
    for number in (10, 11):
        assert isinstance(await desk.verify(AccountId(number)), Identity), "the number is free again"
    [end] = await desk.conn.fetch("select why, ends_at from compliance.paper_end")
    assert dict(end) == {"why": "withdrawn", "ends_at": NOW.replace(month=12)}
    assert await desk.withdraw(AccountId(3)) is None, "there was nothing"


async def test_another_number_leaves_the_one_before_to_be_destroyed(desk: Desk) -> None:
    """As late as by deleting it: nobody publishes by one number and has it gone by proving another. What was
    kept of the same number is gone at once."""
    await desk.verify()
    await desk.verify(phone=OTHER)
    [held] = await holders.list_for(desk.conn, LI)
    assert (held.kind, held.masked) == (Field.MOBILE, "139****9000")
    assert [
        (row["why"], row["ends_at"])
        for row in await desk.conn.fetch("select why, ends_at from compliance.paper_end")
    ] == [("replaced", NOW.replace(month=12))]
    await desk.verify(phone=OTHER)
    ends = await desk.conn.fetch("select ends_at from compliance.paper_end order by ends_at")
    assert [NOW, NOW.replace(month=12)] == [row["ends_at"] for row in ends]


@given(st.lists(st.sampled_from(Event)))
def test_every_walk_through_the_states_keeps_the_promises(events: list[Event]) -> None:
    """Nobody publishes who was not verified since the last end, and nobody leaves `revoked` but by a
    person."""
    state, proven = IdentityState.NONE, False
    for event in events:
        try:
            after = states.step(state, event)
        except NotAllowed:
            assert event not in states.STEPS or state not in states.STEPS[event]
            continue
        if state is IdentityState.REVOKED and after is not state:
            assert event in (Event.RESTORE, Event.ATTEST)
        if event in (Event.VERIFY, Event.ATTEST, Event.RESTORE):
            proven = True
        if event in (Event.LAPSE, Event.REVOKE, Event.WITHDRAW):
            proven = False
        if after in (IdentityState.VERIFIED, IdentityState.DUE):
            assert proven, (events, event)
        state = after


def test_every_state_can_end_in_verified() -> None:
    """Nobody is shut out for good."""
    for state in IdentityState:
        assert states.step(state, Event.ATTEST) is IdentityState.VERIFIED


async def test_what_is_no_number_is_refused_before_anything_is_kept(desk: Desk) -> None:
    """And the number is not repeated."""
    with pytest.raises(InvalidNumber):
        await desk.start(phone="12345")
    assert await desk.state() is IdentityState.NONE


async def test_the_number_is_nowhere_to_be_read(desk: Desk) -> None:
    """Not in the log, not in a table: only sealed, and behind an index that needs the key."""
    await desk.verify()
    for table in ("compliance.record", "compliance.identity", "compliance.phone_code"):
        rows = await desk.conn.fetch(f"select t::text as row from {table} t")  # noqa: S608
        assert not any("138001380" in row["row"] for row in rows)
    [paper] = await desk.conn.fetch("select id, account_id, field, index from vault.paper")
    assert paper["index"] == desk.sealer.index("+8613800138000", purpose="phone")
    assert b"138001380" not in paper["index"]


@pytest.mark.parametrize("column", ["sealed", "wrapped_key", "*"])
async def test_the_server_cannot_read_what_it_sealed(desk: Desk, column: str) -> None:
    """It may put in and count. A thief of its login gets nothing out."""
    import asyncpg

    await desk.verify()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await desk.conn.fetch(f"select {column} from vault.paper")  # noqa: S608


def test_codes_are_six_digits_and_not_the_same() -> None:
    """Zeros in front are kept."""
    made = {identity.new_code() for _ in range(200)}
    assert all(len(code) == identity.CODE_DIGITS and code.isdigit() for code in made)
    assert len(made) > 190
