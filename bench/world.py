"""A real server in processes of its own, filled with a community of the size a benchmark needs.

People and follows are written as the server itself writes them; posts go down the road in batches,
so that home timelines,
counts and records are what they would be.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compliance import agreements, identity
from compliance.activity import AccountId, Actor, Create, Direction, Follow, Note, Uri, Visibility
from compliance.records import Source
from server import keypair
from server.db import access
from server.ids import MAX_WORKER
from server.membership import digest
from server.opening import open_road
from server.pipeline import Road, submit
from server.sources import load as load_settings
from server.store import accounts, tokens

SOURCE = Source.internal("bench")
WORDS = (
    "今天的云很好看,适合出去走走。",
    "Reading about lighthouses again; the keepers' logs are wonderful.",
    "晚饭做了番茄鸡蛋面,简单又好吃。",
    "春天第一次骑车上班,风里有花香。",
    "A quiet morning, a good book, strong tea.",
)


@dataclass(frozen=True, slots=True)
class Person:
    """A member with a token for the client API."""

    actor: Actor
    name: str
    token: str


@dataclass(slots=True)
class World:
    """The running server, a road to its database, and who lives there."""

    origin: str
    host: str
    port: int
    pid: int
    road: Road
    people: list[Person]
    private_pem: bytes
    public_pem: str


@contextlib.asynccontextmanager
async def running(
    folder: Path, *, people: int, workers: int = 2, env: Mapping[str, str] | None = None
) -> AsyncIterator[World]:
    """A fresh server with `people` members, each with a verified identity and a token."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    origin = f"http://127.0.0.1:{port}"
    settings = {
        "YANLU_ORIGIN": origin,
        "YANLU_LIMITS_DISABLED": "1",
        "YANLU_LOG_PATH": str(folder / "log.jsonl"),
        "YANLU_LOG_LEVEL": "warning",
        **(env or {}),
    }
    command = [
        sys.executable,
        "-m",
        "server",
        "serve",
        "--data",
        str(folder),
        "--port",
        str(port),
        "--workers",
        str(workers),
    ]
    process = subprocess.Popen(
        command,
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await _healthy(origin, process)
        os.environ.update(settings)
        loaded = load_settings(arguments={"data": str(folder)}).settings
        with access.running(loaded) as (found, _):
            async with open_road(found, worker=MAX_WORKER, for_jobs=True) as road:
                public_pem, private_pem = await keypair.new()
                world = World(origin, road.uris.host, port, process.pid, road, [], private_pem, public_pem)
                world.people = await _members(world, people)
                yield world
    finally:
        process.terminate()
        process.wait(20)


async def follow_each_other(world: World, each: int) -> None:
    """Each person follows the next `each` people."""
    everybody = world.people
    acts = [
        Follow(
            id=world.road.uris.activity(world.road.ids()),
            actor=one.actor,
            target=everybody[(n + k) % len(everybody)].actor.uri,
        )
        for n, one in enumerate(everybody)
        for k in range(1, each + 1)
    ]
    for start in range(0, len(acts), 500):
        await submit(world.road, acts[start : start + 500], Direction.OUT, source=SOURCE)


async def write(world: World, posts: int) -> list[Uri]:
    """`posts` public posts, by everybody in turn."""
    made = [note(world, world.people[n % len(world.people)], n) for n in range(posts)]
    for start in range(0, posts, 200):
        await submit(world.road, made[start : start + 200], Direction.OUT, source=SOURCE)
    return [one.note.uri for one in made]


def note(world: World, author: Person, n: int) -> Create:
    """A post of ordinary length."""
    uris = world.road.uris
    id_ = world.road.ids()
    text = f"{WORDS[n % len(WORDS)]} {n}"
    uri = uris.post(author.name, id_)
    return Create(
        id=uris.create_of(uri),
        actor=author.actor,
        note=Note(
            uri=uri,
            author=author.actor.uri,
            url=uris.post_page(author.name, id_),
            html=f"<p>{text}</p>",
            text=text,
            source=text,
            language="zh-CN",
            visibility=Visibility.PUBLIC,
            published=world.road.clock(),
        ),
    )


async def strangers(world: World, hosts: Sequence[str], each: int) -> list[Actor]:
    """Accounts of other servers whose keys are known, `each` on every host; all have the world's own key
    pair."""
    found = []
    async with world.road.pool.acquire() as conn, conn.transaction():
        for host in hosts:
            for n in range(each):
                actor = Actor(id=AccountId(world.road.ids()), uri=Uri(f"http://{host}/users/u{n}"), host=host)
                await conn.execute(
                    "insert into account "
                    "(id, username, host, uri, url, inbox, shared_inbox, created_at, fetched_at) "
                    "values ($1, $2, $3, $4, $4, $5, $6, $7, $7)",
                    actor.id,
                    f"u{n}",
                    host,
                    actor.uri,
                    f"{actor.uri}/inbox",
                    f"http://{host}/inbox",
                    world.road.clock(),
                )
                await conn.execute("insert into account_count (account_id) values ($1)", actor.id)
                await conn.execute(
                    "insert into actor_key (key_id, account_id, public_pem, created_at) "
                    "values ($1, $2, $3, $4)",
                    f"{actor.uri}#main-key",
                    actor.id,
                    world.public_pem,
                    world.road.clock(),
                )
                found.append(actor)
    return found


async def _members(world: World, count: int) -> list[Person]:
    road = world.road
    people = []
    async with road.pool.acquire() as conn, conn.transaction():
        app_id = road.ids()
        await tokens.insert_app(
            conn,
            id=app_id,
            name="bench",
            website=None,
            redirect_uris=["urn:ietf:wg:oauth:2.0:oob"],
            scopes=["read", "write"],
            client_id=secrets.token_hex(8),
            client_secret_hash=b"-",
            now=road.clock(),
        )
        for n in range(count):
            name, id_, now = f"person{n}", AccountId(road.ids()), road.clock()
            key_id = road.uris.key(name)
            await accounts.insert_local(
                conn,
                id=id_,
                username=name,
                uris=road.uris,
                public_pem=world.public_pem,
                private_sealed=road.sealer.seal(world.private_pem, context=f"actor-key:{key_id}"),
                now=now,
            )
            await conn.execute(
                "insert into member "
                "(account_id, email_sealed, email_index, email_confirmed_at, password, created_at, seen_at) "
                "values ($1, '', $2, $3, '', $3, $3)",
                id_,
                name.encode(),
                now,
            )
            await agreements.accept(conn, id_, locale="en", now=now, new_id=road.ids, source=SOURCE)
            await identity.attest(conn, id_, reason="bench", by=None, now=now, new_id=road.ids, source=SOURCE)
            token = secrets.token_urlsafe(32)
            await tokens.insert(
                conn,
                token_hash=digest(token),
                id=road.ids(),
                app_id=app_id,
                account_id=id_,
                scopes=["read", "write"],
                now=now,
            )
            people.append(Person(Actor(id=id_, uri=road.uris.actor(name), host=None), name, token))
    return people


def _ask(url: str) -> None:
    urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - our own server


async def _healthy(origin: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at start with {process.returncode}")
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_ask, f"{origin}/health")
            return
        await asyncio.sleep(0.1)
    raise RuntimeError("the server did not come up within a minute")
