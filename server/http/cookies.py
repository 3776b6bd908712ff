"""The cookies that pages use: the session, the token of forms before log-in, and a message for the next page.

On https the names carry `__Host-`, which ties a cookie to exactly this host: no other name under the same
domain can set or read it. Nothing personal is ever in a cookie.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from aiohttp import web

from .. import keys

SESSION_SECONDS = 30 * 24 * 3600
_FORM_SECONDS = 24 * 3600
_FLASH_SECONDS = 60
_TOKEN_BYTES = 32


def new_token() -> str:
    """256 random bits, safe in a cookie, a form or a link."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def session(request: web.Request) -> str | None:
    """The session token the browser sent."""
    return _get(request, "session")


def set_session(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Logs the browser in. The token must be fresh: the one before log-in is never kept."""
    _set(request, response, "session", token, SESSION_SECONDS)


def clear_session(request: web.Request, response: web.StreamResponse) -> None:
    """Logs the browser out."""
    _drop(request, response, "session")


def form_token(request: web.Request) -> str | None:
    """The token that ties a form to this browser while nobody is logged in."""
    return _get(request, "form")


def set_form_token(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Remembers the token that the page's forms carry."""
    _set(request, response, "form", token, _FORM_SECONDS)


def flash(request: web.Request) -> str | None:
    """What the page before wanted said on this one."""
    value = _get(request, "flash")
    if value is None:
        return None
    try:
        return base64.urlsafe_b64decode(value.encode("ascii") + b"===").decode("utf-8")
    except (binascii.Error, UnicodeError):
        return None


def set_flash(request: web.Request, response: web.StreamResponse, message: str) -> None:
    """Says `message` once, on the next page."""
    value = base64.urlsafe_b64encode(message.encode("utf-8")).decode("ascii").rstrip("=")
    _set(request, response, "flash", value, _FLASH_SECONDS)


def clear_flash(request: web.Request, response: web.StreamResponse) -> None:
    """The message has been said."""
    if _get(request, "flash") is not None:
        _drop(request, response, "flash")


def is_secure(request: web.Request) -> bool:
    """Whether our own address is https; what a proxy says about a request does not matter."""
    return request.app[keys.SETTINGS].origin.startswith("https://")


def _name(request: web.Request, name: str) -> str:
    return f"__Host-yanlu_{name}" if is_secure(request) else f"yanlu_{name}"


def _get(request: web.Request, name: str) -> str | None:
    return request.cookies.get(_name(request, name))


def _set(request: web.Request, response: web.StreamResponse, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        _name(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="Lax",
    )


def _drop(request: web.Request, response: web.StreamResponse, name: str) -> None:
    response.del_cookie(
        _name(request, name), path="/", secure=is_secure(request), httponly=True, samesite="Lax"
    )
