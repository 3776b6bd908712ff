"""Templates become pages here: the frame around each of them, and the headers they leave with."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import hdrs, web
from markupsafe import Markup, escape

from .. import i18n, keys
from ..http import auth, cookies, csrf, headers
from ..http.errors import locale_of
from ..http.viewers import Place
from ..ids import Clock
from ..settings import Settings
from ..store import notifications
from ..store.model import AccountView, Role
from . import environment, orgtabs
from .assets import Assets

FRAGMENT: Final = "text/vnd.yanlu.fragment+html"
THEMES: Final = ("auto", "light", "dark")
DENSITIES: Final = ("cosy", "compact")
ROLES: Final = {
    Role.REVIEWER: i18n.mark("reviewer"),
    Role.COMPLIANCE: i18n.mark("compliance officer"),
    Role.EDITOR: i18n.mark("editor-in-chief"),
    Role.AUDITOR: i18n.mark("auditor"),
    Role.ADMIN: i18n.mark("administrator"),
}
DISPLAY: Final = "display"
"""The cookie that holds theme, density and whether shortcuts work, as `dark.compact.off`."""
_HTML: Final = "text/html; charset=utf-8"
_SEVERAL: Final = "Cookie, Accept-Language, Accept-Encoding, Accept"
# What a template may ask about without being given it.
_NOTHING: Final[Mapping[str, object]] = {"errors": (), "answer": None, "draft": None, "held": (), "note": ""}


class Pages:
    """The templates, ready in each language."""

    def __init__(self, assets: Assets, settings: Settings, clock: Clock) -> None:
        self._environments = {
            locale: environment.make(locale, assets, settings, clock) for locale in i18n.LOCALES
        }
        self.may_register = settings.registration.open

    def render(self, locale: str, template: str, context: Mapping[str, object]) -> str:
        """The text of a page."""
        return self._environments[locale].get_template(template).render({**_NOTHING, **context})

    def macro(self, locale: str, template: str, name: str, *values: object) -> Markup:
        """What one component says by itself, for fragments that are kept or sent alone."""
        module: Any = self._environments[locale].get_template(template).module
        return Markup(getattr(module, name)(*values))  # noqa: S704 - a macro's output is escaped already


PAGES = web.AppKey("pages", Pages)


@dataclass(frozen=True, slots=True)
class Marks:
    """Stands for a reader's frame in fragments that are kept: what differs is put in when the page leaves.

    Nobody can write the marks: they are made anew by each process.
    """

    viewer: bool
    csrf: str = f"csrf-{secrets.token_hex(8)}"
    here: str = f"here-{secrets.token_hex(8)}"

    @classmethod
    def fill(cls, text: str, frame: Frame) -> str:
        """The text with the reader's own values in place of the marks."""
        if frame.me is None or _MARKED.csrf not in text:
            return text
        return text.replace(_MARKED.csrf, frame.csrf).replace(_MARKED.here, escape(frame.here))


_MARKED: Final = Marks(viewer=True)


@dataclass(slots=True)
class Frame:
    """What the layouts ask about whoever reads the page."""

    request: web.Request
    section: str = ""
    unread: int = 0
    identity_needed: bool = False
    console: tuple[object, ...] = ()
    viewer: auth.Viewer | None = field(init=False)
    theme: str = field(init=False)
    density: str = field(init=False)
    shortcuts: bool = field(init=False)

    def __post_init__(self) -> None:
        self.viewer = auth.viewer(self.request)
        self.theme, self.density, self.shortcuts = display_of(self.request)

    @property
    def me(self) -> AccountView | None:
        return self.viewer.account if self.viewer else None

    @property
    def roles(self) -> frozenset[Role]:
        return self.viewer.roles if self.viewer else frozenset()

    @property
    def role_names(self) -> list[str]:
        return [say(self.request, ROLES[role]) for role in Role if role in self.roles]

    @property
    def place(self) -> Place | None:
        """The organisation whose console this is, as far as the person has a place in it."""
        name = self.request.match_info.get("name", "").lower()
        places = self.viewer.places if self.viewer else ()
        return next((each for each in places if each.account.username.lower() == name), None)

    @property
    def organisation_tabs(self) -> list[orgtabs.Tab]:
        return [] if self.place is None else orgtabs.tabs(self.request, self.place)

    @property
    def organisation_role(self) -> str:
        return self.role_in(self.place)

    def role_in(self, place: Place | None) -> str:
        """What the person is in an organisation, in their language."""
        return "" if place is None else say(self.request, orgtabs.ROLES[place.role])

    @property
    def csrf(self) -> str:
        """The token for forms. A page that is shared between visitors has no form, and must not ask."""
        return csrf.token(self.request)

    @property
    def flash(self) -> str | None:
        return cookies.flash(self.request)

    @property
    def here(self) -> str:
        """This page as a path, to come back to."""
        return self.request.raw_path if self.request.method == hdrs.METH_GET else self.request.path

    @property
    def here_path(self) -> str:
        return self.request.path

    @property
    def may_register(self) -> bool:
        return self.request.app[PAGES].may_register


def display_of(request: web.Request) -> tuple[str, str, bool]:
    """Theme, density and whether shortcuts work, as the cookie says."""
    theme, _, rest = request.cookies.get(DISPLAY, "").partition(".")
    density, _, shortcuts = rest.partition(".")
    return (
        theme if theme in THEMES else "auto",
        density if density in DENSITIES else "cosy",
        shortcuts != "off",
    )


def say(request: web.Request, message: str, **values: object) -> str:
    """`message` in the reader's language."""
    return i18n.translate(locale_of(request), message, values or None)


def text(request: web.Request, template: str, frame: Frame, **context: object) -> str:
    """The text of a page for this reader."""
    pages = request.app[PAGES]
    return Marks.fill(pages.render(locale_of(request), template, {"ui": frame, **context}), frame)


async def page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    section: str = "",
    identity_needed: bool = False,
    console: tuple[object, ...] = (),
    **context: object,
) -> web.Response:
    """A page for this reader alone."""
    frame = Frame(request, section=section, identity_needed=identity_needed, console=console)
    if frame.me is not None:
        async with request.app[keys.POOL].acquire() as conn:
            frame.unread = await notifications.unread_count(conn, frame.me.id)
    body = text(request, template, frame, status=status, **context).encode()
    response = web.Response(body=body, status=status, headers=_headers("private, no-cache"))
    if frame.flash is not None:
        cookies.clear_flash(request, response)
    return response


def secret(response: web.Response) -> web.Response:
    """A page with something secret on it or in its address: nobody stores it, no link tells of it."""
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def shared(request: web.Request, body: bytes) -> web.Response:
    """A page that is the same for every visitor who is not logged in, or 304 where the browser has it."""
    return headers.conditional(request, body, _headers("public, max-age=0, must-revalidate"))


def fragment(request: web.Request, markup: str, *, status: int = 200) -> web.Response:
    """A piece of a page, for a script that puts it in place."""
    made = _headers("private, no-store") | {hdrs.CONTENT_TYPE: f"{FRAGMENT}; charset=utf-8"}
    return web.Response(body=markup.encode(), status=status, headers=made)


def escape_words(words: str) -> Markup:
    """Plain words as a piece of a page."""
    return escape(words)


def wants_fragment(request: web.Request) -> bool:
    """Whether a script of ours asks for a piece only."""
    return FRAGMENT in request.headers.get(hdrs.ACCEPT, "")


def see_other(request: web.Request, path: str, flash: str = "", **values: object) -> web.Response:
    """The answer to a form: look at `path`, where `flash` is said once in the reader's language."""
    response = web.Response(status=303, headers={hdrs.LOCATION: local_path(path)})
    if flash:
        cookies.set_flash(request, response, i18n.translate(locale_of(request), flash, values or None))
    return response


def local_path(path: str, otherwise: str = "/") -> str:
    """`path` if it leads to a page of ours, and nowhere else however a browser reads it."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or "\\" in path:
        return otherwise
    return otherwise if any(ord(char) < 33 or ord(char) == 127 for char in path) else path


def _headers(cache: str) -> dict[str, str]:
    return {hdrs.CONTENT_TYPE: _HTML, hdrs.CACHE_CONTROL: cache, hdrs.VARY: _SEVERAL}
