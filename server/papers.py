"""Papers on their way to the vault: taken in memory, encoded anew, and never in the folder of pictures.

Encoding anew leaves only pixels: whatever else a file was at the same time, a page, an archive, a script, is
gone. Of a PDF each page becomes a picture. A paper's own name is not kept: people write on it what is to be
sealed.
"""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, Protocol

from .errors import Invalid, TooLarge, Unavailable
from .i18n import mark
from .media import decoder
from .media.model import Kind, Shape
from .media.probe import Unreadable, probe

KINDS = (Kind.JPEG, Kind.PNG, Kind.WEBP, Kind.HEIC)
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
ACCEPT = "image/jpeg,image/png,image/webp,image/heic,image/heif,application/pdf"
"""For the `accept` of a form's file field."""
MOST_PAGES = decoder.MAX_PAGES
"""Of one PDF."""
_PDF = b"%PDF-"
_PDF_WITHIN = 1024
"""Readers of PDF look so far for its mark, so whoever disguises one counts on it."""
_BEFORE_PDF = b"\xef\xbb\xbf\x00 \t\r\n\f"
"""What careless programs put before the mark; anything else makes the file another kind as well."""
_AT_ONCE = 1
_MAX_WAITING = 16
_working = ThreadPoolExecutor(_AT_ONCE, "papers")
_waiting: set[object] = set()


class Upload(Protocol):
    """A file that came in a form."""

    def chunks(self) -> AsyncIterator[bytes]: ...


class Limits(Protocol):
    """How large a paper's picture may be; the settings' own section fits."""

    @property
    def max_paper_bytes(self) -> int: ...

    @property
    def max_pixels(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Paper:
    """What is sealed: the picture as it was encoded anew, and its type."""

    data: bytes = field(repr=False)
    mime: str


async def accept(upload: Upload, limits: Limits, *, name: str = "papers") -> list[Paper]:
    """Takes a picture of a paper, or a PDF, of which every page is one.

    Raises `TooLarge` above the limit of bytes, `Invalid` (for the form's field `name`) for what is neither,
    is broken or costs too much to decode, and `Unavailable` when too many wait.
    """
    ticket = object()
    if len(_waiting) >= _MAX_WAITING:
        raise Unavailable(mark("Too many pictures are being worked on; please try again in a moment"))
    _waiting.add(ticket)
    try:
        data = await _received(upload, limits.max_paper_bytes, name)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_working, _encoded_anew, data, limits.max_pixels, name)
    finally:
        _waiting.discard(ticket)


async def _received(upload: Upload, most: int, name: str) -> bytes:
    held = bytearray()
    async for chunk in upload.chunks():
        held += chunk
        if len(held) > most:
            raise TooLarge(
                mark("The file is larger than %(mebibytes)s MiB"), mebibytes=most >> 20, field=name
            )
    if not held:
        raise Invalid(mark("The file is empty"), field=name)
    return bytes(held)


def _encoded_anew(data: bytes, max_pixels: int, name: str) -> list[Paper]:
    try:
        return _drawn(data, max_pixels) if _PDF in data[:_PDF_WITHIN] else [_decoded(data, max_pixels)]
    except Invalid as error:
        raise Invalid(error.message, field=name, **error.values) from None


def _drawn(data: bytes, max_pixels: int) -> list[Paper]:
    if not data.lstrip(_BEFORE_PDF).startswith(_PDF):
        raise Invalid(mark("The file is a PDF and something else as well: save or print it as a PDF anew"))
    with _memory("upload") as upload, _memory("pages") as pages:
        upload.write(data)
        upload.flush()
        return [Paper(page, TYPES["JPEG"]) for page in decoder.draw(upload, pages, max_pixels=max_pixels)]


def _decoded(data: bytes, max_pixels: int) -> Paper:
    try:
        kind = probe(data).kind
    except Unreadable:
        kind = None
    if kind not in KINDS:
        raise Invalid(mark("The file is not a JPEG, PNG, WebP or HEIC picture, nor a PDF"))
    with _memory("upload") as upload, _memory("full") as full, _memory("small") as small:
        upload.write(data)
        upload.flush()
        made = decoder.decode(upload, full, small, max_pixels=max_pixels, shape=Shape.PICTURE)
        full.seek(0)
        return Paper(full.read(), TYPES[made.kind])


def _memory(name: str) -> IO[bytes]:
    """A file that is on no disk; where the system has none such, one without a name."""
    if hasattr(os, "memfd_create"):
        return io.FileIO(os.memfd_create(f"yanlu-{name}"), "r+b")
    return tempfile.TemporaryFile()
