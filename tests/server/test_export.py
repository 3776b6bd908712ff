"""One's own data in one file: all of it, and only one's own."""

from __future__ import annotations

import io
from zipfile import ZipFile

from msgspec import json

from compliance.activity import Direction, Follow, Like, Visibility
from server import export
from server.pipeline import Road, submit
from server.store import accounts
from tests.fixtures.people import SOURCE, Join, create


async def test_the_archive_holds_what_is_mine_and_nothing_else(road: Road, join: Join) -> None:
    """Posts of every visibility, favourites, whom one follows, and the log; nobody else's words."""
    alice, bob = await join("alice"), await join("bob")
    mine = [create(road, alice, f"mine {n}") for n in range(90)]
    mine.append(create(road, alice, "only for followers", visibility=Visibility.FOLLOWERS))
    theirs = create(road, bob, "bob's words")
    await submit(road, [*mine, theirs], Direction.OUT, source=SOURCE)
    likes = Like(id=road.uris.activity(1), actor=alice, target=theirs.note.uri)
    follows = Follow(id=road.uris.activity(2), actor=alice, target=bob.uri)
    await submit(road, [likes, follows], Direction.OUT, source=SOURCE)
    async with road.pool.acquire() as conn:
        me = await accounts.get(conn, alice.id, uris=road.uris)

    file = io.BytesIO()
    await export.write(road, me, file)

    with ZipFile(file) as archive:
        outbox = json.decode(archive.read("outbox.json"))
        said = {item["object"]["id"] for item in outbox["orderedItems"]}
        assert said == {one.note.uri for one in mine}
        assert json.decode(archive.read("likes.json"))["orderedItems"] == [theirs.note.uri]
        followed = archive.read("following_accounts.csv").decode().splitlines()
        assert followed[1:] == ["bob@example.org,true,false,"]
        assert json.decode(archive.read("yanlu/identity.json"))["state"] == "verified"
        assert json.decode(archive.read("yanlu/standing.json"))["tier"] == "standard"
        log = [json.decode(line) for line in archive.read("yanlu/log.jsonl").splitlines()]
        assert {"activity:create", "activity:like", "activity:follow"} <= {line["kind"] for line in log}
        assert all(b"bob's words" not in archive.read(name) for name in archive.namelist())
