"""`yanlu identity campaigns`: how far campaigns are, read from the machine itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from compliance import campaigns
from compliance.activity import AccountId
from compliance.campaigns import Audience
from compliance.records import Source
from server.cli import parser
from server.cli.command import call_of, on_road
from server.db.embedded import Cluster
from server.pipeline import Road
from tests.server.test_runtime_cli import Yanlu, _create


@pytest.fixture
def commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Yanlu]:
    cluster = Cluster(tmp_path / "data")
    cluster.take()
    yield Yanlu(tmp_path / "data", capsys)
    cluster.give_back()


async def _campaign(road: Road) -> int:
    now, by, source = road.clock(), AccountId(1), Source.internal("a test")
    async with road.pool.acquire() as conn, conn.transaction():
        campaign_id = await campaigns.create(
            conn,
            title="Autumn",
            reason="Numbers change hands.",
            audience=Audience(),
            deadline=now + timedelta(days=9),
            grace_days=0,
            by=by,
            now=now,
            source=source,
            new_id=road.ids,
        )
        await campaigns.start(conn, campaign_id, by=by, now=now, source=source, new_id=road.ids)
    return campaign_id


def test_campaigns_and_who_is_open_in_one(commands: Yanlu) -> None:
    """For a script that asks each night, or an operator without the console."""
    assert {"campaigns": []} == commands("identity", "campaigns")
    for name in ("alice", "bob"):
        _create(commands, name, "--attest", "seen in person")
    call = call_of(parser().parse_args(["identity", "campaigns", "--data", str(commands.data)]))
    campaign_id = on_road(call, _campaign)
    commands("identity", "attest", "alice", "--reason", "seen again")
    (found,) = commands("identity", "campaigns")["campaigns"]
    assert (str(campaign_id), "running", 2, 1, 1) == (
        *(found[name] for name in ("campaign", "state", "asked", "verified", "open")),
    )
    assert {"open": ["bob"]} == commands("identity", "campaigns", str(campaign_id))
    status, _, complaint = commands.all("identity", "campaigns", "7")
    assert (True, True) == (status != 0, "There is no campaign 7" in complaint)
