"""Gets at the database of a server, whether it is embedded or external, running or not.

`running` fills the addresses into the settings, so that nobody else has to know which kind it is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator

import asyncpg
import msgspec

from ..sections import CORES
from ..settings import Settings
from .embedded import APP, OWNER, Cluster
from .migrate import migrate, pending
from .pool import Connection
from .roles import grant_app_role, prepare_embedded

_SPARE_CONNECTIONS = 24  # listeners, commands beside the server (each a pool of its own), maintenance
_OLDEST = 14


class DatabaseError(Exception):
    """The database cannot be used; the message says why and what to do."""


def make_folder(settings: Settings) -> None:
    """Makes the data folder, for its owner's eyes only, where there is none. Raises `DatabaseError`."""
    try:
        # PostgreSQL runs under another account when we are root, and goes through to its own folder.
        settings.data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"{settings.data} cannot be made: {error.strerror}") from error


@contextlib.contextmanager
def running(settings: Settings, *, tied: bool = False) -> Iterator[tuple[Settings, Cluster | None]]:
    """The settings completed with the addresses of a database that runs for as long as this block.

    One that is `tied` ends with this process even when it is killed.
    """
    make_folder(settings)
    if settings.database.url:
        yield settings, None
        return
    most = CORES * (settings.database.pool_size + 1) + _SPARE_CONNECTIONS
    cluster = Cluster(settings.data, connections=most, tied=tied)
    cluster.take()
    try:
        addresses = msgspec.structs.replace(
            settings.database, url=cluster.url(APP), owner_url=cluster.url(OWNER)
        )
        yield msgspec.structs.replace(settings, database=addresses), cluster
    finally:
        cluster.give_back()


async def prepare(settings: Settings, cluster: Cluster | None) -> list[str]:
    """Makes roles and tables what the code needs, and tells which migrations were applied."""
    if cluster is not None:
        await prepare_embedded(cluster)
    async with connected(settings.database.owner_url or settings.database.url) as owner:
        _check_version(owner)
        return await migrate(owner, app_role=await _app_role(settings, owner, cluster))


async def find_pending(settings: Settings) -> list[str]:
    """Names of the migrations that `prepare` would apply."""
    async with connected(settings.database.owner_url or settings.database.url) as owner:
        return await pending(owner)


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """One connection outside any pool. Raises `DatabaseError`."""
    try:
        conn = await asyncpg.connect(url, timeout=10, server_settings={"application_name": "yanlu"})
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseError(f"the database cannot be reached: {error}") from error
    try:
        yield conn
    finally:
        await conn.close()


def _check_version(conn: Connection) -> None:
    found = conn.get_server_version()
    if found.major < _OLDEST:
        raise DatabaseError(f"PostgreSQL {found.major} is too old: {_OLDEST} or newer is needed")


async def _app_role(settings: Settings, owner: Connection, cluster: Cluster | None) -> str:
    if cluster is not None:
        return APP
    login: str = await owner.fetchval("select current_user")
    if settings.database.owner_url and settings.database.owner_url != settings.database.url:
        async with connected(settings.database.url) as conn:
            login = await conn.fetchval("select current_user")
    return await grant_app_role(owner, login)
