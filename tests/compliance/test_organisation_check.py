"""The check on acts of organisations, as a table: who acts, with what right, and what the gate says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from compliance.activity import AccountId, Activity, Announce, Delete, Direction, Undo, Undoable, Uri
from compliance.checks import organisation
from compliance.facts import Acting, Precedent, Ruling
from compliance.identity import IdentityState
from compliance.organisations import POWERS, Act, Role
from compliance.verdict import CaseId, Reason
from tests.compliance import build
from tests.compliance.build import HERE, NOW

KNOWN = Acting(
    by=AccountId(9), role=Role.OWNER, identity=IdentityState.VERIFIED, identity_until=NOW + timedelta(days=1)
)


def _found(activity: Activity, acting: Acting | None, **more: object) -> Reason | None:
    found = organisation.check(build.read(activity), replace(build.facts(), acting=acting, **more))  # type: ignore[arg-type]
    return found[0].reason if found else None


@pytest.mark.parametrize("role", [*Role, None])
def test_a_role_without_the_act_is_refused(role: Role | None) -> None:
    """Every kind of activity asks for one act of the table."""
    for activity in build.one_of_each().values():
        act = organisation.act_of(activity)
        allowed = role is not None and act in POWERS[role]
        expected = None if allowed else Reason.ROLE_REQUIRED
        assert _found(activity, replace(KNOWN, role=role)) is expected, (role, act)


def test_a_person_is_not_asked_and_nothing_that_comes_in() -> None:
    """Only organisations of this server have roles here."""
    assert _found(build.create(), None) is None
    assert _found(build.create(), replace(KNOWN, role=None), direction=Direction.IN) is None


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (IdentityState.NONE, Reason.IDENTITY_REQUIRED),
        (IdentityState.PENDING, Reason.IDENTITY_REQUIRED),
        (IdentityState.REJECTED, Reason.IDENTITY_REQUIRED),
        (IdentityState.LAPSED, Reason.IDENTITY_LAPSED),
        (IdentityState.DUE, None),
    ],
)
def test_whoever_publishes_for_it_is_known_in_person(state: IdentityState, reason: Reason | None) -> None:
    """And may follow, answer and take back before that."""
    acting = replace(KNOWN, identity=state)
    assert _found(build.create(), acting) is reason
    assert _found(_undo(), acting) is None
    late = replace(KNOWN, identity_until=NOW)
    assert _found(build.create(), late) is Reason.IDENTITY_LAPSED


def test_suspended_rights_leave_taking_back() -> None:
    """Withdrawal stays: what is gone does no harm."""
    acting = replace(KNOWN, suspended=True)
    assert _found(build.create(), acting) is Reason.ORGANISATION_SUSPENDED
    assert _found(_undo(), acting) is None
    assert _found(Delete(id=_uri(), actor=HERE, target=build.POST), acting) is None


def test_four_eyes_ask_for_a_second_person_who_may_approve() -> None:
    """For new words, not for a boost of words that others answer for."""
    acting = replace(KNOWN, four_eyes=True)
    for second, reason in (
        (None, Reason.APPROVAL_REQUIRED),
        (Role.ANALYST, Reason.APPROVAL_REQUIRED),
        (Role.MODERATOR, Reason.APPROVAL_REQUIRED),
        (Role.EDITOR, None),
        (Role.OWNER, None),
    ):
        assert _found(build.create(), replace(acting, second=second)) is reason, second
    assert _found(Announce(id=_uri(), actor=HERE, target=build.POST, published=NOW), acting) is None


def test_without_a_person_only_the_server_itself_acts() -> None:
    """It answers and withdraws; it does not speak, unless a reviewer released what somebody said."""
    nobody = Acting()
    assert _found(build.create(), nobody) is Reason.ROLE_REQUIRED
    assert _found(Delete(id=_uri(), actor=HERE, target=build.POST), nobody) is None
    released = Precedent(case_id=CaseId(1), ruling=Ruling.RELEASED)
    assert _found(build.create(), nobody, precedent=released) is None


def test_to_end_the_organisation_is_an_owners_act() -> None:
    """A Delete of the account itself is no deletion of a post."""
    end = Delete(id=_uri(), actor=HERE, target=HERE.uri)
    assert organisation.act_of(end) is Act.TRANSFER
    assert _found(end, replace(KNOWN, role=Role.EDITOR)) is Reason.ROLE_REQUIRED


def _undo() -> Undo:
    return Undo(id=_uri(), actor=HERE, kind=Undoable.LIKE, target=build.POST)


def _uri() -> Uri:
    return Uri("https://here.example/activities/1")
