"""The archive that a server gives somebody who leaves it: `outbox.json` and pictures in a ZIP file.

Only names inside the ZIP are looked up; nothing is unpacked to disk, and nothing is read beyond its limit,
whatever the archive says of its own sizes. The outbox is read one act at a time, because as a whole it would
take many times its size in memory and the interpreter for itself. Reading is work for a thread.
"""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path
from typing import IO, Any, Final, TypeAlias
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

import msgspec

from .errors import Invalid

MAX_OUTBOX = 128 * 1024 * 1024
MAX_POSTS = 50_000
_MAX_ACTS: Final = 10 * MAX_POSTS
_MAX_ACT: Final = 1024 * 1024
"""Characters of one act, or of anything else that stands beside the acts."""
_MAX_DIRECTORY: Final = 16 * 1024 * 1024
"""Bytes of the list of files inside; each takes ten times its bytes once it is read."""
_CHUNK: Final = 256 * 1024
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_LONGEST_COMMENT: Final = 65_535
_DAMAGED: Final = (
    BadZipFile,
    ZlibError,
    LZMAError,
    OSError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    ValueError,
)
Item: TypeAlias = dict[str, Any]
_encode = msgspec.json.Encoder().encode


class Archive:
    """An open archive."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                _check_directory(file)
            self._zip = ZipFile(path)
        except _DAMAGED:
            raise Invalid("This is not a ZIP file", field="archive") from None
        self._names = {info.filename.removeprefix("./"): info for info in self._zip.infolist()}

    def close(self) -> None:
        self._zip.close()

    def notes(self) -> list[bytes]:
        """The notes of the outbox as JSON, oldest first; boosts and other acts are no posts of one's own."""
        found = self._names.get("outbox.json")
        if found is None:
            raise Invalid("There is no outbox.json in this archive", field="archive")
        notes: list[tuple[str, bytes]] = []
        try:
            with self._zip.open(found) as file:
                for item in _acts(file):
                    note = _note_in(item)
                    if note is not None and (stored := _stored(note)) is not None:
                        notes.append((str(note.get("published", "")), stored))
                    if len(notes) > MAX_POSTS:
                        raise Invalid(
                            "The archive holds more than %(limit)s posts", field="archive", limit=MAX_POSTS
                        )
        except _Unreadable:
            raise Invalid("The outbox.json in this archive cannot be read", field="archive") from None
        except _DAMAGED:
            raise Invalid("The archive is damaged, or locked by a password", field="archive") from None
        return [stored for _, stored in sorted(notes, key=lambda note: note[0])]

    def picture(self, url: str, limit: int) -> bytes | None:
        """The file behind an attachment's address; `None` where it is not in the archive, or too large."""
        path = url.partition("://")[2].partition("/")[2] if "://" in url else url.lstrip("/")
        path = path.partition("?")[0]
        # Whatever stands before it on the server that kept the pictures elsewhere.
        _, folder, rest = path.partition("media_attachments/")
        for name in (path, f"{folder}{rest}", f"media_attachments/{path.rpartition('/')[2]}"):
            info = self._names.get(name)
            if info is not None and not info.is_dir() and info.file_size <= limit:
                try:
                    return self._read(info, limit)
                except Invalid:
                    return None
        return None

    def _read(self, info: ZipInfo, limit: int) -> bytes:
        try:
            with self._zip.open(info) as file:
                data = file.read(limit + 1)
        except _DAMAGED:
            raise Invalid("The archive is damaged, or locked by a password", field="archive") from None
        if len(data) > limit:
            raise Invalid("A file in this archive is too large", field="archive")
        return data


class _Unreadable(Exception):
    """The outbox is not what a server writes."""


def read(note: bytes) -> Item:
    """One of the notes of an archive."""
    found: Item = msgspec.json.decode(note)
    return found


def _check_directory(file: IO[bytes]) -> None:
    """Raises `BadZipFile` where the list of files inside is larger than any honest archive's, before the
    library reads all of it."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - _LONGEST_COMMENT - 200, 0))
    tail = file.read()
    for mark, place, width in ((_END, 12, 4), (_END_64, 40, 8)):
        at = tail.rfind(mark)
        if at >= 0 and int.from_bytes(tail[at + place : at + place + width], "little") > _MAX_DIRECTORY:
            # A size of all ones only says that it stands in the 64-bit record.
            if mark is _END and tail[at + place : at + place + width] == b"\xff" * width:
                continue
            raise BadZipFile


class _Reader:
    """JSON out of a file, one value at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MAX_OUTBOX
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._is_over = "", 0, False
        self._json = json.JSONDecoder()

    def _more(self) -> bool:
        """Reads on; `False` at the end of the file."""
        if self._is_over:
            return False
        chunk = self._file.read(_CHUNK)
        self._left -= len(chunk)
        if self._left < 0:
            raise Invalid("The outbox.json in this archive is too large", field="archive")
        self._is_over = not chunk
        try:
            self._text = self._text[self._at :] + self._decode.decode(chunk, self._is_over)
        except UnicodeDecodeError:
            raise _Unreadable from None
        self._at = 0
        return True

    def peek(self) -> str:
        """The next character that is no white space; nothing at the end."""
        while True:
            rest = len(self._text)
            while self._at < rest and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < rest:
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Goes past a character that must stand here."""
        if self.peek() != wanted:
            raise _Unreadable
        self._at += 1

    def value(self) -> object:
        """The whole value that stands here."""
        self.peek()
        while True:
            try:
                found, end = self._json.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                end = len(self._text)
            # What reaches the end of what was read may go on behind it: each value has a bracket after it.
            if end < len(self._text):
                self._at = end
                return found
            if end - self._at > _MAX_ACT or not self._more():
                raise _Unreadable


def _acts(file: IO[bytes]) -> Iterator[object]:
    """What stands in `orderedItems`, one after the other."""
    reader = _Reader(file)
    reader.take("{")
    while reader.peek() != "}":
        name = reader.value()
        reader.take(":")
        if name != "orderedItems":
            reader.value()
        else:
            yield from _list(reader)
            return
        if reader.peek() == ",":
            reader.take(",")
    raise _Unreadable


def _list(reader: _Reader) -> Iterator[object]:
    reader.take("[")
    count = 0
    while reader.peek() != "]":
        count += 1
        if count > _MAX_ACTS:
            raise Invalid("The archive holds more than %(limit)s posts", field="archive", limit=MAX_POSTS)
        yield reader.value()
        if reader.peek() != "]":
            reader.take(",")


def _stored(note: Item) -> bytes | None:
    """A note to keep until its turn; `None` for one with what no text can hold."""
    try:
        return _encode(note)
    except (ValueError, OverflowError, TypeError, msgspec.EncodeError):
        return None


def _note_in(item: object) -> Item | None:
    """The note that an act creates."""
    if not isinstance(item, dict) or item.get("type") != "Create":
        return None
    note = item.get("object")
    is_note = isinstance(note, dict) and note.get("type") in ("Note", "Article", "Question") and "id" in note
    return note if is_note else None
