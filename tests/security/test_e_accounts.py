"""Rule E: who may do what, how they prove it, and what nobody learns by trying.

Codes of OAuth are tried in `tests/server/api/test_oauth.py`; here are the matrices over every route, and what
lies between the parts.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from http.cookies import SimpleCookie
from pathlib import Path
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from msgspec import structs

from compliance import identity
from compliance.activity import AccountId
from server import keys, membership, passwords, sections, settings, staff
from server.api import scopes
from server.errors import AppError, Invalid
from server.http import cookies
from server.http.auth import covers
from server.http.routes import Reach, Who
from server.http.source import source_of, subject_of
from server.pages.render import local_path
from server.pipeline import Road
from server.store import members
from server.store.model import Role
from tests.fixtures.server import PASSWORD, SOURCE, Caller, Client, Enter, give_token

from .world import Browser, code_of, doors, give_second_factor, open_browser, open_desk

_IDS = {"id": "1", "hashtag": "x", "name": "x"}
_OUTSIDE = {"error": "This action is outside the authorized scopes"}


async def test_each_route_of_the_api_opens_to_its_scopes_and_no_others(
    client: Client, enter: Enter, road_of: Road
) -> None:
    """Scope by route: every scope but the right ones is refused, each right one is let in, nobody and a
    cookie are not.
    """
    alice = await enter("alice")
    page = await open_browser(client, road_of, alice)
    wrong: list[object] = []
    by_scopes: dict[tuple[str, ...], Caller] = {}

    async def with_scopes(granted: tuple[str, ...]) -> Caller:
        if granted not in by_scopes:
            by_scopes[granted] = Caller(client, await give_token(road_of, alice.id, granted))
        return by_scopes[granted]

    for door in doors(client.app):
        path, needed = door.at(_IDS), door.needs.scopes
        if not door.is_api or not needed or (door.method, path) == ("POST", "/api/v1/accounts"):
            continue
        others = tuple(s for s in scopes.ALL if not any(covers(frozenset((s,)), n) for n in needed))
        if others:
            answer = await (await with_scopes(others)).call(door.method, path)
            if (answer.status, answer.body) != (403, _OUTSIDE):
                wrong.append((str(door), "all other scopes", answer.status))
        for scope in needed:
            answer = await (await with_scopes((scope,))).call(door.method, path)
            if answer.status == 401 or answer.body == _OUTSIDE:
                wrong.append((str(door), scope, answer.status))
        if door.needs.who in (Who.PERSON, Who.APP):
            unknown = (Caller(client), Caller(client, "x" * 43), page)
            statuses = [(await who.call(door.method, path)).status for who in unknown]
            if statuses != [401, 401, 401]:
                wrong.append((str(door), "nobody, a false token, a cookie", statuses))
    assert [] == wrong


async def test_an_apps_own_token_is_nobody(client: Client, road_of: Road) -> None:
    """With every scope there is, it reads nothing that is somebody's and does nothing in anybody's name."""
    app = Caller(client, await give_token(road_of, None, scopes.ALL))
    persons = [door for door in doors(client.app) if door.is_api and door.needs.who is Who.PERSON]
    assert {403} == {(await app.call(door.method, door.at(_IDS))).status for door in persons}


async def test_each_desk_opens_to_its_roles_and_no_others(
    client: Client, enter: Enter, road_of: Road
) -> None:
    """Role by route: strangers are led to log in, members and other roles are refused, and the right role
    without a second factor is led to set one up first (rules E2, E9).
    """
    desks = {role: await open_desk(client, road_of, await enter(role.value), [role]) for role in Role}
    member = await open_browser(client, road_of, await enter("member"))
    bare = await enter("bare")
    async with road_of.pool.acquire() as conn:
        for role in Role:
            await members.grant_role(conn, bare.id, role, granted_by=None, now=road_of.clock())
    no_factor = await open_browser(client, road_of, bare)
    tokens = {browser: await browser.csrf() for browser in (*desks.values(), member, no_factor)}
    wrong: list[object] = []

    async def ask(browser: Browser, method: str, path: str) -> tuple[int, str]:
        headers = {"X-CSRF-Token": tokens[browser]} if method != "GET" and browser in tokens else {}
        answer = await browser.call(method, path, headers=headers)
        return answer.status, answer.headers.get("Location", "")

    seen = 0
    for door in doors(client.app):
        if door.needs.who is not Who.STAFF:
            continue
        seen += 1
        path, is_read = door.at(_IDS), door.method == "GET"
        stranger = await ask(Browser(client), door.method, path)
        if not (stranger[0] == 303 and stranger[1].startswith("/login") if is_read else stranger[0] == 401):
            wrong.append((str(door), "a stranger", stranger))
        if (plain := await ask(member, door.method, path))[0] != 403:
            wrong.append((str(door), "a member", plain))
        unproven = await ask(no_factor, door.method, path)
        if not ("totp" in unproven[1] if is_read else unproven[0] == 403):
            wrong.append((str(door), "without a second factor", unproven))
        for role, desk in desks.items():
            status = (await ask(desk, door.method, path))[0]
            if (status == 403) is (role in door.needs.roles):
                wrong.append((str(door), role, status))
    assert [] == wrong
    assert seen > 20


def test_whatever_reaches_everything_is_for_staff(client: Client) -> None:
    """A route that says it reaches any object, and is for others, is a mistake to be found here."""
    loose = [str(d) for d in doors(client.app) if d.needs.reach is Reach.ANY and d.needs.who is not Who.STAFF]
    assert [] == loose
    unnamed = [
        str(d)
        for d in doors(client.app)
        if "id" in d.names
        and d.needs.reach is Reach.NONE
        and "lists" not in d.path
        and "featured" not in d.path
    ]
    assert [] == unnamed


async def test_nobody_costs_us_work_before_they_say_who_they_are(client: Client) -> None:
    """An anonymous call to a page of staff is turned away at once (rule E3)."""
    nobody = Browser(client)
    await nobody.get("/admin/accounts")
    began = time.perf_counter()
    for _ in range(10):
        assert 303 == (await nobody.get("/admin/records")).status
    assert (time.perf_counter() - began) / 10 < 0.05


async def test_a_grave_act_asks_for_the_second_factor_again(
    client: Client, enter: Enter, road_of: Road
) -> None:
    """A desk left open for a quarter of an hour suspends nobody."""
    ada = await enter("ada")
    desk = await open_desk(client, road_of, ada, [Role.ADMIN])
    await road_of.pool.execute("update session set confirmed_at = confirmed_at - interval '16 minutes'")
    csrf, grave = await desk.csrf(), [door for door in doors(client.app) if door.needs.fresh]
    for door in grave:
        if Role.ADMIN in door.needs.roles:
            answer = await desk.call("POST", door.at(_IDS), headers={"X-CSRF-Token": csrf})
            assert 303 == answer.status
            assert answer.headers["Location"].startswith("/confirm-login?"), str(door)
    assert len(grave) >= 6


async def test_every_form_needs_its_token(client: Client, enter: Enter, road_of: Road) -> None:
    """Every route that changes something through a page, by somebody who may, sent from another site."""
    desk = await open_desk(client, road_of, await enter("ada"), [Role.ADMIN, Role.EDITOR])
    csrf = await desk.csrf()
    sent = [door for door in doors(client.app) if door.method != "GET" and not door.is_api]
    for door in sent:
        if door.path.endswith(("/inbox", "/users/{username}/outbox")):
            continue
        for headers in (
            {},
            {"X-CSRF-Token": csrf[:-4] + "AAA="},
            {"X-CSRF-Token": csrf, "Origin": "http://evil.example"},
            {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"},
        ):
            assert 403 == (await desk.call(door.method, door.at(_IDS, "x"), headers=headers)).status, str(
                door
            )
    assert len(sent) > 40


async def test_the_end_of_an_address_opens_no_page_to_tokens(client: Client, enter: Enter) -> None:
    """`/posts/1/inbox` is a page of ours however it ends: no token acts there, past the form's own proof."""
    alice = await enter("alice", scopes=("read",))
    for path in ("/posts/1/inbox", "/accounts/1/inbox", "/posts/1/x%2Finbox", "/admin/queue/inbox"):
        assert (await alice.call("POST", path)).status in (401, 403), path


async def test_pages_wait_for_a_confirmed_address(client: Client, enter: Enter, road_of: Road) -> None:
    """Until somebody has proven their address they can read, confirm and leave, and nothing else."""
    page = await open_browser(client, road_of, await enter("new", confirmed=False))
    csrf = await page.csrf()
    for door in doors(client.app):
        if door.needs.who is not Who.MEMBER or "logout" in door.path or "close" in door.path:
            continue
        answer = await page.call(door.method, door.at(_IDS, "like"), headers={"X-CSRF-Token": csrf})
        if door.needs.unconfirmed:
            assert answer.headers.get("Location") != "/settings/account" or door.method == "POST", str(door)
        elif door.method == "GET":
            assert (303, "/settings/account") == (answer.status, answer.headers["Location"]), str(door)
        else:
            assert 403 == answer.status, str(door)


async def test_known_and_unknown_cost_the_same(
    road_of: Road, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop-watch tells nobody who has an account: the slow work is the same, and so are the words (E7)."""
    await enter("alice")
    work: Counter[str] = Counter()
    real = passwords._verify

    def counted(password: str, stored: str) -> bool:
        work[stored.rpartition("$")[0].rpartition("$")[0]] += 1
        return real(password, stored)

    monkeypatch.setattr(passwords, "_verify", counted)
    said = set()
    for name in ("alice", "nobody", "alice@mail.example", "nobody@mail.example"):
        with pytest.raises(Invalid) as refused:
            await membership.authenticate(road_of, name, "wrong password", source=SOURCE)
        said.add((str(refused.value), refused.value.field))
    assert 1 == len(said)
    assert [4] == list(work.values())


async def test_no_session_before_the_second_factor(client: Client, enter: Enter, road_of: Road) -> None:
    """The right password alone gives no cookie, and what it gives opens nothing; a code works once (E9)."""
    alice = await enter("alice")
    secret = await give_second_factor(road_of, alice.id)
    browser = Browser(client)
    form = await _form(browser, "/login")
    asked = await browser.call(
        "POST", "/login", data=form[0] | {"username": "alice", "password": PASSWORD}, headers=form[1]
    )
    assert "yanlu_session" not in str(asked.headers.getall("Set-Cookie", []))
    found = re.search(r'name="ticket" value="([^"]+)"', asked.body)
    assert found is not None
    assert 401 == (await Caller(client, found[1]).call("GET", "/api/v1/timelines/home")).status
    assert 303 == (await Browser(client, found[1]).get("/home")).status
    code = code_of(secret, steps=1)
    answers = [
        await browser.call(
            "POST", "/login/second", data=form[0] | {"ticket": found[1], "code": code}, headers=form[1]
        )
        for _ in range(2)
    ]
    assert [303, 422] == [answer.status for answer in answers]
    assert "yanlu_session" in str(answers[0].headers.getall("Set-Cookie"))


async def _form(browser: Browser, path: str) -> tuple[dict[str, str], dict[str, str]]:
    """A form for somebody not logged in: its hidden token, and the cookie that goes with it."""
    page = await browser.get(path)
    found = re.search(r'name="csrf" value="([^"]+)"', page.body)
    assert found is not None
    jar = SimpleCookie("; ".join(page.headers.getall("Set-Cookie")))
    return {"csrf": found[1]}, {"Cookie": f"yanlu_form={jar['yanlu_form'].value}"}


async def test_log_in_forgets_the_session_it_was_given(client: Client, enter: Enter) -> None:
    """A cookie that somebody planted before log-in is not the session afterwards (fixation, rule E6)."""
    await enter("alice")
    browser = Browser(client)
    form, headers = await _form(browser, "/login")
    planted = "p" * 43
    headers["Cookie"] += f"; yanlu_session={planted}"
    answer = await browser.call(
        "POST", "/login", data=form | {"username": "alice", "password": PASSWORD}, headers=headers
    )
    [cookie] = [c for c in answer.headers.getall("Set-Cookie") if c.startswith("yanlu_session=")]
    assert planted not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert 303 == (await Browser(client, planted).get("/home")).status


def test_cookies_belong_to_exactly_this_host() -> None:
    """On https each has `__Host-`, which a neighbour under the same domain can neither set nor read (E6)."""
    app = web.Application()
    app[keys.SETTINGS] = settings.Settings(origin="https://example.org", data=Path("unused"))
    request = make_mocked_request("GET", "/", app=app)
    response = web.Response()
    cookies.set_session(request, response, "token")
    cookies.set_form_token(request, response, "token")
    cookies.set_flash(request, response, "words")
    assert 3 == len(response.cookies)
    for name, morsel in response.cookies.items():
        assert name.startswith("__Host-")
        assert (True, True, "Lax", "/", "") == (
            morsel["secure"],
            morsel["httponly"],
            morsel["samesite"],
            morsel["path"],
            morsel["domain"],
        )


@pytest.mark.parametrize(
    ("trusted", "told", "address"),
    [
        ("", "203.0.113.9", "198.51.100.1"),
        ("192.0.2.0/24", "203.0.113.9", "198.51.100.1"),
        ("198.51.100.1", "203.0.113.9", "203.0.113.9"),
        ("198.51.100.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1", "203.0.113.9, 198.51.100.1", "203.0.113.9"),
        ("198.51.100.1", "nonsense", "198.51.100.1"),
        ("198.51.100.1", "", "198.51.100.1"),
        ("198.51.100.1", "[2001:db8::1]:7", "2001:db8::1"),
        ("198.51.100.1", "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_only_a_trusted_proxy_says_where_somebody_is(trusted: str, told: str, address: str) -> None:
    """Or each request of a guesser would come from an address of its own (rule E8)."""
    app = web.Application()
    app[keys.SETTINGS] = settings.Settings(
        origin="https://example.org",
        data=Path("unused"),
        server=sections.Server(trusted_proxies=trusted),
    )

    wire = Mock()
    wire.get_extra_info.side_effect = {"peername": ("198.51.100.1", 50_000)}.get
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": told}, app=app, transport=wire)
    assert address == source_of(request).address
    assert subject_of(request) == ("2001:db8::" if ":" in address else address)


async def test_links_in_mail_name_our_own_address(
    client: Client, enter: Enter, road_of: Road, tmp_path: Path
) -> None:
    """A foreign Host in the request does not get into the letter (rule E10)."""
    await enter("alice")
    browser = Browser(client)
    form, headers = await _form(browser, "/reset")
    headers |= {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answers = [
        await browser.call("POST", "/reset", data=form | {"email": email}, headers=headers)
        for email in ("alice@mail.example", "nobody@mail.example")
    ]
    assert answers[0].body == answers[1].body
    for _ in range(500):  # it goes out after the answer
        if letters := list((tmp_path / "mail").glob("*")):
            break
        await asyncio.sleep(0.02)
    [letter] = [file.read_text() for file in letters]
    assert "evil.example" not in letter
    assert "http://example.org/reset/" in letter.replace("=\n", "")
    link = await road_of.pool.fetchrow("select expires_at - created_at as lasts from mail_link")
    assert 30 * 60 == link["lasts"].total_seconds()


async def test_pages_with_a_secret_tell_nobody_where_they_are(client: Client) -> None:
    """A reset link must not travel in a Referer, nor stay in a cache."""
    for path in ("/login", "/reset", "/reset/secret", "/confirm/secret", "/first-operator/secret"):
        answer = await Browser(client).get(path)
        assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin"), path
        if path.startswith(("/reset", "/login")):
            assert ("no-referrer", "no-store") == (
                answer.headers["Referrer-Policy"],
                answer.headers["Cache-Control"],
            )
        assert not re.findall(r'(?:src|href)="https?://(?!example\.org)', answer.body), path


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "",
        "evil",
        "/ok\r\nSet-Cookie: a=b",
    ],
)
def test_no_form_leads_away(path: str) -> None:
    """Whatever a browser makes of it: every `next` stays here (rule E11)."""
    assert "/home" == local_path(path, "/home")


async def test_next_stays_here_on_every_page_that_takes_it(
    client: Client, enter: Enter, road_of: Road
) -> None:
    """Open redirects: every form is sent with a `next` that leads away."""
    page = await open_browser(client, road_of, await enter("alice"))
    csrf = await page.csrf()
    for door in doors(client.app):
        if door.is_api or door.needs.who is Who.STAFF or "oauth" in door.path or "logout" in door.path:
            continue
        for evil in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
            form = {"next": evil, "csrf": csrf}
            options = {"params": {"next": evil}} if door.method == "GET" else {"data": form}
            answer = await page.call(door.method, door.at(_IDS, "like"), **options)
            assert "evil.example" not in answer.headers.get("Location", "").partition("?")[0], str(door)


async def test_a_code_for_one_number_proves_no_other(enter: Enter, road_of: Road) -> None:
    """What is confirmed is the very number that the code was sent to (rule E12)."""
    alice = await enter("alice", verified=False)
    mine, other = "+8613800000001", "+8613800000002"
    async with road_of.pool.acquire() as conn, conn.transaction():
        now = road_of.clock()
        await identity.start_mobile(
            conn,
            alice.id,
            mine,
            sealer=road_of.sealer,
            now=now,
            code="123456",
            source=SOURCE,
            new_id=road_of.ids,
        )
        outcome = await identity.confirm_mobile(
            conn, alice.id, other, "123456", sealer=road_of.sealer, now=now, source=SOURCE, new_id=road_of.ids
        )
        assert identity.NotConfirmed.WRONG_CODE == outcome
        assert not (await identity.get(conn, alice.id)).may_publish(now)


async def test_what_ends_for_somebody_ends_everywhere(client: Client, enter: Enter, road_of: Road) -> None:
    """A role, a suspension and a new password end sessions and tokens, also those another process knows (E5).

    What this process kept is three seconds old at most; the rows are gone at once.
    """
    ways: dict[str, Callable[[AccountId], Awaitable[object]]] = {
        "role": lambda who: staff.grant(road_of, who, Role.REVIEWER, by=None, source=SOURCE),
        "suspension": lambda who: staff.suspend(road_of, who, reason="x", by=None, source=SOURCE),
        "password": lambda who: membership.set_password(road_of, who, "another long one", source=SOURCE),
    }
    for name, end in ways.items():
        somebody = await enter(name)
        await open_browser(client, road_of, somebody)
        await end(somebody.id)
        left = await road_of.pool.fetchval(
            "select (select count(*) from session where account_id = $1) + "
            "(select count(*) from oauth_token where account_id = $1 and revoked_at is null)",
            somebody.id,
        )
        assert 0 == left, name


async def test_nobody_acts_on_their_own_rank_or_above(enter: Enter, road_of: Road) -> None:
    """Every role against every role, and against oneself: suspending and giving roles (rule H2)."""
    ranks = {Role.REVIEWER: 1, Role.AUDITOR: 1, Role.COMPLIANCE: 2, Role.EDITOR: 3, Role.ADMIN: 4}
    people = {}
    async with road_of.pool.acquire() as conn:
        for role in Role:
            for number in (1, 2):
                who = await enter(f"{role.value}{number}")
                await members.grant_role(conn, who.id, role, granted_by=None, now=road_of.clock())
                people[role, number] = who.id
    for mine in Role:
        for theirs in Role:
            by, target = people[mine, 1], people[theirs, 2]
            may = ranks[mine] > ranks[theirs]
            refused = False
            try:
                await staff.suspend(road_of, target, reason="x", by=by, source=SOURCE)
                await staff.restore(road_of, target, reason="x", by=None, source=SOURCE)
            except AppError as error:
                refused = error.status == 403
            assert may is not refused, (mine, theirs)
    for role in Role:
        with pytest.raises(AppError):
            await staff.grant(road_of, people[role, 1], role, by=people[role, 1], source=SOURCE)
        with pytest.raises(AppError):
            await staff.suspend(road_of, people[role, 1], reason="x", by=people[role, 1], source=SOURCE)


async def test_guessing_a_password_is_counted_wherever_it_is_asked(
    client: Client, enter: Enter, road_of: Road
) -> None:
    """A stolen session must not guess on in the form that closes the account or changes the password (E8)."""
    alice = await enter("alice")
    page = await open_browser(client, road_of, alice)
    limited = structs.replace(road_of.settings, limits=sections.Limits(account_logins=3))
    object.__setattr__(road_of, "settings", limited)
    for path, form in (
        ("/settings/account/close", {"username": "alice", "password": "wrong"}),
        ("/settings/security/password", {"current": "wrong", "password": "a long new one"}),
    ):
        await road_of.pool.execute("delete from attempt")
        statuses = [(await page.send(path, form)).status for _ in range(5)]
        assert [422, 422, 422, 429, 429] == statuses, path


async def test_no_app_writes_into_the_policy_of_our_page(
    client: Client, enter: Enter, road_of: Road, nobody: Caller
) -> None:
    """The consent page allows its form to lead to the app; what it calls its address adds nothing."""
    page = await open_browser(client, road_of, await enter("alice"))
    for redirect in (
        "https://app.example;sandbox/",
        "https://app.example,default-src/",
        "https://bank.example@evil.example/",
        "https://user:password@app.example/",
        "https://app.example'x/",
        "https://app.example/;sandbox",
        "a.b+c:;sandbox",
        "http://[::1]:8000/;x",
        "https://app.example:8443/back?a=1",
    ):
        new = {"client_name": "x", "redirect_uris": redirect}
        made = await nobody.call("POST", "/api/v1/apps", json=new)
        assert made.status in (200, 422), redirect
        if made.status == 200:
            asked = {"response_type": "code", "client_id": made.body["client_id"], "redirect_uri": redirect}
            shown = await page.get("/oauth/authorize", params=asked)
            policy = shown.headers["Content-Security-Policy"]
            assert re.search(r"form-action 'self' [A-Za-z0-9.+:/\[\]-]+$", policy), (redirect, policy)
        assert ("@" in redirect or ";sandbox/" in redirect) <= (made.status == 422), redirect
