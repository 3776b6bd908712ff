"""Letters leave soon, once, in order; a slow or dead server holds up nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server import keys
from tests.fixtures.server import ORIGIN, Caller, Enter
from tests.fixtures.stranger import Here, Stranger

pytestmark = pytest.mark.usefixtures("stranger")


async def followed(here: Here, stranger: Stranger, enter: Enter) -> Caller:
    """Somebody here whom fei follows, with the Accept delivered."""
    an = await enter("an")
    await here.post("/inbox", stranger.activity("Follow", f"{ORIGIN}/users/an"), stranger.key())
    await here.until(lambda: _received(stranger, ["Accept"]))
    stranger.received.clear()
    return an


async def test_what_one_person_does_arrives_in_order(here: Here, stranger: Stranger, enter: Enter) -> None:
    """Edits after the post they edit, the Delete after everything else about its post, each once."""
    an = await followed(here, stranger, enter)
    post = await an.post("one")
    for text in ("two", "three"):
        (await an.call("PUT", f"/api/v1/statuses/{post['id']}", json={"status": text})).raised()
    other = await an.post("another")
    (await an.call("DELETE", f"/api/v1/statuses/{other['id']}")).raised()
    last = await an.post("last")
    await here.until(lambda: _holds(stranger, last["uri"]))
    about = [(one["type"], one["object"]["id"]) for one in stranger.received]
    assert [("Create", post["uri"]), ("Update", post["uri"]), ("Update", post["uri"])] == [
        pair for pair in about if pair[1] == post["uri"]
    ]
    # The other may have been withdrawn before it left at all.
    assert [kind for kind, uri in about if uri == other["uri"]] in (["Create", "Delete"], ["Delete"])
    await here.until(lambda: _is(here.app[keys.POOL], "select count(*) = 0 from federation.outbound"))


async def test_many_followers_on_one_server_get_one_letter(
    here: Here, stranger: Stranger, enter: Enter
) -> None:
    """Once per shared inbox."""
    an = await followed(here, stranger, enter)
    for name in ("yun", "bo"):
        who = stranger.put_person(name)
        follow = stranger.activity("Follow", f"{ORIGIN}/users/an", actor=who)
        await here.post("/inbox", follow, stranger.key(f"{who}#main-key"))
    await here.settled()
    stranger.received.clear()
    post = await an.post("to all three")
    await here.until(lambda: _holds(stranger, post["uri"]))
    assert 1 == sum(one["type"] == "Create" for one in stranger.received)


async def test_a_refused_letter_is_dropped_and_a_failed_one_waits(
    here: Here, stranger: Stranger, enter: Enter
) -> None:
    """400 is for ever, 500 is for now, and 503 says for how long."""
    an = await followed(here, stranger, enter)
    pool = here.app[keys.POOL]
    for status, headers, waits in (
        (400, {}, None),
        (500, {}, (20, 60)),
        (503, {"Retry-After": "300"}, (280, 400)),
    ):
        stranger.inbox = (status, headers)
        await an.post(f"answered {status}")
        await here.until(lambda: _counts(stranger, 1))
        stranger.received.clear()
        tried = "select extract(epoch from due_at - now())::int from federation.outbound where attempts > 0"
        if waits is None:
            await here.until(lambda: _is(pool, "select count(*) = 0 from federation.outbound"))
        else:
            await here.until(
                lambda: _is(pool, "select count(*) = 1 from federation.outbound where attempts = 1")
            )
            assert waits[0] <= await pool.fetchval(tried) <= waits[1]
            await pool.execute("delete from federation.outbound")


async def test_a_slow_server_holds_up_nobody_else(
    slow: str, here: Here, stranger: Stranger, enter: Enter
) -> None:
    """Every place is taken by letters that nobody answers, and the next letter leaves all the same."""
    an = await followed(here, stranger, enter)
    pool, decision = here.app[keys.POOL], "select decision_id from follow limit 1"
    message, now = here.app[keys.ROAD].ids(), here.app[keys.ROAD].clock()
    await pool.execute(
        "insert into federation.message (id, account_id, activity_uri, kind, body, decision_id, created_at) "
        "values ($1, $2, 'urn:x', 'create', '{}', $3, $4)",
        message,
        an.id,
        await pool.fetchval(decision),
        now,
    )
    # One server under many names, as many as there are places.
    await pool.executemany(
        "insert into federation.outbound (id, message_id, inbox, host, due_at, created_at) "
        "values ($1, $2, $3, $4, $5, $5)",
        [(here.app[keys.ROAD].ids(), message, f"{slow}/{n}", f"slow{n}.test", now) for n in range(16)],
    )
    here.app[keys.EVENTS].notify("outbound")
    await here.until(
        lambda: _is(pool, "select count(*) >= 4 from federation.outbound where locked_until is not null")
    )
    post = await an.post("quick")
    await here.until(lambda: _holds(stranger, post["uri"]))


@pytest.fixture
async def slow(stranger: Stranger) -> AsyncIterator[str]:
    """A server that takes letters and does not answer."""
    free = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await free.wait()
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/{path:.*}", wait)
    async with TestServer(app, host="127.0.0.1") as server:
        stranger.neighbours.append(f"127.0.0.1:{server.port}")
        yield f"http://127.0.0.1:{server.port}"
        free.set()


async def _received(stranger: Stranger, kinds: list[str]) -> bool:
    return kinds == [one["type"] for one in stranger.received]


async def _counts(stranger: Stranger, number: int) -> bool:
    return number == len(stranger.received)


async def _holds(stranger: Stranger, uri: str) -> bool:
    return any(one["object"]["id"] == uri for one in stranger.received if isinstance(one["object"], dict))


async def _is(pool: Any, statement: str) -> bool:
    return bool(await pool.fetchval(statement))
