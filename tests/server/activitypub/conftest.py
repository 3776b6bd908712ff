"""A running server that federates, and a stranger's server on loopback for it to meet."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from federation import signatures
from federation.signatures import Dialect, SigningKey
from server import keys, settings
from server.app import create_app
from server.opening import found
from tests.fixtures.postgres import Database
from tests.fixtures.server import ORIGIN, Answer

AS2 = "application/activity+json"
_PAIR = signatures.make_key_pair()
_OTHER_PAIR = signatures.make_key_pair()


@dataclass
class Stranger:
    """Another server with one well-behaved actor, `fei`; documents may be put up or taken down at will."""

    origin: str = ""
    documents: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    received: list[dict[str, Any]] = field(default_factory=list)
    serial: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def actor(self) -> str:
        return f"{self.origin}/users/fei"

    @property
    def host(self) -> str:
        return self.origin.removeprefix("http://")

    def put(self, path: str, document: object, *, status: int = 200, mime: str = AS2) -> None:
        self.documents[path] = (status, mime, json.dumps(document).encode())

    def put_person(self, name: str, *, key: SigningKey | None = None, **changes: object) -> str:
        """Puts up an actor with a key and a WebFinger entry, and gives their id."""
        id_ = f"{self.origin}/users/{name}"
        pem = _OTHER_PAIR.public_pem if key is not None else _PAIR.public_pem
        person = {
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": id_,
            "type": "Person",
            "preferredUsername": name,
            "name": name.title(),
            "inbox": f"{id_}/inbox",
            "followers": f"{id_}/followers",
            "endpoints": {"sharedInbox": f"{self.origin}/inbox"},
            "publicKey": {"id": f"{id_}#main-key", "owner": id_, "publicKeyPem": pem},
        }
        self.put(f"/users/{name}", person | changes)
        links = [{"rel": "self", "type": AS2, "href": id_}]
        subject = f"acct:{name}@{self.host}"
        self.put(
            f"/.well-known/webfinger?acct:{name}",
            {"subject": subject, "links": links},
            mime="application/jrd+json",
        )
        return id_

    def put_note(self, path: str, **changes: object) -> str:
        """Puts up a public post by `fei`, and gives its id."""
        note = self.note(path, **changes)
        self.put(path, note)
        return str(note["id"])

    def note(self, path: str = "", **changes: object) -> dict[str, Any]:
        path = path or f"/notes/{next(self.serial)}"
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{self.origin}{path}",
            "type": "Note",
            "attributedTo": self.actor,
            "content": "<p>hello</p>",
            "published": "2026-01-02T03:04:05Z",
            "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "cc": [f"{self.actor}/followers"],
        } | changes

    def activity(self, kind: str, object_: object, **changes: object) -> dict[str, Any]:
        """An activity of `fei` with an id of its own."""
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{self.origin}/activities/{next(self.serial)}",
            "type": kind,
            "actor": self.actor,
            "object": object_,
        } | changes

    def key(self, key_id: str | None = None, *, false: bool = False) -> SigningKey:
        """The key of `fei`, or another one under the same id."""
        pair = _OTHER_PAIR if false else _PAIR
        return SigningKey.load(key_id or f"{self.actor}#main-key", pair.private_pem)

    async def answer(self, request: web.Request) -> web.Response:
        resource = request.query.get("resource", "")
        path = f"{request.path}?{resource.partition('@')[0]}" if resource else request.path
        self.asked[path] += 1
        if request.method == "POST":
            self.received.append(json.loads(await request.read()))
            return web.Response(status=202)
        status, mime, body = self.documents.get(path, (404, "text/plain", b"nothing here"))
        return web.Response(status=status, body=body, headers={"Content-Type": mime})


@dataclass(frozen=True)
class Here:
    """The running server, as another one meets it."""

    client: TestClient[web.Request, web.Application]

    @property
    def app(self) -> web.Application:
        return self.client.app  # type: ignore[return-value]

    async def get(self, path: str, *, key: SigningKey | None = None, accept: str = AS2) -> Answer:
        """A GET, signed if there is a key."""
        headers = {"Host": "example.org", "Accept": accept}
        if key is not None:
            url = URL(f"{ORIGIN}{path}")
            headers |= signatures.sign(Dialect.CAVAGE, key, "GET", url, None, now=datetime.now(UTC))
        async with self.client.get(path, headers=headers, allow_redirects=False) as answer:
            body = await answer.read()
            return Answer(
                answer.status, answer.headers, json.loads(body) if "json" in answer.content_type else body
            )

    async def post(
        self,
        path: str,
        document: object,
        key: SigningKey | None,
        *,
        dialect: Dialect = Dialect.CAVAGE,
        now: datetime | None = None,
        signed_as: str = "",
        body: bytes | None = None,
        mime: str = AS2,
        **headers: str | None,
    ) -> Answer:
        """A signed POST. `signed_as` is the address that is signed, `body` what is sent in place of what was
        signed; other names are headers to set, or to leave out.
        """
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        sent: dict[str, str] = {"Host": "example.org"}
        if key is not None:
            url = URL(signed_as or f"{ORIGIN}{path}")
            sent |= signatures.sign(dialect, key, "POST", url, raw, now=now or datetime.now(UTC))
        for name, value in headers.items():
            sent.pop(name.replace("_", "-"), None)
            if value is not None:
                sent[name.replace("_", "-")] = value
        sent["Content-Type"] = mime
        async with self.client.post(
            path, data=io.BytesIO(raw if body is None else body), headers=sent
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.text())

    async def rows(self) -> list[tuple[str, str]]:
        """What was stored: state and activity id."""
        found = await self.app[keys.POOL].fetch(
            "select state, activity_uri from federation.inbound order by id"
        )
        return [(row["state"], row["activity_uri"]) for row in found]

    async def settled(self) -> list[tuple[str, str, str | None]]:
        """The same with errors, once nothing is waiting any more."""
        for _ in range(400):
            found = await self.app[keys.POOL].fetch(
                "select state, activity_uri, error from federation.inbound order by id"
            )
            if found and all(row["state"] != "waiting" for row in found):
                return [(row["state"], row["activity_uri"], row["error"]) for row in found]
            await asyncio.sleep(0.02)
        raise AssertionError("something waits for ever")


@pytest.fixture
async def stranger() -> AsyncIterator[Stranger]:
    """The other server, listening."""
    stranger = Stranger()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stranger.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        stranger.origin = f"http://127.0.0.1:{server.port}"
        stranger.put_person("fei")
        yield stranger


Start = Callable[..., Awaitable[Here]]


@pytest.fixture
async def start(database: Database, tmp_path: Path, stranger: Stranger) -> AsyncIterator[Start]:
    """Starts the server, with changed settings if need be; it may reach the stranger and nobody else."""
    running: list[TestClient[web.Request, web.Application]] = []

    async def start(**changes: Any) -> Here:
        federation = settings.Federation(
            allow_insecure=stranger.host,
            **{n: v for n, v in changes.items() if n in ("signed_fetch", "enabled")},
        )
        made = settings.Settings(
            origin=ORIGIN,
            data=tmp_path,
            database=settings.Database(url=database.url),
            limits=changes.get("limits", settings.Limits(disabled=True)),
            federation=federation,
        )
        app = create_app(made, worker=1)
        client = TestClient(TestServer(app))
        await client.start_server()
        running.append(client)
        await found(app[keys.ROAD])
        return Here(client)

    yield start
    for client in running:
        await client.close()


@pytest.fixture
async def here(start: Start) -> Here:
    """The running server with default settings, and no rate limits."""
    return await start()


@pytest.fixture
def client(here: Here) -> TestClient[web.Request, web.Application]:
    """Where `enter` makes people: the server that federates."""
    return here.client
