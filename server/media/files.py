"""The folder of pictures: uploads come in, two files of each go out, under names that nobody can guess.

Rule: what a person sent never reaches a name, a type or a byte of what is served. A child process decodes and
encodes anew (`server.media.child`); this side only moves files, in threads: the event loop waits for no disk.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import tempfile
import time
from collections.abc import AsyncIterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from ..errors import Invalid, TooLarge, Unavailable
from ..i18n import mark
from . import decoder
from .model import Shape

AT_ONCE = 2
"""Pictures that this process has decoded at a time."""

TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif"}
"""Every type that is ever served, by the end of the file's name."""

NAME = re.compile(r"([0-9a-f]{32})(-small)?(\.(?:jpg|png|webp|gif))")

_ENDINGS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
_MAX_WAITING = 32
_CHUNK = 256 * 1024
_LEFT_OVER_SECONDS = 3600
_decoding = ThreadPoolExecutor(AT_ONCE, "media")
_waiting: set[object] = set()


class Limits(Protocol):
    """How large an upload may be; the settings' own section fits."""

    @property
    def max_image_bytes(self) -> int: ...

    @property
    def max_pixels(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A picture that lies in the folder, not yet told to anybody."""

    file: str
    preview_file: str
    mime: str
    width: int
    height: int
    preview_width: int
    preview_height: int
    bytes: int
    blurhash: str


async def store_image(
    root: Path, source: bytes | AsyncIterable[bytes], limits: Limits, *, shape: Shape = Shape.PICTURE
) -> Stored:
    """Takes an upload into the folder `root`.

    Raises `TooLarge` above the limit of bytes, `Invalid` for what is no picture, is broken or costs too much
    to decode, and `Unavailable` when too many wait.
    """
    ticket = object()
    if len(_waiting) >= _MAX_WAITING:
        raise Unavailable(mark("Too many pictures are being worked on; please try again in a moment"))
    _waiting.add(ticket)
    try:
        with await asyncio.to_thread(_temporary, root) as upload:
            await _receive(source, upload, limits.max_image_bytes)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(_decoding, _store, root, upload, limits.max_pixels, shape)
    finally:
        _waiting.discard(ticket)


async def remove(root: Path, *names: str | None) -> None:
    """Deletes files; those that are gone already are no fault."""
    for name in names:
        if name is not None:
            await asyncio.to_thread(path(root, name).unlink, missing_ok=True)


async def sweep(root: Path) -> int:
    """Deletes what uploads that were cut off left behind, and tells how many files that was."""
    return await asyncio.to_thread(lambda: sum(1 for left in _left_over(root) if _unlink(left)))


def path(root: Path, name: str) -> Path:
    """Where the file of that name lies; raises `ValueError` for what is no name of ours."""
    if not NAME.fullmatch(name):
        raise ValueError("not the name of a picture")
    return root / name[:2] / name[2:4] / name


def original_names(name: str) -> list[str]:
    """The names under which the picture may be known in the database: a preview goes by its picture's."""
    found = NAME.fullmatch(name)
    if found is None:
        return []
    return [found[1] + ending for ending in TYPES] if found[2] else [name]


def _temporary(root: Path) -> IO[bytes]:
    (root / "tmp").mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=root / "tmp")


async def _receive(source: bytes | AsyncIterable[bytes], upload: IO[bytes], most: int) -> None:
    size, held = 0, bytearray()
    async for chunk in _chunks(source):
        size += len(chunk)
        if size > most:
            raise TooLarge(
                mark("The file is larger than %(mebibytes)s MiB"), mebibytes=most >> 20, field="file"
            )
        held += chunk
        if len(held) >= _CHUNK:
            await asyncio.to_thread(upload.write, bytes(held))
            held.clear()
    if not size:
        raise Invalid(mark("The file is empty"), field="file")
    await asyncio.to_thread(upload.write, bytes(held))
    await asyncio.to_thread(upload.flush)


async def _chunks(source: bytes | AsyncIterable[bytes]) -> AsyncIterable[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    async for chunk in source:
        yield chunk


def _store(root: Path, upload: IO[bytes], max_pixels: int, shape: Shape) -> Stored:
    """Has the upload decoded and puts what came of it in place; on a disk before anybody hears of it."""
    with ExitStack() as undo:
        full, small = (_output(root, undo) for _ in range(2))
        made = decoder.decode(upload, full, small, max_pixels=max_pixels, shape=shape)
        key = secrets.token_hex(16)
        stored = Stored(
            file=key + _ENDINGS[made.kind],
            preview_file=f"{key}-small{_ENDINGS[made.small_kind]}",
            mime=TYPES[_ENDINGS[made.kind]],
            width=made.width,
            height=made.height,
            preview_width=made.small_width,
            preview_height=made.small_height,
            bytes=os.fstat(full.fileno()).st_size,
            blurhash=made.blurhash,
        )
        folder = path(root, stored.file).parent
        folder.mkdir(parents=True, exist_ok=True)
        for written, name in ((full, stored.file), (small, stored.preview_file)):
            os.fsync(written.fileno())
            Path(written.name).rename(folder / name)
        for level in (folder, folder.parent, root):
            _sync(level)
        return stored


def _output(root: Path, undo: ExitStack) -> IO[bytes]:
    out: IO[bytes] = tempfile.NamedTemporaryFile(dir=root / "tmp", delete=False)  # noqa: SIM115 - `undo` closes
    undo.callback(out.close)
    undo.callback(_unlink, Path(out.name))
    return out


def _unlink(file: Path) -> bool:
    with suppress(FileNotFoundError):
        file.unlink()
        return True
    return False


def _left_over(root: Path) -> Iterator[Path]:
    oldest = time.time() - _LEFT_OVER_SECONDS
    for file in (root / "tmp").glob("*"):
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < oldest:
                yield file


def _sync(folder: Path) -> None:
    """Makes the names in `folder` last through a power cut; a file's own bytes are synced apart from them."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
