"""Acting for an organisation through the client API: who may, what it shows, and what is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from compliance import oversight, records
from compliance.organisations import POWERS, Act, Role
from compliance.records import RecordKind
from server.http import auth
from server.pipeline import Road
from tests.fixtures.server import Caller, Enter
from tests.server.orgs import enrol, found_one, through


@pytest.fixture
async def ann(enter: Enter) -> Caller:
    return await enter("ann")


@pytest.fixture
async def bob(enter: Enter) -> Caller:
    return await enter("bob")


async def test_a_person_posts_as_the_organisation_and_the_log_says_who(
    road_of: Road, ann: Caller, nobody: Caller
) -> None:
    """Article 10: the public sees the organisation, the record names the person."""
    press = await found_one(road_of, ann.id)
    acting = through(ann, "press")
    made = await acting.post("good morning from the press")
    assert (made["account"]["acct"], made["account"]["id"]) == ("press", str(press.id))
    me = await acting.get("/api/v1/accounts/verify_credentials")
    assert (me["acct"], me["yanlu"]["acting"]) == ("press", {"by": "ann", "role": "owner"})
    seen = await nobody.get(f"/api/v1/statuses/{made['id']}")
    assert "ann" not in str(seen)
    async with road_of.pool.acquire() as conn:
        [record] = await records.list_page(conn, kind=RecordKind.ACTIVITY_CREATE)
    assert (record.actor_id, record.source.by) == (press.id, ann.id)
    assert (await ann.get("/api/v1/accounts/verify_credentials"))["acct"] == "ann"


async def test_an_organisation_reads_its_own_home_and_notices(
    road_of: Road, ann: Caller, bob: Caller
) -> None:
    """It has no member row, and still a home timeline, notifications and markers."""
    await found_one(road_of, ann.id)
    acting = through(ann, "press")
    theirs = await acting.call("POST", f"/api/v1/accounts/{bob.id}/follow")
    assert theirs.status == 200
    post = await bob.post("hello @press")
    own = await acting.post("our own words")
    home = await acting.get("/api/v1/timelines/home")
    assert [own["id"], post["id"]] == [one["id"] for one in home]
    notices = await acting.get("/api/v1/notifications")
    assert [("mention", "bob")] == [(one["type"], one["account"]["acct"]) for one in notices]
    assert await ann.get("/api/v1/notifications") == []
    moved = await acting.do("/api/v1/markers", home={"last_read_id": post["id"]})
    assert moved["home"]["last_read_id"] == post["id"]


_ASKS: tuple[tuple[Act, str, str, dict[str, Any]], ...] = (
    (Act.SEE, "GET", "/api/v1/accounts/verify_credentials", {}),
    (Act.READ, "GET", "/api/v1/timelines/home", {}),
    (Act.READ, "GET", "/api/v1/notifications", {}),
    (Act.PUBLISH, "POST", "/api/v1/statuses", {"status": "words"}),
    (Act.PROFILE, "PATCH", "/api/v1/accounts/update_credentials", {"display_name": "Press"}),
    (Act.ENGAGE, "POST", "/api/v1/accounts/{other}/follow", {}),
)
_ORG: tuple[tuple[Act, str, str, dict[str, Any]], ...] = (
    (Act.SEE, "GET", "", {}),
    (Act.SEE, "GET", "/members", {}),
    (Act.SEE, "GET", "/drafts", {}),
    (Act.LOG, "GET", "/log", {}),
    (Act.WRITE, "POST", "/drafts", {"status": "a draft"}),
    (Act.MEMBERS, "POST", "/members", {"username": "other", "role": "analyst"}),
    (Act.TRANSFER, "POST", "/transfer", {"username": "second"}),
)


@pytest.mark.parametrize("role", [*Role, None])
async def test_each_role_may_do_what_the_table_says_and_nothing_else(
    road_of: Road, enter: Enter, ann: Caller, bob: Caller, role: Role | None
) -> None:
    """The role matrix, generated from `POWERS` over the routes of the API."""
    press = await found_one(road_of, ann.id)
    other = await enter("other")
    second = await enter("second")
    await enrol(road_of, press.id, second.id, Role.EDITOR)
    await enrol(road_of, press.id, bob.id, role)
    acting = through(bob, "press")
    for act, method, path, values in _ASKS:
        got = await acting.call(method, path.format(other=other.id), **_sent(method, values))
        assert (got.status == 200) is _may(role, act), (role, act, path, got.status, got.body)
    for act, method, path, values in _ORG:
        got = await bob.call(method, f"/api/yanlu/v1/orgs/{press.id}{path}", **_sent(method, values))
        expected = 200 if _may(role, act) else 404 if role is None else 403
        assert got.status == expected, (role, act, path, got.status, got.body)


def _sent(method: str, values: dict[str, Any]) -> dict[str, Any]:
    return {} if method == "GET" else {"json": values}


def _may(role: Role | None, act: Act) -> bool:
    return role is not None and act in POWERS[role]


async def test_a_role_that_is_taken_ends_at_once(road_of: Road, ann: Caller, bob: Caller) -> None:
    """Security rule E5: within five seconds, here with the next call."""
    press = await found_one(road_of, ann.id)
    await enrol(road_of, press.id, bob.id, Role.EDITOR)
    acting = through(bob, "press")
    await acting.post("still an editor")
    gone = await ann.call("DELETE", f"/api/yanlu/v1/orgs/{press.id}/members/{bob.id}")
    assert gone.status == 200
    refused = await acting.call("POST", "/api/v1/statuses", json={"status": "no more"})
    assert (refused.status, refused.body["error"]) == (403, "You do not act for this organisation")


async def test_an_app_that_was_let_in_for_an_organisation_works_as_it(
    road_of: Road, ann: Caller, bob: Caller
) -> None:
    """Any app of Mastodon's, which knows nothing of organisations."""
    press = await found_one(road_of, ann.id)
    async with road_of.pool.acquire() as conn:
        await conn.execute(
            "update oauth_token set acting_for = $1 where token_hash = $2",
            press.id,
            auth.digest(ann.token or ""),
        )
    made = await ann.post("from the app")
    assert made["account"]["acct"] == "press"
    assert (await ann.get("/api/v1/accounts/verify_credentials"))["acct"] == "press"
    two = await found_one(road_of, bob.id, "two")
    await enrol(road_of, two.id, ann.id, Role.EDITOR)
    crossed = await through(ann, "two").call("GET", "/api/v1/timelines/home")
    assert crossed.status == 403
    orgs = await ann.get("/api/yanlu/v1/orgs")
    assert {("press", "owner"), ("two", "editor")} == {(one["username"], one["role"]) for one in orgs}


async def test_what_is_the_persons_own_is_not_reached_through_an_organisation(
    road_of: Road, ann: Caller, bob: Caller
) -> None:
    """Neither messages to the person, nor pictures, nor posts of theirs."""
    await found_one(road_of, ann.id)
    acting = through(ann, "press")
    private = await bob.post("@ann between us", visibility="direct")
    assert (await acting.call("GET", f"/api/v1/statuses/{private['id']}")).status == 404
    own = await ann.post("as myself")
    assert (await acting.call("DELETE", f"/api/v1/statuses/{own['id']}")).status == 404
    assert (await ann.call("DELETE", f"/api/v1/statuses/{own['id']}")).status == 200


async def test_things_of_another_organisation_are_not_there(road_of: Road, ann: Caller, bob: Caller) -> None:
    """Rules D2 and H3: the organisation's id is in each query."""
    press, two = await found_one(road_of, ann.id), await found_one(road_of, bob.id, "two")
    draft = await ann.do(f"/api/yanlu/v1/orgs/{press.id}/drafts", status="ours")
    for organisation in (two, press):
        for method, path in (
            ("GET", f"/drafts/{draft['id']}"),
            ("PUT", f"/drafts/{draft['id']}"),
            ("DELETE", f"/drafts/{draft['id']}"),
            ("POST", f"/drafts/{draft['id']}/publish"),
            ("PUT", f"/members/{ann.id}"),
            ("DELETE", f"/members/{ann.id}"),
        ):
            values = {"status": "x", "role": "editor"}
            got = await bob.call(
                method, f"/api/yanlu/v1/orgs/{organisation.id}{path}", **_sent(method, values)
            )
            assert got.status == 404, (organisation.username, method, path, got.body)
    assert (await bob.call("GET", f"/api/yanlu/v1/orgs/{ann.id}")).status == 404


@pytest.mark.parametrize("who", ["person", "organisation"])
async def test_who_publishes_and_what_is_published_for_are_both_verified(
    road_of: Road, enter: Enter, ann: Caller, who: str
) -> None:
    """Article 7 for the organisation's own identity, and for whoever acts for it."""
    press = await found_one(road_of, ann.id, verified=who != "organisation")
    editor = await enter("eve", verified=who != "person")
    await enrol(road_of, press.id, editor.id, Role.EDITOR)
    refused = await through(editor, "press").call("POST", "/api/v1/statuses", json={"status": "x"})
    assert refused.status == 403
    async with road_of.pool.acquire() as conn:
        reason = await conn.fetchval(
            "select reason from compliance.decision where actor_id = $1 and verdict = 'refused'", press.id
        )
    assert reason == "identity_required"


async def test_suspended_rights_stop_everything_but_looking(road_of: Road, ann: Caller, bob: Caller) -> None:
    """The operators can take the rights away, with reasons, and give them back."""
    press = await found_one(road_of, ann.id)
    async with road_of.pool.acquire() as conn, conn.transaction():
        await oversight.suspend(
            conn,
            press.id,
            reason="it sold its account",
            by=bob.id,
            now=road_of.clock(),
            source=records.Source.internal(),
            new_id=road_of.ids,
        )
    refused = await through(ann, "press").call("POST", "/api/v1/statuses", json={"status": "x"})
    assert (refused.status, refused.body["error"]) == (
        403,
        "The rights of this organisation are suspended",
    )
    base = f"/api/yanlu/v1/orgs/{press.id}"
    assert (await ann.call("POST", f"{base}/drafts", json={"status": "x"})).status == 403
    assert (await ann.get(base))["acts"] == ["see", "log", "appeal"]


async def test_four_eyes_on_every_road_that_publishes(road_of: Road, ann: Caller, bob: Caller) -> None:
    """A second person approves; neither an app nor an edit goes round it."""
    press = await found_one(road_of, ann.id)
    await enrol(road_of, press.id, bob.id, Role.EDITOR)
    acting, base = through(bob, "press"), f"/api/yanlu/v1/orgs/{press.id}/drafts"
    before = await acting.post("before")
    async with road_of.pool.acquire() as conn:
        await conn.execute("update compliance.organisation set four_eyes = true")
    refused = await acting.call("POST", "/api/v1/statuses", json={"status": "straight out"})
    assert (refused.status, "approved" in refused.body["error"]) == (403, True)
    edited = await acting.call("PUT", f"/api/v1/statuses/{before['id']}", json={"status": "other words"})
    assert edited.status == 403
    draft = await bob.do(base, status="submitted words")
    at = f"{base}/{draft['id']}"
    assert (await bob.call("POST", f"{at}/publish")).status == 409
    await bob.do(f"{at}/submit")
    assert (await bob.call("POST", f"{at}/approve")).status == 403
    assert (await ann.do(f"{at}/approve"))["approved_by"] == "ann"
    done = await bob.do(f"{at}/publish")
    assert done["state"] == "published"
    post = await acting.get(f"/api/v1/statuses/{done['status_id']}")
    assert "submitted words" in post["content"]
    async with road_of.pool.acquire() as conn:
        record = (await records.list_page(conn, kind=RecordKind.ACTIVITY_CREATE))[0]
    assert (record.source.by, record.detail["approved_by"]) == (bob.id, ann.id)
    change = await bob.do(base, status="after", edits=before["id"])
    await bob.do(f"{base}/{change['id']}/submit")
    await ann.do(f"{base}/{change['id']}/approve")
    await bob.do(f"{base}/{change['id']}/publish")
    assert "after" in (await acting.get(f"/api/v1/statuses/{before['id']}"))["content"]


async def test_an_edit_takes_the_approval_away(road_of: Road, ann: Caller, bob: Caller) -> None:
    """What was approved are those words, not others under the same number."""
    press = await found_one(road_of, ann.id)
    await enrol(road_of, press.id, bob.id, Role.EDITOR)
    base = f"/api/yanlu/v1/orgs/{press.id}/drafts"
    draft = await bob.do(base, status="harmless")
    at = f"{base}/{draft['id']}"
    await bob.do(f"{at}/submit")
    await ann.do(f"{at}/approve")
    changed = (await bob.call("PUT", at, json={"status": "something else"})).raised().body
    assert (changed["state"], changed["approved_by"]) == ("draft", None)
    back = await bob.do(f"{at}/submit")
    assert back["state"] == "submitted"
    returned = await ann.do(f"{at}/return", note="say it shorter")
    assert (returned["state"], returned["note"]) == ("draft", "say it shorter")


async def test_the_instance_says_how_to_act_for_an_organisation(nobody: Caller) -> None:
    """Discoverable by an app that looks."""
    told = (await nobody.get("/api/v2/instance"))["configuration"]["yanlu"]["organisations"]
    assert told["acting_for_header"] == "Yanlu-Acting-For"
    assert told["url"].endswith("/api/yanlu/v1/orgs")
    assert told["roles"]["moderator"] == ["comments", "see"]


async def test_an_organisation_is_founded_by_a_verified_person_who_accepts_for_it(
    enter: Enter, ann: Caller
) -> None:
    """And by nobody else; its name is taken like any other."""
    asked = {"username": "museum", "name": "The Museum", "kind": "institution", "agreement": True}
    unknown = await enter("uma", verified=False)
    assert (await unknown.call("POST", "/api/yanlu/v1/orgs", json=asked)).status == 403
    for wrong in ({"kind": "individual"}, {"name": " "}, {"username": "ann"}, {"agreement": False}):
        got = await ann.call("POST", "/api/yanlu/v1/orgs", json={**asked, **wrong})
        assert got.status == 422, wrong
    made = await ann.do("/api/yanlu/v1/orgs", **asked)
    assert (made["username"], made["role"], made["account"]["group"]) == ("museum", "owner", True)
    assert (await ann.call("POST", "/api/yanlu/v1/orgs", json=asked)).status == 422
