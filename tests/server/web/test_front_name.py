"""The real name in front, on a server that requires it of people with many readers."""

from __future__ import annotations

import pytest

from server import certifying
from server.pipeline import Road
from server.sections import Certification
from server.store import cache
from tests.fixtures.server import Client, Enter, Serve
from tests.server.web.test_certification import PERSON, verified_as
from tests.server.web.visitor import Visitor


@pytest.fixture
async def client(serve: Serve) -> Client:
    """Ten readers are many here, and a week is the time to agree."""
    return await serve(certification=Certification(front_name_followers=10, front_name_days=7))


async def test_a_real_name_in_front_is_required_from_its_day_on(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """Whoever does not agree publishes until then; who agrees, or has fewer readers, goes on."""
    mei, page = await enter("mei"), "/settings/certification/name"
    await verified_as(road_of, mei.id, PERSON["name"])
    count = "update account_count set followers = $2 where account_id = $1"
    tending = certifying.Tending(road_of, lambda _letter: None)

    async def round_(followers: int) -> None:
        async with road_of.pool.acquire() as conn, conn.transaction():
            await conn.execute(count, mei.id, followers)
            await tending.step(conn, road_of.clock())
        cache.forget_accounts([mei.id])

    async def past_its_day() -> None:
        await road_of.pool.execute(
            "update compliance.front_name set due_at = now() - interval '1 minute' where due_at is not null"
        )

    async def refused() -> str | None:
        said = await mei.call("POST", "/api/v1/statuses", json={"status": "hello"})
        return None if said.status == 200 else str(said.body["yanlu"]["reason"])

    await round_(11)
    assert None is await refused()
    await past_its_day()
    await round_(11)
    assert "front_name_required" == await refused()
    await visitor.log_in("mei")
    assert "publish only with your real name shown" in (await visitor.get(page)).text
    await round_(9)
    assert None is await refused()
    await round_(11)
    await past_its_day()
    assert "front_name_required" == await refused()
    await visitor.send(page, page=page, real_name=PERSON["name"], agree="1")
    assert None is await refused()
