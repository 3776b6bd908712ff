"""Signed tokens of an identity provider (RFC 7515, 7517, 7519; OpenID Connect Core 1.0, section 3.1.3.7).

Own and small on purpose: three algorithms, each tied to one kind of key, and nothing else that a JOSE library
would have to be told to leave out (`none`, shared secrets as keys, keys named by the token itself).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_LONGEST: Final = 32 * 1024
_SKEW: Final = timedelta(seconds=60)
_LONGEST_SUBJECT: Final = 255
_WEAKEST_RSA: Final = 2048

Key = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


class BadToken(Exception):
    """The token proves nothing; the message says why, for the log, and repeats nothing of it."""


class UnknownKey(BadToken):
    """No key that is known signed it; the provider may have a newer one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must say to be the answer to our question."""

    issuer: str
    client_id: str
    nonce: str
    acr: frozenset[str]
    """Of these assurance levels one; none stands for any."""
    claim: tuple[str, str] | None
    """A claim and the value it must have; the value `*` is any."""


def subject_of(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected, now: datetime) -> str:
    """The `sub` of a token that is genuine, for us, in time and the answer to this question. Raises
    `BadToken`."""
    claims = _verified(token, keys)
    if claims.get("iss") != expected.issuer:
        raise BadToken("another issuer")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in named:
        raise BadToken("for another audience")
    party = claims.get("azp")
    if (len(named) > 1 or party is not None) and party != expected.client_id:
        raise BadToken("for another authorized party")
    _check_times(claims, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise BadToken("not the answer to this question")
    level = claims.get("acr")
    if expected.acr and not (isinstance(level, str) and level in expected.acr):
        raise BadToken("assurance level not enough")
    if expected.claim is not None and not _holds(claims, *expected.claim):
        raise BadToken("required claim missing")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isascii():
        raise BadToken("no subject")
    return subject


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    moment, skew = now.timestamp(), _SKEW.total_seconds()
    # Compared as they are: a number of any length can be compared, but not turned into another kind.
    if not _time(claims, "exp") > moment - skew:
        raise BadToken("expired")
    if _time(claims, "iat") > moment + skew or _time(claims, "nbf", 0) > moment + skew:
        raise BadToken("from the future")


def _time(claims: Mapping[str, Any], name: str, absent: int | None = None) -> int | float:
    found = claims.get(name, absent)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise BadToken("no times")
    return found


def _holds(claims: Mapping[str, Any], name: str, value: str) -> bool:
    found = claims.get(name)
    if found is None or found is False or found in ("", []):
        return False
    if value == "*":
        return True
    said = found if isinstance(found, list) else [found]
    return any((str(item).lower() if isinstance(item, bool) else str(item)) == value for item in said)


def _verified(token: str, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(token) > _LONGEST:
        raise BadToken("too long")
    parts = token.split(".")
    if len(parts) != 3:
        raise BadToken("not a signed token")
    header = _object(parts[0])
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise BadToken("algorithm not accepted")
    if "crit" in header:
        raise BadToken("asks for more than is understood")
    signed, signature = f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2])
    fitting = [key for key in keys if _fits(key, algorithm, key_id)]
    if not fitting:
        raise UnknownKey("signed by a key that is not known")
    read, check = _ALGORITHMS[algorithm]
    for document in fitting:
        try:
            key = read(document)
        except (BadToken, ValueError):  # this key is of no use; another one may be
            continue
        if key is not None and check(key, signature, signed):
            return _object(parts[1])
    raise BadToken("signature is wrong")


def _fits(key: Mapping[str, Any], algorithm: str, key_id: object) -> bool:
    """A key serves one algorithm: the kind of the key decides, never the token."""
    kind = (key.get("kty"), key.get("crv"))
    if kind != {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}[algorithm]:
        return False
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    operations = key.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return False
    return key_id is None or key.get("kid") == key_id


def _rsa(key: Mapping[str, Any]) -> Key | None:
    modulus, exponent = _number(key.get("n")), _number(key.get("e"))
    if modulus.bit_length() < _WEAKEST_RSA:
        return None
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _ec(key: Mapping[str, Any]) -> Key:
    point = (_number(key.get("x")), _number(key.get("y")))
    return ec.EllipticCurvePublicNumbers(*point, ec.SECP256R1()).public_key()


def _ed(key: Mapping[str, Any]) -> Key:
    return ed25519.Ed25519PublicKey.from_public_bytes(_bytes(key.get("x")))


def _check_rsa(key: Key, signature: bytes, signed: bytes) -> bool:
    return isinstance(key, rsa.RSAPublicKey) and _passes(
        lambda: key.verify(signature, signed, padding.PKCS1v15(), SHA256())
    )


def _check_ec(key: Key, signature: bytes, signed: bytes) -> bool:
    if not isinstance(key, ec.EllipticCurvePublicKey) or len(signature) != 64:
        return False
    halves = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    return _passes(lambda: key.verify(encode_dss_signature(*halves), signed, ec.ECDSA(SHA256())))


def _check_ed(key: Key, signature: bytes, signed: bytes) -> bool:
    return isinstance(key, ed25519.Ed25519PublicKey) and _passes(lambda: key.verify(signature, signed))


def _passes(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except InvalidSignature:
        return False
    return True


_ALGORITHMS: Final[
    Mapping[str, tuple[Callable[[Mapping[str, Any]], Key | None], Callable[[Key, bytes, bytes], bool]]]
] = MappingProxyType({"RS256": (_rsa, _check_rsa), "ES256": (_ec, _check_ec), "EdDSA": (_ed, _check_ed)})


def _object(part: str) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(_bytes(part))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadToken("not JSON") from None
    if not isinstance(found, dict):
        raise BadToken("not an object")
    return found


def _bytes(part: object) -> bytes:
    """Base64url without padding, as the standard wants it and not otherwise."""
    if not isinstance(part, str) or not part.isascii() or "=" in part:
        raise BadToken("not base64url")
    try:
        return base64.b64decode(part.encode() + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise BadToken("not base64url") from None


def _number(part: object) -> int:
    return int.from_bytes(_bytes(part), "big")
