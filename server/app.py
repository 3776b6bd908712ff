"""The only wiring: puts the parts together into an application, and runs it in a worker."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from aiohttp import web
from aiohttp.abc import AbstractResolver

from federation.fetch import Client, Limits, Response

from . import activitypub, admin, api, health, keys, logs, media_routes
from . import web as pages
from .activitypub.inbox import INTAKE
from .activitypub.intake import Intake
from .activitypub.objects import negotiate
from .activitypub.signers import SIGNERS, Signers
from .events import Events
from .http import accesslog, auth, errors, guard, headers, limits, routes
from .ids import Clock, system_clock
from .metrics import Metrics
from .opening import found, open_road
from .pages.assets import ASSETS, Assets
from .pages.render import PAGES, Pages
from .providers.identity import open_checker
from .providers.mail import SinkCarrier, open_carrier
from .providers.oidc import open_provider
from .providers.reach import reaching
from .providers.sms import open_gateway
from .settings import Settings, parse_allow_insecure
from .store import accounts
from .supervise import Post
from .uris import Uris
from .workers import delivery, imports, inbox, scheduled
from .workers.mailing import Mailing, Posting
from .workers.marks import Marks
from .workers.runner import Job, Runner
from .workers.upkeep import Upkeep

try:
    import uvloop
except ImportError:  # not made for this system
    new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    new_loop = uvloop.new_event_loop

_DRAIN_SECONDS = 5.0
_KEEPALIVE_SECONDS = 75.0
_LONGEST_LINE = 8 * 1024
_LONGEST_HEADER = 16 * 1024
_LONGEST_ANSWER = 64 * 1024
"""Of a service that is asked about an identity."""

PARTS = (health, media_routes, activitypub, api, pages, admin)
"""Whoever has routes."""

log = logging.getLogger(__name__)


def create_app(
    settings: Settings,
    *,
    worker: int,
    clock: Clock = system_clock,
    resolver: AbstractResolver | None = None,
) -> web.Application:
    """The whole server as one application, on the database that `settings` names; nothing runs before it
    is started. Worker 1 also does what only one of them needs to do.
    """
    app = web.Application(
        middlewares=[accesslog.middleware, health.measure, errors.middleware, guard.middleware, negotiate]
    )
    app.on_response_prepare.append(headers.add)
    app[keys.SETTINGS] = settings
    app[keys.CLOCK] = clock
    app[keys.URIS] = Uris.of(settings.origin)
    app[keys.METRICS] = Metrics()
    app[keys.EVENTS] = Events()
    app[limits.LIMITER] = limits.Limiter(settings.limits)
    app[auth.SEEN] = auth.Seen(app[keys.EVENTS])
    app[ASSETS] = assets = Assets()
    app[PAGES] = Pages(assets, settings, clock)
    for part in (activitypub, media_routes, api, pages):
        part.prepare(app)
    for part in PARTS:
        routes.mount(app, part.routes)
    routes.check(app)
    app.cleanup_ctx.append(_road(worker))
    app.cleanup_ctx.append(_federation(resolver))
    app.cleanup_ctx.append(_providers)
    app.cleanup_ctx.append(_jobs)
    app.cleanup_ctx.append(health.watch_loop)
    if worker == 1:
        app.cleanup_ctx.append(health.listen_for_metrics)
    return app


def run_worker(post: Post, settings: Settings) -> None:
    """Answers on the post's socket until SIGTERM; what is being answered then is finished."""
    logs.configure(settings.log.path, settings.log.level)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve(post, settings))


async def _serve(post: Post, settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_reader(post.alive, ended.set)
    runner = web.AppRunner(
        create_app(settings, worker=post.number),
        access_log=None,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        max_line_size=_LONGEST_LINE,
        max_field_size=_LONGEST_HEADER,
        shutdown_timeout=_DRAIN_SECONDS,
    )
    try:
        await runner.setup()
        await web.SockSite(runner, post.listener).start()
        os.write(post.ready, b".")
        await ended.wait()
    finally:
        loop.remove_reader(post.alive)
        await runner.cleanup()


def _road(worker: int) -> Callable[[web.Application], AsyncIterator[None]]:
    async def resource(app: web.Application) -> AsyncIterator[None]:
        async with open_road(
            app[keys.SETTINGS], worker=worker, clock=app[keys.CLOCK], events=app[keys.EVENTS]
        ) as road:
            app[keys.ROAD] = road
            app[keys.POOL] = road.pool
            app[keys.SEALER] = road.sealer
            await found(road)
            yield

    return resource


def _federation(resolver: AbstractResolver | None) -> Callable[[web.Application], AsyncIterator[None]]:
    async def resource(app: web.Application) -> AsyncIterator[None]:
        road, settings = app[keys.ROAD], app[keys.SETTINGS]
        bounds = Limits(at_once=settings.federation.host_concurrency)
        if settings.limits.disabled:
            bounds = replace(bounds, a_minute=None)
        async with Client(
            road.uris.origin,
            peers=parse_allow_insecure(settings.federation.allow_insecure),
            ca_file=settings.federation.ca_file,
            resolver=resolver,
            limits=bounds,
            clock=road.clock,
        ) as client:
            async with road.pool.acquire() as conn:
                own = await accounts.instance_actor(conn, uris=road.uris)
                client.key = await delivery.load_key(road, conn, own.id)
            app[keys.CLIENT] = client
            app[SIGNERS] = Signers(road, client)
            yield

    return resource


async def _ask(
    app: web.Application, url: str, body: bytes, headers: Mapping[str, str], *, private: bool
) -> Response:
    """What a service of the operator's choice answers; by the client of all, unless it may be private."""
    async with AsyncExitStack() as stack:
        client = app[keys.CLIENT]
        if private:
            client = await stack.enter_async_context(
                reaching(app[keys.SETTINGS], url, private=True, clock=app[keys.CLOCK])
            )
        return await client.post(
            url, body, content_type="application/json", key=None, headers=headers, most=_LONGEST_ANSWER
        )


async def _providers(app: web.Application) -> AsyncIterator[None]:
    settings = app[keys.SETTINGS]

    async def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        return (await _ask(app, url, body, headers, private=settings.sms.allow_private)).status

    async def ask(url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        return await _ask(app, url, body, headers, private=settings.identity.checker_allow_private)

    carrier, posting = open_carrier(settings), Posting(app[keys.ROAD])
    # Into a folder they go at once: whoever reads them there does not wait for a postbox.
    app[keys.MAIL] = carrier if isinstance(carrier, SinkCarrier) else posting
    app[keys.CARRIER] = carrier
    app[keys.SMS] = open_gateway(settings, post)
    app[keys.CHECKER] = open_checker(settings, ask)
    app[keys.OIDC] = open_provider(settings, app[keys.CLOCK])
    yield
    await posting.close()


async def _jobs(app: web.Application) -> AsyncIterator[None]:
    road, client, numbers = app[keys.ROAD], app[keys.CLIENT], app[keys.METRICS]
    app[keys.RUNNER] = runner = Runner(app[keys.EVENTS])
    runner.add(Job("upkeep", Upkeep(road, app[keys.MAIL].send).work))
    runner.add(scheduled.job(road))
    runner.add(imports.job(road))
    runner.add(Mailing(road, app[keys.CARRIER]).job)
    if app[keys.SETTINGS].federation.enabled:
        runner.add(Marks(road, client).job)
    async with (
        inbox.running(runner, road, client, numbers) as wake,
        delivery.running(runner, road, client, numbers),
    ):
        app[INTAKE] = intake = Intake(road.pool, road.clock, wake)
        yield
        await intake.close()
        await runner.close()
