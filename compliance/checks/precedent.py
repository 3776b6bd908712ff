"""A person has judged the very same words of the very same author before: what was refused stays refused
until an appeal.

That a release clears what would be held is not a finding, and is weighed in the gate.
"""

from __future__ import annotations

from ..facts import Facts, Ruling
from ..subject import Subject
from ..verdict import Finding, Outcome, Reason


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """Refuses what a reviewer has refused."""
    if facts.precedent is None or facts.precedent.ruling is not Ruling.REFUSED:
        return ()
    return (Finding(outcome=Outcome.REFUSE, reason=Reason.REVIEWER, check="precedent"),)
