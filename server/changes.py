"""When things last changed, in memory that the workers of one server share.

An event takes 10 ms and more to reach the other workers, and whoever acts and then looks may be answered by
any of them: with a post that is just deleted, without the one just written, by a token just revoked. What is
kept in a process is therefore compared with these marks each time it is taken.

Different keys may share a mark: one then counts as changed with the other, and is read again.
"""

from __future__ import annotations

import mmap
import time

_MIX = 0x9E3779B97F4A7C15  # ids are multiples of powers of two; this spreads them over the marks
_MASK = (1 << 64) - 1


class Changes:
    """The marks of 2 to the power `bits` keys. Made before workers are forked, or each has its own."""

    def __init__(self, bits: int = 16) -> None:
        self._shift = 64 - bits
        self._marks = memoryview(mmap.mmap(-1, 8 << bits)).cast("Q")

    def mark(self, key: int) -> None:
        """Says that it changed. Call it after the commit and before the answer."""
        slot = (key * _MIX & _MASK) >> self._shift
        # A mark never goes back, whichever process is the last to write.
        self._marks[slot] = max(self._marks[slot], now())

    def is_since(self, key: int, read_at: int) -> bool:
        """Whether it may have changed since what was read at `read_at`."""
        return self._marks[(key * _MIX & _MASK) >> self._shift] >= read_at


def now() -> int:
    """The moment, by a clock that all processes of the machine share; to be noted before reading."""
    return time.monotonic_ns()
