"""Complaints are for everybody: with an account or without (Article 14)."""

from __future__ import annotations

import re

from msgspec import structs

from server.pipeline import Road
from server.sections import Limits
from tests.fixtures.server import ORIGIN, Enter
from tests.server.web.visitor import Visitor


async def _post(visitor: Visitor, enter: Enter) -> str:
    await enter("mei")
    await visitor.log_in("mei")
    posted = await visitor.send("/compose", status="hello", visibility="public", next="/home")
    return re.search(r'id="p-(\d+)"', posted.text)[1]  # type: ignore[index]


async def test_somebody_without_an_account_complains_and_follows_it(
    visitor: Visitor, another: Visitor, enter: Enter
) -> None:
    """Two steps from a post, and a number by which to see what became of it."""
    post_id = await _post(visitor, enter)
    start = await another.get("/report")
    assert (200, True) == (start.status, "You need no account" in start.text)
    form = await another.get(f"/report?about={ORIGIN}/@mei/{post_id}")
    assert (200, True) == (form.status, f'name="post" value="{post_id}"' in form.text)
    page = f"/report?post={post_id}"
    receipt = await another.send(
        "/report", page=page, post=post_id, account="", category="spam", comment="again and again"
    )
    assert (200, True) == (receipt.status, receipt.path.startswith("/report/"))
    assert "Received" in receipt.text


async def test_a_handle_or_nothing_known_leads_to_the_form_or_says_so(
    visitor: Visitor, another: Visitor, enter: Enter
) -> None:
    await _post(visitor, enter)
    found = await another.get("/report?about=@mei")
    assert (200, True) == (found.status, "@mei" in found.text)
    missing = await another.get("/report?about=@nobody")
    assert (422, True) == (missing.status, "Nothing with this address" in missing.text)


async def test_one_address_does_not_drown_the_desk(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """Without an account, a few complaints in half an hour."""
    post_id = await _post(visitor, enter)
    object.__setattr__(road_of, "settings", structs.replace(road_of.settings, limits=Limits()))
    page = f"/report?post={post_id}"
    answers = [
        await another.send("/report", page=page, post=post_id, account="", category="spam", comment="")
        for _ in range(6)
    ]
    assert [200] * 5 + [429] == [answer.status for answer in answers]
