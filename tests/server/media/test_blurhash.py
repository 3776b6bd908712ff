"""The hash, read back the way clients read it."""

from __future__ import annotations

import math

import pytest
from PIL import Image

from server.media.blurhash import encode

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


def _number(text: str) -> int:
    value = 0
    for digit in text:
        value = value * 83 + DIGITS.index(digit)
    return value


def _decode(text: str, x: float, y: float) -> tuple[float, ...]:
    """Linear light at a place between 0 and 1, as the format's own description computes it."""
    across, down = _number(text[0]) % 9 + 1, _number(text[0]) // 9 + 1
    limit = (_number(text[1]) + 1) / 166
    mean = _number(text[2:6])
    terms = [tuple(_linear(mean >> shift & 255) for shift in (16, 8, 0))]
    for place in range(6, len(text), 2):
        value = _number(text[place : place + 2])
        parts = (value // 361, value // 19 % 19, value % 19)
        terms.append(tuple(math.copysign(((part - 9) / 9) ** 2, part - 9) * limit for part in parts))
    assert across * down == len(terms)
    weights = [
        math.cos(math.pi * i * x) * math.cos(math.pi * j * y) for j in range(down) for i in range(across)
    ]
    return tuple(sum(term[part] * w for term, w in zip(terms, weights, strict=True)) for part in range(3))


def _linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _hash(image: Image.Image, across: int = 4, down: int = 3) -> str:
    flat = image.tobytes()
    return encode(list(zip(flat[::3], flat[1::3], flat[2::3], strict=True)), *image.size, across, down)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 30, 60)])
def test_a_plain_sheet_is_its_colour(colour: tuple[int, int, int]) -> None:
    """The mean is exact; the other terms are what a sheet of that size leaves over."""
    hashed = _hash(Image.new("RGB", (32, 32), colour))
    red, green, blue = colour
    assert red << 16 | green << 8 | blue == _number(hashed[2:6])
    assert 28 == len(hashed)


def test_light_and_shade_are_where_they_were() -> None:
    """Dark at the left, bright at the right, red below: told apart when read back."""
    image = Image.new("RGB", (32, 24))
    image.paste((255, 255, 255), (16, 0, 32, 24))
    image.paste((255, 0, 0), (0, 16, 32, 24))
    hashed = _hash(image)
    assert sum(_decode(hashed, 0.1, 0.2)) < 0.6 < sum(_decode(hashed, 0.9, 0.2))
    red, green, blue = _decode(hashed, 0.2, 0.95)
    assert red > 0.5 > green + blue


def test_one_term_is_the_mean_alone() -> None:
    """The smallest hash there is."""
    assert 6 == len(_hash(Image.new("RGB", (8, 8), "green"), 1, 1))
