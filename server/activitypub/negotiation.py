"""Which of the two faces of an address is asked for: the ActivityPub document, or the page for people.

Servers ask for `application/activity+json`, or for `application/ld+json` with the AS2 profile; browsers for
HTML. An ActivityPub address answers a caller without a preference with the document, a page's with the page.
"""

from __future__ import annotations

from aiohttp import hdrs, web

from ..http.headers import conditional

AS2 = "application/activity+json"
LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
_PROFILE = "https://www.w3.org/ns/activitystreams"
_MAX_RANGES = 32


def preferences(accept: str) -> tuple[float, float, float]:
    """How much a caller wants the AS2 type, the LD type and HTML: 0 to 1, by name rather than by `*/*`."""
    as2 = ld = html = 0.0
    for entry in accept.split(",")[:_MAX_RANGES]:
        mime, _, rest = entry.partition(";")
        parameters = _parameters(rest)
        weight = _weight(parameters.get("q", "1"))
        match mime.strip().lower():
            case "application/activity+json":
                as2 = max(as2, weight)
            # Some peers leave the profile away; one that names another wants something else.
            case "application/ld+json" if _PROFILE in parameters.get("profile", _PROFILE).split():
                ld = max(ld, weight)
            case "text/html" | "application/xhtml+xml":
                html = max(html, weight)
    return as2, ld, html


def asks_for_document(request: web.Request) -> bool:
    """Whether the caller names an ActivityPub type, and wants it at least as much as a page."""
    as2, ld, html = preferences(request.headers.get(hdrs.ACCEPT, ""))
    return max(as2, ld) > 0 and max(as2, ld) >= html


def asks_for_page(request: web.Request) -> bool:
    """Whether the caller is a browser: it names HTML, and wants it more than an ActivityPub type."""
    as2, ld, html = preferences(request.headers.get(hdrs.ACCEPT, ""))
    return html > max(as2, ld)


def document(
    request: web.Request, body: bytes, *, status: int = 200, by_signer: bool = False
) -> web.Response:
    """An ActivityPub answer. `by_signer`: it depends on who signed the request, so no cache may share it."""
    as2, ld, _ = preferences(request.headers.get(hdrs.ACCEPT, ""))
    headers: dict[str, str] = {
        hdrs.CONTENT_TYPE: LD if ld > as2 else f"{AS2}; charset=utf-8",
        hdrs.VARY: "Accept, Signature" if by_signer else "Accept",
        hdrs.CACHE_CONTROL: "private, no-cache" if by_signer else "public, max-age=60",
    }
    if status != 200:
        return web.Response(status=status, body=body, headers=headers)
    return conditional(request, body, headers)


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name.strip()}


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
