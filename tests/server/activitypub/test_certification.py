"""What other servers find of a certified account here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from compliance.classes import CertClass
from federation import parse, proofs, wire
from server.store import accounts, marks
from server.store.marks import Mark
from tests.fixtures.server import ORIGIN, Answer, Caller, Client, Enter

AS2 = {"Accept": "application/activity+json"}


async def ask(client: Client, path: str, accept: str = AS2["Accept"]) -> Answer:
    return await Caller(client).call("GET", path, headers={"Accept": accept})


async def certify(client: Client, who: Caller, road: Any, **changes: Any) -> None:
    now = road.clock()
    values: dict[str, Any] = {
        "certified_at": now - timedelta(days=1),
        "expires_at": now + timedelta(days=364),
    }
    mark = Mark(class_=CertClass.SOCIAL, label="<示范>协会", **(values | changes))
    async with road.pool.acquire() as conn, conn.transaction():
        await marks.set(conn, who.id, mark)
    marks.forget(road.events, who.id)


async def test_the_assertion_is_signed_dated_and_plain(client: Client, enter: Enter, road_of: Any) -> None:
    ju = await enter("ju")
    await certify(client, ju, road_of)
    answer = await ask(client, "/users/ju/certification")
    assert answer.headers["Content-Type"].startswith("application/activity+json")
    document = answer.body
    assert wire.is_plain(document)
    said = parse.certification(document)
    assert (said.id, said.subject) == (f"{ORIGIN}/users/ju/certification", f"{ORIGIN}/users/ju")
    assert (said.class_, said.label) == (CertClass.SOCIAL, "<示范>协会")
    speaker = (await ask(client, "/actor")).body
    key = proofs.listed_key(speaker, proofs.read(document).method)
    proofs.verify(document, key, now=road_of.clock())
    assert answer.body == (await ask(client, "/users/ju/certification")).body


async def test_the_actor_carries_it_and_shows_it_to_everybody(
    client: Client, enter: Enter, road_of: Any
) -> None:
    ju = await enter("ju")
    assert "certification" not in (await ask(client, "/users/ju")).body
    await certify(client, ju, road_of)
    actor = (await ask(client, "/users/ju")).body
    assert wire.is_plain(actor)
    assert actor["certification"] == (await ask(client, "/users/ju/certification")).body
    assert actor["attachment"][0] == {
        "type": "PropertyValue",
        "name": "认证 Certified",
        "value": "&lt;示范&gt;协会",
    }
    assert parse.actor(actor).certification == f"{ORIGIN}/users/ju/certification"


async def test_a_browser_is_led_to_the_page(client: Client, enter: Enter, road_of: Any) -> None:
    ju = await enter("ju")
    await certify(client, ju, road_of)
    answer = await ask(client, "/users/ju/certification", "text/html")
    assert (answer.status, answer.headers["Location"]) == (303, f"{ORIGIN}/@ju/certification")


@pytest.mark.parametrize("what", ["never", "run out", "suspended", "remote"])
async def test_there_is_none_where_nothing_holds(
    client: Client, enter: Enter, road_of: Any, what: str
) -> None:
    ju = await enter("ju")
    if what == "run out":
        await certify(client, ju, road_of, expires_at=road_of.clock())
    elif what == "remote":
        await certify(client, ju, road_of, host="far.example")
    elif what == "suspended":
        await certify(client, ju, road_of)
        async with road_of.pool.acquire() as conn, conn.transaction():
            await accounts.suspend(conn, ju.id, reason="a reason", now=road_of.clock())
        marks.forget(road_of.events, ju.id)
    assert (await ask(client, "/users/ju/certification")).status == 404
    assert "certification" not in (await ask(client, "/users/ju")).body


async def test_nobody_here_is_a_404(client: Client) -> None:
    assert (await ask(client, "/users/nobody/certification")).status == 404


async def test_the_keys_are_listed(client: Client) -> None:
    listed = (await ask(client, "/.well-known/yanlu/keys", "application/json")).body
    assert listed["assertionMethod"] == (await ask(client, "/actor")).body["assertionMethod"]
    [key] = listed["assertionMethod"]
    assert key["controller"] == listed["id"] == f"{ORIGIN}/actor"
    assert key["publicKeyMultibase"].startswith("z6Mk")
