"""The door: before a handler runs, who is asking, whether they may, how often, and whether they meant it.

Authority comes before any work (security rule E3): a body is not read, nor a query run, for somebody whom the
route is not for.
"""

from __future__ import annotations

from aiohttp import web

from ..errors import Invalid, NotFound
from . import body, csrf, headers, limits
from .auth import Viewer, identify, is_machine
from .routes import Handler, Needs, declared
from .source import subject_of


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Innermost of the middlewares: what it raises, `errors` turns into an answer."""
    told = headers.preflight(request)
    if told is not None:
        return told
    _refuse_nul(request)
    needed = declared(request.match_info.handler)
    if needed is None:
        return await handler(request)
    if is_machine(request.path):
        _count(request, await identify(request, needed), needed)
        try:
            return await handler(request)
        finally:
            body.close(request)
    return await _page(request, handler, needed)


def _refuse_nul(request: web.Request) -> None:
    """No name and no id has a NUL in it, and the database takes none, not even to look for it (rule F7)."""
    path, _, query = request.raw_path.partition("?")
    if "%00" in path:
        raise NotFound
    if "%00" in query:
        raise Invalid("Text may not hold a NUL character")


async def _page(request: web.Request, handler: Handler, needed: Needs) -> web.StreamResponse:
    _count(request, await identify(request, needed), needed)
    try:
        if request.method not in csrf.SAFE:
            await csrf.check(request, needed.body)
        response = await handler(request)
    finally:
        body.close(request)
    if not response.prepared:
        csrf.remember(request, response)
    return response


def _count(request: web.Request, found: Viewer | None, needed: Needs) -> None:
    """By address, by app, or by person and token: whatever is narrowest decides."""
    if needed.uncounted:
        return
    if found is None:
        subject = subject_of(request)
        limits.take(request, limits.ANONYMOUS, subject)
    elif found.account is None:
        subject = found.token_hash.hex()
        limits.take(request, limits.TOKEN, subject)
    else:
        subject = str(found.account.id)
        limits.take(request, limits.ACCOUNT, subject)
        if found.app_id is not None:
            limits.take(request, limits.TOKEN, found.token_hash.hex())
    if needed.limit is not None:
        limits.take(request, needed.limit, subject)
