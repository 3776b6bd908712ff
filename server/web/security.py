"""The keys to one's account: password, second factor, sessions."""

from __future__ import annotations

import io

import segno
from aiohttp import web
from markupsafe import Markup

from compliance import records
from compliance.records import Entry, RecordKind

from .. import keys, membership, secondfactor
from ..errors import AppError, Conflict, Invalid, NotFound
from ..http import auth, body, cookies
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..pages import render
from ..pages.render import local_path, say, see_other
from ..pages.windows import number
from ..store import members, sessions
from .signup import errors_of

_HOME = "/settings/security"


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """Second factor, password, sessions."""
    return await _show(request)


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def change_password(request: web.Request) -> web.Response:
    """Sets another password; every other session and every app is logged out."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    try:
        letter = await membership.change_password(
            road,
            me.id,
            form.text("current"),
            form.text("password"),
            keep=cookies.session(request),
            source=source_of(request),
        )
    except Invalid as error:
        return await _show(request, error)
    request.app[keys.MAIL].send(letter)
    request.app[auth.SEEN].forget()
    return see_other(request, _HOME, say(request, "Your password is changed"))


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def totp(request: web.Request) -> web.Response:
    """The secret to scan."""
    return await _totp(request, local_path(request.query.get("next", ""), _HOME))


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def enable_totp(request: web.Request) -> web.Response:
    """Puts the second factor in force, and shows the recovery codes once."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    next_ = local_path(form.text("next"), _HOME)
    try:
        codes = await secondfactor.enable(road, me.id, form.text("code"), source=source_of(request))
    except Invalid as error:
        return await _totp(request, next_, error)
    async with road.pool.acquire() as conn:
        await sessions.confirm(conn, me.token_hash, now=road.clock())
    auth.forget(request)
    return render.secret(
        await render.page(
            request,
            "web/settings/totp.html",
            tab="security",
            heading=say(request, "Second factor"),
            codes=codes,
            next=next_,
        )
    )


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def disable_totp(request: web.Request) -> web.Response:
    """Drops the second factor."""
    form, me = await body.read(request), person(request)
    try:
        await secondfactor.disable(
            request.app[keys.ROAD], me.id, form.text("password"), form.text("code"), source=source_of(request)
        )
    except (Invalid, Conflict) as error:
        return await _show(request, error)
    auth.forget(request)
    return see_other(request, _HOME, say(request, "The second factor is off"))


@needs(member=True, unconfirmed=True, reach=Reach.OWN)
async def end_session(request: web.Request) -> web.Response:
    """Logs another browser out."""
    road, me, session_id = request.app[keys.ROAD], person(request), number(request.match_info["id"])
    async with road.pool.acquire() as conn, conn.transaction():
        if session_id is None or not await sessions.delete_one(conn, me.id, session_id):
            raise NotFound
        entry = Entry(RecordKind.SESSION_REVOKE, me.id, str(session_id), source=source_of(request))
        await records.write(conn, [entry], now=road.clock(), new_id=road.ids)
    request.app[auth.SEEN].forget()
    return see_other(request, _HOME, say(request, "This session is ended"))


async def _show(request: web.Request, error: AppError | None = None) -> web.Response:
    road, me = request.app[keys.ROAD], person(request)
    async with road.pool.acquire() as conn:
        member = await members.get(conn, me.id)
        listed = await sessions.list_(conn, me.id, now=road.clock())
        mine = await sessions.find(conn, me.token_hash, now=road.clock())
    return await render.page(
        request,
        "web/settings/security.html",
        status=error.status if error else 200,
        tab="security",
        heading=say(request, "Security"),
        member=member,
        sessions=listed,
        current=mine.id if mine else None,
        errors=errors_of(request, error),
    )


async def _totp(request: web.Request, next_: str, error: AppError | None = None) -> web.Response:
    try:
        enrolment = await secondfactor.start(request.app[keys.ROAD], person(request).id)
    except Conflict:
        return see_other(request, next_)
    return render.secret(
        await render.page(
            request,
            "web/settings/totp.html",
            status=error.status if error else 200,
            tab="security",
            heading=say(request, "Second factor"),
            codes=(),
            secret=" ".join(enrolment.secret[i : i + 4] for i in range(0, len(enrolment.secret), 4)),
            qr=_qr(enrolment.uri, say(request, "Picture to scan with an authenticator app")),
            next=next_,
            errors=errors_of(request, error),
        )
    )


def _qr(uri: str, label: str) -> Markup:
    out = io.BytesIO()
    segno.make(uri, error="m").save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        omitsize=True,
        border=1,
        title=label,
        dark="#000",
        light="#fff",
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - made here, of an address we built
