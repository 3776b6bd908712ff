"""How clients hear that somebody is certified."""

from __future__ import annotations

import asyncio
import importlib
from datetime import timedelta
from typing import Any

from compliance.classes import CertClass
from server.pipeline import Road
from server.store import marks
from server.store.marks import Mark
from tests.fixtures.server import Caller, Enter
from tests.server.api.contract import faults


async def certify(road: Road, who: Caller, **changes: Any) -> Mark:
    now = road.clock()
    values: dict[str, Any] = {
        "class_": CertClass.GOVERNMENT,
        "label": "<b>示范局</b> & Co",
        "certified_at": now - timedelta(days=1),
        "expires_at": now + timedelta(days=364),
    }
    mark = Mark(**(values | changes))
    async with road.pool.acquire() as conn, conn.transaction():
        await marks.set(conn, who.id, mark)
    marks.forget(road.events, who.id)
    return mark


async def test_an_account_says_what_was_certified(road_of: Road, enter: Enter, nobody: Caller) -> None:
    ju = await enter("ju")
    await ju.call(
        "PATCH",
        "/api/v1/accounts/update_credentials",
        data={"fields_attributes[0][name]": "城市", "fields_attributes[0][value]": "北京"},
    )
    before = await nobody.get(f"/api/v1/accounts/{ju.id}")
    assert (before["roles"], "yanlu" in before, len(before["fields"])) == ([], False, 1)
    mark = await certify(road_of, ju)
    found = await nobody.get(f"/api/v1/accounts/{ju.id}")
    assert list(faults(found, "Account")) == []
    first, second = found["fields"]
    assert (first["name"], first["value"]) == ("认证 Certified", "&lt;b&gt;示范局&lt;/b&gt; &amp; Co")
    assert first["verified_at"] == found["yanlu"]["certification"]["certified_at"]
    assert second["name"] == "城市"
    [role] = found["roles"]
    assert role["color"] == "#B3261E"
    assert "Government body" in role["name"]
    assert found["yanlu"]["certification"] == {
        "class": "government",
        "label": mark.label,
        "certified_at": first["verified_at"],
        "expires_at": found["yanlu"]["certification"]["expires_at"],
        "host": None,
    }


async def test_it_is_with_every_status_and_with_oneself(road_of: Road, enter: Enter, nobody: Caller) -> None:
    ju, li = await enter("ju"), await enter("li")
    status = await ju.post("通知")
    await li.do(f"/api/v1/statuses/{status['id']}/reblog")
    await certify(road_of, ju, class_=CertClass.MEDIA)
    shown = await nobody.get(f"/api/v1/statuses/{status['id']}")
    assert shown["account"]["yanlu"]["certification"]["class"] == "media"
    [boost] = await nobody.get(f"/api/v1/accounts/{li.id}/statuses")
    assert boost["reblog"]["account"]["yanlu"]["certification"]["class"] == "media"
    me = await ju.get("/api/v1/accounts/verify_credentials")
    assert list(faults(me, "CredentialAccount")) == []
    assert me["yanlu"]["certification"]["class"] == "media"
    assert me["yanlu"]["identity"]["state"] == "verified"
    # What one edits is one's own: the first row is the server's.
    assert me["source"]["fields"] == []


async def test_a_mark_that_ran_out_is_shown_no_more_even_where_it_is_kept(
    road_of: Road, enter: Enter, nobody: Caller
) -> None:
    ju = await enter("ju")
    await ju.post("通知")
    await certify(road_of, ju, expires_at=road_of.clock() + timedelta(seconds=1.5))
    path = f"/api/v1/accounts/{ju.id}"
    assert "yanlu" in await nobody.get(path)
    [status] = await nobody.get(f"{path}/statuses")
    assert "yanlu" in status["account"]
    await asyncio.sleep(1.7)
    assert "yanlu" not in await nobody.get(path)
    [status] = await nobody.get(f"{path}/statuses")
    assert "yanlu" not in status["account"]


async def test_the_own_table_keeps_its_limit(road_of: Road, enter: Enter) -> None:
    ju = await enter("ju")
    await certify(road_of, ju)
    rows = {}
    for number in range(10):
        rows[f"fields_attributes[{number}][name]"] = f"n{number}"
        rows[f"fields_attributes[{number}][value]"] = "v"
    answer = await ju.call("PATCH", "/api/v1/accounts/update_credentials", data=rows)
    assert answer.status == 200
    assert len(answer.body["fields"]) == 11
    assert len(answer.body["source"]["fields"]) == 10


async def test_clients_read_it(road_of: Road, enter: Enter, nobody: Caller) -> None:
    ju = await enter("ju")
    await certify(road_of, ju)
    found = await nobody.get(f"/api/v1/accounts/{ju.id}")
    types: Any = importlib.import_module("mastodon.types_base")
    theirs: Any = importlib.import_module("mastodon.return_types")
    read = types.try_cast_recurse(theirs.Account, found)
    assert (read.roles[0]["color"], read.fields[0].name) == ("#B3261E", "认证 Certified")
    assert read.fields[0].verified_at is not None
    toot: Any = importlib.import_module("toot.entities")
    known = toot.from_dict(toot.Account, found)
    assert (known.fields[0].name, bool(known.fields[0].verified_at)) == ("认证 Certified", True)
