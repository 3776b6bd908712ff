"""A picture as a few dozen characters: what shows in its place until it has come.

The format is every fediverse client's: the lowest terms of a cosine transform in linear light, in base 83.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_LINEAR = tuple(v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in range(256))

Colour = tuple[float, float, float]


def encode(pixels: Sequence[tuple[int, int, int]], width: int, height: int, across: int, down: int) -> str:
    """The hash of `width` x `height` sRGB `pixels`, row by row, by `across` x `down` terms (1 to 9 each)."""
    linear = [(_LINEAR[r], _LINEAR[g], _LINEAR[b]) for r, g, b in pixels]
    rows = [linear[y * width : (y + 1) * width] for y in range(height)]
    columns = [[math.cos(math.pi * i * x / width) for x in range(width)] for i in range(across)]
    lines = [[math.cos(math.pi * j * y / height) for y in range(height)] for j in range(down)]
    first, *rest = (
        _term(rows, columns[i], lines[j], (2 if i or j else 1) / (width * height))
        for j in range(down)
        for i in range(across)
    )
    peak = max((abs(part) for term in rest for part in term), default=0.0)
    step = max(0, min(82, math.floor(peak * 166 - 0.5))) if rest else 0
    limit = (step + 1) / 166 if rest else 1.0
    head = _digits(across - 1 + (down - 1) * 9, 1) + _digits(step, 1) + _digits(_mean(first), 4)
    return head + "".join(_digits(_detail(term, limit), 2) for term in rest)


def _term(rows: list[list[Colour]], columns: list[float], weights: list[float], scale: float) -> Colour:
    red = green = blue = 0.0
    for row, weight in zip(rows, weights, strict=True):
        for (r, g, b), column in zip(row, columns, strict=True):
            basis = weight * column
            red += basis * r
            green += basis * g
            blue += basis * b
    return red * scale, green * scale, blue * scale


def _mean(colour: Colour) -> int:
    red, green, blue = (_byte(part) for part in colour)
    return red << 16 | green << 8 | blue


def _byte(linear: float) -> int:
    v = max(0.0, min(1.0, linear))
    return int((v * 12.92 if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055) * 255 + 0.5)


def _detail(colour: Colour, limit: float) -> int:
    value = 0
    for part in colour:
        root = math.copysign(math.sqrt(abs(part) / limit), part)
        value = value * 19 + max(0, min(18, math.floor(root * 9 + 9.5)))
    return value


def _digits(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in reversed(range(length)))
