"""Account standing: a suspended account acts no more. It may still take back what it said, and complain."""

from __future__ import annotations

from ..activity import Delete, Direction, Flag, Undo
from ..facts import Facts
from ..subject import Subject
from ..verdict import Finding, Outcome, Reason


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """Refuses what a suspended or unknown account does."""
    if not facts.is_known:
        # No row, nothing known of them: whoever built this activity went past the account's own making.
        return (_refusal(Reason.CHECK_FAILED),)
    if not facts.is_suspended or _is_open_to_suspended(subject, facts.direction):
        return ()
    return (_refusal(Reason.ACCOUNT_SUSPENDED),)


def _is_open_to_suspended(subject: Subject, direction: Direction) -> bool:
    if isinstance(subject.activity, Delete | Undo):
        # Withdrawal is a right of the person (PIPL art. 47), wherever they live.
        return True
    return direction is Direction.OUT and isinstance(subject.activity, Flag)


def _refusal(reason: Reason) -> Finding:
    return Finding(outcome=Outcome.REFUSE, reason=reason, check="standing")
