"""Canonical JSON and proofs, by the vectors of RFC 8785, of W3C's EdDSA suites and of FEP-8b32."""

from __future__ import annotations

import hashlib
import json
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.activity import Uri
from federation import proofs
from federation.canonical import canonical
from federation.errors import Malformed, NotTrusted
from federation.proofs import _decode, _encode

SECRET = _decode("z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq", "key")[2:]
PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
KEY = Ed25519PrivateKey.from_private_bytes(SECRET)
MADE = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
ALICE = "https://server.example/users/alice"
METHOD = f"{ALICE}#ed25519-key"

FEP: dict[str, Any] = {
    "@context": [
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/data-integrity/v2",
    ],
    "id": "https://server.example/activities/1",
    "type": "Create",
    "actor": ALICE,
    "object": {
        "id": "https://server.example/objects/1",
        "type": "Note",
        "attributedTo": ALICE,
        "content": "Hello world",
        "location": {"type": "Place", "longitude": -71.184902, "latitude": 25.273962},
    },
}
FEP_PROOF = "z42ffGu6AUKPCFcFPiabmUvnGLPJzC7e4DGWC52NUasSSH37UMa9c58tdgVszUcZfytxa4fQ5TYHaJENCxUDe9SdL"

OLDER: dict[str, Any] = {
    "@context": [
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/data-integrity/v1",
    ],
    "type": "Create",
    "actor": ALICE,
    "object": {"type": "Note", "content": "Hello world"},
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "proofValue": (
            "z3sXaxjKs4M3BRicwWA9peyNPJvJqxtGsDmpt1jjoHCjgeUf71TRFz56osPSfDErszyLp5Ks1EhYSgpDaNM977Rg2"
        ),
        "created": "2023-02-24T23:36:38Z",
    },
}

ALUMNI: dict[str, Any] = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/credentials/examples/v2",
    ],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
ALUMNI_HASH = "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
ALUMNI_PROOF = "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"

LISTED: dict[str, Any] = {
    "id": METHOD,
    "type": "Multikey",
    "controller": ALICE,
    "publicKeyMultibase": PUBLIC,
}
ACTOR: dict[str, Any] = {
    "id": ALICE,
    "type": "Person",
    "assertionMethod": [LISTED],
}


# Appendix B of RFC 8785: the bits of a double, and how it is written.
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "written"), NUMBERS)
def test_numbers_are_written_as_the_rfc_lists_them(bits: str, written: str) -> None:
    [value] = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value).decode() == written


def test_members_are_sorted_by_utf_16() -> None:
    # Section 3.2.3 of RFC 8785.
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = canonical(dict.fromkeys(names, 0)).decode()
    sorted_ = ["\\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert written == "{" + ",".join(f'"{name}":0' for name in sorted_) + "}"


def test_strings_have_the_fewest_escapes() -> None:
    text = '\u20ac$\u000f\nA\'B"\\\\"/\u007f\u2028'
    assert canonical([text, None, True, False]).decode() == (
        '["\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f\u2028",null,true,false]'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, "\ud800", {1: 2}, {"a": object()}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        canonical(value)


def test_w3c_vector() -> None:
    assert hashlib.sha256(canonical(ALUMNI)).hexdigest() == ALUMNI_HASH
    made = proofs.create(ALUMNI, KEY, method=f"did:key:{PUBLIC}#{PUBLIC}", created=MADE)
    assert made["proof"]["proofValue"] == ALUMNI_PROOF
    assert made["proof"]["@context"] == ALUMNI["@context"]


def test_fep_8b32_vector() -> None:
    made = proofs.create(FEP, KEY, method=METHOD, created=MADE)
    assert made["proof"]["proofValue"] == FEP_PROOF
    proofs.verify(made, proofs.listed_key(ACTOR, proofs.read(made).method), now=MADE)


def test_a_proof_without_context_holds_as_well() -> None:
    proofs.verify(OLDER, proofs.listed_key(ACTOR, proofs.read(OLDER).method), now=MADE)


def altered(**changes: Any) -> dict[str, Any]:
    made = proofs.create(FEP, KEY, method=METHOD, created=MADE)
    return {**made, "proof": {**made["proof"], **changes}}


@pytest.mark.parametrize(
    "document",
    [
        FEP,
        {**altered(), "actor": "https://server.example/users/mallory"},
        {**altered(), "added": 1},
        {**altered(), "@context": [*FEP["@context"], {"content": "https://evil.example/"}]},
        {**altered(), "proof": [altered()["proof"]]},
        altered(proofValue=ALUMNI_PROOF),
        altered(proofValue="z0OIl"),
        altered(proofValue="u" + FEP_PROOF[1:]),
        altered(proofValue=None),
        altered(proofValue="z" + "1" * 300),
        altered(cryptosuite="eddsa-rdfc-2022"),
        altered(type="Ed25519Signature2020"),
        altered(proofPurpose="authentication"),
        altered(created="2024-02-24T23:36:38Z"),
        altered(created="yesterday"),
        altered(created=5),
        altered(verificationMethod="did:key:z6Mk"),
        altered(expires="2023-02-24T23:36:38Z"),
    ],
    ids=str,
)
def test_what_was_altered_does_not_hold(document: dict[str, Any]) -> None:
    with pytest.raises(NotTrusted):
        proofs.verify(document, KEY.public_key().public_bytes_raw(), now=MADE)


def test_another_key_does_not_hold() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(NotTrusted):
        proofs.verify(altered(), other, now=MADE)


def test_a_proof_from_the_future_waits() -> None:
    public = KEY.public_key().public_bytes_raw()
    proofs.verify(altered(), public, now=MADE - timedelta(minutes=4))
    with pytest.raises(NotTrusted):
        proofs.verify(altered(), public, now=MADE - timedelta(minutes=6))


RSA_IN_MULTIBASE = "z" + _encode(b"\x85\x24" + bytes(32))


@pytest.mark.parametrize(
    "changes",
    [
        {"assertionMethod": []},
        {"assertionMethod": METHOD},
        {"assertionMethod": [LISTED | {"controller": "https://server.example/users/b"}]},
        {"assertionMethod": [LISTED | {"type": "JsonWebKey"}]},
        {"assertionMethod": [LISTED | {"publicKeyMultibase": RSA_IN_MULTIBASE}]},
        {"assertionMethod": [LISTED | {"publicKeyMultibase": PUBLIC[:-4]}]},
        {"id": "https://server.example/users/bob"},
    ],
)
def test_a_key_that_is_not_the_actors_own_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotTrusted):
        proofs.listed_key(ACTOR | changes, Uri(METHOD))


def test_multikey_is_the_vectors() -> None:
    assert proofs.multikey(KEY.public_key().public_bytes_raw()) == PUBLIC


@given(st.binary(max_size=80))
def test_base58_goes_both_ways(data: bytes) -> None:
    assert _decode(f"z{_encode(data)}", "data") == data


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_canonical_json_says_the_same(value: object) -> None:
    written = canonical(value)
    assert json.loads(written, parse_int=float) == value
    # An ECMAScript reader has doubles only.
    assert canonical(json.loads(written, parse_int=float)) == written
