"""Views kept in each process: whole posts and accounts without anything that depends on the viewer.

The cache does not decide what may be seen: each read path asks the database which ids the viewer may see, and
only then looks here for how they look. The one exception is the top of each home timeline, which is read more
than everything else: it is kept as the database gave it, for seconds, and forgotten when anything of it
changes.

Whoever changes a post or an account forgets it here after the commit. The other workers see that at once
(`server.changes`); other machines, and commands, tell by an event. A view read before a change and kept after
it would be stale for good, so what was read is kept only if nothing was forgotten meanwhile; and nothing is
kept, or taken from here, inside a transaction, which may see what others must not, or not yet.

A view stays the same object for as long as nothing in it changes: what is rendered from it can be kept beside
it and is right as long as `kept_for is view`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Generic, TypeVar

from msgspec import Struct

from compliance.activity import AccountId, PostId

from .. import changes
from .model import AccountView, Line, PostView

K = TypeVar("K", bound=int)
V = TypeVar("V")

POSTS = 8_192
ACCOUNTS = 8_192
HOMES = 2_048
HOME_SECONDS = 15.0
"""How long the top of a home timeline is kept at most: the bound on what an event that nobody sent could
cost.
"""


class Shelf(Generic[K, V]):
    """The most lately used values, up to `size` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, tuple[int, V]] = OrderedDict()
        self._changes = changes.Changes()
        self._floor = 0

    def __len__(self) -> int:
        return len(self._values)

    @property
    def tick(self) -> int:
        """The moment, to be noted before reading what is to be kept."""
        return changes.now()

    def find(self, key: K) -> V | None:
        """The value, which then counts as just used; `None` if another worker forgot it."""
        kept = self._values.get(key)
        if kept is None:
            return None
        read_at, value = kept
        if self._changes.is_since(key, read_at):
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return value

    def keep(self, key: K, value: V, *, read_at: int) -> None:
        """Keeps a value that was read at tick `read_at`, unless the key was forgotten since."""
        if read_at <= self._floor or self._changes.is_since(key, read_at):
            return
        self._values[key] = (read_at, value)
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def forget(self, keys: Iterable[K]) -> None:
        """Drops values, in all workers; those being read at this moment are not kept either."""
        for key in keys:
            self._changes.mark(key)
            self._values.pop(key, None)

    def clear(self) -> None:
        """Drops everything, in this process."""
        self._floor = changes.now()
        self._values.clear()


class Home(Struct, frozen=True):
    """The top of somebody's home timeline, as it was read for them: what they may see of it, and what they
    did with it.
    """

    lines: tuple[Line, ...]
    asked: int
    """How many lines were asked for; with fewer, there are no more."""
    kept_at: float


posts: Shelf[PostId, PostView] = Shelf(POSTS)
accounts: Shelf[AccountId, AccountView] = Shelf(ACCOUNTS)
homes: Shelf[AccountId, Home] = Shelf(HOMES)


def forget_posts(ids: Iterable[PostId]) -> None:
    """Call after the commit that changed these posts, their counts, pictures or names."""
    posts.forget(ids)


def forget_accounts(ids: Iterable[AccountId]) -> None:
    """Call after the commit that changed these accounts, their profiles or counts. Posts by them follow by
    themselves.
    """
    accounts.forget(ids)


def forget_homes(owners: Iterable[AccountId]) -> None:
    """Call after the commit that put something into these people's home timelines, took something out, or
    changed what they may see, mute, or did with a post.
    """
    homes.forget(owners)


def forget_all() -> None:
    """When events may have been missed: the listening connection was lost, or the process starts."""
    posts.clear()
    accounts.clear()
    homes.clear()
