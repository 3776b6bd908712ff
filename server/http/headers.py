"""The headers that every answer carries: who may embed, run and read it.

Set when an answer is about to leave, so that no handler, error or file can miss them.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from aiohttp import hdrs, web
from multidict import CIMultiDict

from .. import keys
from . import cookies, limits

FORM_ACTION = web.RequestKey("form-action", str)
"""Where else the page's form may lead: the app that a person sends back to after consent."""

_OPEN_TO_SCRIPTS = (
    "/api/",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/userinfo",
    "/.well-known/",
    "/nodeinfo/",
)
_MEDIA = "/media/"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data: blob:; "
    "media-src 'self' https:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; "
    "form-action 'self'"
)
_NO_PAGE = "default-src 'none'; frame-ancestors 'none'; form-action 'none'"
_CORS = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: (
        "Link, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, X-Request-Id, Retry-After"
    ),
}
_PREFLIGHT = _CORS | {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: (
        "Authorization, Content-Type, Idempotency-Key, Accept, Accept-Language, Yanlu-Acting-For, "
        "X-Requested-With, If-None-Match"
    ),
    hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
}


async def add(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """For `Application.on_response_prepare`."""
    headers = response.headers
    headers[hdrs.SERVER] = "Yanlu"  # not which libraries, in which versions
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    if is_open(request.path):
        headers.update(_CORS)
        standing = request.get(limits.STANDING)
        if standing is not None and isinstance(request, web.Request):
            headers.update(standing.headers(request.app[keys.CLOCK]()))
    if "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = _policy(request, response)
    if isinstance(request, web.Request) and cookies.is_secure(request):
        headers["Strict-Transport-Security"] = "max-age=31536000"


def is_open(path: str) -> bool:
    """Whether scripts of any origin may read the answer. Such paths look at tokens, never at cookies."""
    return path.startswith(_OPEN_TO_SCRIPTS) or path.startswith(_MEDIA)


def preflight(request: web.Request) -> web.Response | None:
    """The answer to a browser that asks before it sends; `None` for other requests."""
    if request.method != hdrs.METH_OPTIONS or not is_open(request.path):
        return None
    return web.Response(status=204, headers=_PREFLIGHT)


def etag_of(body: bytes) -> str:
    """A strong validator of these exact bytes."""
    return sha256(body).hexdigest()[:32]


def conditional(request: web.Request, body: bytes, headers: Mapping[str, str]) -> web.Response:
    """`body`, or 304 where the client has exactly these bytes already."""
    tag = etag_of(body)
    known = request.if_none_match or ()
    complete = CIMultiDict(headers)
    complete[hdrs.ETAG] = f'"{tag}"'
    if any(etag.value in (tag, "*") for etag in known):
        complete.popall(hdrs.CONTENT_TYPE, None)
        return web.Response(status=304, headers=complete)
    return web.Response(body=body, headers=complete)


def _policy(request: web.BaseRequest, response: web.StreamResponse) -> str:
    if response.content_type != "text/html":
        return _NO_PAGE
    policy = _POLICY
    if isinstance(request, web.Request) and not cookies.is_secure(request):
        # Peers in development have no TLS either, and their pictures are on their own servers.
        policy = policy.replace(" https: data:", " https: http: data:")
    further = request.get(FORM_ACTION)
    return f"{policy} {further}" if further else policy
