"""What the operator's machines ask."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.app import create_app
from server.sections import Database, Federation, Metrics
from server.settings import Settings
from tests.fixtures.postgres import Database as Fresh

TOKEN = "opensesame"
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def server(database: Fresh, tmp_path: Path) -> AsyncIterator[Client]:
    settings = Settings(
        origin="http://localhost:8000",
        data=tmp_path,
        database=Database(url=database.url),
        federation=Federation(enabled=False),
        metrics=Metrics(token=TOKEN),
    )
    async with TestClient(TestServer(create_app(settings, worker=1))) as client:
        yield client


async def test_health_is_quick_and_says_nothing_more(server: Client) -> None:
    """Anybody may ask it, every second: it costs one statement and tells no version and no path."""
    await server.get("/health")
    begun = time.perf_counter()
    answer = await server.get("/health")
    assert time.perf_counter() - begun < 0.5  # 50 ms, with room for a busy machine
    assert (200, {"status": "ok"}) == (answer.status, await answer.json())
    assert answer.headers["Server"] == "Yanlu"


async def test_health_fails_while_the_database_takes_no_writes(server: Client, database: Fresh) -> None:
    """A disk that is full, or a standby, answers reads: a probe that only reads would call it well."""
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(f"alter database {database.name} set default_transaction_read_only = on")
    await owner.close()
    app = await asyncpg.connect(database.url)
    await app.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where usename = current_user and datname = current_database() and pid <> pg_backend_pid()"
    )
    await app.close()
    await server.get("/health")  # on a connection that was just broken
    answer = await server.get("/health")
    assert (503, {"status": "unavailable"}) == (answer.status, await answer.json())


async def test_metrics_are_for_the_bearer_of_the_token(server: Client) -> None:
    assert (await server.get("/metrics")).status == 403
    wrong = {"Authorization": "Bearer wrong"}
    assert (await server.get("/metrics", headers=wrong)).status == 403
    await server.get("/health")
    answer = await server.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    text = await answer.text()
    assert answer.status == 200
    assert 'yanlu_request_seconds_count{method="GET",route="/health",status="200"} 1.0' in text
