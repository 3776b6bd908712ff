"""Writes across a picture who looks at it, when and what for, so that a copy of it says where it came from.

What comes here was encoded anew by our own child process and has lain under an authenticated seal since, so
it is decoded here, in a thread.
"""

from __future__ import annotations

import asyncio
import io
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

LONGEST_SIDE = 2400
"""Enough to read the smallest print of a paper."""
_ANGLE = 30
_LINES = 14
"""So many lines of writing would fit above one another: no part of a paper is free of it."""

FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/wqy-zenhei/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "/System/Library/Fonts/STHeiti Light.ttc",
)
"""Where systems keep Chinese fonts. The built-in one has Latin letters only, and one of our own would weigh
as much as the rest of the server."""
_NOWHERE = "\U0010ffff"
"""A letter that no font has: what is drawn for it is drawn for whatever is missing."""
_TRIED = 24  # pixels
_UPRIGHT = ("W", "F", "A")
"""By the Unicode standard, letters of East Asian typesetting: each stands alone, whatever is beside it."""


def legible(*phrases: str) -> str:
    """The first of these that can be drawn here to its last letter; else what can be of the last one, word by
    word, so that nothing is ever half a name or half a number."""
    for phrase in phrases:
        if _can_draw(phrase):
            return phrase
    return " ".join(word for word in phrases[-1].split() if _can_draw(word))


def _can_draw(text: str) -> bool:
    return _is_latin(text) or ((path := _chinese_font()) != "" and all(_has(path, letter) for letter in text))


def _is_latin(text: str) -> bool:
    return all(" " <= letter <= "~" for letter in text)


@cache
def _chinese_font() -> str:
    """The first font there is; empty where there is none. Looked for once."""
    for path in FONTS:
        if Path(path).is_file():
            try:
                ImageFont.truetype(path, _TRIED)
            except OSError:
                continue
            return path
    return ""


@lru_cache(1024)
def _drawn(path: str, letter: str) -> bytes:
    return bytes(ImageFont.truetype(path, _TRIED).getmask(letter))


def _has(path: str, letter: str) -> bool:
    if _is_latin(letter):
        return True
    stands_alone = unicodedata.east_asian_width(letter) in _UPRIGHT and unicodedata.category(letter)[0] != "M"
    return stands_alone and letter.isprintable() and _drawn(path, letter) != _drawn(path, _NOWHERE)


def _font(line: str, height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if _is_latin(line):
        return ImageFont.load_default(height)
    return ImageFont.truetype(_chinese_font(), height)


async def stamp(data: bytes, words: str) -> bytes:
    """The picture as a JPEG with `words` across all of it, as far as they are `legible`."""
    return await asyncio.to_thread(_stamp, data, words)


def _stamp(data: bytes, words: str) -> bytes:
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as opened:
        opened.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        paper = Image.new("RGB", opened.size, "white")
        picture = opened.convert("RGBA")
    paper.paste(picture, mask=picture.getchannel("A"))
    marked = Image.alpha_composite(paper.convert("RGBA"), _layer(paper.size, words))
    out = io.BytesIO()
    marked.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def _layer(size: tuple[int, int], words: str) -> Image.Image:
    """Rows of the words, slanting, dark on light and light on dark."""
    side = int((size[0] ** 2 + size[1] ** 2) ** 0.5) + 1
    height = max(side // (_LINES * 3), 11)
    line = legible(words) + "     "
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    font = _font(line, height)
    length = max(int(draw.textlength(line, font=font)), 1)
    for row, top in enumerate(range(0, side, height * 3)):
        for left in range(-(row * length // 3) % length - length, side, length):
            draw.text(
                (left, top),
                line,
                font=font,
                fill=(20, 20, 20, 110),
                stroke_width=1,
                stroke_fill=(255, 255, 255, 70),
            )
    turned = layer.rotate(_ANGLE, Image.Resampling.BILINEAR)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return turned.crop((left, top, left + size[0], top + size[1]))
