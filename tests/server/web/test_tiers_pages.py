"""Tiers on the pages: proposed, tried, put in force by another person, and explained to whoever is in one."""

from __future__ import annotations

from server import standings
from server.pipeline import Road
from server.store.model import Role
from tests.compliance.test_tiers import POLICY, look_at_all
from tests.fixtures.server import Caller, Enter
from tests.server.web.staff import hire as staff
from tests.server.web.visitor import Visitor


async def _look(road: Road) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        await standings.look_at_due(conn, road.clock(), road.ids, set())


async def _in_force(visitor: Visitor, another: Visitor, enter: Enter, road: Road) -> Caller:
    """A policy that one officer proposed and another put in force; the second one's caller."""
    await staff(visitor, enter, road, Role.COMPLIANCE, name="shen")
    officer, _ = await staff(another, enter, road, Role.COMPLIANCE, name="lin")
    proposed = await visitor.send("/admin/tiers", body=POLICY)
    assert (200, "/admin/tiers/1") == (proposed.status, proposed.path), proposed.text
    done = await another.send("/admin/tiers/1/activate", page="/admin/tiers/1")
    assert (200, "/admin/tiers") == (done.status, done.path)
    assert "version 1 in force" in done.text
    await look_at_all(road)
    return officer


async def test_what_is_wrong_in_a_policy_is_said_with_its_place_and_nothing_is_lost(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """The text stays in the form, to be put right."""
    await staff(visitor, enter, road_of, Role.COMPLIANCE)
    page = await visitor.send("/admin/tiers", body=POLICY.replace("min = 80", "min = 'x'"))
    assert 422 == page.status
    assert "tiers[2].when.credit.min must be a number" in page.text
    assert "pin_days = 30" in page.text


async def test_nobody_puts_in_force_what_they_proposed(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """Not by the button, which is not there, nor by the address."""
    await staff(visitor, enter, road_of, Role.COMPLIANCE)
    page = await visitor.send("/admin/tiers", body=POLICY)
    assert "another person puts it in force" in page.text and "/activate" not in page.text
    refused = await visitor.send("/admin/tiers/1/activate", page="/admin/tiers/1")
    assert 409 == refused.status


async def test_a_trial_shows_whom_a_policy_would_move(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """With bars, counts and names, before anybody is moved."""
    await _in_force(visitor, another, enter, road_of)
    await visitor.send("/admin/tiers", body=POLICY.replace("min = 80", "min = 101"))
    page = await visitor.send("/admin/tiers/2/try", page="/admin/tiers/2")
    assert 200 == page.status
    assert "Tried on 2 accounts" in page.text and "<rect" in page.text
    assert "Middle" in page.text and "@lin" in page.text
    assert "<del>-credit = { min = 80 }</del>" in page.text


async def test_standing_says_why_and_how_to_reach_the_next_tier(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """Each condition with its present value, in the reader's language."""
    await _in_force(visitor, another, enter, road_of)
    page = await visitor.get("/settings/standing")
    assert "You are in the tier Middle" in page.text
    assert "You reach the tier High" in page.text
    assert '<td class="roomy">Followers</td><td>at least 2</td><td>0</td>' in page.text
    assert "Your credit is 100" in page.text and '<svg class="plot-curve"' in page.text


async def test_credit_by_hand_needs_a_reason_and_is_told_with_a_way_to_appeal(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """The person reads who took what and why, and appeals from the same page."""
    officer = await _in_force(visitor, another, enter, road_of)
    path = f"/admin/accounts/{officer.id}/credit"
    empty = await visitor.send(path, points="-50", reason=" ")
    assert 422 == empty.status and 'value="-50"' in empty.text
    for points, reason in (("1_0", "x"), ("٥", "x"), ("0.5", "x"), ("nan", "x"), ("-5", "x" * 2001)):
        assert 422 == (await visitor.send(path, points=points, reason=reason)).status
    done = await visitor.send(path, points="-50", reason="sold followers")
    assert 200 == done.status and "sold followers" in done.text
    own = await another.send(path, points="5", reason="I am good")
    assert 409 == own.status
    await _look(road_of)
    page = await another.get("/settings/standing")
    assert "You are in the tier Low" in page.text and "sold followers" in page.text
    assert "/my/decisions/" in page.text
    told = await another.get("/notifications")
    assert "Your credit has changed from 100 to 50" in told.text


async def test_the_api_says_the_same(visitor: Visitor, another: Visitor, enter: Enter, road_of: Road) -> None:
    """For apps: tier, reasons, what is missing, and the ledger."""
    officer = await _in_force(visitor, another, enter, road_of)
    standing = await officer.get("/api/yanlu/v1/standing")
    assert ("middle", 1) == (standing["tier"]["id"], standing["policy"]["version"])
    assert ["followers"] == [one["condition"] for one in standing["next"]["missing"]]
    assert 3 == standing["gives"]["posts_per_hour"]
    await visitor.send(f"/admin/accounts/{officer.id}/credit", points="-10", reason="spam")
    ledger = await officer.get("/api/yanlu/v1/credit")
    assert (90.0, ["spam"]) == (ledger["value"], [event["reason"] for event in ledger["events"]])
    assert ledger["forecast"][0]["value"] > 90


async def test_a_limit_is_told_to_apps_with_the_time_to_wait(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """As every Mastodon client understands it: 429 and Retry-After; and to people in words."""
    officer = await _in_force(visitor, another, enter, road_of)
    for n in range(3):
        await officer.post(f"post {n}")
    answer = await officer.call("POST", "/api/v1/statuses", json={"status": "one more"})
    assert (429, "account_limited") == (answer.status, answer.body["yanlu"]["reason"])
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    page = await another.send("/compose", status="by the page")
    assert 429 == page.status
    assert "It can again in 60 min." in page.text and "by the page" in page.text


async def test_the_policy_is_a_document_to_take_along(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """Byte for byte what was proposed, so that another server can take it in."""
    await _in_force(visitor, another, enter, road_of)
    assert POLICY.strip() == (await visitor.get("/admin/tiers/1/text")).text.strip().replace("\r\n", "\n")
    shipped = await visitor.get("/admin/tiers?from=shipped")
    assert "[[tiers]]" in shipped.text
