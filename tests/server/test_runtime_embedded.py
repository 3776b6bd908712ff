import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import pytest

from server.db.embedded import OWNER, SUPERUSER, Cluster
from server.db.programs import EmbeddedError
from server.db.roles import prepare_embedded

_TAKER = """
import sys
from pathlib import Path
from server.db.embedded import Cluster
cluster = Cluster(Path(sys.argv[1]), tied=sys.argv[2:] != ["untied"])
cluster.take()
print("child" if cluster.is_child else "adopted", flush=True)
sys.stdin.readline()
cluster.give_back()
"""


@contextmanager
def _taker(data: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that uses the database until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKER, str(data), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process:
        yield process, process.stdout.readline().strip()
        process.stdin.close()
        process.wait(20)


@contextmanager
def _taken(cluster: Cluster) -> Iterator[Cluster]:
    cluster.take()
    try:
        yield cluster
    finally:
        cluster.give_back()


@asynccontextmanager
async def _connected(
    cluster: Cluster, role: str = SUPERUSER, database: str = "postgres"
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    conn = await asyncpg.connect(cluster.url(role, database))
    try:
        yield conn
    finally:
        await conn.close()


def _postmaster(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])


async def _until_dead(cluster: Cluster) -> None:
    async with asyncio.timeout(20):
        while cluster.is_alive():  # noqa: ASYNC110 - a process of its own tells us nothing
            await asyncio.sleep(0.01)


async def test_the_last_user_stops_it(tmp_path: Path) -> None:
    """A command may end before or after the server it shares the database with; neither pulls it away."""
    with _taker(tmp_path) as (process, how):
        assert how == "child"
        ours = Cluster(tmp_path)
        ours.take()
        assert not ours.is_child
        ours.give_back()
        assert Cluster(tmp_path).is_alive()
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)
    assert not Cluster(tmp_path).is_alive()


async def test_a_command_that_ends_leaves_it_to_a_server_that_came_since(tmp_path: Path) -> None:
    """Otherwise every server started beside a command would lose its database when the command is done."""
    with _taker(tmp_path, "untied") as (process, how):
        assert how == "child"
        with _taken(Cluster(tmp_path)) as cluster:
            pid = _postmaster(tmp_path)
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)
            async with _connected(cluster) as conn:
                assert await conn.fetchval("select 1") == 1
            assert pid == _postmaster(tmp_path)
    assert not Cluster(tmp_path).is_alive()


async def test_only_whoever_may_is_let_in(tmp_path: Path) -> None:
    """The roles are tied to this system user by the kernel's word, not by a password in a file."""
    with _taken(Cluster(tmp_path)) as cluster:
        await prepare_embedded(cluster)
        async with _connected(cluster, OWNER, "yanlu") as conn:
            assert not await conn.fetchval("select rolsuper from pg_roles where rolname = current_user")
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            async with _connected(cluster, "somebody"):
                pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
async def test_a_killed_server_takes_its_database_along_and_the_next_start_finds_all(tmp_path: Path) -> None:
    """`kill -9` must leave nothing that stops the next start, and lose nothing that was committed."""
    with _taker(tmp_path) as (process, _), _taken(Cluster(tmp_path)) as cluster:
        async with _connected(cluster) as conn:
            await conn.execute("create table kept as select 1 as one")
        process.kill()
        process.wait()
        await _until_dead(cluster)
    with _taken(Cluster(tmp_path)) as cluster:
        async with _connected(cluster) as conn:
            assert await conn.fetchval("select one from kept") == 1


async def test_a_killed_database_is_started_again(tmp_path: Path) -> None:
    """Somebody killed it: its lock file and its orphans must not hold up the next start."""
    with _taken(Cluster(tmp_path)) as cluster:
        async with _connected(cluster) as conn:
            await conn.execute("create table kept as select 1 as one")
        os.kill(_postmaster(tmp_path), signal.SIGKILL)
        await _until_dead(cluster)
        cluster.take()
        async with _connected(cluster) as conn:
            assert await conn.fetchval("select one from kept") == 1


async def test_an_interrupted_first_start_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "half").touch()
    with _taken(Cluster(tmp_path)) as cluster:
        assert cluster.is_alive()


async def test_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    """A socket's path may have about 100 bytes; a data folder's may have more."""
    data = tmp_path / ("x" * 110)
    with _taken(Cluster(data)) as cluster:
        async with _connected(cluster) as conn:
            assert await conn.fetchval("select 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it under another account")
async def test_root_may_keep_it_where_only_root_can_go(tmp_path: Path) -> None:
    """PostgreSQL refuses root, and its other account cannot enter a home: it works all the same."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with _taken(Cluster(home / "data")) as cluster:
        async with _connected(cluster) as conn:
            assert await conn.fetchval("select 1") == 1
        assert (home / "data" / "postgres").stat().st_uid != 0


async def test_it_is_not_started_from_a_passing_thread(tmp_path: Path) -> None:
    """The kernel ties the child's life to the thread that started it: it would stop when the thread ends."""
    with pytest.raises(EmbeddedError, match="main thread"):
        await asyncio.to_thread(Cluster(tmp_path).take)
