"""How often somebody may ask: a leaky bucket (GCRA) for each subject, in this process.

One number per subject is kept: the moment at which its bucket will be empty again. What must hold across
processes and restarts (log-ins, codes, mails) is counted in the database instead, by `store.attempts`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web

from .. import keys
from ..errors import TooMany
from ..sections import Limits

MINUTE = 60.0
HOUR = 60 * MINUTE
_SWEEP_EVERY = 4_096


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in `seconds`, at once if need be, refilled evenly; `setting` says how many."""

    setting: str
    seconds: float


TOKEN = Limit("token_requests", 5 * MINUTE)
ACCOUNT = Limit("account_requests", 5 * MINUTE)
ANONYMOUS = Limit("anonymous_requests", 5 * MINUTE)
SEARCH = Limit("searches", MINUTE)
POSTING = Limit("posts", 3 * HOUR)
UPLOADS = Limit("uploads", 30 * MINUTE)
SIGN_UP = Limit("sign_ups", 30 * MINUTE)
APPS = Limit("apps", 10 * MINUTE)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a limit, as clients are told."""

    count: int
    remaining: int
    seconds_to_full: float

    @property
    def share(self) -> float:
        """What is left, as a part of the whole."""
        return self.remaining / self.count

    def headers(self, now: datetime) -> dict[str, str]:
        """Mastodon's three headers; clients in "pace" mode divide the time by the number."""
        reset = now + timedelta(seconds=max(self.seconds_to_full, 1.0))
        return {
            "X-RateLimit-Limit": str(self.count),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{reset.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z",
        }


class Limiter:
    """The buckets of one process."""

    def __init__(self, limits: Limits, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._now = now
        self._empty_at: dict[tuple[str, str], float] = {}
        self._calls = 0

    def take(self, limit: Limit, subject: str) -> Standing:
        """Counts one request by `subject`; `TooMany` when the bucket is full."""
        count: int = getattr(self._limits, limit.setting)
        if self._limits.disabled:
            return Standing(count, count, 0.0)
        now = self._now()
        self._sweep(now)
        key = (limit.setting, subject)
        step = limit.seconds / count
        empty_at = max(self._empty_at.get(key, now), now) + step
        over = empty_at - now - limit.seconds
        # A sum of steps does not come out even in binary: a thousandth of one step is no breach.
        if over > step / 1000:
            raise TooMany(retry_after=int(over) + 1)
        self._empty_at[key] = empty_at
        return Standing(count, int((limit.seconds - (empty_at - now)) / step + 0.001), empty_at - now)

    def check(self, limit: Limit, subject: str) -> None:
        """Raises `TooMany` where `take` would, and counts nothing."""
        count: int = getattr(self._limits, limit.setting)
        now, step = self._now(), limit.seconds / count
        over = max(self._empty_at.get((limit.setting, subject), now), now) + step - now - limit.seconds
        if not self._limits.disabled and over > step / 1000:
            raise TooMany(retry_after=int(over) + 1)

    def _sweep(self, now: float) -> None:
        self._calls += 1
        if self._calls % _SWEEP_EVERY == 0:
            self._empty_at = {key: moment for key, moment in self._empty_at.items() if moment > now}


LIMITER = web.AppKey("limiter", Limiter)
STANDING = web.RequestKey("standing", Standing)
"""The narrowest of the limits that a request was counted by, to be told with its answer."""


def take(request: web.Request, limit: Limit, subject: str) -> None:
    """Counts the request with this process's buckets, and notes what is left."""
    try:
        standing = request.app[LIMITER].take(limit, subject)
    except TooMany as error:
        count: int = getattr(request.app[keys.SETTINGS].limits, limit.setting)
        request[STANDING] = Standing(count, 0, float(error.retry_after))
        raise
    known = request.get(STANDING)
    if known is None or standing.share < known.share:
        request[STANDING] = standing


def check(request: web.Request, limit: Limit, subject: str) -> None:
    """`Limiter.check` with this process's buckets."""
    request.app[LIMITER].check(limit, subject)
