"""`python -m bench [NAME ...]`: runs benchmarks and prints what was measured, beside the machine's own
limits."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from . import machine, world
from .delivery import deliver
from .inbox import ingest
from .report import Line, heading, show
from .timelines import deep_page, home, pages, posting, resting

Bench = Callable[[world.World], Awaitable[list[Line]]]
BENCHES: dict[str, Bench] = {
    "memory": resting,
    "post": posting,
    "home": home,
    "deep": deep_page,
    "pages": pages,
    "inbox": ingest,
    "delivery": deliver,
}
PEOPLE = 200
FOLLOWS = 60
POSTS = 6_000


async def main(names: list[str]) -> None:
    heading("the machine's own limits")
    bare = await asyncio.to_thread(machine.bare_aiohttp)
    print(
        f"  bare aiohttp, one process      {bare.rate:8.0f} requests/s, "
        f"p99 {bare.percentile(0.99) * 1000:.1f} ms"
    )
    verified = await asyncio.to_thread(machine.bare_verify)
    print(f"  RSA-2048 verified, one core    {verified:8.0f} /s")
    with tempfile.TemporaryDirectory(prefix="yanlu-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        peers = "127.0.1.1:9100-9399"
        async with world.running(
            Path(folder) / "data", people=PEOPLE, env={"YANLU_FEDERATION_ALLOW_INSECURE": peers}
        ) as one:
            rows = await machine.bare_insert(
                one.road.settings.database.owner_url or one.road.settings.database.url
            )
            print(f"  bare INSERT, 8 connections     {rows:8.0f} rows/s")
            heading("filling the server")
            await world.follow_each_other(one, FOLLOWS)
            await world.write(one, POSTS)
            print(f"  {PEOPLE} people, each following {FOLLOWS}; {POSTS} posts")
            for name in names or list(BENCHES):
                heading(name)
                show(await BENCHES[name](one), bare=bare.rate, insert=rows, verify=verified)


if __name__ == "__main__":
    wrong = [name for name in sys.argv[1:] if name not in BENCHES]
    if wrong:
        sys.exit(f"no such benchmark: {', '.join(wrong)}; there are {', '.join(BENCHES)}")
    asyncio.run(main(sys.argv[1:]))
