"""Every entity as clients get it, against what Mastodon promises and against how it was last reviewed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from server.pipeline import Road
from tests.fixtures.server import Caller, Enter

from .contract import PROMISES, faults
from .test_accounts import picture
from .test_lists import _upload
from .test_statuses import use_rules

_SNAPSHOTS = Path(__file__).parent / "snapshots"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_ID = re.compile(r"\b1\d{17}\b")
_FILE = re.compile(r"/media/[0-9a-f]{32}")
_ASSET = re.compile(r"(/static/[a-z-]+)\.[0-9a-f]+\.")


def _same_as_reviewed(name: str, value: Any) -> None:
    """Ids are numbered as they come, moments and file names are left out. To review anew, delete the file."""
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
    numbers: dict[str, str] = {}
    text = _ID.sub(lambda found: numbers.setdefault(found[0], f"id-{len(numbers) + 1}"), text)
    text = _MOMENT.sub("MOMENT", text)
    text = re.sub(r'"\d{4}-\d\d-\d\d"', '"DAY"', text)
    text = _ASSET.sub(r"\1.HASH.", _FILE.sub("/media/FILE", text))
    text = re.sub(r'"blurhash": "[^"]+"', '"blurhash": "BLURHASH"', text)
    file = _SNAPSHOTS / f"{name}.json"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{text}\n", "utf-8")
        pytest.fail(f"{file.name} was not there: it is now, to be reviewed")
    assert file.read_text("utf-8") == f"{text}\n"


def _keeps(value: Any, entity: str, *, snapshot: str | None = None) -> None:
    assert [] == list(faults(value, entity))
    if snapshot is not None:
        _same_as_reviewed(snapshot, value)


def test_the_promises_are_read() -> None:
    """A check of nothing passes everything."""
    assert {"Account", "Status", "Instance"} <= PROMISES.keys()
    assert 300 < sum(map(len, PROMISES.values()))


@pytest.mark.parametrize(
    ("value", "entity", "fault"),
    [
        ({}, "Marker", "Marker.last_read_id: missing"),
        ({"last_read_id": None, "version": 1, "updated_at": "x"}, "Marker", "Marker.last_read_id: null"),
        (
            {"last_read_id": "1", "version": "1", "updated_at": "2026-01-01T00:00:00Z"},
            "Marker",
            "Marker.version: '1' is not int",
        ),
        ([], "Marker", "Marker: not an object"),
        ({"error": 1}, "Error", "Error.error: 1 is not string"),
    ],
)
def test_a_broken_promise_is_found(value: Any, entity: str, fault: str) -> None:
    """The check itself is checked."""
    assert fault in list(faults(value, entity))


async def test_people_keep_the_promise(enter: Enter, nobody: Caller) -> None:
    """Oneself, others, somebody muted, and how two stand."""
    alice, bob = await enter("alice"), await enter("bob")
    said = {"display_name": "Alice", "note": "hello", "fields_attributes": [{"name": "a", "value": "b"}]}
    mine = await alice.call("PATCH", "/api/v1/accounts/update_credentials", json=said)
    _keeps(mine.raised().body, "CredentialAccount", snapshot="credential_account")
    await alice.post("x")
    _keeps(await nobody.get(f"/api/v1/accounts/{alice.id}"), "Account", snapshot="account")
    _keeps(await bob.do(f"/api/v1/accounts/{alice.id}/follow"), "Relationship", snapshot="relationship")
    muted = await bob.do(f"/api/v1/accounts/{alice.id}/mute", duration=60)
    _keeps(muted, "Relationship")
    _keeps((await bob.get("/api/v1/mutes"))[0], "MutedAccount")
    _keeps(await alice.get("/api/v1/preferences"), "Preferences", snapshot="preferences")
    _keeps((await nobody.call("GET", "/api/v1/accounts/1")).body, "Error")


async def test_posts_keep_the_promise(enter: Enter, nobody: Caller) -> None:
    """With everything on them, and with nothing; boosted, edited, answered."""
    alice, bob = await enter("alice"), await enter("bob")
    one = (await _upload(alice, picture(), description="words", focus="0.5,0.5")).raised().body
    _keeps(one, "MediaAttachment", snapshot="media_attachment")
    bare = await alice.post("bare")
    _keeps(bare, "Status")
    full = await alice.do(
        "/api/v1/statuses",
        status="all of it: @bob #Tag https://example.net",
        spoiler_text="warned",
        in_reply_to_id=bare["id"],
        media_ids=[one["id"]],
        language="en",
    )
    _keeps(full, "Status", snapshot="status")
    boost = await bob.do(f"/api/v1/statuses/{full['id']}/reblog")
    _keeps(boost, "Status", snapshot="boost")
    _keeps(boost["reblog"], "Status")
    edited = await alice.call("PUT", f"/api/v1/statuses/{full['id']}", json={"status": "new"})
    _keeps(edited.raised().body, "Status")
    for version in await nobody.get(f"/api/v1/statuses/{full['id']}/history"):
        _keeps(version, "StatusEdit")
    _same_as_reviewed("history", await nobody.get(f"/api/v1/statuses/{full['id']}/history"))
    _keeps(await alice.get(f"/api/v1/statuses/{full['id']}/source"), "StatusSource")
    _keeps(await nobody.get(f"/api/v1/statuses/{bare['id']}/context"), "Context")
    _keeps(await nobody.get(f"/api/v1/statuses/{full['id']}"), "Status", snapshot="status_for_nobody")
    _keeps(await alice.get("/api/v2/search", q="tag"), "Search")
    _keeps(await alice.get("/api/v1/tags/tag"), "Tag")
    _keeps((await alice.call("DELETE", f"/api/v1/statuses/{full['id']}")).raised().body, "Status")


async def test_notices_keep_the_promise(enter: Enter, road_of: Road) -> None:
    """Each kind that is told, a decision among them."""
    alice, bob = await enter("alice"), await enter("bob")
    made = await alice.post("good")
    await bob.do(f"/api/v1/accounts/{alice.id}/follow")
    await bob.do(f"/api/v1/statuses/{made['id']}/favourite")
    await bob.do(f"/api/v1/statuses/{made['id']}/reblog")
    await bob.post("hello @alice")
    await use_rules(road_of, "forbidden")
    held = await alice.call("POST", "/api/v1/statuses", json={"status": "forbidden"})
    _keeps(held.body, "Error", snapshot="held")
    told = await alice.get("/api/v1/notifications")
    assert {"follow", "favourite", "reblog", "mention", "moderation_warning"} == {
        each["type"] for each in told
    }
    for each in told:
        _keeps(each, "Notification")
        if each["type"] == "moderation_warning":
            _keeps(each["moderation_warning"], "AccountWarning", snapshot="moderation_warning")
    marked = await alice.do("/api/v1/markers", home={"last_read_id": made["id"]})
    _keeps(marked["home"], "Marker")
    _keeps(await alice.get("/api/v2/notifications/policy"), "NotificationPolicy")
    report = await bob.do("/api/v1/reports", account_id=str(alice.id), status_ids=[made["id"]])
    report["yanlu"] = {"code": "CODE", "url": "URL"}
    _keeps(report, "Report", snapshot="report")


async def test_the_server_and_its_apps_keep_the_promise(nobody: Caller) -> None:
    """What a client reads before anybody is logged in."""
    new = await nobody.get("/api/v2/instance")
    _keeps(new, "Instance", snapshot="instance")
    _keeps(await nobody.get("/api/v1/instance"), "V1::Instance", snapshot="instance_v1")
    for rule in new["rules"]:
        _keeps(rule, "Rule")
    _keeps(await nobody.get("/api/v1/instance/extended_description"), "ExtendedDescription")
    _keeps(await nobody.get("/api/v1/instance/terms_of_service"), "TermsOfService")
    app = await nobody.do(
        "/api/v1/apps", client_name="An app", redirect_uris="https://app.example/back", website=None
    )
    _keeps(app, "CredentialApplication")
    own = {"grant_type": "client_credentials", "scope": "read"} | {
        name: app[name] for name in ("client_id", "client_secret")
    }
    token = (await nobody.call("POST", "/oauth/token", json=own)).raised().body
    _keeps(token, "Token")
    itself = Caller(nobody.client, token["access_token"])
    _keeps(await itself.get("/api/v1/apps/verify_credentials"), "Application")
