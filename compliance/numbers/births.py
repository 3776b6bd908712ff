"""Dates of birth inside numbers: real days of the calendar, not to come, and of somebody who can be alive."""

from __future__ import annotations

from datetime import date

from .answer import FormReason

OLDEST = 130
"""Years. The oldest person on record lived 122."""


def read(digits: str) -> date | None:
    """The day that eight digits name; `None` where the calendar has no such day."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def fault(birth: date | None, as_of: date) -> FormReason | None:
    """What is wrong with a birth on this day, as seen on the day `as_of`."""
    if birth is None:
        return FormReason.BIRTH
    if birth > as_of:
        return FormReason.FUTURE
    had_birthday = (as_of.month, as_of.day) >= (birth.month, birth.day)
    age = as_of.year - birth.year - (not had_birthday)
    return FormReason.AGE if age > OLDEST else None
