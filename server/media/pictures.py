"""Decodes a picture and makes the two that are kept of it: the one that opens, and a small one for timelines.

Always encoded anew from the pixels alone: no metadata, no place, no comment, nothing hidden behind the end of
the file. What metadata said about the pixels is applied to them first: turned upright, colours made sRGB.
Runs in the child process only (`server.media.child`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageCms, ImageOps, ImageSequence

from . import blurhash
from .model import Header, Kind, Made, Shape

LARGEST_AREA = 3840 * 2160
"""Pixels that are kept; what has more is made smaller. Other servers keep no more either."""

LARGEST_SIDE = 8192
SMALL = (640, 1280)
SMALL_BYTES = 400_000
_QUICK_AREA = 2_000_000
"""Pixels below which a PNG is packed well; above, that would take a third of the time there is."""

_LOSSLESS_BYTES = 3 * 1024 * 1024
_MOVING_SIDE = 1024
_MOVING_AREA = {"GIF": 60_000_000, "WEBP": 30_000_000}
"""Pixels of all frames of an animation together, by what its encoder holds in memory."""

_SHORTEST_FRAME = 20  # milliseconds
_LONGEST_FRAME = 60_000
_HASHED_SIDE = 32
_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")


_CUTS = {Shape.AVATAR: ((400, 400), (128, 128)), Shape.HEADER: ((1500, 500), (600, 200))}


def make(data: bytes, header: Header, shape: Shape, full: BinaryIO, small: BinaryIO) -> Made:
    """Writes the picture and its small twin into the two files."""
    with Image.open(io.BytesIO(data), formats=[header.kind]) as opened:
        if opened.width * opened.height > header.pixels:
            raise ValueError("larger than its header says")
        moving = header.frames > 1 and shape is Shape.PICTURE
        still = _still(opened, header, shape)
        size, kind = (
            _write_moving(opened, header, full) if moving else (still.size, _write_still(still, header, full))
        )
    little = _small(still, shape)
    small_kind = _write_small(little, small)
    return Made(kind, *size, small_kind, *little.size, _hash(little))


def _still(opened: Image.Image, header: Header, shape: Shape) -> Image.Image:
    """The picture, or an animation's first frame: upright, in sRGB, cut and no larger than is kept."""
    bounds = _fitting(opened.size, LARGEST_AREA, LARGEST_SIDE)
    if header.kind is Kind.JPEG and shape is Shape.PICTURE:
        opened.draft(None, bounds)  # decodes at 1/2, 1/4 or 1/8 where that is still enough
    profile = opened.info.get("icc_profile")
    image = ImageOps.exif_transpose(opened)
    if image.mode == "P" and not profile and shape is Shape.PICTURE and image.size == bounds:
        return image
    image = _plain(image, profile)
    if shape is Shape.PICTURE:
        target = _fitting(image.size, LARGEST_AREA, LARGEST_SIDE)
        if target != image.size:
            image = image.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)
    else:
        image = ImageOps.fit(image, _no_larger(_CUTS[shape][0], image.size), Image.Resampling.LANCZOS)
    return _srgb(image, profile)


def _plain(image: Image.Image, profile: bytes | None) -> Image.Image:
    """`image` as RGB, or RGBA where something shows through; CMYK stays for its colour profile to be read."""
    if image.mode.startswith("I"):  # 16 bits of grey, which a plain conversion would cut off at white
        image = image.point(lambda value: value / 256).convert("L")
    if image.mode in _ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        is_clear = image.getchannel("A").getextrema() != (255, 255)
        return image if is_clear else image.convert("RGB")
    if image.mode == "CMYK" and profile:
        return image
    return image.convert("RGB")


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """`image` with the colours that its profile means, as sRGB; a profile that cannot be read is left out."""
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(source):
                mode = "RGBA" if image.mode == "RGBA" else "RGB"
                turned = ImageCms.profileToProfile(image, source, _SRGB, outputMode=mode)
                if turned is not None:
                    return turned
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGB")


_SRGB = ImageCms.createProfile("sRGB")


def _small(image: Image.Image, shape: Shape) -> Image.Image:
    if image.mode == "P":
        image = _plain(image, None)
    if shape is Shape.PICTURE:
        ratio = min(1.0, *(most / side for most, side in zip(SMALL, image.size, strict=True)))
        size = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
    else:
        size = _no_larger(_CUTS[shape][1], image.size)
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0) if size != image.size else image


def _fitting(size: tuple[int, int], area: int, side: int) -> tuple[int, int]:
    """`size`, shrunk in proportion until neither area nor side is too large."""
    width, height = size
    ratio = min(1.0, (area / (width * height)) ** 0.5, side / width, side / height)
    return max(1, int(width * ratio)), max(1, int(height * ratio))


def _no_larger(cut: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """`cut`, in proportion, for a picture that is smaller than it: nothing is blown up."""
    ratio = min(1.0, size[0] / cut[0], size[1] / cut[1])
    return max(1, round(cut[0] * ratio)), max(1, round(cut[1] * ratio))


def _bare(image: Image.Image) -> Image.Image:
    """`image` without anything an encoder might copy into the file: comments, profiles, dates, places."""
    kept = image.info.get("transparency") if image.mode == "P" else None
    image.info = {} if kept is None else {"transparency": kept}
    return image


def _write_still(image: Image.Image, header: Header, out: BinaryIO) -> str:
    """Drawings stay lossless while small; photographs become JPEG, or WebP if they were, or are clear."""
    image = _bare(image)
    if header.kind in (Kind.PNG, Kind.GIF):
        image.save(out, "PNG", compress_level=6 if image.width * image.height < _QUICK_AREA else 3)
        if out.tell() <= _LOSSLESS_BYTES:
            return "PNG"
        out.seek(0)
        out.truncate()
        image = _bare(_plain(image, None))
    if header.kind is Kind.WEBP or image.mode == "RGBA":
        image.save(out, "WEBP", quality=88, method=2)
        return "WEBP"
    image.save(out, "JPEG", quality=88, progressive=True, optimize=True)
    return "JPEG"


def _write_small(image: Image.Image, out: BinaryIO) -> str:
    kind = "WEBP" if image.mode == "RGBA" else "JPEG"
    for quality in (80, 60, 40, 20):
        out.seek(0)
        out.truncate()
        _bare(image).save(out, kind, quality=quality, method=4, progressive=True, optimize=True)
        if out.tell() <= SMALL_BYTES:
            break
    return kind


def _write_moving(opened: Image.Image, header: Header, out: BinaryIO) -> tuple[tuple[int, int], str]:
    """An animation as GIF where it was one, which every server shows moving; as WebP otherwise."""
    kind = "GIF" if header.kind is Kind.GIF else "WEBP"
    target = _fitting(opened.size, _MOVING_AREA[kind] // header.frames, _MOVING_SIDE)
    moves = _Moves([], [])
    frames = _frames(opened, target, moves)
    first = next(frames)
    loop = {} if "loop" not in opened.info else {"loop": opened.info["loop"]}
    first.save(
        out,
        kind,
        save_all=True,
        # The GIF encoder takes frames one by one, and `moves` is filled just ahead of it; WebP wants a list.
        append_images=frames if kind == "GIF" else list(frames),
        duration=moves.durations,
        disposal=moves.disposals,
        quality=75,
        method=2,
        **loop,
    )
    return target, kind


@dataclass(frozen=True, slots=True)
class _Moves:
    """How long each frame stays, and whether it is wiped away after that."""

    durations: list[int]
    disposals: list[int]


def _frames(opened: Image.Image, target: tuple[int, int], moves: _Moves) -> Iterator[Image.Image]:
    for frame in ImageSequence.Iterator(opened):
        image = _plain(frame, None)
        duration = int(frame.info.get("duration", 100))
        moves.durations.append(max(_SHORTEST_FRAME, min(duration, _LONGEST_FRAME)))
        moves.disposals.append(2 if image.mode == "RGBA" else 1)
        yield _bare(image.resize(target, Image.Resampling.BILINEAR) if target != image.size else image)


def _hash(image: Image.Image) -> str:
    little = image.copy()
    little.thumbnail((_HASHED_SIDE, _HASHED_SIDE))
    if little.mode == "RGBA":
        paper = Image.new("RGBA", little.size, "white")
        little = Image.alpha_composite(paper, little)
    flat = little.convert("RGB").tobytes()
    pixels = list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    across, down = (4, 3) if little.width >= little.height else (3, 4)
    return blurhash.encode(pixels, *little.size, across, down)
