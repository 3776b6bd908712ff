"""Article 10, paragraph 2: whoever acts for an organisation has a role in it that includes the act, and has
proved who they are in person; what a second person must approve was approved.

Where nobody acts, the server itself does: it answers follow requests and comments by the organisation's own
policy, withdraws what the law wants withdrawn, and shows a profile again whose mark has changed. What a
reviewer released was judged with its author's role.
"""

from __future__ import annotations

from typing import assert_never

from ..activity import (
    Accept,
    Activity,
    Announce,
    ApproveReply,
    AskReply,
    Block,
    Create,
    Delete,
    Direction,
    Flag,
    Follow,
    HideReply,
    Like,
    Reject,
    RemoveReply,
    Undo,
    Update,
    UpdateProfile,
    Upload,
)
from ..facts import Acting, Facts, Ruling
from ..identity import IdentityState
from ..organisations import Act, may
from ..subject import Subject
from ..verdict import Finding, Outcome, Reason

_OF_THE_SERVER = (Accept, Reject, Delete, UpdateProfile, AskReply, ApproveReply, HideReply)
_PUBLISHING = frozenset({Act.WRITE, Act.PUBLISH, Act.PROFILE})


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """Refuses what somebody does for an organisation without the right to."""
    if facts.acting is None or facts.direction is Direction.IN:
        return ()
    reason = _reason(subject.activity, facts, facts.acting)
    return () if reason is None else (Finding(outcome=Outcome.REFUSE, reason=reason, check="organisation"),)


def act_of(activity: Activity) -> Act:
    """What a role must include for `activity`."""
    match activity:
        case Create() | Update() | Announce():
            return Act.PUBLISH
        case AskReply():
            return Act.PUBLISH
        case ApproveReply() | HideReply() | RemoveReply():
            return Act.COMMENTS
        case Upload():
            return Act.WRITE
        case UpdateProfile():
            return Act.PROFILE
        case Delete():
            # To delete the account itself is to end the organisation.
            return Act.TRANSFER if activity.target == activity.actor.uri else Act.REMOVE
        case Like() | Follow() | Accept() | Reject() | Undo() | Block() | Flag():
            return Act.ENGAGE
        case _:
            assert_never(activity)


def _reason(activity: Activity, facts: Facts, acting: Acting) -> Reason | None:
    if acting.by is None:
        return _without_a_person(activity, facts)
    act = act_of(activity)
    if not may(acting.role, act):
        return Reason.ROLE_REQUIRED
    if acting.suspended and not isinstance(activity, Delete | Undo):
        return Reason.ORGANISATION_SUSPENDED
    if act in _PUBLISHING:
        unknown = _identity_reason(acting, facts)
        if unknown is not None:
            return unknown
    if acting.four_eyes and isinstance(activity, Create | Update) and not may(acting.second, Act.APPROVE):
        return Reason.APPROVAL_REQUIRED
    return None


def _without_a_person(activity: Activity, facts: Facts) -> Reason | None:
    if isinstance(activity, _OF_THE_SERVER):
        return None
    if facts.precedent is not None and facts.precedent.ruling is Ruling.RELEASED:
        return None
    if facts.commenting is not None and any(one.state is not None for one in facts.commenting.answering):
        # A comment that waited and is let now: it was judged with its author's role when it came.
        return None
    return Reason.ROLE_REQUIRED


def _identity_reason(acting: Acting, facts: Facts) -> Reason | None:
    if acting.identity is IdentityState.LAPSED:
        return Reason.IDENTITY_LAPSED
    if acting.identity not in (IdentityState.VERIFIED, IdentityState.DUE) or acting.identity_until is None:
        return Reason.IDENTITY_REQUIRED
    return Reason.IDENTITY_LAPSED if acting.identity_until <= facts.now else None
