"""Pictures for people who never were: landscapes, still lifes and posters, each painted anew from a number.

The same name and number make the same picture. They are painted, so that nobody takes them for real.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from . import land, things
from .canvas import Canvas, mixed

SCENES: Final[dict[str, Callable[[Random], Canvas]]] = {
    "hills": land.hills,
    "sea": land.sea,
    "city": land.city,
    "moon": land.moon,
    "terraces": land.terraces,
    "bamboo": things.bamboo,
    "blossom": things.blossom,
    "tea": things.tea,
    "noodles": things.noodles,
    "snow": land.snow,
    "road": land.road,
    "poster": things.poster,
    "chart": things.chart,
    "window": things.window,
    "bridge": land.bridge,
}
"""What can be painted."""

_FACES: Final = ("window", "blossom", "noodles", "bamboo", "bridge")


def paint(scene: str, number: int) -> bytes:
    """The picture of that name, as JPEG."""
    return SCENES[scene](_random(f"{scene}/{number}")).jpeg()


def avatar(name: str) -> bytes:
    """A small view in a square: what a person may have for a face here."""
    random = _random(f"avatar/{name}")
    if random.random() < 0.45:
        return SCENES[random.choice(_FACES)](random).jpeg()
    top, bottom, near = random.choice(land.SKIES)
    canvas = Canvas.new(400, 400, random, top=top, bottom=bottom)
    x, y = random.uniform(110, 290), random.uniform(90, 190)
    canvas.glow(x, y, 190, "#fff4d8", 0.7)
    canvas.disc(x, y, random.uniform(38, 62), random.choice(("#fdf3dc", "#f4c26b", "#e2725b", "#ffffff")))
    for step in range(3):
        canvas.shape(
            canvas.ridge(240 + step * 55, 70 - step * 12, 1.2), mixed(bottom, near, 0.35 + step * 0.3)
        )
    return canvas.jpeg(grain=False)


def emblem(name: str) -> bytes:
    """An organisation's sign: one plain figure on one plain ground."""
    random = _random(f"emblem/{name}")
    ground, ink = random.choice((("#1f4e79", "#f3f1eb"), ("#b3261e", "#fbf3e4"), ("#1e5b45", "#f1efe2")))
    canvas = Canvas.new(400, 400, random, top=ground, bottom=ground)
    canvas.shape([(200, 86), (314, 286), (86, 286)], ink)
    canvas.shape([(200, 158), (258, 258), (142, 258)], ground)
    canvas.box(86, 300, 314, 318, ink)
    return canvas.jpeg(grain=False)


def header(name: str) -> bytes:
    """A wide strip for the top of a profile."""
    random = _random(f"header/{name}")
    top, bottom, near = random.choice(land.SKIES)
    canvas = Canvas.new(1500, 500, random, top=top, bottom=bottom)
    canvas.glow(random.uniform(200, 1300), 130, 330, "#fff4d8", 0.55)
    for step in range(4):
        canvas.shape(
            canvas.ridge(300 + step * 50, 90 - step * 14, 2.2), mixed(bottom, near, 0.25 + step * 0.25)
        )
    return canvas.jpeg()


def _random(name: str) -> Random:
    """Chance that comes out the same for the same name."""
    return Random(name)  # noqa: S311 - for painting
