"""What every process needs before it can do anything: connections, keys, rules, and the road of them.

The server's workers and each command of the command line open the same way. `found` makes what a server
cannot be without, once for all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import resource
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import asyncpg

from compliance import agreements, paperwork, records, reserved, wordlists
from compliance.activity import AccountId
from compliance.errors import SealBroken
from compliance.keyring import FileKeys, GivenKeys, KeySource
from compliance.sealing import Sealer

from . import keypair, signing
from .db.pool import JOB_STATEMENT_SECONDS, WEB_STATEMENT_SECONDS, open_pool
from .db.roles import find_app_role
from .events import EVERYTHING, Events
from .ids import MAX_WORKER, Clock, IdMaker, system_clock
from .pipeline import Road, Rules
from .providers.kms import open_kms
from .settings import Settings
from .store import accounts, actor_keys, cache
from .uris import Uris

SECRET = "secret.key"  # noqa: S105 - the name of a file
VAULT = "vault"
"""The channel that says that there are other keys."""
_CLOSE_SECONDS = 10.0
MOST_WORKERS = 56
"""Worker numbers above this belong to the command line."""
_reading: set[asyncio.Task[None]] = set()

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def open_road(
    settings: Settings,
    *,
    worker: int,
    clock: Clock = system_clock,
    events: Events | None = None,
    for_jobs: bool = False,
) -> AsyncIterator[Road]:
    """The road of one process, with everything under it; closed again at the end of the block.

    Raises `SealBroken` where the key file is not the one that the database was sealed with.
    """
    events = events or Events()
    _keep_caches_true(events)
    url = settings.database.url
    conn = await asyncpg.connect(url, timeout=10)
    try:
        role = await find_app_role(conn)
    finally:
        await conn.close()
    pool = await open_pool(
        url,
        size=settings.database.pool_size,
        role=role,
        statement_seconds=JOB_STATEMENT_SECONDS if for_jobs else WEB_STATEMENT_SECONDS,
    )
    try:
        await events.start(url)
        async with pool.acquire() as conn:
            book = await wordlists.load_active(conn)
            oldest = await actor_keys.find_oldest(conn)
        sealer = await asyncio.to_thread(_load_sealer, settings, oldest)
        _follow_keys(events, sealer)
        yield Road(
            pool=pool,
            settings=settings,
            uris=Uris.of(settings.origin),
            ids=IdMaker(worker, clock),
            clock=clock,
            sealer=sealer,
            rules=Rules(book),
            events=events,
        )
    finally:
        await events.close()
        await _close(pool)


def key_source(settings: Settings, *, make: bool) -> KeySource:
    """Where the settings say that the keys are. With `make`, a server without any gets its first ones."""
    if settings.vault.keys:
        return GivenKeys(settings.vault.keys, "the setting vault.keys")
    if settings.vault.kms_url:
        return open_kms(settings, make=make)
    path = Path(settings.vault.keys_file) if settings.vault.keys_file else settings.data / SECRET
    return FileKeys(path, make=make)


def _load_sealer(settings: Settings, sealed: actor_keys.SigningKey | None) -> Sealer:
    """The keys that are set: they open what is sealed in the database, or are made where nothing is."""
    # A core file would hold keys and papers.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source = key_source(settings, make=sealed is None)
    sealer = Sealer(source)
    if sealed is not None:
        try:
            sealer.open(sealed.private_sealed, context=f"actor-key:{sealed.key_id}")
        except SealBroken as error:
            raise SealBroken(
                f"{source.place}: this is not the key of this database: put the right one back"
            ) from error
    return sealer


def _follow_keys(events: Events, sealer: Sealer) -> None:
    """Takes up new keys when another process says that there are some."""

    async def take_up() -> None:
        try:
            await asyncio.to_thread(sealer.reload)
        except SealBroken as error:
            log.error("the keys could not be read again: %s", error)

    def hear(_payload: str) -> None:
        task = asyncio.get_running_loop().create_task(take_up(), name="keys")
        _reading.add(task)
        task.add_done_callback(_reading.discard)

    events.subscribe(VAULT, hear)


async def found(road: Road) -> None:
    """Makes the log's months, the agreements and the server's own account, where they are not there yet."""
    now, name = road.clock(), road.uris.host
    async with road.pool.acquire() as conn, conn.transaction():
        # Whoever comes at the same moment waits, and finds everything done.
        await conn.execute("select pg_advisory_xact_lock(hashtext('yanlu.found'))")
        await records.open_months(conn, now)
        await agreements.seed(conn, now=now)
        await reserved.seed(conn, now=now)
        await signing.found(conn, sealer=road.sealer, uris=road.uris, now=now)
        await paperwork.seed(conn, now=now)
        if await accounts.find_by_uri(conn, road.uris.instance_actor, uris=road.uris) is not None:
            return
        public_pem, private_pem = await keypair.new()
        await accounts.insert_local(
            conn,
            id=AccountId(road.ids()),
            username=name,
            uris=road.uris,
            public_pem=public_pem,
            private_sealed=road.sealer.seal(private_pem, context=f"actor-key:{road.uris.key(name)}"),
            now=now,
            actor_type="Application",
        )


async def find_other_origin(road: Road) -> str | None:
    """An origin that accounts here were made under, where it is not the one that is set now."""
    async with road.pool.acquire() as conn:
        uri: str | None = await conn.fetchval(
            "select uri from account where host is null and not starts_with(uri, $1) order by id limit 1",
            f"{road.uris.origin}/",
        )
    return "/".join(uri.split("/")[:3]) if uri else None


@contextlib.contextmanager
def worker_number(data: Path) -> Iterator[int]:
    """A number for the ids of a process that is no worker of the server: nobody else has it meanwhile."""
    for number in range(MOST_WORKERS + 1, MAX_WORKER + 1):
        descriptor = os.open(data / f"ids-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if number == MAX_WORKER else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            continue
        try:
            yield number
        finally:
            os.close(descriptor)
        return


def _keep_caches_true(events: Events) -> None:
    """What this process or another changed is forgotten here."""

    def follow(channel: str, forget: Callable[[Iterable[Any]], None], clear: Callable[[], None]) -> None:
        def hear(payload: str) -> None:
            if payload == EVERYTHING:
                clear()
            else:
                forget((int(payload),))

        events.subscribe(channel, hear)

    follow("posts", cache.forget_posts, cache.posts.clear)
    follow("accounts", cache.forget_accounts, cache.accounts.clear)
    follow("homes", cache.forget_homes, cache.homes.clear)


async def _close(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:  # somebody holds on to a connection
        pool.terminate()
