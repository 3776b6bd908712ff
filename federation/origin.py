"""Hosts, origins and ids: one normaliser, and who may speak for which id.

An origin is scheme, host and port. An id is believed only when its own origin says it, so two spellings of
one host must never count as two, nor two hosts as one: whatever the two parsers here (ours, and yarl, which
opens the connections) read differently is refused.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

import idna
from yarl import URL

from compliance.activity import Uri

from .errors import Malformed, NotTrusted

MAX_URI = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}

_SPLIT = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(?::([0-9]{0,5}))?")
# What no id may hold: controls, white space, and what browsers and parsers disagree about.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\<>\"^`{|}\u2028\u2029\ufeff\ud800-\udfff]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@lru_cache(maxsize=8192)
def host(text: str, scheme: str = "https") -> str:
    """The one spelling of a host with or without port: ASCII, lower case, no default port, no trailing
    dot.
    """
    if len(text) > 300 or _FORBIDDEN.search(text):
        raise Malformed("host has characters that no host has")
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        raise Malformed("host is not a host")
    name = _address(found[1]) if found[1].startswith("[") else _name(found[1])
    port = int(found[2]) if found[2] else DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65535:
        raise Malformed("port out of range")
    return name if port == DEFAULT_PORTS[scheme] else f"{name}:{port}"


@lru_cache(maxsize=16384)
def uri(text: str) -> Uri:
    """`text` as an id: http(s), its host normalised, path and query left as its owner wrote them."""
    if len(text) > MAX_URI:
        raise Malformed("id longer than 2,048 characters")
    if _FORBIDDEN.search(text):
        raise Malformed("id has characters that no id has")
    found = _SPLIT.fullmatch(text)
    if found is None:
        raise Malformed("id is not an http(s) URL")
    scheme = found[1].lower()
    authority = host(found[2], scheme)
    try:
        url = URL(text)
        theirs = host(f"{url.host_subcomponent}:{url.port}", scheme)
    except ValueError as error:
        raise Malformed("id is not a URL") from error
    if url.user is not None or url.password is not None or theirs != authority:
        raise Malformed("id has an ambiguous host")
    return Uri(f"{scheme}://{authority}{found[3]}")


def find_uri(value: object) -> Uri | None:
    """`value` as an id, or `None` where it is not one."""
    if not isinstance(value, str):
        return None
    try:
        return uri(value)
    except Malformed:
        return None


def of(id_: str) -> str:
    """The origin of a normalised id: `https://host` or `https://host:port`."""
    return id_[: _end_of_authority(id_)]


def host_of(id_: str) -> str:
    """The host of a normalised id, with its port unless that is the default."""
    return id_[id_.index("://") + 3 : _end_of_authority(id_)]


def is_same(one: str, other: str) -> bool:
    """Whether two normalised ids share scheme, host and port."""
    return of(one) == of(other)


def without_fragment(id_: Uri) -> Uri:
    """The document that holds `id_`."""
    return Uri(id_.partition("#")[0])


def require_speaks_for(actor: Uri, id_: Uri) -> None:
    """Refuse an id that does not lie on the actor's own origin: nobody speaks for another server."""
    if not is_same(actor, id_):
        raise NotTrusted(f"{host_of(actor)} may not speak for an id of {host_of(id_)}")


def shown_url(value: object, id_: Uri) -> str:
    """Where a link to `id_` leads: its `url` if that is on the same origin, else the id itself."""
    url = find_uri(value)
    return url if url is not None and is_same(url, id_) else id_


def _end_of_authority(id_: str) -> int:
    start = id_.index("://") + 3
    ends = (id_.find(mark, start) for mark in "/?#")
    return min((end for end in ends if end >= 0), default=len(id_))


def _address(bracketed: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(bracketed[1:-1]).compressed}]"
    except ValueError as error:
        raise Malformed("host is not an IPv6 address") from error


def _name(text: str) -> str:
    if "%" in text:
        raise Malformed("host is percent-encoded")
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
        except UnicodeError as error:
            raise Malformed("host is not a valid international name") from error
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Malformed("host has an empty or impossible label")
    if _NUMBER.fullmatch(labels[-1]):
        # Resolvers read `127.1`, `0x7f000001` and `2130706433` as addresses; only the plain spelling is
        # allowed.
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            raise Malformed("host is a number but no plain IPv4 address") from error
    for label in labels:
        if label.startswith("xn--"):
            try:
                idna.ulabel(label)
            except UnicodeError as error:
                raise Malformed("host has a false xn-- label") from error
    return name
