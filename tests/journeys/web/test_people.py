"""What people do in a browser, with scripts and without: from sign-up to a conversation, and the keys of an
operator.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, ViewportSize, expect

from tests.journeys.harness import Yanlu, servers, until
from tests.journeys.web import axe
from tests.journeys.web.browser import DESK, PHONE, Reader, chromium, newest, reader

pytestmark = pytest.mark.timeout(300)

RULES = {
    "name": "tests",
    "version": "1",
    "lists": {
        "held": {"category": "ads", "action": "hold", "basis": "12.1", "rules": [{"pattern": "假文凭"}]},
        "refused": {
            "category": "fraud",
            "action": "refuse",
            "basis": "12.1",
            "rules": [{"pattern": "稳赚不赔"}],
        },
    },
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Yanlu]:
    """One server with two people, an operator, and word rules."""
    async with servers("pages") as [running]:
        for name in ("an", "bo"):
            await running.person(name, locale="zh-CN")
        await running.person("shen", roles=("reviewer", "compliance"), locale="zh-CN")
        rules = tmp_path_factory.mktemp("rules") / "rules.json"
        rules.write_text(json.dumps(RULES))
        await running.command("rules", "import", str(rules), "--activate")
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def test_a_new_person_signs_up_proves_who_they_are_and_publishes(
    browser: Browser, server: Yanlu
) -> None:
    """The whole road without a script, on a phone: the mail's link, the refusal, the code, the first post."""
    mail, sms = server.env["YANLU_MAIL_SINK"], server.env["YANLU_SMS_SINK"]
    async with reader(browser, server, java_script_enabled=False, viewport=PHONE) as wen:
        page = wen.page
        await wen.open("/register")
        await page.fill("[name=username]", "wen")
        await page.fill("[name=email]", "wen@example.test")
        await page.fill("[name=password]", "一句很长很长的密码")
        await page.check("[name=agreement]")
        await page.click("main form button.primary")
        link = await newest(mail, r"/confirm/[\w-]+")
        await wen.open(link)
        await page.click("form button.primary")
        await wen.log_in("wen", "一句很长很长的密码")
        await expect(page).to_have_url(f"{server.origin}/home")
        await page.fill("textarea[name=status]", "Good morning")
        await page.click("form.composer button.primary")
        await expect(page.locator("section.verdict")).to_have_attribute("data-state", "refused")
        await expect(page.locator("textarea[name=status]")).to_have_value("Good morning")
        await page.click("section.verdict a.button")
        await page.fill("[name=phone]", "+86 138 0013 8000")
        await page.check("[name=consent]")
        await page.click("main form button.primary")
        await page.fill("[name=code]", await newest(sms, r"\d{6}"))
        await page.click("main form button.primary")
        assert "You are verified and can publish" == await wen.said()
        await wen.write("Good morning")
        await expect(page.locator("article.post .e-content").first).to_have_text("Good morning")


async def test_a_conversation_without_scripts(browser: Browser, server: Yanlu, tmp_path: Path) -> None:
    """A picture with its description, a favourite, a boost, an answer, an edit, a deletion."""
    picture = tmp_path / "picture.png"
    Image.new("RGB", (64, 48), "#1f4e79").save(picture)
    async with (
        reader(browser, server, java_script_enabled=False) as an,
        reader(browser, server, java_script_enabled=False, viewport=PHONE, locale="zh-CN") as bo,
    ):
        await an.log_in("an")
        await an.open("/compose")
        await an.page.fill("textarea[name=status]", "Blue #water")
        await an.page.set_input_files("[name=media]", picture)
        await an.page.fill("[name=alts]", "Nothing but blue")
        await an.page.click("form.composer button.primary")
        await expect(an.page.locator(".picture img").first).to_have_attribute("alt", "Nothing but blue")
        await bo.log_in("bo")
        await bo.open("/tags/water")
        for act in ("like", "boost"):
            await bo.page.locator(f".act.{act}").first.click()
            await expect(bo.page.locator(f".act.{act}").first).to_have_attribute("aria-pressed", "true")
        await bo.page.locator(".act.reply").first.click()
        await bo.page.fill("textarea[name=status]", "@an 真蓝")
        await bo.page.click("form.composer button.primary")
        await an.open("/notifications")
        await expect(an.page.locator(".told.like, .told.boost")).to_have_count(2)
        await expect(an.page.locator("article.post .e-content")).to_contain_text("真蓝")
        await an.open("/@an")
        await an.page.locator("article.post .menu summary").first.click()
        await an.page.locator("article.post .menu a[href$='/edit']").first.click()
        await an.page.fill("textarea[name=status]", "Blue, very #water")
        await an.page.click("form.composer button.primary")
        await an.page.locator(".when a[href$='/history']").first.click()
        await expect(an.page.locator("ins").first).to_contain_text("very")
        await an.open("/@an")
        await an.page.locator("article.post .menu summary").first.click()
        await an.page.locator("article.post .menu a[href$='/delete']").first.click()
        await an.page.click("form[action$='/delete'] button")
        await bo.open("/tags/water")
        await expect(bo.page.locator("article.post")).to_have_count(0)


async def test_scripts_make_it_quicker_and_change_nothing_else(
    browser: Browser, server: Yanlu, tmp_path: Path
) -> None:
    """A press stays on the page, a deletion can be undone, a draft survives, keys move the real focus."""
    picture = tmp_path / "picture.png"
    Image.new("RGB", (64, 48), "#7f5300").save(picture)
    async with reader(browser, server) as an:
        page = an.page
        await an.log_in("an")
        posts = [await an.write(f"Number {number}") for number in range(3)]
        await an.open("/home")
        await page.locator(f"#p-{posts[0]} .act.like").click()
        await expect(page.locator(f"#p-{posts[0]} .act.like")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator(f"#p-{posts[0]} .act.like .count")).to_have_text("1")
        await expect(page.locator(f"#p-{posts[0]} .act.like")).to_be_focused()
        assert f"{server.origin}/home" == page.url
        # Keys: the newest is first; `j` goes down, and what has the focus is what the keys act on.
        await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        await page.keyboard.press("j")
        await expect(page.locator(f"#p-{posts[2]}")).to_be_focused()
        await page.keyboard.press("j")
        await page.keyboard.press("d")
        await expect(page.locator(f"#p-{posts[1]} .act.bookmark")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("?")
        await expect(page.locator("#keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.keyboard.press("n")
        await expect(page.locator("textarea[name=status]")).to_be_focused()
        # A draft is kept through a reload, and goes once the server has the post.
        await page.fill("textarea[name=status]", "Half a tho")
        await expect(page.locator(".counter")).not_to_be_empty()
        await until(lambda: page.evaluate("localStorage.getItem('yl-draft-home')"), "the draft is kept")
        await page.reload()
        await expect(page.locator("textarea[name=status]")).to_have_value("Half a tho")
        await page.locator("input[type=file]").first.set_input_files(picture)
        await page.fill("textarea[name=alt]", "Brown")
        await page.locator("textarea[name=status]").press("Control+Enter")
        await expect(page.locator(".picture img[alt=Brown]")).to_be_visible()
        await expect(page.locator("textarea[name=status]")).to_have_value("")
        # Deleted at once, and back by one press.
        await page.locator(f"#p-{posts[1]} .menu summary").click()
        await page.locator(f"#p-{posts[1]} .menu a[href$='/delete']").click()
        await expect(page.locator(f"#p-{posts[1]}")).to_be_hidden()
        await page.locator(".toast button").click()
        await expect(page.locator(f"#p-{posts[1]}")).to_be_visible()


async def test_new_posts_wait_behind_a_count(browser: Browser, server: Yanlu) -> None:
    """They are told of at once, in every tab, and move nothing until they are asked for."""
    async with reader(browser, server) as an, reader(browser, server) as bo:
        await an.log_in("an")
        await bo.log_in("bo")
        await an.open("/@bo")
        if await an.page.locator("form[action$='/follow'] button").count():
            await an.page.click("form[action$='/follow'] button")
        await an.open("/home")
        second = await an.context.new_page()
        await second.goto(f"{server.origin}/home")
        post = await bo.write("@an Something new")
        for page in (an.page, second):
            await expect(page.locator("button.new-posts")).to_have_attribute("data-count", "1")
            assert 0 == await page.locator(f"#p-{post}").count()
        await expect(an.page.locator('.sections a[href="/notifications"] .badge')).to_be_visible()
        await an.page.keyboard.press(".")
        await expect(an.page.locator(f"#p-{post}")).to_be_visible()


async def test_the_first_operator_is_led_through_the_second_factor(browser: Browser) -> None:
    """From the link that the server prints to the queue."""
    async with servers("fresh") as [fresh], reader(browser, fresh) as boss:
        link = re.search(r"/first-operator/[\w-]+", fresh.log.read_text())
        assert link, fresh.log_tail()
        await boss.open(link[0])
        await boss.page.fill("[name=username]", "boss")
        await boss.page.fill("[name=email]", "boss@example.test")
        await boss.page.fill("[name=password]", "一句很长很长的密码")
        await boss.page.click("main form button.primary")
        await boss.enrol()
        await boss.page.click("main a.button.primary")
        await expect(boss.page).to_have_url(f"{fresh.origin}/admin/queue")
        assert 410 == (await boss.open(link[0])).status


async def test_a_reviewer_works_through_the_queue_by_keys(browser: Browser, server: Yanlu) -> None:
    """Take, look, choose, say why, next; and the author hears of it."""
    async with reader(browser, server) as an, reader(browser, server, locale="zh-CN") as shen:
        await an.log_in("an")
        for words in ("有人卖假文凭，小心", "出售假文凭，便宜"):
            await an.open("/compose")
            await an.page.fill("textarea[name=status]", words)
            await an.page.click("form.composer button.primary")
            await expect(an.page.locator(".flash")).to_contain_text("审核")
        await shen.log_in("shen")
        await shen.enrol()
        await shen.open("/admin/queue")
        await shen.page.keyboard.press("j")
        await expect(shen.page.locator(".queue-row").first).to_be_focused()
        await shen.page.keyboard.press("Enter")
        await shen.page.click("form[action$='/claim'] button")
        await shen.page.wait_for_load_state()
        await expect(shen.page.locator("mark")).to_have_text("假文凭")
        assert [] == await axe.violations(shen.page)
        await shen.page.keyboard.press("1")
        await shen.page.keyboard.press("Shift+S")
        await shen.page.click("form[action$='/claim'] button")
        await shen.page.wait_for_load_state()
        await shen.page.keyboard.press("2")
        await shen.page.keyboard.press("s")
        await expect(shen.page.locator(".error-summary")).to_be_focused()
        await shen.page.keyboard.press("2")
        await shen.page.fill("#f-statement", "广告")
        await shen.page.click("button[value=stay]")
        await expect(shen.page).to_have_url(f"{server.origin}/admin/queue")
        await expect(shen.page.locator(".empty")).to_be_visible()
        await an.open("/@an")
        await expect(an.page.locator("article.post .e-content").first).to_have_text("有人卖假文凭，小心")
        await an.open("/my/decisions")
        await an.page.locator(".queue-row").first.click()
        await expect(an.page.locator("section.verdict")).to_contain_text("广告")
        await an.page.fill("#f-words", "只是例子")
        await an.page.click("#appeal button")
        await shen.open("/admin/appeals")
        await shen.page.locator(".queue-row").first.click()
        # Whoever refused it cannot decide the appeal.
        await expect(shen.page.locator("form.decide")).to_have_count(0)


PATHS = (
    "/",
    "/login",
    "/register",
    "/local",
    "/@an",
    "/about",
    "/terms",
    "/display",
    "/search?q=an",
    "/nothing",
)
MEMBER_PATHS = (
    "/home",
    "/compose",
    "/notifications",
    "/bookmarks",
    "/my/decisions",
    "/@bo",
    "/settings/profile",
    "/settings/account",
    "/settings/security",
    "/settings/identity",
    "/settings/preferences",
    "/settings/relationships",
    "/settings/apps",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
async def test_pages_are_for_everybody(
    browser: Browser, server: Yanlu, theme: str, viewport: ViewportSize
) -> None:
    """No violation that axe finds, nothing wider than the screen, at 320 px either."""
    options = {"viewport": viewport, "color_scheme": theme, "bypass_csp": True}
    async with reader(browser, server, **options) as out, reader(browser, server, **options) as an:
        await an.log_in("an")
        post = await an.write(
            "早上好，西湖。 #西湖 https://example.org/a-long-address/that-goes-on-and-on/and-on"
        )
        warned = await an.write("W" * 300, spoiler="S" * 200)
        found = {}
        for who, paths in ((out, (*PATHS, f"/@an/{post}", f"/@an/{warned}")), (an, (*MEMBER_PATHS, "/@an"))):
            for path in paths:
                await who.open(path)
                if wrong := await axe.violations(who.page):
                    found[path] = wrong
                if viewport is PHONE:
                    await who.page.set_viewport_size({"width": 320, "height": 640})
                    if await _is_too_wide(who):
                        found[f"{path} at 320 px"] = ["too wide"]
                    await who.page.set_viewport_size(PHONE)
    assert {} == found


async def _is_too_wide(who: Reader) -> bool:
    wide: bool = await who.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return wide


async def test_a_first_visit_is_light_and_asks_nobody_else(browser: Browser, server: Yanlu) -> None:
    """100 kB, twelve requests, no other origin, nothing moves (budgets of the design)."""
    async with reader(browser, server) as an:
        await an.log_in("an")
        for number in range(20):
            await an.write(f"第 {number} 条：今天的云很低，像要落到屋顶上。")
    async with reader(browser, server) as stranger:
        await stranger.page.add_init_script(
            "window.moved = 0; new PerformanceObserver(list => {"
            " for (const one of list.getEntries()) window.moved += one.value })"
            ".observe({type: 'layout-shift', buffered: true})"
        )
        await stranger.open("/@an")
        await stranger.page.wait_for_load_state("networkidle")
        assert 20 == await stranger.page.locator("article.post").count()
        assert 12 >= len(stranger.requests)
        assert {server.origin} == {"/".join(each.url.split("/")[:3]) for each in stranger.requests}
        sizes = [await each.request.sizes() for each in stranger.requests]
        assert 100_000 >= sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
        assert 0.02 >= await stranger.page.evaluate("window.moved")
