"""A server that is not ours, on the Fedify library, federates with us: it follows, sends and receives.

Fedify reads documents as JSON-LD, signs with RFC 9421 first, falls back to the draft, and checks what it gets
by its own rules. What we send must hold before those, and what it sends must show here.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from .fedify.process import Peer, foreign_peer
from .harness import Person, Refusal, Yanlu, servers, until

pytestmark = pytest.mark.timeout(300)
_serial = itertools.count(1)
_NAMES = [f"fei{number}" for number in range(1, 40)]
_unused = iter(_NAMES)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def home() -> AsyncIterator[Yanlu]:
    async with servers("home") as [home]:
        yield home


@pytest_asyncio.fixture(
    scope="module", loop_scope="session", params=["rfc9421", "draft-cavage-http-signatures-12"]
)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    """The foreign server, once for each kind of signature that it tries first."""
    async with foreign_peer(users=_NAMES, first_knock=request.param) as peer:
        yield peer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def an(home: Yanlu) -> Person:
    """Somebody here, who meets somebody new at the foreign server in each test."""
    return await home.person("an")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other(home: Yanlu) -> Person:
    """Somebody else here, who follows nobody."""
    return await home.person("other")


@pytest.fixture
def fei(peer: Peer) -> str:
    """The name of somebody at the foreign server who has done nothing yet."""
    return next(_unused)


async def befriend(an: Person, peer: Peer, fei: str) -> str:
    """Each follows the other; gives the foreign one's id here."""
    await peer.do("follow", **{"as": fei, "target": an.uri})
    await until(lambda: _is_accepted(peer, fei, an.uri), "our Accept reaches the peer")
    fei_here = await an.follow(peer.handle(fei))
    await until(lambda: an.follows(fei_here), "their Accept reaches us")
    return fei_here


async def test_each_follows_the_other(an: Person, peer: Peer, fei: str) -> None:
    """Follow and Accept in both directions, and the foreign person is shown under their own name."""
    fei_here = await befriend(an, peer, fei)
    account = await an.get(f"v1/accounts/{fei_here}")
    assert (peer.handle(fei), fei) == (account["acct"], account["display_name"])
    assert peer.handle(fei) in [one["account"]["acct"] for one in await an.told("follow")]
    assert an.uri in (await peer.state())["people"][fei]["followers"]


async def test_what_it_posts_edits_and_deletes_shows_here(an: Person, peer: Peer, fei: str) -> None:
    """Create, Update and Delete of a Note as Fedify writes them, with proofs and a context of its own."""
    await befriend(an, peer, fei)
    sent = await peer.do("post", **{"as": fei, "html": "<p>from <b>elsewhere</b><script>no</script></p>"})
    seen = await until(lambda: an.find_home(sent["uri"]), "their post arrives")
    assert "<p>from <strong>elsewhere</strong></p>" == seen["content"].replace("<b>", "<strong>").replace(
        "</b>", "</strong>"
    )
    await peer.do("update", uri=sent["uri"], html="<p>changed</p>")

    async def edited() -> Any:
        return (await an.get(f"v1/statuses/{seen['id']}"))["content"] == "<p>changed</p>"

    await until(edited, "their edit arrives")
    await peer.do("delete", uri=sent["uri"])
    await until(lambda: _is_gone(an, seen["id"]), "their Delete arrives")


async def test_what_we_post_edit_and_delete_is_read_there(an: Person, peer: Peer, fei: str) -> None:
    """Our documents survive JSON-LD processing: Fedify sees a Note with its author, words and audience."""
    await befriend(an, peer, fei)
    sent = await an.post("你好 #联邦 @" + peer.handle(fei), spoiler_text="cw")
    note = (await _received(peer, "Create", sent["uri"]))["object"]
    assert ("Note", an.uri, "cw") == (note["type"], note["attributedTo"], note["summary"])
    assert sent["content"] == _plain(note["content"])
    assert "as:Public" == note["to"]
    await an.call("PUT", f"v1/statuses/{sent['id']}", body={"status": "改过"})
    assert "改过" in _plain((await _received(peer, "Update", sent["uri"]))["object"]["content"])
    await an.call("DELETE", f"v1/statuses/{sent['id']}")
    await _received(peer, "Delete", sent["uri"])


async def test_it_likes_and_boosts_our_post_and_takes_both_back(an: Person, peer: Peer, fei: str) -> None:
    """Like, Announce and the Undo of each, from there."""
    await befriend(an, peer, fei)
    sent = await an.post("like this")
    act = {"as": fei, "object": sent["uri"], "author": an.uri}
    await peer.do("like", **act)
    await peer.do("announce", **act)
    await until(lambda: _counts(an, sent["id"], likes=1, boosts=1), "both are counted")
    await peer.do("unlike", **act)
    await peer.do("unannounce", **act)
    await until(lambda: _counts(an, sent["id"], likes=0, boosts=0), "both are taken back")


async def test_we_like_and_boost_its_post_and_take_both_back(an: Person, peer: Peer, fei: str) -> None:
    """Like, Announce and the Undo of each, from here."""
    await befriend(an, peer, fei)
    sent = await peer.do("post", **{"as": fei, "html": "<p>like this</p>"})
    seen = await until(lambda: an.find_home(sent["uri"]), "their post arrives")
    await an.do(f"v1/statuses/{seen['id']}/favourite")
    await _received(peer, "Like", sent["uri"])
    await an.do(f"v1/statuses/{seen['id']}/unfavourite")
    await until(lambda: _undone(peer, "Like", sent["uri"]), "our Undo of the Like arrives")
    await an.do(f"v1/statuses/{seen['id']}/reblog")
    await _received(peer, "Announce", sent["uri"])
    await an.do(f"v1/statuses/{seen['id']}/unreblog")
    await until(lambda: _undone(peer, "Announce", sent["uri"]), "our Undo of the Announce arrives")


async def test_replies_go_both_ways(an: Person, peer: Peer, fei: str) -> None:
    """A mention with no follow before it, an answer from there, and an answer to the answer."""
    first = await an.post(f"@{peer.handle(fei)} a question")
    await _received(peer, "Create", first["uri"])
    mention = {"uri": an.uri, "name": f"@{an.handle}"}
    asked = {"as": fei, "html": "<p>an answer</p>", "inReplyTo": first["uri"], "mentions": [mention]}
    answer = await peer.do("post", **asked)
    seen = await until(lambda: _mention(an, answer["uri"]), "the answer arrives")
    assert first["id"] == seen["in_reply_to_id"]
    last = await an.post(f"@{peer.handle(fei)} thanks", in_reply_to_id=seen["id"])
    assert answer["uri"] == (await _received(peer, "Create", last["uri"]))["object"]["inReplyTo"]


async def test_a_direct_post_from_there_is_for_its_addressee(
    an: Person, other: Person, peer: Peer, fei: str
) -> None:
    """It comes to the shared inbox of all of us, and only one of us may see it."""
    mention = {"uri": an.uri, "name": f"@{an.handle}"}
    asked = {"as": fei, "html": "<p>between us</p>", "visibility": "direct", "mentions": [mention]}
    sent = await peer.do("post", **asked)
    seen = await until(lambda: _mention(an, sent["uri"]), "the direct post arrives")
    assert "direct" == seen["visibility"]
    assert await _is_gone(other, seen["id"])


async def test_profiles_are_kept_up_to_date_both_ways(an: Person, peer: Peer, fei: str) -> None:
    """Update of a Person in either direction."""
    fei_here = await befriend(an, peer, fei)
    await peer.do("profile", **{"as": fei, "displayName": "飞", "summary": "<p>远方</p>"})

    async def renamed() -> Any:
        account = await an.get(f"v1/accounts/{fei_here}")
        return ("飞", "<p>远方</p>") == (account["display_name"], account["note"])

    await until(renamed, "their new profile arrives")
    await an.call("PATCH", "v1/accounts/update_credentials", body={"display_name": f"安 {fei}"})
    person = (await _received(peer, "Update", an.uri))["object"]
    assert ("Person", f"安 {fei}") == (person["type"], person["name"])


async def test_its_locked_people_decide_and_so_do_ours(home: Yanlu, peer: Peer, fei: str) -> None:
    """Requests wait on either side until somebody says yes or no."""
    an = await home.person(f"locked{next(_serial)}")
    await peer.do("profile", **{"as": fei, "locked": True})
    fei_here = await an.follow(peer.handle(fei))
    await until(lambda: _has_request(peer, fei, an.uri), "our request waits there")
    assert (await an.relation(fei_here))["requested"]
    await peer.do("accept", **{"as": fei, "follower": an.uri})
    await until(lambda: an.follows(fei_here), "their late Accept arrives")
    await an.call("PATCH", "v1/accounts/update_credentials", body={"locked": True})
    await peer.do("follow", **{"as": fei, "target": an.uri})
    [request] = await until(lambda: an.get("v1/follow_requests"), "their request waits here")
    await an.do(f"v1/follow_requests/{request['id']}/reject")
    await until(lambda: _is_accepted(peer, fei, an.uri, "rejected"), "our Reject arrives")


async def test_unfollows_and_blocks_are_heard(an: Person, peer: Peer, fei: str) -> None:
    """Undo of a Follow from both sides, then a Block from there that parts the two."""
    fei_here = await befriend(an, peer, fei)
    await peer.do("unfollow", **{"as": fei, "target": an.uri})

    async def parted() -> bool:
        return not (await an.relation(fei_here))["followed_by"]

    await until(parted, "their Undo arrives")
    await peer.do("block", **{"as": fei, "target": an.uri})

    async def blocked() -> bool:
        return not (await an.relation(fei_here))["following"]

    await until(blocked, "their Block ends our follow")
    await peer.do("unblock", **{"as": fei, "target": an.uri})
    await an.do(f"v1/accounts/{fei_here}/block")
    await _received(peer, "Block", peer.actor(fei))


async def test_it_understands_our_addresses(an: Person, peer: Peer) -> None:
    """WebFinger, actor, page address and post, each looked up with the peer's own library."""
    sent = await an.post("look me up")
    for asked, kind in (
        (an.uri, "Person"),
        (f"{an.server.origin}/@{an.name}", "Person"),
        (sent["uri"], "Note"),
    ):
        found = (await peer.do("lookup", uri=asked))["found"]
        assert kind == found["type"], asked


async def test_every_request_of_ours_was_taken(an: Person, peer: Peer, fei: str) -> None:
    """No delivery was refused for its signature or its form, and each said who we are."""
    await befriend(an, peer, fei)
    requests = [one for one in (await peer.state())["requests"] if one["method"] == "POST"]
    assert {202} == {one["status"] for one in requests}
    assert all(one["userAgent"].startswith("Yanlu/") for one in requests)
    assert [] == await peer.received("Error")


async def _mention(person: Person, uri: str) -> Any:
    """The post with this id that names the person, if they were told of it."""
    told = (notice["status"] for notice in await person.told("mention"))
    return next((status for status in told if status["uri"] == uri), None)


async def _is_accepted(peer: Peer, fei: str, uri: str, state: str = "accepted") -> bool:
    return bool((await peer.state())["people"][fei]["following"].get(uri) == state)


async def _has_request(peer: Peer, fei: str, uri: str) -> bool:
    return uri in (await peer.state())["people"][fei]["requests"]


async def _received(peer: Peer, kind: str, object_id: str) -> Any:
    """The activity of this kind about this object, once the peer has it."""

    async def find() -> Any:
        for document in await peer.received(kind):
            about = document["object"]
            if object_id == (about["id"] if isinstance(about, dict) else about):
                return document
        return None

    return await until(find, f"the peer receives {kind} of {object_id}")


async def _undone(peer: Peer, kind: str, object_id: str) -> bool:
    undone = [document["object"] for document in await peer.received("Undo")]
    return any(one.get("type") == kind and one.get("object") == object_id for one in undone)


async def _counts(person: Person, status_id: str, *, likes: int, boosts: int) -> bool:
    status = await person.get(f"v1/statuses/{status_id}")
    return (likes, boosts) == (status["favourites_count"], status["reblogs_count"])


async def _is_gone(person: Person, status_id: str) -> bool:
    try:
        await person.get(f"v1/statuses/{status_id}")
    except Refusal as refusal:
        return refusal.status == 404
    return False


def _plain(content: Any) -> str:
    """Text that may come with its language, as Fedify writes it out."""
    return str(content["@value"]) if isinstance(content, dict) else str(content)
