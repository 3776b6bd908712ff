"""No other site may act through a person's browser: an origin check and a token in every form.

Either would do on its own in today's browsers; both together also hold in old ones and behind odd proxies.
The token is masked anew for each page, so that compressed pages do not give it away byte by byte (BREACH).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from aiohttp import hdrs, web

from .. import keys
from ..errors import Forbidden
from ..i18n import mark
from . import acting, body, cookies
from .auth import viewer

FIELD = "csrf"
HEADER = "X-CSRF-Token"
SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
_WIDTH = 32
_NEW = web.RequestKey("new-form-token", str)
_REFUSED = mark("This form has expired or was sent from another site. Please try again.")


def token(request: web.Request) -> str:
    """For the hidden field `csrf` of a form on this page."""
    mask = secrets.token_bytes(_WIDTH)
    masked = bytes(a ^ b for a, b in zip(_secret(request), mask, strict=True))
    return base64.urlsafe_b64encode(mask + masked).decode("ascii")


def remember(request: web.Request, response: web.StreamResponse) -> None:
    """Sets the cookie that a form for strangers needs; to be called on every page that is about to leave."""
    fresh = request.get(_NEW)
    if fresh is not None:
        cookies.set_form_token(request, response, fresh)


async def check(request: web.Request, limit: int) -> None:
    """Raises `Forbidden` for a form that did not come from a page of ours. Reads the body."""
    if not _is_our_origin(request):
        raise Forbidden(_REFUSED)
    given = request.headers.get(HEADER)
    if given is None:
        given = (await body.read(request, limit=limit)).text(FIELD)
    if not any(_matches(secret, given) for secret in _secrets(request)):
        raise Forbidden(_REFUSED)


def _secret(request: web.Request) -> bytes:
    """The session's own, or for somebody not logged in a digest of a cookie that only we can have set."""
    found = viewer(request)
    if found is not None and found.csrf:
        return found.csrf
    cookie = request.get(_NEW) or cookies.form_token(request)
    if not cookie:
        cookie = cookies.new_token()
        request[_NEW] = cookie
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()


def _secrets(request: web.Request) -> list[bytes]:
    """The present one; for what is the person's own, also that of a page on which they act for an
    organisation: it has the menu to log out on it."""
    found, own = viewer(request), _secret(request)
    if found is not None and found.acting_for is not None and acting.is_personal(request.path):
        return [own, acting.form_secret(own, found.acting_for)]
    return [own]


def _matches(secret: bytes, given: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(given.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        return False
    if len(raw) != 2 * _WIDTH:
        return False
    opened = bytes(a ^ b for a, b in zip(raw[:_WIDTH], raw[_WIDTH:], strict=True))
    return hmac.compare_digest(opened, secret)


def _is_our_origin(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return True
    if origin == "null":
        # Log-in pages hide their referrer, and a browser then hides the origin too. A sandboxed frame says
        # `null` too, but its site is another one.
        return site == "same-origin"
    return origin == request.app[keys.SETTINGS].origin
