"""Comments between two servers in processes of their own: what waits there waits here, what is approved
shows on both, and what its owner removes is gone from both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from .harness import Person, Refusal, Yanlu, servers, until

pytestmark = pytest.mark.timeout(300)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[tuple[Yanlu, Yanlu]]:
    async with servers("north", "south") as (north, south):
        yield north, south


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(pair: tuple[Yanlu, Yanlu]) -> tuple[Person, Person, Person]:
    """Whose posts they are, in the north; who comments on them and who reads them, in the south."""
    north, south = pair
    owner, author, reader = await asyncio.gather(
        north.person("olga"), south.person("anton"), south.person("rita")
    )
    for one in (author, reader):
        account_id = await one.follow(owner.handle)
        await until(partial(one.follows, account_id), "the follow is accepted")
    return owner, author, reader


async def under(person: Person, status_id: str) -> list[str]:
    """What stands under a post, as somebody sees it."""
    return [status["uri"] for status in (await person.get(f"v1/statuses/{status_id}/context"))["descendants"]]


async def post(people: tuple[Person, Person, Person], **policy: str) -> tuple[Any, Any]:
    """A post of the owner's under a policy, as it is in the north and in the south."""
    owner, author, _ = people
    await owner.call("PUT", "yanlu/v1/comments/policy", body={"who": "anyone", "mode": "open", **policy})
    sent = await owner.post("what do you think?")
    return sent, await until(lambda: author.find_home(sent["uri"]), "the post arrives")


async def waiting(owner: Person, uri: str) -> Any:
    """The comment with this id among those that wait."""

    async def find() -> Any:
        listed = await owner.get("yanlu/v1/comments", state="waiting")
        return next((one for one in listed if one["status"]["uri"] == uri), None)

    return await until(find, "the comment waits for its owner")


async def test_a_comment_is_nowhere_until_it_is_approved_and_then_on_both_servers(
    people: tuple[Person, Person, Person],
) -> None:
    """The other server knows from the post itself that it has to ask, and waits for the answer."""
    owner, author, reader = people
    sent, seen = await post(people, mode="reviewed")
    comment = await author.post("I like it", in_reply_to_id=seen["id"])
    assert comment["yanlu"] == {"comment": "waiting"}
    entry = await waiting(owner, comment["uri"])
    assert await under(reader, seen["id"]) == []
    assert await under(author, seen["id"]) == [comment["uri"]]

    await owner.do("yanlu/v1/comments/approve", ids=[int(entry["id"])])

    async def shown() -> bool:
        return await under(reader, seen["id"]) == [comment["uri"]]

    await until(shown, "the comment is shown in the south")
    assert (await author.get(f"v1/statuses/{comment['id']}")).get("yanlu") is None
    headers = {"Accept": "application/activity+json"}
    async with author.server.web.get(comment["uri"], headers=headers) as answer:
        stamp = (await answer.json(content_type=None))["replyAuthorization"]
    async with owner.server.web.get(stamp, headers=headers) as answer:
        said = await answer.json(content_type=None)
    assert (said["type"], said["interactingObject"], said["interactionTarget"], said["attributedTo"]) == (
        "ReplyAuthorization",
        comment["uri"],
        sent["uri"],
        owner.uri,
    )


async def test_a_removed_comment_is_gone_from_both_servers_and_its_author_reads_why(
    people: tuple[Person, Person, Person],
) -> None:
    """The server of the author honours the Delete of whoever answers for the thread."""
    owner, author, reader = people
    sent, seen = await post(people)
    comment = await author.post("nonsense", in_reply_to_id=seen["id"])

    async def arrived() -> bool:
        return await under(owner, sent["id"]) == [comment["uri"]]

    await until(arrived, "the comment arrives in the north")
    [entry] = await owner.get("yanlu/v1/comments", state="shown", thread_id=sent["id"])
    with pytest.raises(Refusal):
        await owner.do("yanlu/v1/comments/remove", ids=[int(entry["id"])])
    await owner.do("yanlu/v1/comments/remove", ids=[int(entry["id"])], reason="insult", statement="Be kind.")
    assert await under(owner, sent["id"]) == []

    async def gone() -> bool:
        return await under(reader, seen["id"]) == []

    await until(gone, "the comment is gone in the south")
    with pytest.raises(Refusal):
        await author.get(f"v1/statuses/{comment['id']}")
    warned = await until(lambda: author.told("moderation_warning"), "the author is told")
    assert "removed your comment" in warned[0]["moderation_warning"]["text"]


async def test_where_nobody_may_comment_the_other_server_says_so_before_it_is_published(
    people: tuple[Person, Person, Person],
) -> None:
    """Nothing is published that would not stand."""
    _, author, _ = people
    _, seen = await post(people, who="nobody")
    with pytest.raises(Refusal) as refused:
        await author.post("hello", in_reply_to_id=seen["id"])
    assert refused.value.status == 403
