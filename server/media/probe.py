"""What a picture says of itself: kind and size, read from the header by our own code, before any decoder.

Nothing is believed: every length is checked against what is there. The file's name and the type that came
with it are not asked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .model import Header, Kind


class Unreadable(ValueError):
    """Not a picture of a known kind, or its header is broken."""


_BRANDS = {
    b"avif": Kind.AVIF,
    b"avis": Kind.AVIF,
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"), Kind.HEIC),
}


def probe(data: bytes) -> Header:
    """Reads the header of `data`; raises `Unreadable`."""
    try:
        header = _read(data)
    except (struct.error, IndexError) as error:
        raise Unreadable("the header is cut short") from error
    if header.width < 1 or header.height < 1:
        raise Unreadable("a side is empty")
    return header


def _read(data: bytes) -> Header:
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _gif(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[4:8] == b"ftyp":
        return _heif(data)
    raise Unreadable("no known kind of picture")


def _jpeg(data: bytes) -> Header:
    place = 2
    while True:
        if data[place] != 0xFF:
            raise Unreadable("a JPEG segment does not begin where it should")
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            place += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame header
            height, width = struct.unpack_from(">HH", data, place + 5)
            return Header(Kind.JPEG, width, height)
        elif marker in (0xD9, 0xDA):
            raise Unreadable("a JPEG without a size")
        else:
            place += 2 + max(struct.unpack_from(">H", data, place + 2)[0], 2)


def _png(data: bytes) -> Header:
    if data[12:16] != b"IHDR":
        raise Unreadable("a PNG without a header")
    width, height = struct.unpack_from(">II", data, 16)
    frames, place = 1, 33
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        if name == b"acTL":
            frames = max(struct.unpack_from(">I", data, place + 8)[0], 1)
        if name in (b"IDAT", b"IEND", b"acTL"):
            break
        place += 12 + length
    return Header(Kind.PNG, width, height, frames)


def _gif(data: bytes) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    place = 13 + _palette(flags)
    frames = 0
    while place < len(data) and data[place] != 0x3B:
        if data[place] == 0x21:  # an extension
            place = _after_blocks(data, place + 2)
        elif data[place] == 0x2C:  # a frame, which may be larger than the canvas says
            left, top, wide, high, local = struct.unpack_from("<HHHHB", data, place + 1)
            width, height = max(width, left + wide), max(height, top + high)
            frames += 1
            place = _after_blocks(data, place + 11 + _palette(local))
        else:
            break
    return Header(Kind.GIF, width, height, frames)


def _palette(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, place: int) -> int:
    while place < len(data) and data[place]:
        place += data[place] + 1
    return place + 1


def _webp(data: bytes) -> Header:
    chunk = data[12:16]
    if chunk == b"VP8 ":
        if data[23:26] != b"\x9d\x01\x2a":
            raise Unreadable("a WebP without a key frame")
        width, height = struct.unpack_from("<HH", data, 26)
        return Header(Kind.WEBP, width & 0x3FFF, height & 0x3FFF)
    if chunk == b"VP8L":
        if data[20] != 0x2F:
            raise Unreadable("a lossless WebP without its mark")
        bits = struct.unpack_from("<I", data, 21)[0]
        return Header(Kind.WEBP, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if chunk == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        frames, place = 0, 12
        while place + 8 <= len(data):
            name, length = struct.unpack_from("<4sI", data, place)
            frames += name == b"ANMF"
            place += 8 + length + (length & 1)
        return Header(Kind.WEBP, width, height, max(frames, 1))
    raise Unreadable("a WebP of an unknown kind")


def _heif(data: bytes) -> Header:
    """AVIF and HEIC: boxes in boxes; the largest `ispe` is the picture, the smaller ones are its tiles."""
    size = min(struct.unpack_from(">I", data)[0], 1024)
    brands = [data[8:12], *(data[place : place + 4] for place in range(16, size, 4))]
    kind = next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
    if kind is None:
        raise Unreadable("a container that holds no known kind of picture")
    sizes = [
        struct.unpack_from(">II", data, start + 4)
        for meta, end in _boxes(data, 0, len(data), b"meta")
        for properties, end_ in _boxes(data, meta + 4, end, b"iprp")
        for container, end__ in _boxes(data, properties, end_, b"ipco")
        for start, _ in _boxes(data, container, end__, b"ispe")
    ]
    if not sizes:
        raise Unreadable("a picture without a size")
    width, height = max(sizes, key=lambda pair: pair[0] * pair[1])
    return Header(kind, width, height)


def _boxes(data: bytes, place: int, end: int, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Where the contents of each box of that name begin and end, in one level."""
    while place + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, place)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, place + 8)[0], 16
        if size == 0:
            size = end - place
        if size < head:
            raise Unreadable("a box without a length")
        if name == wanted:
            yield place + head, min(place + size, end)
        place += size
