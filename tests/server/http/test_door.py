"""What stands before every handler: declarations, bodies, origins, errors, headers.

On a bare application: none of this needs a database.
"""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer
from msgspec import Struct

from server import changes, keys
from server.errors import Invalid, NotFound, TooMany
from server.http import accesslog, auth, body, errors, guard, headers, limits, routes
from server.http.routes import Reach, Undeclared, get, needs, post
from server.ids import system_clock
from server.sections import Limits, Server
from server.settings import Settings

ORIGIN = "https://example.org"


class _Said(Struct):
    status: str = ""
    media_ids: list[int] = []
    sensitive: bool = False


@needs(reach=Reach.NONE)
async def _echo(request: web.Request) -> web.Response:
    form = await body.read(request, limit=2 * body.MIB)
    said = form.to(_Said)
    file = form.upload("file")
    return web.json_response(
        {
            "status": said.status,
            "media_ids": said.media_ids,
            "sensitive": said.sensitive,
            "file": None if file is None else [file.name, len(await file.read())],
        }
    )


@needs()
async def _page(request: web.Request) -> web.Response:
    return web.Response(text="<p>hello", content_type="text/html")


@needs()
async def _raise(request: web.Request) -> web.Response:
    match request.query["what"]:
        case "not-found":
            raise NotFound
        case "invalid":
            raise Invalid("Too long: %(limit)s", field="status", limit=5)
        case "too-many":
            raise TooMany(retry_after=7)
        case _:
            raise ValueError("a secret of the inside")


@needs("write:statuses")
async def _private(request: web.Request) -> web.Response:
    raise AssertionError("nobody gets here")


@needs(reach=Reach.NONE)
async def _rows(request: web.Request) -> web.Response:
    return web.json_response((await body.read(request)).params)


TABLE = [
    post("/api/rows", _rows),
    post("/api/echo", _echo),
    get("/api/echo", _echo),
    get("/api/raise", _raise),
    post("/api/private", _private),
    get("/page", _page),
    post("/page", _page),
    get("/raise", _raise),
]


@pytest.fixture
async def door() -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(middlewares=[accesslog.middleware, errors.middleware, guard.middleware])
    app.on_response_prepare.append(headers.add)
    app[keys.SETTINGS] = Settings(
        origin=ORIGIN, server=Server(trusted_proxies="127.0.0.1"), limits=Limits(anonymous_requests=50)
    )
    app[keys.CLOCK] = system_clock
    app[limits.LIMITER] = limits.Limiter(app[keys.SETTINGS].limits)
    app[auth.SEEN] = auth.Seen()
    routes.mount(app, TABLE)
    routes.check(app)
    async with TestClient(TestServer(app)) as client:
        yield client


Door = TestClient[web.Request, web.Application]


async def test_json_form_and_multipart_say_the_same(door: Door) -> None:
    """Clients use all three, and a server that takes only one breaks most of them."""
    meant = {"status": "héllo", "media_ids": [1, 2], "sensitive": True, "file": None}
    fields = [("status", "héllo"), ("media_ids[]", "1"), ("media_ids[]", "2"), ("sensitive", "true")]
    multipart = FormData(fields, default_to_multipart=True)
    assert meant == await _json(door, json={"status": "héllo", "media_ids": ["1", 2], "sensitive": True})
    assert meant == await _json(door, data=FormData(fields))
    assert meant == await _json(door, data=multipart)
    async with door.get("/api/echo?status=h%C3%A9llo&media_ids[]=1&media_ids[]=2&sensitive=1") as answer:
        assert meant == await answer.json()


async def test_a_list_of_objects_may_go_without_numbers(door: Door) -> None:
    """As Mastodon's own documentation spells it; the next object begins where a name comes again."""
    pairs = [("rows[][id]", "1"), ("rows[][text]", "one"), ("rows[][tags][]", "a"), ("rows[][tags][]", "b")]
    pairs += [("rows[][id]", "2"), ("rows[][in][x]", "3"), ("rows[][in][y]", "4"), ("rows[][in][x]", "5")]
    first = {"id": "1", "text": "one", "tags": ["a", "b"]}
    rows = [first, {"id": "2", "in": {"x": "3", "y": "4"}}, {"in": {"x": "5"}}]
    async with door.post("/api/rows", data=FormData(pairs)) as answer:
        assert (200, {"rows": rows}) == (answer.status, await answer.json())
    for wrong in ([("rows[][][x]", "1")], [("rows[]", "1"), ("rows[x]", "1")]):
        async with door.post("/api/rows", data=FormData(wrong)) as answer:
            assert 400 == answer.status


async def test_a_file_is_read_whole(door: Door) -> None:
    """Small ones stay in memory, large ones go to disk: neither loses a byte."""
    for size in (1, 300_000, 1_500_000):
        form = FormData({"status": "x"})
        form.add_field("file", BytesIO(b"a" * size), filename="a.png", content_type="image/png")
        assert size == (await _json(door, data=form))["file"][1]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b'{"status": "a\\u0000b"}', 422),
        (b'{"status": "\\ud800"}', 422),
        (b'{"status": "\\ud800x"}', 422),
        (b'{"status": NaN}', 422),
        (b'{"status": -Infinity}', 422),
        (b'{"status": 1e999}', 422),
        (b'{"media_ids": [' + b"9" * 80 + b"]}", 422),
        (b'{"status": ["a"]}', 422),
        (b'{"media_ids": ["x"]}', 422),
        (b'{"a": ' + b"[" * 65 + b"]" * 65 + b"}", 400),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        (b'{"a": [' + b"1," * 1_000 + b"1]}", 422),
        (b'{"status": "a"', 400),
        (b'["a"]', 400),
        (b'{"status": "\xed\xa0\x80"}', 422),
        (b"", 200),
    ],
)
async def test_json_that_cannot_be_kept_goes_no_further(door: Door, raw: bytes, status: int) -> None:
    """The database refuses NUL and surrogates with an error of its own, which would be a 500."""
    async with door.post("/api/echo", data=raw, headers={"Content-Type": "application/json"}) as answer:
        said = await answer.json()
        assert (status, status != 200) == (answer.status, "error" in said), said


@pytest.mark.parametrize(
    "raw", [b"status=%00", b"status=%ff", b"a[b=1&status=%ed%a0%80", b"&".join([b"a=1"] * 1_001)]
)
async def test_forms_that_cannot_be_kept_go_no_further(door: Door, raw: bytes) -> None:
    """The same for the other spelling."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with door.post("/api/echo", data=raw, headers=kind) as answer:
        assert 422 == answer.status, await answer.text()


async def test_a_body_above_its_limit_is_refused_packed_or_not(door: Door) -> None:
    """A small gzip that unpacks to much is much."""
    big = b'{"status": "' + b"a" * (2 * body.MIB) + b'"}'
    kind = {"Content-Type": "application/json"}
    for raw, more in ((big, {}), (gzip.compress(big), {"Content-Encoding": "gzip"})):
        async with door.post("/api/echo", data=BytesIO(raw), headers=kind | more) as answer:
            assert 413 == answer.status


async def test_a_body_of_no_known_kind_is_415(door: Door) -> None:
    """XML is not guessed at."""
    async with door.post("/api/echo", data=b"<a/>", headers={"Content-Type": "text/xml"}) as answer:
        assert 415 == answer.status


async def test_errors_of_the_api_are_mastodons(door: Door) -> None:
    """`error` is what every client shows."""
    assert (404, {"error": "Record not found"}) == await _error(door, "not-found")
    status, said = await _error(door, "invalid")
    assert (422, "Too long: 5") == (status, said["error"])
    assert ["status"] == list(said["details"])
    async with door.get("/api/raise?what=too-many") as answer:
        assert (429, "7") == (answer.status, answer.headers["Retry-After"])


async def test_what_goes_wrong_inside_is_not_told(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """No traceback and no word of it leaves; the log has both."""
    status, said = await _error(door, "bug")
    assert (500, {"error": "Something went wrong on our side"}) == (status, said)
    assert "a secret of the inside" in caplog.text


async def test_unknown_paths_and_methods_answer_in_the_same_form(door: Door) -> None:
    """A client that is newer than the server tries what is not there."""
    async with door.get("/api/v9/unknown") as answer:
        assert (404, {"error": "Record not found"}) == (answer.status, await answer.json())
    async with door.delete("/api/raise") as answer:
        assert (405, "GET,HEAD") == (answer.status, answer.headers["Allow"])
        assert "error" in await answer.json()


async def test_a_route_for_persons_refuses_before_it_reads(door: Door) -> None:
    """Nobody spends our memory before they say who they are."""
    async with door.post("/api/private", data=BytesIO(b"x" * 5_000_000)) as answer:
        assert 401 == answer.status
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_scripts_of_any_site_may_call_the_api(door: Door) -> None:
    """Web clients live on other origins."""
    asked = {
        "Origin": "https://client.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key",
    }
    async with door.options("/api/echo", headers=asked) as answer:
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        assert 204 == answer.status
        assert "*" == answer.headers["Access-Control-Allow-Origin"]
        assert {"authorization", "idempotency-key"} <= set(allowed.replace(" ", "").split(","))
    async with door.get("/api/raise?what=not-found", headers=asked) as answer:
        assert "*" == answer.headers["Access-Control-Allow-Origin"]
        assert "Link" in answer.headers["Access-Control-Expose-Headers"]
    async with door.get("/page", headers=asked) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_pages_say_what_they_may_load(door: Door) -> None:
    """No script but ours, no frame around us, no guessing of types."""
    async with door.get("/page") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "'unsafe-inline'" not in policy
        assert "nosniff" == answer.headers["X-Content-Type-Options"]
        assert "max-age=31536000" == answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
)
async def test_a_form_from_elsewhere_does_nothing(door: Door, sent: dict[str, str]) -> None:
    """Without a page of ours there is no token, and another origin gives itself away."""
    async with door.post("/page", data={"csrf": "AAAA"}, headers=sent) as answer:
        assert 403 == answer.status


async def test_limits_go_by_the_address_that_a_trusted_proxy_tells(door: Door) -> None:
    """What a client adds in front of that is its own invention (rule E8)."""
    statuses = []
    for number in range(60):
        told = {"X-Forwarded-For": f"10.0.0.{number}, 203.0.113.9"}
        async with door.get("/api/echo", headers=told) as answer:
            statuses.append(answer.status)
    assert [200] * 50 + [429] * 10 == statuses
    async with door.get("/api/echo", headers={"X-Forwarded-For": "203.0.113.10"}) as answer:
        assert 200 == answer.status
        assert "49" == answer.headers["X-RateLimit-Remaining"]


async def test_the_neighbours_of_an_ipv6_line_are_one(door: Door) -> None:
    """A customer has a /64, and would otherwise have as many buckets as there are grains of sand."""
    left = []
    for number in range(3):
        async with door.get("/api/echo", headers={"X-Forwarded-For": f"2001:db8::{number}"}) as answer:
            left.append(answer.headers["X-RateLimit-Remaining"])
    assert ["49", "48", "47"] == left


def test_a_route_that_does_not_say_what_it_needs_does_not_start() -> None:
    """Authority that is forgotten is found at once, not by an attacker."""

    async def bare(request: web.Request) -> web.Response:
        return web.Response()

    with pytest.raises(Undeclared):
        routes.mount(web.Application(), [get("/bare", bare)])
    app = web.Application()
    app.router.add_get("/bare", bare)
    with pytest.raises(Undeclared):
        routes.check(app)


async def _json(door: Door, **sent: Any) -> Any:
    async with door.post("/api/echo", **sent) as answer:
        assert 200 == answer.status, await answer.text()
        return await answer.json()


async def _error(door: Door, what: str) -> tuple[int, Any]:
    async with door.get("/api/raise", params={"what": what}) as answer:
        return answer.status, await answer.json()


def test_what_a_token_stands_for_is_looked_up_again_in_all_workers_once_it_changed() -> None:
    """Nor is kept what was read just before the change."""
    here, there = auth.Seen(), auth.Seen()
    read_at = changes.now()
    here.keep(b"token", None, read_at=read_at)
    assert (None,) == here.find(b"token")
    there.forget()
    assert here.find(b"token") is None
    here.keep(b"token", None, read_at=read_at)
    assert here.find(b"token") is None
