"""Apps: programs that ask to act for people."""

from __future__ import annotations

import re
import secrets
from typing import Any

from aiohttp import web
from yarl import URL

from compliance import records
from compliance.records import Entry, RecordKind

from .. import keys
from ..errors import Invalid, Unauthorised
from ..http import body, limits
from ..http.auth import INVALID_TOKEN, digest, viewer
from ..http.routes import needs
from ..http.source import source_of
from ..store import tokens
from ..store.tokens import App
from . import answers, entities, schemas, scopes

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_FORBIDDEN_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "mailto"})


@needs(limit=limits.APPS)
async def create(request: web.Request) -> web.Response:
    """Makes an app known; its secret is told this once."""
    new = await body.to(request, schemas.NewApp)
    road = request.app[keys.ROAD]
    wanted = scopes.parse(new.scopes or "read")
    redirects = [uri for text in new.redirect_uris for uri in text.split()]
    if not redirects:
        raise Invalid("Say at least one redirect URI", field="redirect_uris")
    for uri in redirects:
        check_redirect(uri)
    website = new.website or None
    if website is not None and not _is_website(website):
        raise Invalid("The website must be an http or https address", field="website")
    if road.rules.book.forbids_name(new.client_name, road.clock()):
        raise Invalid("This name is not allowed here", field="client_name")
    client_id, secret, app_id = secrets.token_urlsafe(32), secrets.token_urlsafe(32), road.ids()
    app = App(
        id=app_id,
        name=new.client_name,
        website=website,
        redirect_uris=tuple(redirects),
        scopes=wanted,
        client_id=client_id,
        client_secret_hash=digest(secret),
        created_at=road.clock(),
    )
    async with road.pool.acquire() as conn, conn.transaction():
        await tokens.insert_app(
            conn,
            id=app.id,
            name=app.name,
            website=app.website,
            redirect_uris=app.redirect_uris,
            scopes=app.scopes,
            client_id=app.client_id,
            client_secret_hash=app.client_secret_hash,
            now=app.created_at,
        )
        entry = Entry(RecordKind.APP_REGISTER, None, str(app_id), source=source_of(request))
        await records.write(conn, [entry], now=app.created_at, new_id=road.ids)
    return answers.entity(
        entities.CredentialApplication(
            **_members(app),
            client_id=client_id,
            client_secret=secret,
        )
    )


@needs("read", "profile", *scopes.TOP, app=True)
async def show(request: web.Request) -> web.Response:
    """The app whose token is used."""
    found = viewer(request)
    if found is None or found.app_id is None:
        raise Unauthorised(INVALID_TOKEN)
    async with request.app[keys.POOL].acquire() as conn:
        app = await tokens.find_app_by_id(conn, found.app_id)
    if app is None:
        raise Unauthorised(INVALID_TOKEN)
    return answers.entity(entities.Application(**_members(app)))


def check_redirect(uri: str) -> None:
    """Refuses an address that must not be sent a code to; native apps have schemes of their own."""
    if uri == OUT_OF_BAND:
        return
    if not (uri.isascii() and uri.isprintable()):
        raise Invalid("This is not a redirect URI", field="redirect_uris")
    try:
        url = URL(uri)
    except ValueError:
        raise Invalid("This is not a redirect URI", field="redirect_uris") from None
    if not url.scheme or url.scheme in _FORBIDDEN_SCHEMES or url.raw_fragment:
        raise Invalid("This is not a redirect URI", field="redirect_uris")
    if url.scheme in ("http", "https") and (url.user is not None or not _HOST.fullmatch(url.raw_host or "")):
        # The host stands in the consent page's policy and before the person's eyes: nothing else may.
        raise Invalid("This is not a redirect URI", field="redirect_uris")


def _is_website(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host)


def _members(app: App) -> dict[str, Any]:
    return {
        "id": str(app.id),
        "name": app.name,
        "website": app.website,
        "scopes": list(app.scopes),
        "redirect_uris": list(app.redirect_uris),
        "redirect_uri": "\n".join(app.redirect_uris),
    }
