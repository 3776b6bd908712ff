"""Filings on the pages: drafted by one, checked and released by another, handed over, and what came back."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from compliance.activity import Actor
from federation import proofs
from server.pipeline import Road
from server.store import server_keys
from server.store.model import Role
from tests.compliance.test_tiers import activate
from tests.fixtures.server import Enter
from tests.server.test_filings import certify
from tests.server.web.staff import hire as staff
from tests.server.web.visitor import Visitor

MEDIA: dict[str, Any] = {"kind": "certified", "province": "35", "class": "media"}


async def _press(enter: Enter, road: Road) -> None:
    paper = await enter("paper")
    await certify(road, Actor(id=paper.id, uri=road.uris.actor("paper"), host=None))


async def _draft(visitor: Visitor) -> int:
    page = await visitor.send("/admin/filings", **MEDIA, page="/admin/filings")
    found = re.fullmatch(r"/admin/filings/(\d+)", page.path)
    assert found, page.text
    return int(found[1])


async def test_a_filing_from_draft_to_receipt(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """Each step by a named person; the one who drafted cannot release."""
    await _press(enter, road_of)
    await staff(visitor, enter, road_of, Role.COMPLIANCE, name="shen")
    await staff(another, enter, road_of, Role.EDITOR, name="lin")
    listed = await visitor.get("/admin/filings")
    assert (
        "Certified accounts · 福建省 (35) · News medium" in listed.text and ">Draft</button>" in listed.text
    )
    number = await _draft(visitor)
    own = await visitor.get(f"/admin/filings/{number}")
    assert "another person releases it" in own.text and "A name" in own.text
    refused = await visitor.send(f"/admin/filings/{number}/step", page=own.path, state="released")
    assert 409 == refused.status
    check = await another.get(f"/admin/filings/{number}/release")
    assert "福建省互联网信息办公室" in check.text and "1 new, 0 gone, 0 changed" in check.text
    done = await another.send(f"/admin/filings/{number}/step", page=check.path, state="released")
    assert (200, f"/admin/filings/{number}") == (done.status, done.path)
    await another.send(f"/admin/filings/{number}/step", page=done.path, state="submitted", words="by post")
    empty = await another.send(
        f"/admin/filings/{number}/step", page=done.path, state="acknowledged", words=""
    )
    assert 409 == empty.status and "Write the number of the receipt" in empty.text
    last = await another.send(
        f"/admin/filings/{number}/step", page=done.path, state="acknowledged", words="闽-17"
    )
    assert "闽-17" in last.text and "acknowledged" in last.text
    again = await visitor.send("/admin/filings", **MEDIA, page="/admin/filings")
    assert f"/admin/filings/{number}" == again.path and "Nothing has changed since this one" in again.text


async def test_the_files_say_the_same_and_verify(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """The one is signed, the other is for people; nothing has to be fetched to read it."""
    await _press(enter, road_of)
    await staff(visitor, enter, road_of, Role.COMPLIANCE)
    number = await _draft(visitor)
    file = await visitor.get(f"/admin/filings/{number}/file")
    document = msgspec.json.decode(file.text)
    async with road_of.pool.acquire() as conn:
        key = await server_keys.find_current(conn)
    assert key is not None
    proofs.verify(document, key.public, now=road_of.clock())
    printed = await visitor.get(f"/admin/filings/{number}/print")
    assert document["proof"]["proofValue"] in printed.text
    assert "<td>paper</td>" in printed.text and "A name" in printed.text
    assert not re.search(r'(?:src|href)="', printed.text)


async def test_an_authority_is_written_in_and_named_from_then_on(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """With whom and how: what is missing is said where it is needed."""
    await _press(enter, road_of)
    await staff(visitor, enter, road_of, Role.COMPLIANCE)
    wrong = await visitor.send(
        "/admin/filings/authorities", province="35", name=" ", contact="Ms Lin", channel=""
    )
    assert 409 == wrong.status and "Ms Lin" in wrong.text
    await visitor.send(
        "/admin/filings/authorities", province="35", name="福建网信", contact="Ms Lin", channel="counter 3"
    )
    page = await visitor.get(f"/admin/filings/{await _draft(visitor)}")
    assert "福建网信" in page.text and "counter 3" in page.text


async def test_assessments_and_policies_are_filed_too(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """The management system and the features, each as a filing of its own."""
    await staff(visitor, enter, road_of, Role.COMPLIANCE)
    await activate(road_of)
    values: dict[str, Any] = {
        "feature": "Trends",
        "version": "1",
        "assessed_on": "2026-01-32",
        "result": "passed",
    }
    wrong = await visitor.send("/admin/filings/assessments", page="/admin/filings", **values)
    assert 422 == wrong.status and 'value="Trends"' in wrong.text
    long = values | {"assessed_on": "2026-01-31", "feature": "x" * 201}
    assert 409 == (await visitor.send("/admin/filings/assessments", page="/admin/filings", **long)).status
    await visitor.send(
        "/admin/filings/assessments", page="/admin/filings", **values | {"assessed_on": "2026-01-31"}
    )
    for kind, shown in (("assessments", "Trends"), ("tiers", "Test")):
        page = await visitor.send("/admin/filings", page="/admin/filings", kind=kind, province="10")
        assert shown in page.text and "Drafted" in page.text
