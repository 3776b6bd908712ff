"""Who may do what for an organisation: the table, and that a role in one says nothing about another."""

from __future__ import annotations

import pytest

from compliance import appeals, decisions, organisations, oversight
from compliance.activity import AccountId
from compliance.appeals import AppealState
from compliance.classes import CertClass
from compliance.connection import Connection
from compliance.errors import NotAllowed, NotFound
from compliance.organisations import POWERS, Act, MemberState, Role
from compliance.overturned import Overturned
from compliance.remedies import REMEDIES
from compliance.statements import Matter
from compliance.verdict import Reason
from tests.compliance.build import NOW, SOURCE, ids

ONE, TWO = AccountId(501), AccountId(502)
ANN, BOB = AccountId(601), AccountId(602)


async def _two(conn: Connection) -> None:
    await organisations.insert(conn, ONE, kind=CertClass.MEDIA, name="One Press", owner=ANN, now=NOW)
    await organisations.insert(conn, TWO, kind=CertClass.SOCIAL, name="Two Society", owner=BOB, now=NOW)


def test_the_owner_may_do_everything_and_nobody_more() -> None:
    """Whoever can invite people must be able to undo whatever they do."""
    assert POWERS[Role.OWNER] == frozenset(Act)
    assert all(POWERS[role] < POWERS[Role.OWNER] for role in Role if role is not Role.OWNER)
    assert not any(organisations.may(None, act) for act in Act)


def test_only_owners_manage_people_and_only_owners_and_editors_publish() -> None:
    """The columns of the permission table in the security reference."""
    can = {act: {role for role in Role if organisations.may(role, act)} for act in Act}
    assert can[Act.MEMBERS] == can[Act.CERTIFY] == can[Act.TRANSFER] == {Role.OWNER}
    assert can[Act.PUBLISH] == can[Act.READ] == {Role.OWNER, Role.EDITOR}
    assert can[Act.COMMENTS] == {Role.OWNER, Role.EDITOR, Role.MODERATOR}
    assert can[Act.LOG] == {Role.OWNER, Role.ANALYST}


async def test_a_role_is_of_one_organisation_only(conn: Connection) -> None:
    """Rule H3: the right to one organisation is no right to another."""
    await _two(conn)
    assert await organisations.role_of(conn, ONE, ANN) is Role.OWNER
    assert await organisations.role_of(conn, TWO, ANN) is None
    assert await organisations.rights_of(conn, TWO, ANN) is None
    assert await organisations.find(conn, ANN) is None


@pytest.mark.parametrize("state", [s for s in MemberState if s is not MemberState.ACTIVE])
async def test_only_the_active_have_a_role(conn: Connection, state: MemberState) -> None:
    """An invitation is not yet a role, and a past one no longer."""
    await _two(conn)
    await organisations.put(conn, ONE, BOB, Role.OWNER, state, by=ANN, now=NOW)
    assert await organisations.role_of(conn, ONE, BOB) is None
    assert await organisations.count_owners(conn, ONE) == 0  # none of these accounts is real


async def test_suspended_rights_leave_seeing_the_log_and_the_appeal(conn: Connection) -> None:
    """What was suspended can be looked at and appealed against, and nothing else is done."""
    await _two(conn)
    more = {"now": NOW, "source": SOURCE, "new_id": ids()}
    with pytest.raises(NotAllowed, match="statement of reasons"):
        await oversight.suspend(conn, ONE, reason=" ", by=BOB, **more)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed, match="of their own"):
        await oversight.suspend(conn, ONE, reason="x", by=ANN, **more)  # type: ignore[arg-type]
    decision_id = await oversight.suspend(conn, ONE, reason="x", by=BOB, **more)  # type: ignore[arg-type]
    rights = await organisations.rights_of(conn, ONE, ANN)
    assert rights is not None
    assert {act for act in Act if rights.may(act)} == organisations.STILL
    decision = await decisions.get(conn, decision_id)
    assert (decision.actor_id, decision.reason) == (ONE, Reason.ORGANISATION_SUSPENDED)
    await oversight.restore(conn, ONE, reason="y", by=BOB, **more)  # type: ignore[arg-type]
    assert not (await organisations.get(conn, ONE)).is_suspended


async def test_a_suspension_that_was_wrong_ends_with_the_appeal(conn: Connection) -> None:
    """Only the suspension that was appealed against: a later one stands."""
    await _two(conn)
    more = {"now": NOW, "source": SOURCE, "new_id": ids()}
    first = await oversight.suspend(conn, ONE, reason="x", by=BOB, **more)  # type: ignore[arg-type]
    await oversight.restore(conn, ONE, reason="y", by=BOB, **more)  # type: ignore[arg-type]
    second = await oversight.suspend(conn, ONE, reason="z", by=BOB, **more)  # type: ignore[arg-type]
    for decision_id, suspended in ((first, True), (second, False)):
        decision = await decisions.get(conn, decision_id)
        again = await REMEDIES[Matter.ORGANISATION](
            conn,
            Overturned(
                decision=decision,
                decider=BOB,
                statement="wrong",
                now=NOW,
                source=SOURCE,
                new_id=ids(),
                accounts_per_identity=5,
            ),
        )
        assert again is None
        assert (await organisations.get(conn, ONE)).is_suspended is suspended


async def test_a_person_is_no_organisation(conn: Connection) -> None:
    """The kinds are those of subjects with people of their own."""
    with pytest.raises(NotAllowed):
        await organisations.insert(conn, ONE, kind=CertClass.INDIVIDUAL, name="x", owner=ANN, now=NOW)
    with pytest.raises(NotFound):
        await organisations.get(conn, ONE)


async def test_staff_decide_nothing_about_an_organisation_of_their_own(conn: Connection) -> None:
    """Rule H2: who acts for it neither releases its posts nor decides its complaints and appeals."""
    await _two(conn)
    assert await organisations.is_own(conn, ANN, ANN)
    assert await organisations.is_own(conn, ONE, ANN)
    assert not await organisations.is_own(conn, ONE, BOB)
    assert not await organisations.is_own(conn, None, BOB)
    await conn.execute(
        """
        insert into compliance.appeal (id, decision_id, account_id, words, created_at)
        values (7, $1, $2, 'no', $3)
        """,
        await oversight.suspend(conn, ONE, reason="x", by=BOB, now=NOW, source=SOURCE, new_id=ids()),
        ONE,
        NOW,
    )
    with pytest.raises(NotAllowed, match="their own appeal"):
        await appeals.decide(
            conn,
            7,
            outcome=AppealState.OVERTURNED,
            decider=ANN,
            statement="we are innocent",
            now=NOW,
            source=SOURCE,
            new_id=ids(),
        )
