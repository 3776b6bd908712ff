"""A document is believed only from its own address, in its own media type."""

from __future__ import annotations

from typing import Any

import pytest

from federation import fetch, webfinger
from federation.client import Budget, Client
from federation.errors import Gone, Malformed, NotTrusted, RemoteFault, Unreachable
from federation.webfinger import Handle

from .peer import ACTIVITY, OURS, Peer, redirect

AS2 = "https://www.w3.org/ns/activitystreams"


def _note(peer: Peer, path: str = "/1", **more: Any) -> dict[str, Any]:
    return {
        "@context": AS2,
        "id": peer.uri(path),
        "type": "Note",
        "attributedTo": peer.uri("/users/ann"),
        "content": "<p>hi</p>",
        "to": f"{AS2}#Public",
        **more,
    }


async def test_a_post_is_fetched_by_its_id(peer: Peer, client: Client) -> None:
    """Signed with the instance actor's key, for servers that want to know who asks."""
    peer.serve("/1", _note(peer))
    assert "hi" == (await fetch.note(client, peer.uri("/1"))).text
    assert f'keyId="{OURS}/actor#main-key"' in peer.requests[0].headers["Signature"]
    assert ACTIVITY in peer.requests[0].headers["Accept"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/html", "image/png", "application/ld+json", "application/octet-stream", ""],
)
async def test_another_media_type_is_not_believed(peer: Peer, client: Client, content_type: str) -> None:
    """Or an uploaded file would speak for its host."""
    peer.serve("/1", _note(peer), content_type=content_type)
    with pytest.raises(NotTrusted):
        await fetch.document(client, peer.uri("/1"))


async def test_json_ld_with_its_profile_is_believed(peer: Peer, client: Client) -> None:
    """The second of the two media types."""
    peer.serve("/1", _note(peer), content_type=f'application/ld+json; profile="{AS2}"; charset=utf-8')
    assert "Note" == (await fetch.document(client, peer.uri("/1")))["type"]


async def test_another_address_than_the_id_is_asked_again_at_the_id(peer: Peer, client: Client) -> None:
    """A page's address, or an old one, leads to the object; once."""
    peer.serve("/@ann/1", _note(peer))
    peer.serve("/1", _note(peer))
    peer.answers["/old"] = redirect("/1")
    assert peer.uri("/1") == (await fetch.document(client, peer.uri("/@ann/1")))["id"]
    assert peer.uri("/1") == (await fetch.document(client, peer.uri("/old")))["id"]


async def test_nobody_serves_somebody_elses_object(peer: Peer, other: Peer, client: Client) -> None:
    """The words come from where the id says, or not at all."""
    peer.serve("/forged", _note(other, "/1", content="forged"))
    other.serve("/1", _note(other, "/1", content="true"))
    assert "true" == (await fetch.document(client, peer.uri("/forged")))["content"]
    other.serve("/1", _note(peer, "/1"))
    with pytest.raises(NotTrusted):
        await fetch.document(client, peer.uri("/forged"))


async def test_a_redirect_to_another_server_does_not_lend_its_name(
    peer: Peer, other: Peer, client: Client
) -> None:
    """An open redirect on a good host must not vouch for what a bad one shows."""
    peer.answers["/go"] = redirect(other.uri("/evil"))
    other.serve("/evil", _note(peer, "/go"))
    with pytest.raises(RemoteFault):
        await fetch.document(client, peer.uri("/go"))


@pytest.mark.parametrize(
    ("status", "fault"),
    [(404, Gone), (410, Gone), (401, Unreachable), (500, Unreachable), (204, Unreachable)],
)
async def test_a_status_says_whether_to_come_back(
    peer: Peer, client: Client, status: int, fault: type[RemoteFault]
) -> None:
    """Gone is for good; the rest may pass."""
    peer.serve("/1", _note(peer), status=status)
    with pytest.raises(fault):
        await fetch.document(client, peer.uri("/1"))


@pytest.mark.parametrize("document", [None, [], {}, {"id": None}, {"id": 7}, {"id": "urn:x"}])
async def test_a_document_without_id_is_malformed(peer: Peer, client: Client, document: object) -> None:
    """There is nothing to compare."""
    peer.serve("/1", document)
    with pytest.raises(Malformed):
        await fetch.document(client, peer.uri("/1"))


async def test_a_document_in_json_ld_is_read_too(peer: Peer, client: Client) -> None:
    """By the slow road, off the loop."""
    document = {"@context": AS2, "@id": peer.uri("/1"), "@type": "Note", "content": "x"}
    peer.serve("/1", document)
    assert peer.uri("/1") == (await fetch.document(client, peer.uri("/1")))["id"]


async def test_an_actor_comes_with_a_handle_that_both_sides_confirm(peer: Peer, client: Client) -> None:
    """Names with ports work everywhere."""
    actor = await fetch.actor(client, peer.serve_actor("ann"))
    assert f"ann@{peer.host}" == actor.handle


async def test_a_handle_may_live_on_another_host_when_both_say_so(
    peer: Peer, other: Peer, client: Client
) -> None:
    """People keep their name on the domain and the server on a subdomain."""
    uri = peer.serve_actor("ann")
    peer.serve_handle(f"ann@{peer.host}", uri, subject=f"ann@{other.host}")
    assert peer.host == (await fetch.actor(client, uri)).host
    other.serve_handle(f"ann@{other.host}", uri)
    assert other.host == (await fetch.actor(client, uri)).host


async def test_a_claimed_handle_is_asked_for_where_it_would_live(
    peer: Peer, other: Peer, client: Client
) -> None:
    """FEP-2c59: one look instead of two."""
    uri = peer.serve_actor("ann", webfinger=f"ann@{other.host}")
    other.serve_handle(f"ann@{other.host}", uri)
    assert other.host == (await fetch.actor(client, uri)).host
    assert not [path for _, path in peer.asked if "webfinger" in path]


async def test_nobody_takes_a_name_on_a_host_that_does_not_know_them(
    peer: Peer, other: Peer, client: Client
) -> None:
    """Or anybody could be vic@good.example, or somebody of ours."""
    for claim in (f"ann@{other.host}", "ann@here.example", "carol@" + other.host, "nonsense"):
        uri = peer.serve_actor("ann", webfinger=claim)
        peer.serve_handle(f"ann@{peer.host}", uri, subject=claim)
        other.serve_handle(f"ann@{other.host}", other.uri("/users/ann"))
        other.serve_handle(f"carol@{other.host}", uri)
        assert peer.host == (await fetch.actor(client, uri)).host


async def test_a_name_that_is_somebody_elses_is_refused(peer: Peer, client: Client) -> None:
    """Two actors of one server cannot both be ann."""
    peer.serve_actor("ann")
    uri = peer.uri("/evil")
    peer.serve("/evil", {"id": uri, "type": "Person", "preferredUsername": "ann", "inbox": f"{uri}/in"})
    with pytest.raises(NotTrusted):
        await fetch.actor(client, uri)


async def test_an_actor_whose_host_has_no_webfinger_keeps_its_own_host(peer: Peer, client: Client) -> None:
    """Its id proves that much."""
    uri = peer.serve_actor("ann")
    for path in [path for path in peer.answers if "webfinger" in path]:
        del peer.answers[path]
    assert peer.host == (await fetch.actor(client, uri)).host


async def test_a_handle_leads_to_its_actor(peer: Peer, client: Client) -> None:
    """However it is typed."""
    uri = peer.serve_actor("ann")
    for typed in (f"ann@{peer.host}", f"@ann@{peer.host}", f"acct:ann@{peer.host}"):
        assert uri == await webfinger.resolve(client, typed)


JRDS: dict[str, Any] = {
    "null": None,
    "no links": {"subject": "acct:ann@x"},
    "links that are none": {"links": {"rel": "self"}},
    "a page only": {"links": [{"rel": "self", "type": "text/html", "href": "https://x.example/"}]},
    "a link to a script": {"links": [{"rel": "self", "type": ACTIVITY, "href": "javascript:alert(1)"}]},
    "numbers": {"links": [1, None, {"rel": "self", "type": 7, "href": 7}]},
}


@pytest.mark.parametrize("document", JRDS.values(), ids=JRDS.keys())
async def test_a_handle_without_actor_is_malformed(peer: Peer, client: Client, document: object) -> None:
    """WebFinger is asked of anybody."""
    peer.serve(
        f"/.well-known/webfinger?resource=acct:ann@{peer.host}", document, content_type="application/json"
    )
    with pytest.raises(Malformed):
        await webfinger.resolve(client, f"ann@{peer.host}")


@pytest.mark.parametrize(
    "text", ["", "ann", "ann@", "@ann", "a b@x.example", "ann@x@y", "ann@x.example/../", "ann@1"]
)
def test_what_is_no_handle_is_refused(text: str) -> None:
    """Before anybody is asked about it."""
    with pytest.raises(Malformed):
        Handle.of(text)


async def test_one_activity_causes_only_so_many_fetches(peer: Peer, client: Client) -> None:
    """All of them together, WebFinger included."""
    uri = peer.serve_actor("ann")
    budget = Budget(fetches=1)
    with pytest.raises(RemoteFault):
        await fetch.document(client, peer.uri("/none"), budget=budget)
    with pytest.raises(Unreachable):
        await fetch.actor(client, uri, budget=budget)
    assert 0 == peer.counts("/users/ann")
