"""Where the master keys come from: a file, the environment, or a key service that unwraps them at start.

A ring has one index key, which never changes, and numbered keys that things are sealed with:

    yanlu-keys 1
    index <base64, 32 bytes>
    seal 1 <base64, 32 bytes>
    seal 2 <base64, 32 bytes>
    current 1

New things are sealed with the highest number, or with the `current` one: a key can so be handed to every
process before the first of them uses it. In the environment a semicolon ends a line as well.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .errors import NotAllowed, SealBroken

HEADER = "yanlu-keys 1"
KEY_BYTES = 32
MAX_VERSION = 255
_OPEN_TO_OTHERS = 0o027
"""Readable by a group is how secret mounts look; writable by it, or readable by everybody, is a leak."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one server. The index key never rotates: every blind index would have to be computed anew
    from papers."""

    index: bytes = field(repr=False)
    seals: Mapping[int, bytes] = field(repr=False)
    chosen: int | None = None
    """The version that the ring names as current, where it names one."""

    @property
    def current(self) -> int:
        """The version that new things are sealed with."""
        return max(self.seals) if self.chosen is None else self.chosen

    @classmethod
    def fresh(cls) -> Keys:
        """The first keys of a new server."""
        return cls(new_key(), {1: new_key()})

    def with_another(self) -> Keys:
        """With a new newest key, which is the current one. `SealBroken` when the numbers are used up."""
        version = max(self.seals) + 1
        if version > MAX_VERSION:
            raise SealBroken(f"no more than {MAX_VERSION} key versions")
        return Keys(self.index, {**self.seals, version: new_key()})

    def with_current_alone(self) -> Keys:
        """Without the keys that nothing is sealed with any more."""
        return Keys(self.index, {self.current: self.seals[self.current]})


class KeySource(Protocol):
    """Where keys come from, and where a new one is put."""

    @property
    def place(self) -> str:
        """What an operator calls it."""

    def load(self) -> Keys:
        """The keys as they are there now. Raises `SealBroken`."""

    def store(self, keys: Keys) -> None:
        """Puts the keys in place of those that are there; `NotAllowed` where the server cannot."""


class FileKeys:
    """Keys in a file that its owner alone may read."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self._path, self._make = path, make

    @property
    def place(self) -> str:
        return f"file {self._path}"

    def load(self) -> Keys:
        """The keys of the file, which is made where there is none and one may be made."""
        if self._make and not self._path.exists():
            create(self._path, text_of(Keys.fresh()))
        return parse(read(self._path), str(self._path))

    def store(self, keys: Keys) -> None:
        replace(self._path, text_of(keys))


class GivenKeys:
    """Keys that stand in the environment, or in another secret that the server is started with."""

    def __init__(self, text: str, place: str) -> None:
        self._text, self._place = text, place

    @property
    def place(self) -> str:
        return self._place

    def load(self) -> Keys:
        return parse(self._text.replace(";", "\n").strip(), self._place)

    def store(self, keys: Keys) -> None:
        raise NotAllowed(
            f"the keys stand in {self._place}, and are changed there by whoever starts the server"
        )


def new_key() -> bytes:
    """A key that nobody has yet."""
    return secrets.token_bytes(KEY_BYTES)


def encode(key: bytes) -> str:
    return base64.b64encode(key).decode()


def decode(text: str) -> bytes:
    """A key from base64. Raises `ValueError`."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, in base64")
    return key


def text_of(keys: Keys, encode: Callable[[bytes], str] = encode, header: str = HEADER) -> str:
    """The ring as it is written down, each key in the form that `encode` gives it."""
    lines = [header, f"index {encode(keys.index)}"]
    lines += [f"seal {number} {encode(key)}" for number, key in sorted(keys.seals.items())]
    if keys.chosen is not None and keys.chosen != max(keys.seals):
        lines.append(f"current {keys.chosen}")
    return "\n".join(lines) + "\n"


def parse(text: str, place: str, decode: Callable[[str], bytes] = decode, header: str = HEADER) -> Keys:
    """The ring that is written down. Raises `SealBroken`, which names the line and never what is on it."""
    lines = [line.strip() for line in text.split("\n")]
    if lines[0] != header:
        raise SealBroken(f"{place}: not a key file of this version")
    index: bytes | None = None
    seals: dict[int, bytes] = {}
    chosen: int | None = None
    for number, line in enumerate(lines[1:], start=2):
        try:
            match line.split():
                case []:
                    continue
                case ["index", key] if index is None:
                    index = decode(key)
                case ["seal", version, key] if _is_number(version):
                    seals[_version(version, besides=seals)] = decode(key)
                case ["current", version] if chosen is None and _is_number(version):
                    chosen = int(version)
                case _:
                    raise ValueError("not a line of a key file")
        except ValueError as error:
            raise SealBroken(f"{place}:{number}: {error}") from None
    if index is None or not seals:
        raise SealBroken(f"{place}: the key file is cut short")
    if chosen is not None and chosen not in seals:
        raise SealBroken(f"{place}: the current key is not among the keys")
    return Keys(index, seals, chosen)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _version(text: str, *, besides: Iterable[int]) -> int:
    if not 1 <= int(text) <= MAX_VERSION or int(text) in besides:
        raise ValueError("not a key version")
    return int(text)


def read(path: Path) -> str:
    """What stands in a key file. `SealBroken` where others may read it, or it is not there."""
    try:
        mode = path.stat().st_mode & 0o777
        if mode & _OPEN_TO_OTHERS:
            raise SealBroken(
                f"{path}: others may read or change this key file (mode {mode:04o}); set it to 0400"
            )
        return path.read_text("ascii", errors="replace")
    except FileNotFoundError:
        raise SealBroken(
            f"{path} is missing, and nothing sealed can be opened without it: put it back"
        ) from None
    except OSError as error:
        raise SealBroken(f"{path}: the key file cannot be read: {error.strerror}") from None


def create(path: Path, text: str) -> None:
    """Makes the file, unless another process that starts at the same time was first: then that one's keys are
    the keys."""
    draft = _draft(path, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def replace(path: Path, text: str) -> None:
    """Puts another file in its place, whole or not at all."""
    _draft(path, text).replace(path)
    _sync_folder(path.parent)


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
