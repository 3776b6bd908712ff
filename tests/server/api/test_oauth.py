"""Apps, consent, codes, tokens: how it goes right, and each way it can go wrong (rules E1, E2, E5)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer

from server import keys, membership
from server.app import create_app
from server.http.auth import SEEN
from server.pipeline import Road
from server.store import members
from tests.fixtures.server import SOURCE, Answer, Caller, Client, Enter

OOB = "urn:ietf:wg:oauth:2.0:oob"
WEB = "https://app.example/back"


async def _app(nobody: Caller, redirects: str = f"{WEB}\n{OOB}", scopes: str = "read write") -> Any:
    made = await nobody.call(
        "POST",
        "/api/v1/apps",
        data={"client_name": "An app", "redirect_uris": redirects, "scopes": scopes},
    )
    return made.raised().body


@pytest.fixture
async def browser(client: Client, enter: Enter, road_of: Road) -> Caller:
    """Alice, logged in on the pages."""
    alice = await enter("alice")
    async with road_of.pool.acquire() as conn:
        member = await members.get(conn, alice.id)
    cookie = await membership.open_session(road_of, member, source=SOURCE)
    return Caller(client, None, alice.id, "alice", {"Cookie": f"yanlu_session={cookie}"})


async def _consent(browser: Caller, app: Any, *, decision: str = "allow", **more: str) -> Answer:
    """Opens the page, and presses one of its buttons."""
    asked = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": WEB,
        "scope": "read write",
    } | more
    page = (await browser.call("GET", "/oauth/authorize", params=asked)).raised().body
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    form = {name: unescape(value) for name, value in hidden}
    return await browser.call("POST", "/oauth/authorize", data=form | {"decision": decision})


def _query(answer: Answer) -> dict[str, str]:
    assert answer.status in (302, 303), (answer.status, answer.body)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


async def _token(nobody: Caller, app: Any, code: str, **more: str) -> Answer:
    said = {
        "grant_type": "authorization_code",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "redirect_uri": WEB,
        "code": code,
    } | more
    return await nobody.call("POST", "/oauth/token", data=said)


async def test_an_app_becomes_somebody_by_their_consent(nobody: Caller, browser: Caller) -> None:
    """Register, ask, trade the code, act, end the token."""
    app = await _app(nobody)
    back = await _consent(browser, app, state="xyz&=")
    assert back.headers["Location"].startswith(f"{WEB}?code=")
    assert "xyz&=" == _query(back)["state"]
    token = (await _token(nobody, app, _query(back)["code"])).raised().body
    assert ("Bearer", "read write") == (token["token_type"], token["scope"])
    alice = Caller(nobody.client, token["access_token"])
    assert "alice" == (await alice.get("/api/v1/accounts/verify_credentials"))["username"]
    ended = {"client_id": app["client_id"], "client_secret": app["client_secret"], "token": alice.token}
    assert {} == (await nobody.call("POST", "/oauth/revoke", json=ended)).raised().body
    assert 401 == (await alice.call("GET", "/api/v1/accounts/verify_credentials")).status


async def test_the_page_names_the_app_and_what_it_asks_for(nobody: Caller, browser: Caller) -> None:
    """Consent is to something; and the page works in another site's popup."""
    app = await _app(nobody, scopes="read write:statuses")
    shown = await browser.call(
        "GET",
        "/oauth/authorize/",
        params={
            "response_type": "code",
            "client_id": app["client_id"],
            "redirect_uri": WEB,
            "scope": "read read:accounts write:statuses",
        },
    )
    assert "An app" in shown.body
    assert ["read", "write:statuses"] == re.findall(r"<code>([^<]+)</code>", shown.body)
    assert "Cross-Origin-Opener-Policy" not in shown.headers
    assert "form-action 'self' https://app.example" in shown.headers["Content-Security-Policy"]


async def test_without_an_address_the_code_is_shown(nobody: Caller, browser: Caller) -> None:
    """Command line clients have nobody listening."""
    app = await _app(nobody)
    back = await _consent(browser, app, redirect_uri=OOB)
    code = _query(back)["code"]
    shown = (await browser.call("GET", back.headers["Location"])).raised()
    assert f">{code}<" in shown.body
    (await _token(nobody, app, code, redirect_uri=OOB)).raised()


async def test_saying_no_gives_no_code(nobody: Caller, browser: Caller) -> None:
    """And the app hears why."""
    back = await _consent(browser, await _app(nobody), decision="deny", state="s")
    assert ("access_denied", "s") == (_query(back)["error"], _query(back)["state"])


async def test_the_form_cannot_be_sent_from_elsewhere(nobody: Caller, browser: Caller) -> None:
    """Another site must not say yes in somebody's name."""
    app = await _app(nobody)
    asked = {"response_type": "code", "client_id": app["client_id"], "redirect_uri": WEB, "decision": "allow"}
    assert 403 == (await browser.call("POST", "/oauth/authorize", data=asked)).status


async def test_somebody_who_is_not_logged_in_is_sent_to_log_in(nobody: Caller) -> None:
    """And back to the same question afterwards."""
    app = await _app(nobody)
    path = f"/oauth/authorize?response_type=code&client_id={app['client_id']}"
    answer = await nobody.call("GET", path)
    assert 303 == answer.status
    assert path == parse_qs(urlsplit(answer.headers["Location"]).query)["next"][0]


@pytest.mark.parametrize(
    "redirect",
    [
        "https://app.example/back/evil",
        "https://app.example/back?x=1",
        "https://evil.example/back",
        "",
        OOB[:-1],
    ],
)
async def test_a_code_goes_only_to_a_registered_address(
    nobody: Caller, browser: Caller, redirect: str
) -> None:
    """Not even an error is sent to any other."""
    app = await _app(nobody)
    asked = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": redirect,
        "scope": "read",
    }
    answer = await browser.call("GET", "/oauth/authorize", params=asked)
    assert (422, False) == (answer.status, "Location" in answer.headers)


async def test_a_program_on_ones_own_machine_may_choose_its_port(nobody: Caller, browser: Caller) -> None:
    """RFC 8252: it gets whichever port is free."""
    app = await _app(nobody, "http://localhost/back http://127.0.0.1:1/back")
    for redirect in ("http://localhost:54321/back", "http://127.0.0.1:999/back"):
        back = await _consent(browser, app, redirect_uri=redirect)
        assert back.headers["Location"].startswith(f"{redirect}?code=")
    refused = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": "http://localhost:1/evil",
    }
    assert 422 == (await browser.call("GET", "/oauth/authorize", params=refused)).status


async def test_a_scheme_of_the_apps_own_is_an_address(nobody: Caller, browser: Caller) -> None:
    """Phone apps are opened by their scheme."""
    app = await _app(nobody, "ivory://oauth com.example.app:/back")
    back = await _consent(browser, app, redirect_uri="com.example.app:/back")
    assert back.headers["Location"].startswith("com.example.app:/back?code=")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("redirect_uris", "javascript:alert(1)"),
        ("redirect_uris", "data:text/html,x"),
        ("redirect_uris", "/back"),
        ("redirect_uris", "https://app.example/#x"),
        ("redirect_uris", ""),
        ("client_name", ""),
        ("scopes", "read everything"),
        ("website", "javascript:alert(1)"),
    ],
)
async def test_an_app_that_cannot_be_is_refused(nobody: Caller, field: str, value: str) -> None:
    """In Mastodon's form, saying which part was wrong."""
    said = {"client_name": "An app", "redirect_uris": WEB, "scopes": "read"} | {field: value}
    answer = await nobody.call("POST", "/api/v1/apps", data=said)
    assert (422, True) == (answer.status, "error" in answer.body)


async def test_a_code_works_once_and_its_second_use_ends_its_token(nobody: Caller, browser: Caller) -> None:
    """Two uses mean that somebody stole it: nobody knows which of the two."""
    app = await _app(nobody)
    code = _query(await _consent(browser, app))["code"]
    token = (await _token(nobody, app, code)).raised().body["access_token"]
    again = await _token(nobody, app, code)
    assert (400, "invalid_grant") == (again.status, again.body["error"])
    alice = Caller(nobody.client, token)
    assert 401 == (await alice.call("GET", "/api/v1/accounts/verify_credentials")).status


async def test_a_code_is_for_its_app_its_address_and_five_minutes(
    nobody: Caller, browser: Caller, road_of: Road
) -> None:
    """Each in turn."""
    app, other = await _app(nobody), await _app(nobody)
    for theft in (
        {"client_id": other["client_id"], "client_secret": other["client_secret"]},
        {"redirect_uri": OOB},
        {"code": secrets.token_urlsafe(32)},
    ):
        code = _query(await _consent(browser, app))["code"]
        answer = (
            await _token(nobody, app, code, **theft)
            if "code" not in theft
            else await _token(nobody, app, theft["code"])
        )
        assert (400, "invalid_grant") == (answer.status, answer.body["error"])
    code = _query(await _consent(browser, app))["code"]
    async with road_of.pool.acquire() as conn:
        await conn.execute("update oauth_code set expires_at = now() - interval '1 second'")
    assert 400 == (await _token(nobody, app, code)).status


@pytest.mark.parametrize(("client_id", "secret"), [("nobody", "x"), (None, "wrong"), (None, ""), ("", "x")])
async def test_an_app_proves_itself_by_its_secret(
    nobody: Caller, browser: Caller, client_id: str | None, secret: str
) -> None:
    """Whoever saw a code pass by cannot trade it."""
    app = await _app(nobody)
    code = _query(await _consent(browser, app))["code"]
    answer = await _token(
        nobody,
        app,
        code,
        client_secret=secret,
        client_id=app["client_id"] if client_id is None else client_id,
    )
    assert (401, "invalid_client") == (answer.status, answer.body["error"])


async def test_the_secret_may_come_by_http_basic(nobody: Caller, browser: Caller) -> None:
    """RFC 6749 prefers it."""
    app = await _app(nobody)
    code = _query(await _consent(browser, app))["code"]
    basic = base64.b64encode(f"{app['client_id']}:{app['client_secret']}".encode()).decode()
    said = {"grant_type": "authorization_code", "redirect_uri": WEB, "code": code}
    answer = await nobody.call("POST", "/oauth/token", json=said, headers={"Authorization": f"Basic {basic}"})
    assert 200 == answer.status


async def test_whoever_made_the_challenge_trades_the_code(nobody: Caller, browser: Caller) -> None:
    """PKCE with S256; a challenge in the clear is none."""
    app, verifier = await _app(nobody), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")

    async def code() -> str:
        back = await _consent(browser, app, code_challenge=challenge, code_challenge_method="S256")
        return _query(back)["code"]

    assert 400 == (await _token(nobody, app, await code())).status
    assert 400 == (await _token(nobody, app, await code(), code_verifier=verifier + "x")).status
    assert 400 == (await _token(nobody, app, await code(), code_verifier=challenge)).status
    assert 200 == (await _token(nobody, app, await code(), code_verifier=verifier)).status
    plain = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": WEB,
        "code_challenge": verifier,
        "code_challenge_method": "plain",
    }
    refused = await browser.call("GET", "/oauth/authorize", params=plain)
    assert "invalid_request" == _query(refused)["error"]


async def test_an_app_asks_for_no_more_than_it_registered(nobody: Caller, browser: Caller) -> None:
    """Neither of a person nor for itself, and never for powers that the person does not have."""
    app = await _app(nobody, scopes="read:accounts admin:read")
    asked = {"response_type": "code", "client_id": app["client_id"], "redirect_uri": WEB}
    for scope in ("read", "read:accounts write", "admin:read"):
        answer = await browser.call("GET", "/oauth/authorize", params=asked | {"scope": scope})
        assert "invalid_scope" == _query(answer)["error"]
    own = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
    }
    for scope in ("read", "admin:read"):
        answer = await nobody.call("POST", "/oauth/token", json=own | {"scope": scope})
        assert (400, "invalid_scope") == (answer.status, answer.body["error"])


async def test_an_app_can_act_for_itself(nobody: Caller) -> None:
    """Enough to say who it is and to sign people up, not to be one."""
    app = await _app(nobody)
    own = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "scope": "read",
    }
    token = (await nobody.call("POST", "/oauth/token", json=own)).raised().body
    itself = Caller(nobody.client, token["access_token"])
    shown = await itself.get("/api/v1/apps/verify_credentials")
    assert ("An app", [WEB, OOB]) == (shown["name"], shown["redirect_uris"])
    assert 403 == (await itself.call("GET", "/api/v1/timelines/home")).status


@pytest.mark.parametrize(
    ("grant", "error"), [("password", "unsupported_grant_type"), ("", "invalid_request")]
)
async def test_a_password_buys_no_token(nobody: Caller, grant: str, error: str) -> None:
    """Apps never see passwords here."""
    app = await _app(nobody)
    said = {"grant_type": grant, "client_id": app["client_id"], "client_secret": app["client_secret"]}
    answer = await nobody.call("POST", "/oauth/token", json=said)
    assert (400, error) == (answer.status, answer.body["error"])


async def test_revoking_does_not_tell_whether_there_was_a_token(nobody: Caller) -> None:
    """RFC 7009; but only an app may ask."""
    app = await _app(nobody)
    said = {"client_id": app["client_id"], "client_secret": app["client_secret"], "token": "unknown"}
    assert 200 == (await nobody.call("POST", "/oauth/revoke", json=said)).status
    assert 401 == (await nobody.call("POST", "/oauth/revoke", json=said | {"client_secret": "x"})).status


async def test_metadata_names_every_door(nobody: Caller) -> None:
    """RFC 8414; clients believe that there is no PKCE where this is missing."""
    told = await nobody.get("/.well-known/oauth-authorization-server")
    assert "http://example.org/" == told["issuer"]
    assert ["S256"] == told["code_challenge_methods_supported"]
    assert "http://example.org/oauth/token" == told["token_endpoint"]
    assert {"read", "write:statuses", "profile"} <= set(told["scopes_supported"])


async def test_a_token_opens_what_its_scopes_say(enter: Enter) -> None:
    """`read` includes `read:statuses`; `read:accounts` does not."""
    for scopes, status in ((("read",), 200), (("read:statuses",), 200), (("read:accounts", "write"), 403)):
        somebody = await enter(f"a{secrets.token_hex(4)}", scopes=scopes)
        answer = await somebody.call("GET", "/api/v1/timelines/home")
        assert status == answer.status, scopes
        if status == 403:
            assert {"error": "This action is outside the authorized scopes"} == answer.body


async def test_a_cookie_opens_nothing_on_the_api(browser: Caller) -> None:
    """Another site's page could send it along."""
    assert 401 == (await browser.call("GET", "/api/v1/timelines/home")).status


async def test_an_account_that_is_suspended_or_unconfirmed_is_kept_out(
    enter: Enter, client: Client, road_of: Road
) -> None:
    """In Mastodon's words, which clients know."""
    new = await enter("new", confirmed=False)
    answer = await new.call("GET", "/api/v1/accounts/verify_credentials")
    assert (403, "confirmed" in answer.body["error"]) == (answer.status, True)
    bad = await enter("bad")
    await bad.get("/api/v1/accounts/verify_credentials")
    async with road_of.pool.acquire() as conn:
        await conn.execute("update account set suspended_at = now() where id = $1", bad.id)
    client.app[SEEN].forget()
    road_of.events.notify("accounts", str(bad.id))
    answer = await bad.call("GET", "/api/v1/accounts/verify_credentials")
    assert (403, "Your login is currently disabled") == (answer.status, answer.body["error"])


async def test_userinfo_says_who_one_is(enter: Enter) -> None:
    """OpenID's claims, for clients that only want to know that."""
    alice = await enter("alice", scopes=("profile",))
    said = await alice.get("/oauth/userinfo")
    assert ("http://example.org/users/alice", "alice") == (said["sub"], said["preferred_username"])


async def test_what_ends_in_one_process_ends_in_the_others(
    client: Client, nobody: Caller, browser: Caller
) -> None:
    """A token that another worker has just seen is not good there for seconds more (rule E5)."""
    app = await _app(nobody)
    token = (await _token(nobody, app, _query(await _consent(browser, app))["code"])).raised().body
    path = "/api/v1/accounts/verify_credentials"
    async with TestClient(TestServer(create_app(client.app[keys.SETTINGS], worker=2))) as other:
        there = Caller(other, token["access_token"])
        assert 200 == (await there.call("GET", path)).status
        told = asyncio.Event()
        other.app[keys.EVENTS].subscribe("viewers", lambda _: told.set())
        said = {name: app[name] for name in ("client_id", "client_secret")}
        await nobody.call("POST", "/oauth/revoke", json=said | {"token": there.token})
        async with asyncio.timeout(1):
            await told.wait()
        assert 401 == (await there.call("GET", path)).status
