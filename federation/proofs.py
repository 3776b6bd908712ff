"""Proofs inside documents (FEP-8b32, cryptosuite eddsa-jcs-2022), and the keys they are made with (FEP-521a).

What is signed: SHA-256 of the canonical proof options, then SHA-256 of the canonical document without its
proof. Nothing here fetches a key: who verifies has brought it from where it may be believed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.activity import Uri

from . import origin
from .canonical import canonical
from .errors import NotTrusted
from .wire import Document, Value

SUITE: Final = "eddsa-jcs-2022"
CONTEXT: Final = "https://w3id.org/security/data-integrity/v1"
MULTIKEY_CONTEXT: Final = "https://w3id.org/security/multikey/v1"
SKEW: Final = timedelta(minutes=5)
"""By how much another server's clock may be ahead."""

_ED25519: Final = b"\xed\x01"
_PURPOSE: Final = "assertionMethod"
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Proof:
    """What a document's proof says of itself, not yet verified."""

    method: Uri
    created: datetime | None
    expires: datetime | None
    options: Document
    signature: bytes


def create(document: Document, key: Ed25519PrivateKey, *, method: str, created: datetime) -> Document:
    """`document` with a proof by the key that is published as `method`."""
    options: Document = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": moment(created),
        "verificationMethod": method,
        "proofPurpose": _PURPOSE,
    }
    if "@context" in document:
        options["@context"] = document["@context"]
    bare = {name: value for name, value in document.items() if name != "proof"}
    signature = key.sign(_signed(options, bare))
    return {**bare, "proof": {**options, "proofValue": f"z{_encode(signature)}"}}


def read(document: Document) -> Proof:
    """The one proof in `document`; `NotTrusted` where there is none of the kind that is known here."""
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise NotTrusted("the document has not exactly one proof")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    kind = (options.get("type"), options.get("cryptosuite"), options.get("proofPurpose"))
    if kind != ("DataIntegrityProof", SUITE, _PURPOSE):
        raise NotTrusted("the proof is of another kind")
    method = origin.find_uri(options.get("verificationMethod"))
    if method is None:
        raise NotTrusted("the proof names no key")
    return Proof(
        method=method,
        created=_moment(options, "created"),
        expires=_moment(options, "expires"),
        options=options,
        signature=_decode(proof.get("proofValue"), "proof"),
    )


def verify(document: Document, key: bytes, *, now: datetime) -> None:
    """Nothing, where the document's proof is by `key` and holds at this moment; `NotTrusted` otherwise."""
    proof = read(document)
    if proof.created is not None and proof.created > now + SKEW:
        raise NotTrusted("the proof was made in the future")
    if proof.expires is not None and proof.expires <= now:
        raise NotTrusted("the proof has run out")
    bare = {name: value for name, value in document.items() if name != "proof"}
    # More contexts than the signer saw would give his words other meanings.
    if "@context" in proof.options and proof.options["@context"] != bare.get("@context"):
        raise NotTrusted("the proof was made in another context")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(proof.signature, _signed(proof.options, bare))
    except (InvalidSignature, ValueError) as error:
        raise NotTrusted("the proof does not hold") from error


def multikey(public: bytes) -> str:
    """An Ed25519 public key as a Multikey is written."""
    return f"z{_encode(_ED25519 + public)}"


def public_of(multikey_: Value) -> bytes:
    """The Ed25519 public key that a Multikey stands for; `NotTrusted` where it is none."""
    decoded = _decode(multikey_, "key")
    if not decoded.startswith(_ED25519) or len(decoded) != len(_ED25519) + 32:
        raise NotTrusted("the key is not an Ed25519 key")
    return decoded[len(_ED25519) :]


def listed_key(actor: Document, method: Uri) -> bytes:
    """The Ed25519 key that an actor's document lists under this id as one that it makes assertions with;
    `NotTrusted` where it does not.
    """
    owner = origin.find_uri(actor.get("id"))
    listed = actor.get("assertionMethod")
    for item in listed if isinstance(listed, list) else [listed]:
        if not isinstance(item, dict) or origin.find_uri(item.get("id")) != method:
            continue
        if item.get("type") != "Multikey" or origin.find_uri(item.get("controller")) != owner:
            raise NotTrusted("the key is not the actor's own")
        return public_of(item.get("publicKeyMultibase"))
    raise NotTrusted("the actor does not list the key")


def moment(at: datetime) -> str:
    """A moment as proofs are dated: to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _signed(options: Document, bare: Document) -> bytes:
    return hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(bare)).digest()


def _moment(options: Document, name: str) -> datetime | None:
    text = options.get(name)
    if text is None:
        return None
    try:
        read_ = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError as error:
        raise NotTrusted(f"the proof's {name} is no moment") from error
    return read_.replace(tzinfo=UTC) if read_.tzinfo is None else read_.astimezone(UTC)


def _encode(data: bytes) -> str:
    """Base58, as Bitcoin writes it."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def _decode(value: Value, what: str) -> bytes:
    """What a multibase text in base58 stands for."""
    if not isinstance(value, str) or not value.startswith("z") or len(value) > _LONGEST:
        raise NotTrusted(f"the {what} is not written in base58")
    number, text = 0, value[1:]
    for char in text:
        digit = _ALPHABET.find(char)
        if digit < 0:
            raise NotTrusted(f"the {what} is not written in base58")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
