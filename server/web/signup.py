"""Signing up: the form with the agreement, the letter's link, and the first operator's own page.

A stranger cannot learn here whether an address has an account: the answer is the same, and the difference is
in the mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from compliance import agreements
from compliance.agreements import Agreement

from .. import keys, membership, operators
from ..errors import AppError, Conflict, Forbidden, Gone, Invalid
from ..http import auth, body, cookies, limits
from ..http.body import Body
from ..http.errors import locale_of
from ..http.routes import needs
from ..http.source import source_of
from ..pages import render
from ..pages.render import say, see_other
from ..store import members


@dataclass(frozen=True, slots=True)
class Values:
    """What was typed, to be shown again."""

    username: str = ""
    email: str = ""
    agreement: bool = False

    @classmethod
    def of(cls, form: Body) -> Values:
        return cls(form.text("username"), form.text("email"), bool(form.text("agreement")))


@needs()
async def form(request: web.Request) -> web.Response:
    """The form to sign up with."""
    if auth.viewer(request) is not None:
        return see_other(request, "/home")
    return await _form(request, Values())


@needs(limit=limits.SIGN_UP)
async def register(request: web.Request) -> web.Response:
    """Makes the account and sends the letter."""
    road, sent = request.app[keys.ROAD], await body.read(request)
    if not road.settings.registration.open:
        raise Forbidden("This server takes no new people at the moment")
    values = Values.of(sent)
    confirm = road.settings.registration.confirm_email
    try:
        if not values.agreement:
            raise Invalid("Accept the agreement and the rules to go on", field="agreement")
        made = await membership.register(
            road,
            values.username,
            values.email,
            sent.text("password"),
            locale=locale_of(request),
            accepted=versions(sent),
            source=source_of(request),
            confirmed=not confirm,
        )
        letter = made.letter
    except membership.EmailTaken as taken:
        if not confirm:
            return await _form(request, values, taken)
        letter = taken.letter
    except (Invalid, Conflict) as error:
        return await _form(request, values, error)
    if letter is not None:
        request.app[keys.MAIL].send(letter)
    if not confirm:
        return see_other(request, "/login", say(request, "Your account is there. Log in."))
    return await _message(
        request,
        heading=say(request, "Look into your mail"),
        words=say(
            request,
            "We have sent a letter to %(email)s. Open the link in it to confirm the address.",
            email=values.email,
        ),
        hint=say(request, "Nothing there? Look into the spam folder, or wait a minute."),
        path="/login",
        link=say(request, "Log in"),
    )


@needs()
async def ask_confirm(request: web.Request) -> web.Response:
    """The page behind the letter's link. The link itself changes nothing: mail scanners follow links."""
    return await _message(
        request,
        heading=say(request, "Confirm your address"),
        words=say(request, "One press, and this address belongs to your account."),
        action=f"/confirm/{request.match_info['token']}",
        submit=say(request, "Confirm"),
    )


@needs()
async def confirm(request: web.Request) -> web.Response:
    """Takes the address as proven."""
    await membership.confirm_email(
        request.app[keys.ROAD], request.match_info["token"], source=source_of(request)
    )
    request.app[auth.SEEN].forget()
    known = auth.viewer(request) is not None
    return see_other(
        request, "/home" if known else "/login", say(request, "Your address is confirmed. Welcome!")
    )


@needs()
async def first_operator_form(request: web.Request) -> web.Response:
    """The form with which the first operator is made."""
    if not await operators.is_open(request.app[keys.ROAD], request.match_info["token"]):
        raise Gone("This link has been used or is too old")
    return await _operator_form(request, Values())


@needs(limit=limits.SIGN_UP)
async def first_operator(request: web.Request) -> web.Response:
    """Makes the first operator, logs them in, and leads on to the second factor."""
    road, sent = request.app[keys.ROAD], await body.read(request)
    values = Values.of(sent)
    try:
        account_id = await operators.make_first(
            road,
            request.match_info["token"],
            username=values.username,
            email=values.email,
            password=sent.text("password"),
            locale=locale_of(request),
            source=source_of(request),
        )
    except Invalid as error:
        return await _operator_form(request, values, error)
    async with road.pool.acquire() as conn:
        member = await members.get(conn, account_id)
    token = await membership.open_session(road, member, source=source_of(request))
    response = see_other(
        request, "/settings/security/totp?next=/admin", say(request, "Your account is there")
    )
    cookies.set_session(request, response, token)
    return response


async def documents(request: web.Request) -> Sequence[Agreement]:
    """The agreement, the rules and the privacy notice in force, in the reader's language."""
    async with request.app[keys.POOL].acquire() as conn:
        return await agreements.current(conn, locale_of(request), now=request.app[keys.CLOCK]())


def versions(sent: Body) -> dict[str, int]:
    return {
        name: int(text)
        for name in agreements.DOCUMENTS
        if (text := sent.text(f"version-{name}")).isascii() and text.isdigit() and len(text) < 9
    }


async def _form(request: web.Request, values: Values, error: AppError | None = None) -> web.Response:
    return await render.page(
        request,
        "web/register.html",
        status=error.status if error else 200,
        values=values,
        host=request.app[keys.URIS].host,
        documents=await documents(request),
        errors=errors_of(request, error),
    )


async def _operator_form(request: web.Request, values: Values, error: AppError | None = None) -> web.Response:
    made = await render.page(
        request,
        "web/first_operator.html",
        status=error.status if error else 200,
        values=values,
        action=request.path,
        host=request.app[keys.URIS].host,
        errors=errors_of(request, error),
    )
    return render.secret(made)


def errors_of(request: web.Request, error: AppError | None) -> list[tuple[str | None, str]]:
    """For the summary above a form and the words at its fields."""
    return [(error.field, say(request, error.message, **error.values))] if error else []


async def _message(
    request: web.Request,
    *,
    heading: str,
    words: str,
    hint: str = "",
    action: str = "",
    submit: str = "",
    path: str = "",
    link: str = "",
) -> web.Response:
    made = await render.page(
        request,
        "web/message.html",
        heading=heading,
        words=words,
        hint=hint,
        action=action,
        submit=submit,
        path=path,
        link=link,
    )
    return render.secret(made)
