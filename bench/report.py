"""How results are shown: the figure, its distribution, its cost, and how it stands to the floor and the
goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .load import Result


@dataclass(frozen=True, slots=True)
class Line:
    """One measured operation. `cpu` is processor seconds of the whole server, its database included."""

    name: str
    result: Result | None
    cpu: float
    count: int
    floor: float
    goal: float
    unit: str = "/s"
    figure: float | None = None
    """What is compared with floor and goal, where it is not the rate."""
    low_is_good: bool = False


def heading(text: str) -> None:
    print(f"\n{text}")


def show(lines: Sequence[Line], *, bare: float, insert: float, verify: float) -> None:
    """Prints the lines; the ratios are to the machine's own limits of this run."""
    for line in lines:
        figure = line.figure if line.figure is not None else (line.result.rate if line.result else 0.0)
        good = figure <= line.floor if line.low_is_good else figure >= line.floor
        word = "ok" if good else "BELOW THE FLOOR"
        print(
            f"  {line.name:34} {figure:9.1f} {line.unit:4} "
            f"floor {line.floor:7.0f}  goal {line.goal:7.0f}  {word}"
        )
        if line.result is not None:
            p = [line.result.percentile(share) * 1000 for share in (0.5, 0.95, 0.99)]
            print(
                f"  {'':34} p50 {p[0]:.1f} ms, p95 {p[1]:.1f} ms, p99 {p[2]:.1f} ms; "
                f"answers {line.result.statuses}"
            )
        if line.count and line.cpu:
            print(
                f"  {'':34} {line.cpu / line.count * 1000:.3f} ms of processor each; "
                f"{figure / bare:.3f} of bare aiohttp, {figure / insert:.3f} of bare INSERT, "
                f"{figure / verify:.3f} of bare verify"
            )
