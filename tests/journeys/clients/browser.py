"""A person at a browser, as far as consent goes: follows redirects, fills in forms, keeps cookies."""

from __future__ import annotations

from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urljoin, urlsplit

import aiohttp
from lxml import html


class Browser:
    """One browser; its cookies are its own."""

    def __init__(self) -> None:
        self._web = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.url = ""
        self.text = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._web.close()

    async def open(self, url: str) -> None:
        """Goes to an address, and where that leads."""
        async with self._web.get(url) as answer:
            await self._arrive(answer)

    async def submit(self, action: str, **said: str) -> None:
        """Fills in the page's form that goes to `action`, and sends it."""
        page = html.fromstring(self.text)
        (form,) = (each for each in page.iter("form") if each.get("action") == action)
        fields = {field.get("name", ""): field.get("value", "") for field in form.iter("input")}
        data = {name: value for name, value in fields.items() if name} | said
        url = urljoin(self.url, action)
        async with self._web.post(url, data=data, headers={"Origin": _origin(url)}) as answer:
            await self._arrive(answer)

    async def log_in(self, name: str, password: str) -> None:
        """Passes the log-in page that one was sent to."""
        assert urlsplit(self.url).path == "/login", self.url
        await self.submit("/login", username=name, password=password)

    async def consent(self, **said: str) -> str:
        """Lets the app in, and reads the code that it is to get."""
        await self.submit("/oauth/authorize", decision="allow", **said)
        (code,) = parse_qs(urlsplit(self.url).query)["code"]
        assert code in self.text
        return code

    async def _arrive(self, answer: aiohttp.ClientResponse) -> None:
        self.url, self.text = str(answer.url), await answer.text()
        assert answer.status < 400, (answer.status, self.url, self.text[:2000])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
