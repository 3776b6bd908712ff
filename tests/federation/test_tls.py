"""Peers on https: certificates are checked, and an operator may trust an authority of their own."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from federation.client import Client
from federation.errors import RemoteFault

from .peer import ACTIVITY, OURS, Allowed

LOOPBACK = ipaddress.IPv4Address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class Secure:
    """A peer that answers on https, and the file of the authority that vouches for it."""

    port: int
    ca_file: str


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[Secure]:
    """A server called localhost, certified by an authority that nobody else knows."""
    authority, authority_key = _certificate("test authority", None)
    certificate, key = _certificate("localhost", (authority, authority_key))
    (tmp_path / "ca.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "chain.pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "chain.pem")

    async def hello(_: web.BaseRequest) -> web.Response:
        return web.Response(body=b"{}", content_type=ACTIVITY)

    runner = web.ServerRunner(web.Server(hello))
    await runner.setup()
    site = web.TCPSite(runner, str(LOOPBACK), 0, ssl_context=context)
    await site.start()
    [address] = runner.addresses
    yield Secure(address[1], str(tmp_path / "ca.pem"))
    await runner.cleanup()


async def test_an_authority_of_the_operators_is_trusted(secure: Secure) -> None:
    """Peers inside an organisation have certificates of its own."""
    allowed = Allowed(LOOPBACK, secure.port, secure.port)
    async with Client(OURS, peers=[allowed], ca_file=secure.ca_file) as client:
        answer = await client.get(f"https://localhost:{secure.port}/", accept=ACTIVITY)
    assert answer.status == 200


async def test_nobody_else_is_believed_who_they_are(secure: Secure) -> None:
    """An unknown authority, or a certificate for another name, ends the connection before a word is said."""
    allowed = Allowed(LOOPBACK, secure.port, secure.port)
    async with Client(OURS, peers=[allowed]) as client:
        with pytest.raises(RemoteFault):
            await client.get(f"https://localhost:{secure.port}/", accept=ACTIVITY)
    async with Client(OURS, peers=[allowed], ca_file=secure.ca_file) as client:
        with pytest.raises(RemoteFault):
            await client.get(f"https://127.0.0.1:{secure.port}/", accept=ACTIVITY)


def _certificate(
    name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer = issuer[1] if issuer else key
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(authority, critical=False)
    if issuer is None:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signer, hashes.SHA256()), key
