"""What went wrong, in the form that the asker reads: Mastodon's JSON, OAuth's JSON, or a page.

A client gets a message that is safe and in its language. The log gets the rest: for somebody's mistake one
line without a traceback, for ours the traceback.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import asyncpg
import msgspec
from aiohttp import hdrs, web

from compliance.verdict import Reason

from .. import i18n, keys
from ..acts import NotPublished
from ..errors import AppError, NotFound, TooMany, Unauthorised, Unavailable
from ..pipeline import Stopped
from . import csrf
from .auth import viewer
from .routes import Handler

log = logging.getLogger(__name__)

ErrorPage: TypeAlias = Callable[[web.Request, AppError, str], Awaitable[web.Response]]
"""Makes the page for an error: the request, what happened, and the message in the reader's language."""
ERROR_PAGE: web.AppKey[ErrorPage] = web.AppKey("error-page")

_JSON_PATHS = (
    "/api/",
    "/.well-known/",
    "/nodeinfo/",
    "/inbox",
    "/users/",
    "/actor",
    "/media/",
    "/health",
    "/metrics",
)
_OAUTH_JSON = ("/oauth/token", "/oauth/revoke", "/oauth/userinfo")
_HELP = {
    Reason.IDENTITY_REQUIRED: "/settings/identity",
    Reason.IDENTITY_LAPSED: "/settings/identity",
    Reason.IDENTITY_REVOKED: "/settings/identity",
    Reason.AGREEMENT_REQUIRED: "/settings/account",
    Reason.ACCOUNT_LIMITED: "/settings/standing",
    Reason.TIER_REVIEW: "/settings/standing",
}
_WAITS = i18n.mark("A person will look at it. Until then only you can see it, and you will be told.")
_FAILED = i18n.mark("Something went wrong on our side")
# Clients compare these with Mastodon's own words.
_VERBATIM = frozenset({401, 404})
_encode = msgspec.json.Encoder().encode


class OAuthError(AppError):
    """A refusal by the rules of RFC 6749: `code` is for the program, the message for its author."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class _Plain(AppError):
    """An error of the HTTP layer itself, such as a method that a path does not have."""

    def __init__(self, message: str, status: int, headers: Mapping[Any, str]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


_AWAY = (
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    ConnectionRefusedError,
    FileNotFoundError,
)
"""What is raised while the database is stopped, starting or full. The last two: nobody listens, on its
port or on its socket; no handler opens files of its own."""


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raised into an answer."""
    try:
        return await handler(request)
    except AppError as error:
        return await answer(request, error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return await answer(request, _of_http(error))
    except _AWAY:
        log.exception("the database cannot be reached")
        return await answer(request, Unavailable())
    except (asyncpg.QueryCanceledError, TimeoutError):
        log.exception("a request took too long")
        return await answer(request, Unavailable())
    except (ConnectionResetError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("unexpected", extra={"method": request.method, "path": request.path})
        return await answer(request, AppError(_FAILED))


async def answer(request: web.Request, error: AppError) -> web.Response:
    """The answer to a request that ended in `error`."""
    said = _say(request, error)
    if wants_json(request):
        response = web.Response(
            status=error.status,
            body=_encode(payload(request, error, said)),
            content_type="application/json",
            charset="utf-8",
        )
    else:
        page = request.app.get(ERROR_PAGE)
        if page is None:
            response = web.Response(status=error.status, text=said)
        else:
            response = await page(request, error, said)
        csrf.remember(request, response)
    _add_headers(request, error, response)
    return response


def payload(request: web.Request, error: AppError, said: str) -> dict[str, Any]:
    """The JSON of an error. `yanlu` is ours: what a client needs to lead a person on from a refusal."""
    if isinstance(error, OAuthError):
        return {"error": error.code, "error_description": said}
    body: dict[str, Any] = {"error": said}
    if isinstance(error, NotPublished):
        stopped = error.stopped
        next_step = i18n.translate(locale_of(request), _WAITS if stopped.is_held else error.next_step)
        body["error_description"] = f"{said} {next_step}".strip()
        body["yanlu"] = {
            "decision": str(stopped.decision_id),
            "outcome": "held" if stopped.is_held else "refused",
            "reason": stopped.reason.value,
            "article": stopped.reason.article or None,
            "case": None if stopped.case_id is None else str(stopped.case_id),
            "field": stopped.field,
            "help_url": f"{request.app[keys.SETTINGS].origin}{_help_path(stopped)}",
        }
        if stopped.wait is not None:
            body["yanlu"]["retry_after"] = stopped.wait
    elif error.field is not None:
        body["details"] = {error.field: [{"error": "ERR_INVALID", "description": said}]}
    return body


def _help_path(stopped: Stopped) -> str:
    """Where it can be put right; else the decision with its reasons and the way to appeal."""
    return _HELP.get(stopped.reason, f"/my/decisions/{stopped.decision_id}")


def wants_json(request: web.Request) -> bool:
    """Whether programs ask here, not people."""
    path = request.path
    if path.startswith(_JSON_PATHS) or path.rstrip("/") in _OAUTH_JSON:
        return True
    accept = request.headers.get(hdrs.ACCEPT, "")
    return "json" in accept and "text/html" not in accept


def locale_of(request: web.Request) -> str:
    """The language for messages: the account's, the browser's, and for programs that name none, English."""
    found = viewer(request)
    wish = found.locale if found is not None else None
    asked = request.headers.get(hdrs.ACCEPT_LANGUAGE)
    if wish is None and asked is None and wants_json(request):
        return "en"
    return i18n.choose(wish, request.cookies.get("locale"), asked)


def _say(request: web.Request, error: AppError) -> str:
    if error.status in _VERBATIM and wants_json(request):
        return str(error)
    return i18n.translate(locale_of(request), error.message, error.values)


def _of_http(error: web.HTTPException) -> AppError:
    if isinstance(error, web.HTTPNotFound):
        return NotFound()
    headers = {hdrs.ALLOW: error.headers[hdrs.ALLOW]} if hdrs.ALLOW in error.headers else {}
    return _Plain(error.reason, error.status, headers)


def _add_headers(request: web.Request, error: AppError, response: web.Response) -> None:
    if isinstance(error, (TooMany, Unavailable)):
        response.headers[hdrs.RETRY_AFTER] = str(error.retry_after)
    elif isinstance(error, NotPublished) and error.stopped.wait is not None:
        response.headers[hdrs.RETRY_AFTER] = str(error.stopped.wait)
    elif isinstance(error, _Plain):
        response.headers.update(error.headers)
    elif isinstance(error, Unauthorised) and wants_json(request):
        response.headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="Yanlu", error="invalid_token"'
