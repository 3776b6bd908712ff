"""Article 7: no verified identity, no publishing. And Article 6: no publishing before the agreement is
accepted.

Only our own people, and only what publishes: whoever has not proved who they are may read, follow, like,
report, appeal, withdraw and leave.
"""

from __future__ import annotations

from ..activity import Announce, Create, Direction, Update, UpdateProfile, Upload
from ..facts import Facts
from ..identity import IdentityState
from ..subject import Subject
from ..verdict import Finding, Outcome, Reason


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """Refuses publishing by people whose identity is not known, or who have not accepted the current
    agreement."""
    if facts.direction is Direction.IN or not _publishes(subject):
        return ()
    reason = _identity_reason(facts) or (None if facts.has_agreed else Reason.AGREEMENT_REQUIRED)
    return () if reason is None else (Finding(outcome=Outcome.REFUSE, reason=reason, check="realname"),)


def _publishes(subject: Subject) -> bool:
    return isinstance(subject.activity, Create | Update | UpdateProfile | Announce | Upload)


def _identity_reason(facts: Facts) -> Reason | None:
    if facts.identity is IdentityState.LAPSED:
        return Reason.IDENTITY_LAPSED
    if facts.identity not in (IdentityState.VERIFIED, IdentityState.DUE) or facts.identity_until is None:
        return Reason.IDENTITY_REQUIRED
    # The state is swept from time to time; the end of the grace time is exact.
    return Reason.IDENTITY_LAPSED if facts.identity_until <= facts.now else None
