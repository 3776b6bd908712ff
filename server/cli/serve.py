"""`yanlu serve`: from nothing to a server that answers, and what a person at the terminal sees of it."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import socket
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from .. import logs, metrics, operators
from ..db import access
from ..db.embedded import Cluster
from ..opening import MOST_WORKERS, find_other_origin, found, open_road, worker_number
from ..settings import Settings, SettingsError, completed, warnings
from ..supervise import StartError, Supervisor, claim_port
from ..workers.delivery import recover
from . import terminal
from .command import LAST_START, ORIGIN, Call, Commands, add

_LOCK_PATIENCE = 3.0

log = logging.getLogger(__name__)


def add_to(commands: Commands) -> None:
    parser = add(commands, "serve", _serve, "run the server until Ctrl-C")
    parser.add_argument("--host", metavar="H", help="address to listen on")
    parser.add_argument("--port", metavar="N", type=int, help="port to listen on; 0 takes a free one")
    parser.add_argument("--workers", metavar="N", type=int, help="processes that answer requests")


def _serve(call: Call) -> int:
    begun = time.monotonic()
    settings = _with_port(call.settings, is_set=call.loaded.sources["origin"] not in ("default", LAST_START))
    _check(settings)
    access.make_folder(settings)
    lock = _only_server(settings)
    try:
        (settings.data / ORIGIN).write_text(f"{settings.origin}\n", "utf-8")
        logs.configure(settings.log.path, settings.log.level)
        metrics.share(settings.data / "metrics")
        with access.running(settings, tied=True) as (complete, cluster):
            _run(complete, cluster, begun)
    finally:
        os.close(lock)
    terminal.say(terminal.dim("Stopped."))
    return 0


def _run(settings: Settings, cluster: Cluster | None, begun: float) -> None:
    from ..app import run_worker  # noqa: PLC0415 - pages and API take long to load, and only we need them

    with worker_number(settings.data) as number:
        link = asyncio.run(_prepare(settings, cluster, number))
    Supervisor(
        host=settings.server.host,
        port=settings.server.port,
        workers=settings.server.workers,
        work=lambda post: run_worker(post, settings),
        cluster=cluster,
        announce=lambda: _announce(settings, cluster, link, time.monotonic() - begun),
        forget=metrics.forget,
    ).run()


async def _prepare(settings: Settings, cluster: Cluster | None, number: int) -> str | None:
    for name in await access.prepare(settings, cluster):
        log.info("migration applied", extra={"migration": name})
    async with open_road(settings, worker=number, for_jobs=True) as road:
        await found(road)
        await recover(road)
        other = await find_other_origin(road)
        if other is not None:
            said = (
                f"this data belongs to {other}, and origin is {settings.origin}: accounts made there are lost"
            )
            if settings.is_production:
                raise StartError(f"{said}; set origin to {other}, or choose another data folder")
            terminal.warn(said)
        return await operators.new_link(road)


def _announce(settings: Settings, cluster: Cluster | None, link: str | None, seconds: float) -> None:
    note = ""
    if os.geteuid() == 0 and cluster is not None:
        note = terminal.dim("  (PostgreSQL itself runs as another user, because it refuses root)")
    log.info("started", extra={"seconds": round(seconds, 2), "workers": settings.server.workers})
    for text in warnings(settings):
        log.warning(text)
        if settings.log.path:  # else it was just said here
            terminal.warn(text)
    where = f"{settings.data / 'postgres'} (embedded PostgreSQL)" if cluster else "external PostgreSQL"
    lines = [
        "",
        f"  {terminal.bold(settings.site.title)} {terminal.dim(f'is ready after {seconds:.1f} s')}",
        "",
        f"  Address   {terminal.link(settings.origin)}",
        f"  Data      {settings.data}{note}",
        f"  Database  {where}",
    ]
    if settings.log.path:
        lines.append(f"  Log       {settings.log.path}")
    if link is not None:
        lines += [
            "",
            f"  {terminal.green('Make the first operator account')}"
            f" (once, within {operators.LASTS.days} days):",
            f"  {terminal.link(link)}",
        ]
    terminal.say(*lines, "", terminal.dim("  Ctrl-C stops the server."), "")


def _with_port(settings: Settings, *, is_set: bool) -> Settings:
    """Makes sure of the port; an origin that nobody has set follows it."""
    port = claim_port(settings.server.host, settings.server.port)
    server = msgspec.structs.replace(settings.server, port=port)
    origin = settings.origin if is_set else ""
    return completed(msgspec.structs.replace(settings, server=server, origin=origin))


def _check(settings: Settings) -> None:
    if settings.server.workers > MOST_WORKERS:
        raise SettingsError(f"server.workers: at most {MOST_WORKERS}")
    url = urlsplit(settings.origin)
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        raise SettingsError(
            f"origin: {settings.origin} must be https, because {url.hostname} is not a loopback address here"
        )


def _is_loopback(host: str) -> bool:
    try:
        found_ = {entry[4][0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return False
    return bool(found_) and all(ip_address(str(address).partition("%")[0]).is_loopback for address in found_)


def _only_server(settings: Settings) -> int:
    """Holds the data folder's lock for as long as the server runs; the system frees it whatever ends us."""
    descriptor = os.open(settings.data / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise StartError(f"a server is already running on {settings.data}") from None
            time.sleep(0.05)
        else:
            return descriptor
