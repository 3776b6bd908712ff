"""Article 8: the mark of a certified account cannot be imitated by a name.

Nobody here shows a name with something in it that looks like the mark, or says in brackets that they are
certified when they are not; nobody takes a name that reads as that of somebody who is certified, or of an
agency, without being certified under it. Names of other servers' people are left to them; what looks like a
mark is not shown of them (`server.store.accounts`).
"""

from __future__ import annotations

from ..activity import Direction, UpdateProfile
from ..facts import Facts
from ..lookalikes import find_claim, find_sign, is_certification_field
from ..subject import Subject
from ..verdict import Finding, Outcome, Reason, Span


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """Refuses a profile that reads as certified."""
    activity = subject.activity
    if not isinstance(activity, UpdateProfile) or facts.direction is Direction.IN:
        return ()
    name = activity.profile.display_name
    is_marked = facts.naming is not None and facts.naming.is_marked
    found = find_sign(name) or (None if is_marked else find_claim(name))
    if found is None and facts.naming is not None and facts.naming.imitates:
        found = (0, len(name))
    if found is not None:
        return (_refusal("display_name", found),)
    for number, field in enumerate(activity.profile.fields):
        if is_certification_field(field.name):
            return (_refusal(f"fields.{number}.name", (0, len(field.name))),)
    return ()


def _refusal(field: str, where: tuple[int, int]) -> Finding:
    return Finding(
        outcome=Outcome.REFUSE,
        reason=Reason.IMITATES_MARK,
        check="names",
        span=Span(field=field, start=where[0], end=where[1]),
    )
