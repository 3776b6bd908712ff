"""An organisation at work in a browser, and its apps: founded, staffed, writing, and seen as itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from mastodon import Mastodon
from playwright.async_api import Browser, ViewportSize, expect

from tests.journeys.clients.browser import Browser as Plain
from tests.journeys.harness import Yanlu, servers, until
from tests.journeys.web import axe
from tests.journeys.web.browser import DESK, PHONE, chromium, reader

pytestmark = pytest.mark.timeout(300)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[Yanlu]:
    """One server with an owner, an editor to be, a reader, and an organisation whose papers were seen."""
    async with servers("orgs") as [running]:
        for name in ("ann", "bob", "cy"):
            await running.person(name)
        await running.command(
            *("organisation", "create", "press", "--owner", "ann", "--registered-name", "晨报社"),
            *("--kind", "media", "--attest", "papers seen by a test"),
        )
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def test_an_editor_is_invited_and_both_make_a_post(browser: Browser, server: Yanlu) -> None:
    """Two people, four eyes, one post that the public sees as the organisation's, at its time."""
    async with reader(browser, server) as ann, reader(browser, server, viewport=PHONE) as bob:
        await ann.log_in("ann")
        await ann.open("/org/press/members")
        await ann.page.fill("[name=handle]", "@bob")
        await ann.page.select_option("#f-role", "editor")
        await ann.page.click("form[action='/org/press/members'] button")
        assert "Invited" == await ann.said()
        await ann.page.check("[name=four_eyes]")
        await ann.page.click("form[action='/org/press/settings'] button")
        await bob.log_in("bob")
        await bob.open("/notifications")
        await bob.page.click("a[href='/org/press/invitation']")
        await bob.page.click("button[value=accept]")
        await expect(bob.page).to_have_url(f"{server.origin}/org/press")
        await bob.open("/org/press/content/new")
        await bob.page.fill("textarea[name=status]", "晨报社的第一条微博")
        await bob.page.click("form.composer button.primary")
        await expect(bob.page.locator(".kept-lines")).to_have_text("晨报社的第一条微博")
        draft = bob.page.url
        await bob.page.click("form[action$='/submit'] button")
        await ann.page.goto(draft)
        await ann.page.click("form[action$='/approve'] button")
        await bob.page.goto(draft)
        due = datetime.now(UTC) + timedelta(minutes=1)
        await bob.page.fill("[name=due_at]", f"{due:%Y-%m-%dT%H:%M}")
        await bob.page.select_option("#f-zone", "0")
        await bob.page.click("form[action$='/schedule'] button")
        assert "It is published at its time" == await bob.said()
    late = await until(lambda: _first_post(server), "the scheduled post stands", patience=75)
    assert late is not None
    assert late["account"]["acct"] == "press"
    published = datetime.fromisoformat(late["created_at"])
    wanted = due.replace(second=0, microsecond=0)
    assert timedelta(0) <= published - wanted < timedelta(seconds=10)
    assert "bob" not in str(late)


async def _first_post(server: Yanlu) -> Any:
    url = f"{server.origin}/api/v1/timelines/public?local=true"
    async with server.web.get(url) as answer:
        found = await answer.json()
    return found[0] if found else None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
async def test_the_console_is_open_to_everybody(
    browser: Browser, server: Yanlu, scheme: str, size: ViewportSize
) -> None:
    """No rule of WCAG 2.2 AA is broken, in light and dark, wide and narrow, and nothing scrolls sideways."""
    async with reader(browser, server, viewport=size, color_scheme=scheme) as ann:
        await ann.log_in("ann")
        paths = ["/org", "/org/new", *(f"/org/press{at}" for at in ("", *_PAGES))]
        for path in paths:
            await ann.open(path)
            assert [] == await axe.violations(ann.page), path
            wide = await ann.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, path
        await ann.page.goto(f"{server.origin}/org")
        await ann.page.click("form[action='/org/switch'] button.primary")
        await expect(ann.page.locator(".acting")).to_contain_text("@press")
        assert [] == await axe.violations(ann.page)
        await ann.page.click(".acting form button")
        await expect(ann.page.locator(".acting")).to_have_count(0)


_PAGES = ("/content", "/content/new", "/comments", "/members", "/certification", "/duties", "/log")


async def test_an_app_that_knows_nothing_of_organisations_works_as_one(server: Yanlu) -> None:
    """Mastodon.py, let in for the organisation on the consent page; and with the header, for a person."""
    scopes = ["read", "write", "follow"]
    made = await asyncio.to_thread(Mastodon.create_app, "Newsroom", scopes=scopes, api_base_url=server.origin)
    bot = Mastodon(client_id=made[0], client_secret=made[1], api_base_url=server.origin)
    url = await asyncio.to_thread(bot.auth_request_url, scopes=scopes, allow_http=True)
    async with Plain() as plain:
        await plain.open(url)
        await plain.log_in("ann", "ann-密码-2026")
        assert "@press, as owner" in plain.text
        code = await plain.consent(acting_for="press")
    await asyncio.to_thread(bot.log_in, code=code, scopes=scopes, allow_http=True)
    me = await asyncio.to_thread(bot.me)
    assert (me.acct, me.yanlu["acting"]) == ("press", {"by": "ann", "role": "owner"})
    picture = await asyncio.to_thread(bot.account_update_credentials, display_name="晨报")
    assert picture.display_name == "晨报"
    token = await server.command("token", "create", "ann", "--scopes", "read write")
    headers = {"Authorization": f"Bearer {token['token']}", "Yanlu-Acting-For": "press"}
    async with server.web.get(
        f"{server.origin}/api/v1/accounts/verify_credentials", headers=headers
    ) as answer:
        assert (await answer.json())["acct"] == "press"
