"""Asking others whether a claim is right: what they are asked, and what they may answer.

Nobody answers for good: a service that is not there, or does not know, says neither yes nor no, and the claim
goes to a person. Whoever asks does so outside every transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from .numbers import NumberType


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What somebody says of themselves, or of an organisation and who stands for it in law. Nothing of it
    shows in a `repr`, so nothing of it is logged by accident."""

    number_type: NumberType
    number: str = field(repr=False)
    name: str = field(repr=False)
    legal_representative: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """Whether a claim agrees with what the one asked knows; `None` where that is not known."""

    agrees: bool | None
    reference: str
    """By which the one asked finds the question again, or why there is no answer; never a word of the
    claim."""


class Checker(Protocol):
    """Somebody who knows people's numbers, or nobody."""

    async def check(self, claim: Claimed) -> CheckOutcome:
        """What is known of this claim. Answers in bounded time and raises nothing: a failure knows nothing
        either."""
