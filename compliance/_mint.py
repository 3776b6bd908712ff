"""Strikes `Cleared` values. Only `compliance.gate` may import this; an import contract and a test see to
it."""

from typing import TypeVar

from .activity import Activity
from .verdict import Cleared, DecisionId

A = TypeVar("A", bound=Activity)


def strike(activity: A, decision_id: DecisionId, labels: tuple[str, ...]) -> Cleared[A]:
    """A `Cleared` for `activity`, which the gate has just judged and recorded."""
    cleared: Cleared[A] = object.__new__(Cleared)
    object.__setattr__(cleared, "activity", activity)
    object.__setattr__(cleared, "decision_id", decision_id)
    object.__setattr__(cleared, "labels", labels)
    return cleared
