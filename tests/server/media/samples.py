"""Pictures made on the spot: good ones of every kind, and files made to deceive or to break a decoder."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageDraw

pillow_heif.register_heif_opener()


def scene(width: int = 300, height: int = 200, mode: str = "RGB") -> Image.Image:
    """A red quarter at the top left of a blue sheet: enough to see turns, cuts and colours."""
    image = Image.new("RGB", (width, height), (20, 40, 200))
    ImageDraw.Draw(image).rectangle((0, 0, width // 2, height // 2), fill=(220, 30, 30))
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize((width, height)))
        return image
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def animation(kind: str, *, frames: int = 6, size: tuple[int, int] = (120, 80)) -> bytes:
    steps = []
    for step in range(frames):
        image = scene(*size)
        ImageDraw.Draw(image).ellipse((step * 3, 20, step * 3 + 20, 40), fill="white")
        steps.append(image)
    return encoded(
        steps[0], kind, save_all=True, append_images=steps[1:], duration=[40, 200] * (frames // 2), loop=0
    )


def located(turn: int = 1) -> bytes:
    """A JPEG as a telephone writes it: place, maker, orientation, comment, preview of the uncut picture."""
    image = scene()
    exif = Image.Exif()
    exif[0x0112] = turn
    exif[0x010F] = "SECRET-MAKER"
    exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 54.0, 0.0), 3: "E", 4: (116.0, 23.0, 0.0)})
    return encoded(image, "JPEG", exif=exif, comment=b"SECRET-COMMENT", xmp=b"<x>SECRET-XMP</x>", quality=95)


def wide_gamut() -> bytes:
    """A picture whose colours are meant otherwise than sRGB: red is stored where green is."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red + 4 : red + 8], profile[green + 4 : green + 8] = (
        profile[green + 4 : green + 8],
        profile[red + 4 : red + 8],
    )
    name = profile.index("sRGB".encode("utf-16-be"))
    profile[name : name + 8] = "Swap".encode("utf-16-be")
    return encoded(Image.new("RGB", (40, 40), (255, 0, 0)), "PNG", icc_profile=bytes(profile))


def png_promising(width: int, height: int) -> bytes:
    """A PNG whose header promises more than the file holds."""
    return _png(width, height, zlib.compress(b""))


def png_bomb(side: int) -> bytes:
    """A few kilobytes that are `side` x `side` black pixels."""
    packer = zlib.compressobj(9)
    return _png(
        side, side, b"".join(packer.compress(bytes(side * 3 + 1)) for _ in range(side)) + packer.flush()
    )


def _png(width: int, height: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", rows), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def gif_of_many_frames(frames: int) -> bytes:
    """A GIF of tiny frames, one byte of picture each."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame * frames + b"\x3b"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
