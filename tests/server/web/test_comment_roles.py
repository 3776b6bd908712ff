"""Comments under an organisation's posts: which role may do what, over the console and the API, and that none
of it reaches another organisation's threads."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from compliance.activity import AccountId, Actor, Create, Direction, PostId
from compliance.organisations import POWERS, Act, Role
from compliance.records import Source
from server.moderating import EXPLAINED, Deed
from server.pipeline import Done, Road, submit
from server.store import accounts
from server.store.model import AccountView
from tests.fixtures.people import create
from tests.fixtures.server import Caller, Enter
from tests.server.orgs import enrol, found_one
from tests.server.web.visitor import Visitor

_serial = itertools.count(1)


async def _post(road: Road, organisation: AccountView, by: AccountId) -> PostId:
    """A post of the organisation's, by one of its people."""
    actor = Actor(id=organisation.id, uri=organisation.uri, host=None)
    made: Create = create(road, actor, f"a post {next(_serial)}")
    source = Source("192.0.2.7", 50_123, "a test", by)
    [answer] = await submit(road, [made], Direction.OUT, source=source)
    assert isinstance(answer, Done) and answer.post_id is not None, answer
    return answer.post_id


@pytest.fixture
async def press(road_of: Road, enter: Enter) -> AccountView:
    return await found_one(road_of, (await enter("ann")).id)


@pytest.fixture
async def commenter(enter: Enter) -> Caller:
    return await enter("carl")


async def _comment(road: Road, press: AccountView, commenter: Caller) -> str:
    owner = await road.pool.fetchval(
        "select account_id from compliance.organisation_member where organisation_id = $1 and role = 'owner'",
        press.id,
    )
    root = await _post(road, press, AccountId(owner))
    return str((await commenter.post(f"a comment {next(_serial)}", in_reply_to_id=str(root)))["id"])


@pytest.mark.parametrize("role", [*Role, None])
async def test_each_role_may_do_what_the_table_says(  # noqa: PLR0917 - fixtures
    road_of: Road, enter: Enter, visitor: Visitor, press: AccountView, commenter: Caller, role: Role | None
) -> None:
    """Owner, editor and moderator manage comments, the analyst and strangers do not: page, form and API."""
    bob = await enter("bob")
    await enrol(road_of, press.id, bob.id, role)
    await visitor.log_in("bob")
    allowed = role is not None and Act.COMMENTS in POWERS[role]
    denied = 404 if role is None else 403
    wanted = 200 if allowed else denied
    assert (await visitor.get("/org/press/comments")).status == wanted
    assert (await visitor.get("/org/press/comments/policy")).status == wanted
    headers = {"Yanlu-Acting-For": "press"}
    listed = await bob.call("GET", "/api/yanlu/v1/comments", headers=headers)
    assert listed.status == (200 if allowed else 403)
    for deed in Deed:
        comment = await _comment(road_of, press, commenter)
        more: dict[str, Any] = {"statement": "off topic"} if deed in EXPLAINED else {}
        page = await visitor.send("/org/press/comments", page="/org", act=f"{deed.value} {comment}", **more)
        assert page.status == wanted, (role, deed, page.text[:300])
        told = await bob.call(
            "POST",
            f"/api/yanlu/v1/comments/{deed.value}",
            json={"ids": [int(comment)], **more},
            headers=headers,
        )
        assert told.status == (200 if allowed else 403), (role, deed, told.body)
        if deed is Deed.BLOCK and allowed:
            await visitor.send("/org/press/comments", page="/org", act=f"unblock {comment}")
    if allowed:
        by = await road_of.pool.fetchval(
            "select by_id from compliance.record where kind = 'activity:remove-reply' "
            "order by id desc limit 1"
        )
        assert by == bob.id


@pytest.mark.parametrize("deed", [*Deed])
async def test_a_moderator_does_not_touch_another_organisations_thread(  # noqa: PLR0917 - fixtures
    road_of: Road, enter: Enter, visitor: Visitor, press: AccountView, commenter: Caller, deed: Deed
) -> None:
    """Rule H3: the role is asked of the organisation whose thread it is."""
    bob, other_owner = await enter("bob"), await enter("otto")
    other = await found_one(road_of, other_owner.id, "radio")
    await enrol(road_of, other.id, bob.id, Role.MODERATOR)
    comment = await _comment(road_of, press, commenter)
    await visitor.log_in("bob")
    more: dict[str, Any] = {"statement": "off topic"}
    sent = await visitor.send("/org/radio/comments", page="/org", act=f"{deed.value} {comment}", **more)
    assert sent.status == 404
    assert (
        await visitor.send("/org/press/comments", page="/org", act=f"{deed.value} {comment}", **more)
    ).status == 404
    headers = {"Yanlu-Acting-For": "radio"}
    told = await bob.call(
        "POST", f"/api/yanlu/v1/comments/{deed.value}", json={"ids": [int(comment)], **more}, headers=headers
    )
    assert told.status == 404
    state = await road_of.pool.fetchval(
        "select state from compliance.comment where post_id = $1", int(comment)
    )
    assert state == "shown"


async def test_a_moderator_brings_a_comment_before_the_operators(
    road_of: Road, enter: Enter, visitor: Visitor, press: AccountView, commenter: Caller
) -> None:
    """As a complaint of their own: to complain for the organisation is not in the role."""
    bob = await enter("bob")
    await enrol(road_of, press.id, bob.id, Role.MODERATOR)
    comment = await _comment(road_of, press, commenter)
    await visitor.log_in("bob")
    sent = await visitor.send(
        "/org/press/comments", page="/org", act=f"refer {comment}", reason="illegal", statement="look"
    )
    assert "Reported to the operators: 1" in sent.text
    report = await road_of.pool.fetchrow("select reporter_id, target_id, posts from compliance.report")
    assert tuple(report) == (bob.id, commenter.id, [int(comment)])


async def test_the_organisation_is_seen_and_the_person_is_recorded(
    road_of: Road, enter: Enter, visitor: Visitor, press: AccountView, commenter: Caller
) -> None:
    """The commenter reads a decision of the organisation; the log says whose hand it was."""
    bob = await enter("bob")
    await enrol(road_of, press.id, bob.id, Role.MODERATOR)
    comment = await _comment(road_of, press, commenter)
    await visitor.log_in("bob")
    await visitor.send("/org/press/comments", page="/org", act=f"hide {comment}", reason="off-topic")
    row = await road_of.pool.fetchrow(
        "select actor_id, by_id from compliance.record where kind = 'activity:hide-reply'"
    )
    assert tuple(row) == (press.id, bob.id)
    decided_by = await road_of.pool.fetchval(
        "select decided_by from compliance.decision where kind = 'comment'"
    )
    assert decided_by == bob.id
    async with road_of.pool.acquire() as conn:
        assert (await accounts.get(conn, press.id, uris=road_of.uris)).username == "press"
