"""What a signed request claims, whichever dialect it speaks, and the rules that both share."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from compliance.activity import Uri
from federation import origin
from federation.errors import Malformed, NotTrusted

from .keys import PublicKey

MAX_AGE: Final = timedelta(hours=12)
MAX_AHEAD: Final = timedelta(hours=1)


class Dialect(enum.StrEnum):
    """Which kind of signature; the values are what the database stores."""

    CAVAGE = "cavage"
    RFC9421 = "rfc9421"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in: `target` is what stood on the request line, `fields` each header's values
    by lower-case name.
    """

    method: str
    target: str
    fields: dict[str, list[str]]
    body: bytes

    @classmethod
    def of(cls, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> Request:
        fields: dict[str, list[str]] = {}
        for name, value in headers:
            fields.setdefault(name.lower(), []).append(value.strip(" \t"))
        return cls(method.upper(), target, fields, body)

    def one(self, name: str) -> str:
        """The value of a header that must stand there exactly once."""
        values = self.fields.get(name, [])
        if len(values) != 1:
            raise NotTrusted(f"{name} must stand there once, not {len(values)} times")
        return values[0]


@dataclass(frozen=True, slots=True)
class Claim:
    """Everything about a request's signature holds, as far as can be told without the key."""

    key_id: Uri
    signature: bytes
    bases: tuple[bytes, ...]
    """What may have been signed; one of them must have been."""
    kinds: frozenset[str]
    """Kinds of key (`rsa`, `ed25519`) that go with the algorithm the request names."""
    wide: bool = False
    """Whether RSA may also have been used with SHA-512."""


def verify(claim: Claim, key: PublicKey) -> None:
    """Refuse a claim that `key` has not signed."""
    kind = "rsa" if key.is_rsa else "ed25519"
    if kind not in claim.kinds:
        raise NotTrusted(f"the named algorithm is not for an {kind} key")
    if not any(key.has_signed(claim.signature, base, wide=claim.wide) for base in claim.bases):
        raise NotTrusted("the signature is not by this key")


def key_id(text: str) -> Uri:
    """The id of a key as a claim gives it."""
    try:
        return origin.uri(text)
    except Malformed as error:
        raise NotTrusted("keyId is not a URL") from error


def require_fresh(at: datetime, now: datetime) -> None:
    """Refuse what was signed more than twelve hours ago, or more than one ahead."""
    if not now - MAX_AGE <= at <= now + MAX_AHEAD:
        raise NotTrusted("the signature is too old or from the future")


def http_date(text: str) -> datetime:
    """The time in a `Date` header."""
    try:
        at = parsedate_to_datetime(text)
    except ValueError as error:
        raise NotTrusted("Date is not a date") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def unix_time(seconds: object) -> datetime:
    """The time in a `created` or `expires` parameter."""
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < 1 << 34:
        raise NotTrusted("created or expires is not a time")
    return datetime.fromtimestamp(seconds, UTC)
