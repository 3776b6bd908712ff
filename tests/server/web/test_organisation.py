"""The organisation console: founding, inviting, acting, drafting, handing on, and what operators may do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from compliance import identity, organisations, records
from compliance.organisations import POWERS, Act, Role
from compliance.records import RecordKind
from server import scheduling
from server.errors import Conflict, Forbidden
from server.organising import handing_on, overseeing, people
from server.pipeline import Road
from server.store import accounts
from server.store.model import AccountView
from server.store.model import Role as StaffRole
from tests.fixtures.server import SOURCE, Caller, Enter
from tests.server.orgs import enrol, found_one, through
from tests.server.web.staff import hire
from tests.server.web.test_console import _hold as hold
from tests.server.web.visitor import Visitor


@pytest.fixture
async def ann(enter: Enter) -> Caller:
    return await enter("ann")


@pytest.fixture
async def bob(enter: Enter) -> Caller:
    return await enter("bob")


async def _view(road: Road, caller: Caller) -> AccountView:
    async with road.pool.acquire() as conn:
        return await accounts.get(conn, caller.id, uris=road.uris)


async def test_an_organisation_is_founded_staffed_and_speaks(
    road_of: Road, ann: Caller, bob: Caller, visitor: Visitor, another: Visitor
) -> None:
    """The whole way by forms: found, invite, accept, switch, post; the bar says for whom one acts."""
    await visitor.log_in("ann")
    page = await visitor.get("/org/new")
    hidden: dict[str, Any] = page.hidden()
    wrong = await visitor.send("/org/new", **hidden, username="ann", name="Press", kind="media")
    assert (wrong.status, "Accept the agreement" in wrong.text) == (422, True)
    told: dict[str, Any] = {
        name: value for name, value in page.hidden().items() if name.startswith("version-")
    }
    made = await visitor.send(
        "/org/new", **told, username="press", name="The Press", kind="media", agreement="1"
    )
    assert (made.status, made.path) == (200, "/org/press")
    assert "You are its owner" in made.text
    await _verify(road_of, "press")
    asked = await visitor.send("/org/press/members", handle="@bob", role="editor")
    assert "invited" in asked.text
    await another.log_in("bob")
    notices = await another.get("/notifications")
    assert "/org/press/invitation" in notices.text
    taken = await another.send("/org/press/invitation", decision="accept")
    assert taken.path == "/org/press"
    acting = await another.send("/org/switch", page="/org", organisation="press", next="/home")
    assert "Acting for @press as editor" in acting.text
    posted = await another.send("/compose", status="the first words of the press", visibility="public")
    assert posted.status == 200
    profile = await visitor.get("/@press")
    assert "the first words of the press" in profile.text
    async with road_of.pool.acquire() as conn:
        record = (await records.list_page(conn, kind=RecordKind.ACTIVITY_CREATE))[0]
    assert record.source.by == bob.id
    own = await another.send("/org/switch", page="/home", next="/home")
    assert "Acting for" not in own.text


async def test_a_form_that_was_opened_as_oneself_does_not_speak_for_the_organisation(
    road_of: Road, ann: Caller, visitor: Visitor
) -> None:
    """Two windows, one session: the choice in one must not change what the other one sends."""
    await found_one(road_of, ann.id)
    await visitor.log_in("ann")
    page = await visitor.get("/compose")
    await visitor.send("/org/switch", page="/org", organisation="press", next="/home")
    sent = await visitor._ask(
        "POST",
        "/compose",
        {"csrf": page.token, "status": "meant for myself", "visibility": "public"},
        {"Origin": "http://example.org"},
        follow=False,
    )
    assert sent.status == 403
    assert (await visitor.send("/logout", page="/home")).status == 200


_PAGES = (
    (Act.SEE, ""),
    (Act.SEE, "/content"),
    (Act.WRITE, "/content/new"),
    (Act.SEE, "/members"),
    (Act.SEE, "/duties"),
    (Act.LOG, "/log"),
)
_FORMS: tuple[tuple[Act, str, dict[str, str]], ...] = (
    (Act.WRITE, "/content/new", {"status": "words"}),
    (Act.MEMBERS, "/members", {"handle": "third", "role": "analyst"}),
    (Act.SETTINGS, "/settings", {"four_eyes": "1"}),
    (Act.TRANSFER, "/transfer", {"heir": "third"}),
    (Act.LOG, "/log/export", {}),
)


@pytest.mark.parametrize("role", [*Role, None])
async def test_each_role_opens_the_pages_of_the_table_and_no_other(
    road_of: Road, enter: Enter, bob: Caller, visitor: Visitor, role: Role | None
) -> None:
    """The role matrix, generated from `POWERS` over the console."""
    third = await enter("third")
    press = await found_one(road_of, (await enter("ann")).id)
    await enrol(road_of, press.id, third.id, Role.EDITOR)
    await enrol(road_of, press.id, bob.id, role)
    await visitor.log_in("bob")
    for act, path in _PAGES:
        got = await visitor.get(f"/org/press{path}")
        assert got.status == _status(role, act), (role, path)
    for act, path, fields in _FORMS:
        named: dict[str, Any] = dict(fields)
        sent = await visitor.send(f"/org/press{path}", page="/org", **named)
        wanted = _status(role, act)
        # What is allowed may still be wrong: somebody invited acts for it already.
        assert sent.status in ((200, 422) if wanted == 200 else (wanted,)), (role, path, sent.text[:300])


def _status(role: Role | None, act: Act) -> int:
    if role is None:
        return 404
    return 200 if act in POWERS[role] else 403


async def test_the_last_owner_stays_and_owners_do_not_remove_each_other(
    road_of: Road, ann: Caller, bob: Caller
) -> None:
    """Rule H2, and an organisation is never without somebody who answers for it."""
    press = await found_one(road_of, ann.id)
    owner, second = await _view(road_of, ann), await _view(road_of, bob)
    with pytest.raises(Conflict):
        await people.leave(road_of, press, owner, source=SOURCE)
    with pytest.raises(Conflict):
        await people.change_role(road_of, press, owner, ann.id, "editor", source=SOURCE)
    await enrol(road_of, press.id, bob.id, Role.OWNER)
    for change in (
        people.remove(road_of, press, owner, bob.id, source=SOURCE),
        people.change_role(road_of, press, owner, bob.id, "editor", source=SOURCE),
    ):
        with pytest.raises(Forbidden):
            await change
    await people.leave(road_of, press, owner, source=SOURCE)
    with pytest.raises(Conflict):
        await people.leave(road_of, press, second, source=SOURCE)


async def test_who_is_not_verified_does_not_take_an_invitation(
    road_of: Road, enter: Enter, ann: Caller, visitor: Visitor
) -> None:
    """Everybody who acts for an organisation is known in person."""
    press = await found_one(road_of, ann.id)
    await enter("uma", verified=False)
    await people.invite(road_of, press, await _view(road_of, ann), "uma", "editor", source=SOURCE)
    await visitor.log_in("uma")
    refused = await visitor.send("/org/press/invitation", decision="accept")
    assert (refused.status, "Verify your own identity first" in refused.text) == (403, True)
    declined = await visitor.send("/org/press/invitation", decision="decline")
    assert declined.path == "/org"
    assert (await visitor.get("/org/press/invitation")).status == 404


async def test_handing_on_takes_days_and_any_owner_can_stop_it(
    road_of: Road, ann: Caller, bob: Caller
) -> None:
    """A stolen login does not take an organisation overnight."""
    press = await found_one(road_of, ann.id)
    await enrol(road_of, press.id, bob.id, Role.EDITOR)
    owner = await _view(road_of, ann)
    await handing_on.start(road_of, press, owner, "bob", source=SOURCE)
    with pytest.raises(Conflict):
        await handing_on.start(road_of, press, owner, "bob", source=SOURCE)
    assert await _finish(road_of) == []
    await handing_on.cancel(road_of, press, owner, source=SOURCE)
    await handing_on.start(road_of, press, owner, "bob", source=SOURCE)
    async with road_of.pool.acquire() as conn:
        told = await conn.fetch(
            "select account_id from notification where code = 'organisation:transfer' order by id"
        )
        assert {ann.id, bob.id} == {row["account_id"] for row in told}
        await conn.execute(
            "update compliance.organisation_transfer set due_at = now() - interval '1 second' "
            "where state = 'waiting'"
        )
    assert set(await _finish(road_of)) == {ann.id, bob.id}
    async with road_of.pool.acquire() as conn:
        assert await organisations.role_of(conn, press.id, bob.id) is Role.OWNER
        assert await organisations.role_of(conn, press.id, ann.id) is Role.EDITOR


async def _finish(road: Road) -> list[int]:
    async with road.pool.acquire() as conn, conn.transaction():
        return [int(each) for each in await handing_on.finish_due(road, conn)]


async def test_lost_owners_are_replaced_by_two_operators(
    road_of: Road, enter: Enter, ann: Caller, bob: Caller
) -> None:
    """Whoever asks cannot approve, and nobody asks while an owner can act."""
    press = await found_one(road_of, ann.id)
    one, two = await _view(road_of, await enter("op1")), await _view(road_of, await enter("op2"))
    ask = handing_on.request_grant
    with pytest.raises(Conflict):
        await ask(road_of, press, one, "bob", "the owner died", source=SOURCE)
    async with road_of.pool.acquire() as conn:
        await conn.execute("update account set gone_at = now() where id = $1", ann.id)
    await ask(road_of, press, one, "bob", "the owner died", source=SOURCE)
    with pytest.raises(Forbidden):
        await handing_on.decide_grant(road_of, press, one, approve=True, source=SOURCE)
    await handing_on.decide_grant(road_of, press, two, approve=True, source=SOURCE)
    async with road_of.pool.acquire() as conn:
        assert await organisations.role_of(conn, press.id, bob.id) is Role.OWNER


async def test_a_draft_goes_its_way_by_forms(
    road_of: Road, ann: Caller, bob: Caller, visitor: Visitor, another: Visitor
) -> None:
    """Write, submit, approve, schedule; at its time it stands, once, and its writer is told."""
    press = await found_one(road_of, ann.id)
    await enrol(road_of, press.id, bob.id, Role.EDITOR)
    await visitor.log_in("ann")
    await visitor.send("/org/press/settings", page="/org/press/members", four_eyes="1")
    await another.log_in("bob")
    kept = await another.send("/org/press/content/new", status="by two pairs of eyes", visibility="public")
    assert kept.status == 200
    assert "Submit for approval" in kept.text
    assert "Publish now" not in kept.text
    path = kept.path
    early = await another.send(f"{path}/publish", page=path)
    assert early.status == 409
    await another.send(f"{path}/submit", page=path)
    await visitor.send(f"{path}/approve", page=path)
    late = await another.send(f"{path}/schedule", page=path, due_at="2020-01-01T10:00", zone="8")
    assert (late.status, "future" in late.text) == (422, True)
    due = (road_of.clock() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    done = await another.send(f"{path}/schedule", page=path, due_at=due, zone="0")
    assert "It is published at its time" in done.text
    async with road_of.pool.acquire() as conn:
        await conn.execute("update scheduled_post set due_at = now() - interval '1 second'")
    await scheduling.publish_due(road_of)
    await scheduling.publish_due(road_of)
    async with road_of.pool.acquire() as conn:
        rows = await conn.fetch("select text from post where account_id = $1", press.id)
        record = (await records.list_page(conn, kind=RecordKind.ACTIVITY_CREATE))[0]
        notice = await conn.fetchval("select account_id from notification where code = 'scheduled:published'")
    assert ["by two pairs of eyes"] == [row["text"] for row in rows]
    assert (record.source.by, record.detail["approved_by"], notice) == (bob.id, ann.id, bob.id)


async def test_four_eyes_keep_what_the_composer_sends_as_a_draft(
    road_of: Road, ann: Caller, visitor: Visitor
) -> None:
    """Nothing that was typed is lost."""
    await found_one(road_of, ann.id)
    await visitor.log_in("ann")
    await visitor.send("/org/press/settings", page="/org/press/members", four_eyes="1")
    await visitor.send("/org/switch", page="/org", organisation="press", next="/home")
    sent = await visitor.send("/compose", status="kept words", visibility="public")
    assert sent.path.startswith("/org/press/content/")
    assert "kept words" in sent.text


async def test_the_log_says_who_and_goes_along_as_a_table(
    road_of: Road, ann: Caller, bob: Caller, visitor: Visitor
) -> None:
    """For an analyst: every act with its person, and no address of anybody's."""
    press = await found_one(road_of, ann.id)
    await people.invite(road_of, press, await _view(road_of, ann), "bob", "analyst", source=SOURCE)
    await people.answer(road_of, press, await _view(road_of, bob), accept=True, source=SOURCE)
    await visitor.log_in("bob")
    log = await visitor.get("/org/press/log")
    assert "invited somebody" in log.text
    assert str(SOURCE.address) not in log.text
    table = await visitor.send("/org/press/log/export", page="/org/press/log")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert ",organisation:accept,bob," in table.text
    assert str(SOURCE.address) not in table.text


async def test_suspended_rights_are_read_about_and_appealed_against(
    road_of: Road, enter: Enter, ann: Caller, visitor: Visitor
) -> None:
    """The organisation finds the statement among its decisions, and only an owner appeals."""

    press, staff = await found_one(road_of, ann.id), await enter("ida")
    await overseeing.suspend(road_of, press, reason="sold its account", by=staff.id, source=SOURCE)
    await visitor.log_in("ann")
    home = await visitor.get("/org/press")
    assert "sold its account" in home.text
    listed = await visitor.send("/org/switch", page="/org/press", organisation="press", next="/my/decisions")
    assert "The rights of this organisation are suspended" in listed.text
    async with road_of.pool.acquire() as conn:
        decision = await conn.fetchval("select suspension_id from compliance.organisation")
    path = f"/my/decisions/{decision}"
    done = await visitor.send(f"{path}/appeal", page=path, words="It was somebody else.")
    assert "You appealed" in done.text
    written = await visitor.send("/org/press/content/new", page="/org", status="x")
    assert written.status == 403


async def test_a_held_post_of_an_organisation_appears_when_it_is_released(
    road_of: Road, enter: Enter, ann: Caller, visitor: Visitor
) -> None:
    """The reviewer's release is no act of the organisation's people, and takes none of their rights."""
    await found_one(road_of, ann.id)
    await hold(road_of)
    held = await through(ann, "press").call("POST", "/api/v1/statuses", json={"status": "fake diploma news"})
    assert held.status == 422
    await hire(visitor, enter, road_of, StaffRole.REVIEWER)
    queue = await visitor.get("/admin/queue")
    found = re.search(r"/admin/queue/\d+", queue.text)
    assert found is not None
    await visitor.send(f"{found[0]}/claim", page=found[0])
    done = await visitor.send(found[0], outcome="release", statement="It reports on it", then="stay")
    assert "Released" in done.text
    assert "fake diploma news" in (await visitor.get("/@press")).text


async def _verify(road: Road, name: str) -> None:

    async with road.pool.acquire() as conn, conn.transaction():
        account = await accounts.find_by_name(conn, name, None, uris=road.uris)
        assert account is not None
        await identity.attest(
            conn,
            account.id,
            reason="papers seen",
            by=None,
            now=road.clock(),
            new_id=road.ids,
            source=SOURCE,
        )
