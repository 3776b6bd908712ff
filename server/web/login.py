"""Logging in and out, the second factor, and a new password by mail.

name and password --> session                      without a second factor
name and password --> ticket --code--> session     with one: nothing is open in between
"""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import Final

from aiohttp import web

from compliance.activity import AccountId
from compliance.errors import SealBroken

from .. import keys, membership, secondfactor
from ..errors import AppError, Forbidden, Invalid
from ..http import auth, body, cookies
from ..http.routes import needs
from ..http.source import source_of
from ..pages import render
from ..pages.render import local_path, say, see_other
from ..store import members, sessions
from ..store.members import Member
from .letterbox import LETTERBOX
from .signup import errors_of

_STEP: Final = timedelta(minutes=5)
_CONTEXT: Final = "login-step"


@needs()
async def form(request: web.Request) -> web.Response:
    """The form to log in with."""
    next_ = local_path(request.query.get("next", ""), "/home")
    if auth.viewer(request) is not None:
        return see_other(request, next_)
    return await _form(request, "", next_)


@needs()
async def login(request: web.Request) -> web.Response:
    """Checks name and password; then a session, or the question for the second factor."""
    sent, road = await body.read(request), request.app[keys.ROAD]
    name, next_ = sent.text("username"), local_path(sent.text("next"), "/home")
    try:
        member = await membership.authenticate(road, name, sent.text("password"), source=source_of(request))
    except Invalid as error:
        return await _form(request, name, next_, error)
    if member.suspended:
        return await _form(request, name, next_, Forbidden("This account is suspended", field="username"))
    if member.totp_enabled_at is not None:
        return await _ask_code(request, _ticket(request, member), next_)
    return await _open(request, member, next_, twice=False)


@needs()
async def second(request: web.Request) -> web.Response:
    """Checks the code of the second factor and opens the session."""
    sent, road = await body.read(request), request.app[keys.ROAD]
    ticket, next_ = sent.text("ticket"), local_path(sent.text("next"), "/home")
    member = await _of_ticket(request, ticket)
    if member is None:
        return see_other(request, "/login", say(request, "That took too long. Please log in again."))
    try:
        await secondfactor.check(road, member.account_id, sent.text("code"))
    except Invalid as error:
        return await _ask_code(request, ticket, next_, error)
    return await _open(request, member, next_, twice=True)


@needs(member=True, unconfirmed=True)
async def logout(request: web.Request) -> web.Response:
    """Ends the session, here and not only in the browser."""
    token = cookies.session(request)
    if token is not None:
        me = auth.person(request)
        await membership.close_session(request.app[keys.ROAD], token, me.id, source=source_of(request))
    auth.forget(request)
    response = see_other(request, "/", say(request, "You are logged out"))
    response.headers["Clear-Site-Data"] = '"cache"'
    cookies.clear_session(request, response)
    return response


@needs(member=True)
async def confirm_form(request: web.Request) -> web.Response:
    """Asks for the second factor again before a grave act."""
    return await _confirm(request, local_path(request.query.get("next", ""), "/admin"))


@needs(member=True)
async def confirm(request: web.Request) -> web.Response:
    """Takes the second factor as just given."""
    sent, road, me = await body.read(request), request.app[keys.ROAD], auth.person(request)
    next_ = local_path(sent.text("next"), "/admin")
    try:
        await secondfactor.check(road, me.id, sent.text("code"))
    except Invalid as error:
        return await _confirm(request, next_, error)
    async with road.pool.acquire() as conn:
        await sessions.confirm(conn, me.token_hash, now=road.clock())
    auth.forget(request)
    return see_other(request, next_)


@needs()
async def reset_form(request: web.Request) -> web.Response:
    """Asks for the address to send a link to."""
    return await _reset(request)


@needs()
async def reset(request: web.Request) -> web.Response:
    """Sends the link, if there is somebody to send it to; the answer is the same."""
    email = (await body.read(request)).text("email")
    letter = await membership.start_reset(request.app[keys.ROAD], email, source=source_of(request))
    if letter is not None:
        request.app[LETTERBOX].put(request.app, letter)
    return await render.page(
        request,
        "web/message.html",
        heading=say(request, "Look into your mail"),
        words=say(request, "If this address has an account here, a link is on its way."),
        hint=say(request, "Nothing there? Look into the spam folder, or wait a minute."),
        action="",
        submit="",
        path="/login",
        link=say(request, "Log in"),
    )


@needs()
async def new_password_form(request: web.Request) -> web.Response:
    """The page behind the letter's link."""
    return await _reset(request, token=request.match_info["token"])


@needs()
async def new_password(request: web.Request) -> web.Response:
    """Sets the new password."""
    token, password = request.match_info["token"], (await body.read(request)).text("password")
    try:
        await membership.finish_reset(request.app[keys.ROAD], token, password, source=source_of(request))
    except Invalid as error:
        return await _reset(request, token=token, error=error)
    request.app[auth.SEEN].forget()
    response = see_other(request, "/login", say(request, "Your new password is set. Log in with it."))
    cookies.clear_session(request, response)
    return response


async def _open(request: web.Request, member: Member, next_: str, *, twice: bool) -> web.Response:
    token = await membership.open_session(
        request.app[keys.ROAD], member, source=source_of(request), twice=twice
    )
    if member.roles and member.totp_enabled_at is None:
        next_ = f"/settings/security/totp?next={next_}"
    response = see_other(request, next_)
    cookies.set_session(request, response, token)
    return response


def _ticket(request: web.Request, member: Member) -> str:
    """Proof, good for minutes, that the password was right: sealed, and void once the password changes."""
    road = request.app[keys.ROAD]
    until = int((road.clock() + _STEP).timestamp())
    plain = f"{member.account_id}.{until}.{member.password}".encode()
    return base64.urlsafe_b64encode(road.sealer.seal(plain, context=_CONTEXT)).decode()


async def _of_ticket(request: web.Request, ticket: str) -> Member | None:
    road = request.app[keys.ROAD]
    try:
        sealed = base64.urlsafe_b64decode(ticket.encode("ascii", "replace"))
        plain = road.sealer.open(sealed, context=_CONTEXT).decode()
    except (SealBroken, binascii.Error, ValueError):
        return None
    account_id, until, password = plain.split(".", 2)
    if int(until) < road.clock().timestamp():
        return None
    async with road.pool.acquire() as conn:
        member = await members.find(conn, AccountId(int(account_id)))
    return member if member is not None and member.password == password and not member.suspended else None


async def _form(request: web.Request, name: str, next_: str, error: AppError | None = None) -> web.Response:
    return render.secret(
        await render.page(
            request,
            "web/login.html",
            status=error.status if error else 200,
            username=name,
            next=next_,
            errors=errors_of(request, error),
        )
    )


async def _ask_code(
    request: web.Request, ticket: str, next_: str, error: AppError | None = None
) -> web.Response:
    return render.secret(
        await render.page(
            request,
            "web/second_factor.html",
            status=error.status if error else 200,
            action="/login/second",
            ticket=ticket,
            next=next_,
            words=say(request, "Your password was right. Now the code from your phone."),
            errors=errors_of(request, error),
        )
    )


async def _confirm(request: web.Request, next_: str, error: AppError | None = None) -> web.Response:
    return render.secret(
        await render.page(
            request,
            "web/second_factor.html",
            status=error.status if error else 200,
            action="/confirm-login",
            ticket="",
            next=next_,
            words=say(request, "This is a grave act. Give your second factor once more."),
            errors=errors_of(request, error),
        )
    )


async def _reset(request: web.Request, *, token: str = "", error: AppError | None = None) -> web.Response:
    return render.secret(
        await render.page(
            request,
            "web/reset.html",
            status=error.status if error else 200,
            token=token,
            email="",
            errors=errors_of(request, error),
        )
    )
