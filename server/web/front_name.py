"""The real name in front: asked of people with many readers, shown only because they agreed, taken back at
will.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from compliance import frontnames, identity
from compliance.activity import AccountId
from compliance.errors import NotAllowed

from .. import keys, tries
from ..db.pool import Connection
from ..errors import AppError, Invalid, NotFound
from ..http import body
from ..http.auth import person
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..i18n import mark
from ..pages import render
from ..pages.render import say, see_other
from ..store import accounts
from ..store.model import AccountView
from .signup import errors_of

_TRIES: Final = 10  # in an hour
_PAGE: Final = "/settings/certification/name"
_SAID: Final = {
    "no name is known of this identity": mark(
        "Your identity was verified without a name: verify it by an identity document first"
    ),
    "this is not the name that the identity was verified by": mark(
        "This is not the name that your identity was verified by"
    ),
}


@needs(member=True, reach=Reach.OWN)
async def show(request: web.Request) -> web.Response:
    """What is asked, and what follows from agreeing."""
    return await _show(request)


@needs(member=True, reach=Reach.OWN)
async def agree(request: web.Request) -> web.Response:
    """Shows the name to verified people from now on."""
    form, road, me = await body.read(request), request.app[keys.ROAD], person(request)
    _most(request)
    try:
        if not form.text("agree"):
            raise Invalid("Say that you agree, or leave it as it is", field="agree")
        async with road.pool.acquire() as conn:
            await tries.take(road, conn, f"front-name:{me.id}", _TRIES, tries.HOUR)
            async with conn.transaction():
                await frontnames.agree(
                    conn,
                    me.id,
                    form.text("real_name"),
                    sealer=road.sealer,
                    now=road.clock(),
                    source=source_of(request),
                    new_id=road.ids,
                )
    except NotAllowed as error:
        return await _show(request, Invalid(_SAID.get(str(error), str(error)), field="real_name"))
    except AppError as error:
        return await _show(request, error)
    return see_other(request, _PAGE, say(request, "Shown to verified people from now on"))


@needs(member=True, reach=Reach.OWN)
async def hide(request: web.Request) -> web.Response:
    """Takes it back."""
    road, me = request.app[keys.ROAD], person(request)
    async with road.pool.acquire() as conn, conn.transaction():
        await frontnames.hide(conn, me.id, now=road.clock(), source=source_of(request), new_id=road.ids)
    return see_other(request, _PAGE, say(request, "No longer shown; the copy is destroyed"))


async def seen(
    request: web.Request, conn: Connection, account: AccountView, viewer: AccountId | None
) -> str | None:
    """The real name of an account for whoever looks: only for somebody logged in whose identity is verified,
    where the operator asks for it and its owner agreed."""
    most = request.app[keys.SETTINGS].certification.front_name_followers
    if viewer is None or not most or account.host is not None or account.followers <= most:
        return None
    road = request.app[keys.ROAD]
    if not (await identity.get(conn, viewer)).may_publish(road.clock()):
        return None
    return await frontnames.shown(conn, account.id, sealer=road.sealer)


def _most(request: web.Request) -> int:
    most = request.app[keys.SETTINGS].certification.front_name_followers
    if not most:
        raise NotFound
    return most


async def _show(request: web.Request, error: AppError | None = None) -> web.Response:
    most, me = _most(request), person(request)
    async with request.app[keys.POOL].acquire() as conn:
        state = await frontnames.state(conn, me.id)
        due_at = await frontnames.due(conn, me.id)
        account = await accounts.get(conn, me.id, uris=request.app[keys.URIS])
    return await render.page(
        request,
        "web/settings/front_name.html",
        status=error.status if error else 200,
        tab="certification",
        heading=say(request, "Real name in front"),
        state=state.value,
        due_at=due_at,
        followers=most,
        is_above=account.followers > most,
        errors=errors_of(request, error),
    )
