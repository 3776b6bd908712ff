import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from server.db.embedded import APP
from server.db.migrate import Migration, MigrationError, known, migrate, pending
from server.db.pool import Connection
from tests.fixtures.postgres import Database


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Connection]:
    conn = await asyncpg.connect(database.owner_url)
    yield conn
    await conn.close()


def _with(*more: Migration) -> list[Migration]:
    return [*known(), *more]


async def test_a_new_migration_is_applied_once(owner: Connection) -> None:
    first = Migration("9001_thing.sql", "create table thing (id int); grant select on thing to :app_role;")
    assert ["9001_thing.sql"] == await pending(owner, migrations=_with(first))
    assert ["9001_thing.sql"] == await migrate(owner, app_role=APP, migrations=_with(first))
    assert [] == await migrate(owner, app_role=APP, migrations=_with(first))


async def test_one_that_fails_leaves_nothing_behind(owner: Connection) -> None:
    """The server does not start on half a migration, and the next try begins where this one did."""
    broken = Migration("9001_broken.sql", "create table thing (id int); select 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(owner, app_role=APP, migrations=_with(broken))
    assert await owner.fetchval("select to_regclass('thing')") is None
    assert ["9001_broken.sql"] == await pending(owner, migrations=_with(broken))


async def test_an_edited_migration_is_refused(owner: Connection) -> None:
    """Two databases that ran different files under one name would differ for ever, unseen."""
    await migrate(owner, app_role=APP, migrations=_with(Migration("9001_a.sql", "select 1")))
    with pytest.raises(MigrationError, match="was changed after"):
        await migrate(owner, app_role=APP, migrations=_with(Migration("9001_a.sql", "select 2")))


async def test_a_database_newer_than_the_program_is_refused(owner: Connection) -> None:
    await migrate(owner, app_role=APP, migrations=_with(Migration("9001_a.sql", "select 1")))
    with pytest.raises(MigrationError, match="newer"):
        await migrate(owner, app_role=APP)


async def test_starters_at_the_same_moment_do_not_collide(database: Database, owner: Connection) -> None:
    """Several machines may be started at once; an index built concurrently must not deadlock with them."""
    wanted = _with(
        Migration("9001_a.sql", "create table thing (id int)"),
        Migration("9002_b.sql", "-- no-transaction\ncreate index concurrently thing_id on thing (id)"),
    )

    async def start() -> list[str]:
        conn = await asyncpg.connect(database.owner_url)
        try:
            return await migrate(conn, app_role=APP, migrations=wanted)
        finally:
            await conn.close()

    async with asyncio.timeout(30):
        applied = await asyncio.gather(*(start() for _ in range(4)))
    assert ["9001_a.sql", "9002_b.sql"] == sorted(name for names in applied for name in names)
