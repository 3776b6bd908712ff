"""What the SDKs of the clouds have in common: they block, and they would tell the log whom they ask about."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from yarl import URL

CONNECT_SECONDS: Final = 5
ANSWER_SECONDS: Final = 10
_TOTAL_SECONDS: Final = 20.0
"""Longer than both of the SDK's own times together, and for whoever waits for a thread as well."""
_AT_ONCE: Final = 4

_TALKATIVE: Final = ("darabonba-core", "tencentcloud_sdk_common", "urllib3")
"""At level debug they write whole requests, numbers and names among them, some to handlers of their own."""

T = TypeVar("T")


class Threads:
    """Threads of one cloud's own, so that a cloud that hangs holds up nobody else's work."""

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=name)

    async def run(self, act: Callable[..., T], *args: object) -> T:
        """What `act` answers. Raises `TimeoutError` where that takes too long, and whatever `act` does."""
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        async with asyncio.timeout(_TOTAL_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(act, *args))


def secret(path: str) -> str:
    """The secret that a file holds. Raises `OSError`."""
    return Path(path).read_text("utf-8").strip()


def endpoint(url: str) -> tuple[str, str | None]:
    """The scheme, and the host with its port, where something else than the cloud's own address is set."""
    if not url:
        return "https", None
    address = URL(url)
    return address.scheme, address.authority


def name_of(error: Exception) -> str:
    """What may be logged of an SDK's error: its kind and the cloud's code, never the message, which repeats
    what was asked."""
    code = getattr(error, "code", None) or getattr(error, "get_code", lambda: None)()
    kind = type(error).__name__
    return f"{kind} {code}" if isinstance(code, str) and code.isascii() and len(code) <= 80 else kind
