"""A database that the operator runs: only an address is known of it."""

import getpass
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from compliance.records import Source
from server import membership
from server.db import access
from server.db.embedded import SUPERUSER, Cluster
from server.opening import find_other_origin, found, open_road
from server.sections import Database
from server.settings import Settings

PASSWORD = "correct horse battery"


@pytest.fixture
async def external(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A PostgreSQL that knows nothing of us; its login `mighty` may make roles, its login `plain` may not."""
    cluster = Cluster(tmp_path / "elsewhere")
    cluster.take()
    names = "".join(f'yanlu "{getpass.getuser()}" {name}\n' for name in ("mighty", "plain"))
    with (cluster.folder / "pg_ident.conf").open("a") as file:
        file.write(names)
    conn = await asyncpg.connect(cluster.url(SUPERUSER, "postgres"))
    await conn.execute("create role mighty login createrole")
    await conn.execute("create role plain login")
    for name in ("mighty", "plain"):
        await conn.execute(f"create database {name} owner {name}")
    await conn.execute("select pg_reload_conf()")
    await conn.close()
    yield cluster
    cluster.give_back()


def _settings(folder: Path, url: str) -> Settings:
    return Settings(origin="http://localhost:8000", data=folder / "data", database=Database(url=url))


async def _run(settings: Settings) -> dict[str, Any]:
    """Opens the house on the database, makes a person, and tells what the running role may do."""
    with access.running(settings) as (complete, cluster):
        assert (settings, None) == (complete, cluster)
        assert len(await access.prepare(complete, cluster)) >= 4
        assert [] == await access.find_pending(complete)
        async with open_road(complete, worker=1) as road:
            await found(road)
            await membership.register(
                road,
                "alice",
                "alice@mail.example",
                PASSWORD,
                locale="en",
                accepted=True,
                source=Source.internal(),
                confirmed=True,
            )
            async with road.pool.acquire() as conn:
                row = await conn.fetchrow(
                    "select current_user as role,"
                    " has_table_privilege('compliance.decision', 'update') as may_alter"
                )
            assert row is not None
            return dict(row)


async def test_where_roles_may_be_made_the_server_runs_as_the_lesser_one(
    external: Cluster, tmp_path: Path
) -> None:
    """The role that answers requests must not be able to alter the log, external or not."""
    settings = _settings(tmp_path, external.url("mighty", "mighty"))
    assert {"role": "yanlu_app", "may_alter": False} == await _run(settings)
    assert not (tmp_path / "data" / "postgres").exists()


async def test_where_they_may_not_the_login_runs_everything_and_the_log_still_refuses(
    external: Cluster, tmp_path: Path
) -> None:
    """A rented database often has one login; its triggers keep the log all the same."""
    url = external.url("plain", "plain")
    assert {"role": "plain", "may_alter": True} == await _run(_settings(tmp_path, url))
    async with access.connected(url) as conn:
        for statement in ("delete from compliance.record", "truncate compliance.decision cascade"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(statement)


async def test_an_address_that_does_not_answer_is_said_to_be(tmp_path: Path) -> None:
    settings = _settings(tmp_path, f"postgresql://nobody@/nowhere?host={tmp_path}")
    with pytest.raises(access.DatabaseError, match="cannot be reached"):
        await access.prepare(settings, None)


async def test_an_origin_that_changed_is_noticed(external: Cluster, tmp_path: Path) -> None:
    """Every id of every account starts with it: other servers would not know any of them again."""
    settings = _settings(tmp_path, external.url("mighty", "mighty"))
    await _run(settings)
    moved = msgspec.structs.replace(settings, origin="http://localhost:9000")
    async with open_road(moved, worker=1) as road:
        assert await find_other_origin(road) == "http://localhost:8000"
    async with open_road(settings, worker=1) as road:
        assert await find_other_origin(road) is None
