"""Scopes: what an app may do for somebody. The list is Mastodon's: apps ask for what they know."""

from __future__ import annotations

from ..errors import Invalid
from ..i18n import mark

_READ = (
    "accounts blocks bookmarks collections favourites filters follows lists mutes notifications search "
    "statuses"
)
_WRITE = (
    "accounts blocks bookmarks collections conversations favourites filters follows lists media mutes "
    "notifications reports statuses"
)
_ADMIN = "accounts reports domain_allows domain_blocks ip_blocks email_domain_blocks canonical_email_blocks"

TOP = ("read", "write", "follow", "push", "profile")
ADMIN = ("admin:read", "admin:write")
ALL = (
    "profile",
    "read",
    *(f"read:{what}" for what in _READ.split()),
    "write",
    *(f"write:{what}" for what in _WRITE.split()),
    "follow",
    "push",
    "admin:read",
    *(f"admin:read:{what}" for what in _ADMIN.split()),
    "admin:write",
    *(f"admin:write:{what}" for what in _ADMIN.split()),
)
_KNOWN = frozenset(ALL)


def parse(text: str) -> tuple[str, ...]:
    """The scopes in `text`, once each, in order; raises `Invalid` for one that nobody knows."""
    found = tuple(dict.fromkeys(text.replace("+", " ").split()))
    for scope in found:
        if scope not in _KNOWN:
            raise Invalid("There is no scope called %(scope)s", field="scopes", scope=scope[:60])
    return found


def is_within(wanted: tuple[str, ...], granted: tuple[str, ...]) -> bool:
    """Whether each scope of `wanted` is in `granted`, or in a wider one that is."""
    return all(_is_in(scope, granted) for scope in wanted)


def is_admin(scope: str) -> bool:
    """Whether a scope is for staff."""
    return scope.startswith("admin:")


def _is_in(scope: str, granted: tuple[str, ...]) -> bool:
    parts = scope.split(":")
    return any(":".join(parts[:count]) in granted for count in range(1, len(parts) + 1))


def shown(granted: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes that a person is to read about: without those that a wider one of them includes."""
    return tuple(
        scope for scope in granted if not _is_in(scope, tuple(other for other in granted if other != scope))
    )


WORDS = {
    "profile": mark("Know who you are: your name and your picture"),
    "read": mark("Read everything that you can read, also what is addressed to you alone"),
    "read:accounts": mark("Read accounts, and your own settings"),
    "read:blocks": mark("Read whom you block"),
    "read:bookmarks": mark("Read your bookmarks"),
    "read:collections": mark("Read your collections"),
    "read:favourites": mark("Read your favourites"),
    "read:filters": mark("Read your filters"),
    "read:follows": mark("Read whom you follow and who follows you"),
    "read:lists": mark("Read your lists"),
    "read:mutes": mark("Read whom you mute"),
    "read:notifications": mark("Read your notifications"),
    "read:search": mark("Search as you"),
    "read:statuses": mark("Read posts, also those for your eyes only"),
    "write": mark("Do everything that you can do: post, delete, follow, change your profile"),
    "write:accounts": mark("Change your profile"),
    "write:blocks": mark("Block people"),
    "write:bookmarks": mark("Bookmark posts"),
    "write:collections": mark("Change your collections"),
    "write:conversations": mark("Mute and delete conversations"),
    "write:favourites": mark("Favourite posts"),
    "write:filters": mark("Change your filters"),
    "write:follows": mark("Follow people"),
    "write:lists": mark("Change your lists"),
    "write:media": mark("Upload pictures"),
    "write:mutes": mark("Mute people"),
    "write:notifications": mark("Clear your notifications"),
    "write:reports": mark("Report posts and people"),
    "write:statuses": mark("Publish, edit and delete posts"),
    "follow": mark("Change whom you follow, mute and block"),
    "push": mark("Receive your notifications as they come"),
    "admin:read": mark("Read everything that your role lets you read"),
    "admin:read:accounts": mark("As staff: read about accounts"),
    "admin:read:reports": mark("As staff: read reports"),
    "admin:read:domain_allows": mark("As staff: read which servers are allowed"),
    "admin:read:domain_blocks": mark("As staff: read which servers are blocked"),
    "admin:read:ip_blocks": mark("As staff: read which addresses are blocked"),
    "admin:read:email_domain_blocks": mark("As staff: read which mail services are blocked"),
    "admin:read:canonical_email_blocks": mark("As staff: read which mail addresses are blocked"),
    "admin:write": mark("Do everything that your role lets you do"),
    "admin:write:accounts": mark("As staff: act on accounts"),
    "admin:write:reports": mark("As staff: decide reports"),
    "admin:write:domain_allows": mark("As staff: allow servers"),
    "admin:write:domain_blocks": mark("As staff: block servers"),
    "admin:write:ip_blocks": mark("As staff: block addresses"),
    "admin:write:email_domain_blocks": mark("As staff: block mail services"),
    "admin:write:canonical_email_blocks": mark("As staff: block mail addresses"),
}
"""What each scope means, in words for the person who is asked."""
