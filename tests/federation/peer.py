"""A foreign server in miniature, on loopback: real HTTP, answers as told, and remembers what it was asked."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from federation.client import Client, Limits
from federation.signatures import SigningKey, make_key_pair

ACTIVITY = "application/activity+json"
OURS = "https://here.example"
PAIR = make_key_pair()
"""Keys take long to make: one pair serves all tests that do not care whose it is."""
OUR_KEY = SigningKey.load(f"{OURS}/actor#main-key", PAIR.private_pem)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Allowed:
    """A peer that an operator allowed."""

    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    first_port: int
    last_port: int


@dataclass(slots=True)
class Peer:
    """The server: `answers` by path, `asked` in order."""

    port: int = 0
    answers: dict[str, web.Response | Answer] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    requests: list[web.BaseRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    def uri(self, path: str) -> str:
        return f"{self.origin}{path}"

    def serve(self, path: str, document: Any, *, content_type: str = ACTIVITY, status: int = 200) -> str:
        """Answers `path` with JSON, and says its address."""
        self.answers[path] = _json(document, content_type, status)
        return self.uri(path)

    def serve_actor(self, name: str, *, key: str | None = PAIR.public_pem, **more: Any) -> str:
        """Answers with a person, whose WebFinger agrees."""
        uri = self.uri(f"/users/{name}")
        document: dict[str, Any] = {
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": uri,
            "type": "Person",
            "preferredUsername": name,
            "inbox": f"{uri}/inbox",
        }
        if key is not None:
            document["publicKey"] = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": key}
        self.serve(f"/users/{name}", document | more)
        self.serve_handle(f"{name}@{self.host}", uri)
        return uri

    def serve_handle(self, handle: str, uri: str, *, subject: str | None = None) -> None:
        """Answers WebFinger for `handle`."""
        document = {
            "subject": f"acct:{subject or handle}",
            "links": [{"rel": "self", "type": ACTIVITY, "href": uri}],
        }
        resource = f"/.well-known/webfinger?resource=acct:{handle}"
        self.serve(resource, document, content_type="application/jrd+json")

    def counts(self, path: str) -> int:
        """How often `path` was asked for."""
        return sum(asked == path for _, asked in self.asked)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path
        self.asked.append((request.method, path))
        self.requests.append(request)
        self.bodies.append(await request.read())
        answer = self.answers.get(path)
        if answer is None:
            return web.Response(status=404)
        if isinstance(answer, web.Response):
            return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
        return await answer(request)  # type: ignore[arg-type]  # a low-level server hands out the base class


def _json(document: Any, content_type: str, status: int) -> web.Response:
    return web.Response(
        body=json.dumps(document).encode(), status=status, headers={"Content-Type": content_type}
    )


def redirect(to: str, status: int = 302) -> web.Response:
    """An answer that sends elsewhere."""
    return web.Response(status=status, headers={"Location": to})


@asynccontextmanager
async def running() -> AsyncIterator[Peer]:
    """A peer on a free port of loopback."""
    peer = Peer()
    runner = web.ServerRunner(web.Server(peer.handle), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    peer.port = runner.addresses[0][1]
    try:
        yield peer
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client_for(*peers: Peer, limits: Limits | None = None, **more: Any) -> AsyncIterator[Client]:
    """A client that may reach these peers and nothing else on loopback."""
    allowed = [Allowed(ipaddress.ip_address("127.0.0.1"), peer.port, peer.port) for peer in peers]
    async with Client(OURS, peers=allowed, limits=limits or Limits(), **more) as client:
        client.key = OUR_KEY
        yield client
