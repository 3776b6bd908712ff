"""Rule B: an object is believed only from its own origin, and its words only as its owner's.

Most of it is tried without a server in `tests/federation` (fetching, origins, parsing, WebFinger, JSON-LD).
"""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from server import keys
from tests.fixtures.server import Enter
from tests.fixtures.stranger import Here, Stranger

from .conftest import Receive


@pytest.fixture
def client(here: Here) -> TestClient[web.Request, web.Application]:
    """Where `enter` makes people."""
    return here.client


async def test_a_link_leads_where_the_post_is(
    here: Here, stranger: Stranger, enter: Enter, receive: Receive
) -> None:
    """A `url` of another server, or none at all, is not shown: the id is (B6)."""
    an = await enter("an")
    urls = ("javascript:alert(1)", "https://victim.test/1", "data:text/html,x", {"href": "javascript:x"}, 7)
    notes = [stranger.note(url=url) for url in urls]
    await receive(*(stranger.activity("Create", note) for note in notes))
    for note in notes:
        id_ = await here.app[keys.POOL].fetchval("select id from post where uri = $1", note["id"])
        assert note["id"] == (await an.get(f"/api/v1/statuses/{id_}"))["url"]


async def test_a_boost_never_brings_its_own_words(
    here: Here, stranger: Stranger, enter: Enter, receive: Receive
) -> None:
    """What is embedded in an Announce is not looked at; the post is fetched from its own server (B3)."""
    an = await enter("an")
    id_ = stranger.put_note("/notes/true", content="<p>true words</p>")
    false = stranger.note("/notes/true", content="<p>false words</p>")
    await receive(stranger.activity("Announce", false))
    found = await an.get("/api/v2/search", q=id_, resolve="true")
    assert ["<p>true words</p>"] == [status["content"] for status in found["statuses"]]


async def test_nobody_moves_or_pins_for_anybody(here: Here, stranger: Stranger, receive: Receive) -> None:
    """Acts that mean nothing here yet come to nothing, whoever they name."""
    outcomes = await receive(
        stranger.activity("Move", stranger.actor, target="https://victim.test/users/v"),
        stranger.activity("Add", "https://victim.test/1", target=f"{stranger.actor}/featured"),
        stranger.activity("Remove", "https://victim.test/1", target=f"{stranger.actor}/featured"),
    )
    assert [True] * 3 == [state == "done" and error is not None for state, error in outcomes]
