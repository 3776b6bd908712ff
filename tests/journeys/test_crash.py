"""A server that is killed loses nothing: neither what it acknowledged, nor what it had yet to send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from .harness import Person, Yanlu, servers, until

pytestmark = pytest.mark.timeout(300)
POSTS = 40


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[tuple[Yanlu, Yanlu]]:
    # A letter that met nobody is tried again soon, so that the test need not wait for it.
    async with servers("north", "south", settings={"YANLU_FEDERATION_FIRST_RETRY": "2"}) as (north, south):
        yield north, south


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def friends(pair: tuple[Yanlu, Yanlu]) -> tuple[Person, Person]:
    """An in the north follows bo in the south."""
    an, bo = await asyncio.gather(pair[0].person("an"), pair[1].person("bo"))
    bo_at_north = await an.follow(bo.handle)
    await until(lambda: an.follows(bo_at_north), "the follow is accepted")
    return an, bo


async def test_a_sender_killed_while_sending_sends_the_rest_when_it_is_back(
    friends: tuple[Person, Person],
) -> None:
    """Each post whose publication was acknowledged arrives, once."""
    an, bo = friends
    sent = [post["uri"] for post in await _burst(bo, "before")]
    await bo.server.kill()
    await bo.server.start()
    await until(lambda: _all_arrived(an, sent), "all posts arrive", patience=120)


async def test_a_receiver_killed_while_it_receives_shows_everything_when_it_is_back(
    friends: tuple[Person, Person],
) -> None:
    """What it acknowledged it has; what it did not is sent to it again."""
    an, bo = friends
    sent = [post["uri"] for post in await _burst(bo, "during")]
    await an.server.kill()
    await an.server.start()
    # A server that shows life is not left alone for as long as one that does not.
    await an.follow(bo.handle)
    await until(lambda: _all_arrived(an, sent), "all posts arrive", patience=120)


async def _burst(person: Person, words: str) -> list[Any]:
    return list(await asyncio.gather(*(person.post(f"{words} {number}") for number in range(POSTS))))


async def _arrived(reader: Person, sent: list[str]) -> set[str]:
    """Which of the posts are in the reader's home timeline; each at most once."""
    found: list[str] = []
    query: dict[str, str] = {"limit": "40"}
    while page := await reader.get("v1/timelines/home", **query):
        found += [status["uri"] for status in page if status["uri"] in sent]
        query["max_id"] = page[-1]["id"]
    assert len(found) == len(set(found))
    return set(found)


async def _all_arrived(reader: Person, sent: list[str]) -> bool:
    return set(sent) == await _arrived(reader, sent)
