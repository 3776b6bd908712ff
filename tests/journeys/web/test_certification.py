"""An organisation is certified, in a real browser: papers, a question, an answer, two who decide by keys."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw
from playwright.async_api import Browser, Page, expect

from tests.journeys.harness import Yanlu, servers
from tests.journeys.web import axe
from tests.journeys.web.browser import PHONE, chromium, reader

pytestmark = pytest.mark.asyncio(loop_scope="session")
HOME = "/org/seawind/certification"
FIELDS = {
    "organisation_name": "福州海风报社",
    "uscc": "91350100M000100Y43",
    "legal_representative": "林海风",
    "licence_number": "3512026001",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[Yanlu]:
    async with servers("seals") as [running]:
        await running.person("lin")
        await running.person("shen", roles=("reviewer",))
        await running.person("chen", roles=("compliance",))
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


def paper(folder: Path, words: str) -> str:
    """A licence, photographed."""
    made = Image.new("RGB", (1200, 800), "#f7f3e8")
    draw = ImageDraw.Draw(made)
    draw.rectangle((40, 40, 1160, 760), outline="#b3261e", width=6)
    draw.text((120, 120), words, fill="black", font_size=48)
    place = folder / f"{words.replace(' ', '-')}.png"
    made.save(place)
    return str(place)


async def shoot(page: Page, name: str) -> None:
    """Keeps a picture of the page where somebody wants to look at it."""
    folder = os.environ.get("SHOTS")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def apply(page: Page, server: Yanlu, folder: Path) -> None:
    """The wizard, on a phone and without a script."""
    await page.goto(f"{server.origin}{HOME}")
    await page.check("input[value='media/news']")
    await page.click("main form button.primary")
    await shoot(page, "details")
    for name, value in FIELDS.items():
        await page.fill(f"[name={name}]", value)
    await page.click("button[value=on]")
    for slot in ("register", "news-licence", "letter"):
        await page.set_input_files(f"[name=paper-{slot}]", paper(folder, slot))
    await page.click("button[value=send]")
    await expect(page.locator("main")).to_contain_text("福州海风报社")
    await shoot(page, "send")
    await page.click(f"form[action='{HOME}/send'] button.primary")
    await expect(page.locator("main .notice").first).to_be_visible()


async def test_an_organisation_is_asked_for_more_and_certified_by_two(
    browser: Browser, server: Yanlu, tmp_path: Path
) -> None:
    """A phone without scripts applies; two consoles decide by the keyboard; the public reads the card."""
    async with (
        reader(browser, server, java_script_enabled=False, viewport=PHONE) as lin,
        reader(browser, server, locale="zh-CN") as shen,
        reader(browser, server, color_scheme="dark") as chen,
    ):
        await lin.log_in("lin")
        await lin.open("/org/new")
        await lin.page.fill("[name=username]", "seawind")
        await lin.page.fill("[name=name]", "福州海风报社")
        await lin.page.check("input[value=media]")
        await lin.page.check("[name=agreement]")
        await lin.page.click("main form button.primary")
        await apply(lin.page, server, tmp_path)
        for person in (shen, chen):
            await person.log_in("shen" if person is shen else "chen")
            await person.enrol()
        await take(shen.page, server)
        assert [] == await axe.violations(shen.page)
        await shen.page.locator("details[data-paper] summary").first.click()
        await expect(shen.page.locator("details[data-paper] img").first).to_have_js_property("complete", True)
        await shoot(shen.page, "review")
        await shen.page.keyboard.press("2")
        await shen.page.fill("#f-statement", "公函没有盖章")
        await shen.page.click("button[value=stay]")
        await lin.open(HOME)
        await expect(lin.page.locator("main")).to_contain_text("公函没有盖章")
        await shoot(lin.page, "more")
        await lin.open(f"{HOME}?step=papers")
        await lin.page.set_input_files("[name=paper-letter]", paper(tmp_path, "stamped letter"))
        await lin.page.click("button[value=send]")
        await lin.page.fill("[name=words]", "已盖章")
        await lin.page.click(f"form[action='{HOME}/send'] button.primary")
        for person in (shen, chen):
            await take(person.page, server)
            await expect(person.page.locator("main")).to_contain_text("已盖章")
            for box in await person.page.locator("input[name=agrees]").all():
                await box.check()
            for resolved in await person.page.locator("input[name^=resolved-]").all():
                await resolved.fill("looked up in the register")
            await person.page.keyboard.press("1") if person is shen else None
            await person.page.locator("input[value=approve]").check()
            await person.page.click("button[value=stay]")
        assert [] == await axe.violations(chen.page)
        await shoot(chen.page, "queue")
        await chen.open("/@seawind/certification")
        await expect(chen.page.locator("main")).to_contain_text("福州海风报社")
        assert [] == await axe.violations(chen.page)
        await shoot(chen.page, "card")
        await chen.open("/admin/certifications/papers")
        assert [] == await axe.violations(chen.page)
        await shoot(chen.page, "papers")


async def take(page: Page, server: Yanlu) -> None:
    """Opens the next application and takes it."""
    await page.goto(f"{server.origin}/admin/certifications/next")
    await page.click("form[action$='/take'] button")
    await page.wait_for_load_state()
    await expect(page.locator("input[value=approve]")).to_be_visible()
