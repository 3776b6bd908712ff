"""Pictures of papers: only pixels come through, nothing touches a disk, and what is no picture is said
plainly.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from server import papers
from server.errors import Invalid, TooLarge
from server.media import stamp
from server.sections import Media

LIMITS = Media()


@dataclass(frozen=True)
class Upload:
    """A file as a form brings it."""

    data: bytes

    async def chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), 4096):
            yield self.data[start : start + 4096]


def picture(kind: str = "JPEG", size: tuple[int, int] = (120, 80), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_comes_back_encoded_anew(kind: str) -> None:
    """The same picture, and not one byte that was behind its end."""
    sent = picture(kind) + b"<?php system($_GET['x']) ?>PK\x03\x04 hidden archive"
    paper = await papers.accept(Upload(sent), LIMITS)
    assert b"hidden archive" not in paper.data
    with Image.open(io.BytesIO(paper.data)) as opened:
        assert (opened.size, Image.MIME[opened.format or ""]) == ((120, 80), paper.mime)


async def test_what_a_picture_says_of_itself_is_left_behind() -> None:
    """A place and a device are nobody's business who checks a paper."""
    exif = Image.Exif()
    exif[0x010E] = "taken at 39.9 N 116.4 E"
    paper = await papers.accept(Upload(picture(exif=exif.tobytes())), LIMITS)
    assert b"116.4" not in paper.data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"%PDF-1.7\n%....", "A PDF is not taken here"),
        (b"\n\n  %PDF-1.4", "A PDF is not taken here"),
        (b"<svg onload=alert(1)>", "is not a JPEG, PNG, WebP or HEIC"),
        (picture("GIF"), "is not a JPEG, PNG, WebP or HEIC"),
        (picture()[:300], "damaged or incomplete"),
        (picture()[:600] + b"%PDF-", "damaged or incomplete|A PDF is not taken here"),
    ],
)
async def test_what_is_no_picture_is_said_plainly(data: bytes, words: str) -> None:
    """Each with the field of the form that it was in."""
    with pytest.raises(Invalid, match=words) as refused:
        await papers.accept(Upload(data), LIMITS, name="front")
    assert "front" == refused.value.field


async def test_a_file_above_the_limit_is_refused_while_it_comes_in() -> None:
    """Nobody fills the memory with papers."""
    with pytest.raises(TooLarge):
        await papers.accept(Upload(b"\xff" * 5000), Media(max_paper_bytes=4096))


async def test_more_pixels_than_allowed_are_not_decoded() -> None:
    """A small file can be a large picture."""
    with pytest.raises(Invalid, match="million pixels"):
        await papers.accept(Upload(picture("PNG", (3000, 1000))), Media(max_pixels=1_000_000))


async def test_nothing_is_left_in_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Papers are in memory, and then in the vault."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    await papers.accept(Upload(picture()), LIMITS)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(1200, 800), (40, 30), (60, 2000)])
async def test_a_stamp_is_all_over_the_picture(size: tuple[int, int]) -> None:
    """Whoever cuts a corner off cuts into the writing as well."""
    sent = picture("PNG", size)
    marked = await stamp.stamp(sent, "@shen 2026-11-25 10:00 UTC 认证 identity check only")
    with Image.open(io.BytesIO(sent)) as before, Image.open(io.BytesIO(marked)) as after:
        assert before.size == after.size
        plain = before.convert("RGB").getpixel((0, 0))
        assert isinstance(plain, tuple)
        across, down = max(size[0] // 4, 1), max(size[1] // 4, 1)
        for left in range(0, size[0] - across + 1, across):
            for top in range(0, size[1] - down + 1, down):
                part = after.convert("RGB").crop((left, top, left + across, top + down))
                lows = [low for low, _ in part.getextrema()]  # type: ignore[misc]
                assert min(size) < 100 or lows[0] < plain[0] - 40, (left, top)
