"""Rule D: what is not for somebody looks, byte for byte, as if it were not there, on every route there is.

The routes come from the router; who may see what at the level of queries is `tests/server/store`'s matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from compliance import identity
from compliance.records import Source
from server import membership
from server.pipeline import Road
from server.store import members
from server.store.model import Role
from tests.fixtures.server import SOURCE, Answer, Caller, Client, Enter

from .world import Browser, Door, doors, open_browser, open_desk, upload

ABSENT = "117000000000000001"
PHONE = "+8613912345678"
_CHANGES = re.compile(r'name="csrf" value="[^"]*"|\b\d{15,19}\b|X-Request-Id[^\n]*')


@dataclass
class Scene:
    """Bob with something of each kind that is his alone, and Alice, who is nobody to him."""

    client: Client
    road: Road
    alice: Caller
    bob: Caller
    alices: Browser
    bobs: Browser
    things: dict[str, str]


@pytest.fixture
async def scene(client: Client, enter: Enter, road_of: Road) -> Scene:
    alice, bob, carl = await enter("alice"), await enter("bob"), await enter("carl")
    private = await bob.post("for followers", visibility="private")
    direct = await bob.post("for carl @carl", visibility="direct")
    await carl.do(f"/api/v1/accounts/{bob.id}/follow")
    await carl.do(f"/api/v1/statuses/{private['id']}/favourite")
    [notice] = await bob.get("/api/v1/notifications", types="favourite")
    bobs = await open_browser(client, road_of, bob)
    await bob.do("/api/v1/reports", account_id=str(carl.id), comment="a complaint")
    fetch = road_of.pool.fetchval
    things = {
        "private post": private["id"],
        "direct post": direct["id"],
        "media": await upload(bob),
        "notification": notice["id"],
        "session": str(await fetch("select id from session where account_id = $1", bob.id)),
        "token": str(await fetch("select id from oauth_token where account_id = $1", bob.id)),
        "decision": str(await fetch("select decision_id from post where id = $1", int(private["id"]))),
        "report": str(await fetch("select id from compliance.report limit 1")),
    }
    alices = await open_browser(client, road_of, alice)
    return Scene(client, road_of, alice, bob, alices, bobs, things)


def _plain(answer: Answer) -> tuple[int, str | None, str]:
    """An answer without what differs each time: form tokens and the id that was asked for."""
    place = answer.headers.get("Location")
    return answer.status, place and _CHANGES.sub("#", place), _CHANGES.sub("#", str(answer.body))


async def _ask(scene: Scene, door: Door, id_: str, csrf: str) -> Answer:
    path = door.at({"id": id_, "acct": "bob", "username": "bob", "act": "like"}, "x")
    if door.is_api or door.path.startswith("/users/"):
        return await scene.alice.call(door.method, path)
    options = {"headers": {"X-CSRF-Token": csrf}} if door.method != "GET" else {}
    return await scene.alices.call(door.method, path, **options)


async def test_another_persons_thing_looks_as_if_it_were_not_there(scene: Scene) -> None:
    """Every route with an id, asked with the id of each thing of Bob's and with one that was never given."""
    csrf, different, asked = await scene.alices.csrf(), [], 0
    for door in doors(scene.client.app):
        if "id" not in door.names or "admin" in door.path:
            continue
        absent = _plain(await _ask(scene, door, ABSENT, csrf))
        if "inbox" not in door.path and "/lists" not in door.path and "featured_tags" not in door.path:
            assert absent[0] in (303, 400, 404, 422), (str(door), absent)
        for name, id_ in scene.things.items():
            asked += 1
            if (seen := _plain(await _ask(scene, door, id_, csrf))) != absent:
                different.append((str(door), name, seen, absent))
    assert [] == different
    assert asked > 300


async def test_nothing_of_anothers_is_changed_by_trying(scene: Scene) -> None:
    """The same ids on every route that changes something: Bob's things are as they were."""
    csrf = await scene.alices.csrf()
    before = await _state(scene)
    for door in doors(scene.client.app):
        if "id" in door.names and door.method != "GET" and "admin" not in door.path:
            for id_ in scene.things.values():
                await _ask(scene, door, id_, csrf)
    assert before == await _state(scene)
    assert 200 == (await scene.bob.call("GET", f"/api/v1/media/{scene.things['media']}")).status
    assert 200 == (await scene.bobs.get("/home")).status


async def _state(scene: Scene) -> list[object]:
    """How much there is of what the routes could change."""
    counts = [
        "select count(*) from session",
        "select count(*) from oauth_token where revoked_at is null",
        "select count(*) from notification",
        "select count(*) from media",
        "select count(*) from reaction",
        "select count(*) from bookmark",
        "select count(*) from visible_post",
        "select sum(likes + boosts + replies) from post_count",
        "select count(*) from compliance.appeal",
    ]
    return [await scene.road.pool.fetchval(count) for count in counts]


VIEWERS = ("nobody", "a stranger", "a follower", "somebody named", "an admin")
MAY_READ = {
    "private": {"a follower", "somebody named"},
    "direct": {"somebody named"},
}


@pytest.mark.parametrize("visibility", sorted(MAY_READ))
async def test_no_route_shows_words_to_whom_they_are_not_for(
    client: Client, enter: Enter, road_of: Road, visibility: str
) -> None:
    """Every GET there is, filled in with the post, its author and its tag, by everybody who could ask: the
    words, the warning and the picture's description show to those they are for, and nowhere else.
    """
    bob = await enter("bob")
    follower, named, stranger, admin = [await enter(name) for name in ("fay", "nan", "stan", "ada")]
    await follower.do(f"/api/v1/accounts/{bob.id}/follow")
    media = await upload(bob, "plantedalt")
    post = await bob.post(
        "plantedtext @nan #plantedtag",
        spoiler_text="plantedwarning",
        visibility=visibility,
        media_ids=[media],
    )
    await bob.call("PUT", f"/api/v1/statuses/{post['id']}", json={"status": "plantedsecond @nan #plantedtag"})
    desk = await open_desk(client, road_of, admin, [Role.ADMIN])
    callers = dict(zip(VIEWERS, (Caller(client), stranger, follower, named, admin), strict=True))
    browsers = {
        "nobody": Browser(client),
        "a stranger": await open_browser(client, road_of, stranger),
        "a follower": await open_browser(client, road_of, follower),
        "somebody named": await open_browser(client, road_of, named),
        "an admin": desk,
    }
    shown: set[tuple[str, str]] = set()
    for door in doors(client.app):
        if door.method != "GET":
            continue
        for id_ in {post["id"], str(bob.id)} if "id" in door.names else {""}:
            values = {"id": id_, "acct": "bob", "username": "bob", "hashtag": "plantedtag", "act": "mute"}
            path = door.at(values | {"name": "plantedtag"}, "x")
            for viewer in VIEWERS:
                query = {"q": "plant", "acct": "bob", "resource": "acct:bob@example.org", "page": "true"}
                who = callers if door.is_api or door.path.startswith("/users/") else browsers
                answer = await who[viewer].call("GET", path, params=query)
                if "planted" in str(answer.body).replace("plantedtag", ""):
                    shown.add((viewer, str(door)))
    readers = {viewer for viewer, _ in shown}
    assert MAY_READ[visibility] == {viewer for viewer in readers if viewer in VIEWERS}, sorted(shown)
    assert len(shown) > 8


async def test_nobody_reads_what_identifies_somebody(client: Client, enter: Enter, road_of: Road) -> None:
    """Address, number, legal state and where they logged in from are in no document for others (rule D7)."""
    bob, stan, ada = await enter("bob", verified=False), await enter("stan"), await enter("ada")
    async with road_of.pool.acquire() as conn, conn.transaction():
        await identity.start_mobile(
            conn,
            bob.id,
            PHONE,
            sealer=road_of.sealer,
            now=road_of.clock(),
            code="123456",
            source=SOURCE,
            new_id=road_of.ids,
        )
        await identity.confirm_mobile(
            conn,
            bob.id,
            PHONE,
            "123456",
            sealer=road_of.sealer,
            now=road_of.clock(),
            source=SOURCE,
            new_id=road_of.ids,
        )
    post = await bob.post("hello #tag")
    async with road_of.pool.acquire() as conn:
        member = await members.get(conn, bob.id)
    await membership.open_session(road_of, member, source=Source("198.51.100.77", 50_000, "a phone"))
    desk = await open_desk(client, road_of, ada, [Role.REVIEWER])
    planted = ("bob@mail.example", PHONE, PHONE[3:], "13912345678", "198.51.100.77")
    found = []
    for door in doors(client.app):
        if door.method != "GET":
            continue
        for id_ in {post["id"], str(bob.id)}:
            path = door.at(
                {"id": id_, "acct": "bob", "username": "bob", "hashtag": "tag", "name": "tag"}, "x"
            )
            query = {"q": "bob", "acct": "bob", "resource": "acct:bob@example.org"}
            for who in (stan, Caller(client), desk, Browser(client)):
                body = str((await who.call("GET", path, params=query)).body)
                found += [(str(door), value) for value in planted if value in body]
    assert [] == found
