"""What every effect stands on, and what it tells the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from compliance.activity import AccountId, Activity, PostId

from ..ids import IdMaker
from ..uris import Uris

ACTIVE = timedelta(days=30)
"""Home timelines are written ahead only for people seen within this time; others get theirs rebuilt when they
return."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The moment, the ids and the addresses of one transaction."""

    ids: IdMaker
    uris: Uris
    now: datetime


@dataclass(slots=True)
class Touched:
    """What an effect changed, for the caches and the workers that must hear of it after commit."""

    posts: set[PostId] = field(default_factory=set)
    accounts: set[AccountId] = field(default_factory=set)
    homes: set[AccountId] = field(default_factory=set)
    notified: set[AccountId] = field(default_factory=set)

    def add(self, other: Touched) -> None:
        self.posts |= other.posts
        self.accounts |= other.accounts
        self.homes |= other.homes
        self.notified |= other.notified


@dataclass(slots=True)
class Applied:
    """What came of a run of cleared activities of one kind.

    `posts[i]` is the post that the i-th one made or changed; `None` where it found nothing to act on (already
    so, unknown,
    or not its author's). `follow_ups` are activities of our own people that must answer,
    judged in the same transaction.
    """

    posts: list[PostId | None]
    took: list[bool]
    touched: Touched
    follow_ups: Sequence[Activity] = ()
