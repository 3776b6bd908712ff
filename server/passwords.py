"""Password hashing: Argon2id, in two threads of its own with a short queue, so that log-ins never starve the
loop.

A hash says how it was made, so the cost can be raised later: `is_outdated` tells when to hash again at
log-in.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from server.errors import Invalid, Unavailable

MIN_LENGTH = 8
MAX_LENGTH = 256

# OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. About 20 ms of one core.
_MEMORY_KIB = 19_456
_PASSES = 2
_LANES = 1
_SHAPE = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}$"

_THREADS = 2
_QUEUE = 64
_TRIVIAL = re.compile(r"(.)\1*|0?123456789?0?|password\d*|qwerty\w{0,6}", re.IGNORECASE | re.DOTALL)

_T = TypeVar("_T")

_threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="password")
_waiting = 0


def check(password: str, *, username: str, email: str) -> None:
    """Raise `Invalid` for a password that is too short, too long, or the first thing a guesser tries."""
    if len(password) < MIN_LENGTH:
        raise Invalid("Use at least %(count)d characters", field="password", count=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise Invalid("Use at most %(count)d characters", field="password", count=MAX_LENGTH)
    folded = password.casefold()
    local_part = email.partition("@")[0].casefold()
    if _TRIVIAL.fullmatch(password) or folded in (username.casefold(), email.casefold(), local_part):
        raise Invalid("This password is too easy to guess", field="password")


async def hash_(password: str) -> str:
    """The string to store for `password`."""
    return await _in_thread(functools.partial(_derive, password))


async def matches(password: str, stored: str | None) -> bool:
    """Whether `password` is the one behind `stored`.

    With no `stored` the work is done all the same, against a hash that nothing matches: an unknown name must
    cost the same time as a wrong password.
    """
    if len(password) > MAX_LENGTH:
        password = ""
    right = await _in_thread(functools.partial(_verify, password, stored or _dummy()))
    return right and stored is not None


def is_outdated(stored: str) -> bool:
    """Whether `stored` was made with other costs than today's."""
    return not stored.startswith(_SHAPE)


def _derive(password: str) -> str:
    kdf = Argon2id(salt=os.urandom(16), length=32, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return kdf.derive_phc_encoded(password.encode())


def _verify(password: str, stored: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password.encode(), stored)
    except (InvalidKey, ValueError):
        return False
    return True


@functools.cache
def _dummy() -> str:
    return _derive(os.urandom(16).hex())


async def _in_thread(work: Callable[[], _T]) -> _T:
    global _waiting  # noqa: PLW0603 - one queue for the process, as there is one pair of threads
    if _waiting >= _QUEUE + _THREADS:
        raise Unavailable("Too many people are logging in right now. Try again in a moment.", retry_after=2)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _waiting -= 1
