"""Every route of the client API against everybody it is not for, and against junk; from the route table.

A route that is added is tried by these without anybody thinking of it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from server import api
from server.http.routes import Reach, Route, Who, declared
from server.pipeline import Road
from tests.fixtures.server import Caller, Client, Enter, give_token

from .test_accounts import picture
from .test_lists import _upload

ROUTES = [route for route in api.routes if route.path.startswith("/api/")]
_UNRELATED = "push"


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


def _path(route: Route, id_: str = "1") -> str:
    return re.sub(r"\{\w+\}", id_, route.path)


@dataclass(frozen=True)
class Cast:
    """Who tries: alice owns things, bob owns none of them."""

    alice: Caller
    bob: Caller
    stranger: Caller
    app: Caller
    narrow: Caller
    things: dict[str, str]


@pytest.fixture(scope="module")
def needs_of() -> dict[str, Any]:
    return {_name(route): declared(route.handler) for route in ROUTES}


@pytest.fixture
async def cast(client: Client, enter: Enter, road_of: Road) -> AsyncIterator[Cast]:
    alice, bob = await enter("alice"), await enter("bob")
    post = await alice.post("hidden", visibility="direct")
    media = (await _upload(alice, picture())).raised().body
    mention = await bob.post("hi @alice")
    (notice,) = await alice.get("/api/v1/notifications")
    yield Cast(
        alice,
        bob,
        Caller(client),
        Caller(client, await give_token(road_of, None, ("read", "write"))),
        Caller(client, await give_token(road_of, alice.id, (_UNRELATED,))),
        {
            "statuses": post["id"],
            "media": media["id"],
            "notifications": notice["id"],
            "mention": mention["id"],
        },
    )


async def test_nobody_gets_where_a_person_is_needed(cast: Cast) -> None:
    """401 for nobody, 403 for an app, 403 for a token whose scopes say otherwise; before anything is read."""
    seen = {}
    for route in ROUTES:
        needs = declared(route.handler)
        assert needs is not None
        if needs.who is not Who.PERSON:
            continue
        tries = [
            (await caller.call(route.method, _path(route))).status
            for caller in (cast.stranger, cast.app, cast.narrow)
        ]
        if tries != [401, 403, 403]:
            seen[_name(route)] = tries
    assert {} == seen


async def test_reading_scopes_do_not_write_and_writing_scopes_do_not_read(
    client: Client, cast: Cast, road_of: Road
) -> None:
    """Each route asks for a scope of its own way."""
    reader = Caller(client, await give_token(road_of, cast.alice.id, ("read", "profile")))
    writer = Caller(client, await give_token(road_of, cast.alice.id, ("write",)))
    wrong = {}
    for route in ROUTES:
        needs = declared(route.handler)
        if needs is None or needs.who is not Who.PERSON:
            continue
        # Mastodon asks for write:media also of those who look at their own upload.
        reads = route.method == "GET" and route.path != "/api/v1/media/{id}"
        kept_out = writer if reads else reader
        answer = await kept_out.call(route.method, _path(route), json={} if route.method != "GET" else None)
        if answer.status != 403:
            wrong[_name(route)] = answer.status
    assert {} == wrong


async def test_nobody_reaches_what_is_anothers(cast: Cast) -> None:
    """404 with the same body as for what is not there, for every route that reaches things by id (D1, D2)."""
    wrong = {}
    for route in ROUTES:
        needs = declared(route.handler)
        assert needs is not None
        kind = route.path.removeprefix("/api/v1/").partition("/")[0]
        if "{id}" not in route.path or kind not in cast.things or needs.reach not in (Reach.OWN, Reach.SEEN):
            continue
        said = {} if route.method == "GET" else {"json": {"status": "x", "description": "x"}}
        absent = await cast.bob.call(route.method, _path(route, "99999"), **said)
        theirs = await cast.bob.call(route.method, _path(route, cast.things[kind]), **said)
        if (404, absent.body) != (theirs.status, theirs.body):
            wrong[_name(route)] = (theirs.status, theirs.body, absent.status)
    assert {} == wrong
    assert 200 == (await cast.alice.call("GET", f"/api/v1/statuses/{cast.things['statuses']}")).status


@pytest.mark.parametrize(
    "junk",
    [
        {"data": b"\xff\xfe", "headers": {"Content-Type": "application/json"}},
        {"data": b"[]", "headers": {"Content-Type": "application/json"}},
        {"data": b"status=%00&id=%ff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {
            "json": {
                name: {"a": [1, None]} for name in ("status", "id", "media_ids", "account_id", "q", "home")
            }
        },
        {"json": dict.fromkeys(("status", "id", "media_ids", "account_id", "in_reply_to_id"), 10**30)},
    ],
    ids=["bytes", "list", "form", "cut multipart", "no boundary", "nested", "numbers"],
)
async def test_junk_never_ends_in_our_fault(cast: Cast, junk: dict[str, Any]) -> None:
    """Every route, every kind of nonsense: 4xx in Mastodon's form, or it does not matter."""
    faults = {}
    for route in ROUTES:
        for id_ in ("1", "abc", "9" * 25, "%00", "%ff", "-1"):
            answer = await cast.bob.call(route.method, _path(route, id_), **junk)
            if answer.status >= 500 or (answer.status >= 400 and "error" not in answer.body):
                faults[_name(route)] = (id_, answer.status, answer.body)
            if "{" not in route.path:
                break
    assert {} == faults


async def test_queries_that_are_nonsense_never_end_in_our_fault(cast: Cast) -> None:
    """The same for what stands behind the question mark."""
    faults = {}
    for route in ROUTES:
        if route.method != "GET":
            continue
        for query in (
            "id[]=x&q=%00&acct=%00&tagged=%00&timeline[]=%00",
            "id=99999999999999999999&limit=-1&offset=-1&q=a&acct=@@@",
            "limit=1e9&max_id=x",
            "id[a][b]=1&types[a]=x&q[]=1",
            "q=https://example.org/%ff&resolve=1",
            "id[]=1&" * 400,
        ):
            answer = await cast.bob.call("GET", f"{_path(route)}?{query}")
            if answer.status >= 500:
                faults[_name(route)] = (query, answer.status, answer.body)
    assert {} == faults


async def test_nothing_private_is_ever_told(cast: Cast, road_of: Road) -> None:
    """Rule D7: neither address nor secret of anybody in what anybody else may read."""
    async with road_of.pool.acquire() as conn:
        await conn.execute(
            "update session set address = '203.0.113.77'"  # planted where addresses are kept
        )
    planted = ("@mail.example", "203.0.113.77", "192.0.2.7", "seen in person", str(cast.bob.token))
    told = {}
    for route in ROUTES:
        needs = declared(route.handler)
        assert needs is not None
        if route.method != "GET":
            continue
        for caller in (cast.stranger, cast.alice):
            asked = {"q": "bob", "acct": "bob", "id[]": str(cast.bob.id)}
            answer = await caller.call("GET", _path(route, str(cast.bob.id)), params=asked)
            found = [word for word in planted if word in str(answer.body)]
            if found:
                told[_name(route)] = found
    assert {} == told


def test_every_route_says_what_it_reaches() -> None:
    """A path with an id in it reaches something; which, decides what the tests above ask of it."""
    unsaid = [
        _name(route)
        for route in ROUTES
        if "{id}" in route.path
        and (needs := declared(route.handler)) is not None
        and needs.reach is Reach.NONE
        and not needs.scopes
    ]
    assert [] == unsaid
