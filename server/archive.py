"""The archive that a server gives somebody who leaves it: `outbox.json` and pictures in a ZIP file.

Only names inside the ZIP are looked up; nothing is unpacked to disk, and nothing is read beyond its limit,
whatever the archive says of its own sizes. Reading is work for a thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

import msgspec

from .errors import Invalid

MAX_OUTBOX = 128 * 1024 * 1024
MAX_POSTS = 50_000
Item: TypeAlias = dict[str, Any]


class Archive:
    """An open archive."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = ZipFile(path)
        except (BadZipFile, OSError, ValueError):
            raise Invalid("This is not a ZIP file", field="archive") from None
        self._names = {info.filename.removeprefix("./"): info for info in self._zip.infolist()}

    def close(self) -> None:
        self._zip.close()

    def notes(self) -> list[Item]:
        """The notes of the outbox, oldest first; boosts and other acts are no posts of one's own."""
        found = self._names.get("outbox.json")
        if found is None:
            raise Invalid("There is no outbox.json in this archive", field="archive")
        try:
            outbox = msgspec.json.decode(self._read(found, MAX_OUTBOX))
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Invalid("The outbox.json in this archive cannot be read", field="archive") from None
        items = outbox.get("orderedItems") if isinstance(outbox, dict) else None
        if not isinstance(items, list):
            raise Invalid("The outbox.json in this archive cannot be read", field="archive")
        notes = [item["object"] for item in items if _is_create(item)]
        if len(notes) > MAX_POSTS:
            raise Invalid("The archive holds more than %(limit)s posts", field="archive", limit=MAX_POSTS)
        return sorted(notes, key=lambda note: str(note.get("published", "")))

    def picture(self, url: str, limit: int) -> bytes | None:
        """The file behind an attachment's address; `None` where it is not in the archive, or too large."""
        path = url.partition("://")[2].partition("/")[2] if "://" in url else url.lstrip("/")
        path = path.partition("?")[0]
        for name in (path, f"media_attachments/{path.rpartition('/')[2]}"):
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
        except (BadZipFile, ZlibError, OSError, RuntimeError, NotImplementedError, EOFError):
            raise Invalid("The archive is damaged, or locked by a password", field="archive") from None
        if len(data) > limit:
            raise Invalid("The outbox.json in this archive is too large", field="archive")
        return data


def _is_create(item: object) -> bool:
    if not isinstance(item, dict) or item.get("type") != "Create":
        return False
    note = item.get("object")
    return isinstance(note, dict) and note.get("type") in ("Note", "Article", "Question") and "id" in note
