"""Sealed bytes and blind indexes: what a thief of the database must not be able to read, or to guess.

The master keys are outside the database and its backups (`keyring`). Bytes are sealed with AES-256-GCM under
the current version and name the version they were sealed with; the context (whose, and what) is
authenticated, so a sealed value copied into another row does not open. Blind indexes are HMAC-SHA-256 with
keys of their own: a phone number has too little entropy for a plain hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .errors import SealBroken
from .keyring import KEY_BYTES, FileKeys, Keys, KeySource

_NONCE_BYTES = 12
_TAG_BYTES = 16
_LOOK_AGAIN_SECONDS = 1.0
"""Bytes of a version that is nowhere come from strangers too: they make nobody read the keys all the time."""


class Sealer:
    """Seals, opens and indexes with the keys of one source, and takes up what is changed there."""

    __slots__ = ("_clock", "_index_root", "_looked_at", "_macs", "_seals", "source", "version")

    def __init__(self, source: KeySource, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self._clock = clock
        self._looked_at = clock()
        self._macs: dict[str, bytes] = {}
        keys = source.load()
        self._index_root = keys.index
        self._take(keys)

    @classmethod
    def load(cls, path: Path) -> Sealer:
        """The sealer of the key file at `path`, which is made, readable by its owner alone, where there is
        none."""
        return cls(FileKeys(path))

    @property
    def versions(self) -> frozenset[int]:
        """The versions of which things can be opened."""
        return frozenset(self._seals)

    def reload(self) -> None:
        """Takes up what was changed at the source. `SealBroken`, and all stays as it was, where those
        are another server's keys."""
        self._looked_at = self._clock()
        keys = self.source.load()
        if not hmac.compare_digest(keys.index, self._index_root):
            raise SealBroken(f"{self.source.place}: these are the keys of another server")
        self._take(keys)

    def _take(self, keys: Keys) -> None:
        # The keys first: somebody in another thread seals with the version that is said last.
        self._seals = {number: AESGCM(_derive(key, "seal")) for number, key in keys.seals.items()}
        self.version = keys.current
        """The key version that new values are sealed with."""

    def seal(self, plain: bytes | bytearray, *, context: str) -> bytes:
        """`plain`, so that only `open` with the same context gets it back."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        version, seals = self.version, self._seals
        head = bytes((version,))
        return head + nonce + seals[version].encrypt(nonce, plain, head + context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """What was sealed with this context; `SealBroken` for anything else."""
        if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES or not self._has(sealed[0]):
            raise SealBroken("not sealed with any key that is here")
        head, nonce, body = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._seals[sealed[0]].decrypt(nonce, body, head + context.encode())
        except InvalidTag:
            raise SealBroken("the sealed value does not belong here, or was changed") from None

    def _has(self, version: int) -> bool:
        """Whether this version is here, or has come since: another process may have rotated."""
        if version not in self._seals and self._clock() - self._looked_at >= _LOOK_AGAIN_SECONDS:
            self.reload()
        return version in self._seals

    def index(self, value: str, *, purpose: str) -> bytes:
        """The blind index of `value`: equal values of one purpose are equal, and nothing can be read back."""
        return self._hmac("index", value, purpose)

    def mac(self, value: str, *, purpose: str) -> bytes:
        """A short-lived proof of `value`, such as a one-time code; never equal to an index of the same
        value."""
        return self._hmac("mac", value, purpose)

    def _hmac(self, use: str, value: str, purpose: str) -> bytes:
        info = f"{use}:{purpose}"
        key = self._macs.get(info)
        if key is None:
            key = self._macs.setdefault(info, _derive(self._index_root, info))
        return hmac.digest(key, value.encode(), hashlib.sha256)


def _derive(root: bytes, info: str) -> bytes:
    return HKDFExpand(SHA256(), KEY_BYTES, f"yanlu {info}".encode()).derive(root)
