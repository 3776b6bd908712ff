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


def paint(scene: str, number: int) -> bytes:
    """The picture of that name, as JPEG."""
    return SCENES[scene](_random(f"{scene}/{number}")).jpeg()


def face(kind: str, name: str) -> bytes:
    """What stands beside a name: a scene, the `sun` over hills, or an organisation's emblem."""
    random = _random(f"face/{name}")
    if kind in _EMBLEMS:
        return _EMBLEMS[kind](random)
    return SCENES[kind](random).jpeg()


def _sun(random: Random) -> bytes:
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


def _book(random: Random) -> bytes:
    canvas = Canvas.new(400, 400, random, top="#1e5b45", bottom="#1e5b45")
    for side in (-1, 1):
        page = [
            (200 + side * x, y) for x, y in ((8, 120), (60, 98), (128, 108), (128, 292), (60, 282), (8, 306))
        ]
        canvas.shape(page, "#f1efe2")
    return canvas.jpeg(grain=False)


def _cloud(random: Random) -> bytes:
    canvas = Canvas.new(400, 400, random, top="#1f4e79", bottom="#1f4e79")
    canvas.disc(252, 148, 58, "#f4c26b")
    for x, y, radius in ((140, 232, 54), (200, 200, 70), (264, 230, 56)):
        canvas.disc(x, y, radius, "#f3f1eb")
    canvas.box(140, 226, 264, 286, "#f3f1eb")
    return canvas.jpeg(grain=False)


_EMBLEMS: Final[dict[str, Callable[[Random], bytes]]] = {"sun": _sun, "book": _book, "cloud": _cloud}


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
