"""What this server says as itself, signed: what it certifies of an account, what it files with an authority.

Its Ed25519 key is made at the first start; the private half is sealed. The public one is the
`assertionMethod` of the server's own actor (`/actor`); every key there ever was, so that what a retired one
signed can still be verified, is at `/.well-known/yanlu/keys` and told by `yanlu signing keys`. Documents
carry an eddsa-jcs-2022 proof (FEP-8b32).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.sealing import Sealer
from federation import proofs
from federation.wire import Document

from .db.pool import Connection
from .errors import NotFound
from .store import server_keys
from .store.server_keys import ServerKey
from .uris import Uris


@dataclass(frozen=True, slots=True)
class Signer:
    """The key in use. Signing takes 50 µs, so it is done where it is needed."""

    key_id: str
    _key: Ed25519PrivateKey

    def sign(self, data: bytes) -> bytes:
        """The bare Ed25519 signature of some bytes, 64 bytes long."""
        return self._key.sign(data)

    def document(self, document: Document, *, created: datetime) -> Document:
        """`document` with a proof by this server; it is to be sent without changing a value."""
        return proofs.create(document, self._key, method=self.key_id, created=created)


async def found(conn: Connection, *, sealer: Sealer, uris: Uris, now: datetime) -> None:
    """Makes the server's key where there is none yet."""
    if await server_keys.find_current(conn) is None:
        await _make(conn, sealer=sealer, uris=uris, now=now)


async def rotate(conn: Connection, *, sealer: Sealer, uris: Uris, now: datetime) -> ServerKey:
    """Puts a new key into the place of the one in use, in the caller's transaction."""
    await server_keys.retire(conn, now=now)
    return await _make(conn, sealer=sealer, uris=uris, now=now)


async def current(conn: Connection, *, sealer: Sealer) -> Signer:
    """The key in use; raises `NotFound` before the first start has made it."""
    key = await server_keys.find_current(conn)
    if key is None:
        raise NotFound("This server has no signing key yet: start it once")
    opened = sealer.open(key.private_sealed, context=_context(key.key_id))
    return Signer(key.key_id, Ed25519PrivateKey.from_private_bytes(opened))


async def sign_document(conn: Connection, document: Document, *, sealer: Sealer, now: datetime) -> Document:
    """`document` with a proof by this server."""
    return (await current(conn, sealer=sealer)).document(document, created=now)


async def multikeys(conn: Connection, *, uris: Uris, retired: bool = False) -> list[Document]:
    """The server's public keys as its actor lists them; with `retired`, those before as well."""
    keys = await server_keys.list_(conn)
    return [multikey(key, uris) for key in keys if retired or key.retired_at is None]


def multikey(key: ServerKey, uris: Uris) -> Document:
    """A key as a Multikey (FEP-521a)."""
    listed: Document = {
        "id": key.key_id,
        "type": "Multikey",
        "controller": uris.instance_actor,
        "publicKeyMultibase": proofs.multikey(key.public),
    }
    return listed if key.retired_at is None else {**listed, "expires": proofs.moment(key.retired_at)}


async def _make(conn: Connection, *, sealer: Sealer, uris: Uris, now: datetime) -> ServerKey:
    fresh = Ed25519PrivateKey.generate()
    key_id = f"{uris.instance_actor}#signing-{now:%Y%m%d%H%M%S}"
    key = ServerKey(
        key_id=key_id,
        public=fresh.public_key().public_bytes_raw(),
        private_sealed=sealer.seal(fresh.private_bytes_raw(), context=_context(key_id)),
        created_at=now,
        retired_at=None,
    )
    await server_keys.insert(conn, key)
    return key


def _context(key_id: str) -> str:
    return f"server-key:{key_id}"
