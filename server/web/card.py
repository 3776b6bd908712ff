"""The public card of a certified account (Article 8): what was checked, by whom, and until when."""

from __future__ import annotations

from aiohttp import web

from compliance import certification

from .. import certifying, keys
from ..errors import NotFound
from ..http.routes import Reach, needs
from ..pages import certificates, render
from ..pages.render import say
from . import profiles


@needs(reach=Reach.SEEN)
async def show(request: web.Request) -> web.Response:
    """What is certified of an account; of one elsewhere, what its own server says and signed."""
    now = request.app[keys.CLOCK]()
    async with request.app[keys.POOL].acquire() as conn:
        account = await profiles.find(request, conn)
        held = None if account.host else await certification.find_active(conn, account.id)
    if account.suspended or account.mark is None or not account.mark.holds(now):
        raise NotFound
    if account.host is None and (held is None or not certifying.is_in_force(held, now)):
        raise NotFound
    return await render.page(
        request,
        "web/card.html",
        account=account,
        mark=account.mark,
        held=held,
        class_words=say(request, certificates.CLASSES[account.mark.class_]),
        checked=say(request, certificates.CHECKED.get(held.checked_by, held.checked_by)) if held else "",
        server=account.mark.host or request.app[keys.URIS].host,
    )
