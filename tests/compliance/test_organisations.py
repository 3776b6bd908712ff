"""Who may do what for an organisation: the table, and that a role in one says nothing about another."""

from __future__ import annotations

import pytest

from compliance import organisations
from compliance.activity import AccountId
from compliance.classes import CertClass
from compliance.connection import Connection
from compliance.errors import NotAllowed, NotFound
from compliance.organisations import POWERS, Act, MemberState, Role
from tests.compliance.build import NOW

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
    decision = await _decision(conn)
    assert await organisations.suspend(conn, ONE, by=BOB, reason="x", decision_id=decision, now=NOW)
    assert not await organisations.suspend(conn, ONE, by=BOB, reason="x", decision_id=decision, now=NOW)
    rights = await organisations.rights_of(conn, ONE, ANN)
    assert rights is not None
    assert {act for act in Act if rights.may(act)} == organisations.STILL
    assert not await organisations.restore(conn, ONE, decision_id=decision + 1)
    assert await organisations.restore(conn, ONE, decision_id=decision)
    assert not (await organisations.get(conn, ONE)).is_suspended


async def test_a_person_is_no_organisation(conn: Connection) -> None:
    """The kinds are those of subjects with people of their own."""
    with pytest.raises(NotAllowed):
        await organisations.insert(conn, ONE, kind=CertClass.INDIVIDUAL, name="x", owner=ANN, now=NOW)
    with pytest.raises(NotFound):
        await organisations.get(conn, ONE)


async def _decision(conn: Connection) -> int:
    await conn.execute(
        """
        insert into compliance.decision
          (id, verdict, kind, direction, actor_id, activity_uri, digest, rule_version, reason, created_at)
        values (1, 'refused', 'organisation', 'out', $1, 'urn:x', '', 0, 'organisation_suspended', $2)
        """,
        ONE,
        NOW,
    )
    return 1
