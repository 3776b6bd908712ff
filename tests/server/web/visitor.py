"""Somebody with a browser that runs no scripts: keeps cookies, sends forms with their token, follows
redirects.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from aiohttp import ClientSession, FormData

from tests.fixtures.server import ORIGIN, PASSWORD

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it arrived."""

    status: int
    path: str
    headers: Any
    text: str

    @property
    def token(self) -> str:
        """The form token on it."""
        found = _TOKEN.search(self.text)
        assert found, f"no form on {self.path}: {self.text[:400]}"
        return found[1]

    def hidden(self) -> dict[str, str]:
        """What its forms say without being asked."""
        return {name: html.unescape(value) for name, value in _HIDDEN.findall(self.text)}


@dataclass(slots=True)
class Visitor:
    """One browser. `language` is what it asks for."""

    session: ClientSession
    """Without a cookie jar of its own: cookies are kept here."""
    language: str = "en"
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, *, follow: bool = True, **headers: str) -> Seen:
        """A page; redirects are followed unless told."""
        return await self._ask("GET", path, None, headers, follow=follow)

    async def send(
        self,
        path: str,
        *,
        page: str | None = None,
        follow: bool = True,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Seen:
        """A form, with the token of the page it is on."""
        form = (await self.get(page or path)).token
        data = FormData([("csrf", form)])
        for name, value in fields.items():
            for each in value if isinstance(value, list) else [value]:
                data.add_field(name, each)
        for name, (filename, body, mime) in (files or {}).items():
            data.add_field(name, body, filename=filename, content_type=mime)
        return await self._ask("POST", path, data, {"Origin": ORIGIN, **(headers or {})}, follow=follow)

    async def log_in(self, name: str, password: str = PASSWORD, **fields: Any) -> Seen:
        """Through the form, as a person does."""
        return await self.send("/login", username=name, password=password, **fields)

    async def _ask(
        self, method: str, path: str, data: Any, headers: Mapping[str, str], *, follow: bool
    ) -> Seen:
        for _ in range(8):
            sent = {"Accept": "text/html", "Accept-Language": self.language, **headers}
            if self.cookies:
                sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            async with self.session.request(
                method, path, data=data, headers=sent, allow_redirects=False
            ) as answer:
                text = await answer.text()
                self._keep(answer.headers.getall("Set-Cookie", []))
                if not follow or answer.status not in (301, 302, 303):
                    return Seen(answer.status, path, answer.headers, text)
                path = answer.headers["Location"].removeprefix(ORIGIN)
                method, data, headers = "GET", None, {}
        raise AssertionError(f"too many redirects, the last to {path}")

    def _keep(self, cookies: list[str]) -> None:
        for line in cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or morsel.value == "":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
