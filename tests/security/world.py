"""What attacks share: the router's own list of routes, browsers with sessions, codes and pictures.

The lists of routes come from the application itself, so a route that is added is attacked from its first day.
"""

from __future__ import annotations

import base64
import io
import re
import struct
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from aiohttp import ClientResponse, FormData, hdrs, web
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from compliance.activity import AccountId
from server import membership, secondfactor
from server.http.routes import Needs, declared
from server.pipeline import Road
from server.store import members
from server.store.model import Role
from tests.fixtures.server import SOURCE, Answer, Caller, Client

_NOBODY = AccountId(0)
API = ("/api/", "/oauth/token", "/oauth/revoke", "/oauth/userinfo")


@dataclass(frozen=True, slots=True)
class Door:
    """One route, as the router knows it."""

    method: str
    path: str
    needs: Needs

    @property
    def names(self) -> list[str]:
        """The parameters in its path."""
        return re.findall(r"\{(\w+)\}", self.path)

    def at(self, values: Mapping[str, object], otherwise: object = "1") -> str:
        """Its address with these values."""
        return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], otherwise)), self.path)

    @property
    def is_api(self) -> bool:
        return self.path.startswith(API)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def doors(app: web.Application) -> list[Door]:
    """Every route, once."""
    found = {}
    for route in app.router.routes():
        needs = declared(route.handler)
        if needs is None or route.method == hdrs.METH_HEAD or route.resource is None:
            continue
        path = route.resource.canonical
        if len(path) > 1 and path.endswith("/"):
            continue  # the API's second spelling
        found[route.method, path] = Door(route.method, path, needs)
    return list(found.values())


async def said(answer: ClientResponse) -> bytes:
    """The body; of a stream, which has no end, what comes first."""
    if answer.content_type != "text/event-stream":
        return await answer.read()
    first = await answer.content.readany()
    answer.close()
    return first


@dataclass(frozen=True, slots=True, eq=False)
class Browser:
    """Somebody who reads pages and sends their forms."""

    client: Client
    cookie: str = ""
    id: AccountId = _NOBODY
    name: str = ""
    more: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"Accept": "text/html", "Accept-Language": "en"} | self.more
        if self.cookie:
            headers["Cookie"] = f"yanlu_session={self.cookie}"
        headers |= options.pop("headers", {})
        self.client.session.cookie_jar.clear()  # what one browser was given is no other one's
        async with self.client.request(
            method, path, headers=headers, allow_redirects=False, **options
        ) as answer:
            return Answer(answer.status, answer.headers, (await said(answer)).decode("utf-8", "replace"))

    async def csrf(self, path: str = "/settings/security") -> str:
        """The token that this person's forms carry."""
        page = await self.get(path)
        found = re.search(r'name="csrf" value="([^"]+)"', page.body)
        assert found is not None, (path, page.status)
        return unescape(found[1])

    async def send(self, path: str, form: Mapping[str, Any] | None = None, **options: Any) -> Answer:
        """A form of ours, filled in and sent."""
        body = FormData({"csrf": await self.csrf()} | dict(form or {}))
        return await self.call("POST", path, data=body, **options)


async def open_browser(client: Client, road: Road, caller: Caller) -> Browser:
    """The pages, logged in as somebody without a second factor."""
    async with road.pool.acquire() as conn:
        member = await members.get(conn, caller.id)
    cookie = await membership.open_session(road, member, source=SOURCE)
    return Browser(client, cookie, caller.id, caller.name)


async def open_desk(client: Client, road: Road, caller: Caller, roles: Sequence[Role]) -> Browser:
    """The pages, logged in as staff whose second factor was given just now."""
    await give_second_factor(road, caller.id)
    async with road.pool.acquire() as conn, conn.transaction():
        for role in roles:
            await members.grant_role(conn, caller.id, role, granted_by=None, now=road.clock())
        member = await members.get(conn, caller.id)
    cookie = await membership.open_session(road, member, source=SOURCE, twice=True)
    return Browser(client, cookie, caller.id, caller.name)


async def give_second_factor(road: Road, account_id: AccountId) -> str:
    """Puts a second factor in force, and gives its secret."""
    enrolment = await secondfactor.start(road, account_id)
    await secondfactor.enable(road, account_id, code_of(enrolment.secret), source=SOURCE)
    return enrolment.secret


def code_of(secret: str, *, steps: int = 0) -> str:
    """The code of an app that has `secret`; `steps` away from now."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return TOTP(key, 6, SHA1(), 30).generate(int(time.time()) + 30 * steps).decode()  # noqa: S303


def png(width: int = 4, height: int = 4, extra: bytes = b"") -> io.BytesIO:
    """A small picture, with `extra` chunks before its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = b"".join(b"\x00" + b"\x40\x80\xc0" * min(width, 64) for _ in range(min(height, 64)))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + head + extra + pixels + chunk(b"IEND", b""))


async def upload(caller: Caller, description: str = "") -> str:
    """A picture of somebody's, not on any post."""
    form = FormData({"description": description})
    form.add_field("file", png(), filename="a.png", content_type="image/png")
    answer = await caller.call("POST", "/api/v2/media", data=form)
    return str(answer.raised().body["id"])
