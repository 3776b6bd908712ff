"""Keys. The algorithm follows from the key and never from what a request says of itself.

RSA of 2,048 bits and more (PKCS #1 v1.5) or Ed25519, nothing else. Our own private keys are loaded without
the consistency check: it takes 36 ms, the signature itself 0.26, and we made the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from federation.errors import LocalFault, NotTrusted

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
_PADDING: Final = padding.PKCS1v15()
_SHA256: Final = hashes.SHA256()
_SHA512: Final = hashes.SHA512()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that a request may be checked with."""

    material: rsa.RSAPublicKey | ed25519.Ed25519PublicKey

    @property
    def is_rsa(self) -> bool:
        return isinstance(self.material, rsa.RSAPublicKey)

    def has_signed(self, signature: bytes, base: bytes, *, wide: bool = False) -> bool:
        """Whether `signature` is this key's over `base`; `wide` also tries SHA-512, which hs2019 left open
        for RSA.
        """
        if isinstance(self.material, ed25519.Ed25519PublicKey):
            try:
                self.material.verify(signature, base)
            except InvalidSignature:
                return False
            return True
        for algorithm in (_SHA256, _SHA512) if wide else (_SHA256,):
            try:
                self.material.verify(signature, base, _PADDING, algorithm)
            except InvalidSignature:
                continue
            return True
        return False


@lru_cache(maxsize=8192)
def public_key(pem: str) -> PublicKey:
    """The key in `pem`; the objects are kept, for loading one costs as much as checking a signature does."""
    try:
        material = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NotTrusted("the key cannot be read") from error
    if isinstance(material, ed25519.Ed25519PublicKey):
        return PublicKey(material)
    if not isinstance(material, rsa.RSAPublicKey):
        raise NotTrusted("the key is neither RSA nor Ed25519")
    if not MIN_RSA_BITS <= material.key_size <= MAX_RSA_BITS:
        raise NotTrusted(f"RSA key of {material.key_size} bits")
    return PublicKey(material)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One of our own keys: its public id, and the key object, which callers keep."""

    key_id: str
    material: rsa.RSAPrivateKey

    @classmethod
    def load(cls, key_id: str, pem: bytes) -> SigningKey:
        """The private key in `pem`, which is one that `make_key_pair` made."""
        material = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(material, rsa.RSAPrivateKey):
            raise LocalFault("our signing keys are RSA")
        return cls(key_id, material)

    def sign(self, base: bytes) -> bytes:
        """0.26 ms of CPU with the GIL released: worth a thread where there are many."""
        return self.material.sign(base, _PADDING, _SHA256)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new key, both halves as PEM."""

    private_pem: bytes
    public_pem: str


def make_key_pair() -> KeyPair:
    """A new RSA key of 2,048 bits. Takes 45 ms and more: never on the event loop."""
    material = rsa.generate_private_key(public_exponent=65537, key_size=MIN_RSA_BITS)
    private = material.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = material.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return KeyPair(private, public.decode())
