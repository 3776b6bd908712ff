"""A real browser on a real server, and what its pages may never do: fail, complain, or ask anybody else."""

from __future__ import annotations

import contextlib
import email
import email.policy
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, Response, ViewportSize, async_playwright

from tests.fixtures.totp import code_for
from tests.journeys.harness import Yanlu, until

_SYSTEM = ("chromium", "chromium-browser", "google-chrome")
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium, or Playwright's own where there is none."""
    path = next((found for name in _SYSTEM if (found := shutil.which(name))), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(slots=True)
class Reader:
    """Somebody with a browser window, and what went wrong in it."""

    server: Yanlu
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    requests: list[Response] = field(default_factory=list)

    async def open(self, path: str) -> Response:
        """Goes to a page of the server."""
        answer = await self.page.goto(f"{self.server.origin}{path}")
        assert answer is not None
        return answer

    async def log_in(self, name: str, password: str | None = None, *, secret: str | None = None) -> None:
        """Through the form; with the second factor's secret, its code as well."""
        await self.open("/login")
        await self.page.fill("[name=username]", name)
        await self.page.fill("[name=password]", password or f"{name}-密码-2026")
        await self.page.click('form[action="/login"] button')
        if secret is not None:
            await self.page.fill("[name=code]", secret)
            await self.page.click("form button.primary")

    async def write(self, text: str, *, spoiler: str = "") -> str:
        """Publishes through the composer's own page; gives the post's id."""
        await self.open("/compose")
        if spoiler:
            await self.page.click("form.composer [data-do=warning]")
            await self.page.fill("input[name=spoiler_text]", spoiler)
        await self.page.fill("textarea[name=status]", text)
        await self.page.click("form.composer button.primary")
        found = re.search(r"#p-(\d+)$", self.page.url)
        assert found, self.page.url
        return found[1]

    async def enrol(self) -> str:
        """Sets a second factor up on the page that asks for it; gives its secret."""
        secret = (await self.page.text_content("p.mono") or "").replace(" ", "")
        await self.page.fill("[name=code]", code_for(secret, datetime.now(UTC)))
        await self.page.click('form[action="/settings/security/totp"] button')
        assert 10 == await self.page.locator(".codes li").count()
        return secret

    async def said(self) -> str:
        """The message that the page before left."""
        return (await self.page.text_content(".flash") or "").strip()


@contextlib.asynccontextmanager
async def reader(browser: Browser, server: Yanlu, **options: Any) -> AsyncIterator[Reader]:
    """A window of its own; any error of a page, a script or the server is an error of the test."""
    context = await browser.new_context(**({"viewport": DESK, "locale": "en-US"} | options))
    page = await context.new_page()
    made = Reader(server, context, page)

    def on_response(answer: Response) -> None:
        made.requests.append(answer)
        if answer.status >= 500:
            made.faults.append(f"{answer.status} {answer.url}")

    page.on("response", on_response)
    page.on("pageerror", lambda error: made.faults.append(str(error)))
    page.on(
        "console",
        lambda line: (
            made.faults.append(f"{page.url}: {line.text}")
            if line.type == "error" and "the server responded with a status of 4" not in line.text
            else None
        ),
    )
    try:
        yield made
    finally:
        await context.close()
    assert [] == made.faults


async def newest(folder: str, pattern: str) -> str:
    """What the newest file of a sink says, where it fits the pattern."""

    async def look() -> str | None:
        files = sorted(Path(folder).glob("*"), key=lambda file: file.stat().st_mtime_ns)
        found = re.search(pattern, _words(files[-1])) if files else None
        return found[0] if found else None

    seen = await until(look, f"a file in {folder} says {pattern}")
    assert seen is not None
    return seen


def _words(file: Path) -> str:
    """A text message as it stands, or the words of a mail."""
    if file.suffix != ".eml":
        return file.read_text("utf-8")
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    body = mail.get_body(("plain",))
    assert body is not None
    words: str = body.get_content()
    return words
