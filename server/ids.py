"""Time-ordered 64-bit ids: 47 bits of milliseconds since 1970, 6 bits of worker, 10 bits of sequence.

An id is also the keyset cursor of every list and the order of every timeline. The worker number keeps two
processes from
making the same id without asking anybody.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

_WORKER_BITS = 6
_SEQUENCE_BITS = 10
_SHIFT = _WORKER_BITS + _SEQUENCE_BITS
_SEQUENCE_LIMIT = 1 << _SEQUENCE_BITS
MAX_WORKER = (1 << _WORKER_BITS) - 1
MAX_ID = (1 << 63) - 1

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class IdMaker:
    """Makes ids for one process. Not for use from several threads at once.

    A clock that goes back, or more than 1,024 ids in a millisecond, moves the maker's own time ahead of the
    clock's: ids stay
    unique and in order, whatever the clock does.
    """

    def __init__(self, worker: int, clock: Clock = system_clock) -> None:
        if not 0 <= worker <= MAX_WORKER:
            raise ValueError(f"worker must be 0 to {MAX_WORKER}, not {worker}")
        self._worker = worker << _SEQUENCE_BITS
        self._clock = clock
        self._millisecond = 0
        self._sequence = 0
        self._past = secrets.randbelow(1 << _SHIFT)

    def __call__(self) -> int:
        """The next id, for something that happens now."""
        millisecond = int(self._clock().timestamp() * 1000)
        if millisecond <= self._millisecond:
            self._sequence += 1
            if self._sequence >= _SEQUENCE_LIMIT:
                self._millisecond += 1
                self._sequence = 0
        else:
            self._millisecond = millisecond
            self._sequence = 0
        return self._millisecond << _SHIFT | self._worker | self._sequence

    def at(self, moment: datetime) -> int:
        """An id for something that happened at `moment`, such as an older post of another server; never
        later than now.

        Many servers tell whole seconds only, so the rest of the id counts on from call to call: it must tell
        apart what happened at one moment and is stored at different ones. Two processes may still make the
        same one, once in some ten thousand times; whoever stores it tries again then.
        """
        now = self() >> _SHIFT
        self._past = (self._past + 1) % (1 << _SHIFT)
        return max(min(int(moment.timestamp() * 1000), now), 1) << _SHIFT | self._past


def moment_of(id_: int) -> datetime:
    """When the thing with this id came to be."""
    return datetime.fromtimestamp((id_ >> _SHIFT) / 1000, UTC)


def floor_at(moment: datetime) -> int:
    """The smallest id of `moment`: ids below it are older."""
    return max(int(moment.timestamp() * 1000), 0) << _SHIFT
