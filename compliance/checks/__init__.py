"""Every check, in the order in which their reasons are told: who may not act at all comes before what may not
be said.

A check is a pure function of what is judged and what is known. It finds nothing in most activities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..facts import Facts
from ..subject import Subject
from ..verdict import Finding
from . import authority, comments, content, names, organisation, precedent, realname, standing, tier

Check: TypeAlias = Callable[[Subject, Facts], Sequence[Finding]]

CHECKS: tuple[Check, ...] = (
    standing.check,
    authority.check,
    organisation.check,
    realname.check,
    tier.check,
    precedent.check,
    names.check,
    content.check,
    comments.check,
)
