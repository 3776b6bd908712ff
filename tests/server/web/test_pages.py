"""The pages on the real application, by a browser without scripts: sign-up to publishing, and what every page
promises.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from compliance import wordlists
from server import admin
from server import web as pages
from server.http.routes import Who, declared
from server.pipeline import Road
from server.store import members
from server.store.model import Role
from tests.fixtures.server import ORIGIN, PASSWORD, SOURCE, Enter
from tests.server.web.visitor import Visitor


def _mails(road: Road) -> list[str]:
    return [path.read_text() for path in sorted(Path(road.settings.mail.sink).glob("*"))]


def _link(road: Road, kind: str) -> str:
    found = re.search(rf"/{kind}/[\w-]{{40,}}", _mails(road)[-1])
    assert found, _mails(road)[-1]
    return found[0]


def _versions(page: str) -> dict[str, Any]:
    return dict(re.findall(r'name="(version-\w+)" value="(\d+)"', page))


async def test_from_sign_up_to_the_first_post(visitor: Visitor, road_of: Road) -> None:
    """The whole road of a new person, without a script."""
    form = await visitor.get("/register")
    assert "Service agreement" in form.text
    sent = await visitor.send(
        "/register",
        username="wen",
        email="wen@mail.example",
        password=PASSWORD,
        agreement="1",
        **_versions(form.text),
    )
    assert (200, True) == (sent.status, "Look into your mail" in sent.text)
    await _settled(road_of)
    link = _link(road_of, "confirm")
    assert 200 == (await visitor.get(link)).status
    home = await visitor.send(link)
    assert "/login" == home.path
    home = await visitor.log_in("wen")
    assert ("/home", True) == (home.path, "Not verified yet" in home.text)
    refused = await visitor.send("/compose", status="Hello, road", visibility="public", language="en")
    assert 403 == refused.status
    assert 'data-state="refused"' in refused.text
    assert ">Hello, road</textarea>" in refused.text
    assert 'href="/settings/identity"' in refused.text


async def _settled(road: Road) -> None:
    """Mail goes out after the answer: wait until the sink has it."""
    for _ in range(200):
        if _mails(road):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("no mail came")


async def test_a_known_address_gets_the_same_answer(visitor: Visitor, enter: Enter) -> None:
    """Nobody learns from the sign-up page who has an account (rule E7)."""
    await enter("mei")
    versions = _versions((await visitor.get("/register")).text)
    answers = [
        await visitor.send(
            "/register", username=name, email=email, password=PASSWORD, agreement="1", **versions
        )
        for name, email in (("new", "mei@mail.example"), ("other", "new@mail.example"))
    ]
    assert answers[0].status == answers[1].status
    assert answers[0].text.replace("mei@", "new@") == answers[1].text


async def test_mistakes_come_back_with_what_was_typed(visitor: Visitor) -> None:
    """The summary names the field, the field names the mistake, the title says so too."""
    answer = await visitor.send("/register", username="a b", email="me@mail.example", password=PASSWORD)
    assert 422 == answer.status
    assert "<title>Error: Sign up" in answer.text
    assert 'class="error-summary" role="alert"' in answer.text
    assert 'href="#f-agreement"' in answer.text
    assert 'value="me@mail.example"' in answer.text


async def test_logging_in_gives_a_fresh_session_and_out_ends_it(visitor: Visitor, enter: Enter) -> None:
    """A cookie that somebody planted is worth nothing (rule E6)."""
    await enter("mei")
    visitor.cookies["yanlu_session"] = "planted"
    assert "/home" == (await visitor.log_in("mei")).path
    cookie = visitor.cookies["yanlu_session"]
    assert "planted" != cookie
    out = await visitor.send("/logout", page="/home")
    assert "You are logged out" in out.text
    visitor.cookies["yanlu_session"] = cookie
    assert "/login?next=/home" == (await visitor.get("/home", follow=False)).headers["Location"].removeprefix(
        ORIGIN
    )


async def test_log_in_leads_back_to_our_own_pages_only(visitor: Visitor, enter: Enter) -> None:
    """No open redirect (rule E11)."""
    await enter("mei")
    answer = await visitor.send(
        "/login", username="mei", password=PASSWORD, next="//evil.example", follow=False
    )
    assert (303, "/home") == (answer.status, answer.headers["Location"])


async def test_a_wrong_password_keeps_the_name(visitor: Visitor, enter: Enter) -> None:
    """And says nothing of which of the two was wrong."""
    await enter("mei")
    wrong = await visitor.log_in("mei", "not this one at all")
    unknown = await visitor.log_in("nobody", "not this one at all")
    assert (422, True) == (wrong.status, 'value="mei"' in wrong.text)
    mask = re.compile(r'name="csrf" value="[^"]+"|value="(?:mei|nobody)"')
    assert mask.sub("", wrong.text) == mask.sub("", unknown.text)


async def test_a_form_without_its_token_does_nothing(
    wire: ClientSession, visitor: Visitor, enter: Enter
) -> None:
    """Nor does one from another site (rule E6)."""
    await enter("mei")
    await visitor.log_in("mei")
    cookie = {"Cookie": f"yanlu_session={visitor.cookies['yanlu_session']}"}
    token = (await visitor.get("/compose")).token
    for headers, data in (
        ({"Origin": ORIGIN}, {"status": "x"}),
        ({"Origin": "https://evil.example"}, {"status": "x", "csrf": token}),
        ({"Origin": ORIGIN}, {"status": "x", "csrf": token[:-4] + "AAAA"}),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, {"status": "x", "csrf": token}),
    ):
        async with wire.post(
            "/compose", headers=cookie | headers, data=data, allow_redirects=False
        ) as answer:
            assert 403 == answer.status, headers
    for path in ("/posts/1/like", "/accounts/1/follow", "/settings/account/close", "/logout"):
        async with wire.post(path, headers=cookie, data={}, allow_redirects=False) as answer:
            assert 403 == answer.status, path


async def test_writing_reading_and_taking_back(visitor: Visitor, another: Visitor, enter: Enter) -> None:
    """Post, see it as a stranger, answer it, favourite it, edit it, read its history, delete it."""
    await enter("mei")
    await enter("bo")
    await visitor.log_in("mei")
    posted = await visitor.send(
        "/compose", status="早上好 #西湖", visibility="public", language="zh", next="/home"
    )
    assert ("/home", True) == (posted.path.partition("#")[0], "Posted" in posted.text)
    post_id = re.search(r'id="p-(\d+)"', posted.text)[1]  # type: ignore[index]
    page = f"/@mei/{post_id}"
    stranger = await another.get(page)
    assert (200, True) == (stranger.status, "早上好" in stranger.text)
    assert (
        f'rel="alternate" type="application/activity+json" href="{ORIGIN}/users/mei/statuses/{post_id}"'
        in stranger.text
    )
    assert 'property="og:description" content="早上好 #西湖"' in stranger.text
    await another.log_in("bo")
    reply = await another.send(
        "/compose", page=page, status="@mei 早", visibility="public", in_reply_to_id=post_id, next=page
    )
    assert "@mei" in reply.text and "deep" not in reply.text
    liked = await another.send(f"/posts/{post_id}/like", page=page, next=page)
    assert f'formaction="/posts/{post_id}/unlike"' in liked.text
    told = await visitor.get("/notifications")
    assert "favourited your post" in told.text
    edited = await visitor.send(f"/posts/{post_id}/edit", status="早上好呀 #西湖", language="zh")
    assert "Saved" in edited.text
    history = await another.get(f"{page}/history")
    assert "<ins>呀</ins>" in history.text
    assert 404 == (await another.get(f"/posts/{post_id}/edit")).status
    assert 404 == (await another.get(f"/posts/{post_id}/delete")).status
    gone = await visitor.send(f"/posts/{post_id}/delete", next="/home")
    assert "Deleted" in gone.text
    assert 404 == (await another.get(page)).status


async def test_a_press_answers_a_script_with_the_buttons_anew(visitor: Visitor, enter: Enter) -> None:
    """The same form, the same macro: no second template language."""
    caller = await enter("mei")
    made = await caller.post("hello")
    await visitor.log_in("mei")
    answer = await visitor.send(
        f"/posts/{made['id']}/like",
        page=f"/@mei/{made['id']}",
        next="/home",
        headers={"Accept": "text/vnd.yanlu.fragment+html"},
    )
    assert 200 == answer.status
    assert answer.headers["Content-Type"].startswith("text/vnd.yanlu.fragment+html")
    assert answer.text.strip().startswith("<form")
    assert 'aria-pressed="true"' in answer.text


async def test_held_words_are_seen_by_their_author_alone(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """And say why, with the words marked."""
    await _rules(road_of, "hold", "fake diploma")
    await enter("mei")
    await visitor.log_in("mei")
    held = await visitor.send(
        "/compose", status="who sells a fake diploma here", visibility="public", next="/home"
    )
    assert "Under review" in held.text and "who sells a fake diploma here" in held.text
    assert "diploma" not in (await another.get("/@mei")).text
    decision = re.search(r"/my/decisions/\d+", held.text)[0]  # type: ignore[index]
    page = await visitor.get(decision)
    assert "<mark>fake diploma</mark>" in page.text
    assert 303 == (await another.get(decision, follow=False)).status
    await enter("bo")
    await another.log_in("bo")
    assert 404 == (await another.get(decision)).status


async def test_refused_words_come_back_marked_and_can_be_appealed(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """Text kept, field and words named, ground given, one press to a human."""
    await _rules(road_of, "refuse", "sure profit")
    await enter("mei")
    await visitor.log_in("mei")
    refused = await visitor.send("/compose", status="a sure profit for everybody", visibility="public")
    assert (422, True) == (refused.status, 'data-state="refused"' in refused.text)
    assert "<mark>sure profit</mark>" in refused.text
    assert ">a sure profit for everybody</textarea>" in refused.text
    decision = re.search(r"/my/decisions/\d+", refused.text)[0]  # type: ignore[index]
    mended = await visitor.send("/compose", status="no profit at all", once=refused.hidden()["once"])
    assert "Posted" in mended.text
    sent = await visitor.send(f"{decision}/appeal", page=decision, words="It was a joke")
    assert "You appealed" in sent.text
    again = await visitor.get(decision)
    assert 'id="appeal"' not in again.text


async def _rules(road: Road, action: str, pattern: str) -> None:
    rules = {
        "name": "tests",
        "version": "1",
        "lists": {
            "one": {"category": "fraud", "action": action, "basis": "12.1", "rules": [{"pattern": pattern}]}
        },
    }
    async with road.pool.acquire() as conn, conn.transaction():
        now = road.clock()
        version = await wordlists.import_(
            conn, json.dumps(rules), by=None, source=SOURCE, now=now, new_id=road.ids
        )
        await wordlists.activate(conn, version, by=None, source=SOURCE, now=now, new_id=road.ids)


async def test_following_asks_a_locked_account(visitor: Visitor, another: Visitor, enter: Enter) -> None:
    """Request, accept, and the other's page says so."""
    await enter("mei")
    bo = await enter("bo")
    await bo.call("PATCH", "/api/v1/accounts/update_credentials", json={"locked": True})
    await visitor.log_in("mei")
    await another.log_in("bo")
    asked = await visitor.send(f"/accounts/{bo.id}/follow", page="/@bo", next="/@bo")
    assert "Requested" in asked.text
    told = await another.get("/notifications")
    accept = re.search(r"/accounts/\d+/authorize", told.text)[0]  # type: ignore[index]
    await another.send(accept, page="/notifications", next="/notifications")
    assert "Following" in (await visitor.get("/@bo")).text
    muted = await visitor.send(
        f"/accounts/{bo.id}/mute", page=f"/accounts/{bo.id}/mute", duration="3600", next="/@bo"
    )
    assert "Muted" in muted.text
    blocked = await visitor.send(f"/accounts/{bo.id}/block", page=f"/accounts/{bo.id}/block", next="/@bo")
    assert "Unblock" in blocked.text
    assert "does not want to be read by you" in (await another.get("/@mei")).text


async def test_a_report_gives_a_number_with_its_state(
    visitor: Visitor, another: Visitor, enter: Enter
) -> None:
    """Whoever has the number sees what became of it, without an account."""
    await enter("mei")
    bo = await enter("bo")
    await visitor.log_in("mei")
    receipt = await visitor.send(
        "/report", page=f"/report?account={bo.id}", account=str(bo.id), category="spam", comment="ads"
    )
    assert re.fullmatch(r"/report/\w+", receipt.path)
    state = await another.get(receipt.path)
    assert (200, True, False) == (state.status, "Received" in state.text, "ads" in state.text)
    assert 404 == (await another.get("/report/ABCDEF1234")).status


async def test_language_and_looks_are_a_cookie_for_strangers(visitor: Visitor) -> None:
    """Set on the server, so that nothing flashes."""
    assert '<html lang="en" data-theme="auto"' in (await visitor.get("/")).text
    await visitor.send("/display", locale="zh-CN", theme="dark", density="compact", next="/about")
    page = await visitor.get("/about")
    assert '<html lang="zh-CN" data-theme="dark" data-density="compact">' in page.text
    assert 'data-keys="off"' in page.text


async def test_public_pages_are_shared_and_know_their_version(
    wire: ClientSession, visitor: Visitor, enter: Enter
) -> None:
    """304 without rendering; a new post is seen at once."""
    mei = await enter("mei")
    await mei.post("one")
    first = await visitor.get("/@mei")
    assert "no-cache" not in first.headers["Cache-Control"]
    assert "Set-Cookie" not in first.headers
    assert 'name="csrf"' not in first.text
    async with wire.get(
        "/@mei",
        headers={"If-None-Match": first.headers["ETag"], "Accept": "text/html", "Accept-Language": "en"},
    ) as same:
        assert 304 == same.status
    await mei.post("two")
    assert "two" in (await visitor.get("/@mei")).text


async def test_every_page_says_what_may_run_and_who_may_frame_it(visitor: Visitor, enter: Enter) -> None:
    """No script but ours, no frame, nothing sniffed (rule F3)."""
    mei = await enter("mei")
    made = await mei.post("hello")
    for path in (
        "/",
        "/login",
        "/register",
        "/@mei",
        f"/@mei/{made['id']}",
        "/about",
        "/nothing",
        "/search?q=mei",
    ):
        page = await visitor.get(path)
        policy = page.headers["Content-Security-Policy"]
        for part in (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ):
            assert part in policy, (path, part)
        assert "unsafe" not in policy
        assert "nosniff" == page.headers["X-Content-Type-Options"]
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page.text), path
    for path in ("/login", "/reset", "/reset/" + "x" * 43, "/confirm/" + "x" * 43):
        assert "no-referrer" == (await visitor.get(path)).headers["Referrer-Policy"], path
    assert "noindex" in (await visitor.get("/search?q=mei")).text


async def test_errors_are_plain_pages(visitor: Visitor, enter: Enter) -> None:
    """One sentence, one next step, nothing of our insides; somebody who is logged in stays so."""
    await enter("mei")
    await visitor.log_in("mei")
    for path, status in (
        ("/nothing", 404),
        ("/@nobody", 404),
        ("/@mei/99999999999999999999", 404),
        ("/@mei/1", 404),
        ("/posts/abc/edit", 404),
        ("/posts/1/edit", 404),
        ("/my/decisions/1", 404),
        ("/tags/" + "x" * 300, 404),
        ("/report?account=x", 404),
        ("/admin", 403),
        ("/confirm/xyz", 200),
        ("/first-operator/xyz", 410),
        ("/settings/relationships?show=evil", 404),
        ("/home?max_id=abc&min_id=-1", 200),
        ("/home?max_id=999999999999999999999", 200),
        ("/notifications?show=evil", 200),
        ("/admin/queue/1", 403),
    ):
        page = await visitor.get(path)
        assert status == page.status, path
        assert "Traceback" not in page.text
        assert '<form method="post" action="/logout">' in page.text or path.startswith("/confirm"), path


async def test_hostile_forms_are_refused_politely(visitor: Visitor, enter: Enter) -> None:
    """4xx with the composer back, and nothing stored."""
    await enter("mei")
    await visitor.log_in("mei")
    for fields in (
        {"status": ""},
        {"status": "x" * 5001},
        {"status": "x", "language": "not a language"},
        {"status": "x", "media_id": ["1", "1"]},
        {"status": "x", "media_id": "99999"},
        {"status": "x", "in_reply_to_id": "12345"},
        {"status": "a\x00b"},
    ):
        answer = await visitor.send("/compose", **fields)
        assert answer.status in (404, 422), (fields, answer.status)
    broken = await visitor.send(
        "/compose", status="x", files={"media": ("a.png", b"not a picture", "image/png")}
    )
    assert (422, True) == (broken.status, ">x</textarea>" in broken.text)
    assert "Nothing here yet" in (await visitor.get("/@mei")).text


def test_only_forms_change_anything() -> None:
    """Every GET is safe, and every page says who it is for."""
    for part in (pages, admin):
        for route in part.routes:
            assert route.method in ("GET", "POST"), route
            assert declared(route.handler) is not None, route
    for route in admin.routes:
        found = declared(route.handler)
        assert found is not None and found.who is Who.STAFF, route


_FILLED = {"act": "like", "token": "x", "way": "resident-id", "acct": "mei", "name": "mei"}


async def test_pages_for_members_lead_strangers_to_log_in(wire: ClientSession, visitor: Visitor) -> None:
    """Each of them, with the way back; forms are refused."""
    for route in (*pages.routes, *admin.routes):
        found = declared(route.handler)
        if found is None or found.who not in (Who.MEMBER, Who.STAFF):
            continue
        path = re.sub(r"\{(\w+)[^}]*\}", lambda found: _FILLED.get(found[1], "1"), route.path)
        if route.method == "GET":
            seen = await visitor.get(path, follow=False)
            assert (303, True) == (seen.status, seen.headers["Location"].startswith("/login?next=/")), path
        else:
            async with wire.post(path, headers={"Origin": ORIGIN, "Accept": "text/html"}) as answer:
                assert answer.status in (401, 403), path


async def test_staff_pages_ask_for_the_second_factor(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """Power over others needs proof twice, everywhere (rule E9)."""
    caller = await enter("mei")
    async with road_of.pool.acquire() as conn:
        await members.grant_role(conn, caller.id, Role.REVIEWER, granted_by=None, now=road_of.clock())
    first = await visitor.log_in("mei")
    assert first.path.startswith("/settings/security/totp")
    assert (await visitor.get("/admin/queue")).path.startswith("/settings/security/totp")
