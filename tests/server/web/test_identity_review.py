"""Operators and identities: who may look, what is written down when they do, and what follows."""

from __future__ import annotations

import base64
import html
import io
import re
from typing import Any

import pytest
from PIL import Image

from compliance import identity, records
from compliance.identity import IdentityState, claims
from compliance.records import RecordKind
from server.pipeline import Road
from server.store.model import Role
from tests.fixtures.server import Caller, Enter
from tests.server.web.staff import hire as _staff
from tests.server.web.test_identity import CARD, NAME, NUMBER, PAGE, photo, shown, state
from tests.server.web.visitor import Visitor

QUEUE = "/admin/identity"


@pytest.fixture
async def claim(another: Visitor, enter: Enter, road_of: Road) -> str:
    """The path of a claim that waits, and whose it is logged in at `another`."""
    await enter("wen", verified=False)
    await another.log_in("wen")
    await another.send(CARD, number=NUMBER, name=NAME, consent="1", files={"papers": photo()})
    async with road_of.pool.acquire() as conn:
        [found] = await claims.list_waiting(conn)
    return f"{QUEUE}/{found.id}"


async def test_papers_are_masked_until_they_are_opened_and_each_look_is_written_down(
    visitor: Visitor, enter: Enter, road_of: Road, claim: str
) -> None:
    """The picture carries the reviewer's name; the person sees that somebody looked."""
    me, _ = await _staff(visitor, enter, road_of, Role.COMPLIANCE)
    listed = await visitor.get(QUEUE)
    assert ("110***********002X" in listed.text, NUMBER in listed.text) == (True, False)
    before = await visitor.get(claim)
    assert (NUMBER in before.text, NAME in before.text, "data:image" in before.text) == (False, False, False)
    opened = await visitor.send(f"{claim}/open", page=claim)
    assert (NUMBER in opened.text, NAME in opened.text) == (True, True)
    assert "no-store" == opened.headers["Cache-Control"]
    assert "0 other accounts" in shown(opened)
    [data] = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', opened.text)
    with Image.open(io.BytesIO(base64.b64decode(html.unescape(data)))) as picture:
        assert (60, 40) == picture.size
    async with road_of.pool.acquire() as conn:
        [look] = await records.list_page(conn, kind=RecordKind.VAULT_REVIEW)
        accesses = await conn.fetch("select reader_id, purpose, case_ref from vault.access")
    assert (me.id, f"claim:{claim.rpartition('/')[2]}") == (look.actor_id, look.object)
    assert [(me.id, "review", look.object)] == [tuple(row) for row in accesses]


async def test_an_approval_verifies_and_tells(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road, claim: str
) -> None:
    """And is decided once."""
    await _staff(visitor, enter, road_of, Role.EDITOR)
    none = await visitor.send(claim, statement="x")
    assert (422, True) == (none.status, "Choose an outcome" in none.text)
    done = await visitor.send(claim, outcome="approve", statement="")
    assert "Approved" in done.text
    assert "Your identity is verified: you can publish" in (await another.get("/notifications")).text
    assert "Posted" in (await another.send("/compose", status="at last", visibility="public")).text
    late = await visitor.send(claim, page=QUEUE, outcome="decline", statement="no")
    assert 409 == late.status
    closed = await visitor.send(f"{claim}/open", page=QUEUE)
    assert (409, False) == (closed.status, NUMBER in closed.text)


async def test_a_reviewer_advises_and_does_not_decide(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road, claim: str
) -> None:
    """Whoever decides sees the advice; the person does not."""
    await _staff(visitor, enter, road_of, Role.REVIEWER)
    forced = await visitor.send(claim, outcome="approve")
    assert (422, True) == (forced.status, "Only a compliance officer" in shown(forced))
    await visitor.send(claim, outcome="advise-approve", statement="clear enough")
    boss = Visitor(visitor.session)
    await _staff(boss, enter, road_of, Role.COMPLIANCE, name="boss")
    page = await boss.get(claim)
    assert "clear enough" in page.text
    assert "clear enough" not in (await another.get(PAGE)).text


async def test_a_refusal_gives_its_reasons_and_the_claim_may_be_made_anew(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road, claim: str
) -> None:
    """It is appealed against like any decision."""
    await _staff(visitor, enter, road_of, Role.COMPLIANCE)
    bare = await visitor.send(claim, outcome="decline", statement=" ")
    assert (422, True) == (bare.status, "Say why" in bare.text)
    await visitor.send(claim, outcome="decline", statement="The name cannot be read")
    page = await another.get(PAGE)
    decision = re.search(r"/my/decisions/\d+", page.text)
    assert decision
    reasons = await another.get(decision[0])
    assert "The name cannot be read" in reasons.text
    appealed = await another.send(f"{decision[0]}/appeal", page=decision[0], words="It can be read")
    assert appealed.status < 400
    again = await another.send(CARD, number=NUMBER, name=NAME, files={"papers": photo()})
    assert "A person will look at it" in shown(again)


async def test_more_is_asked_for(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road, claim: str
) -> None:
    await _staff(visitor, enter, road_of, Role.REVIEWER)
    await visitor.send(claim, outcome="more", statement="The back of the card")
    assert "something more is needed" in (await another.get("/notifications")).text
    assert "The back of the card" in (await another.get(PAGE)).text
    assert "@wen" in (await visitor.get(f"{QUEUE}?show=more")).text


async def test_nobody_looks_at_or_decides_their_own(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """Staff are people who verify, like everybody."""
    caller, _ = await _staff(visitor, enter, road_of, Role.COMPLIANCE)
    await visitor.send(CARD, number=NUMBER, name=NAME, consent="1", files={"papers": photo()})
    async with road_of.pool.acquire() as conn:
        [found] = await claims.list_waiting(conn)
    path = f"{QUEUE}/{found.id}"
    assert "This is your own" in (await visitor.get(path)).text
    forms: tuple[tuple[str, dict[str, Any]], ...] = ((f"{path}/open", {}), (path, {"outcome": "approve"}))
    for where, fields in forms:
        answer = await visitor.send(where, page=QUEUE, **fields)
        assert (409, False) == (answer.status, NUMBER in answer.text), where
    revoked = await visitor.send(f"/admin/accounts/{caller.id}/revoke-identity", page=QUEUE, reason="mine")
    assert 409 == revoked.status


async def test_a_revoked_identity_stops_publishing_and_comes_back_by_a_person(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """With reasons on both ways."""
    mei: Caller = await enter("mei")
    await _staff(visitor, enter, road_of, Role.COMPLIANCE)
    page = f"{QUEUE}/accounts/{mei.id}"
    bare = await visitor.send(f"/admin/accounts/{mei.id}/revoke-identity", page=page, reason=" ")
    assert (422, True) == (bare.status, "Say why" in bare.text)
    done = await visitor.send(f"/admin/accounts/{mei.id}/revoke-identity", page=page, reason="a false card")
    assert "Withdrawn" in done.text
    assert await state(road_of, mei.id) is IdentityState.REVOKED
    refused = await mei.call("POST", "/api/v1/statuses", json={"status": "hello"})
    assert (403, "identity_revoked") == (refused.status, refused.body["yanlu"]["reason"])
    told = await mei.get("/api/v1/notifications")
    assert told
    back = await visitor.send(f"/admin/accounts/{mei.id}/restore-identity", page=page, reason="checked again")
    assert "Restored" in back.text
    assert 200 == (await mei.call("POST", "/api/v1/statuses", json={"status": "hello"})).status
    async with road_of.pool.acquire() as conn:
        assert (await identity.get(conn, mei.id)).method is identity.Method.ATTESTATION
