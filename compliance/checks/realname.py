"""Article 7: no verified identity, no publishing. And Article 6: no publishing before the agreement is
accepted.

Only our own people, and only what publishes: whoever has not proved who they are may read, follow, like,
report, appeal, withdraw and leave.
"""

from __future__ import annotations

from ..activity import Direction
from ..facts import Facts
from ..identity import IdentityState
from ..publishing import publishes
from ..subject import Subject
from ..verdict import Finding, Outcome, Reason


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """Refuses publishing by people whose identity is not known, or who have not accepted the current
    agreement."""
    if facts.direction is Direction.IN or not publishes(subject.activity):
        return ()
    reason = identity_reason(facts) or (None if facts.has_agreed else Reason.AGREEMENT_REQUIRED)
    if reason is None and facts.owes_name:
        reason = Reason.FRONT_NAME_REQUIRED
    return () if reason is None else (Finding(outcome=Outcome.REFUSE, reason=reason, check="realname"),)


def identity_reason(facts: Facts) -> Reason | None:
    """Why this identity may not publish now; `None` where it may."""
    match facts.identity:
        case IdentityState.LAPSED:
            return Reason.IDENTITY_LAPSED
        case IdentityState.REVOKED:
            return Reason.IDENTITY_REVOKED
        case IdentityState.NONE | IdentityState.PENDING | IdentityState.REJECTED:
            return Reason.IDENTITY_REQUIRED
        case IdentityState.VERIFIED | IdentityState.DUE:
            if facts.identity_until is None:
                return Reason.IDENTITY_REQUIRED
            # The state is swept from time to time; the end of the grace time is exact.
            return Reason.IDENTITY_LAPSED if facts.identity_until <= facts.now else None
