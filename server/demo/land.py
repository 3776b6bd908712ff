"""Landscapes, by day and by night."""

from __future__ import annotations

import math
from random import Random
from typing import Final

from .canvas import WIDE, Canvas, Colour, Point, mixed

SKIES: Final = (
    ("#23395b", "#f2b880", "#2b2d42"),
    ("#8fb9d9", "#f6efe3", "#3d5a6c"),
    ("#f3d9c9", "#dfe7e3", "#50665c"),
    ("#0f2033", "#39587a", "#0a1420"),
    ("#e9c8a5", "#f7eddb", "#7a4a36"),
    ("#a7c4b5", "#eef2e2", "#2f4a3d"),
    ("#5b4b7a", "#f0a58f", "#2c2440"),
    ("#c9d6df", "#f5f5f2", "#52616b"),
)
"""Colours that go together: above, at the horizon, and near."""


def hills(random: Random) -> Canvas:
    top, bottom, near = random.choice(SKIES)
    canvas = Canvas.new(*WIDE, random, top=top, bottom=bottom)
    x, y = random.uniform(250, 1030), random.uniform(140, 300)
    canvas.glow(x, y, 420, "#fff1cf", 0.8)
    canvas.disc(x, y, random.uniform(36, 70), "#fff6e2")
    steps = random.randint(5, 7)
    for step in range(steps):
        share = (step + 1) / steps
        canvas.shape(
            canvas.ridge(400 + 420 * share * 0.8, 150 - 90 * share, 1 + share), mixed(bottom, near, share)
        )
    if random.random() < 0.5:
        _birds(canvas, mixed(top, near, 0.8))
    return canvas


def sea(random: Random) -> Canvas:
    top, bottom, near = random.choice(SKIES)
    canvas = Canvas.new(*WIDE, random, top=top, bottom=bottom)
    x, line = random.uniform(380, 900), random.uniform(430, 520)
    canvas.glow(x, line - 60, 430, "#ffe9c4", 0.85)
    canvas.disc(x, line - random.uniform(0, 110), 62, "#fff3d6")
    canvas.box(0, line, WIDE[0], WIDE[1], mixed(top, near, 0.35))
    for step in range(90):
        depth = (step / 90) ** 1.6
        y = line + 6 + depth * (WIDE[1] - line)
        shine = abs(random.gauss(0, 1))
        length, shift = 18 + 90 * depth, random.gauss(0, 40 + 260 * depth)
        tone = mixed(bottom, near, min(1, 0.2 + shine * 0.4 + abs(shift) / 700))
        canvas.stroke([(x + shift - length, y), (x + shift + length, y)], tone, 1.5 + 4 * depth)
    if random.random() < 0.6:
        _boat(canvas, random.uniform(200, 1080), line + random.uniform(60, 190), near)
    return canvas


def city(random: Random) -> Canvas:
    canvas = Canvas.new(*WIDE, random, top="#101a33", bottom=random.choice(("#5a4a78", "#7d4f50", "#33658a")))
    canvas.glow(random.uniform(200, 1000), 620, 600, "#f2b880", 0.35)
    for layer, (ground, tone) in enumerate(((560, "#2a3350"), (640, "#1d2440"), (740, "#121728"))):
        x = -20.0
        while x < WIDE[0]:
            wide, tall = random.uniform(50, 130), random.uniform(90, 330 - 40 * layer)
            canvas.box(x, ground - tall, x + wide, WIDE[1], tone)
            _windows(canvas, x, ground - tall, wide, tall + 120, chance=0.16 + 0.12 * layer)
            x += wide + random.uniform(-8, 26)
    return canvas


def _windows(canvas: Canvas, x: float, y: float, wide: float, tall: float, *, chance: float) -> None:
    for column in range(int(wide // 14)):
        for row in range(int(tall // 18)):
            if canvas.random.random() < chance:
                left, top = x + 6 + column * 14, y + 8 + row * 18
                tone = mixed("#f7d58b", "#e8f0f2", canvas.random.random() ** 3)
                canvas.box(left, top, left + 6, top + 9, tone)


def moon(random: Random) -> Canvas:
    canvas = Canvas.new(*WIDE, random, top="#0b1526", bottom="#2f4a6d")
    for _ in range(140):
        tone = mixed("#2f4a6d", "#ffffff", random.random())
        canvas.disc(random.uniform(0, 1200), random.uniform(0, 520), random.uniform(0.6, 2.0), tone)
    x, y = random.uniform(350, 930), random.uniform(150, 260)
    canvas.glow(x, y, 300, "#dfe8ee", 0.7)
    canvas.disc(x, y, 74, "#f4f1e4")
    for _ in range(5):
        canvas.disc(
            x + random.uniform(-40, 40),
            y + random.uniform(-40, 40),
            random.uniform(5, 15),
            "#e3dfcd",
            opacity=0.7,
        )
    for step in range(4):
        canvas.shape(
            canvas.ridge(560 + step * 80, 120 - step * 20, 1.5),
            mixed("#2f4a6d", "#060b14", 0.3 + step * 0.22),
        )
    return canvas


def terraces(random: Random) -> Canvas:
    canvas = Canvas.new(*WIDE, random, top="#dfe9e4", bottom="#f5ecd0")
    greens = random.choice((("#c9d8a3", "#3e6b3a"), ("#e8d28a", "#8a6a1f"), ("#b6d7d4", "#2f6f73")))
    canvas.shape(canvas.ridge(250, 90, 1.3), "#a9bdb8")
    for step in range(12):
        share = step / 11
        edge = canvas.ridge(300 + 560 * share, 90 - 40 * share, 1.1 + share)
        canvas.shape(edge, mixed(*greens, share))
        canvas.stroke(edge[:-2], mixed(greens[0], "#ffffff", 0.55), 2 + 3 * share)
    return canvas


def snow(random: Random) -> Canvas:
    canvas = Canvas.new(*WIDE, random, top="#b9c7d3", bottom="#eef1f3")
    for step in range(4):
        canvas.shape(
            canvas.ridge(420 + step * 110, 100 - step * 12, 1.1), mixed("#d3dce3", "#ffffff", step / 3)
        )
        for _ in range(14 - step * 3):
            _fir(canvas, random.uniform(0, 1200), 440 + step * 115 + random.uniform(-30, 40), 40 + 26 * step)
    for _ in range(260):
        canvas.disc(
            random.uniform(0, 1200), random.uniform(0, 800), random.uniform(1, 4), "#ffffff", opacity=1
        )
    return canvas


def _fir(canvas: Canvas, x: float, y: float, size: float) -> None:
    tone = mixed("#6f8a86", "#27423f", min(1, size / 120))
    for step in range(3):
        wide, top = size * (0.28 + 0.16 * step), y - size * (1.1 - 0.3 * step)
        canvas.shape(
            [(x, top - size * 0.25), (x + wide, top + size * 0.32), (x - wide, top + size * 0.32)], tone
        )


def road(random: Random) -> Canvas:
    top, bottom, near = random.choice(SKIES)
    canvas = Canvas.new(*WIDE, random, top=top, bottom=bottom)
    canvas.glow(640, 420, 480, "#fff1cf", 0.7)
    canvas.shape(canvas.ridge(440, 80, 1.4), mixed(bottom, near, 0.3))
    canvas.box(0, 450, 1200, 800, mixed(bottom, near, 0.55))
    middle = random.uniform(560, 720)
    left: list[Point] = []
    right: list[Point] = []
    for step in range(60):
        depth = (step / 59) ** 1.8
        y, x = 450 + depth * 410, middle + math.sin(step / 9) * 60 * (1 - depth)
        left.append((x - 6 - 330 * depth, y))
        right.append((x + 6 + 330 * depth, y))
    canvas.shape([*left, *reversed(right)], mixed(bottom, "#ffffff", 0.35))
    for (ax, ay), (bx, _) in zip(left[8::7], right[8::7], strict=True):
        canvas.stroke(
            [((ax + bx) / 2, ay), ((ax + bx) / 2, ay + (ay - 450) * 0.08 + 2)], near, 2 + (ay - 450) / 60
        )
    return canvas


def bridge(random: Random) -> Canvas:
    canvas = Canvas.new(*WIDE, random, top="#d7e3ea", bottom="#f7efe0")
    canvas.shape(canvas.ridge(430, 90, 1.2), "#b7c8cb")
    canvas.box(0, 540, 1200, 800, "#9fb8b5")
    canvas.shape([(140, 560), *_arch(640, 560, 520, 210), (1140, 560)], "#6d6a62")
    canvas.shape([(330, 562), *_arch(640, 562, 270, 130), (950, 562)], "#9fb8b5")
    canvas.shape(
        [(330, 566), *((x, 1132 - y) for x, y in _arch(640, 566, 270, 110)), (950, 566)],
        "#c7d6d2",
        opacity=0.7,
    )
    for step in range(40):
        y = 580 + step * 7
        x = random.uniform(0, 1200)
        canvas.stroke(
            [(x, y), (x + random.uniform(40, 160), y)], mixed("#9fb8b5", "#ffffff", random.random() * 0.5), 2
        )
    _boat(canvas, random.uniform(200, 1050), random.uniform(680, 760), "#3a3a36")
    return canvas


def _arch(x: float, y: float, wide: float, tall: float) -> list[Point]:
    return [
        (x - wide * math.cos(step / 40 * math.pi), y - tall * math.sin(step / 40 * math.pi))
        for step in range(41)
    ]


def _boat(canvas: Canvas, x: float, y: float, tone: str) -> None:
    canvas.shape([(x - 84, y), (x + 84, y), (x + 52, y + 24), (x - 56, y + 24)], tone)
    canvas.shape([(x - 8, y - 6), (x - 8, y - 128), (x + 62, y - 18)], mixed(tone, "#ffffff", 0.75))
    canvas.stroke([(x - 10, y), (x - 10, y - 136)], tone, 4)


def _birds(canvas: Canvas, tone: Colour) -> None:
    random = canvas.random
    x, y = random.uniform(200, 900), random.uniform(120, 260)
    for _ in range(random.randint(3, 7)):
        bx, by, size = x + random.uniform(-130, 130), y + random.uniform(-60, 60), random.uniform(9, 18)
        canvas.stroke([(bx - size, by - size * 0.5), (bx, by), (bx + size, by - size * 0.5)], tone, 2.5)
