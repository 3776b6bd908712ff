"""A limit lets so many through at once, refills evenly, and says when to come back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.errors import TooMany
from server.http.limits import APPS, SEARCH, Limiter
from server.sections import Limits


class _Time:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def _take_all(limiter: Limiter, count: int) -> list[int]:
    return [limiter.take(SEARCH, "a").remaining for _ in range(count)]


def test_the_whole_count_passes_at_once_and_not_one_more() -> None:
    """A client may spend its minute in its first second."""
    limiter = Limiter(Limits(searches=30), _Time())
    assert list(range(29, -1, -1)) == _take_all(limiter, 30)
    with pytest.raises(TooMany) as caught:
        limiter.take(SEARCH, "a")
    assert 1 <= caught.value.retry_after <= 3


def test_time_gives_back_evenly() -> None:
    """After the tenth part of the time a tenth is free again."""
    time = _Time()
    limiter = Limiter(Limits(searches=30), time)
    _take_all(limiter, 30)
    time.now += 6.0
    assert [2, 1, 0] == _take_all(limiter, 3)
    with pytest.raises(TooMany):
        limiter.take(SEARCH, "a")


def test_subjects_and_limits_do_not_share() -> None:
    """One person's haste is not another's wait."""
    limiter = Limiter(Limits(searches=1, apps=1), _Time())
    limiter.take(SEARCH, "a")
    assert 0 == limiter.take(SEARCH, "b").remaining
    assert 0 == limiter.take(APPS, "a").remaining


def test_a_refused_request_does_not_prolong_the_wait() -> None:
    """Hammering is useless, not punished: the wait stays the same."""
    time = _Time()
    limiter = Limiter(Limits(searches=1), time)
    limiter.take(SEARCH, "a")
    for _ in range(100):
        with pytest.raises(TooMany):
            limiter.take(SEARCH, "a")
    time.now += 60.0
    assert 0 == limiter.take(SEARCH, "a").remaining


def test_buckets_that_are_empty_again_are_dropped() -> None:
    """A million addresses must not fill the memory."""
    time = _Time()
    limiter = Limiter(Limits(), time)
    for number in range(5_000):
        limiter.take(SEARCH, str(number))
    time.now += 3_600.0
    for _ in range(5_000):
        time.now += 60.0
        limiter.take(SEARCH, "a")
    assert 2 >= len(limiter._empty_at)


def test_headers_are_mastodons() -> None:
    """Clients in pace mode divide the time to the reset by what remains."""
    standing = Limiter(Limits(searches=30), _Time()).take(SEARCH, "a")
    assert {
        "X-RateLimit-Limit": "30",
        "X-RateLimit-Remaining": "29",
        "X-RateLimit-Reset": "2026-06-15T12:00:02.000Z",
    } == standing.headers(datetime(2026, 6, 15, 12, tzinfo=UTC))


def test_disabled_limits_let_everything_through() -> None:
    """For load tests, and only outside production."""
    limiter = Limiter(Limits(searches=1, disabled=True), _Time())
    assert {1} == {limiter.take(SEARCH, "a").remaining for _ in range(10)}
