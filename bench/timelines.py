"""Posting, reading timelines, reading pages, resting."""

from __future__ import annotations

from msgspec import json

from . import load, processes
from .report import Line
from .world import WORDS, World

JSON = "application/json"


async def measure(
    world: World, name: str, requests: list[bytes], *, at_once: int, floor: float, goal: float
) -> Line:
    """Sends the requests and says what they took of the server."""
    before = processes.cpu_seconds(world.pid)
    result = await load.run("127.0.0.1", world.port, requests, concurrency=at_once)
    return Line(name, result, processes.cpu_seconds(world.pid) - before, len(requests), floor, goal)


async def posting(world: World) -> list[Line]:
    """New posts by app, everybody in turn, each with its fan-out, decision and record."""
    requests = [
        load.post(
            "/api/v1/statuses",
            world.host,
            json.encode({"status": f"{WORDS[n % len(WORDS)]} {n}", "language": "zh"}),
            Authorization=f"Bearer {world.people[n % len(world.people)].token}",
            Content_Type=JSON,
        )
        for n in range(3_000)
    ]
    return [await measure(world, "post, 32 at once", requests, at_once=32, floor=300, goal=1_000)]


async def home(world: World) -> list[Line]:
    """The newest twenty of the home timeline."""
    requests = [
        load.get(
            "/api/v1/timelines/home?limit=20",
            world.host,
            Authorization=f"Bearer {world.people[n % len(world.people)].token}",
        )
        for n in range(12_000)
    ]
    await load.run("127.0.0.1", world.port, requests[:1_000], concurrency=16)
    return [
        await measure(world, "home, newest 20, 16 at once", requests, at_once=16, floor=3_000, goal=6_000)
    ]


async def deep_page(world: World) -> list[Line]:
    """Twenty from far down the home timeline."""
    cursors = {
        person.token: await world.road.pool.fetchval(
            "select post_id from feed where owner_id = $1 order by post_id desc offset 200 limit 1",
            person.actor.id,
        )
        for person in world.people
    }
    requests = [
        load.get(
            f"/api/v1/timelines/home?limit=20&max_id={cursors[person.token]}",
            world.host,
            Authorization=f"Bearer {person.token}",
        )
        for n in range(8_000)
        for person in [world.people[n % len(world.people)]]
    ]
    await load.run("127.0.0.1", world.port, requests[:1_000], concurrency=16)
    return [await measure(world, "home, deep, 16 at once", requests, at_once=16, floor=2_500, goal=3_500)]


async def pages(world: World) -> list[Line]:
    """Profile and post pages for visitors."""
    rows = await world.road.pool.fetch(
        "select p.id, a.username from post p join account a on a.id = p.account_id "
        "where p.local order by p.id desc limit 200"
    )
    names = sorted({row["username"] for row in rows})
    profiles = [load.get(f"/@{names[n % len(names)]}", world.host, Accept="text/html") for n in range(6_000)]
    posts = [
        load.get(f"/@{row['username']}/{row['id']}", world.host, Accept="text/html")
        for n in range(6_000)
        for row in [rows[n % len(rows)]]
    ]
    for warm in (profiles, posts):
        await load.run("127.0.0.1", world.port, warm[:500], concurrency=16)
    return [
        await measure(world, "profile page, signed out", profiles, at_once=16, floor=1_000, goal=3_000),
        await measure(world, "post page, signed out", posts, at_once=16, floor=1_500, goal=4_000),
    ]


async def resting(world: World) -> list[Line]:
    """Memory of all processes, with the embedded database, at this moment."""
    used = processes.memory(world.pid) / 1e6
    return [Line("memory", None, 0, 0, 300, 200, unit="MB", figure=used, low_is_good=True)]
