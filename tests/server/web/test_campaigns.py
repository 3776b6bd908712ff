"""Campaigns in the console: counted, started, watched and closed, as an operator does it."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance import identity
from server import keys
from server.pipeline import Road
from server.store.model import Role
from tests.fixtures.server import SOURCE, Client, Enter
from tests.server.web.staff import hire
from tests.server.web.visitor import Seen, Visitor

HOME = "/admin/campaigns"


def _form(**more: Any) -> dict[str, Any]:
    day = datetime.now(UTC) + timedelta(days=10)
    values = {
        "title": "Autumn",
        "reason": "Numbers <b>change</b> hands.",
        "deadline": f"{day:%Y-%m-%d}",
        "grace_days": "3",
        "act": "create",
    }
    return values | more


async def _draft(visitor: Visitor, **more: Any) -> Seen:
    return await visitor.send(HOME, **_form(**more))


async def test_an_operator_counts_starts_watches_and_closes(
    client: Client, road_of: Road, enter: Enter, visitor: Visitor, another: Visitor
) -> None:
    """The whole life of a campaign, and what somebody in it sees."""
    one, _two = await enter("one"), await enter("two")
    await enter("outside")
    await hire(visitor, enter, road_of, Role.COMPLIANCE)
    counted = await visitor.send(HOME, **_form(act="count", handles="one, @two"))
    assert "This would ask 2 accounts. Nobody has been asked." in counted.text
    assert 'value="Autumn"' in counted.text  # nothing typed is lost
    draft = await _draft(visitor, handles="one\ntwo")
    assert re.fullmatch(r"/admin/campaigns/\d+", draft.path)
    assert "This asks 2 accounts now" in draft.text
    assert "Numbers &lt;b&gt;change&lt;/b&gt; hands." in draft.text
    running = await visitor.send(f"{draft.path}/start", page=draft.path)
    assert (200, draft.path) == (running.status, running.path)
    assert 'class="plot-curve"' in running.text
    assert "@one<" in running.text and "@two<" in running.text

    async with road_of.pool.acquire() as conn, conn.transaction():
        await identity.attest(
            conn,
            one.id,
            reason="seen again",
            by=None,
            now=road_of.clock(),
            source=SOURCE,
            new_id=road_of.ids,
        )
    watched = await visitor.get(draft.path)
    assert "1 of 2 accounts have verified again" in watched.text
    exported = await visitor.get(f"{draft.path}/open.csv")
    assert "attachment" in exported.headers["Content-Disposition"]
    assert [["handle"], ["two"]] == list(csv.reader(io.StringIO(exported.text)))

    await another.log_in("two")
    asked = await another.get("/settings/identity")
    assert "Numbers &lt;b&gt;change&lt;/b&gt; hands." in asked.text
    closed = await visitor.send(f"{draft.path}/close", page=draft.path)
    assert (HOME, True) == (closed.path, "1 / 2" in closed.text)
    async with road_of.pool.acquire() as conn:
        kinds = await conn.fetch(
            "select kind from compliance.record where kind like 'campaign:%' order by id"
        )
    assert ["campaign:create", "campaign:start", "campaign:close"] == [row["kind"] for row in kinds]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": ""}, "Give it a title"),
        ({"reason": ""}, "Give a reason"),
        ({"deadline": "soon"}, "Give a day as year-month-day"),
        ({"deadline": "2020-01-01"}, "Choose a day between tomorrow and a year from now"),
        ({"grace_days": "many"}, "Choose 0 to 180 days"),
        ({"grace_days": "500"}, "Choose 0 to 180 days"),
        ({"handles": "one nobody"}, "Nobody here is called nobody"),
        ({"handles": "one@far.example"}, "Nobody here is called one@far.example"),
        ({"method": "guess"}, "Choose one of these"),
        ({"class": "royal"}, "Choose one of these"),
        ({"tier": "no such"}, "There is no such tier"),
        ({"verified_before": "2027-13-01"}, "Give a day as year-month-day"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
    road_of: Road, enter: Enter, visitor: Visitor, wrong: dict[str, str], said: str
) -> None:
    """And no draft is left behind."""
    await enter("one")
    await hire(visitor, enter, road_of, Role.EDITOR)
    page = await _draft(visitor, **{"title": "Kept title", **wrong})
    assert 422 == page.status
    assert 'aria-invalid="true"' in page.text
    assert said in page.text
    assert "Numbers &lt;b&gt;change&lt;/b&gt; hands." in page.text or "reason" in wrong
    async with road_of.pool.acquire() as conn:
        assert 0 == await conn.fetchval("select count(*) from compliance.campaign")


async def test_a_campaign_of_nobody_does_not_start(road_of: Road, enter: Enter, visitor: Visitor) -> None:
    """Said on its page; it stays a draft that can be thrown away."""
    await hire(visitor, enter, road_of, Role.ADMIN)
    draft = await _draft(visitor, method="passport-cn")
    page = await visitor.send(f"{draft.path}/start", page=draft.path)
    assert (422, True) == (page.status, "Nobody is in this campaign" in page.text)
    await visitor.send(f"{draft.path}/close", page=draft.path)
    assert 404 == (await visitor.get(draft.path)).status


async def test_what_there_is_not_is_not_found(road_of: Road, enter: Enter, visitor: Visitor) -> None:
    """The page, the list and both acts."""
    await hire(visitor, enter, road_of, Role.COMPLIANCE)
    for path in (f"{HOME}/1", f"{HOME}/1/open.csv", f"{HOME}/99999999999999999999"):
        assert 404 == (await visitor.get(path)).status
    for act in ("start", "close"):
        assert 404 == (await visitor.send(f"{HOME}/1/{act}", page=HOME)).status


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
async def test_others_of_the_staff_do_not_ask_anybody(
    client: Client, road_of: Road, enter: Enter, visitor: Visitor, role: Role
) -> None:
    """Asking everybody is no act of a reviewer."""
    await hire(visitor, enter, road_of, role)
    assert 403 == (await visitor.get(HOME)).status
    assert keys.ROAD in client.app
