"""What the client API does is in the log: who, what, and from where (Article 16)."""

from __future__ import annotations

from typing import Any

from server.pipeline import Road
from tests.fixtures.server import Caller, Enter


async def _records(road: Road, kind: str) -> list[Any]:
    async with road.pool.acquire() as conn:
        return list(
            await conn.fetch(
                "select actor_id, object, host(address) as address, port, client, decision_id "
                "from compliance.record where kind = $1 order by id",
                kind,
            )
        )


async def test_acts_by_the_api_are_recorded_with_where_they_came_from(enter: Enter, road_of: Road) -> None:
    """In the act's own transaction, with the decision that cleared it."""
    alice, bob = await enter("alice"), await enter("bob")
    agent = {"User-Agent": "TestApp/1.0 (phone)" + "x" * 300}
    made = (
        (await alice.call("POST", "/api/v1/statuses", json={"status": "hello"}, headers=agent)).raised().body
    )
    await bob.do(f"/api/v1/statuses/{made['id']}/favourite")
    await bob.do(f"/api/v1/accounts/{alice.id}/follow")
    (await alice.call("PUT", f"/api/v1/statuses/{made['id']}", json={"status": "new"})).raised()
    (await alice.call("DELETE", f"/api/v1/statuses/{made['id']}")).raised()
    for kind, who in (
        ("activity:create", alice),
        ("activity:like", bob),
        ("activity:follow", bob),
        ("activity:update", alice),
        ("activity:delete", alice),
    ):
        (record,) = await _records(road_of, kind)
        assert (who.id, "127.0.0.1") == (record["actor_id"], record["address"])
        assert 0 < record["port"] < 65_536
        assert record["decision_id"] is not None
    (created,) = await _records(road_of, "activity:create")
    assert agent["User-Agent"][:200] == created["client"]


async def test_apps_and_their_tokens_are_recorded(nobody: Caller, road_of: Road) -> None:
    """Who let which app in, and when that ended."""
    app = await nobody.do("/api/v1/apps", client_name="An app", redirect_uris="https://app.example/back")
    own = {name: app[name] for name in ("client_id", "client_secret")}
    said = own | {"grant_type": "client_credentials"}
    token = (await nobody.call("POST", "/oauth/token", json=said)).raised().body
    await nobody.call("POST", "/oauth/revoke", json=own | {"token": token["access_token"]})
    for kind in ("app:register", "token:create", "token:revoke"):
        (record,) = await _records(road_of, kind)
        assert (None, app["id"], "127.0.0.1") == (record["actor_id"], record["object"], record["address"])
