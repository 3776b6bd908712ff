"""Nothing is stored that its actor did not sign, and nothing is acknowledged that is not stored."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance import hosts
from compliance.hosts import Policy
from compliance.records import Source
from federation.signatures import Dialect
from server import keys, sections
from tests.fixtures.stranger import Here, Start, Stranger


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("path", ["/inbox", "/actor/inbox"])
async def test_a_signed_activity_is_stored_and_acknowledged(
    here: Here, stranger: Stranger, dialect: Dialect, path: str
) -> None:
    """Both kinds of signature, at both kinds of inbox."""
    activity = stranger.activity("Listen", "https://music.test/1")
    assert 202 == (await here.post(path, activity, stranger.key(), dialect=dialect)).status
    assert [activity["id"]] == [id_ for _, id_ in await here.rows()]


async def test_what_is_sent_twice_is_stored_once(here: Here, stranger: Stranger) -> None:
    """A sender that did not get the answer sends again."""
    activity = stranger.activity("Listen", "https://music.test/1")
    assert [202, 202] == [(await here.post("/inbox", activity, stranger.key())).status for _ in range(2)]
    assert 1 == len(await here.rows())


def _tampered(stranger: Stranger) -> dict[str, tuple[int, dict[str, Any]]]:
    """Requests that must leave no trace: expected status, and what is different about them."""
    now, activity = datetime.now(UTC), stranger.activity("Listen", "https://music.test/1")
    other = f"{stranger.origin}/users/other"
    return {
        "unsigned": (401, {"key": None}),
        "another key": (401, {"key": stranger.key(false=True)}),
        "empty list of headers": (401, {"Signature": 'keyId="x",headers="",signature="eA=="'}),
        "no digest": (401, {"Digest": None}),
        "changed body": (401, {"body": json.dumps(activity | {"object": "https://x.test/"}).encode()}),
        "thirteen hours old": (401, {"now": now - timedelta(hours=13)}),
        "two hours ahead": (401, {"now": now + timedelta(hours=2)}),
        "for another host": (401, {"signed_as": "http://elsewhere.test/inbox"}),
        "for another inbox": (401, {"signed_as": "http://example.org/users/an/inbox"}),
        "a key of ours": (401, {"key": stranger.key("http://example.org/users/an#main-key")}),
        "by a neighbour": (401, {"document": activity | {"actor": other}}),
        "id of another host": (400, {"document": activity | {"id": "https://victim.test/1"}}),
        "id of ours": (400, {"document": activity | {"id": "http://example.org/activities/1"}}),
        "no id": (400, {"document": {n: v for n, v in activity.items() if n != "id"}}),
        "no actor": (400, {"document": {n: v for n, v in activity.items() if n != "actor"}}),
        "a list": (400, {"document": [activity]}),
        "null": (400, {"document": None}),
        "nothing": (400, {"document": b""}),
        "not JSON": (400, {"document": b"{"}),
        "the same key twice": (400, {"document": b'{"actor": "a", "actor": "b"}'}),
        "half a surrogate pair": (400, {"document": b'{"id": "\\ud800"}'}),
        "20,000 brackets": (400, {"document": b"[" * 20_000}),
        "too large": (413, {"document": {"content": "x" * (1 << 20)}}),
        "plain JSON": (415, {"mime": "application/json"}),
        "a form": (415, {"mime": "application/x-www-form-urlencoded"}),
        "packed": (415, {"Content-Encoding": "gzip"}),
    }


async def test_requests_that_are_not_right_leave_no_trace(here: Here, stranger: Stranger) -> None:
    """The protocol's own statuses, never a 5xx, and no row."""
    expected, seen = {}, {}
    for name, (status, changes) in _tampered(stranger).items():
        document = changes.pop("document", stranger.activity("Listen", "https://music.test/1"))
        key = changes.pop("key", stranger.key())
        expected[name] = status
        seen[name] = (await here.post("/inbox", document, key, **changes)).status
    assert expected == seen
    assert [] == await here.rows()


async def test_a_false_key_under_a_true_owner_is_not_believed(here: Here, stranger: Stranger) -> None:
    """Somebody puts up a key on his own server and says that it is the victim's."""
    key_id = f"{stranger.origin}/evil-key"
    stranger.put("/evil-key", {"id": key_id, "owner": "https://victim.test/users/v", "publicKeyPem": "x"})
    activity = stranger.activity("Listen", "x", actor="https://victim.test/users/v")
    assert 401 == (await here.post("/inbox", activity, stranger.key(key_id))).status


async def test_a_dead_key_costs_few_fetches(here: Here, stranger: Stranger) -> None:
    """Fifty requests by somebody whose document is not there ask for it once or a few times."""
    key = stranger.key(f"{stranger.origin}/users/nobody#main-key")
    activity = stranger.activity("Listen", "x", actor=f"{stranger.origin}/users/nobody")
    answers = await asyncio.gather(*(here.post("/inbox", activity, key) for _ in range(50)))
    assert {401} == {answer.status for answer in answers}
    assert stranger.asked["/users/nobody"] <= 5


async def test_the_farewell_of_somebody_unknown_is_acknowledged_and_forgotten(
    here: Here, stranger: Stranger
) -> None:
    """Servers tell everybody that somebody left, and the key is gone by then."""
    gone = f"{stranger.origin}/users/gone"
    stranger.put("/users/gone", {}, status=410)
    farewell = stranger.activity("Delete", gone, actor=gone)
    assert 202 == (await here.post("/inbox", farewell, stranger.key(f"{gone}#main-key"))).status
    assert [] == await here.rows()


async def test_an_actor_may_stand_in_a_list(here: Here, stranger: Stranger) -> None:
    """Any value may be a string, an object, or a list of either; the first is the actor."""
    alone = stranger.activity("Listen", "x")
    neighbour = f"{stranger.origin}/users/other"
    for actor, status in (
        ([alone["actor"]], 202),
        ([{"id": alone["actor"], "type": "Person"}], 202),
        ([neighbour, alone["actor"]], 401),
        ([], 400),
    ):
        activity = stranger.activity("Listen", "x", actor=actor)
        assert status == (await here.post("/inbox", activity, stranger.key())).status
    gone = f"{stranger.origin}/users/gone"
    stranger.put("/users/gone", {}, status=410)
    farewell = stranger.activity("Delete", [gone], actor=[gone]) | {"type": ["Delete"]}
    assert 202 == (await here.post("/inbox", farewell, stranger.key(f"{gone}#main-key"))).status


async def test_a_changed_key_is_fetched_anew(start: Start, stranger: Stranger) -> None:
    """A server that renews its keys is believed with the new one, and the old one is worth nothing then."""
    here = await start()
    assert 202 == (await here.post("/inbox", stranger.activity("Listen", "x"), stranger.key())).status
    await here.settled()
    stranger.put_person("fei", key=stranger.key(false=True))
    again = await start()
    renewed = stranger.key(false=True)
    assert 202 == (await again.post("/inbox", stranger.activity("Listen", "x"), renewed)).status
    assert 401 == (await again.post("/inbox", stranger.activity("Listen", "x"), stranger.key())).status


async def test_a_refused_host_is_turned_away_before_anything_is_fetched(
    here: Here, stranger: Stranger
) -> None:
    """A refused server cannot even make us ask for its key."""
    road = here.app[keys.ROAD]
    async with road.pool.acquire() as conn, conn.transaction():
        await hosts.set_policy(
            conn,
            stranger.host,
            Policy.REFUSE,
            reason="spam",
            by=None,
            source=Source.internal(),
            now=road.clock(),
            new_id=road.ids,
        )
    answer = await here.post("/inbox", stranger.activity("Listen", "x"), stranger.key())
    assert (403, [], 0) == (answer.status, await here.rows(), stranger.asked.total())


async def test_an_inbox_that_is_not_there(here: Here, stranger: Stranger) -> None:
    """Nobody of that name, and nobody is told more."""
    assert (
        404
        == (await here.post("/users/nobody/inbox", stranger.activity("Listen", "x"), stranger.key())).status
    )


async def test_each_host_has_its_share(start: Start, stranger: Stranger) -> None:
    """Who sends too much is told when to come back."""
    here = await start(limits=sections.Limits(inbox_burst=3, inbox_rate=1))
    answers = [await here.post("/inbox", stranger.activity("Listen", "x"), stranger.key()) for _ in range(4)]
    assert [202, 202, 202, 429] == [answer.status for answer in answers]
    assert int(answers[-1].headers["Retry-After"]) >= 1


async def test_nobody_may_look_into_an_inbox(here: Here) -> None:
    """An inbox is for sending."""
    assert 405 == (await here.get("/inbox")).status
