"""Two servers in processes of their own follow each other, and everything one does shows on the other.

The order of the tests is of no account: each makes its own people. What a person sees is asked of their own
server, through the client API.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from .harness import Person, Refusal, Yanlu, servers, until

pytestmark = pytest.mark.timeout(300)
_serial = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[tuple[Yanlu, Yanlu]]:
    async with servers("north", "south") as (north, south):
        yield north, south


@pytest_asyncio.fixture(loop_scope="session")
async def people(pair: tuple[Yanlu, Yanlu]) -> tuple[Person, Person]:
    """Somebody new on each server."""
    north, south = pair
    number = next(_serial)
    return await north.person(f"an{number}"), await south.person(f"bo{number}")


@pytest_asyncio.fixture(loop_scope="session")
async def friends(people: tuple[Person, Person]) -> tuple[Person, Person]:
    """Two people who follow each other."""
    an, bo = people
    await befriend(an, bo)
    await befriend(bo, an)
    return an, bo


async def befriend(follower: Person, followed: Person) -> str:
    """Follows across servers, waits until that is accepted, and gives the id of the followed one there."""
    account_id = await follower.follow(followed.handle)
    await until(lambda: follower.follows(account_id), f"{follower.name} follows {followed.name}")
    return account_id


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
    assert sent["content"] == seen["content"]
    assert ("小心", True, "zh", "public") == (
        seen["spoiler_text"],
        seen["sensitive"],
        seen["language"],
        seen["visibility"],
    )
    assert ["联邦"] == [tag["name"] for tag in seen["tags"]]
    assert bo.handle == seen["account"]["acct"]
    assert sent["created_at"] == seen["created_at"]


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
    pair: tuple[Yanlu, Yanlu], friends: tuple[Person, Person]
) -> None:
    """A post of somebody nobody there follows is fetched from its own server and shown in the boost."""
    an, bo = friends
    stranger = await bo.server.person(f"stranger{next(_serial)}")
    original = await stranger.post("never sent to the north")
    boost = await bo.do(f"v1/statuses/{original['id']}/reblog")
    seen = await arrival(an, boost["uri"])
    assert (original["uri"], stranger.handle) == (seen["reblog"]["uri"], seen["reblog"]["account"]["acct"])


async def test_a_conversation_has_the_same_shape_on_both_sides(friends: tuple[Person, Person]) -> None:
    """Replies go to the author answered, and hang where they belong."""
    an, bo = friends
    first = await bo.post("a question")
    seen = await arrival(an, first["uri"])
    answer = await an.post(f"@{bo.handle} an answer", in_reply_to_id=seen["id"])
    [notice] = await until(lambda: bo.told("mention"), "bo is told of the answer")
    assert answer["uri"] == notice["status"]["uri"]
    assert first["id"] == notice["status"]["in_reply_to_id"]
    context = await bo.get(f"v1/statuses/{first['id']}/context")
    assert [answer["uri"]] == [status["uri"] for status in context["descendants"]]


async def test_the_rest_of_a_thread_is_fetched(
    pair: tuple[Yanlu, Yanlu], friends: tuple[Person, Person]
) -> None:
    """Whoever receives a reply to posts that never came there can read what it answers."""
    an, bo = friends
    stranger = await bo.server.person(f"stranger{next(_serial)}")
    root = await stranger.post("the root, known to nobody in the north")
    middle = await stranger.post("the middle", in_reply_to_id=root["id"])
    reply = await bo.post(f"@{an.handle} look at this thread", in_reply_to_id=middle["id"])
    [notice] = await until(lambda: an.told("mention"), "an is told of the reply")
    assert reply["uri"] == notice["status"]["uri"]

    async def ancestors() -> Any:
        context = await an.get(f"v1/statuses/{notice['status']['id']}/context")
        uris = [status["uri"] for status in context["ancestors"]]
        return uris if len(uris) == 2 else None

    assert [root["uri"], middle["uri"]] == await until(ancestors, "the thread is whole")


async def test_a_mention_reaches_somebody_who_does_not_follow(people: tuple[Person, Person]) -> None:
    """Naming somebody is enough to reach them."""
    an, bo = people
    sent = await an.post(f"hello @{bo.handle}, you do not know me")
    [notice] = await until(lambda: bo.told("mention"), "bo is told of the mention")
    assert sent["uri"] == notice["status"]["uri"]
    assert [bo.name] == [mention["acct"] for mention in notice["status"]["mentions"]]


async def test_a_direct_post_reaches_the_named_and_nobody_else(
    pair: tuple[Yanlu, Yanlu], friends: tuple[Person, Person]
) -> None:
    """Followers of the author on the same server see nothing of it; nor does whoever asks for its address."""
    an, bo = friends
    other = await bo.server.person(f"other{next(_serial)}")
    await befriend(other, an)
    sent = await an.post(f"@{bo.handle} between us", visibility="direct")
    [notice] = await until(lambda: bo.told("mention"), "bo receives the direct post")
    assert "direct" == notice["status"]["visibility"]
    public = await an.post("for everybody")
    await arrival(other, public["uri"])
    assert await other.find_home(sent["uri"]) is None
    assert await _is_refused(other, f"v1/statuses/{notice['status']['id']}", 404)
    assert 404 == (await _document(an.server, sent["uri"]))[0]


async def test_a_post_for_followers_is_shown_to_followers_only(friends: tuple[Person, Person]) -> None:
    """It arrives at the shared inbox, and the receiving server itself keeps it from the rest."""
    an, bo = friends
    passer_by = await bo.server.person(f"passer{next(_serial)}")
    sent = await an.post("for those who follow me", visibility="private")
    seen = await arrival(bo, sent["uri"])
    assert "private" == seen["visibility"]
    assert await _is_refused(passer_by, f"v1/statuses/{seen['id']}", 404)
    assert await _is_refused(bo, f"v1/statuses/{seen['id']}/reblog", 404, 422, method="POST")


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


async def test_an_unfollow_stops_what_comes(friends: tuple[Person, Person]) -> None:
    """The followed server forgets the follower."""
    an, bo = friends
    bo_at_north = (await an.resolve(bo.handle))["id"]
    await an.do(f"v1/accounts/{bo_at_north}/unfollow")
    own_id = await _own_id(bo)

    async def nobody() -> bool:
        return not await bo.get(f"v1/accounts/{own_id}/followers")

    await until(nobody, "bo has no followers left")


async def test_a_block_ends_follows_both_ways_and_can_be_lifted(friends: tuple[Person, Person]) -> None:
    """The blocked server is told, and believes; after the block nothing of the follow is left."""
    an, bo = friends
    bo_at_north = (await an.resolve(bo.handle))["id"]
    an_at_south = (await bo.resolve(an.handle))["id"]
    await an.do(f"v1/accounts/{bo_at_north}/block")

    async def parted() -> bool:
        relation = await bo.relation(an_at_south)
        return not relation["following"] and not relation["followed_by"]

    await until(parted, "neither follows the other at bo's")
    sent = await bo.post(f"@{an.handle} can you hear me?")
    await an.do(f"v1/accounts/{bo_at_north}/unblock")
    second = await bo.post(f"@{an.handle} and now?")
    [notice] = await until(lambda: an.told("mention"), "a mention after the block arrives")
    assert second["uri"] == notice["status"]["uri"] != sent["uri"]


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
    assert [] == await an.told("mention")


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
