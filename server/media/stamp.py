"""Writes across a picture who looks at it, when and what for, so that a copy of it says where it came from.

What comes here was encoded anew by our own child process and has lain under an authenticated seal since, so
it is decoded here, in a thread.
"""

from __future__ import annotations

import asyncio
import io

from PIL import Image, ImageDraw, ImageFont

LONGEST_SIDE = 2400
"""Enough to read the smallest print of a paper."""
_ANGLE = 30
_LINES = 14
"""So many lines of writing would fit above one another: no part of a paper is free of it."""


async def stamp(data: bytes, words: str) -> bytes:
    """The picture as a JPEG with `words` across all of it. Letters that the built-in font lacks are left
    out."""
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
    line = "".join(letter for letter in words if " " <= letter <= "~") + "     "
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    font = ImageFont.load_default(height)
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
