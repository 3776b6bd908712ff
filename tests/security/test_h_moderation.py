"""Rule H: every text that others would see passes the gate, and so does everybody who would show it.

The checks themselves, hosts, ranks and the five locks are tried in `tests/compliance` and `test_pipeline.py`;
here is every door that words come in by.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from aiohttp import FormData

from server.http.routes import Who
from server.pipeline import Road
from server.store.model import Role
from tests.fixtures.server import Answer, Caller, Client, Enter
from tests.server.api.test_statuses import use_rules

from .world import Browser, doors, open_browser, open_desk, png, upload

WORD = "forbidden-word"
SPELLINGS = (
    WORD,
    "FORBIDDEN-word",
    "ｆｏｒｂｉｄｄｅｎ-ｗｏｒｄ",
    "for\u200bbid\u2060den-word",
    "f\u0301orbidden-word",
    "𝕗𝕠𝕣bidden-word",
)


def _profile(**change: object) -> Callable[[Caller, str], Awaitable[Answer]]:
    async def send(caller: Caller, words: str) -> Answer:
        said = {
            name: [{"name": "a", "value": words} if part == "value" else {"name": words, "value": "b"}]
            if name == "fields_attributes"
            else words
            for name, part in change.items()
        }
        return await caller.call("PATCH", "/api/v1/accounts/update_credentials", json=said)

    return send


async def _post(caller: Caller, words: str) -> Answer:
    return await caller.call("POST", "/api/v1/statuses", json={"status": words})


async def _reply(caller: Caller, words: str) -> Answer:
    first = await caller.post("fine")
    said = {"status": words, "in_reply_to_id": first["id"], "visibility": "direct"}
    return await caller.call("POST", "/api/v1/statuses", json=said)


async def _tag(caller: Caller, words: str) -> Answer:
    tag = words.replace("-", "")
    return await caller.call("POST", "/api/v1/statuses", json={"status": f"#{tag}"})


async def _warning(caller: Caller, words: str) -> Answer:
    return await caller.call("POST", "/api/v1/statuses", json={"status": "fine", "spoiler_text": words})


async def _edit(caller: Caller, words: str) -> Answer:
    post = await caller.post("fine")
    return await caller.call("PUT", f"/api/v1/statuses/{post['id']}", json={"status": words})


async def _edit_warning(caller: Caller, words: str) -> Answer:
    post = await caller.post("fine")
    said = {"status": "fine", "spoiler_text": words}
    return await caller.call("PUT", f"/api/v1/statuses/{post['id']}", json=said)


async def _description(caller: Caller, words: str) -> Answer:
    form = FormData({"description": words})
    form.add_field("file", png(), filename="a.png", content_type="image/png")
    return await caller.call("POST", "/api/v2/media", data=form)


async def _later_description(caller: Caller, words: str) -> Answer:
    media = await upload(caller)
    changed = await caller.call("PUT", f"/api/v1/media/{media}", json={"description": words})
    if changed.status != 200:
        return changed
    return await caller.call("POST", "/api/v1/statuses", json={"status": "fine", "media_ids": [media]})


async def _description_by_edit(caller: Caller, words: str) -> Answer:
    media = await upload(caller)
    post = await caller.post("fine", media_ids=[media])
    said = {"status": "fine", "media_ids": [media], "media_attributes": [{"id": media, "description": words}]}
    return await caller.call("PUT", f"/api/v1/statuses/{post['id']}", json=said)


Send: TypeAlias = Callable[[Caller, str], Awaitable[Answer]]
WAYS: dict[str, Send] = {
    "post": _post,
    "reply": _reply,
    "tag": _tag,
    "warning": _warning,
    "edit": _edit,
    "edited warning": _edit_warning,
    "description": _description,
    "description given later": _later_description,
    "description by an edit": _description_by_edit,
    "name": _profile(display_name=""),
    "text about oneself": _profile(note=""),
    "field's name": _profile(fields_attributes="name"),
    "field's value": _profile(fields_attributes="value"),
}


async def _visible_words(road: Road) -> str:
    """Everything that anybody else could read."""
    rows = await road.pool.fetch(
        "select html || spoiler || text as words from visible_post union all "
        "select display_name || html || fields::text from profile union all "
        "select m.description from media m join visible_post p on p.id = m.post_id union all "
        "select t.shown from post_tag t join visible_post p on p.id = t.post_id"
    )
    return "\n".join(row["words"] or "" for row in rows)


async def test_every_text_that_can_be_seen_passes_the_gate(enter: Enter, road_of: Road) -> None:
    """Thirteen ways by which words come, each stopped; nothing of them shows (H4)."""
    bob = await enter("bob")
    await use_rules(road_of, WORD)
    tag = WORD.replace("-", "")
    for name, send in WAYS.items():
        answer = await send(bob, WORD)
        if name == "tag":
            assert 200 == answer.status  # the rule names the word with its dash
            continue
        assert 422 == answer.status, (name, answer.body)
        assert "held" == answer.body["yanlu"]["outcome"], name
    assert WORD not in await _visible_words(road_of)
    await use_rules(road_of, tag)
    assert 422 == (await _tag(bob, f"{tag}s {tag}")).status


async def test_a_disguise_does_not_help(enter: Enter, road_of: Road) -> None:
    """Case, width, invisible characters and marks are folded away before the rules look (H5)."""
    bob = await enter("bob")
    await use_rules(road_of, WORD)
    for spelling in SPELLINGS:
        assert 422 == (await _post(bob, f"a {spelling} here")).status, spelling


async def test_a_gate_that_is_broken_publishes_nothing(
    enter: Enter, road_of: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held, not lost and not shown, by every way (H6)."""
    from compliance import gate

    def broken(*_: object) -> Any:
        raise RuntimeError("the matcher is down")

    bob = await enter("bob")
    monkeypatch.setattr(gate, "CHECKS", (broken,), raising=True)
    for name in ("post", "warning", "name", "description"):
        answer = await WAYS[name](bob, "harmless")
        assert 422 == answer.status, (name, answer.body)
    assert "harmless" not in await _visible_words(road_of)


async def test_whoever_is_not_verified_publishes_by_no_way(
    client: Client, enter: Enter, road_of: Road
) -> None:
    """Every way by which words or pictures get out, by API and page: refused, and it says what to do; what is
    not publishing goes on (H7).
    """
    bob, new = await enter("bob"), await enter("new", verified=False)
    theirs = await bob.post("hello")
    wanted = [
        name for name in WAYS if "edit" not in name and name not in ("reply", "description given later")
    ]
    refused = {name: await WAYS[name](new, "harmless") for name in wanted}
    reply = {"status": "x", "in_reply_to_id": theirs["id"]}
    refused["reply"] = await new.call("POST", "/api/v1/statuses", json=reply)
    refused["boost"] = await new.call("POST", f"/api/v1/statuses/{theirs['id']}/reblog")
    form = FormData()
    form.add_field("avatar", io.BytesIO(png().read()), filename="a.png", content_type="image/png")
    refused["avatar"] = await new.call("PATCH", "/api/v1/accounts/update_credentials", data=form)
    for name, answer in refused.items():
        assert 403 == answer.status, (name, answer.body)
        assert "identity_required" == answer.body["yanlu"]["reason"], name
        assert answer.body["yanlu"]["help_url"].endswith("/settings/identity"), name
    page = await open_browser(client, road_of, new)
    for path, sent in (
        ("/compose", {"status": "harmless", "visibility": "public", "language": "en"}),
        (f"/posts/{theirs['id']}/boost", {}),
        ("/settings/profile", {"display_name": "harmless"}),
    ):
        assert 403 == (await page.send(path, sent)).status, path
    assert "harmless" not in await _visible_words(road_of)
    person = f"accounts/{bob.id}"
    for path in (
        f"statuses/{theirs['id']}/favourite",
        f"{person}/follow",
        f"{person}/mute",
        f"{person}/block",
    ):
        assert 200 == (await new.call("POST", f"/api/v1/{path}")).status, path


async def test_no_form_makes_anybody_more_than_they_are(client: Client, enter: Enter, road_of: Road) -> None:
    """Members of a role, a verification or another's account, in every body that changes oneself (H2)."""
    new = await enter("new", verified=False)
    more: dict[str, Any] = {
        "role": "admin",
        "roles": ["admin"],
        "admin": True,
        "is_admin": True,
        "verified": True,
        "identity": "verified",
        "email_confirmed": True,
        "suspended": False,
        "account_id": "1",
        "id": "1",
        "source": {"role": "admin", "privacy": "public"},
    }
    page = await open_browser(client, road_of, new)
    csrf = await page.csrf()
    for door in doors(client.app):
        if door.names or door.method == "GET" or "close" in door.path or "logout" in door.path:
            continue
        if door.is_api and door.needs.who is Who.PERSON:
            await new.call(door.method, door.path, json=more)
        elif door.needs.who is Who.MEMBER:
            form = {name: str(value) for name, value in more.items()} | {"csrf": csrf}
            await page.call(door.method, door.path, data=form)
    assert 0 == await road_of.pool.fetchval("select count(*) from member_role")
    state = await road_of.pool.fetchval("select state from compliance.identity where account_id = $1", new.id)
    assert state in (None, "none")


async def test_nobody_decides_about_themselves(client: Client, enter: Enter, road_of: Road) -> None:
    """A reviewer's own held words, own identity and own roles wait for somebody else."""
    ada = await enter("ada")
    await use_rules(road_of, WORD)
    held = await _post(ada, WORD)
    desk = await open_desk(client, road_of, ada, [Role.ADMIN, Role.EDITOR, Role.COMPLIANCE, Role.REVIEWER])
    case = held.body["yanlu"]["case"]
    for path, sent in (
        (f"/admin/queue/{case}", {"decision": "release", "outcome": "release", "statement": "mine"}),
        (f"/admin/accounts/{ada.id}/attest", {"attest": "it is me"}),
        (f"/admin/accounts/{ada.id}/roles", {"role": "auditor"}),
        (f"/admin/accounts/{ada.id}/suspend", {"username": "ada", "reason": "x"}),
    ):
        assert (await desk.send(path, sent)).status in (403, 404, 409, 422), path
    assert WORD not in await _visible_words(road_of)
    assert 4 == await road_of.pool.fetchval("select count(*) from member_role")


async def test_who_complained_is_told_to_nobody(client: Client, enter: Enter, road_of: Road) -> None:
    """Neither the person concerned nor the public page of the report says who wrote it."""
    ada, bob = await enter("ada"), await enter("bob")
    await ada.do("/api/v1/reports", account_id=str(bob.id), comment="plantedcomment")
    code = await road_of.pool.fetchval("select code from compliance.report")
    page = await open_browser(client, road_of, bob)
    for who in (page, Browser(client)):
        answer = await who.get(f"/report/{code}")
        assert "plantedcomment" not in answer.body
        assert "@ada" not in answer.body
    assert not any("ada" in str(notice) for notice in await bob.get("/api/v1/notifications"))
