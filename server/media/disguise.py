"""Whether a file is something else besides the picture it seems to be: found before any decoder sees it.

A picture is encoded anew anyway, so nothing hidden in it is ever kept. Whoever sends such a file for a paper
is told so all the same: it is no accident, and the reviewer's time is better spent. Of a PDF only the name
and type are looked at: pages, archives and scripts are in honest ones as well, and only its pixels are kept.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from ..errors import Invalid
from ..i18n import mark
from .model import Kind
from .probe import Unreadable, probe

_ENDINGS = {
    Kind.JPEG: {".jpg", ".jpeg", ".jpe", ".jfif"},
    Kind.PNG: {".png"},
    Kind.GIF: {".gif"},
    Kind.WEBP: {".webp"},
    Kind.AVIF: {".avif"},
    Kind.HEIC: {".heic", ".heif"},
}
_TYPES = {
    Kind.JPEG: {"image/jpeg", "image/jpg", "image/pjpeg"},
    Kind.PNG: {"image/png", "image/x-png"},
    Kind.GIF: {"image/gif"},
    Kind.WEBP: {"image/webp"},
    Kind.AVIF: {"image/avif"},
    Kind.HEIC: {"image/heic", "image/heif"},
}
_PDF = b"%PDF-"
_PDF_TYPES = {"application/pdf", "application/x-pdf"}
_ANYTHING = {"", "application/octet-stream"}
_SIGNS = (b"%pdf-", b"<script", b"<?php", b"<html", b"<svg", b"<!doctype", b"\x7felf\x02", b"#!/bin/")
_ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PNG_END = b"IEND\xaeB`\x82"
_PROGRAM = b"This program cannot be run in DOS mode"


def check(data: bytes, *, name: str, mime: str, field: str = "file") -> None:
    """Raises `Invalid` for a file whose name or type says something else than its content, or that is a page,
    a document, an archive or a program as well. What is neither picture nor PDF is for others to refuse."""
    ending = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if data.startswith(_PDF) and (ending not in ("", ".pdf") or mime.lower() not in _PDF_TYPES | _ANYTHING):
        raise Invalid(mark("The file says that it is something else than it is: a PDF"), field=field)
    try:
        kind = probe(data).kind
    except Unreadable:
        return
    if (ending and ending not in _ENDINGS[kind]) or mime.lower() not in _TYPES[kind] | _ANYTHING:
        raise Invalid(
            mark("The file says that it is something else than it is: a %(kind)s picture"),
            field=field,
            kind=kind.name,
        )
    if _is_more(data, kind):
        raise Invalid(
            mark("The file is a picture and something else as well; take the picture anew"), field=field
        )


def _is_more(data: bytes, kind: Kind) -> bool:
    lower = data.lower()
    if any(sign in lower for sign in _SIGNS):
        return True
    if all(sign in data for sign in _ZIP):
        return True
    if _PROGRAM in data or any(sign in data for sign in _ARCHIVES):
        return True
    # A PNG ends with its last chunk, a WebP where it says; cameras do put things behind a JPEG.
    if kind is Kind.PNG:
        return _PNG_END in data and not data.rstrip(b"\x00\r\n").endswith(_PNG_END)
    if kind is Kind.WEBP:
        return len(data) > int.from_bytes(data[4:8], "little") + 9
    return False
