"""Every route is asked nonsense, as somebody and as nobody: no answer is ever a 5xx, and each error is in the
form that the asker reads (rule F7).
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import random
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, DummyCookieJar, FormData, TCPConnector
from yarl import URL

from server import logs
from server.pipeline import Road
from server.store.model import Role
from tests.fixtures.server import Client, Enter
from tests.fixtures.stranger import Here, Stranger

from . import hostile
from .world import Door, doors, open_browser, open_desk, png, said, upload

ROUNDS = 5
"""For each route and run of the tests; a longer hunt is the same with a larger number and another seed."""
SEED = 20261124
NAMES = hostile.names()


class Attacker:
    """Somebody with an account, a desk and no manners."""

    def __init__(self, client: Client, seed: int) -> None:
        self.client = client
        self.pick = random.Random(seed)  # noqa: S311 - the same nonsense each time
        self.tokens: list[str | None] = [None]
        self.cookies: list[tuple[str, str]] = [("", "")]
        self.ids: list[str] = []
        self.failures: list[str] = []
        self.asked = 0

    async def attack(self, session: ClientSession, door: Door) -> None:
        pick = self.pick
        path = door.at({name: pick.choice([*hostile.IDS, *self.ids, "alice"]) for name in door.names})
        query = {
            pick.choice(NAMES): str(value)
            for value in pick.sample(hostile.VALUES, 2)
            if isinstance(value, (str, int)) and len(str(value)) < 600 and "\ud800" not in str(value)
        }
        headers = self._credentials(door)
        options: dict[str, Any] = {}
        if door.method != "GET":
            options["data"], mime = self._body(door)
            if mime:
                headers["Content-Type"] = mime
        address = URL(str(self.client.make_url("/")).rstrip("/") + path, encoded=True).update_query(query)
        if len(str(address)) > 8_000:
            return
        async with session.request(
            door.method, address, headers=headers, allow_redirects=False, **options
        ) as answer:
            self.asked += 1
            if wrong := _wrong(door, answer, await said(answer)):
                self.failures.append(f"{door} {path[:80]} {str(options)[:200]}: {wrong}")

    def _credentials(self, door: Door) -> dict[str, str]:
        if door.is_api:
            token = self.pick.choice(self.tokens)
            return {"Authorization": f"Bearer {token}"} if token else {}
        cookie, csrf = self.cookies[-1] if "/admin" in door.path else self.pick.choice(self.cookies)
        return {"Cookie": f"yanlu_session={cookie}", "X-CSRF-Token": csrf} if cookie else {}

    def _body(self, door: Door) -> tuple[Any, str]:
        pick = self.pick
        fields = {pick.choice(NAMES): pick.choice(hostile.VALUES) for _ in range(pick.randint(1, 5))}
        match pick.choice(["json", "json", "form", "files", "raw"]) if door.is_api else "form":
            case "json":
                return json.dumps(fields).encode(), "application/json"
            case "form":
                return {name: str(v).encode("utf-8", "replace").decode() for name, v in fields.items()}, ""
            case "files":
                form = FormData(default_to_multipart=True)
                for name, value in fields.items():
                    form.add_field(name, str(value).encode("utf-8", "replace").decode())
                content = pick.choice([b"", b"\x89PNG\r\n\x1a\n", b"<svg/>", png().read(), b"GIF89a\xff\xff"])
                name = pick.choice(["file", "avatar", "header"])
                form.add_field(
                    name, io.BytesIO(content), filename=pick.choice(["a.png", "../../x", "x" * 999])
                )
                return form, ""
            case _:
                return pick.choice(hostile.BODIES), pick.choice(hostile.TYPES)


def _wrong(door: Door, answer: ClientResponse, body: bytes) -> str:
    """What is wrong with an answer; empty for nothing."""
    if answer.status >= 500:
        return f"{answer.status} {body[:100]!r}"
    if answer.status >= 400 and door.is_api:
        try:
            error = json.loads(body)["error"]
        except (ValueError, KeyError, TypeError):
            return f"not in Mastodon's form: {answer.status} {body[:100]!r}"
        return "" if error and isinstance(error, str) else f"an error without words: {body[:100]!r}"
    return ""


@pytest.mark.parametrize("part", ["api", "pages"])
async def test_no_nonsense_is_ever_a_500(client: Client, enter: Enter, road_of: Road, part: str) -> None:
    """Wrong types, ids of every shape, bodies that are not what they say: always the sender's mistake."""
    alice, bob, carol = await enter("alice"), await enter("bob"), await enter("carol")
    post = await alice.post("hello #x @bob")
    attacker = Attacker(client, SEED)
    attacker.ids = [post["id"], await upload(alice), str(alice.id), str(bob.id)]
    attacker.tokens += [alice.token] * 4
    page = await open_browser(client, road_of, alice)
    desk = await open_desk(client, road_of, carol, [Role.ADMIN, Role.EDITOR, Role.COMPLIANCE, Role.REVIEWER])
    attacker.cookies += [(browser.cookie, await browser.csrf()) for browser in (page, desk)]
    connector = TCPConnector(force_close=True)
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as session:
        for door in doors(client.app):
            if door.is_api is (part == "api") and door.path not in ("/logout", "/settings/account/close"):
                for _ in range(ROUNDS):
                    await attacker.attack(session, door)
    assert [] == attacker.failures
    assert attacker.asked > 400


GOOD: dict[str, dict[str, Any]] = {
    "POST /api/v1/apps": {
        "client_name": "x",
        "redirect_uris": "urn:ietf:wg:oauth:2.0:oob",
        "scopes": "read",
        "website": "https://a.example",
    },
    "POST /api/v1/accounts": {
        "username": "newone",
        "email": "new@mail.example",
        "password": "a long password",
        "agreement": False,
        "locale": "en",
    },
    "POST /oauth/token": {
        "grant_type": "client_credentials",
        "client_id": "x",
        "client_secret": "x",
        "scope": "read",
        "code": "x",
        "code_verifier": "x",
        "redirect_uri": "x",
    },
    "POST /api/v1/statuses": {
        "status": "x",
        "spoiler_text": "x",
        "visibility": "public",
        "language": "en",
        "media_ids": [],
        "in_reply_to_id": None,
        "sensitive": False,
    },
    "PUT /api/v1/statuses/{post}": {
        "status": "y",
        "spoiler_text": "x",
        "language": "en",
        "media_ids": [],
        "media_attributes": [],
    },
    "PATCH /api/v1/accounts/update_credentials": {
        "display_name": "x",
        "note": "x",
        "fields_attributes": [{"name": "a", "value": "b"}],
        "source": {"privacy": "public", "language": "en", "sensitive": False},
        "locked": False,
    },
    "POST /api/v1/reports": {
        "account_id": "{bob}",
        "status_ids": [],
        "comment": "x",
        "category": "spam",
        "rule_ids": [],
    },
    "POST /api/v1/accounts/{bob}/mute": {"duration": 0, "notifications": True},
    "POST /api/v1/accounts/{bob}/follow": {"reblogs": True, "notify": True},
    "POST /api/v1/markers": {"home": {"last_read_id": "1"}},
    "GET /api/v2/search": {"q": "a", "type": "accounts", "limit": "5", "offset": "0", "account_id": "1"},
    "GET /api/v1/accounts/search": {"q": "a", "limit": "1", "offset": "0"},
    "GET /api/v1/accounts/lookup": {"acct": "bob"},
    "GET /api/v1/accounts/relationships": {"id[]": "1"},
    "GET /api/v1/accounts/{bob}/statuses": {"tagged": "x", "max_id": "1", "limit": "1"},
    "GET /api/v1/notifications": {"limit": "1", "types[]": "mention", "account_id": "1", "min_id": "1"},
    "GET /api/v1/statuses": {"id[]": "1"},
    "GET /.well-known/webfinger": {"resource": "acct:bob@example.org"},
}
"""Requests that go through. Spoiling one member of each reaches what lies behind the checks of the others."""


async def test_one_bad_member_in_a_good_request_is_never_a_500(client: Client, enter: Enter) -> None:
    """Each member of each body and query in turn, by each hostile value."""
    alice, bob = await enter("alice"), await enter("bob")
    ids = {"post": (await alice.post("x"))["id"], "bob": str(bob.id)}
    failures = []
    for line, good in GOOD.items():
        method, _, path = line.partition(" ")
        base = {name: ids["bob"] if value == "{bob}" else value for name, value in good.items()}
        for name in base:
            for value in hostile.VALUES:
                if method == "GET":
                    if len(str(value)) > 1_500 or value == "\ud800":
                        continue
                    options: dict[str, Any] = {"params": base | {name: str(value)}}
                else:
                    raw = json.dumps(base | {name: value}).encode()
                    options = {"data": raw, "headers": {"Content-Type": "application/json"}}
                answer = await alice.call(method, path.format(**ids), **options)
                if answer.status >= 500 or (answer.status >= 400 and "error" not in answer.body):
                    failures.append((line, name, str(value)[:60], answer.status))
    assert [] == failures


async def test_headers_that_are_no_text_are_not_our_failure(client: Client, enter: Enter) -> None:
    """Bytes come as lone surrogates, which no database takes; a false packing breaks while it is read."""
    alice = await enter("alice")
    token = f"Authorization: Bearer {alice.token}\r\n".encode()
    for name, value in hostile.HEADERS:
        own = b"" if name == b"Authorization" else token
        for line, more, body in (
            (b"POST /api/v1/statuses", b"Content-Type: application/json\r\n", b'{"status": "x"}'),
            (
                b"POST /login",
                b"Content-Type: application/x-www-form-urlencoded\r\n",
                b"username=a&password=b",
            ),
            (b"POST /inbox", b"Content-Type: application/activity+json\r\n", b"{}"),
            (b"GET /home", b"", b""),
        ):
            head = b"%s HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n%s%s%s: %s\r\n" % (
                line,
                own,
                more,
                name,
                value,
            )
            raw = await _raw(client, b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body))
            assert int(raw.split(b" ", 2)[1]) < 500, (line, name, raw[:400])


async def test_noise_is_answered_and_leaves_no_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """What is not HTTP gets its 400; nobody fills the log with tracebacks, or puts addresses into it."""
    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(logs._is_ours)
    try:
        for line in (
            b"BREW / HTTP/1.1",
            b"GET /\xff HTTP/1.1",
            b"GET / HTTP/9.9",
            b"GET /%s HTTP/1.1" % (b"a" * 9_000),
        ):
            raw = await _raw(client, line + b"\r\nHost: example.org\r\nConnection: close\r\n\r\n")
            assert 400 == int(raw.split(b" ", 2)[1]), line[:40]
    finally:
        logger.removeFilter(logs._is_ours)
    assert [] == [record.getMessage() for record in caplog.records if record.name == "aiohttp.server"]


async def _raw(client: Client, sent: bytes) -> bytes:
    """What comes back for exactly these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    try:
        writer.write(sent)
        await writer.drain()
        return await asyncio.wait_for(reader.read(1_000), 10)
    finally:
        writer.close()
        await writer.wait_closed()


def _mutated(pick: random.Random, value: Any, depth: int = 0) -> Any:
    """`value` with a few places of it replaced by what does not belong there."""
    if pick.random() < (0.06 if depth else 0.0):
        return pick.choice([v for v in hostile.VALUES if not isinstance(v, str) or "\ud800" not in v])
    if isinstance(value, dict):
        changed = {name: _mutated(pick, inner, depth + 1) for name, inner in value.items()}
        if pick.random() < 0.1:
            changed[pick.choice(["@context", "@graph", "@id", "type", "bto", "actor", "object", "id"])] = (
                pick.choice([None, [], {}, "x", 7, [{"@reverse": {}}]])
            )
        return changed
    if isinstance(value, list):
        return [_mutated(pick, inner, depth + 1) for inner in value] * pick.choice([1, 1, 1, 2])
    return value


async def test_mutated_activities_break_neither_inbox_nor_worker(here: Here, stranger: Stranger) -> None:
    """Signed by a true key and wrong inside: taken or refused, never a 5xx, and the worker goes on to the
    next.
    """
    pick = random.Random(SEED)  # noqa: S311 - the same nonsense each time
    note = stranger.note(
        tag=[{"type": "Mention", "href": "http://example.org/users/an", "name": "@an"}, {"type": "Hashtag"}],
        attachment=[{"type": "Document", "mediaType": "image/png", "url": f"{stranger.origin}/a.png"}],
    )
    whole = [
        stranger.activity("Create", note),
        stranger.activity("Update", note | {"updated": "2026-02-01T00:00:00Z"}),
        stranger.activity("Delete", {"id": note["id"], "type": "Tombstone"}),
        stranger.activity("Announce", note["id"], to=[], cc={}),
        stranger.activity("Undo", {"type": "Like", "actor": stranger.actor, "object": note["id"]}),
        stranger.activity("Update", stranger.document("/users/fei")),
        stranger.activity("Flag", ["http://example.org/users/an"], content="x"),
    ]
    statuses = set()
    for number in range(180):
        document = _mutated(pick, pick.choice(whole))
        document["id"] = document["id"] if pick.random() < 0.1 else f"{stranger.origin}/fuzz/{number}"
        answer = await here.post("/inbox", document, stranger.key())
        statuses.add(answer.status)
        assert answer.status < 500, document
        if answer.status >= 400:
            assert json.loads(answer.body)["error"], document
    assert {202, 400} <= statuses
    assert {"done"} == {state for state, _, _ in await here.settled()}
