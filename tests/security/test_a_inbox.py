"""Rule A: nobody speaks here for us, for somebody else, or twice.

What a signature must cover is tried in `tests/federation/test_signatures.py`, and how requests are refused in
`tests/server/activitypub/test_inbox.py`; here is what lies past the door.
"""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from compliance.activity import AccountId
from server import keys, staff
from server.sections import Limits
from tests.fixtures.server import ORIGIN, SOURCE, Enter
from tests.fixtures.stranger import Here, Start, Stranger

from .conftest import Receive


@pytest.fixture
def client(here: Here) -> TestClient[web.Request, web.Application]:
    """Where `enter` makes people."""
    return here.client


async def _texts(here: Here) -> list[str]:
    rows = await here.app[keys.POOL].fetch("select text from visible_post order by id")
    return [row["text"] for row in rows]


async def test_nothing_of_ours_comes_from_outside(
    here: Here, stranger: Stranger, enter: Enter, receive: Receive
) -> None:
    """A stranger's true signature over our people's ids: nothing is made, changed or taken away (A12)."""
    an = await enter("an")
    post = await an.post("ours")
    uri, actor = post["uri"], f"{ORIGIN}/users/an"
    note = {"updated": "2026-11-01T00:00:00Z", "content": "<p>theirs</p>"}
    hostile = [
        stranger.activity("Create", stranger.note(id=f"{ORIGIN}/users/an/statuses/1", attributedTo=actor)),
        stranger.activity("Create", stranger.note(id=f"{ORIGIN}/users/an/statuses/2")),
        stranger.activity("Create", stranger.note(attributedTo=actor)),
        stranger.activity("Update", stranger.note(id=uri, attributedTo=actor, **note)),
        stranger.activity("Update", stranger.note(id=uri, **note)),
        stranger.activity("Update", {"id": actor, "type": "Person", "name": "owned", "inbox": actor}),
        stranger.activity("Delete", uri),
        stranger.activity("Delete", {"id": uri, "type": "Tombstone"}),
        stranger.activity("Delete", actor),
        stranger.activity("Undo", {"type": "Follow", "actor": actor, "object": stranger.actor}),
        stranger.activity("Accept", {"type": "Follow", "actor": actor, "object": f"{ORIGIN}/users/bo"}),
        stranger.activity("Move", stranger.actor, target=actor),
        stranger.activity("Add", uri, target=f"{actor}/collections/featured"),
    ]
    outcomes = await receive(*hostile)
    assert {"done"} == {state for state, _ in outcomes}
    assert ["ours"] == await _texts(here)
    assert "an" == (await an.get("/api/v1/accounts/verify_credentials"))["username"]
    assert 1 == await here.app[keys.POOL].fetchval("select count(*) from post")


async def test_linked_data_carries_nobody_elses_word(
    here: Here, stranger: Stranger, receive: Receive
) -> None:
    """A signature inside the document, or subjects beside it, are not looked at: what counts is who signed
    the request (A9).
    """
    victim = "https://victim.test/users/v"
    told = stranger.note(id="https://victim.test/1", attributedTo=victim)
    wrappings: tuple[dict[str, Any], ...] = (
        {"@graph": [{"type": "Create"}]},
        {"@included": [{"type": "Delete"}]},
        {"@reverse": {"actor": {}}},
        {"signature": {"type": "RsaSignature2017", "creator": "x", "signatureValue": "eA=="}},
    )
    for wrapped in wrappings:
        forwarded = stranger.activity("Create", told, actor=victim) | wrapped
        assert (await here.post("/inbox", forwarded, stranger.key())).status in (400, 401)
    await receive(stranger.activity("Create", stranger.note(content="<p>own</p>")))
    assert ["own"] == await _texts(here)


async def test_whoever_is_refused_too_often_costs_nothing_more(start: Start, stranger: Stranger) -> None:
    """Keys that are not there make us ask for them; so many from one address and no more (C7)."""
    here = await start(limits=Limits(inbox_refusals=3))
    listen, answers = stranger.activity("Listen", "x"), []
    for number in range(6):
        key = stranger.key(f"{stranger.origin}/users/no{number}#main-key")
        answers.append((await here.post("/inbox", listen, key)).status)
    assert [401, 401, 401, 429, 429, 429] == answers
    assert 0 == stranger.asked["/users/no4"] + stranger.asked["/users/no5"]


async def test_a_neighbour_buries_nobody_elses_post(here: Here, stranger: Stranger, receive: Receive) -> None:
    """Two people of one server: what one deletes is not the other's, be it here or yet to come (B4)."""
    false = stranger.key(f"{stranger.origin}/users/nei#main-key", false=True)
    nei = stranger.put_person("nei", key=false)
    note, late = stranger.note(content="<p>here</p>"), stranger.note(content="<p>late</p>")
    await receive(stranger.activity("Create", note))
    theirs = [stranger.activity("Delete", target["id"], actor=nei) for target in (note, late)]
    await receive(*theirs, key=false)
    await receive(stranger.activity("Create", late))
    assert {"here", "late"} == set(await _texts(here))
    edited = note | {"content": "<p>not mine</p>", "updated": "2026-03-01T00:00:00Z"}
    await receive(stranger.activity("Update", edited, actor=nei), key=false)
    await receive(stranger.activity("Undo", {"type": "Create", "object": note["id"]}, actor=nei), key=false)
    assert {"here", "late"} == set(await _texts(here))


async def test_a_replayed_create_revives_nothing(here: Here, stranger: Stranger, receive: Receive) -> None:
    """Create, Delete, and the same Create under its old and under a new id (A11)."""
    note = stranger.note()
    create = stranger.activity("Create", note)
    await receive(create, stranger.activity("Delete", note["id"]), create, stranger.activity("Create", note))
    assert [] == await _texts(here)


async def test_what_is_not_for_all_is_not_boosted_from_elsewhere(
    here: Here, stranger: Stranger, enter: Enter, receive: Receive
) -> None:
    """Somebody who guessed the id of a private post of ours learns nothing and shows nothing (D4)."""
    an = await enter("an")
    fei = await _known(here, stranger, receive)
    for visibility in ("private", "direct"):
        post = await an.post("secret", visibility=visibility)
        await receive(
            stranger.activity("Announce", post["uri"], to=["https://www.w3.org/ns/activitystreams#Public"])
        )
        shown = await an.get(f"/api/v1/statuses/{post['id']}")
        assert 0 == shown["reblogs_count"]
    assert [] == [p for p in await an.get(f"/api/v1/accounts/{fei}/statuses") if p["reblog"]]


async def test_whoever_is_suspended_reads_no_further(
    here: Here, stranger: Stranger, enter: Enter, receive: Receive
) -> None:
    """A follower elsewhere whom an operator took out of sight: no letter, no document by signature (D6)."""
    an = await enter("an")
    fei = await _known(here, stranger, receive)
    await receive(stranger.activity("Follow", f"{ORIGIN}/users/an"))
    before = await an.post("before", visibility="private")
    await here.until(lambda: _got(stranger, "before"))
    path = before["uri"].removeprefix(ORIGIN)
    assert 200 == (await here.get(path, key=stranger.key())).status
    await staff.suspend(here.app[keys.ROAD], fei, reason="spam", by=None, source=SOURCE)
    assert 404 == (await here.get(path, key=stranger.key())).status
    assert (await here.get("/users/an/statuses/1", key=stranger.key())).body == (
        await here.get(path, key=stranger.key())
    ).body
    await an.post("after", visibility="private")
    await an.call("DELETE", f"/api/v1/statuses/{before['id']}")
    await here.until(lambda: _got(stranger, '"Delete"'))
    assert not await _got(stranger, "after")


async def _known(here: Here, stranger: Stranger, receive: Receive) -> AccountId:
    """Makes `fei` known here, and says under which id."""
    await receive(stranger.activity("Create", stranger.note()))
    id_ = await here.app[keys.POOL].fetchval("select id from account where uri = $1", stranger.actor)
    return AccountId(id_)


async def _got(stranger: Stranger, words: str) -> bool:
    return any(words in str(letter).replace("'", '"') for letter in stranger.received)
