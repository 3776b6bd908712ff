"""Graded service and filings in a real browser: two officers, one policy, and somebody it is about."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from compliance import tierbook
from tests.journeys.harness import Yanlu, servers
from tests.journeys.web import axe
from tests.journeys.web.browser import PHONE, Reader, chromium, reader

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[Yanlu]:
    async with servers("grades") as [running]:
        for name in ("shen", "chen"):
            await running.person(name, roles=("compliance",))
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def seen(page: Page, name: str) -> None:
    """The page as axe judges it, wide and on a phone, where nothing may stick out; a picture where wanted."""
    wide = page.viewport_size
    for size, suffix in ((PHONE, "phone"), (wide, "desk")):
        assert size is not None
        await page.set_viewport_size(size)
        assert [] == await axe.violations(page), name
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), name
        if folder := os.environ.get("SHOTS"):
            await page.screenshot(path=f"{folder}/{name}-{suffix}.png", full_page=True)


async def propose(officer: Reader, text: str) -> None:
    await officer.open("/admin/tiers")
    await officer.page.fill("textarea[name=body]", text)
    await officer.page.click("form[action='/admin/tiers'] button.primary")
    await officer.page.wait_for_load_state()


async def test_a_policy_comes_into_force_and_says_why_somebody_is_where_they_are(
    browser: Browser, server: Yanlu
) -> None:
    """Proposed by one, tried, put in force by another; then explained, and filed by the same two."""
    bea = await server.person("bea")
    async with (
        reader(browser, server) as shen,
        reader(browser, server, locale="zh-CN", color_scheme="dark") as chen,
        reader(browser, server, java_script_enabled=False, viewport=PHONE) as reads,
    ):
        for person, name in ((shen, "shen"), (chen, "chen")):
            await person.log_in(name)
            await person.enrol()
        await propose(shen, "name = 1")
        await expect(shen.page.locator(".error-summary")).to_contain_text("tiers must list")
        assert "name = 1" == await shen.page.input_value("textarea[name=body]")
        await propose(shen, tierbook.shipped())
        await seen(shen.page, "proposed")
        await chen.open("/admin/tiers/1")
        await chen.page.click("form[action='/admin/tiers/1/try'] button")
        await expect(chen.page.locator("main")).to_contain_text("@bea")
        await seen(chen.page, "tried")
        await chen.page.click("form[action='/admin/tiers/1/activate'] button")
        await chen.page.wait_for_load_state()
        await seen(chen.page, "tiers")
        # Who came before the policy keeps what they had until they are looked at; somebody new is in at once.
        await server.person("newly")
        await reads.log_in("newly")
        await reads.open("/settings/standing")
        await expect(reads.page.locator("main")).to_contain_text("New")
        account = await bea.get("v1/accounts/verify_credentials")
        await shen.open(f"/admin/accounts/{account['id']}/credit")
        await shen.page.fill("[name=points]", "-25")
        await shen.page.fill("[name=reason]", "Sold followers, as its own post says")
        await shen.page.click("form.decide button.primary")
        await expect(shen.page.locator("table")).to_contain_text("Sold followers")
        await seen(shen.page, "credit")
        await filed(shen, chen)
    async with reader(browser, server) as me:
        await me.log_in("bea")
        await me.open("/settings/standing")
        await expect(me.page.locator("svg.plot-curve")).to_be_visible()
        await expect(me.page.locator("#credit")).to_contain_text("Sold followers")
        await seen(me.page, "standing")
        await me.page.click("#credit a[href^='/my/decisions/']")
        await expect(me.page.locator("main form textarea")).to_be_visible()


async def filed(shen: Reader, chen: Reader) -> None:
    """The policy as a filing: drafted by one, checked and released by the other."""
    await shen.open("/admin/filings")
    await seen(shen.page, "filings")
    await shen.page.click("form[action='/admin/filings'] button")
    await shen.page.wait_for_url("**/admin/filings/*")
    await seen(shen.page, "filing")
    await chen.open(shen.page.url.removeprefix(shen.server.origin))
    await chen.page.click("a[href$='/release']")
    await seen(chen.page, "check")
    await chen.page.click("form button.primary")
    await chen.page.wait_for_load_state()
    await seen(chen.page, "released")
    await chen.open("/admin/filings/authorities")
    await seen(chen.page, "authorities")
