"""Rotation: beside a server that works, resumed after a stop, and down to the retirement of the old key."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from compliance import accesses, openings, vault
from compliance.accesses import Field, Purpose
from compliance.activity import AccountId
from compliance.errors import SealBroken
from compliance.keyring import FileKeys, Keys, text_of
from server import sections, settings
from server.db.embedded import APP, OWNER, Cluster
from server.opening import open_road
from server.pipeline import Road
from server.store import members
from server.store.model import Role
from tests.fixtures.people import SOURCE

PASSWORD = "correct horse battery"
NUMBER = "+8613800138{:03}"


ROOT = Path(__file__).parents[2]


class Yanlu:
    """Runs commands on one data folder, each in a process of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "server", *words, "--data", str(self.data), "--json"),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *words: str) -> tuple[int, Any, str]:
        """Status, answer and complaint."""
        process = await self.start(*words)
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, json.loads(out) if out else None, err.decode()

    async def well(self, *words: str) -> Any:
        status, said, err = await self(*words)
        assert status == 0, (said, err)
        return said


@pytest.fixture
def cluster_of(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "data")
    cluster.take()
    yield cluster
    cluster.give_back()


@pytest.fixture
async def yanlu(cluster_of: Cluster, tmp_path: Path) -> Yanlu:
    """A server with a member whose number is sealed."""
    yanlu = Yanlu(tmp_path / "data")
    words = ("--email", "an@mail.example", "--password", PASSWORD, "--phone", NUMBER.format(0))
    await yanlu.well("account", "create", "an", *words)
    return yanlu


@asynccontextmanager
async def running(yanlu: Yanlu, cluster: Cluster, worker: int = 1) -> AsyncIterator[Road]:
    """What a worker of the running server has."""
    database = sections.Database(url=cluster.url(APP), owner_url=cluster.url(OWNER))
    made = settings.Settings(origin="http://localhost:8000", data=yanlu.data, database=database)
    async with open_road(made, worker=worker) as road:
        yield road


async def put(road: Road, account_id: int, number: int) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        await vault.put(
            conn,
            AccountId(account_id),
            Field.MOBILE,
            NUMBER.format(number),
            sealer=road.sealer,
            now=road.clock(),
            new_id=road.ids,
        )


async def read_all(road: Road, account_id: AccountId) -> set[str]:
    async with road.pool.acquire() as conn, conn.transaction():
        rows = await accesses.read_own(conn, account_id, now=road.clock(), source=SOURCE, new_id=road.ids)
    return {paper.value.decode() for paper in accesses.opened(rows, road.sealer)}


async def test_workers_go_on_while_the_keys_are_changed(yanlu: Yanlu, cluster_of: Cluster) -> None:
    """Two workers put papers in and read them all the while; none fails, and none is lost. Afterwards the old
    key opens nothing, and nobody needs it."""
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(running(yanlu, cluster_of, n)) for n in (1, 2)]
        an = await _id_of(one, "an")
        rotated, done = asyncio.Event(), {one: 0, two: 0}

        async def work(road: Road, first: int) -> None:
            while not rotated.is_set() or done[road] < 20:
                person = first + done[road] % 50
                await put(road, person, done[road])
                async with road.pool.acquire() as conn:
                    member = await members.get(conn, an)
                opened = road.sealer.open(member.email_sealed, context=f"email:{an}")
                assert opened == b"an@mail.example"
                done[road] += 1

        load = [asyncio.create_task(work(one, 1_000)), asyncio.create_task(work(two, 2_000))]
        await asyncio.sleep(0.3)
        before = dict(done)
        told = await yanlu.well("vault", "rotate", "--step", "20")
        assert 2 == told["version"]
        retired = await yanlu.well("vault", "rotate", "--retire", "--step", "20")
        assert ([1], 2) == (retired["retired"], retired["version"])
        rotated.set()
        await asyncio.gather(*load)
        assert all(done[road] > before[road] for road in done)
        assert {2} == set(one.sealer.versions) == set(two.sealer.versions)
        assert {NUMBER.format(0)} == await read_all(one, an)
    status = await yanlu.well("vault", "status")
    assert ([2], 0) == (status["versions"], status["left"])
    audit = await yanlu.well("vault", "audit")
    assert (sum(done.values()) + 1, []) == (audit["papers"], audit["faults"])


async def test_a_rotation_that_was_killed_goes_on_where_it_was(yanlu: Yanlu, cluster_of: Cluster) -> None:
    """Killed between two steps: what is done stays done, the rest is done by the next run, with no further
    key."""
    async with running(yanlu, cluster_of) as road:
        for person in range(1_000, 1_400):
            await put(road, person, 1)
    process = await yanlu.start("vault", "rotate", "--step", "1")
    owner = await asyncpg.connect(cluster_of.url(OWNER))
    try:
        moved = "select count(*) from vault.person_key where key_version = 2"
        while not await owner.fetchval(moved):  # noqa: ASYNC110 - it is another process that we wait for
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    finally:
        await owner.close()
    status = await yanlu.well("vault", "status")
    assert 0 < status["left"] <= 402
    told = await yanlu.well("vault", "rotate")
    assert (2, status["left"]) == (told["version"], told["sealed"])
    assert 0 == (await yanlu.well("vault", "status"))["left"]


async def test_an_audit_names_a_flipped_bit_and_who_read_what(yanlu: Yanlu, cluster_of: Cluster) -> None:
    """And a rotation leaves a broken key as it is, says so, and retires nothing."""
    for name, role in (("olga", "compliance"), ("chen", "editor")):
        words = ("--email", f"{name}@mail.example", "--password", PASSWORD, "--role", role)
        await yanlu.well("account", "create", name, *words)
    async with running(yanlu, cluster_of) as road:
        await _open(road)
        await put(road, 7, 7)
    audit = await yanlu.well("vault", "audit")
    [access] = audit["accesses"]
    assert ("olga", "an", "chen", "court") == tuple(
        access[name] for name in ("reader", "whose", "approved_by", "purpose")
    )
    owner = await asyncpg.connect(cluster_of.url(OWNER))
    try:
        await owner.execute(
            "update vault.person_key"
            " set wrapped_key = set_byte(wrapped_key, 40, get_byte(wrapped_key, 40) # 1) where account_id = 7"
        )
    finally:
        await owner.close()
    status, audit, err = await yanlu("vault", "audit")
    assert (1, [7]) == (status, [fault["account_id"] for fault in audit["faults"]])
    assert "mobile of account 7" in err
    assert "138" not in err
    status, told, err = await yanlu("vault", "rotate", "--retire")
    assert (1, [["keys of people", "7"]], []) == (status, told["broken"], told["retired"])
    assert "keys of people of 7" in err
    assert {1, 2} == set(FileKeys(yanlu.data / "secret.key").load().seals)


async def test_keys_in_the_environment_are_rotated_in_two_restarts(
    yanlu: Yanlu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says how, makes the line, and seals everything anew when the new key is current."""
    keys = FileKeys(yanlu.data / "secret.key").load()
    (yanlu.data / "secret.key").unlink()
    monkeypatch.setenv("YANLU_VAULT_KEYS", text_of(keys).strip().replace("\n", ";"))
    status, said, _ = await yanlu("vault", "rotate")
    assert 1 == status
    assert "yanlu vault new-key" in said["error"]
    assert "current 1" in said["error"]
    line = (await yanlu.well("vault", "new-key"))["line"]
    assert line.startswith("seal 2 ")
    ring = f"{text_of(keys)}{line}\n"
    monkeypatch.setenv("YANLU_VAULT_KEYS", f"{ring}current 1")
    status = await yanlu.well("vault", "status")
    assert ([1, 2], 1, 0) == (status["versions"], status["current"], status["left"])
    monkeypatch.setenv("YANLU_VAULT_KEYS", ring)
    assert 2 == (await yanlu.well("vault", "rotate"))["version"]
    assert 0 == (await yanlu.well("vault", "status"))["left"]
    assert not (yanlu.data / "secret.key").exists()


async def test_a_worker_that_heard_nothing_still_opens_what_a_new_key_sealed(
    yanlu: Yanlu, cluster_of: Cluster
) -> None:
    """It looks at the source again when it meets a version that it does not know."""
    async with running(yanlu, cluster_of) as road:
        an = await _id_of(road, "an")
        source = FileKeys(yanlu.data / "secret.key")
        source.store(source.load().with_another())
        other = type(road.sealer)(FileKeys(yanlu.data / "secret.key"))
        await asyncio.sleep(1.1)
        assert b"x" == road.sealer.open(other.seal(b"x", context="c"), context="c")
        assert {NUMBER.format(0)} == await read_all(road, an)


def test_a_ring_whose_index_key_changed_is_refused(tmp_path: Path) -> None:
    """Every blind index would be worth nothing."""
    path = tmp_path / "keys"
    source = FileKeys(path)
    keys = source.load()
    from compliance.sealing import Sealer

    sealer = Sealer(source)
    source.store(Keys(Keys.fresh().index, keys.seals))
    with pytest.raises(SealBroken, match="another server"):
        sealer.reload()


async def _open(road: Road) -> None:
    """Olga reads An's number, and Chen has approved it."""
    an, olga, chen = [await _id_of(road, name) for name in ("an", "olga", "chen")]
    about: dict[str, Any] = {"source": SOURCE, "new_id": road.ids}
    async with road.pool.acquire() as conn, conn.transaction():
        opening = await openings.request(
            conn,
            an,
            [Field.MOBILE],
            purpose=Purpose.COURT,
            legal_basis="order 7",
            case="2026-1",
            by=olga,
            now=road.clock(),
            **about,
        )
        await openings.decide(conn, opening, approve=True, statement="", by=chen, now=road.clock(), **about)
        rows = await openings.read(conn, opening, by=olga, now=road.clock(), **about)
    assert [NUMBER.format(0).encode()] == [one.value for one in accesses.opened(rows, road.sealer)]
    async with road.pool.acquire() as conn:
        assert Role.COMPLIANCE in (await members.get(conn, olga)).roles


async def _id_of(road: Road, name: str) -> AccountId:
    return AccountId(
        await road.pool.fetchval("select id from account where username = $1 and host is null", name)
    )
