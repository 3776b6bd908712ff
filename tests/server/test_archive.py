"""Archives that nobody honest makes: each is refused in words, and costs little."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from server import archive
from server.archive import Archive
from server.errors import Invalid

NOTE = {"id": "https://old.example/1", "type": "Note", "published": "2021-01-01T00:00:00Z"}


def act(**members: object) -> dict[str, object]:
    return {"type": "Create", "object": NOTE | members}


def packed(
    path: Path, outbox: str | bytes, method: int = ZIP_DEFLATED, files: Mapping[str, bytes] | None = None
) -> Path:
    with ZipFile(path / "a.zip", "w", method) as made:
        made.writestr("outbox.json", outbox)
        for name, data in (files or {}).items():
            made.writestr(name, data)
    return path / "a.zip"


def read(path: Path) -> list[archive.Item]:
    opened = Archive(path)
    try:
        return [archive.read(note) for note in opened.notes()]
    finally:
        opened.close()


def test_notes_come_by_their_time_whatever_stands_around_them(tmp_path: Path) -> None:
    """Other members before the acts, acts of other kinds among them, a byte order mark, and long texts."""
    acts: list[object] = [
        act(id="b", published="2022-01-01T00:00:00Z", content="的" * 100_000),
        act(id="a"),
        {"type": "Announce", "object": NOTE},
        act(id="\ud800"),
        act(id="n", published="2021-01-02", content=float("nan")),
        act(id="big", published="2021-01-03", content=10**400),
        *(7, None, [], {}, {"type": []}, {"type": "Create", "object": {"type": {}}}, {"type": "Create"}),
    ]
    whole = {"@context": ["x", {"y": [1, 2]}], "totalItems": 7, "orderedItems": acts}
    data = b"\xef\xbb\xbf" + json.dumps(whole, indent=1).encode()
    assert ["a", "n", "big", "b"] == [note["id"] for note in read(packed(tmp_path, data))]


@pytest.mark.parametrize(
    "outbox",
    [
        "[" * 200_000,
        '{"orderedItems":' + "[" * 200_000,
        '{"orderedItems":[' + '{"a":' * 100_000,
        '{"orderedItems":[{}',
        '{"orderedItems":[{} {}]}',
        '{"orderedItems":[' + "9" * 2_000_000 + "]}",
        '{"a":1}',
        "",
        b'{"orderedItems":["\xff"]}',
    ],
)
def test_what_no_server_writes_cannot_be_read(tmp_path: Path, outbox: str | bytes) -> None:
    """Brackets without end would otherwise be an error of the server's."""
    with pytest.raises(Invalid, match="cannot be read"):
        read(packed(tmp_path, outbox))


def test_a_small_file_cannot_take_the_memory(tmp_path: Path) -> None:
    """125 KiB that hold 40 million lists took more than three gigabytes when they were read at once."""
    path = packed(tmp_path, b'{"orderedItems":[' + b"[]," * 40_000_000 + b"0]}")
    tracemalloc.start()
    try:
        with pytest.raises(Invalid, match="more than"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_list_of_files_without_end_is_not_read(tmp_path: Path) -> None:
    """Each file inside takes ten times its line once it is read."""
    path = packed(tmp_path, "{}")
    with ZipFile(path, "a") as made:
        for number in range(300):
            made.writestr(f"{number:0>60000}", b"")
    with pytest.raises(Invalid, match="not a ZIP file"):
        Archive(path)


@pytest.mark.parametrize("method", [ZIP_DEFLATED, ZIP_LZMA, ZIP_BZIP2])
def test_a_damaged_archive_is_refused_wherever_it_is_damaged(tmp_path: Path, method: int) -> None:
    """Byte by byte: refused, or read if that byte says nothing; never an error of the server's."""
    path = packed(tmp_path, json.dumps({"orderedItems": [act()]}), method)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for byte in (0, 84, 255):
            path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
            try:
                read(path)
            except Invalid as error:
                assert error.field == "archive"


def test_pictures_are_found_by_what_stands_before_them(tmp_path: Path) -> None:
    """Servers that keep pictures elsewhere write the path there."""
    packed(tmp_path, "{}", files={"media_attachments/files/1/original/a.png": b"picture"})
    opened = Archive(tmp_path / "a.zip")
    for url in (
        "media_attachments/files/1/original/a.png",
        "/bucket/media_attachments/files/1/original/a.png",
        "https://archive.invalid/bucket/media_attachments/files/1/original/a.png?1",
    ):
        assert b"picture" == opened.picture(url, 100)
    assert [None, None] == [opened.picture(url, 100) for url in ("../../etc/passwd", "media_attachments/")]
    assert opened.picture("media_attachments/files/1/original/a.png", 3) is None
    opened.close()
