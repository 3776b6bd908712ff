"""A key speaks for an actor only when the actor says so too, and a dead key costs one fetch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from compliance.activity import Uri
from federation import signatures
from federation.client import Client, Limits
from federation.errors import Gone, NotTrusted, RemoteFault, Throttled, Unreachable
from federation.fetch import KeyRing, StoredKey
from federation.signatures import Claim, Dialect, Request, SigningKey, make_key_pair

from .peer import OURS, PAIR, Peer, client_for

NEW_PAIR = make_key_pair()


class Time:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def ring(client: Client, time: Time) -> AsyncIterator[KeyRing]:
    ring = KeyRing(client, clock=time)
    yield ring
    await ring.close()


def _claim(client: Client, key_id: str, *, pem: bytes = PAIR.private_pem) -> Claim:
    key = SigningKey.load(key_id, pem)
    headers = signatures.sign(Dialect.CAVAGE, key, "POST", URL(f"{OURS}/inbox"), b"{}", now=client.clock())
    return signatures.read(
        Request.of("POST", "/inbox", headers.items(), b"{}"), ours=OURS, now=client.clock()
    )


async def test_a_key_in_the_actors_document_is_the_actors(peer: Peer, client: Client, ring: KeyRing) -> None:
    """Mastodon, Misskey, Fedify: one fetch, and none for the next request."""
    uri = peer.serve_actor("ann")
    for _ in range(3):
        assert uri == await ring.signer(_claim(client, f"{uri}#main-key"))
    assert 1 == peer.counts("/users/ann")


async def test_a_key_at_an_address_of_its_own_is_bound_by_both(
    peer: Peer, client: Client, ring: KeyRing
) -> None:
    """As a stub of the actor (GoToSocial), or as a key."""
    uri = peer.uri("/users/gil")
    key_id = f"{uri}/main-key"
    listed = {"id": key_id, "owner": uri, "publicKeyPem": PAIR.public_pem}
    peer.serve_actor("gil", publicKey=listed)
    stubs: list[dict[str, Any]] = [
        {"id": uri, "type": "Person", "preferredUsername": "gil", "publicKey": listed},
        {"type": "Key", **listed},
    ]
    for stub in stubs:
        peer.serve("/users/gil/main-key", stub)
        assert uri == await KeyRing(client).signer(_claim(client, key_id))


async def test_a_key_that_names_a_victim_as_its_owner_speaks_for_nobody(
    peer: Peer, other: Peer, client: Client, ring: KeyRing
) -> None:
    """On another server, and on the same one."""
    victim = other.serve_actor("vic")
    sibling = peer.serve_actor("vic")
    for number, owner in enumerate((victim, sibling)):
        key_id = peer.uri(f"/key/{number}")
        peer.serve(f"/key/{number}", {"id": key_id, "owner": owner, "publicKeyPem": NEW_PAIR.public_pem})
        with pytest.raises(NotTrusted):
            await ring.signer(_claim(client, key_id, pem=NEW_PAIR.private_pem))


async def test_an_actor_that_lists_another_key_does_not_own_this_one(
    peer: Peer, client: Client, ring: KeyRing
) -> None:
    """The id must be the same, and so must the key."""
    uri = peer.uri("/users/ann")
    peer.serve_actor("ann", publicKey={"id": f"{uri}#other", "owner": uri, "publicKeyPem": PAIR.public_pem})
    with pytest.raises(NotTrusted):
        await ring.signer(_claim(client, f"{uri}#main-key"))
    key_id = peer.uri("/key")
    peer.serve("/key", {"id": key_id, "owner": uri, "publicKeyPem": NEW_PAIR.public_pem})
    peer.serve_actor("ann", publicKey={"id": key_id, "owner": uri, "publicKeyPem": PAIR.public_pem})
    with pytest.raises(NotTrusted):
        await ring.signer(_claim(client, key_id, pem=NEW_PAIR.private_pem))


async def test_a_wrong_signature_is_refused_and_the_key_asked_for_once_in_a_while(
    peer: Peer, client: Client, ring: KeyRing, time: Time
) -> None:
    """A forger must not make us ask without end."""
    uri = peer.serve_actor("ann")
    forged = _claim(client, f"{uri}#main-key", pem=NEW_PAIR.private_pem)
    for _ in range(50):
        with pytest.raises(NotTrusted):
            await ring.signer(forged)
    assert 1 == peer.counts("/users/ann")
    time.now += 601
    for _ in range(5):
        with pytest.raises(NotTrusted):
            await ring.signer(forged)
    assert 2 == peer.counts("/users/ann")


async def test_a_changed_key_is_noticed(peer: Peer, client: Client, ring: KeyRing, time: Time) -> None:
    """The one kept no longer fits; its owner is asked again."""
    uri = peer.serve_actor("ann")
    await ring.signer(_claim(client, f"{uri}#main-key"))
    peer.serve_actor("ann", key=NEW_PAIR.public_pem)
    time.now += 601
    assert uri == await ring.signer(_claim(client, f"{uri}#main-key", pem=NEW_PAIR.private_pem))


async def test_a_stored_key_spares_the_question(peer: Peer, client: Client) -> None:
    """After a start nobody is asked about people already known, unless their key has changed."""
    uri = Uri(peer.serve_actor("ann", key=NEW_PAIR.public_pem))

    async def stored(key_id: Uri) -> StoredKey | None:
        return StoredKey(uri, PAIR.public_pem) if key_id == f"{uri}#main-key" else None

    ring = KeyRing(client, stored=stored)
    assert uri == await ring.signer(_claim(client, f"{uri}#main-key"))
    assert [] == peer.asked
    assert uri == await ring.signer(_claim(client, f"{uri}#main-key", pem=NEW_PAIR.private_pem))
    assert 1 == peer.counts("/users/ann")


async def test_a_key_of_ours_cannot_come_from_outside(client: Client, ring: KeyRing) -> None:
    """Not even one that fits."""
    with pytest.raises(NotTrusted):
        await ring.signer(_claim(client, f"{OURS}/users/alice#main-key"))


@pytest.mark.parametrize("case", [(404, Gone), (410, Gone), (500, Unreachable)])
async def test_a_dead_key_costs_one_fetch(
    peer: Peer, client: Client, ring: KeyRing, time: Time, case: tuple[int, type[RemoteFault]]
) -> None:
    """50 posts with it, in a row and at once; and it may come back."""
    status, fault = case
    uri = peer.uri("/users/ann")
    peer.answers["/users/ann"] = web.Response(status=status)
    claim = _claim(client, f"{uri}#main-key")
    outcomes = await asyncio.gather(*(ring.signer(claim) for _ in range(25)), return_exceptions=True)
    for _ in range(25):
        with pytest.raises(fault):
            await ring.signer(claim)
    assert {fault} == {type(outcome) for outcome in outcomes}
    assert 1 == peer.counts("/users/ann")
    peer.serve_actor("ann")
    time.now += 601
    assert uri == await ring.signer(claim)


async def test_a_silent_host_is_left_alone_for_all_its_keys(
    peer: Peer, client: Client, ring: KeyRing, time: Time
) -> None:
    """Five failures, then none of its keys is asked for; a host that only lost people goes on."""
    for number in range(20):
        peer.answers[f"/users/u{number}"] = web.Response(status=502)
        with pytest.raises(Unreachable):
            await ring.signer(_claim(client, peer.uri(f"/users/u{number}#main-key")))
    assert len(peer.asked) == 5
    time.now += 601
    for number in range(20, 40):
        with pytest.raises(Gone):
            await ring.signer(_claim(client, peer.uri(f"/users/u{number}#main-key")))
    assert peer.serve_actor("ann") == await ring.signer(_claim(client, peer.uri("/users/ann#main-key")))


async def test_our_own_thrift_is_no_failure_of_theirs(peer: Peer) -> None:
    """A busy server with many new people must not be shut out because we ask slowly."""
    uris = [peer.serve_actor(f"u{number}") for number in range(8)]
    async with client_for(peer, limits=Limits(a_minute=1)) as client:
        ring = KeyRing(client)
        assert uris[0] == await ring.signer(_claim(client, f"{uris[0]}#main-key"))
        for uri in uris[1:]:
            for _ in range(2):
                with pytest.raises(Throttled):
                    await ring.signer(_claim(client, f"{uri}#main-key"))
    assert 1 == len(peer.asked)


async def test_who_hangs_up_does_not_spoil_it_for_those_who_wait(
    peer: Peer, client: Client, ring: KeyRing
) -> None:
    """One question is asked for all of them."""
    asked, go_on = asyncio.Event(), asyncio.Event()
    uri = peer.serve_actor("ann")
    document = peer.answers["/users/ann"]
    assert isinstance(document, web.Response)

    async def slow(_: web.Request) -> web.StreamResponse:
        asked.set()
        await go_on.wait()
        return web.Response(body=document.body, headers=document.headers)

    peer.answers["/users/ann"] = slow
    claim = _claim(client, f"{uri}#main-key")
    first = asyncio.create_task(ring.signer(claim))
    await asked.wait()
    second = asyncio.create_task(ring.signer(claim))
    await asyncio.sleep(0)
    first.cancel()
    go_on.set()
    assert uri == await second
    assert 1 == peer.counts("/users/ann")
