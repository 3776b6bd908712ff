"""Small plots as numbers for SVG: what a template draws without a script and without a style of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 320, 120
_EDGE = 8


@dataclass(frozen=True, slots=True)
class Dot:
    """A moment on the curve."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A value over time: what was, as a line with a dot for each change; what will be, as another line."""

    past: str
    future: str
    dots: tuple[Dot, ...]
    marks: tuple[tuple[float, str], ...]
    """Heights that mean something, with their names."""
    now: float
    """Where the present is, from the left."""
    width: int = WIDTH
    height: int = HEIGHT


def curve(
    past: Sequence[tuple[datetime, float]],
    future: Sequence[tuple[datetime, float]],
    changes: Sequence[tuple[datetime, float]],
    marks: Sequence[tuple[float, str]],
) -> Curve:
    """Fits everything into one picture. Both series have a moment at least, `future` begins now."""
    moments = [moment for moment, _ in (*past, *future)]
    values = [value for _, value in (*past, *future)] + [value for value, _ in marks]
    first, last = min(moments), max(moments)
    low, high = min(values), max(values)
    if high - low < 1:
        low, high = low - 1, high + 1

    def across(moment: datetime) -> float:
        whole = (last - first).total_seconds() or 1
        return round(_EDGE + (moment - first).total_seconds() / whole * (WIDTH - 2 * _EDGE), 1)

    def up(value: float) -> float:
        return round(HEIGHT - _EDGE - (value - low) / (high - low) * (HEIGHT - 2 * _EDGE), 1)

    def line(series: Sequence[tuple[datetime, float]]) -> str:
        return " ".join(f"{across(moment)},{up(value)}" for moment, value in series)

    return Curve(
        past=line(past),
        future=line(future),
        dots=tuple(Dot(across(moment), up(value)) for moment, value in changes),
        marks=tuple((up(value), words) for value, words in marks),
        now=across(future[0][0]),
    )


def share(count: int, most: int) -> float:
    """The length of a bar, in percent of the longest."""
    return round(100 * count / most, 1) if most else 0.0
