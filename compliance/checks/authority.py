"""Whether this server takes it from there: the operator's policy about hosts, and who may speak for whom.

It looks at every host that the activity comes from, points at, or shows pictures of, so that a blocked
server's words do not come in by a third one's boost, nor go out by one of ours.
"""

from __future__ import annotations

from ..activity import Announce, Create, Direction, Update, UpdateProfile
from ..facts import Facts
from ..hosts import Policy, strictest
from ..subject import Subject
from ..verdict import Finding, Outcome, Reason


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """Refuses or holds by host policy; refuses what claims the wrong side of the border."""
    if subject.activity.actor.is_local is not (facts.direction is Direction.OUT):
        # Nobody from outside speaks for our people, and we for nobody else's.
        return (Finding(outcome=Outcome.REFUSE, reason=Reason.CHECK_FAILED, check="authority"),)
    if not facts.policies:
        return ()
    found = strictest(subject.hosts, facts.policies)
    if found is None:
        return ()
    name, policy = found
    if policy is Policy.REFUSE:
        return (Finding(outcome=Outcome.REFUSE, reason=Reason.HOST_BLOCKED, check="authority", rule=name),)
    if policy is Policy.HOLD and facts.direction is Direction.IN and _shows_words(subject):
        return (Finding(outcome=Outcome.HOLD, reason=Reason.HOST_REVIEWED, check="authority", rule=name),)
    return ()


def _shows_words(subject: Subject) -> bool:
    return isinstance(subject.activity, Create | Update | UpdateProfile | Announce)
