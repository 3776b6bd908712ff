"""Two servers in processes of their own follow each other, and everything one does shows on the other.

The order of the tests is of no account: each makes its own people. What a person sees is asked of their own
server, through the client API.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from .harness import Person, Refusal, Yanlu, servers, until

pytestmark = pytest.mark.timeout(300)
_serial = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[tuple[Yanlu, Yanlu]]:
    async with servers("north", "south", by_name="south") as (north, south):
        yield north, south


@pytest_asyncio.fixture(loop_scope="session")
async def people(pair: tuple[Yanlu, Yanlu]) -> tuple[Person, Person]:
    """Somebody new on each server."""
    return await newcomers(pair)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def friends(pair: tuple[Yanlu, Yanlu]) -> tuple[Person, Person]:
    """Two people who follow each other, and go on doing so."""
    an, bo = await newcomers(pair)
    await asyncio.gather(befriend(an, bo), befriend(bo, an))
    return an, bo


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def third(pair: tuple[Yanlu, Yanlu]) -> Person:
    """Somebody in the south whom nobody in the north follows."""
    return await pair[1].person("third")


async def newcomers(pair: tuple[Yanlu, Yanlu]) -> tuple[Person, Person]:
    """Makes somebody on each server."""
    north, south = pair
    number = next(_serial)
    an, bo = await asyncio.gather(north.person(f"an{number}"), south.person(f"bo{number}"))
    return an, bo


async def befriend(follower: Person, followed: Person) -> str:
    """Follows across servers, waits until that is accepted, and gives the id of the followed one there."""
    account_id = await follower.follow(followed.handle)
    await until(lambda: follower.follows(account_id), f"{follower.name} follows {followed.name}")
    return account_id


async def mention(reader: Person, uri: str) -> Any:
    """The post with this id that names the reader, once they are told of it."""

    async def find() -> Any:
        told = (notice["status"] for notice in await reader.told("mention"))
        return next((status for status in told if status["uri"] == uri), None)

    return await until(find, f"{reader.name} is told of {uri}")


async def arrival(reader: Person, uri: str) -> Any:
    """The post with this id in the reader's home timeline, once it is there."""
    return await until(lambda: reader.find_home(uri), f"{uri} reaches {reader.name}")


async def test_a_follow_is_accepted_and_shown_on_both_sides(people: tuple[Person, Person]) -> None:
    """Nothing else travels before this does."""
    an, bo = people
    await befriend(an, bo)
    [notice] = await until(lambda: bo.told("follow"), "bo is told of the follow")
    assert an.handle == notice["account"]["acct"]
    followers = await bo.get(f"v1/accounts/{await _own_id(bo)}/followers")
    assert [an.handle] == [account["acct"] for account in followers]


async def test_a_post_arrives_with_all_that_it_says(friends: tuple[Person, Person]) -> None:
    """Words, warning, language, tag and links are the same for a reader elsewhere."""
    an, bo = friends
    sent = await bo.post(
        "第一条 #联邦 微博\nhttps://example.test/a?b=1", spoiler_text="小心", language="zh", sensitive=True
    )
    seen = await arrival(an, sent["uri"])
    assert _bare(sent["content"]) == _bare(seen["content"])
    assert ("小心", True, "zh", "public") == (
        seen["spoiler_text"],
        seen["sensitive"],
        seen["language"],
        seen["visibility"],
    )
    assert ["联邦"] == [tag["name"] for tag in seen["tags"]]
    assert bo.handle == seen["account"]["acct"]
    assert sent["created_at"] == seen["created_at"]


async def test_a_picture_can_be_looked_at_from_elsewhere(friends: tuple[Person, Person]) -> None:
    """With its description, its size and what shows in its place; from the server it was brought to."""
    an, bo = friends
    painted = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(painted, "PNG")
    media_id = await bo.upload(painted.getvalue(), "一块红色")
    sent = await bo.post("look", media_ids=[media_id])
    seen = await arrival(an, sent["uri"])
    [picture], [original] = seen["media_attachments"], sent["media_attachments"]
    assert ("image", "一块红色") == (picture["type"], picture["description"])
    assert (original["blurhash"], 60, 40) == (
        picture["blurhash"],
        picture["meta"]["original"]["width"],
        picture["meta"]["original"]["height"],
    )
    async with an.server.web.get(picture["remote_url"]) as answer:
        assert (200, "image") == (answer.status, answer.content_type.partition("/")[0])


async def test_an_edit_replaces_the_words_and_keeps_the_old_ones(friends: tuple[Person, Person]) -> None:
    """A reader sees the new words, and may look at what they were."""
    an, bo = friends
    sent = await bo.post("before")
    seen = await arrival(an, sent["uri"])
    await bo.call("PUT", f"v1/statuses/{sent['id']}", body={"status": "after"})

    async def edited() -> Any:
        now = await an.get(f"v1/statuses/{seen['id']}")
        return now if "after" in now["content"] else None

    now = await until(edited, "the edit arrives")
    assert now["edited_at"] is not None
    history = await an.get(f"v1/statuses/{seen['id']}/history")
    assert ["<p>before</p>", "<p>after</p>"] == [version["content"] for version in history]


async def test_a_deleted_post_is_gone_everywhere(friends: tuple[Person, Person]) -> None:
    """A withdrawal reaches those who had the post, and its address says that it is gone."""
    an, bo = friends
    sent = await bo.post("for a moment")
    seen = await arrival(an, sent["uri"])
    await bo.call("DELETE", f"v1/statuses/{sent['id']}")
    await until(lambda: _is_refused(an, f"v1/statuses/{seen['id']}", 404), "the post is gone at an's")
    document = await _document(bo.server, sent["uri"])
    assert (410, "Tombstone") == (document[0], document[1]["type"])


async def test_likes_and_boosts_are_counted_and_taken_back(friends: tuple[Person, Person]) -> None:
    """The author is told of each, and each Undo removes what it names and nothing else."""
    an, bo = friends
    sent = await bo.post("like me")
    seen = await arrival(an, sent["uri"])
    await an.do(f"v1/statuses/{seen['id']}/favourite")
    await an.do(f"v1/statuses/{seen['id']}/reblog")
    await until(lambda: _counts(bo, sent["id"], likes=1, boosts=1), "both are counted at bo's")
    await until(lambda: bo.told("favourite"), "bo is told of the favourite")
    await until(lambda: bo.told("reblog"), "bo is told of the boost")
    await an.do(f"v1/statuses/{seen['id']}/unfavourite")
    await until(lambda: _counts(bo, sent["id"], likes=0, boosts=1), "the favourite is taken back")
    await an.do(f"v1/statuses/{seen['id']}/unreblog")
    await until(lambda: _counts(bo, sent["id"], likes=0, boosts=0), "the boost is taken back")


async def test_a_boost_brings_a_strangers_post_to_followers(
    friends: tuple[Person, Person], third: Person
) -> None:
    """A post of somebody nobody there follows is fetched from its own server and shown in the boost."""
    an, bo = friends
    original = await third.post("never sent to the north")
    boost = await bo.do(f"v1/statuses/{original['id']}/reblog")
    seen = await arrival(an, boost["uri"])
    assert (original["uri"], third.handle) == (seen["reblog"]["uri"], seen["reblog"]["account"]["acct"])


async def test_a_conversation_has_the_same_shape_on_both_sides(friends: tuple[Person, Person]) -> None:
    """Replies go to the author answered, and hang where they belong."""
    an, bo = friends
    first = await bo.post("a question")
    seen = await arrival(an, first["uri"])
    answer = await an.post(f"@{bo.handle} an answer", in_reply_to_id=seen["id"])
    assert first["id"] == (await mention(bo, answer["uri"]))["in_reply_to_id"]
    context = await bo.get(f"v1/statuses/{first['id']}/context")
    assert [answer["uri"]] == [status["uri"] for status in context["descendants"]]


async def test_the_rest_of_a_thread_is_fetched(friends: tuple[Person, Person], third: Person) -> None:
    """Whoever receives a reply to posts that never came there can read what it answers."""
    an, bo = friends
    root = await third.post("the root, known to nobody in the north")
    middle = await third.post("the middle", in_reply_to_id=root["id"])
    reply = await bo.post(f"@{an.handle} look at this thread", in_reply_to_id=middle["id"])
    seen = await mention(an, reply["uri"])

    async def ancestors() -> Any:
        context = await an.get(f"v1/statuses/{seen['id']}/context")
        uris = [status["uri"] for status in context["ancestors"]]
        return uris if len(uris) == 2 else None

    assert [root["uri"], middle["uri"]] == await until(ancestors, "the thread is whole")


async def test_a_mention_reaches_somebody_who_does_not_follow(people: tuple[Person, Person]) -> None:
    """Naming somebody is enough to reach them."""
    an, bo = people
    sent = await an.post(f"hello @{bo.handle}, you do not know me")
    seen = await mention(bo, sent["uri"])
    assert [bo.name] == [named["acct"] for named in seen["mentions"]]


async def test_a_direct_post_reaches_the_named_and_nobody_else(
    friends: tuple[Person, Person], third: Person
) -> None:
    """Followers of the author on the same server see nothing of it; nor does whoever asks for its address."""
    an, bo = friends
    await befriend(third, an)
    sent = await an.post(f"@{bo.handle} between us", visibility="direct")
    seen = await mention(bo, sent["uri"])
    assert "direct" == seen["visibility"]
    public = await an.post("for everybody")
    await arrival(third, public["uri"])
    assert await third.find_home(sent["uri"]) is None
    assert await _is_refused(third, f"v1/statuses/{seen['id']}", 404)
    assert 404 == (await _document(an.server, sent["uri"]))[0]


async def test_a_post_for_followers_is_shown_to_followers_only(
    people: tuple[Person, Person], third: Person
) -> None:
    """It arrives at the shared inbox, and the receiving server itself keeps it from the rest."""
    an, bo = people
    await befriend(bo, an)
    sent = await an.post("for those who follow me", visibility="private")
    seen = await arrival(bo, sent["uri"])
    assert "private" == seen["visibility"]
    assert await _is_refused(third, f"v1/statuses/{seen['id']}", 404)
    assert await _is_refused(bo, f"v1/statuses/{seen['id']}/reblog", 404, 422, method="POST")
    await an.call("DELETE", f"v1/statuses/{sent['id']}")
    await until(lambda: _is_refused(bo, f"v1/statuses/{seen['id']}", 404), "the Delete arrives too")


async def test_a_locked_account_decides_who_follows(people: tuple[Person, Person]) -> None:
    """A request waits, is allowed or refused, and a follower can be removed again."""
    an, bo = people
    await bo.call("PATCH", "v1/accounts/update_credentials", body={"locked": True})
    bo_at_north = await an.follow(bo.handle)
    [request] = await until(lambda: bo.get("v1/follow_requests"), "the request arrives")
    assert an.handle == request["acct"]
    assert (await an.relation(bo_at_north))["requested"]
    await bo.do(f"v1/follow_requests/{request['id']}/authorize")
    await until(lambda: an.follows(bo_at_north), "the request is allowed")
    await bo.do(f"v1/accounts/{request['id']}/remove_from_followers")
    await until(lambda: _is_not(an.follows(bo_at_north)), "the follower is removed")
    await an.do(f"v1/accounts/{bo_at_north}/follow")
    [request] = await until(lambda: bo.get("v1/follow_requests"), "a second request arrives")
    await bo.do(f"v1/follow_requests/{request['id']}/reject")

    async def refused() -> bool:
        relation = await an.relation(bo_at_north)
        return not relation["requested"] and not relation["following"]

    await until(refused, "the second request is refused")


async def test_an_unfollow_stops_what_comes(people: tuple[Person, Person]) -> None:
    """The followed server forgets the follower."""
    an, bo = people
    bo_at_north = await befriend(an, bo)
    await an.do(f"v1/accounts/{bo_at_north}/unfollow")
    own_id = await _own_id(bo)

    async def nobody() -> bool:
        return not await bo.get(f"v1/accounts/{own_id}/followers")

    await until(nobody, "bo has no followers left")


async def test_a_block_ends_follows_both_ways_and_can_be_lifted(
    people: tuple[Person, Person], friends: tuple[Person, Person]
) -> None:
    """The blocked server is told, and believes; after the block nothing of the follow is left."""
    an, bo = people
    bo_at_north = await befriend(an, bo)
    an_at_south = await befriend(bo, an)
    await an.do(f"v1/accounts/{bo_at_north}/block")

    async def parted() -> bool:
        relation = await bo.relation(an_at_south)
        return not relation["following"] and not relation["followed_by"]

    await until(parted, "neither follows the other at bo's")
    sent = await bo.post(f"@{an.handle} can you hear me?")
    witness = friends[0]
    # What one person sends to one server comes there in order, so the first has come by now as well.
    await mention(witness, (await bo.post(f"@{witness.handle} can you?"))["uri"])
    await an.do(f"v1/accounts/{bo_at_north}/unblock")
    second = await bo.post(f"@{an.handle} and now?")
    await mention(an, second["uri"])
    assert sent["uri"] not in [notice["status"]["uri"] for notice in await an.told("mention")]


async def test_a_new_profile_is_shown_on_the_other_side(friends: tuple[Person, Person]) -> None:
    """Name, words and fields follow."""
    an, bo = friends
    an_at_south = (await bo.resolve(an.handle))["id"]
    await an.call(
        "PATCH",
        "v1/accounts/update_credentials",
        body={
            "display_name": "安 An",
            "note": "住在北方",
            "fields_attributes": [{"name": "家", "value": "北"}],
        },
    )

    async def renamed() -> Any:
        account = await bo.get(f"v1/accounts/{an_at_south}")
        return account if account["display_name"] == "安 An" else None

    account = await until(renamed, "the new name arrives")
    assert "<p>住在北方</p>" == account["note"]
    assert [("家", "北")] == [(field["name"], field["value"]) for field in account["fields"]]


async def test_what_the_gate_refuses_goes_nowhere(
    pair: tuple[Yanlu, Yanlu], friends: tuple[Person, Person]
) -> None:
    """Somebody without a verified identity may follow, and nothing they write leaves."""
    an, _ = friends
    name = f"nameless{next(_serial)}"
    south = pair[1]
    await south.command(
        "account", "create", name, "--email", f"{name}@example.test", "--password", "a long enough one"
    )
    token = await south.command("token", "create", name, "--scopes", "read write follow")
    nameless = Person(south, name, token["token"])
    an_at_south = await nameless.follow(an.handle)
    await until(lambda: nameless.follows(an_at_south), "following needs no verified identity")
    with pytest.raises(Refusal) as refusal:
        await nameless.post(f"@{an.handle} psst")
    assert 403 == refusal.value.status
    assert [] == await nameless.get(f"v1/accounts/{await _own_id(nameless)}/statuses")


def _bare(html: str) -> str:
    """Without what is for robots and translators: each server says that of links for itself."""
    return re.sub(r' (rel|translate)="[^"]*"', "", html)


async def _own_id(person: Person) -> str:
    return str((await person.get("v1/accounts/verify_credentials"))["id"])


async def _counts(person: Person, status_id: str, *, likes: int, boosts: int) -> bool:
    status = await person.get(f"v1/statuses/{status_id}")
    return (likes, boosts) == (status["favourites_count"], status["reblogs_count"])


async def _is_refused(person: Person, path: str, *statuses: int, method: str = "GET") -> bool:
    try:
        await person.call(method, path)
    except Refusal as refusal:
        return refusal.status in statuses
    return False


async def _is_not(answer: Any) -> bool:
    return not await answer


async def _document(server: Yanlu, uri: str) -> tuple[int, Any]:
    """What a server that signs nothing gets when it asks for an object."""
    async with server.web.get(uri, headers={"Accept": "application/activity+json"}) as answer:
        return answer.status, await answer.json(content_type=None)
