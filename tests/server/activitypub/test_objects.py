"""What other servers may read, in the form they expect, and nothing else."""

from __future__ import annotations

import pytest

from tests.fixtures.server import ORIGIN, Enter
from tests.fixtures.stranger import AS2, Here, Start, Stranger

LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.mark.parametrize(
    "resource",
    [
        "acct:an@example.org",
        "acct:AN@Example.ORG",
        "acct:@an@example.org",
        "an@example.org",
        f"{ORIGIN}/users/an",
        f"{ORIGIN}/@an",
    ],
)
async def test_webfinger_finds_people_by_every_name_of_theirs(
    here: Here, enter: Enter, resource: str
) -> None:
    """User names are found whatever their case; handles and addresses are names alike."""
    await enter("an")
    answer = await here.get(f"/.well-known/webfinger?resource={resource}")
    assert (200, "application/jrd+json", "*") == (
        answer.status,
        answer.headers["Content-Type"],
        answer.headers["Access-Control-Allow-Origin"],
    )
    assert "acct:an@example.org" == answer.body["subject"]
    own = [link["href"] for link in answer.body["links"] if link["rel"] == "self"]
    assert [f"{ORIGIN}/users/an"] == own


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("", 400),
        ("acct:nobody@example.org", 404),
        ("acct:an@elsewhere.test", 404),
        ("acct:an@example.org:8080", 404),
        ("acct:an", 404),
        ("acct:an@exa mple.org", 404),
        ("https://elsewhere.test/users/an", 404),
        (f"{ORIGIN}/users/an/followers", 404),
    ],
)
async def test_webfinger_knows_nobody_else(here: Here, enter: Enter, resource: str, status: int) -> None:
    """Another host's people are asked for there."""
    await enter("an")
    assert status == (await here.get(f"/.well-known/webfinger?resource={resource}")).status


async def test_the_old_ways_lead_to_webfinger_and_nodeinfo(here: Here, enter: Enter) -> None:
    """host-meta names the template, and NodeInfo names its documents and the instance actor."""
    await enter("an")
    meta = await here.get("/.well-known/host-meta")
    assert f'template="{ORIGIN}/.well-known/webfinger?resource={{uri}}"' in meta.body.decode()
    links = (await here.get("/.well-known/nodeinfo")).body["links"]
    assert f"{ORIGIN}/actor" == links[-1]["href"]
    for link, version in zip(links, ("2.0", "2.1"), strict=False):
        info = await here.get(link["href"].removeprefix(ORIGIN))
        assert (200, version, 1, ["activitypub"]) == (
            info.status,
            info.body["version"],
            info.body["usage"]["users"]["total"],
            info.body["protocols"],
        )
    assert 404 == (await here.get("/nodeinfo/1.0")).status


async def test_an_actor_says_what_others_need(here: Here, enter: Enter) -> None:
    """Inboxes, key and collections, all on our own origin."""
    await enter("an")
    answer = await here.get("/users/an")
    assert (200, f"{AS2}; charset=utf-8", "Accept") == (
        answer.status,
        answer.headers["Content-Type"],
        answer.headers["Vary"],
    )
    person = answer.body
    assert "https://www.w3.org/ns/activitystreams" == person["@context"][0]
    assert ("Person", "an", f"{ORIGIN}/@an") == (person["type"], person["preferredUsername"], person["url"])
    assert {"sharedInbox": f"{ORIGIN}/inbox"} == person["endpoints"]
    assert (person["id"], f"{person['id']}#main-key") == (
        person["publicKey"]["owner"],
        person["publicKey"]["id"],
    )
    instance = (await here.get("/actor")).body
    assert ("Application", "example.org") == (instance["type"], instance["preferredUsername"])


async def test_one_address_has_two_faces(here: Here, enter: Enter) -> None:
    """Servers get the document at the page's address, and browsers the page at the document's."""
    an = await enter("an")
    post = await an.post("hello")
    for page, id_ in (("/@an", "/users/an"), (f"/@an/{post['id']}", f"/users/an/statuses/{post['id']}")):
        assert f"{ORIGIN}{id_}" == (await here.get(page)).body["id"]
        assert f"{ORIGIN}{id_}" == (await here.get(page, accept=LD)).body["id"]
        led = await here.get(id_, accept=BROWSER)
        assert (303, f"{ORIGIN}{page}") == (led.status, led.headers["Location"])


async def test_a_post_and_the_activity_that_made_it(here: Here, enter: Enter) -> None:
    """The same words in both, addressed alike."""
    an = await enter("an")
    post = await an.post("你好 #联邦", spoiler_text="cw")
    note = (await here.get(f"/users/an/statuses/{post['id']}")).body
    assert ("Note", f"{ORIGIN}/users/an", "cw", post["content"]) == (
        note["type"],
        note["attributedTo"],
        note["summary"],
        note["content"],
    )
    assert [("Hashtag", "#联邦")] == [(tag["type"], tag["name"]) for tag in note["tag"]]
    create = (await here.get(f"/users/an/statuses/{post['id']}/activity")).body
    assert ("Create", note["to"], note["cc"]) == (create["type"], create["to"], create["cc"])
    assert note["content"] == create["object"]["content"]
    boost = await an.do(f"/api/v1/statuses/{post['id']}/reblog")
    announce = (await here.get(f"/users/an/statuses/{boost['id']}/activity")).body
    assert ("Announce", note["id"], boost["uri"]) == (announce["type"], announce["object"], announce["id"])
    assert 404 == (await here.get(f"/users/an/statuses/{boost['id']}")).status


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_is_not_public_looks_as_if_it_were_not(here: Here, enter: Enter, visibility: str) -> None:
    """Absent and forbidden answer with the same bytes, at every address that hangs on a post."""
    an = await enter("an")
    post = await an.post("not for you", visibility=visibility)
    for tail in ("", "/activity", "/replies", "/likes", "/shares"):
        hidden = await here.get(f"/users/an/statuses/{post['id']}{tail}")
        absent = await here.get(f"/users/an/statuses/1{tail}")
        assert (404, absent.body) == (hidden.status, hidden.body)
    assert 404 == (await here.get(f"/@an/{post['id']}")).status


async def test_a_follower_reads_what_is_for_followers_by_their_signature(
    here: Here, enter: Enter, stranger: Stranger
) -> None:
    """Signed by a follower it is shown, for them alone; signed by somebody else it is not there."""
    an = await enter("an")
    post = await an.post("for followers", visibility="private")
    path = f"/users/an/statuses/{post['id']}"
    assert 404 == (await here.get(path, key=stranger.key())).status
    follow = stranger.activity("Follow", f"{ORIGIN}/users/an")
    assert 202 == (await here.post("/inbox", follow, stranger.key())).status
    await here.settled()
    shown = await here.get(path, key=stranger.key())
    assert (200, "private, no-cache", "Accept, Signature") == (
        shown.status,
        shown.headers["Cache-Control"],
        shown.headers["Vary"],
    )
    assert 404 == (await here.get(path)).status
    assert 404 == (await here.get(path, key=stranger.key(false=True))).status


async def test_a_withdrawn_post_says_so_if_it_was_public(here: Here, enter: Enter) -> None:
    """Whoever could have read it may know; of what was private nobody learns that it ever was."""
    an = await enter("an")
    public, private = await an.post("public"), await an.post("private", visibility="private")
    for post in (public, private):
        (await an.call("DELETE", f"/api/v1/statuses/{post['id']}")).raised()
    gone = await here.get(f"/users/an/statuses/{public['id']}")
    assert (410, "Tombstone", public["uri"]) == (gone.status, gone.body["type"], gone.body["id"])
    assert 404 == (await here.get(f"/users/an/statuses/{private['id']}")).status


async def test_somebody_elses_name_does_not_open_a_post(here: Here, enter: Enter) -> None:
    """A post is at its author's address only."""
    an, _ = await enter("an"), await enter("bo")
    post = await an.post("mine")
    assert 404 == (await here.get(f"/users/bo/statuses/{post['id']}")).status
    for bad in ("x", "-1", "99999999999999999999", "٣"):
        assert 404 == (await here.get(f"/users/an/statuses/{bad}")).status


async def test_an_outbox_pages_through_what_is_public(here: Here, enter: Enter) -> None:
    """Newest first, each once, private and unlisted posts left out."""
    an = await enter("an")
    await an.post("hidden", visibility="private")
    await an.post("quiet", visibility="unlisted")
    sent = [(await an.post(f"post {number}"))["uri"] for number in range(43)]
    whole = (await here.get("/users/an/outbox")).body
    assert ("OrderedCollection", f"{ORIGIN}/users/an/outbox?page=true") == (whole["type"], whole["first"])
    seen, address = [], whole["first"]
    while address:
        page = (await here.get(address.removeprefix(ORIGIN))).body
        assert (address, whole["id"]) == (page["id"], page["partOf"])
        seen += [item["object"]["id"] for item in page["orderedItems"]]
        address = page.get("next")
    assert sent[::-1] == seen


async def test_followers_and_following_are_told_by_their_ids(
    here: Here, enter: Enter, stranger: Stranger
) -> None:
    """Counts at once, people page by page."""
    an, bo = await enter("an"), await enter("bo")
    await an.do(f"/api/v1/accounts/{bo.id}/follow")
    await here.post("/inbox", stranger.activity("Follow", f"{ORIGIN}/users/bo"), stranger.key())
    await here.settled()
    assert 2 == (await here.get("/users/bo/followers")).body["totalItems"]
    page = (await here.get("/users/bo/followers?page=true")).body
    assert [stranger.actor, f"{ORIGIN}/users/an"] == page["orderedItems"]
    assert [f"{ORIGIN}/users/bo"] == (await here.get("/users/an/following?page=true")).body["orderedItems"]
    assert 0 == (await here.get("/users/an/collections/featured")).body["totalItems"]


async def test_replies_are_listed_when_they_are_open(here: Here, enter: Enter) -> None:
    """A reply for followers is not told to everybody."""
    an = await enter("an")
    post = await an.post("a question")
    open_ = await an.post("an answer", in_reply_to_id=post["id"])
    await an.post("a private answer", in_reply_to_id=post["id"], visibility="private")
    page = (await here.get(f"/users/an/statuses/{post['id']}/replies?page=true")).body
    assert [open_["uri"]] == page["orderedItems"]


async def test_with_signed_fetch_only_the_instance_actor_is_open(start: Start, stranger: Stranger) -> None:
    """Two strict servers must still be able to check each other's signatures."""
    here = await start(signed_fetch=True)
    assert (200, 401) == (
        (await here.get("/actor")).status,
        (await here.get("/users/an")).status,
    )
    assert 404 == (await here.get("/users/nobody", key=stranger.key())).status


async def test_without_federation_there_is_no_inbox(start: Start, stranger: Stranger) -> None:
    """Switched off is off."""
    here = await start(enabled=False)
    assert 404 == (await here.post("/inbox", stranger.activity("Listen", "x"), stranger.key())).status
