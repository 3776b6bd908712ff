"""OAuth 2.1 as Mastodon's clients speak it: consent, code, token, end of token.

    app --authorize--> person says yes --code--> app --token (secret, PKCE S256)--> bearer token

A code is good once, for five minutes, for the app and the redirect it was given to. A second use ends the
tokens of the first (security rule E1). Apps may not widen their scopes on the way, and only staff can grant
staff's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from aiohttp import BasicAuth, hdrs, web

from compliance import records
from compliance.activity import AccountId
from compliance.records import Entry, RecordKind

from .. import keys
from ..db.pool import Connection
from ..errors import AppError, Invalid
from ..http import auth, body
from ..http.auth import digest, person
from ..http.errors import OAuthError
from ..http.routes import needs
from ..http.source import source_of
from ..store import tokens
from ..store.tokens import App, Code
from . import answers, entities, render, schemas, scopes

CODE_SECONDS = 300
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
T = TypeVar("T")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?(/[!-~]*)?")
_BAD_CLIENT = "Client authentication failed"
_BAD_GRANT = "The code is not valid: it is unknown, used, too old, or was given to somebody else"


@needs()
async def metadata(request: web.Request) -> web.Response:
    """RFC 8414: what this authorization server can do."""
    origin = request.app[keys.SETTINGS].origin
    return answers.shared(
        render.encode(
            {
                "issuer": f"{origin}/",
                "service_documentation": "https://docs.joinmastodon.org/",
                "authorization_endpoint": f"{origin}/oauth/authorize",
                "token_endpoint": f"{origin}/oauth/token",
                "app_registration_endpoint": f"{origin}/api/v1/apps",
                "revocation_endpoint": f"{origin}/oauth/revoke",
                "userinfo_endpoint": f"{origin}/oauth/userinfo",
                "scopes_supported": scopes.ALL,
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
            }
        ),
        3600,
    )


@needs()
async def token(request: web.Request) -> web.Response:
    """Trades a code, or an app's own secret, for a token."""
    asked = await _read(request, schemas.TokenRequest)
    client_id, secret = _client(request, asked.client_id, asked.client_secret)
    async with request.app[keys.POOL].acquire() as conn:
        app = await _authenticate(conn, client_id, secret)
    match asked.grant_type:
        case "authorization_code":
            return await _by_code(request, app, asked)
        case "client_credentials":
            return await _for_app(request, app, asked)
        case "":
            raise OAuthError("invalid_request", "Say which grant_type you use")
        case _:
            raise OAuthError("unsupported_grant_type", "This grant type is not supported")


@needs()
async def revoke(request: web.Request) -> web.Response:
    """Ends a token. The answer does not tell whether there was one (RFC 7009)."""
    asked = await _read(request, schemas.RevokeRequest)
    client_id, secret = _client(request, asked.client_id, asked.client_secret)
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn, conn.transaction():
        app = await _authenticate(conn, client_id, secret)
        token_hash = digest(asked.token)
        found = await tokens.find(conn, token_hash)
        if await tokens.revoke(conn, token_hash, app.id):
            entry = Entry(
                RecordKind.TOKEN_REVOKE,
                found.account_id if found else None,
                str(app.id),
                source=source_of(request),
            )
            await records.write(conn, [entry], now=road.clock(), new_id=road.ids)
    auth.forget(request)
    return answers.empty()


@needs("profile", "read:accounts")
async def userinfo(request: web.Request) -> web.Response:
    """OpenID's claims about oneself."""
    me, origin = person(request).me, request.app[keys.SETTINGS].origin
    claims = {
        "iss": f"{origin}/",
        "sub": me.uri,
        "name": me.name,
        "preferred_username": me.username,
        "profile": me.url,
        "picture": me.avatar,
    }
    return answers.json(render.encode(claims))


async def find_request(conn: Connection, asked: schemas.AuthorizeRequest) -> tuple[App, tuple[str, ...]]:
    """The app that asks and the scopes it may ask for.

    Raises `Invalid` where the app or its redirect is not known: nobody may be sent there, not even with an
    error.
    """
    app = await tokens.find_app(conn, asked.client_id) if asked.client_id else None
    if app is None:
        raise Invalid("The app that sent you here is not known on this server")
    if not any(_is_same_redirect(asked.redirect_uri, known) for known in app.redirect_uris):
        raise Invalid("The app that sent you here named an address that is not its own")
    return app, scopes.parse(asked.scope or "read")


def check_request(asked: schemas.AuthorizeRequest, app: App, wanted: tuple[str, ...]) -> None:
    """Raises `OAuthError`, which goes back to the app."""
    if asked.response_type != "code":
        raise OAuthError("unsupported_response_type", "Only the response type code is supported")
    if not wanted or not scopes.is_within(wanted, app.scopes):
        raise OAuthError("invalid_scope", "The app asks for more than it was registered for")
    if asked.code_challenge and asked.code_challenge_method != "S256":
        raise OAuthError("invalid_request", "Only the code challenge method S256 is supported")
    if asked.code_challenge and not CHALLENGE.fullmatch(asked.code_challenge):
        raise OAuthError("invalid_request", "The code challenge is not a SHA-256 in base64url")


async def give_code(
    request: web.Request,
    app: App,
    asked: schemas.AuthorizeRequest,
    granted: Sequence[str],
    *,
    acting_for: AccountId | None = None,
) -> str:
    """A code for a person's yes."""
    road, me = request.app[keys.ROAD], person(request)
    code, now = secrets.token_urlsafe(32), road.clock()
    async with road.pool.acquire() as conn:
        await tokens.insert_code(
            conn,
            code_hash=digest(code),
            app_id=app.id,
            account_id=me.id,
            redirect_uri=asked.redirect_uri,
            scopes=granted,
            challenge=asked.code_challenge or None,
            now=now,
            expires_at=now + timedelta(seconds=CODE_SECONDS),
            acting_for=acting_for,
        )
    return code


async def give_token(
    request: web.Request,
    conn: Connection,
    app_id: int,
    account_id: AccountId | None,
    granted: Sequence[str],
    *,
    code_hash: bytes | None = None,
    shown: Sequence[str] | None = None,
    acting_for: AccountId | None = None,
) -> web.Response:
    """A new token, stored and recorded in the caller's transaction; `shown` is what is said of its scopes."""
    road = request.app[keys.ROAD]
    value, now = secrets.token_urlsafe(32), road.clock()
    await tokens.insert(
        conn,
        token_hash=digest(value),
        id=road.ids(),
        app_id=app_id,
        account_id=account_id,
        scopes=granted,
        now=now,
        code_hash=code_hash,
        acting_for=acting_for,
    )
    entry = Entry(
        RecordKind.TOKEN_CREATE,
        account_id,
        str(app_id),
        source=source_of(request),
        detail={} if acting_for is None else {"acting_for": acting_for},
    )
    await records.write(conn, [entry], now=now, new_id=road.ids)
    return answers.entity(
        entities.Token(access_token=value, scope=" ".join(shown or granted), created_at=int(now.timestamp()))
    )


def _is_same_redirect(asked: str, known: str) -> bool:
    """Letter for letter; only the port of a program on the person's own machine is free (RFC 8252, 7.3)."""
    if asked == known:
        return True
    wanted, registered = _LOOPBACK.fullmatch(asked), _LOOPBACK.fullmatch(known)
    return bool(wanted and registered and wanted.group(1, 2) == registered.group(1, 2))


async def _by_code(request: web.Request, app: App, asked: schemas.TokenRequest) -> web.Response:
    road, code_hash = request.app[keys.ROAD], digest(asked.code)
    async with road.pool.acquire() as conn, conn.transaction():
        code = await tokens.use_code(conn, code_hash, app.id, now=road.clock())
        if code is None:
            raise OAuthError("invalid_grant", _BAD_GRANT)
        if code.used_at is None and _is_good(code, asked, road.clock()):
            return await give_token(
                request,
                conn,
                app.id,
                code.account_id,
                code.scopes,
                code_hash=code_hash,
                acting_for=code.acting_for,
            )
        await tokens.revoke_by_code(conn, code_hash)
    auth.forget(request)
    raise OAuthError("invalid_grant", _BAD_GRANT)


async def _for_app(request: web.Request, app: App, asked: schemas.TokenRequest) -> web.Response:
    wanted = _scopes(asked.scope or "read")
    if not scopes.is_within(wanted, app.scopes) or any(map(scopes.is_admin, wanted)):
        raise OAuthError("invalid_scope", "The app asks for more than it was registered for")
    async with request.app[keys.POOL].acquire() as conn, conn.transaction():
        return await give_token(request, conn, app.id, None, wanted)


def _is_good(code: Code, asked: schemas.TokenRequest, now: datetime) -> bool:
    """Not too old, the same redirect, and asked for by whoever made the challenge."""
    if code.expires_at <= now or code.redirect_uri != asked.redirect_uri:
        return False
    if code.challenge is None:
        return not asked.code_verifier
    if not _VERIFIER.fullmatch(asked.code_verifier):
        return False
    hashed = hashlib.sha256(asked.code_verifier.encode("ascii")).digest()
    made = base64.urlsafe_b64encode(hashed).decode("ascii").rstrip("=")
    return hmac.compare_digest(made, code.challenge)


async def _authenticate(conn: Connection, client_id: str, secret: str) -> App:
    app = await tokens.find_app(conn, client_id) if client_id else None
    known = app.client_secret_hash if app is not None else bytes(32)
    if not hmac.compare_digest(digest(secret), known) or app is None:
        raise OAuthError("invalid_client", _BAD_CLIENT, status=401)
    return app


def _client(request: web.Request, client_id: str, secret: str) -> tuple[str, str]:
    """The app's id and secret, from the body or from HTTP Basic."""
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    if header.lower().startswith("basic "):
        try:
            basic = BasicAuth.decode(header)
        except ValueError:
            raise OAuthError("invalid_client", _BAD_CLIENT, status=401) from None
        return basic.login, basic.password
    return client_id, secret


def _scopes(text: str) -> tuple[str, ...]:
    try:
        return scopes.parse(text)
    except Invalid as error:
        raise OAuthError("invalid_scope", str(error)) from None


async def _read(request: web.Request, type_: type[T]) -> T:
    """The body; what is wrong with it is said in OAuth's form."""
    try:
        return await body.to(request, type_)
    except AppError as error:
        raise OAuthError("invalid_request", str(error), status=error.status) from None
