"""Whole public pages, kept for a moment: a busy profile or post is then little more than sending bytes.

Only pages of somebody who is not logged in, without a message to say; kept by address, language and looks for
two seconds, and forgotten at once when any post or account changes.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from .. import keys
from ..http import auth, cookies
from ..http.errors import locale_of
from ..pages import render

_SECONDS: Final = 2.0
_MOST: Final = 1_024

Make = Callable[[web.Request], Awaitable[str]]


class SharedPages:
    """The pages of one process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], tuple[float, bytes]] = {}

    def get(self, key: tuple[object, ...]) -> bytes | None:
        """The page, unless it is too old."""
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def keep(self, key: tuple[object, ...], body: bytes) -> None:
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[key] = (time.monotonic() + _SECONDS, body)

    def clear(self, _payload: str = "") -> None:
        self._kept.clear()


SHARED = web.AppKey("shared-pages", SharedPages)


def is_shared(request: web.Request) -> bool:
    """Whether what this visitor gets is what every other one gets."""
    return auth.viewer(request) is None and cookies.flash(request) is None


async def serve(request: web.Request, make: Make) -> web.Response:
    """The page that `make` writes, or the kept one."""
    key = (request.raw_path, locale_of(request), request.cookies.get(render.DISPLAY, ""))
    kept = request.app[SHARED]
    body = kept.get(key)
    if body is None:
        body = (await make(request)).encode()
        kept.keep(key, body)
    return render.shared(request, body)


async def forget_on_change(app: web.Application) -> None:
    """For `on_startup`: what other requests and processes change is seen at once."""
    for channel in ("posts", "accounts"):
        app[keys.EVENTS].subscribe(channel, app[SHARED].clear)
