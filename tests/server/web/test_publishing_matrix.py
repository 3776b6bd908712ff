"""A7.1: every state of an identity, every act that publishes, every road in. And A7.2: what stays open."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from compliance import identity, publishing
from compliance.activity import AccountId
from compliance.identity import IdentityState
from server.pipeline import Road
from tests.compliance.build import one_of_each
from tests.fixtures.server import SOURCE, Answer, Caller, Enter
from tests.server.web.visitor import Visitor

REASONS = {
    IdentityState.NONE: "identity_required",
    IdentityState.PENDING: "identity_required",
    IdentityState.REJECTED: "identity_required",
    IdentityState.LAPSED: "identity_lapsed",
    IdentityState.REVOKED: "identity_revoked",
    IdentityState.VERIFIED: None,
    IdentityState.DUE: None,
}
"""Why each state is refused; `None` where it publishes."""


async def put(road: Road, who: AccountId, state: IdentityState) -> None:
    """Puts an identity into a state, as the machine would."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await conn.execute("delete from compliance.identity where account_id = $1", who)
        if state is not IdentityState.NONE:
            proven = state not in (IdentityState.PENDING, IdentityState.REJECTED)
            ends = {
                IdentityState.VERIFIED: timedelta(days=300),
                IdentityState.DUE: timedelta(days=-1),
            }.get(state, timedelta(days=-100))
            await conn.execute(
                """
                insert into compliance.identity
                  (account_id, state, method, verified_at, due_at, lapses_at, updated_at)
                values ($1, $2, $3, $4, $5, $6, $7)
                """,
                who,
                state.value,
                "mobile" if proven else None,
                now - timedelta(days=400) if proven else None,
                now + ends if proven else None,
                now + ends + timedelta(days=30) if proven else None,
                now,
            )


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()


def _upload(path: str) -> Callable[[Caller, str, str], Awaitable[Answer]]:
    async def send(me: Caller, _own: str, _other: str) -> Answer:
        return await me.call("POST", path, data={"file": io.BytesIO(picture())})

    return send


def _json(method: str, path: str, **values: Any) -> Callable[[Caller, str, str], Awaitable[Answer]]:
    async def send(me: Caller, own: str, other: str) -> Answer:
        filled = {name: other if value == "OTHER" else value for name, value in values.items()}
        return await me.call(method, path.replace("OWN", own).replace("OTHER", other), json=filled)

    return send


API = {
    "create": _json("POST", "/api/v1/statuses", status="a post"),
    "direct": _json("POST", "/api/v1/statuses", status="@mei only you", visibility="direct"),
    "reply": _json("POST", "/api/v1/statuses", status="a reply", in_reply_to_id="OTHER"),
    "edit": _json("PUT", "/api/v1/statuses/OWN", status="other words"),
    "boost": _json("POST", "/api/v1/statuses/OTHER/reblog"),
    "upload": _upload("/api/v2/media"),
    "upload, the old way": _upload("/api/v1/media"),
    "profile": _json("PATCH", "/api/v1/accounts/update_credentials", note="about me"),
}


@pytest.mark.parametrize("state", list(IdentityState))
async def test_the_client_api_publishes_only_for_who_is_known(
    enter: Enter, road_of: Road, state: IdentityState
) -> None:
    """Each verb, with its reason; and reading, exporting and following stay open whatever the state."""
    me, mei = await enter("wen"), await enter("mei")
    own, other = (await me.post("before"))["id"], (await mei.post("hello"))["id"]
    await put(road_of, me.id, state)
    for verb, send in API.items():
        answer = await send(me, own, other)
        if REASONS[state] is None:
            assert 200 == answer.status, (verb, answer.body)
        else:
            assert (403, REASONS[state]) == (answer.status, answer.body["yanlu"]["reason"]), verb
            assert answer.body["yanlu"]["help_url"].endswith("/settings/identity"), verb
    for path in ("/api/v1/timelines/home", "/api/v1/notifications", f"/api/v1/statuses/{other}"):
        assert 200 == (await me.call("GET", path)).status
    for act in (f"/api/v1/accounts/{mei.id}/follow", f"/api/v1/statuses/{other}/favourite"):
        assert 200 == (await me.call("POST", act)).status, act
    told = await me.get("/api/yanlu/v1/identity")
    assert (state.value, REASONS[state] is None) == (told["state"], told["may_publish"])
    assert 200 == (await me.call("DELETE", f"/api/v1/statuses/{own}")).status


@pytest.mark.parametrize("state", list(IdentityState))
async def test_the_pages_publish_only_for_who_is_known(
    visitor: Visitor, enter: Enter, road_of: Road, state: IdentityState
) -> None:
    """The same by forms: what was typed comes back, and nothing is decoded before it is asked who it is."""
    me, mei = await enter("wen"), await enter("mei")
    own, other = (await me.post("before"))["id"], (await mei.post("hello"))["id"]
    await put(road_of, me.id, state)
    await visitor.log_in("wen")
    file = {"media": ("a.png", picture(), "image/png")}
    forms: dict[str, tuple[str, str, dict[str, Any]]] = {
        "create": ("/compose", "/compose", {"status": "a post"}),
        "direct": ("/compose", "/compose", {"status": "@mei only you", "visibility": "direct"}),
        "reply": ("/compose", f"/posts/{other}/reply", {"status": "a reply", "in_reply_to_id": other}),
        "with a picture": ("/compose", "/compose", {"status": "look", "files": file}),
        "edit": (f"/posts/{own}/edit", f"/posts/{own}/edit", {"status": "other words"}),
        "boost": (f"/posts/{other}/boost", f"/@mei/{other}", {"next": "/home"}),
        "profile": ("/settings/profile", "/settings/profile", {"display_name": "Wen", "note": "about me"}),
    }
    for verb, (path, page, fields) in forms.items():
        seen = await visitor.send(path, page=page, **fields)
        assert (200 if REASONS[state] is None else 403) == seen.status, verb
        if REASONS[state] is not None and "status" in fields:
            assert fields["status"] in seen.text, f"{verb}: what was typed comes back"
    async with road_of.pool.acquire() as conn:
        pictures = await conn.fetchval("select count(*) from media where account_id = $1", me.id)
    assert (1 if REASONS[state] is None else 0) == pictures
    stored = [file for file in (road_of.settings.data / "media").rglob("*") if file.is_file()]
    assert bool(stored) == (REASONS[state] is None), "nothing was decoded"
    for path in ("/home", "/settings/account", "/settings/identity", "/my/decisions", f"/@mei/{other}"):
        assert 200 == (await visitor.get(path)).status, path


def test_the_table_names_every_activity() -> None:
    """What publishes and what does not, by name: a change here is a change of the law's reach."""
    assert {"create", "update", "update-profile", "upload", "announce"} == {
        kind for kind, activity in one_of_each().items() if publishing.publishes(activity)
    }


async def test_a_lapsed_person_is_refused_whatever_the_sweep_has_done(enter: Enter, road_of: Road) -> None:
    """The end of the grace time is exact (A7.3)."""
    me = await enter("wen")
    async with road_of.pool.acquire() as conn:
        await conn.execute(
            "update compliance.identity set lapses_at = $2 where account_id = $1", me.id, road_of.clock()
        )
    refused = await me.call("POST", "/api/v1/statuses", json={"status": "late"})
    assert (403, "identity_lapsed") == (refused.status, refused.body["yanlu"]["reason"])
    async with road_of.pool.acquire() as conn, conn.transaction():
        await identity.attest(
            conn, me.id, reason="seen", by=None, now=road_of.clock(), source=SOURCE, new_id=road_of.ids
        )
    assert 200 == (await me.call("POST", "/api/v1/statuses", json={"status": "in time"})).status
