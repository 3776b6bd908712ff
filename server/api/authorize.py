"""The page on which a person lets an app act for them.

It must work in a small window that another site opened, so it sets no opener policy, and its form may lead to
wherever the app wants its answer: another site, a scheme of its own, or nowhere, for a code to be typed over.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from yarl import URL

from compliance.activity import AccountId
from compliance.organisations import Act

from .. import i18n, keys
from ..errors import Forbidden, Invalid
from ..http import body, headers
from ..http.acting import NOT_YOURS
from ..http.auth import person
from ..http.errors import OAuthError, locale_of
from ..http.routes import needs
from ..pages import render as pages
from ..store.tokens import App
from . import oauth, schemas, scopes
from .apps import OUT_OF_BAND

_NATIVE = "/oauth/authorize/native"
_SEE_OTHER = 303


@needs(member=True)
async def ask(request: web.Request) -> web.Response:
    """Shows which app asks for what."""
    asked = body.query(request, schemas.AuthorizeRequest)
    app, wanted = await _find(request, asked)
    try:
        granted = _grantable(request, asked, app, wanted)
    except OAuthError as error:
        return _back(asked, error=error.code, error_description=str(error))
    request[headers.FORM_ACTION] = _target(asked.redirect_uri)
    locale = locale_of(request)
    return await pages.page(
        request,
        "web/authorize.html",
        app=app,
        scopes=[(scope, i18n.translate(locale, scopes.WORDS[scope])) for scope in scopes.shown(granted)],
        places=[place for place in person(request).places if place.rights.may(Act.READ)],
        action="/oauth/authorize",
        fields=_fields(asked),
    )


@needs(member=True)
async def answer(request: web.Request) -> web.Response:
    """Takes the person's yes or no, and tells the app."""
    form = await body.read(request)
    asked = form.to(schemas.AuthorizeRequest)
    app, wanted = await _find(request, asked)
    if form.text("decision") != "allow":
        return _back(asked, error="access_denied", error_description="The person said no")
    try:
        granted = _grantable(request, asked, app, wanted)
    except OAuthError as error:
        return _back(asked, error=error.code, error_description=str(error))
    acting_for = _chosen(request, form.text("acting_for"))
    return _back(asked, code=await oauth.give_code(request, app, asked, granted, acting_for=acting_for))


@needs(member=True)
async def show_code(request: web.Request) -> web.Response:
    """Shows the code, for apps that have no address to send it to."""
    code = request.query.get("code", "")
    if not oauth.CHALLENGE.fullmatch(code):
        raise Invalid("There is no code to show")
    return await pages.page(request, "web/oob.html", code=code)


def _chosen(request: web.Request, name: str) -> AccountId | None:
    """The organisation that the app is to act for; `None` for the person."""
    if not name:
        return None
    for place in person(request).places:
        if place.account.username == name and place.rights.may(Act.READ):
            return place.account.id
    raise Forbidden(NOT_YOURS)


async def _find(request: web.Request, asked: schemas.AuthorizeRequest) -> tuple[App, tuple[str, ...]]:
    async with request.app[keys.POOL].acquire() as conn:
        return await oauth.find_request(conn, asked)


def _grantable(
    request: web.Request, asked: schemas.AuthorizeRequest, app: App, wanted: tuple[str, ...]
) -> tuple[str, ...]:
    """What this person can let the app do: nobody gives away powers they do not have."""
    oauth.check_request(asked, app, wanted)
    me = person(request)
    # Rule E9: no power over others without the second factor.
    granted = tuple(scope for scope in wanted if (me.roles and me.has_totp) or not scopes.is_admin(scope))
    if not granted:
        raise OAuthError("invalid_scope", "You do not have the powers that the app asks for")
    return granted


def _back(asked: schemas.AuthorizeRequest, **answer_: str) -> web.Response:
    """To the app, with an answer; where it has no address, to the page that shows the code."""
    if asked.redirect_uri == OUT_OF_BAND:
        if "code" not in answer_:
            raise Invalid("The app was not let in: %(why)s", why=answer_["error_description"])
        location = f"{_NATIVE}?{urlencode(answer_)}"
    else:
        if asked.state:
            answer_["state"] = asked.state
        sign = "&" if "?" in asked.redirect_uri else "?"
        location = f"{asked.redirect_uri}{sign}{urlencode(answer_)}"
    return web.Response(status=_SEE_OTHER, headers={"Location": location, "Cache-Control": "no-store"})


def _fields(asked: schemas.AuthorizeRequest) -> dict[str, Any]:
    """What the form must say again."""
    said: dict[str, Any] = msgspec.to_builtins(asked)
    return {name: value for name, value in said.items() if value and name != "force_login"}


def _target(redirect_uri: str) -> str:
    """The redirect as a source in the page's policy, which also governs where a form's answer may lead."""
    if redirect_uri == OUT_OF_BAND:
        return "'self'"
    url = URL(redirect_uri)
    return str(url.origin()) if url.scheme in ("http", "https") else f"{url.scheme}:"
