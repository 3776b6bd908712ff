"""A foreigner with a passport as PDF, on a phone without scripts, and the reviewer who sees its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.journeys.harness import Yanlu, servers
from tests.journeys.web import axe
from tests.journeys.web.browser import PHONE, chromium, reader
from tests.server.media.documents import LOCKED, document, words

pytestmark = pytest.mark.timeout(300)

WAY = "/settings/identity/ways/passport"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[Yanlu]:
    """One server with a compliance officer, and somebody who is not verified."""
    async with servers("papers") as [running]:
        await running.person("shen", roles=("compliance",))
        given = ("--email", "lea@example.test", "--password", "lea-密码-2026", "--locale", "en")
        await running.command("account", "create", "lea", *given)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def test_a_passport_as_pdf_is_sent_and_seen(browser: Browser, server: Yanlu, tmp_path: Path) -> None:
    """A locked one says what to do and loses nothing typed; the pages come to the reviewer as pictures."""
    locked, passport = tmp_path / "locked.pdf", tmp_path / "passport.pdf"
    locked.write_bytes(document([words("x")], trailer_more=LOCKED))
    passport.write_bytes(document([words("Passport 12AB34567"), words("Visa")]))
    async with (
        reader(browser, server, java_script_enabled=False, viewport=PHONE) as lea,
        reader(browser, server) as shen,
    ):
        await lea.log_in("lea")
        await lea.open("/settings/identity")
        await lea.page.click(f'a[href="{WAY}"]')
        await lea.page.select_option("[name=state]", "FRA")
        await lea.page.fill("[name=number]", "12ab 34567")
        await lea.page.fill("[name=name]", "Léa Dupont")
        await lea.page.check("[name=consent]")
        await lea.page.set_input_files("[name=papers]", locked)
        await lea.page.click("main form button.primary")
        await expect(lea.page.locator(".error-summary")).to_contain_text("save it without one")
        await expect(lea.page.locator("[name=state]")).to_have_value("FRA")
        await lea.page.set_input_files("[name=papers]", passport)
        await lea.page.click("main form button.primary")
        assert "Sent. A person will look at it, and you are told." == await lea.said()

        await shen.log_in("shen")
        await shen.open("/admin/identity")
        await shen.enrol()
        await shen.open("/admin/identity")
        await shen.page.click("a.queue-row")
        await shen.page.click('form[action$="/open"] button')
        await expect(shen.page.locator("dl.facts-list").first).to_contain_text("FRA12AB34567")
        await expect(shen.page.locator("img.paper")).to_have_count(2)
        marked = await shen.page.locator("img.paper").first.get_attribute("alt")
        assert "@shen" in (marked or "")
        assert [] == await axe.violations(shen.page)
    async with reader(browser, server, viewport=PHONE) as lea:
        await lea.log_in("lea")
        await lea.open("/settings/identity")
        assert [] == await axe.violations(lea.page)
