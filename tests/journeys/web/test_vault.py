"""Two of the staff open a sealed record in a browser, by keys, on a phone and in the dark; and the person
sees who looked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, ViewportSize, expect

from tests.journeys.harness import Yanlu, servers
from tests.journeys.web import axe
from tests.journeys.web.browser import DESK, PHONE, Reader, chromium, reader

pytestmark = pytest.mark.timeout(300)
NUMBER = "+8613800138042"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[Yanlu]:
    """One server with a person whose number is sealed, and two pairs of staff."""
    async with servers("vault") as [running]:
        words = (
            "--email",
            "an@example.test",
            "--password",
            "an-密码-2026",
            "--phone",
            NUMBER,
            "--locale",
            "en",
        )
        await running.command("account", "create", "an", *words)
        for kind in ("phone", "desk"):
            await running.person(f"olga_{kind}", roles=("compliance",))
            await running.person(f"chen_{kind}", roles=("editor",))
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.mark.parametrize(("kind", "viewport", "theme"), [("phone", PHONE, "dark"), ("desk", DESK, "light")])
async def test_two_of_the_staff_open_a_sealed_record(
    browser: Browser, server: Yanlu, kind: str, viewport: ViewportSize, theme: str
) -> None:
    """Asked with a reason, approved by another, read once; nothing stays behind, and An sees it."""
    options = {"viewport": viewport, "color_scheme": theme, "bypass_csp": True}
    case = f"2026-{kind}"
    async with (
        reader(browser, server, **options) as olga,
        reader(browser, server, **options) as chen,
        reader(browser, server, **options) as an,
    ):
        for who, name in ((olga, f"olga_{kind}"), (chen, f"chen_{kind}")):
            await who.log_in(name)
            await who.enrol()
        await _ask(olga, case)
        await expect(olga.page.locator(".flash")).to_contain_text("24 hours")
        await _is_for_everybody(olga)
        path = olga.page.url.removeprefix(server.origin)

        await chen.open("/notifications")
        await expect(chen.page.locator("main")).to_contain_text("asks to open sealed papers")
        await chen.open("/admin/vault")
        await _is_for_everybody(chen)
        await chen.page.keyboard.press("j")
        await chen.page.keyboard.press("Enter")
        await expect(chen.page).to_have_url(f"{server.origin}{path}")
        await chen.page.keyboard.press("1")
        await _is_for_everybody(chen)
        await chen.page.keyboard.press("s")
        await expect(chen.page.locator(".chip.ok")).to_have_text("approved")
        assert NUMBER not in await chen.page.content()

        await olga.open(path)
        await olga.page.click("form[action$='/read'] button")
        await expect(olga.page.locator(".opened dd")).to_have_text(NUMBER)
        await expect(olga.page.locator(".notice strong")).to_have_text(f"Shown once, to olga_{kind}")
        assert await olga.page.evaluate("document.querySelector('.across').naturalWidth > 0")
        await _is_for_everybody(olga)
        await olga.page.click("text=Close now")
        await expect(olga.page.locator(".chip").first).to_have_text("read")
        await expect(olga.page.locator("form[action$='/read']")).to_have_count(0)
        assert NUMBER not in await _back(olga)

        await an.log_in("an")
        await an.open("/notifications")
        await expect(an.page.locator("main")).to_contain_text("Your identity papers were opened")
        await an.open("/settings/identity/access")
        await expect(an.page.locator("main")).to_contain_text(case)
        await an.page.click("text=Show it to me, in part")
        await expect(an.page.locator("main")).to_contain_text("+86*******8042")
        await _is_for_everybody(an)


async def _ask(olga: Reader, case: str) -> None:
    """First with nothing, which says what is missing and keeps what was typed."""
    await olga.open("/admin/vault?account=an")
    await olga.page.fill("[name=case]", case)
    await olga.page.click("form.decide button.primary")
    await expect(olga.page.locator(".error-summary")).to_be_visible()
    await expect(olga.page.locator("[name=case]")).to_have_value(case)
    await _is_for_everybody(olga)
    await olga.page.check("#f-fields-mobile")
    await olga.page.select_option("[name=purpose]", "court")
    await olga.page.fill("[name=legal_basis]", "Order 7 of the court")
    await olga.page.click("form.decide button.primary")


async def _is_for_everybody(who: Reader) -> None:
    """No violation that axe finds, and nothing wider than the screen."""
    assert [] == await axe.violations(who.page)
    assert not await who.page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def _back(who: Reader) -> str:
    """What the browser's own way back shows; it may well refuse, as nothing was stored."""
    try:
        await who.page.go_back()
    except Error:
        return ""
    return await who.page.content()
