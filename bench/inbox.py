"""Signed posts from other servers, until they can be read here."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from datetime import UTC, datetime
from email.utils import format_datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from msgspec import json

from compliance.activity import Actor, Direction, Follow, Uri
from server.pipeline import submit

from . import load, processes
from . import world as worlds
from .report import Line
from .world import SOURCE, WORDS, World

HOSTS = [f"127.0.1.1:{9_100 + n}" for n in range(20)]
EACH = 5
COUNT = 4_000


async def ingest(world: World) -> list[Line]:
    """Create(Note) to the shared inbox from hosts whose keys are known; done when all of them are stored."""
    actors = await worlds.strangers(world, HOSTS, EACH)
    follows = [
        Follow(
            id=world.road.uris.activity(world.road.ids()),
            actor=world.people[n % len(world.people)].actor,
            target=actor.uri,
        )
        for n, actor in enumerate(actors)
    ]
    await submit(world.road, follows, Direction.OUT, source=SOURCE)
    await world.road.pool.execute("update follow set state = 'accepted' where state = 'requested'")
    await world.road.pool.execute("delete from federation.message")
    key = serialization.load_pem_private_key(world.private_pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    requests = await asyncio.to_thread(
        lambda: [_signed(world, key, actors[n % len(actors)], n) for n in range(COUNT)]
    )
    lines = []
    for concurrency, floor, goal in ((64, 500.0, 2_000.0), (8, 500.0, 800.0)):
        part, requests = requests[: COUNT // 2], requests[COUNT // 2 :]
        before, started = processes.cpu_seconds(world.pid), time.perf_counter()
        have = await _stored(world)
        result = await load.run("127.0.0.1", world.port, part, concurrency=concurrency)
        while await _stored(world) < have + len(part) and time.perf_counter() - started < 60:
            await asyncio.sleep(0.02)
        stored, taken = await _stored(world) - have, time.perf_counter() - started
        cpu = processes.cpu_seconds(world.pid) - before
        name = f"inbox, visible, {concurrency} at once"
        lines.append(Line(name, result, cpu, stored, floor, goal, figure=stored / taken))
    return lines


async def _stored(world: World) -> int:
    count: int = await world.road.pool.fetchval("select count(*) from post where not local")
    return count


def _signed(world: World, key: rsa.RSAPrivateKey, actor: Actor, n: int) -> bytes:
    uri = f"{actor.uri}/statuses/{n}"
    public, followers = "https://www.w3.org/ns/activitystreams#Public", f"{actor.uri}/followers"
    now = datetime.now(UTC)
    note = {
        "id": uri,
        "type": "Note",
        "attributedTo": actor.uri,
        "content": f"<p>{WORDS[n % len(WORDS)]} {n}</p>",
        "published": now.isoformat().replace("+00:00", "Z"),
        "to": [public],
        "cc": [followers],
        "url": uri,
        "sensitive": False,
        "summary": None,
        "inReplyTo": None,
        "tag": [],
        "attachment": [],
        "contentMap": {"zh": f"<p>{WORDS[n % len(WORDS)]} {n}</p>"},
    }
    body = json.encode(
        {
            "@context": ["https://www.w3.org/ns/activitystreams", {"sensitive": "as:sensitive"}],
            "id": Uri(f"{uri}/activity"),
            "type": "Create",
            "actor": actor.uri,
            "published": note["published"],
            "to": [public],
            "cc": [followers],
            "object": note,
        }
    )
    digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    date = format_datetime(now, usegmt=True)
    words = f"(request-target): post /inbox\nhost: {world.host}\ndate: {date}\ndigest: {digest}"
    signature = base64.b64encode(key.sign(words.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    header = (
        f'keyId="{actor.uri}#main-key",algorithm="rsa-sha256",'
        f'headers="(request-target) host date digest",signature="{signature}"'
    )
    return load.post(
        "/inbox",
        world.host,
        body,
        Date=date,
        Digest=digest,
        Signature=header,
        Content_Type="application/activity+json",
    )
