"""`python -m bench.media`: what a post's text and its pictures cost, beside a bare child process.

Pictures go the whole way of an upload: received, decoded and encoded in a child, both files synced to disk.
Processor time is the children's; the delay is the longest that the event loop was held up meanwhile.
"""

from __future__ import annotations

import asyncio
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pillow_heif
from PIL import Image

from compliance.activity import Uri
from server.demo import pictures
from server.media import files
from server.media.model import Shape
from server.sections import Media
from server.text import markup

TURNS = 12
AT_ONCE = 16
TEXTS = 2_000
POST = (
    "今天和 @alice 去看了那座桥，栏板换过三块。详见https://bridges.example/notes/1934?page=2。查到一张旧图，"
    "坡度差了半度。It rained, we did not mind; @bob@far.example brought tea and #walking shoes. #桥 #古建\n\n"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one kind of picture: seconds of each turn, and the children's processor seconds for each."""

    wall: Sequence[float]
    processor: float

    def line(self, name: str, note: str) -> str:
        milliseconds = sorted(second * 1000 for second in self.wall)
        return (
            f"  {name:34} p50 {statistics.median(milliseconds):7.1f} ms, max {milliseconds[-1]:7.1f} ms,"
            f" {self.processor * 1000:7.1f} ms of processor each; {note}"
        )


async def main() -> None:
    print("text, for a post of 500 characters")
    _texts()
    print("\npictures, one after another")
    bare = await _measure(_bare)
    print(bare.line("a bare child with Pillow in it", "what every picture pays"))
    pillow_heif.register_heif_opener()
    with tempfile.TemporaryDirectory(prefix="yanlu-bench-") as folder:
        for name, data, shape in _samples():
            store = partial(files.store_image, Path(folder), data, Media(), shape=shape)
            one = await store()
            kept = f"{one.mime} {one.width} x {one.height}, {one.bytes >> 10} KiB kept"
            print((await _measure(store)).line(name, f"{len(data) >> 10} KiB in, {kept}"))
        await _together(Path(folder), _samples()[0][1])


def _texts() -> None:
    text = (POST * 5)[:500]
    people = {
        "alice": (
            Uri("https://here.example/users/alice"),
            "https://here.example/@alice",
            "alice@here.example",
        ),
        "bob@far.example": (Uri("https://far.example/u/1"), "https://far.example/@bob", "bob@far.example"),
    }
    work: dict[str, Callable[[], object]] = {
        "render": lambda: markup.render(text, mentions=people, tag_url=lambda name: f"/tags/{name}"),
        "count": lambda: markup.count(text),
        "handles": lambda: markup.handles(text),
    }
    for name, do in work.items():
        times = []
        for _ in range(TEXTS):
            started = time.process_time_ns()
            do()
            times.append((time.process_time_ns() - started) / 1000)
        cuts = statistics.quantiles(times, n=100)
        print(f"  {name:34} mean {statistics.mean(times):7.1f} us, p50 {cuts[49]:.1f}, p99 {cuts[98]:.1f}")


def _samples() -> list[tuple[str, bytes, Shape]]:
    scene = Image.open(io.BytesIO(pictures.paint("hills", 1)))
    sheet = Image.open(io.BytesIO(pictures.paint("poster", 1))).resize((1920, 1080)).quantize(64)
    frames = [scene.resize((480, 320)).rotate(turn, expand=False) for turn in range(0, 60, 2)]
    return [
        ("JPEG, 12 million pixels", _encoded(scene.resize((4000, 3000)), "JPEG", quality=88), Shape.PICTURE),
        ("JPEG, 33 million pixels", _encoded(scene.resize((7000, 4700)), "JPEG", quality=80), Shape.PICTURE),
        ("HEIC, 12 million pixels", _encoded(scene.resize((4000, 3000)), "HEIF", quality=50), Shape.PICTURE),
        ("PNG, a screen", _encoded(sheet, "PNG"), Shape.PICTURE),
        ("WebP, 2 million pixels", _encoded(scene.resize((1700, 1200)), "WEBP", quality=80), Shape.PICTURE),
        (
            "GIF, 30 frames",
            _encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=60),
            Shape.PICTURE,
        ),
        ("avatar", _encoded(scene, "JPEG"), Shape.AVATAR),
    ]


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


async def _bare() -> None:
    await asyncio.to_thread(subprocess.run, [sys.executable, "-I", "-c", "import PIL.Image"], check=True)


async def _measure(do: Callable[[], Awaitable[object]]) -> Cost:
    await do()
    before, wall = os.times(), []
    for _ in range(TURNS):
        started = time.perf_counter()
        await do()
        wall.append(time.perf_counter() - started)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, spent / TURNS)


async def _together(folder: Path, data: bytes) -> None:
    """Many at once: how many a second, and whether anybody else had to wait."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - started - 0.001)

    watching = asyncio.create_task(watch())
    started = time.perf_counter()
    await asyncio.gather(*(files.store_image(folder, data, Media()) for _ in range(AT_ONCE)))
    taken = time.perf_counter() - started
    watching.cancel()
    print(
        f"\n{AT_ONCE} of the first together\n  {AT_ONCE / taken:.1f} pictures/s;"
        f" the event loop was held up for {longest * 1000:.1f} ms at most"
    )


if __name__ == "__main__":
    asyncio.run(main())
