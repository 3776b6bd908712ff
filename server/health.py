"""Tells the operator's own machines how the server does: `/health`, and `/metrics` for whoever has its token.

Nothing here says which version runs, or where.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator

import asyncpg
from aiohttp import hdrs, web

from . import keys
from .errors import Forbidden, NotFound
from .http.auth import bearer
from .http.routes import Handler, get, needs
from .metrics import CONTENT_TYPE
from .settings import parse_listen

_PATIENCE = 2.0
_LAG_SECONDS = 1.0

log = logging.getLogger(__name__)


@needs(uncounted=True)
async def health(request: web.Request) -> web.Response:
    """200 while the database takes writes, 503 otherwise."""
    try:
        async with asyncio.timeout(_PATIENCE):
            async with request.app[keys.POOL].acquire() as conn:
                await conn.execute(_WRITE)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.error("the database takes no writes: %s", type(error).__name__)
        return web.json_response({"status": "unavailable"}, status=503)
    return web.json_response({"status": "ok"}, headers={hdrs.CACHE_CONTROL: "no-store"})


# One row for ever, so that a full disk or a standby shows.
_WRITE = (
    "insert into attempt (subject, window_start, count) values ('health', 'epoch', 1)"
    " on conflict (subject, window_start) do update set count = 1"
)


@needs(uncounted=True)
async def metrics(request: web.Request) -> web.Response:
    """The numbers, for a bearer of the token; without one set, there is no such page."""
    token = request.app[keys.SETTINGS].metrics.token
    if not token:
        raise NotFound
    if not hmac.compare_digest((bearer(request) or "").encode("utf-8", "replace"), token.encode()):
        raise Forbidden("The access token is invalid")
    return _render(request.app)


async def listen_for_metrics(app: web.Application) -> AsyncIterator[None]:
    """An own listener for /metrics where one is set; for `Application.cleanup_ctx` of one worker."""
    place = parse_listen(app[keys.SETTINGS].metrics.listen)
    if place is None:
        yield
        return

    async def answer(_request: web.Request) -> web.Response:
        return _render(app)

    inner = web.Application()
    inner.router.add_get("/metrics", answer)
    runner = web.AppRunner(inner, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, *place).start()
    yield
    await runner.cleanup()


async def watch_loop(app: web.Application) -> AsyncIterator[None]:
    """Measures how late the loop is; for `Application.cleanup_ctx`."""
    task = asyncio.create_task(_watch(app), name="loop lag")
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Times each answer."""
    begun = time.perf_counter()
    status = 499
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "none"
        spent = time.perf_counter() - begun
        request.app[keys.METRICS].requests.labels(request.method, route, str(status)).observe(spent)


async def _watch(app: web.Application) -> None:
    numbers, pool = app[keys.METRICS], app[keys.POOL]
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _LAG_SECONDS
        await asyncio.sleep(_LAG_SECONDS)
        numbers.lag.observe(max(loop.time() - due, 0.0))
        idle = pool.get_idle_size()
        numbers.connections.labels("idle").set(idle)
        numbers.connections.labels("used").set(pool.get_size() - idle)


def _render(app: web.Application) -> web.Response:
    return web.Response(body=app[keys.METRICS].render(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})


routes = [get("/health", health), get("/metrics", metrics)]
