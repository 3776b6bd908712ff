"""Patience has a shape: soon at first, seldom later, and it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from federation import backoff
from federation.backoff import Policy

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CALM = Policy(chance=lambda: 0.0)
HASTY = Policy(chance=lambda: 1.0)


def test_the_first_retry_is_within_a_minute() -> None:
    """A short restart of a peer delays nothing noticeably."""
    for policy in (CALM, HASTY):
        at = backoff.next_try(policy, attempts=1, created=NOW, now=NOW)
        assert at is not None
        assert at - NOW <= timedelta(seconds=60)


def test_waits_grow_to_half_a_day_and_end_after_a_week() -> None:
    """A letter is neither sent every minute for a week, nor kept for ever."""
    now, waits = NOW, list[timedelta]()
    while (at := backoff.next_try(CALM, attempts=len(waits) + 1, created=NOW, now=now)) is not None:
        waits.append(at - now)
        now = at
    assert waits == sorted(waits)
    assert waits[:4] == [timedelta(seconds=s) for s in (30, 120, 480, 1920)]
    assert waits[-1] == backoff.LONGEST
    assert timedelta(days=6) < now - NOW <= timedelta(days=7)


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        (timedelta(minutes=10), timedelta(minutes=10)),
        (timedelta(seconds=1), timedelta(seconds=30)),
        (timedelta(days=300), backoff.LONGEST),
        (None, timedelta(seconds=30)),
    ],
)
def test_retry_after_can_only_make_us_slower(asked: timedelta | None, wait: timedelta) -> None:
    """And not so slow that the letter is forgotten."""
    assert NOW + wait == backoff.next_try(CALM, attempts=1, created=NOW, now=NOW, asked=asked)


def test_a_host_is_paused_after_five_failures_and_longer_each_time() -> None:
    """A dead host holds no places."""
    pauses = [backoff.pause(CALM, failures=failures, now=NOW) for failures in range(4, 25)]
    assert pauses[0] is None
    waits = [until - NOW for until in pauses if until is not None]
    assert len(waits) == 20
    assert waits == sorted(waits)
    assert (timedelta(seconds=30), backoff.LONGEST_PAUSE) == (waits[0], waits[-1])
