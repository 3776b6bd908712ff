"""Uploads: what comes in, what is kept, and what is turned away."""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from server.errors import AppError, Invalid, TooLarge
from server.media import decoder, files
from server.media.model import Shape

from . import samples
from .samples import encoded, scene


@dataclass(frozen=True)
class _Limits:
    max_image_bytes: int = 16 * 1024 * 1024
    max_pixels: int = 33_000_000


async def _store(
    root: Path, data: bytes, shape: Shape = Shape.PICTURE
) -> tuple[files.Stored, Image.Image, Image.Image]:
    stored = await files.store_image(root, data, _Limits(), shape=shape)
    return stored, _read(root, stored.file), _read(root, stored.preview_file)


def _read(root: Path, name: str) -> Image.Image:
    image = Image.open(io.BytesIO(files.path(root, name).read_bytes()))
    image.load()
    return image


def _is_red(image: Image.Image, place: tuple[int, int]) -> bool:
    red, _, blue = image.convert("RGB").getpixel(place)  # type: ignore[misc]
    return bool(red > blue)


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (encoded(scene(), "JPEG"), "image/jpeg"),
        (encoded(scene(), "PNG"), "image/png"),
        (encoded(scene(mode="P"), "PNG"), "image/png"),
        (encoded(scene(mode="RGBA"), "PNG"), "image/png"),
        (encoded(scene(mode="L"), "PNG"), "image/png"),
        (encoded(scene(mode="L").convert("I;16"), "PNG"), "image/png"),
        (encoded(scene(), "GIF"), "image/png"),
        (encoded(scene(), "WEBP"), "image/webp"),
        (encoded(scene(mode="RGBA"), "WEBP"), "image/webp"),
        (encoded(scene(), "AVIF"), "image/jpeg"),
        (encoded(scene(), "HEIF"), "image/jpeg"),
        (encoded(scene(mode="CMYK"), "JPEG"), "image/jpeg"),
        (encoded(scene(mode="L"), "JPEG"), "image/jpeg"),
        (samples.animation("GIF"), "image/gif"),
        (samples.animation("WEBP"), "image/webp"),
        (samples.animation("PNG"), "image/webp"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:12].hex(),
)  # fmt: skip
async def test_every_kind_is_kept_in_a_form_that_everybody_can_show(
    tmp_path: Path, data: bytes, mime: str
) -> None:
    """Telephones send HEIC and AVIF, which other servers and older browsers cannot show."""
    stored, full, small = await _store(tmp_path, data)
    assert mime == stored.mime
    assert (stored.width, stored.height) == full.size
    assert (stored.preview_width, stored.preview_height) == small.size
    assert stored.bytes == files.path(tmp_path, stored.file).stat().st_size
    assert len(stored.blurhash) == 4 + 2 * 12
    assert not list((tmp_path / "tmp").iterdir())


async def test_colours_stay_what_they_were(tmp_path: Path) -> None:
    """Each way through the decoder ends in the same picture."""
    for data in (
        encoded(scene(), "JPEG", quality=95),
        encoded(scene(mode="P"), "PNG"),
        encoded(scene(), "HEIF"),
        samples.animation("GIF", size=(300, 200)),
    ):
        _, full, small = await _store(tmp_path, data)
        assert _is_red(full, (5, 5))
        assert not _is_red(full, (full.width - 5, full.height - 5))
        assert _is_red(small, (5, 5))


async def test_sixteen_bits_of_grey_are_not_cut_off_at_white(tmp_path: Path) -> None:
    """Scanners write these; a plain conversion makes them a white sheet."""
    grey = Image.new("I;16", (20, 20), 0x8000)
    _, full, _ = await _store(tmp_path, encoded(grey, "PNG"))
    assert (128, 128, 128) == full.convert("RGB").getpixel((5, 5))


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
async def test_a_picture_loses_its_place_and_keeps_its_orientation(tmp_path: Path, turn: int) -> None:
    """A photograph from home must not tell where home is; one held upright must not lie on its side."""
    stored, full, _ = await _store(tmp_path, samples.located(turn))
    for name in (stored.file, stored.preview_file):
        written = files.path(tmp_path, name).read_bytes()
        assert b"SECRET" not in written
        assert b"Exif" not in written
        assert not _read(tmp_path, name).getexif()
    corner = {1: (5, 5), 3: (-5, -5), 6: (-5, 5), 8: (5, -5)}[turn]
    assert ((300, 200) if turn in (1, 3) else (200, 300)) == full.size
    assert _is_red(full, (corner[0] % full.width, corner[1] % full.height))


async def test_a_colour_profile_is_applied_and_dropped(tmp_path: Path) -> None:
    """Telephones photograph in wider colours than sRGB; without the profile those would look dull."""
    _, full, _ = await _store(tmp_path, samples.wide_gamut())
    assert "icc_profile" not in full.info
    red, green, _ = full.convert("RGB").getpixel((5, 5))  # type: ignore[misc]
    assert green > red


async def test_nothing_behind_the_picture_is_kept(tmp_path: Path) -> None:
    """A file that is a picture and a page at once must come out as a picture alone."""
    for data in (
        encoded(scene(), "JPEG"),
        encoded(scene(), "PNG"),
        encoded(scene(), "GIF"),
        encoded(scene(), "WEBP"),
    ):
        stored, _, _ = await _store(tmp_path, data + b"<script>alert('SECRET')</script>")
        assert b"SECRET" not in files.path(tmp_path, stored.file).read_bytes()


async def test_large_pictures_are_made_smaller(tmp_path: Path) -> None:
    """Nobody's screen shows more, and other servers would not keep it either."""
    stored, _, small = await _store(tmp_path, encoded(scene(6000, 5000), "JPEG"))
    assert 3840 * 2160 - 10_000 < stored.width * stored.height <= 3840 * 2160
    assert stored.width * 5 == pytest.approx(stored.height * 6, rel=0.01)
    assert 640 == small.width
    assert files.path(tmp_path, stored.preview_file).stat().st_size <= 400_000


async def test_animations_keep_moving(tmp_path: Path) -> None:
    """Frames and their times survive; one too large is made smaller, not refused."""
    _, full, small = await _store(tmp_path, samples.animation("GIF"))
    assert 6 == getattr(full, "n_frames", 1)
    assert 40 == full.info["duration"]
    assert 0 == full.info["loop"]
    assert 1 == getattr(small, "n_frames", 1)
    _, full, _ = await _store(tmp_path, samples.animation("GIF", size=(1500, 1000), frames=4))
    assert (1024, 682) == full.size
    assert 4 == getattr(full, "n_frames", 1)


@pytest.mark.parametrize(
    ("shape", "size", "expected", "small"),
    [
        (Shape.AVATAR, (900, 600), (400, 400), (128, 128)),
        (Shape.AVATAR, (100, 300), (100, 100), (100, 100)),
        (Shape.HEADER, (2000, 2000), (1500, 500), (600, 200)),
        (Shape.HEADER, (300, 300), (300, 100), (300, 100)),
    ],
)
async def test_profile_pictures_are_cut_to_their_place(
    tmp_path: Path, shape: Shape, size: tuple[int, int], expected: tuple[int, int], small: tuple[int, int]
) -> None:
    """Cut in the middle, never blown up; an animation stands still."""
    stored, full, preview = await _store(tmp_path, encoded(scene(*size), "PNG"), shape)
    assert expected == full.size == (stored.width, stored.height)
    assert small == preview.size
    _, full, _ = await _store(tmp_path, samples.animation("GIF"), shape)
    assert 1 == getattr(full, "n_frames", 1)


REFUSED = {
    "nothing": (b"", "The file is empty"),
    "a page": (b"<html><script>alert(1)</script>", "The file is not a JPEG"),
    "a drawing with script": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "The file is not a JPEG"),
    "a document": (b'{"@context": "https://www.w3.org/ns/activitystreams"}', "The file is not a JPEG"),
    "a bitmap": (encoded(scene(), "BMP"), "The file is not a JPEG"),
    "a TIFF": (encoded(scene(), "TIFF"), "The file is not a JPEG"),
    "a PostScript program": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "The file is not a JPEG"),
    "only a beginning": (b"\xff\xd8\xff", "The file is not a JPEG"),
    "a header alone": (encoded(scene(), "PNG")[:40], "The picture is damaged"),
    "half a JPEG": (encoded(scene(), "JPEG")[:-1500], "The picture is damaged"),
    "half a PNG": (encoded(scene(mode="RGBA"), "PNG")[:-500], "The picture is damaged"),
    "half a GIF": (encoded(scene(mode="P"), "GIF")[:1000], "The picture is damaged"),
    "half a WebP": (encoded(scene(), "WEBP")[:300], "The picture is damaged"),
    "half an AVIF": (encoded(scene(), "AVIF")[:-200], "The picture is damaged"),
    "half a HEIC": (encoded(scene(), "HEIF")[:-200], "The picture is damaged"),
    "2,500 million pixels": (samples.png_promising(50_000, 50_000), "more than 33 million pixels"),
    "a long and thin promise": (samples.png_promising(2**31 - 1, 1), "more than 33 million pixels"),
    "too many frames": (samples.gif_of_many_frames(501), "more than 500 frames"),
    "an empty side": (samples.png_promising(0, 100), "The file is not a JPEG"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_no_sound_picture_is_refused_in_plain_words(tmp_path: Path, case: str) -> None:
    """422 that says what is wrong; nothing is left in the folder."""
    data, words = REFUSED[case]
    with pytest.raises(Invalid) as caught:
        await files.store_image(tmp_path, data, _Limits())
    assert words in str(caught.value)
    assert "file" == caught.value.field
    assert not [left for left in tmp_path.rglob("*") if left.is_file()]


async def test_a_truthful_bomb_within_the_limits_is_harmless(tmp_path: Path) -> None:
    """Ninety kilobytes that unpack to a hundred megabytes: decoded, made smaller, done."""
    stored, full, _ = await _store(tmp_path, samples.png_bomb(5_700))
    assert (2880, 2880) == full.size
    assert stored.bytes < 200_000


async def test_uploads_come_in_pieces_and_end_at_the_limit(tmp_path: Path) -> None:
    """The rest of a file that is too large is not even read."""
    asked = 0

    async def pieces(data: bytes) -> AsyncIterator[bytes]:
        nonlocal asked
        for place in range(0, len(data), 1000):
            asked += 1
            yield data[place : place + 1000]

    stored = await files.store_image(tmp_path, pieces(encoded(scene(), "PNG")), _Limits())
    assert (300, 200) == (stored.width, stored.height)
    asked = 0
    with pytest.raises(TooLarge):
        await files.store_image(tmp_path, pieces(bytes(100_000)), _Limits(max_image_bytes=5000))
    assert 6 == asked


async def test_a_decoder_that_runs_wild_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time, memory, files, processes and the network are closed to whoever takes over a decoder."""
    wild = {
        "while True: pass": "takes too much time or memory",
        "x = bytearray(700 << 20)": "takes too much time or memory",
        "import os; os.kill(os.getpid(), 11)": "damaged",
        "open('/etc/passwd')": "damaged",
        "import socket; socket.socket()": "damaged",
        "import os; os.fork()": "damaged",
    }
    for code, words in wild.items():
        monkeypatch.setattr(decoder, "_DECODE", _child_that_runs(code))
        with pytest.raises(AppError, match=words):
            await files.store_image(tmp_path, encoded(scene(), "PNG"), _Limits())


async def test_the_decoder_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is empty, its working folder is not ours, and nothing but its two files is open."""
    monkeypatch.setenv("YANLU_DATABASE_URL", "postgresql://secret")
    told = "; ".join(
        (
            "import os",
            "assert not [name for name in os.environ if 'YANLU' in name]",
            "assert os.getcwd() == '/'",
            "raise MemoryError",
        )
    )
    monkeypatch.setattr(decoder, "_DECODE", _child_that_runs(told))
    with pytest.raises(Invalid, match="takes too much time or memory"):
        await files.store_image(tmp_path, encoded(scene(), "PNG"), _Limits())


def _child_that_runs(code: str) -> str:
    """The child as it is, with `code` where the decoder would run, after the rights are given up."""
    return f"""
import sys
sys.path.append(sys.argv[1])
from server.media import child, pictures
child.CPU_SECONDS = 1
def make(*_):
    {code}
    raise ValueError
pictures.make = make
child.main(sys.argv[2], *map(int, sys.argv[3:]))
"""


async def test_the_loop_goes_on_while_pictures_are_decoded(tmp_path: Path) -> None:
    """Others must not wait for somebody's upload; this many at once still come out, two at a time."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    start = time.perf_counter()
    stored = await asyncio.gather(
        *(files.store_image(tmp_path, encoded(scene(), "JPEG"), _Limits()) for _ in range(6))
    )
    ticking.cancel()
    assert 6 == len({each.file for each in stored})
    assert ticks > (time.perf_counter() - start) / 0.005 / 5


async def test_the_queue_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above what can be done in time, an honest no at once."""
    monkeypatch.setattr(files, "_MAX_WAITING", 1)
    first, second = await asyncio.gather(
        *(files.store_image(tmp_path, encoded(scene(), "JPEG"), _Limits()) for _ in range(2)),
        return_exceptions=True,
    )
    assert isinstance(first, files.Stored)
    assert isinstance(second, AppError)
    assert 503 == second.status


async def test_files_are_removed_by_name_only(tmp_path: Path) -> None:
    """A name from anywhere else reaches no file."""
    stored, _, _ = await _store(tmp_path, encoded(scene(), "JPEG"))
    await files.remove(tmp_path, stored.file, stored.preview_file, None)
    await files.remove(tmp_path, stored.file)
    assert not files.path(tmp_path, stored.file).exists()
    for name in ("../secret", "a" * 32 + ".html", "a" * 32, "A" * 32 + ".jpg", f"{'a' * 32}.jpg\n", ""):
        with pytest.raises(ValueError, match="not the name"):
            files.path(tmp_path, name)
        assert [] == files.original_names(name)


def test_a_preview_goes_by_its_picture(tmp_path: Path) -> None:
    """The database is asked by the picture's name, whose ending the preview does not tell."""
    key = "0f" * 16
    assert [f"{key}.png"] == files.original_names(f"{key}.png")
    assert f"{key}.gif" in files.original_names(f"{key}-small.jpg")


async def test_what_a_cut_off_upload_left_is_swept_away(tmp_path: Path) -> None:
    """Only when it is surely nobody's any more."""
    (tmp_path / "tmp").mkdir()
    old, young = tmp_path / "tmp" / "old", tmp_path / "tmp" / "young"
    for file in (old, young):
        file.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert 1 == await files.sweep(tmp_path)
    assert not old.exists()
    assert young.exists()
