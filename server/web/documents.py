"""What the server says of itself: About, the agreement, the rules, privacy; and the small files browsers ask
for.
"""

from __future__ import annotations

from typing import Any

from aiohttp import hdrs, web

from compliance import agreements
from compliance.errors import NotFound as NoSuchThing

from .. import keys
from ..errors import NotFound
from ..http import headers
from ..http.errors import locale_of
from ..http.routes import needs
from ..pages import render
from ..pages.assets import ASSETS
from ..pages.windows import number
from ..store import accounts, members
from ..store.model import Page, Role
from . import counts, shared

_STAFF = (Role.ADMIN, Role.EDITOR, Role.COMPLIANCE)


@needs()
async def about(request: web.Request) -> web.Response:
    """Who runs this server, and how."""
    uris = request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        rows = await members.list_staff(conn, Page(limit=20), _STAFF)
        staff = await accounts.load_in_order(conn, [row.id for row in rows], uris=uris)
    return await render.page(
        request,
        "web/about.html",
        section="about",
        host=uris.host,
        numbers=await counts.get(request),
        staff=staff,
    )


@needs()
async def document(request: web.Request) -> web.StreamResponse:
    """The agreement, the rules or the privacy notice in force, or the version that is asked for."""
    if shared.is_shared(request):

        async def context() -> tuple[dict[str, Any], shared.About]:
            return {"document": await _document(request)}, ()

        return await shared.serve(request, "web/document.html", context)
    return await render.page(request, "web/document.html", document=await _document(request))


async def _document(request: web.Request) -> agreements.Agreement:
    name, version, locale = request.path.strip("/"), number(request.query.get("version")), locale_of(request)
    async with request.app[keys.POOL].acquire() as conn:
        if version is not None and version < 2**31:
            try:
                return await agreements.get(conn, name, version, locale)
            except NoSuchThing:
                raise NotFound from None
        current = await agreements.current(conn, locale, now=request.app[keys.CLOCK]())
    for found in current:
        if found.document == name:
            return found
    raise NotFound


@needs()
async def manifest(request: web.Request) -> web.Response:
    """Lets a phone keep the server as an app."""
    site = request.app[keys.SETTINGS].site
    return web.json_response(
        {
            "name": site.title,
            "short_name": "言路",
            "start_url": "/home",
            "scope": "/",
            "display": "standalone",
            "background_color": "#fbfaf7",
            "theme_color": "#b3261e",
            "icons": [{"src": request.app[ASSETS].path("seal.svg"), "sizes": "any", "type": "image/svg+xml"}],
        },
        headers={hdrs.CACHE_CONTROL: "public, max-age=3600"},
        content_type="application/manifest+json",
    )


@needs()
async def favicon(request: web.Request) -> web.Response:
    """For those who ask for this name whatever the page says."""
    seal = request.app[ASSETS].get(request.app[ASSETS].path("seal.svg").rpartition("/")[2])
    body = seal.body if seal else b""
    return headers.conditional(
        request, body, {hdrs.CONTENT_TYPE: "image/svg+xml", hdrs.CACHE_CONTROL: "public, max-age=86400"}
    )


@needs()
async def robots(_request: web.Request) -> web.Response:
    """What machines that list pages should leave alone."""
    lines = (
        "User-agent: *",
        "Disallow: /settings/",
        "Disallow: /admin",
        "Disallow: /search",
        "Disallow: /my/",
    )
    return web.Response(text="\n".join(lines) + "\n", headers={hdrs.CACHE_CONTROL: "public, max-age=86400"})
