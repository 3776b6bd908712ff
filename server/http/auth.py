"""Who is asking: a bearer token on the API, a session cookie on the pages, never one in place of the other.

A cookie is not looked at where programs call, so that no other site's page can act through it; a token is not
looked at on pages. What either stands for is kept in this process for three seconds: the end of a session, a
new password or a suspension holds in all workers of this server at once, and everywhere within five (security
rule E5).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeAlias
from urllib.parse import quote

from aiohttp import hdrs, web

from compliance.activity import AccountId

from .. import changes, keys
from ..db.pool import Connection
from ..errors import Forbidden, Unauthorised
from ..i18n import mark
from ..store import accounts, homes, sessions, tokens
from . import acting, cookies
from .routes import Needs, Who
from .viewers import NEEDS_USER, SEEN, Place, Seen, Viewer, covers

__all__ = (
    "DECOY",
    "FRESH",
    "INVALID_TOKEN",
    "NEEDS_USER",
    "OUTSIDE_SCOPES",
    "SEEN",
    "UNCONFIRMED",
    "Seen",
    "Viewer",
    "acting_as",
    "acting_by",
    "bearer",
    "covers",
    "digest",
    "forget",
    "identify",
    "is_machine",
    "person",
    "viewer",
    "viewer_id",
)

UNCONFIRMED = mark("Your login is missing a confirmed e-mail address")
DECOY = "decoy"
"""The scope of a token that was given to hide that an address has an account: it never opens anything."""
FRESH = timedelta(minutes=15)
"""For how long a second factor that was given counts as just given."""
_MACHINES = (
    "/api/",
    "/.well-known/",
    "/nodeinfo/",
    "/media/",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/userinfo",
)
# Exactly these: the end of an address may be anybody's choice, and must not turn a page into a door without
# proof of origin.
_BOXES = re.compile(r"(/actor|/users/[^/]+)?/inbox|/users/[^/]+/outbox")

INVALID_TOKEN = "The access token is invalid"  # noqa: S105
OUTSIDE_SCOPES = "This action is outside the authorized scopes"


_Load: TypeAlias = Callable[[web.Request, Connection, bytes], Awaitable[Viewer | None]]
_VIEWER = web.RequestKey("viewer", Viewer)


def viewer(request: web.Request) -> Viewer | None:
    """Who is asking, as `identify` found; `None` for nobody known."""
    return request.get(_VIEWER)


def viewer_id(request: web.Request) -> AccountId | None:
    """The id of the person who is asking, if there is one."""
    found = viewer(request)
    return found.account.id if found is not None and found.account is not None else None


def person(request: web.Request) -> Viewer:
    """The person who is asking; for handlers of routes that are for persons."""
    found = viewer(request)
    if found is None or found.account is None:
        raise Unauthorised(NEEDS_USER)
    return found


def acting_by(request: web.Request) -> AccountId | None:
    """The person who acts for the organisation that is asking; `None` where people ask for themselves."""
    found = viewer(request)
    return found.by.id if found is not None and found.by is not None else None


@contextmanager
def acting_as(request: web.Request, place: Place) -> Iterator[Viewer]:
    """Inside, the request is the organisation's: for what is done in its name on a page of its console."""
    found = person(request)
    request[_VIEWER] = made = acting.through(found, place)
    try:
        yield made
    finally:
        request[_VIEWER] = found


def forget(request: web.Request) -> None:
    """What tokens and sessions stand for has changed: nobody must go by what was kept."""
    request.app[SEEN].forget()


def is_machine(path: str) -> bool:
    """Whether programs call here: tokens count, cookies do not, and forms need no proof of origin."""
    return path.startswith(_MACHINES) or _BOXES.fullmatch(path) is not None


async def identify(request: web.Request, declared: Needs) -> Viewer | None:
    """Finds out who is asking and refuses those the route is not for."""
    if is_machine(request.path):
        found = await _by_token(request, declared)
        _check_token(found, declared)
        if found is not None:
            found = await acting.for_token(request, found, declared)
    else:
        found = await _by_session(request)
        _check_session(request, found, declared)
        if found is not None:
            found = await acting.for_session(request, found)
    if found is not None:
        request[_VIEWER] = found
    return found


def bearer(request: web.Request) -> str | None:
    """The token in the Authorization header; never one in an address, which ends in logs and histories."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def digest(token: str) -> bytes:
    """What the database holds of a token, cookie or code: a thief of it gets nothing that opens a door."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def _by_token(request: web.Request, declared: Needs) -> Viewer | None:
    token = bearer(request)
    if token is None:
        return None
    if declared.who is Who.ANYBODY and not declared.scopes:
        return None
    found = await _known(request, digest(token), _load_token)
    if found is None:
        raise Unauthorised(INVALID_TOKEN)
    return found


async def _by_session(request: web.Request) -> Viewer | None:
    cookie = cookies.session(request)
    return None if cookie is None else await _known(request, digest(cookie), _load_session)


async def _known(request: web.Request, token_hash: bytes, load: _Load) -> Viewer | None:
    seen = request.app[SEEN]
    kept = seen.find(token_hash)
    if kept is not None:
        return kept[0]
    read_at = changes.now()
    async with request.app[keys.POOL].acquire() as conn:
        found = await load(request, conn, token_hash)
    seen.keep(token_hash, found, read_at=read_at)
    return found


async def _load_token(request: web.Request, conn: Connection, token_hash: bytes) -> Viewer | None:
    token = await tokens.find(conn, token_hash)
    if token is None:
        return None
    now = request.app[keys.CLOCK]()
    await tokens.used(conn, token_hash, now=now)
    account = None
    if token.account_id is not None:
        account = await accounts.get(conn, token.account_id, uris=request.app[keys.URIS])
        await homes.welcome(conn, token.account_id, now=now)
    return Viewer(
        account=account,
        locale=token.locale,
        roles=token.roles,
        scopes=frozenset(token.scopes),
        app_id=token.app_id,
        token_hash=token_hash,
        csrf=b"",
        preferences=token.preferences,
        has_totp=token.has_totp,
        confirmed_at=None,
        email_confirmed=token.email_confirmed,
        acting_for=token.acting_for,
    )


async def _load_session(request: web.Request, conn: Connection, token_hash: bytes) -> Viewer | None:
    now = request.app[keys.CLOCK]()
    session = await sessions.find(conn, token_hash, now=now)
    if session is None or session.suspended:
        return None
    await sessions.touch(
        conn, token_hash, now=now, expires_at=now + timedelta(seconds=cookies.SESSION_SECONDS)
    )
    await homes.welcome(conn, session.account_id, now=now)
    return Viewer(
        account=await accounts.get(conn, session.account_id, uris=request.app[keys.URIS]),
        locale=session.locale,
        roles=session.roles,
        scopes=frozenset(),
        app_id=None,
        token_hash=token_hash,
        csrf=session.csrf,
        preferences={},
        has_totp=session.has_totp,
        confirmed_at=session.confirmed_at,
        email_confirmed=session.email_confirmed,
        acting_for=session.acting_for,
        places=await acting.places(conn, session.account_id, uris=request.app[keys.URIS]),
    )


def _check_token(found: Viewer | None, declared: Needs) -> None:
    if declared.who is Who.ANYBODY and (found is None or not declared.scopes):
        return
    if declared.who in (Who.MEMBER, Who.STAFF) and not declared.scopes:
        raise Unauthorised(NEEDS_USER)  # a page; no token opens one
    if found is None:
        raise Unauthorised(INVALID_TOKEN if declared.who is Who.APP else NEEDS_USER)
    if DECOY in found.scopes:
        raise Forbidden(UNCONFIRMED)
    if declared.scopes and not any(found.may(scope) for scope in declared.scopes):
        raise Forbidden(OUTSIDE_SCOPES)
    if declared.who is Who.PERSON and found.account is None:
        raise Forbidden(NEEDS_USER)
    if declared.who is Who.STAFF and not declared.roles & found.roles:
        raise Forbidden("This action is not allowed")
    if found.account is not None and found.account.suspended:
        raise Forbidden("Your login is currently disabled")
    if found.account is not None and not found.email_confirmed and not declared.unconfirmed:
        raise Forbidden(UNCONFIRMED)


def _check_session(request: web.Request, found: Viewer | None, declared: Needs) -> None:
    if declared.who is Who.ANYBODY:
        return
    if declared.who not in (Who.MEMBER, Who.STAFF):
        raise Unauthorised(NEEDS_USER)
    if found is None:
        if request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
            raise web.HTTPSeeOther(f"/login?next={quote(request.raw_path, safe='/')}")
        raise Unauthorised("Please log in again")
    if declared.who is Who.STAFF:
        if not declared.roles & found.roles:
            raise Forbidden("This page is for other roles than yours")
        # Rule E9: whoever has power over others proves twice who they are.
        if not found.has_totp:
            if request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
                next_ = quote(request.raw_path, safe="/")
                raise web.HTTPSeeOther(f"/settings/security/totp?next={next_}")
            raise Forbidden("Set up a second factor first: your role asks for one")
    if not found.email_confirmed and not declared.unconfirmed:
        if request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
            raise web.HTTPSeeOther("/settings/account")
        raise Forbidden("Confirm your e-mail address first")
    if declared.fresh and not _is_fresh(request, found):
        raise web.HTTPSeeOther(f"/confirm-login?next={quote(_page_of(request), safe='/')}")


def _page_of(request: web.Request) -> str:
    """The page itself, or the one whose form was sent."""
    if request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
        return request.raw_path
    page, origin = request.headers.get(hdrs.REFERER, ""), request.app[keys.SETTINGS].origin
    return page.removeprefix(origin) if page.startswith(f"{origin}/") else "/"


def _is_fresh(request: web.Request, found: Viewer) -> bool:
    if not found.has_totp:
        return True
    now = request.app[keys.CLOCK]()
    return found.confirmed_at is not None and now - found.confirmed_at < FRESH
