"""What the pictures are painted with: a sheet twice as large as is wanted, so that edges come out smooth."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]
_Paint: TypeAlias = Callable[[ImageDraw.ImageDraw, Any], None]
_FINE = 2

WIDE = (1200, 800)
TALL = (900, 1200)
SQUARE = (1000, 1000)


def colour(name: str) -> Colour:
    """A colour from its hexadecimal name."""
    red, green, blue, *_ = ImageColor.getrgb(name)
    return red, green, blue


def mixed(first: str, second: str, share: float) -> Colour:
    """Some of the second colour in the first."""
    a, b = colour(first), colour(second)
    red, green, blue = (round(x + (y - x) * max(0.0, min(1.0, share))) for x, y in zip(a, b, strict=True))
    return red, green, blue


@dataclass(slots=True)
class Canvas:
    """A sheet of `width` x `height`, on which places are measured in those units."""

    width: int
    height: int
    random: Random
    sheet: Image.Image

    @classmethod
    def new(cls, width: int, height: int, random: Random, *, top: str, bottom: str) -> Canvas:
        """A sheet that goes from one colour at the top to another at the bottom."""
        size = width * _FINE, height * _FINE
        fade = Image.linear_gradient("L").resize(size)
        sheet = Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), fade)
        return cls(width, height, random, sheet)

    def shape(self, points: Sequence[Point], fill: Colour | str, *, opacity: float = 1.0) -> None:
        """A filled outline."""
        outline = [(x * _FINE, y * _FINE) for x, y in points]
        self._paint(lambda draw, ink: draw.polygon(outline, fill=ink), fill, opacity)

    def disc(self, x: float, y: float, radius: float, fill: Colour | str, *, opacity: float = 1.0) -> None:
        """A filled circle."""
        box = [(x - radius) * _FINE, (y - radius) * _FINE, (x + radius) * _FINE, (y + radius) * _FINE]
        self._paint(lambda draw, ink: draw.ellipse(box, fill=ink), fill, opacity)

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: Colour | str, *, round_: float = 0
    ) -> None:
        """A filled rectangle, perhaps with round corners."""
        place = [left * _FINE, top * _FINE, right * _FINE, bottom * _FINE]
        ImageDraw.Draw(self.sheet).rounded_rectangle(place, round_ * _FINE, fill=fill)

    def stroke(self, points: Sequence[Point], ink: Colour | str, width: float) -> None:
        """A line with round joints and ends."""
        draw = ImageDraw.Draw(self.sheet)
        path = [(x * _FINE, y * _FINE) for x, y in points]
        draw.line(path, fill=ink, width=max(1, round(width * _FINE)), joint="curve")
        radius = width * _FINE / 2
        for x, y in (path[0], path[-1]):
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=ink)

    def glow(self, x: float, y: float, radius: float, fill: str, strength: float) -> None:
        """Light around a place."""
        size = round(radius * 2 * _FINE)
        light = Image.radial_gradient("L").resize((size, size))
        light = light.point(
            [round(255 * strength * max(0.0, 1 - value / 180) ** 1.7) for value in range(256)]
        )
        self.sheet.paste(
            Image.new("RGB", (size, size), fill),
            (round((x - radius) * _FINE), round((y - radius) * _FINE)),
            light,
        )

    def ridge(self, base: float, height: float, rough: float) -> list[Point]:
        """The line of hills: waves of several lengths, with the sheet's lower corners."""
        waves = [
            (height / (n + 1), self.random.uniform(0.6, 1.4) * (n + 1) * rough, self.random.uniform(0, 6.3))
            for n in range(5)
        ]
        line = [
            (
                x,
                base
                - sum(tall * math.sin(x / self.width * pace * 3.1 + shift) for tall, pace, shift in waves)
                / 2,
            )
            for x in range(0, self.width + 8, 4)
        ]
        return [*line, (self.width + 8, self.height), (0, self.height)]

    def jpeg(self, *, grain: bool = True) -> bytes:
        """The finished picture, with a little of the grain of paper."""
        done = self.sheet.resize((self.width, self.height), Image.Resampling.BOX)
        if grain:
            done = ImageChops.overlay(done, _paper(*done.size))
        out = io.BytesIO()
        done.save(out, "JPEG", quality=88)
        return out.getvalue()

    def _paint(self, paint: _Paint, fill: Colour | str, opacity: float) -> None:
        ink = colour(fill) if isinstance(fill, str) else fill
        if opacity >= 1:
            paint(ImageDraw.Draw(self.sheet), ink)
            return
        mask = Image.new("L", self.sheet.size)
        paint(ImageDraw.Draw(mask), round(opacity * 255))
        place = mask.getbbox()
        if place is not None:
            self.sheet.paste(ink, place, mask.crop(place))


@functools.cache
def _paper(width: int, height: int) -> Image.Image:
    """The grain: made once for a size, since no eye tells one grain from another."""
    return Image.effect_noise((width, height), 22).filter(ImageFilter.GaussianBlur(0.7)).convert("RGB")
