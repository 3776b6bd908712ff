"""A queue of two hundred comments, worked through with the keyboard in a real browser; and the same pages
judged for accessibility, on a phone and in the dark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.journeys.harness import Person, Yanlu, servers, until
from tests.journeys.web import axe
from tests.journeys.web.browser import PHONE, Reader, chromium, reader

pytestmark = pytest.mark.timeout(300)
COMMENTS = 200
PAGE = 50


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[tuple[Yanlu, Person, str]]:
    """One server, somebody whose comments are looked at first, and a post with two hundred that wait."""
    async with servers("comments") as [running]:
        olga, anton = await asyncio.gather(running.person("olga"), running.person("anton"))
        await olga.call("PUT", "yanlu/v1/comments/policy", body={"mode": "reviewed"})
        root = await olga.post("what do you think?")
        for number in range(0, COMMENTS, 10):
            await asyncio.gather(
                *(anton.post(f"comment {number + n}", in_reply_to_id=root["id"]) for n in range(10))
            )
        yield running, olga, root["id"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def _waiting(olga: Person) -> int:
    figures: dict[str, Any] = await olga.get("yanlu/v1/comments/figures")
    return int(figures["waiting"])


async def test_two_hundred_comments_are_worked_through_with_the_keyboard(
    browser: Browser, server: tuple[Yanlu, Person, str]
) -> None:
    """One by one with a single key, with time to undo; then by the page with boxes. Nothing is lost by
    leaving the page."""
    running, olga, root = server
    async with reader(browser, running) as at:
        page = at.page
        await at.log_in("olga")
        await at.open("/my/comments?state=waiting")
        rows = page.locator(".comment-row:not([hidden])")
        await expect(rows).to_have_count(PAGE)
        # Approve the first, think again, approve it after all.
        await page.keyboard.press("j")
        first = await page.evaluate("document.activeElement.id")
        await page.keyboard.press("a")
        await expect(page.locator("[data-waiting]")).to_have_text(str(COMMENTS - 1))
        assert await page.evaluate("document.activeElement.id") != first
        await page.keyboard.press("u")
        await expect(rows).to_have_count(PAGE)
        assert await page.evaluate("document.activeElement.id") == first
        assert await _waiting(olga) == COMMENTS
        await page.keyboard.press("a")
        # A reason is asked for where the commenter reads it.
        await page.keyboard.press("h")
        assert await page.evaluate("document.activeElement.name") == "reason"
        await page.select_option("[name=reason]", "off-topic")
        await page.locator(".comment-row:not([hidden])").first.focus()
        await page.keyboard.press("h")
        await page.keyboard.press("r")
        await expect(rows).to_have_count(PAGE - 3)
        await _all(at, PAGE - 3)
        for _ in range((COMMENTS - PAGE) // PAGE):
            # Going on sends what could still have been undone, before the next page is asked for.
            await page.click("nav.tabs a[href*=waiting]")
            await _all(at, PAGE)
        # And so does leaving in any other way.
        await at.open("/home")

        async def empty() -> bool:
            return await _waiting(olga) == 0

        await until(empty, "nothing waits any more")
        states = {
            state: len(await olga.get("yanlu/v1/comments", state=state, limit="80"))
            for state in ("hidden", "removed")
        }
        assert states == {"hidden": 1, "removed": 1}
        assert (await olga.get(f"v1/statuses/{root}"))["replies_count"] == COMMENTS - 2


async def _all(at: Reader, count: int) -> None:
    """Chooses every comment of the page with `x` and `j`, and approves them with one key."""
    page = at.page
    await expect(page.locator(".comment-row:not([hidden])")).to_have_count(count)
    await page.locator(".comment-row:not([hidden])").first.focus()
    for _ in range(count):
        await page.keyboard.press("x")
        await page.keyboard.press("j")
    await page.keyboard.press("a")
    await expect(page.locator(".comment-row:not([hidden])")).to_have_count(0)


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}, {"color_scheme": "dark"}])
async def test_the_pages_about_comments_are_for_everybody(
    browser: Browser, server: tuple[Yanlu, Person, str], options: dict[str, Any]
) -> None:
    """No violation, and nothing wider than the screen."""
    running, olga, root = server
    [comment, *_] = await olga.get("yanlu/v1/comments", limit="1")
    async with reader(browser, running, **options) as at:
        await at.log_in("olga")
        for path in (
            "/my/comments",
            "/my/comments/policy",
            f"/my/comments/{comment['id']}/remove",
            f"/@olga/{root}",
        ):
            await at.open(path)
            assert await axe.violations(at.page) == [], path
            wide = await at.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, (path, wide)
