"""When to try again, sans-IO: for one letter, and for a host as a whole.

    a letter    waits -> tried -> waits longer ... -> given up after seven days
    a host      open --5 failures in a row--> paused --pause over--> one letter as a probe --+-> open
                                                ^---------------- it failed: a longer pause --+

A host that answers at all, be it with an error, lives. A success or anything heard from the host opens it
at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FACTOR: Final = 4
LONGEST: Final = timedelta(hours=12)
JITTER: Final = 0.2
FAILURES_TO_PAUSE: Final = 5
"""From here on a host that may be asked again gets one letter only, to see whether it lives."""
LONGEST_PAUSE: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How patient we are; the first retry within a minute, the last within a week."""

    first_retry: timedelta = timedelta(seconds=30)
    give_up: timedelta = timedelta(days=7)
    chance: Callable[[], float] = random.random


def next_try(
    policy: Policy, *, attempts: int, created: datetime, now: datetime, asked: timedelta | None = None
) -> datetime | None:
    """When to try a letter again that failed `attempts` times; `None` to give it up.

    `asked` is what `Retry-After` said; it can only make the wait longer, and never longer than our longest.
    """
    steps = min(attempts - 1, 16)
    wait: timedelta = min(policy.first_retry * int(FACTOR**steps), LONGEST)
    wait *= 1 + JITTER * policy.chance()
    if asked is not None:
        wait = min(max(wait, asked), LONGEST)
    at = now + wait
    return None if at > created + policy.give_up else at


def pause(policy: Policy, *, failures: int, now: datetime) -> datetime | None:
    """Until when to leave a host alone after so many failures in a row; `None` while it is still open."""
    if failures < FAILURES_TO_PAUSE:
        return None
    steps = min(failures - FAILURES_TO_PAUSE, 16)
    wait = min(policy.first_retry * int(2**steps), LONGEST_PAUSE)
    return now + wait * (1 + JITTER * policy.chance())
