"""Whole public pages, kept for a moment: a busy profile or post is then little more than sending bytes.

Only pages of somebody who is not logged in, without a message to say; kept by address, language and looks. A
page says what it is about, and is forgotten when that changes, here or in another process; whatever is not
told ends with the page's few seconds.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from aiohttp import web

from .. import keys
from ..events import EVERYTHING
from ..http import auth, cookies
from ..http.errors import locale_of
from ..pages import render
from ..pages.cards import Card

_SECONDS: Final = 4.0
_MOST: Final = 1_024
ANY_POST: Final = "posts"
"""What a timeline is about: any post may come onto it."""

Key: TypeAlias = tuple[object, ...]
About: TypeAlias = Iterable[str]
Context: TypeAlias = Callable[[], Awaitable[tuple[Mapping[str, Any], About]]]


class SharedPages:
    """The pages of one process."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[float, bytes]] = {}
        self._about: defaultdict[str, set[Key]] = defaultdict(set)
        self._changes: deque[tuple[int, str]] = deque(maxlen=_MOST)
        self.tick = 0
        """Rises with each change; a page that is being made remembers where it began."""

    def get(self, key: Key) -> bytes | None:
        """The page, unless it is too old."""
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def keep(self, key: Key, body: bytes, about: About, *, since: int) -> None:
        """Keeps a page, unless what it is about has changed since it was begun."""
        about = set(about)
        if self.tick - since >= _MOST or any(
            tick > since and thing in about for tick, thing in reversed(self._changes)
        ):
            return
        if len(self._kept) >= _MOST:
            self.clear()
        self._kept[key] = (time.monotonic() + _SECONDS, body)
        for thing in about:
            self._about[thing].add(key)

    def forget(self, thing: str) -> None:
        """Drops the pages about this."""
        self.tick += 1
        self._changes.append((self.tick, thing))
        for key in self._about.pop(thing, ()):
            self._kept.pop(key, None)

    def clear(self) -> None:
        self.tick += _MOST
        self._kept.clear()
        self._about.clear()

    async def listen(self, app: web.Application) -> None:
        """For `on_startup`: what other requests and processes change is seen at once."""
        app[keys.EVENTS].subscribe("posts", self._post_changed)
        app[keys.EVENTS].subscribe("accounts", self._account_changed)

    def _post_changed(self, payload: str) -> None:
        if payload == EVERYTHING:
            self.clear()
        else:
            self.forget(f"post {payload}")
            self.forget(ANY_POST)

    def _account_changed(self, payload: str) -> None:
        if payload == EVERYTHING:
            self.clear()
        else:
            # With a new post its author's counts change; nobody knows the post's own id before.
            self.forget(f"account {payload}")
            self.forget(ANY_POST)


SHARED = web.AppKey("shared-pages", SharedPages)


def is_shared(request: web.Request) -> bool:
    """Whether what this visitor gets is what every other one gets."""
    return auth.viewer(request) is None and cookies.flash(request) is None


async def serve(request: web.Request, template: str, context: Context, *, section: str = "") -> web.Response:
    """The kept page, or the one that the template makes of the context."""
    key = (request.raw_path, locale_of(request), request.cookies.get(render.DISPLAY, ""))
    kept = request.app[SHARED]
    body = kept.get(key)
    if body is None:
        since = kept.tick
        values, about = await context()
        body = render.text(request, template, render.Frame(request, section=section), **values).encode()
        kept.keep(key, body, about, since=since)
    return render.shared(request, body)


def about(cards: Iterable[Card]) -> set[str]:
    """What a page with these posts is about."""
    things = set()
    for card in cards:
        things |= {f"post {card.post.id}", f"account {card.post.account.id}"}
        if card.booster is not None:
            things.add(f"account {card.booster.id}")
    return things
