"""Brings the tables up to the code: numbered SQL files, forward only, each remembered with its digest.

Several starters may come at once; one works and the others wait for it. They poll for the lock, because
waiting inside PostgreSQL would hold a snapshot that CREATE INDEX CONCURRENTLY in turn waits for.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .pool import Connection
from .roles import quoted

FOLDER = Path(__file__).with_name("migrations")
_LOCK = 0x79616E6C75
_NO_TRANSACTION = "-- no-transaction"
_WAIT_SECONDS = 120


class MigrationError(Exception):
    """The database and the code do not fit; the message says how."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `0001_compliance.sql`."""

    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known(folder: Path = FOLDER) -> list[Migration]:
    """All migrations of the code, in order."""
    return [Migration(file.name, file.read_text("utf-8")) for file in sorted(folder.glob("[0-9]*.sql"))]


async def migrate(
    conn: Connection, *, app_role: str, migrations: Sequence[Migration] | None = None
) -> list[str]:
    """Applies what is missing, as the owner, and tells what it was. Raises `MigrationError`."""
    wanted = known() if migrations is None else migrations
    await _lock(conn)
    try:
        await conn.execute(
            "create table if not exists schema_migration"
            " (name text primary key, digest text not null, applied_at timestamptz not null default now())"
        )
        await conn.execute(f"grant select on schema_migration to {quoted(app_role)}")
        missing = _missing(wanted, await _applied(conn))
        for migration in missing:
            await _apply(conn, migration, app_role)
        return [migration.name for migration in missing]
    finally:
        await conn.execute("select pg_advisory_unlock($1)", _LOCK)


async def pending(conn: Connection, *, migrations: Sequence[Migration] | None = None) -> list[str]:
    """What `migrate` would apply. Raises `MigrationError`."""
    wanted = known() if migrations is None else migrations
    is_empty = await conn.fetchval("select to_regclass('public.schema_migration') is null")
    applied = {} if is_empty else await _applied(conn)
    return [migration.name for migration in _missing(wanted, applied)]


async def _applied(conn: Connection) -> dict[str, str]:
    rows = await conn.fetch("select name, digest from schema_migration")
    return {row["name"]: row["digest"] for row in rows}


def _missing(wanted: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    by_name = {migration.name: migration for migration in wanted}
    for name, digest in applied.items():
        if name not in by_name:
            raise MigrationError(
                f"the database is newer than this program: it has {name}; update the program"
            )
        if by_name[name].digest != digest:
            raise MigrationError(f"{name} was changed after it had been applied; a migration is never edited")
    return [migration for migration in wanted if migration.name not in applied]


async def _apply(conn: Connection, migration: Migration, app_role: str) -> None:
    sql = re.sub(r"(?<!:):app_role\b", lambda _: quoted(app_role), migration.sql)
    remember = "insert into schema_migration (name, digest) values ($1, $2)"
    if sql.startswith(_NO_TRANSACTION):
        await conn.execute("set statement_timeout = 0")
        await conn.execute(sql)
        await conn.execute(remember, migration.name, migration.digest)
        return
    async with conn.transaction():
        # A migration that cannot get its lock soon gives up, rather than hold up everybody behind it.
        await conn.execute("set local lock_timeout = '10s'; set local statement_timeout = '10min'")
        await conn.execute(sql, timeout=900)
        await conn.execute(remember, migration.name, migration.digest)


async def _lock(conn: Connection) -> None:
    for _ in range(_WAIT_SECONDS * 20):
        if await conn.fetchval("select pg_try_advisory_lock($1)", _LOCK):
            return
        await asyncio.sleep(0.05)
    raise MigrationError(f"another process has been migrating for {_WAIT_SECONDS} s")
