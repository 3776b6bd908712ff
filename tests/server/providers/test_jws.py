"""What a signed token of an identity provider proves, and all that looks like it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from server.providers.jws import BadToken, Expected, UnknownKey, subject_of
from tests.fixtures.oidc import (
    Signer,
    ec_signer,
    ed_signer,
    hmac_signer,
    rsa_signer,
    text,
    token_of,
)

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
MOMENT = int(NOW.timestamp())
EXPECTED = Expected(issuer="https://id.example", client_id="us", nonce="n-1", acr=frozenset(), claim=None)
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example",
    "sub": "248289761001",
    "aud": "us",
    "nonce": "n-1",
    "iat": MOMENT,
    "exp": MOMENT + 300,
}
RSA, EC, ED = rsa_signer("r"), ec_signer("e"), ed_signer("d")
KEYS = [RSA.document, EC.document, ED.document]


def _subject(token: str, **expected: Any) -> str:
    wanted = Expected(**{name: getattr(EXPECTED, name) for name in EXPECTED.__slots__} | expected)
    return subject_of(token, KEYS, wanted, NOW)


@pytest.mark.parametrize("signer", [RSA, EC, ED], ids=["RS256", "ES256", "EdDSA"])
def test_a_genuine_token_names_its_subject(signer: Signer) -> None:
    """Each of the three algorithms that providers use."""
    assert "248289761001" == _subject(token_of(CLAIMS, signer))


@pytest.mark.parametrize("signer", [RSA, EC, ED], ids=["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_bit_proves_nothing(signer: Signer, part: int) -> None:
    """In the header, in the claims and in the signature."""
    parts = token_of(CLAIMS, signer).split(".")
    middle = len(parts[part]) // 2
    flipped = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + flipped + parts[part][middle + 1 :]
    with pytest.raises(BadToken):
        _subject(".".join(parts))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "them"}, "another audience"),
        ({"aud": ["them", "others"]}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": ["us", "them"]}, "another authorized party"),
        ({"aud": ["us", "them"], "azp": "them"}, "another authorized party"),
        ({"azp": "them"}, "another authorized party"),
        ({"nonce": "n-2"}, "not the answer"),
        ({"nonce": None}, "not the answer"),
        ({"nonce": ["n-1"]}, "not the answer"),
        ({"exp": MOMENT - 61}, "expired"),
        ({"exp": None}, "no times"),
        ({"exp": True}, "no times"),
        ({"exp": str(MOMENT + 300)}, "no times"),
        ({"iat": None}, "no times"),
        ({"iat": MOMENT + 120}, "from the future"),
        ({"nbf": MOMENT + 120}, "from the future"),
        ({"iat": 10**400}, "from the future"),
        ({"sub": ""}, "no subject"),
        ({"sub": None}, "no subject"),
        ({"sub": 7}, "no subject"),
        ({"sub": "x" * 256}, "no subject"),
    ],
)
def test_a_genuine_token_about_something_else_is_not_taken(change: dict[str, Any], why: str) -> None:
    """A signature says who wrote it, not that it was meant for us, now."""
    claims = {name: value for name, value in (CLAIMS | change).items() if value is not None}
    with pytest.raises(BadToken, match=why):
        _subject(token_of(claims, ED))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": ["us"]},
        {"aud": ["us", "them"], "azp": "us"},
        {"exp": MOMENT - 59},  # clocks differ a little
        {"iat": MOMENT + 59},
        {"exp": 10**400},
    ],
)
def test_what_is_unusual_but_right_is_taken(change: dict[str, Any]) -> None:
    """Providers differ in what they write."""
    assert "248289761001" == _subject(token_of(CLAIMS | change, ED))


def test_a_token_without_a_signature_proves_nothing() -> None:
    """`alg: none`, in every spelling (RFC 8725, section 3.1)."""
    body = text(json.dumps(CLAIMS).encode())
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, ["EdDSA"]):
        head = text(json.dumps({"alg": algorithm, "kid": "d"}).encode())
        with pytest.raises(BadToken, match="algorithm not accepted"):
            _subject(f"{head}.{body}.")


def test_a_published_key_is_no_shared_secret() -> None:
    """HS256 with the bytes of a public key: the oldest trick (RFC 8725, section 2.1)."""
    for secret in (RSA.document["n"], EC.document["x"], ED.document["x"], json.dumps(RSA.document)):
        with pytest.raises(BadToken, match="algorithm not accepted"):
            _subject(token_of(CLAIMS, hmac_signer("r", secret.encode())))


def test_the_key_decides_the_algorithm() -> None:
    """A token may not say that a key is of another kind than it is."""
    for algorithm, kid in (("RS256", "e"), ("ES256", "r"), ("EdDSA", "r"), ("ES256", "d")):
        with pytest.raises(UnknownKey):
            _subject(token_of(CLAIMS, ED, alg=algorithm, kid=kid))


def test_a_key_that_the_token_brings_along_is_not_looked_at() -> None:
    """`jwk`, `jku` and `x5u` in a header are the writer's own word."""
    stranger = ed_signer("d")
    with pytest.raises(BadToken, match="signature is wrong"):
        _subject(token_of(CLAIMS, stranger, jwk=stranger.document, jku="https://evil.example/keys"))


@pytest.mark.parametrize(
    "change",
    [{"use": "enc"}, {"key_ops": ["sign"]}, {"alg": "ES384"}, {"kid": "other"}, {"crv": "X25519"}],
)
def test_a_key_for_another_use_verifies_nothing(change: dict[str, Any]) -> None:
    """Keys to encrypt to, or of another curve, stand in the same list."""
    with pytest.raises(UnknownKey):
        subject_of(token_of(CLAIMS, ED), [ED.document | change], EXPECTED, NOW)


def test_a_weak_key_verifies_nothing() -> None:
    """RSA below 2048 bits (RFC 7518, section 3.3)."""
    weak = rsa_signer("r", bits=1024)
    with pytest.raises(BadToken, match="signature is wrong"):
        subject_of(token_of(CLAIMS, weak), [weak.document], EXPECTED, NOW)


def test_a_broken_key_beside_the_right_one_does_no_harm() -> None:
    """One bad line of the provider's list locks nobody out."""
    broken = [ED.document | {"x": "!!"}, ED.document | {"x": "AA"}, EC.document | {"x": EC.document["y"]}]
    token = token_of(CLAIMS, ED)
    assert "248289761001" == subject_of(token, [*broken, ED.document], EXPECTED, NOW)


def test_a_token_that_names_no_key_is_tried_with_all_of_its_kind() -> None:
    """`kid` is optional while a provider has one key."""
    token = token_of(CLAIMS, ED, kid=None)
    assert "248289761001" == subject_of(token, [ed_signer("x").document, *KEYS], EXPECTED, NOW)


def test_an_extension_that_must_be_understood_is_refused() -> None:
    """RFC 7515, section 4.1.11."""
    with pytest.raises(BadToken, match="asks for more"):
        _subject(token_of(CLAIMS, ED, crit=["b64"], b64=False))


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c.d", "....", "é.é.é", "e30.e30.e30", "x" * 40_000])
def test_rubbish_is_refused_calmly(token: str) -> None:
    """No traceback for what anybody can send."""
    with pytest.raises(BadToken):
        _subject(token)


@pytest.mark.parametrize(
    ("claims", "asked", "is_enough"),
    [
        ({"acr": "high"}, {"acr": frozenset({"high", "substantial"})}, True),
        ({"acr": "low"}, {"acr": frozenset({"high"})}, False),
        ({}, {"acr": frozenset({"high"})}, False),
        ({"acr": ["high"]}, {"acr": frozenset({"high"})}, False),
        ({"verified": True}, {"claim": ("verified", "true")}, True),
        ({"verified": False}, {"claim": ("verified", "true")}, False),
        ({"verified": False}, {"claim": ("verified", "*")}, False),
        ({"level": 3}, {"claim": ("level", "3")}, True),
        ({"roles": ["a", "b"]}, {"claim": ("roles", "b")}, True),
        ({"roles": []}, {"claim": ("roles", "*")}, False),
        ({}, {"claim": ("verified", "*")}, False),
    ],
)
def test_the_operator_says_how_sure_the_provider_must_be(
    claims: dict[str, Any], asked: dict[str, Any], is_enough: bool
) -> None:
    """A log-in with a password alone need not be a proof of who somebody is."""
    token = token_of(CLAIMS | claims, ED)
    if is_enough:
        assert "248289761001" == _subject(token, **asked)
    else:
        with pytest.raises(BadToken, match=r"assurance|required claim"):
            _subject(token, **asked)
