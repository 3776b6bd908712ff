"""Sealed bytes and blind indexes: what a thief of the database must not be able to read, or to guess.

One master key file, outside the database and its backups. Bytes are sealed with AES-256-GCM under the newest
version and name the version they were sealed with; the context (whose, and what) is authenticated, so a
sealed value copied into another row does not open. Blind indexes are HMAC-SHA-256 with keys of their own: a
phone number has too little entropy for a plain hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .errors import SealBroken

_HEADER = "yanlu-keys 1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_MAX_VERSION = 255
_OPEN_TO_OTHERS = 0o027
"""Readable by a group is how secret mounts look; writable by it, or readable by everybody, is a leak."""


class Sealer:
    """Seals, opens and indexes with the keys of one file."""

    __slots__ = ("_index_root", "_macs", "_seals", "version")

    def __init__(self, keys: _Keys) -> None:
        self.version = max(keys.seals)
        """The key version that new values are sealed with."""
        self._seals = {number: AESGCM(_derive(key, "seal")) for number, key in keys.seals.items()}
        self._index_root = keys.index
        self._macs: dict[str, bytes] = {}

    @classmethod
    def load(cls, path: Path) -> Sealer:
        """The sealer of the key file at `path`, which is made, readable by its owner alone, where there is
        none."""
        if not path.exists():
            _create(path, _Keys.fresh())
        return cls(_read(path))

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """`plain`, so that only `open` with the same context gets it back."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = bytes((self.version,))
        return head + nonce + self._seals[self.version].encrypt(nonce, plain, head + context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """What was sealed with this context; `SealBroken` for anything else."""
        if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES or sealed[0] not in self._seals:
            raise SealBroken("not sealed with any key that is here")
        head, nonce, body = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._seals[sealed[0]].decrypt(nonce, body, head + context.encode())
        except InvalidTag:
            raise SealBroken("the sealed value does not belong here, or was changed") from None

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


def rotate(path: Path) -> int:
    """Adds a new newest key to the file, and returns its version. What was sealed before still opens."""
    keys = _read(path)
    version = max(keys.seals) + 1
    if version > _MAX_VERSION:
        raise SealBroken(f"{path}: no more than {_MAX_VERSION} key versions")
    _replace(path, _Keys(keys.index, {**keys.seals, version: secrets.token_bytes(_KEY_BYTES)}))
    return version


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the file holds. The index key never rotates: every blind index would have to be computed anew from
    papers."""

    index: bytes
    seals: Mapping[int, bytes]

    @classmethod
    def fresh(cls) -> _Keys:
        return cls(secrets.token_bytes(_KEY_BYTES), {1: secrets.token_bytes(_KEY_BYTES)})

    def text(self) -> str:
        lines = [_HEADER, f"index {_encode(self.index)}"]
        lines += [f"seal {number} {_encode(key)}" for number, key in sorted(self.seals.items())]
        return "\n".join(lines) + "\n"


def _derive(root: bytes, info: str) -> bytes:
    return HKDFExpand(SHA256(), _KEY_BYTES, f"yanlu {info}".encode()).derive(root)


def _encode(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _read(path: Path) -> _Keys:
    mode = path.stat().st_mode & 0o777
    if mode & _OPEN_TO_OTHERS:
        raise SealBroken(f"{path}: others may read or change this key file (mode {mode:04o}); set it to 0400")
    index: bytes | None = None
    seals: dict[int, bytes] = {}
    lines = path.read_text("ascii", errors="replace").split("\n")
    if lines[0] != _HEADER:
        raise SealBroken(f"{path}: not a key file of this version")
    for number, line in enumerate(lines[1:], start=2):
        match line.split():
            case []:
                continue
            case ["index", key] if index is None:
                index = _decode(path, number, key)
            case ["seal", version, key] if version.isascii() and version.isdigit():
                if not 1 <= int(version) <= _MAX_VERSION or int(version) in seals:
                    raise SealBroken(f"{path}:{number}: not a key version")
                seals[int(version)] = _decode(path, number, key)
            case _:
                raise SealBroken(f"{path}:{number}: not a line of a key file")
    if index is None or not seals:
        raise SealBroken(f"{path}: the key file is cut short")
    return _Keys(index, seals)


def _decode(path: Path, number: int, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise SealBroken(f"{path}:{number}: a key has {_KEY_BYTES} bytes, in base64")
    return key


def _create(path: Path, keys: _Keys) -> None:
    """Makes the file, unless another process that starts at the same time was first: then that one's keys are
    the keys."""
    draft = _draft(path, keys)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _replace(path: Path, keys: _Keys) -> None:
    _draft(path, keys).replace(path)
    _sync_folder(path.parent)


def _draft(path: Path, keys: _Keys) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(keys.text())
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
