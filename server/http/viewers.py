"""Somebody who is known, and who the tokens and cookies of the last seconds stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from compliance.activity import AccountId
from compliance.organisations import Rights
from compliance.organisations import Role as Post

from .. import changes
from ..errors import Unauthorised
from ..events import Events
from ..store.model import AccountView, Role

_KEPT_NS = 3_000_000_000
_KEPT_MOST = 4_096
_CHANNEL = "viewers"
_CHANGES = changes.Changes(bits=0)
_ANYBODY = 0
NEEDS_USER = "This method requires an authenticated user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An organisation that somebody can act for, and what they may do there."""

    account: AccountView
    rights: Rights

    @property
    def role(self) -> Post:
        return self.rights.role


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody who is known: a person, or (`account` is `None`) only an app."""

    account: AccountView | None
    locale: str | None
    roles: frozenset[Role]
    scopes: frozenset[str]
    """What the token may do; empty for a page session, which is not limited by scopes."""
    app_id: int | None
    """The app the token was given to; `None` for a page session."""
    token_hash: bytes
    """Of the token or cookie."""
    csrf: bytes
    """Ties the forms of a page session to it; empty for a token."""
    preferences: Mapping[str, Any]
    """What the person has chosen for posting; empty for a page session, whose pages ask for themselves."""
    has_totp: bool
    confirmed_at: datetime | None
    """When the second factor was last given in this session."""
    email_confirmed: bool
    by: AccountView | None = None
    """The person, where `account` is an organisation that they act for."""
    place: Place | None = None
    """The organisation and what the person may do in it, where they act for one."""
    acting_for: AccountId | None = None
    """Whom the session or token was told to act for; also where the person is asked as themselves."""
    places: tuple[Place, ...] = ()
    """Every organisation that the person of a page session can act for."""

    @property
    def id(self) -> AccountId:
        """The person's id, or that of the organisation they act for."""
        return self.me.id

    @property
    def me(self) -> AccountView:
        """The person, or the organisation they act for; handlers of routes for persons may rely on there
        being one."""
        if self.account is None:
            raise Unauthorised(NEEDS_USER)
        return self.account

    @property
    def myself(self) -> AccountView:
        """The person, whoever they act for."""
        return self.by or self.me

    def may(self, scope: str) -> bool:
        """Whether the token's scopes cover `scope`, directly or through a wider one."""
        return covers(self.scopes, scope)


class Seen:
    """Who the tokens and cookies of the last seconds stand for."""

    def __init__(self, events: Events | None = None) -> None:
        self._kept: dict[bytes, tuple[int, Viewer | None]] = {}
        self._events = events
        if events is not None:
            events.subscribe(_CHANNEL, lambda _: self._kept.clear())

    def find(self, token_hash: bytes) -> tuple[Viewer | None] | None:
        """What is known of it, which may be that nobody has it; `None` where it must be looked up."""
        found = self._kept.get(token_hash)
        if found is None or found[0] + _KEPT_NS < changes.now() or _CHANGES.is_since(_ANYBODY, found[0]):
            return None
        return (found[1],)

    def keep(self, token_hash: bytes, viewer: Viewer | None, *, read_at: int) -> None:
        """Keeps what was read at `read_at`, for seconds, and until something about somebody changes."""
        if len(self._kept) >= _KEPT_MOST:
            self._kept.clear()
        self._kept[token_hash] = (read_at, viewer)

    def forget(self) -> None:
        """Something about somebody changed: the next request looks again, also in the other processes."""
        _CHANGES.mark(_ANYBODY)
        self._kept.clear()
        if self._events is not None:
            self._events.notify(_CHANNEL)


SEEN = web.AppKey("seen", Seen)

# `follow` is older than scopes with a colon, and clients still ask for it.
_FOLLOW = frozenset(f"{way}:{what}" for way in ("read", "write") for what in ("blocks", "follows", "mutes"))


def covers(granted: frozenset[str], scope: str) -> bool:
    """Whether `granted` includes `scope`: itself, its whole way (`read`), or the old `follow`."""
    if scope in granted or scope.rpartition(":")[0] in granted:
        return True
    if scope.startswith("admin:"):
        return ":".join(scope.split(":")[:2]) in granted
    return scope in _FOLLOW and "follow" in granted
