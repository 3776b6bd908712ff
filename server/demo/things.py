"""Things near at hand: plants, a table, a sheet of paper, a cat."""

from __future__ import annotations

import math
from random import Random

from .canvas import SQUARE, TALL, WIDE, Canvas, Colour, Point, mixed


def bamboo(random: Random) -> Canvas:
    canvas = Canvas.new(*TALL, random, top="#eef2e6", bottom="#d8e3cf")
    for depth in range(3):
        tone = mixed("#c3d2b5", "#2f5d3a", depth / 2)
        for _ in range(3 + depth):
            _stalk(canvas, random.uniform(40, 860), tone, 12 + 10 * depth)
    return canvas


def _stalk(canvas: Canvas, x: float, tone: Colour, thick: float) -> None:
    random, lean = canvas.random, canvas.random.uniform(-60, 60)
    y, joints = float(TALL[1]), random.randint(6, 8)
    for joint in range(joints):
        upper = y - TALL[1] / joints
        left, right = x + lean * joint / joints, x + lean * (joint + 1) / joints
        canvas.stroke([(left, y - 5), (right, upper + 5)], tone, thick)
        if random.random() < 0.7:
            _leaves(canvas, right, upper, tone, thick * 1.1)
        y = upper


def _leaves(canvas: Canvas, x: float, y: float, tone: Colour, size: float) -> None:
    for _ in range(canvas.random.randint(3, 5)):
        turn = canvas.random.choice((-1, 1)) * canvas.random.uniform(0.1, 1.2)
        length = size * canvas.random.uniform(4, 7)
        tip = x + length * math.sin(turn), y + length * math.cos(turn)
        side = math.cos(turn) * size * 0.45, -math.sin(turn) * size * 0.45
        middle = (x + tip[0]) / 2, (y + tip[1]) / 2
        canvas.shape(
            [
                (x, y),
                (middle[0] + side[0], middle[1] + side[1]),
                tip,
                (middle[0] - side[0], middle[1] - side[1]),
            ],
            tone,
        )


def blossom(random: Random) -> Canvas:
    canvas = Canvas.new(*SQUARE, random, top="#f7efe6", bottom="#efe0d2")
    petal = random.choice(("#d9483b", "#e7a1a8", "#f6f1e7", "#c24d6b"))
    ends = _branch(canvas, (60.0, 860.0), -0.75, 46, 6)
    for x, y in ends:
        _flower(canvas, x, y, random.uniform(20, 36), petal)
    return canvas


def _branch(canvas: Canvas, start: Point, turn: float, thick: float, left: int) -> list[Point]:
    random = canvas.random
    length = random.uniform(110, 190) * (0.82 ** (6 - left)) + 40
    bend = turn + random.uniform(-0.35, 0.35)
    end = start[0] + math.cos(bend) * length, start[1] + math.sin(bend) * length
    canvas.stroke([start, end], mixed("#3a2c28", "#6b5149", 1 - left / 6), thick)
    if left == 0 or not (20 < end[0] < 980 and 20 < end[1] < 980):
        return [end]
    found = [end] if left < 4 else []
    for _ in range(2 if random.random() < 0.7 else 1):
        found += _branch(canvas, end, turn + random.uniform(-0.75, 0.75), thick * 0.66, left - 1)
    return found


def _flower(canvas: Canvas, x: float, y: float, size: float, tone: str) -> None:
    shift = canvas.random.uniform(0, 6.3)
    for n in range(5):
        angle = shift + n * 2 * math.pi / 5
        shade = mixed(tone, "#ffffff", canvas.random.uniform(0, 0.25))
        canvas.disc(x + math.cos(angle) * size * 0.55, y + math.sin(angle) * size * 0.55, size * 0.52, shade)
    canvas.disc(x, y, size * 0.2, "#f2c14e")


def tea(random: Random) -> Canvas:
    wood = random.choice((("#b98d63", "#8e6643"), ("#6d5a4c", "#4a3b31"), ("#d9c3a0", "#bda27b")))
    canvas = Canvas.new(*WIDE, random, top=wood[0], bottom=wood[1])
    for _ in range(34):
        y = random.uniform(0, 800)
        canvas.stroke(
            [(0, y), (600, y + random.uniform(-10, 10)), (1200, y)], mixed(*wood, random.random()), 2
        )
    _cup(
        canvas,
        random.uniform(400, 560),
        random.uniform(400, 480),
        210,
        random.choice(("#7a4a21", "#a3b36b", "#c98b3a")),
    )
    for x, y in ((930, 300), (1000, 580)):
        _cup(canvas, x + random.uniform(-30, 30), y + random.uniform(-30, 30), 96, "#c98b3a")
    return canvas


def _cup(canvas: Canvas, x: float, y: float, size: float, tea: str) -> None:
    canvas.disc(x + size * 0.12, y + size * 0.16, size * 1.04, "#2a1f18", opacity=0.3)
    canvas.disc(x, y, size, "#f4f1ea")
    canvas.disc(x, y, size * 0.88, "#dcd6c9")
    canvas.disc(x, y, size * 0.82, tea)
    canvas.glow(x - size * 0.2, y - size * 0.25, size * 0.55, "#ffffff", 0.4)
    for _ in range(3):
        angle, far = canvas.random.uniform(0, 6.3), canvas.random.uniform(0.1, 0.6) * size
        _leaves(
            canvas,
            x + math.cos(angle) * far,
            y + math.sin(angle) * far,
            mixed("#31461f", tea, 0.2),
            size * 0.05,
        )


def noodles(random: Random) -> Canvas:
    table = random.choice(("#2f4858", "#7d3b2e", "#43523d"))
    canvas = Canvas.new(*SQUARE, random, top=table, bottom=_darker(table))
    x, y = 500, 520
    canvas.disc(x + 18, y + 30, 390, "#000000", opacity=0.28)
    canvas.disc(x, y, 380, "#f4efe4")
    canvas.disc(x, y, 340, "#c9642f")
    canvas.glow(x - 60, y - 90, 330, "#f2b35c", 0.5)
    for _ in range(46):
        _noodle(canvas, x, y, 265)
    for _ in range(26):
        angle, far = random.uniform(0, 6.3), random.uniform(0, 270)
        canvas.disc(x + math.cos(angle) * far, y + math.sin(angle) * far, random.uniform(5, 10), "#6fa84f")
    canvas.disc(x + 120, y - 70, 74, "#fffaf0")
    canvas.disc(x + 126, y - 70, 40, "#f2a93b")
    canvas.stroke([(150, 110), (880, 210)], "#5b3a26", 15)
    canvas.stroke([(165, 65), (890, 165)], "#6b452d", 15)
    return canvas


def _noodle(canvas: Canvas, x: float, y: float, reach: float) -> None:
    random = canvas.random
    angle, far = random.uniform(0, 6.3), random.uniform(0, reach * 0.7)
    cx, cy, turn = x + math.cos(angle) * far, y + math.sin(angle) * far, random.uniform(0, 6.3)
    size = random.uniform(40, reach * 0.45)
    points = [
        (cx + math.cos(turn + step / 9) * size * (1 + step / 60), cy + math.sin(turn + step / 9) * size * 0.7)
        for step in range(26)
    ]
    points = [(px, py) for px, py in points if math.hypot(px - x, py - y) < reach + 40]
    if len(points) > 2:
        canvas.stroke(points, mixed("#f3dfa6", "#e0bd6b", random.random()), 10)


def _darker(name: str) -> str:
    """A darker shade of a colour."""
    return "#{:02x}{:02x}{:02x}".format(*mixed(name, "#000000", 0.25))


def poster(random: Random) -> Canvas:
    ground, one, two, three = random.choice(
        (
            ("#f3ead7", "#b3261e", "#1f4e79", "#e3a43b"),
            ("#12263a", "#f4b860", "#c83e4d", "#f4f1de"),
            ("#e8efe9", "#2f6f62", "#e07a5f", "#3d405b"),
        )
    )
    canvas = Canvas.new(*TALL, random, top=ground, bottom=ground)
    canvas.disc(random.uniform(300, 600), random.uniform(330, 480), random.uniform(190, 290), one)
    canvas.shape(
        [(0, 1200), (random.uniform(250, 650), random.uniform(420, 620)), (900, 1200)], two, opacity=0.92
    )
    for step in range(7):
        y = 760 + step * 42
        canvas.stroke([(random.uniform(60, 300), y), (random.uniform(560, 840), y)], three, 9)
    canvas.box(60, 60, 840, 74, two)
    canvas.box(60, 90, 60 + random.uniform(200, 560), 104, one)
    return canvas


def chart(random: Random) -> Canvas:
    canvas = Canvas.new(*WIDE, random, top="#fbfaf7", bottom="#f3f1eb")
    for y in range(160, 740, 116):
        canvas.stroke([(110, y), (1190, y)], "#ddd8cb", 2)
    value = random.uniform(420, 560)
    line: list[Point] = []
    for month in range(12):
        x = 150 + month * 92
        value = max(180.0, min(700.0, value - random.uniform(-60, 95)))
        tall = random.uniform(0.35, 0.9) * (740 - value)
        canvas.box(x - 26, 740 - tall, x + 26, 740, mixed("#93bbe0", "#1f4e79", month / 11), round_=5)
        line.append((x, value))
    canvas.stroke(line, "#b3261e", 6)
    for point in line:
        canvas.disc(*point, 9, "#b3261e")
    canvas.stroke([(110, 740), (1190, 740)], "#555147", 4)
    return canvas


def window(random: Random) -> Canvas:
    """A cat on the sill, looking at the weather."""
    outside = random.choice((("#8fb9d9", "#f6efe3"), ("#2b3a55", "#8a7ca8"), ("#f2c29b", "#f7e7d0")))
    canvas = Canvas.new(*SQUARE, random, top=outside[0], bottom=outside[1])
    for step in range(3):
        canvas.shape(canvas.ridge(560 + step * 70, 80, 1.6), mixed(outside[1], "#4f6367", 0.3 + step * 0.25))
    for _ in range(70):
        x, y = random.uniform(0, 1000), random.uniform(0, 780)
        canvas.stroke([(x, y), (x - 5, y + random.uniform(12, 34))], mixed(outside[0], "#ffffff", 0.6), 2)
    for x in (0, 484, 968):
        canvas.box(x, 0, x + 32, 800, "#5a4636")
    canvas.box(0, 380, 1000, 400, "#5a4636")
    canvas.box(0, 790, 1000, 1000, "#7a6049")
    _cat(canvas, random.uniform(300, 640), 800, random.choice(("#2b2624", "#c98b4b", "#e9e2d6")))
    return canvas


def _cat(canvas: Canvas, x: float, y: float, coat: str) -> None:
    canvas.shape(
        [
            (x - 110, y),
            (x - 92, y - 170),
            (x - 40, y - 245),
            (x + 46, y - 245),
            (x + 96, y - 165),
            (x + 120, y),
        ],
        coat,
    )
    canvas.disc(x, y - 70, 118, coat)
    canvas.disc(x, y - 285, 80, coat)
    canvas.shape([(x - 74, y - 310), (x - 62, y - 400), (x - 8, y - 350)], coat)
    canvas.shape([(x + 74, y - 310), (x + 62, y - 400), (x + 8, y - 350)], coat)
    canvas.stroke([(x + 96, y - 16), (x + 190, y - 8), (x + 236, y - 60), (x + 226, y - 118)], coat, 30)
