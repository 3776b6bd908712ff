"""Digests of bodies: `Digest` (RFC 3230) beside draft-cavage, `Content-Digest` (RFC 9530) beside RFC 9421.
SHA-256 and SHA-512.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Final

from federation.errors import NotTrusted

from . import fields

_KNOWN: Final[dict[str, Callable[[bytes], bytes]]] = {
    "sha-256": lambda body: hashlib.sha256(body).digest(),
    "sha-512": lambda body: hashlib.sha512(body).digest(),
}


def digest(body: bytes) -> str:
    """A `Digest` header."""
    return f"SHA-256={base64.b64encode(hashlib.sha256(body).digest()).decode()}"


def content_digest(body: bytes) -> str:
    """A `Content-Digest` header."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def require_digest(header: str, body: bytes) -> None:
    """Refuse a body that is not what a `Digest` header says."""
    claims: list[tuple[str, bytes]] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        try:
            claims.append((name.lower(), base64.b64decode(value, validate=True)))
        except binascii.Error as error:
            raise NotTrusted("Digest is not base64") from error
    _require(claims, body)


def require_content_digest(header: str, body: bytes) -> None:
    """Refuse a body that is not what a `Content-Digest` header says."""
    claims: list[tuple[str, bytes]] = []
    for name, member in fields.dictionary(header).items():
        if not isinstance(member, fields.Item) or not isinstance(member.value, bytes):
            raise NotTrusted("Content-Digest is not a dictionary of bytes")
        claims.append((name, member.value))
    _require(claims, body)


def _require(claims: list[tuple[str, bytes]], body: bytes) -> None:
    known = [(name, value) for name, value in claims if name in _KNOWN]
    if not known:
        raise NotTrusted("no SHA-256 or SHA-512 digest of the body")
    # Every known one must hold: a true SHA-256 beside a false SHA-512 is two stories about one body.
    if any(_KNOWN[name](body) != value for name, value in known):
        raise NotTrusted("the body is not what its digest says")
