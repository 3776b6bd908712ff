"""Article 9: what an account's tier leaves for a person to look at first, and how much it gives by the hour.

Only our own people. A letter to named people is not published, so no reviewer reads it; a picture is looked
at with the post that shows it.
"""

from __future__ import annotations

from ..activity import Announce, Create, Direction, Update, UpdateProfile, Visibility
from ..facts import Facts
from ..subject import Subject
from ..verdict import Finding, Outcome, Reason


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """Refuses what is too much for this hour, holds what is looked at first."""
    if facts.direction is Direction.IN:
        return ()
    if facts.free_again is not None:
        reason, until = Reason.ACCOUNT_LIMITED, facts.free_again
        return (Finding(outcome=Outcome.REFUSE, reason=reason, check="tier", until=until),)
    if facts.pre_review and _is_shown(subject):
        return (Finding(outcome=Outcome.HOLD, reason=Reason.TIER_REVIEW, check="tier"),)
    return ()


def _is_shown(subject: Subject) -> bool:
    match subject.activity:
        case Create(note=note) | Update(note=note):
            return note.visibility is not Visibility.DIRECT
        case UpdateProfile() | Announce():
            return True
        case _:
            return False
