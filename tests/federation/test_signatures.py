"""A request is believed when its own key signed all that matters of it, for us, now."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from federation import signatures
from federation.errors import NotTrusted, RemoteFault
from federation.signatures import Dialect, PublicKey, Request, SigningKey, fields, rfc9421

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
OURS = "https://here.example:8443"
INBOX = URL(f"{OURS}/users/alice/inbox")
BODY = b'{"type":"Follow"}'
PAIR = signatures.make_key_pair()
KEY = SigningKey.load("https://away.example/users/bob#main-key", PAIR.private_pem)
PUBLIC = signatures.public_key(PAIR.public_pem)


def _request(
    headers: Any, *, method: str = "POST", target: str = "/users/alice/inbox", body: bytes = BODY
) -> Request:
    items = headers.items() if isinstance(headers, dict) else headers
    return Request.of(method, target, items, body)


def _believe(request: Request, *, key: PublicKey = PUBLIC, now: datetime = NOW, ours: str = OURS) -> str:
    claim = signatures.read(request, ours=ours, now=now)
    signatures.verify(claim, key)
    return claim.key_id


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("url", [INBOX, URL(f"{OURS}/inbox?a=1&b=%20"), URL(f"{OURS}/")])
def test_what_we_sign_is_believed(dialect: Dialect, url: URL) -> None:
    """Both dialects, the port in everything that is signed."""
    headers = signatures.sign(dialect, KEY, "POST", url, BODY, now=NOW)
    assert "here.example:8443" == headers["Host"]
    assert KEY.key_id == _believe(_request(headers, target=url.raw_path_qs))
    headers = signatures.sign(dialect, KEY, "GET", url, None, now=NOW)
    assert KEY.key_id == _believe(_request(headers, method="GET", target=url.raw_path_qs, body=b""))


@pytest.mark.parametrize("dialect", Dialect)
def test_any_change_after_signing_is_noticed(dialect: Dialect) -> None:
    """One byte of the body, the path, the host or the time is enough."""
    headers = signatures.sign(dialect, KEY, "POST", INBOX, BODY, now=NOW)
    changes: list[Callable[[], str]] = [
        lambda: _believe(_request(headers, body=BODY + b" ")),
        lambda: _believe(_request(headers, target="/users/carol/inbox")),
        lambda: _believe(_request(headers, target="/users/alice/inbox?x=1")),
        lambda: _believe(_request(headers), ours="https://other.example"),
        lambda: _believe(_request(headers), ours="https://here.example"),
        lambda: _believe(_request(headers | {"Host": "other.example"}), ours="https://other.example"),
        lambda: _believe(_request(headers), now=NOW + timedelta(hours=13)),
        lambda: _believe(_request(headers), now=NOW - timedelta(hours=2)),
        lambda: _believe(_request(headers), key=signatures.public_key(signatures.make_key_pair().public_pem)),
        lambda: _believe(_request(headers, method="GET")),
    ]
    assert KEY.key_id == _believe(_request(headers))
    for change in changes:
        with pytest.raises(NotTrusted):
            change()


@pytest.mark.parametrize("dialect", Dialect)
def test_each_signed_header_stands_there_exactly_once(dialect: Dialect) -> None:
    """Of two hosts, we might check one and somebody behind us use the other."""
    headers = signatures.sign(dialect, KEY, "POST", INBOX, BODY, now=NOW)
    needed = set(headers) - ({"Date"} if dialect is Dialect.RFC9421 else set())
    for name in needed:
        with pytest.raises(NotTrusted):
            _believe(_request([*headers.items(), (name.upper(), headers[name])]))
        with pytest.raises(NotTrusted):
            _believe(_request({other: value for other, value in headers.items() if other != name}))


def _date(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


@dataclass
class Cavage:
    """A request in the old dialect, every part of which can be bent before it is signed."""

    headers: dict[str, str] = field(
        default_factory=lambda: {
            "host": "here.example:8443",
            "date": _date(NOW),
            "digest": f"SHA-256={base64.b64encode(hashlib.sha256(BODY).digest()).decode()}",
        }
    )
    covered: str = "(request-target) host date digest"
    parameters: dict[str, str] = field(
        default_factory=lambda: {"keyId": f'"{KEY.key_id}"', "algorithm": '"rsa-sha256"'}
    )
    method: str = "POST"
    target: str = "/users/alice/inbox"
    signed_target: str | None = None
    sign: Callable[[bytes], bytes] = KEY.sign

    def request(self) -> Request:
        lines = []
        for name in self.covered.split():
            if name == "(request-target)":
                value = f"{self.method.lower()} {self.signed_target or self.target}"
            elif name.startswith("("):
                value = self.parameters.get(name.strip("()"), "")
            else:
                value = self.headers.get(name, "")
            lines.append(f"{name}: {value}")
        signature = base64.b64encode(self.sign("\n".join(lines).encode())).decode()
        parameters = self.parameters | {"headers": f'"{self.covered}"', "signature": f'"{signature}"'}
        written = ",".join(f"{name}={value}" for name, value in parameters.items())
        return _request(
            self.headers | {"signature": written},
            method=self.method,
            target=self.target,
            body=BODY if self.method == "POST" else b"",
        )


def _sha512_digest() -> str:
    return f"sha-512={base64.b64encode(hashlib.sha512(BODY).digest()).decode()}"


BELIEVED: dict[str, Cavage] = {
    "as everybody signs": Cavage(),
    "hs2019": Cavage(parameters={"keyId": f'"{KEY.key_id}"', "algorithm": '"hs2019"'}),
    "no algorithm named": Cavage(parameters={"keyId": f'"{KEY.key_id}"'}),
    "created in place of a date": Cavage(
        covered="(request-target) (created) host digest",
        parameters={"keyId": f'"{KEY.key_id}"', "created": str(int(NOW.timestamp()))},
    ),
    "a time of expiry": Cavage(
        covered="(request-target) (created) (expires) host digest",
        parameters={
            "keyId": f'"{KEY.key_id}"',
            "created": str(int(NOW.timestamp())),
            "expires": str(int(NOW.timestamp()) + 60),
        },
    ),
    "more headers": Cavage(
        headers=Cavage().headers | {"content-type": "application/activity+json"},
        covered="(request-target) host date digest content-type",
    ),
    "SHA-512": Cavage(headers=Cavage().headers | {"digest": _sha512_digest()}),
    "two digests that agree": Cavage(
        headers=Cavage().headers | {"digest": f"{Cavage().headers['digest']},{_sha512_digest()}"}
    ),
    "a fetch": Cavage(method="GET", covered="(request-target) host date", target="/users/alice"),
    "a query": Cavage(target="/inbox?page=2"),
    "a query that was not signed, as old servers do": Cavage(
        target="/outbox?page=2", signed_target="/outbox", method="GET", covered="(request-target) host date"
    ),
    "eleven hours ago": Cavage(headers=Cavage().headers | {"date": _date(NOW - timedelta(hours=11))}),
    "a clock half an hour ahead": Cavage(
        headers=Cavage().headers | {"date": _date(NOW + timedelta(minutes=30))}
    ),
}


@pytest.mark.parametrize("request_", BELIEVED.values(), ids=BELIEVED.keys())
def test_every_servers_way_of_signing_is_believed(request_: Cavage) -> None:
    """Strict about what matters, and about nothing else."""
    assert KEY.key_id == _believe(request_.request())


_ID = {"keyId": f'"{KEY.key_id}"'}
_RSA = {"algorithm": '"rsa-sha256"'}
REFUSED: dict[str, Cavage] = {
    "nothing covered": Cavage(covered=""),
    "only the date": Cavage(covered="date"),
    "target not covered": Cavage(covered="host date digest"),
    "host not covered": Cavage(covered="(request-target) date digest"),
    "no time covered": Cavage(covered="(request-target) host digest"),
    "body not covered": Cavage(covered="(request-target) host date"),
    "a header covered twice": Cavage(covered="(request-target) host date digest host"),
    "a header that is not there": Cavage(covered="(request-target) host date digest x-other"),
    "HMAC with the public key": Cavage(
        parameters=_ID | {"algorithm": '"hmac-sha256"'},
        sign=lambda base: hmac.new(PAIR.public_pem.encode(), base, hashlib.sha256).digest(),
    ),
    "HMAC called RSA": Cavage(
        sign=lambda base: hmac.new(PAIR.public_pem.encode(), base, hashlib.sha256).digest()
    ),
    "an unknown algorithm": Cavage(parameters=_ID | {"algorithm": '"rsa-md5"'}),
    "no algorithm at all, by name": Cavage(parameters=_ID | {"algorithm": '"none"'}),
    "Ed25519 called by an RSA key": Cavage(parameters=_ID | {"algorithm": '"ed25519"'}),
    "a key that is no address": Cavage(parameters=_RSA | {"keyId": '"acct:bob@away.example"'}),
    "no key": Cavage(parameters=_RSA),
    "an empty signature": Cavage(sign=lambda base: b""),
    "13 hours ago": Cavage(headers=Cavage().headers | {"date": _date(NOW - timedelta(hours=13))}),
    "two hours ahead": Cavage(headers=Cavage().headers | {"date": _date(NOW + timedelta(hours=2))}),
    "expired": Cavage(
        parameters=_ID | _RSA | {"expires": str(int(NOW.timestamp()) - 1)},
    ),
    "created long ago": Cavage(
        covered="(request-target) (created) host digest",
        parameters=_ID | {"created": str(int(NOW.timestamp()) - 14 * 3600)},
    ),
    "created at no time": Cavage(
        covered="(request-target) (created) host digest", parameters=_ID | {"created": '"soon"'}
    ),
    "a date that is none": Cavage(headers=Cavage().headers | {"date": "yesterday"}),
    "MD5": Cavage(headers=Cavage().headers | {"digest": "MD5=XrY7u+Ae7tCTyyK7j1rNww=="}),
    "SHA-1": Cavage(headers=Cavage().headers | {"digest": "SHA=qvTGHdzF6KLavt4PO0gs2a6pQ00="}),
    "two digests that do not agree": Cavage(
        headers=Cavage().headers | {"digest": f"{Cavage().headers['digest']},SHA-512=AAAA"}
    ),
    "a digest that is none": Cavage(headers=Cavage().headers | {"digest": "SHA-256=***"}),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED.keys())
def test_what_proves_nothing_is_refused(request_: Cavage) -> None:
    """Each of these was a hole in somebody's server."""
    with pytest.raises(NotTrusted):
        _believe(request_.request())


SIGNATURE_HEADERS = [
    "",
    "keyId",
    "keyId=",
    'keyId="a" algorithm="b"',
    'keyId="a",keyId="b"',
    'keyId="a",KEYID="b"',
    'keyId="a\\"b"',
    'keyId="' + "a" * 10_000 + '"',
    "sig1=:AAAA:",
    'keyId="https://a.example/k",signature="***",headers="(request-target) host date digest"',
]


@pytest.mark.parametrize("header", SIGNATURE_HEADERS)
def test_a_signature_header_that_cannot_be_read_is_refused(header: str) -> None:
    """Two readers must not find two keys in it."""
    with pytest.raises(NotTrusted):
        _believe(_request(Cavage().headers | {"signature": header}))


def test_an_unsigned_request_is_refused() -> None:
    """Before anything else is looked at."""
    with pytest.raises(NotTrusted):
        signatures.read(_request(Cavage().headers), ours=OURS, now=NOW)


WEAK = 1024


def _pem(material: Any) -> str:
    encoding, kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return str(material.public_key().public_bytes(encoding, kind).decode())


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        _pem(rsa.generate_private_key(65537, WEAK)),
        _pem(ec.generate_private_key(ec.SECP256R1())),
        PAIR.private_pem.decode(),
    ],
    ids=["empty", "nonsense", "RSA-1024", "P-256", "a private key"],
)
def test_only_strong_keys_of_two_kinds_are_used(pem: str) -> None:
    """RSA from 2,048 bits, or Ed25519."""
    with pytest.raises(NotTrusted):
        signatures.public_key(pem)


def test_an_ed25519_key_signs_too() -> None:
    """Keys that other servers list beside their RSA ones."""
    material = ed25519.Ed25519PrivateKey.generate()
    request = Cavage(parameters=_ID | {"algorithm": '"hs2019"'}, sign=material.sign).request()
    assert KEY.key_id == _believe(request, key=signatures.public_key(_pem(material)))


# RFC 9421


def _rfc9421(
    described: str, *, sign: Callable[[bytes], bytes] = KEY.sign, label: str = "sig1", method: str = "POST"
) -> Request:
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:"
    components = {
        "@method": method,
        "@target-uri": f"{OURS}/users/alice/inbox",
        "@authority": "here.example:8443",
        "@scheme": "https",
        "@path": "/users/alice/inbox",
        "@query": "?",
        "@request-target": "/users/alice/inbox",
        "content-digest": digest,
        "content-type": "application/activity+json",
        "host": "here.example:8443",
    }
    member = fields.dictionary(f"{label}={described}")[label]
    assert isinstance(member, fields.InnerList)
    lines = [f'"{item.value!s}": {components.get(str(item.value), "")}' for item in member.items]
    signature = base64.b64encode(sign(rfc9421.base(lines, member))).decode()
    return _request(
        {
            "Host": "here.example:8443",
            "Content-Digest": digest,
            "Content-Type": "application/activity+json",
            "Signature-Input": f"{label}={described}",
            "Signature": f"{label}=:{signature}:",
        },
        method=method,
    )


AT = int(NOW.timestamp())
NAMED = f'created={AT};keyid="{KEY.key_id}"'

BELIEVED_9421 = [
    f'("@method" "@target-uri" "content-digest");{NAMED}',
    f'("@method" "@target-uri" "@authority" "content-digest" "content-type");{NAMED};alg="rsa-v1_5-sha256"',
    f'("@method" "@authority" "@path" "content-digest");{NAMED}',
    f'("@method" "@authority" "@request-target" "content-digest");{NAMED}',
    f'("@method" "@authority" "@path" "@query" "content-digest");{NAMED};nonce="abc";tag="x"',
    f'(  "@method"  "@target-uri" "content-digest"  );{NAMED};expires={AT + 60}',
]


@pytest.mark.parametrize("described", BELIEVED_9421)
def test_message_signatures_are_believed(described: str) -> None:
    """As Fedify and Mastodon sign, and whatever else covers method, target and body."""
    assert KEY.key_id == _believe(_rfc9421(described))


REFUSED_9421 = [
    f"();{NAMED}",
    f'("@method" "@target-uri");{NAMED}',
    f'("@method" "content-digest");{NAMED}',
    f'("@target-uri" "content-digest");{NAMED}',
    f'("@method" "@path" "content-digest");{NAMED}',
    f'("@method" "@target-uri" "content-digest" "@method");{NAMED}',
    f'("@method";req "@target-uri" "content-digest");{NAMED}',
    f'("@method" "@target-uri" "content-digest";sf);{NAMED}',
    f'("@method" "@target-uri" "content-digest" "@status");{NAMED}',
    f'("@method" "@target-uri" "content-digest" "x-missing");{NAMED}',
    f'("@method" "@target-uri" "content-digest");keyid="{KEY.key_id}"',
    f'("@method" "@target-uri" "content-digest");created={AT}',
    f'("@method" "@target-uri" "content-digest");created={AT - 14 * 3600};keyid="{KEY.key_id}"',
    f'("@method" "@target-uri" "content-digest");created={AT + 2 * 3600};keyid="{KEY.key_id}"',
    f'("@method" "@target-uri" "content-digest");created="{AT}";keyid="{KEY.key_id}"',
    f'("@method" "@target-uri" "content-digest");{NAMED};expires={AT - 1}',
    f'("@method" "@target-uri" "content-digest");{NAMED};alg="hmac-sha256"',
    f'("@method" "@target-uri" "content-digest");{NAMED};alg="rsa-pss-sha512"',
    f'("@method" "@target-uri" "content-digest");{NAMED};alg="ed25519"',
    f'("@method" "@target-uri" "content-digest");{NAMED};alg=1',
]


@pytest.mark.parametrize("described", REFUSED_9421)
def test_message_signatures_that_prove_too_little_are_refused(described: str) -> None:
    """`alg` must fit the key; a mismatch is a refusal, never another try."""
    with pytest.raises(NotTrusted):
        _believe(_rfc9421(described))


def test_one_signature_described_once() -> None:
    """Of two, one might be checked and the other meant."""
    request = _rfc9421(BELIEVED_9421[0])
    doubled = request.fields["signature"][0] + ", sig2=:AAAA:"
    with pytest.raises(NotTrusted):
        _believe(Request("POST", request.target, request.fields | {"signature": [doubled]}, BODY))
    with pytest.raises(NotTrusted):
        _believe(Request("POST", request.target, request.fields | {"signature": ["other=:AAAA:"]}, BODY))


def test_the_rfcs_own_ed25519_vector_holds() -> None:
    """RFC 9421, appendix B.2.6: our base is everybody's base."""
    described = fields.dictionary(
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'
    )["sig-b26"]
    assert isinstance(described, fields.InnerList)
    lines = [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
    ]
    key = signatures.public_key(
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n"
        "-----END PUBLIC KEY-----\n"
    )
    signature = base64.b64decode(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )
    assert key.has_signed(signature, rfc9421.base(lines, described))


@given(st.text('sig1=();"@method, :A?0*.\\\t', max_size=40))
def test_structured_fields_are_read_or_refused(text: str) -> None:
    """What is read is written back and read again the same."""
    try:
        members = fields.dictionary(text)
    except NotTrusted:
        return
    written = ", ".join(f"{key}={fields.write(member)}" for key, member in members.items())
    assert members == fields.dictionary(written)


@given(
    st.dictionaries(
        st.sampled_from(["signature", "signature-input", "host", "date", "digest"]), st.text(max_size=60)
    )
)
def test_no_headers_raise_anything_but_a_remote_fault(headers: dict[str, str]) -> None:
    """401, whatever they say."""
    with pytest.raises(RemoteFault):
        _believe(_request(headers))
