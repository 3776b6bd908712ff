"""What a stranger's server certifies is believed only when its own key says so, at its own origin, now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import structs

from compliance import hosts
from compliance.activity import Uri
from compliance.classes import CertClass
from compliance.hosts import Policy
from federation import proofs
from federation.fetch import Budget
from federation.render.certifications import CONTEXT, REFERENCE
from server import keys, remote, sections
from server.pipeline import Road
from server.store import accounts, marks
from server.store.marks import Mark
from server.workers.marks import AGAIN, Marks
from tests.fixtures.people import SOURCE
from tests.fixtures.stranger import Here, Stranger

KEY = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()
LABEL = "远方示范局"
NODEINFO = "/.well-known/nodeinfo"
APPLICATION = "https://www.w3.org/ns/activitystreams#Application"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def quiet(here: Here) -> Here:
    """The server with its own job stopped, so that each look is the test's."""
    for task in asyncio.all_tasks():
        if task.get_name() == "job marks":
            task.cancel()
    return here


def server_actor(stranger: Stranger, **changes: Any) -> dict[str, Any]:
    id_ = f"{stranger.origin}/actor"
    return {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/multikey/v1"],
        "id": id_,
        "type": "Application",
        "preferredUsername": stranger.host,
        "inbox": f"{id_}/inbox",
        "assertionMethod": [
            {
                "id": f"{id_}#signing-1",
                "type": "Multikey",
                "controller": id_,
                "publicKeyMultibase": proofs.multikey(KEY.public_key().public_bytes_raw()),
            }
        ],
    } | changes


def assertion(
    stranger: Stranger,
    *,
    key: Ed25519PrivateKey = KEY,
    method: str = "",
    made: datetime | None = None,
    changed: dict[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """What `fei`'s server says of them, signed; `changed` for what is no name in Python."""
    document = (
        {
            "@context": CONTEXT,
            "id": f"{stranger.actor}/certification",
            "type": "Certification",
            "subject": stranger.actor,
            "class": "government",
            "label": LABEL,
            "issued": proofs.moment(now() - timedelta(days=1)),
            "expires": proofs.moment(now() + timedelta(days=300)),
        }
        | changes
        | (changed or {})
    )
    method = method or f"{stranger.origin}/actor#signing-1"
    return proofs.create(document, key, method=method, created=made or now() - timedelta(days=1))


def certify(stranger: Stranger, document: dict[str, Any] | None = None, **person: Any) -> None:
    """Puts up the actor that stands for the server, the assertion, and `fei` who points at it."""
    stranger.put("/actor", server_actor(stranger))
    link = {"rel": APPLICATION, "href": f"{stranger.origin}/actor"}
    stranger.put(NODEINFO, {"links": [link]}, mime="application/jrd+json")
    document = assertion(stranger) if document is None else document
    stranger.put("/users/fei/certification", document)
    context = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1", REFERENCE]
    stranger.put_person("fei", **({"@context": context, "certification": document} | person))


async def look(here: Here, stranger: Stranger) -> Mark | None:
    """The mark that `fei` has here once all that is due was looked at."""
    road: Road = here.app[keys.ROAD]
    client = here.app[keys.CLIENT]
    known = await remote.actor(road, client, Uri(stranger.actor), budget=Budget(20))
    async with road.pool.acquire() as conn:
        await conn.execute("update mark_claim set due_at = $1", road.clock())
    await Marks(road, client).work()
    async with road.pool.acquire() as conn:
        return await marks.find(conn, known.id)


async def test_a_good_assertion_becomes_a_mark(quiet: Here, stranger: Stranger) -> None:
    certify(stranger)
    found = await look(quiet, stranger)
    assert found == Mark(
        class_=CertClass.GOVERNMENT,
        label=LABEL,
        certified_at=found.certified_at if found else now(),
        expires_at=found.expires_at if found else now(),
        host=stranger.host,
    )
    road = quiet.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        view = await accounts.find_by_uri(conn, stranger.actor, uris=road.uris)
    assert view is not None and view.mark == found


Forge = Callable[[Stranger], dict[str, Any]]
FORGED: dict[str, Forge] = {
    "unsigned": lambda s: {k: v for k, v in assertion(s).items() if k != "proof"},
    "another key": lambda s: assertion(s, key=OTHER),
    "words changed": lambda s: assertion(s) | {"label": "国务院"},
    "dates changed": lambda s: assertion(s) | {"expires": proofs.moment(now() + timedelta(days=3_000))},
    "run out": lambda s: assertion(s, expires=proofs.moment(now() - timedelta(seconds=5))),
    "of the future": lambda s: assertion(s, issued=proofs.moment(now() + timedelta(hours=1))),
    "made in the future": lambda s: assertion(s, made=now() + timedelta(hours=1)),
    "of somebody else": lambda s: assertion(s, subject=f"{s.origin}/users/mo"),
    "of another server's": lambda s: assertion(s, subject="https://far.example/users/fei"),
    "under another id": lambda s: assertion(s, id=f"{s.origin}/users/mo/certification"),
    "under another server's id": lambda s: assertion(s, id="https://far.example/users/fei/certification"),
    "another server's key": lambda s: assertion(s, method="https://far.example/actor#signing-1"),
    "a key of its own": lambda s: assertion(s, method=f"{s.actor}#signing-1"),
    "a key that is not listed": lambda s: assertion(s, method=f"{s.origin}/actor#signing-2"),
    "no class": lambda s: assertion(s, changed={"class": "emperor"}),
    "no label": lambda s: assertion(s, label=" "),
    "no dates": lambda s: assertion(s, issued=None),
    "not a certification": lambda s: assertion(s, type="Note"),
    "other meanings": lambda s: assertion(s, changed={"@context": [*CONTEXT, None]}),
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_bad_assertion_is_no_mark(quiet: Here, stranger: Stranger, name: str) -> None:
    certify(stranger, FORGED[name](stranger))
    assert await look(quiet, stranger) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Person"},
        {"assertionMethod": []},
        {"id": "https://far.example/actor"},
    ],
    ids=str,
)
async def test_the_key_is_that_of_the_server(
    quiet: Here, stranger: Stranger, changes: dict[str, Any]
) -> None:
    certify(stranger)
    stranger.put("/actor", server_actor(stranger, **changes))
    assert await look(quiet, stranger) is None


async def test_who_stands_for_a_server_is_what_its_nodeinfo_says(quiet: Here, stranger: Stranger) -> None:
    certify(stranger)
    stranger.put(NODEINFO, {"links": []}, mime="application/jrd+json")
    assert await look(quiet, stranger) is None


async def test_the_copy_inside_the_actor_counts_for_nothing(quiet: Here, stranger: Stranger) -> None:
    certify(stranger)
    del stranger.documents["/users/fei/certification"]
    assert await look(quiet, stranger) is None


async def test_it_is_not_fetched_from_another_server(quiet: Here, stranger: Stranger) -> None:
    document = assertion(stranger) | {"id": "https://far.example/users/fei/certification"}
    certify(stranger, document)
    assert await look(quiet, stranger) is None
    count = await quiet.app[keys.POOL].fetchval("select count(*) from mark_claim")
    assert (count, stranger.asked["/users/fei/certification"]) == (0, 0)


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_withdrawn_is_taken_away(quiet: Here, stranger: Stranger, status: int) -> None:
    certify(stranger)
    assert await look(quiet, stranger) is not None
    stranger.put("/users/fei/certification", {}, status=status)
    assert await look(quiet, stranger) is None


async def test_what_is_replaced_by_another_word_is_told_anew(quiet: Here, stranger: Stranger) -> None:
    certify(stranger)
    assert await look(quiet, stranger) is not None
    stranger.put("/users/fei/certification", assertion(stranger, label="远方新局"))
    found = await look(quiet, stranger)
    assert found is not None and found.label == "远方新局"


async def test_a_silent_server_keeps_its_marks_for_some_days(quiet: Here, stranger: Stranger) -> None:
    certify(stranger)
    assert await look(quiet, stranger) is not None
    stranger.put("/users/fei/certification", {}, status=503)
    for _ in range(15):
        assert await look(quiet, stranger) is not None
    for _ in range(2):
        await look(quiet, stranger)
    assert await look(quiet, stranger) is None


async def test_an_update_without_it_takes_it_away_at_once(quiet: Here, stranger: Stranger) -> None:
    certify(stranger)
    assert await look(quiet, stranger) is not None
    stranger.put_person("fei")
    update = stranger.activity("Update", stranger.document("/users/fei"))
    answer = await quiet.post("/inbox", update, stranger.key())
    assert answer.status == 202
    await quiet.settled()
    pool = quiet.app[keys.POOL]
    assert await pool.fetchval("select count(*) from mark") == 0
    assert await pool.fetchval("select count(*) from mark_claim") == 0


async def test_an_update_with_it_brings_it(here: Here, stranger: Stranger) -> None:
    road = here.app[keys.ROAD]
    await remote.actor(road, here.app[keys.CLIENT], Uri(stranger.actor), budget=Budget(20))
    certify(stranger)
    update = stranger.activity("Update", stranger.document("/users/fei"))
    await here.post("/inbox", update, stranger.key())
    await here.settled()

    async def has_mark() -> bool:
        return bool(await here.app[keys.POOL].fetchval("select count(*) from mark"))

    await here.until(has_mark)


async def test_it_is_looked_at_again_in_hours(quiet: Here, stranger: Stranger) -> None:
    certify(stranger)
    await look(quiet, stranger)
    due = await quiet.app[keys.POOL].fetchval("select due_at from mark_claim")
    assert AGAIN - timedelta(minutes=1) < due - now() <= AGAIN + timedelta(minutes=1)


@pytest.mark.parametrize(("policy", "shown"), [(Policy.HOLD, False), (Policy.ALLOW, True)])
async def test_a_server_under_policy_marks_nobody(
    quiet: Here, stranger: Stranger, policy: Policy, shown: bool
) -> None:
    certify(stranger)
    assert await look(quiet, stranger) is not None
    road = quiet.app[keys.ROAD]
    async with road.pool.acquire() as conn, conn.transaction():
        await hosts.set_policy(
            conn,
            stranger.host,
            policy,
            reason="a reason",
            by=None,
            now=road.clock(),
            source=SOURCE,
            new_id=road.ids,
        )
    assert (await look(quiet, stranger) is not None) is shown


@pytest.mark.parametrize("how", ["policy", "setting"])
async def test_marks_go_with_the_welcome(quiet: Here, stranger: Stranger, how: str) -> None:
    certify(stranger)
    assert await look(quiet, stranger) is not None
    road: Road = quiet.app[keys.ROAD]
    if how == "policy":
        async with road.pool.acquire() as conn, conn.transaction():
            await hosts.set_policy(
                conn,
                stranger.host,
                Policy.REFUSE,
                reason="a reason",
                by=None,
                now=road.clock(),
                source=SOURCE,
                new_id=road.ids,
            )
    else:
        hidden = sections.Certification(show_remote=False)
        road = replace(road, settings=structs.replace(road.settings, certification=hidden))
    # Nothing is due: it is not asked again, and goes all the same.
    await Marks(road, quiet.app[keys.CLIENT]).work()
    assert await road.pool.fetchval("select count(*) from mark") == 0
