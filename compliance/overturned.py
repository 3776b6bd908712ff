"""An appeal that was right, as those are told who make good what was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from .activity import AccountId, Activity, Direction
from .decisions import Decision
from .records import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Overturned:
    """Which decision does not stand: who found so, when, and what they wrote."""

    decision: Decision
    decider: AccountId
    statement: str
    now: datetime
    source: Source
    new_id: Callable[[], int]
    accounts_per_identity: int
    """The operator's setting: whose identity is given back needs a place among those of the same number."""


Again: TypeAlias = tuple[Activity, Direction] | None
"""An activity that the caller submits here and now, where there is one."""
