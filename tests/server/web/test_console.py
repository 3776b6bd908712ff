"""The operators' console: who may open what, and that what is decided there happens, once and with a
record.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from compliance import wordlists
from compliance.activity import AccountId
from server import admin
from server.http import auth
from server.http.routes import declared
from server.pipeline import Road
from server.store import members
from server.store.model import Role
from tests.fixtures.server import SOURCE, Client, Enter
from tests.server.web.staff import hire
from tests.server.web.visitor import Visitor

# Security reference, section 5, as far as there are pages for it.
MAY_OPEN = {
    Role.REVIEWER: {
        "/admin/certifications",
        "/admin/queue",
        "/admin/reports",
        "/admin/identity",
        "/admin/accounts",
        "/admin/organisations",
        "/admin/rules",
    },
    Role.COMPLIANCE: {
        "/admin/tiers",
        "/admin/filings",
        "/admin/certifications",
        "/admin/queue",
        "/admin/reports",
        "/admin/appeals",
        "/admin/identity",
        "/admin/campaigns",
        "/admin/accounts",
        "/admin/organisations",
        "/admin/rules",
        "/admin/hosts",
    },
    Role.EDITOR: {
        "/admin/tiers",
        "/admin/filings",
        "/admin/certifications",
        "/admin/queue",
        "/admin/reports",
        "/admin/appeals",
        "/admin/identity",
        "/admin/campaigns",
        "/admin/accounts",
        "/admin/organisations",
        "/admin/rules",
        "/admin/hosts",
        "/admin/records",
    },
    Role.AUDITOR: {"/admin/filings", "/admin/organisations", "/admin/records", "/admin/tiers"},
    Role.ADMIN: {
        "/admin/campaigns",
        "/admin/accounts",
        "/admin/organisations",
        "/admin/hosts",
        "/admin/records",
    },
}
PAGES = frozenset[str]().union(*MAY_OPEN.values())
MAY_ACT = {
    Role.REVIEWER: {"certifications", "queue", "reports", "identity"},
    Role.COMPLIANCE: {
        "tiers",
        "credit",
        "filings",
        "certifications",
        "certifications held",
        "certifications papers",
        "queue",
        "reports",
        "appeals",
        "identity",
        "revoke-identity",
        "restore-identity",
        "suspend",
        "restore",
        "attest",
        "campaigns",
        "rules",
        "hosts",
        "organisations",
        "vault ask",
        "vault read",
    },
    Role.EDITOR: {
        "tiers",
        "credit",
        "filings",
        "certifications held",
        "certifications papers",
        "queue",
        "reports",
        "appeals",
        "identity",
        "revoke-identity",
        "restore-identity",
        "suspend",
        "restore",
        "attest",
        "campaigns",
        "rules",
        "hosts",
        "organisations",
        "vault decide",
        "vault hold",
    },
    Role.AUDITOR: set[str](),
    Role.ADMIN: {"suspend", "restore", "attest", "campaigns", "roles", "hosts", "organisations"},
}


async def _hold(road: Road, pattern: str = "fake diploma", action: str = "hold") -> None:
    rules = {
        "name": "tests",
        "version": "1",
        "lists": {
            "one": {"category": "ads", "action": action, "basis": "12.1", "rules": [{"pattern": pattern}]}
        },
    }
    async with road.pool.acquire() as conn, conn.transaction():
        now = road.clock()
        version = await wordlists.import_(
            conn, json.dumps(rules), by=None, source=SOURCE, now=now, new_id=road.ids
        )
        await wordlists.activate(conn, version, by=None, source=SOURCE, now=now, new_id=road.ids)


async def _kinds(road: Road) -> list[str]:
    async with road.pool.acquire() as conn:
        return [row["kind"] for row in await conn.fetch("select kind from compliance.record order by id")]


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_opens_its_own_pages(
    visitor: Visitor, enter: Enter, road_of: Road, role: Role
) -> None:
    """The list beside the pages shows these and no others."""
    await hire(visitor, enter, road_of, role)
    for path in sorted(PAGES):
        page = await visitor.get(path)
        assert (200 if path in MAY_OPEN[role] else 403) == page.status, path
    shown = set(re.findall(r'href="(/admin/[a-z]+)"', (await visitor.get("/admin")).text))
    assert MAY_OPEN[role] == shown & PAGES


@pytest.mark.parametrize("role", list(Role))
def test_each_role_acts_only_where_it_may(role: Role) -> None:
    """One row for each cell of the table of roles."""
    for route in admin.routes:
        if route.method == "POST":
            parts = route.path.split("/")
            act = parts[4] if parts[2] == "accounts" else parts[2]
            if act == "certifications" and parts[3] in ("held", "papers"):
                act = f"certifications {parts[3]}"
            if act == "vault":
                act = {3: "vault ask", 4: "vault decide"}.get(len(parts), f"vault {parts[-1]}")
            needed = declared(route.handler)
            assert needed is not None
            assert (act in MAY_ACT[role]) == (role in needed.roles), (role, route.path)


async def test_a_released_case_appears_as_it_was_written(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """The road is taken again, in the reviewer's transaction."""
    await _hold(road_of)
    await enter("mei")
    await another.log_in("mei")
    await another.send("/compose", status="no fake diploma, please", visibility="public")
    await hire(visitor, enter, road_of, Role.REVIEWER)
    queue = await visitor.get("/admin/queue")
    assert "no fake diploma, please" in queue.text
    case = re.search(r"/admin/queue/\d+", queue.text)[0]  # type: ignore[index]
    taken = await visitor.send(f"{case}/claim", page=case)
    assert "<mark>fake diploma</mark>" in taken.text
    done = await visitor.send(case, outcome="release", statement="A warning to others", then="stay")
    assert "Released" in done.text
    assert "no fake diploma, please" in (await another.get("/@mei")).text
    again = await visitor.get(case)
    assert 'name="outcome"' not in again.text
    kinds = await _kinds(road_of)
    assert ["case:claim", "case:release"] == [kind for kind in kinds if kind.startswith("case:")]


async def test_a_refusal_needs_its_reasons_and_nobody_decides_their_own(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """A reviewer writes too, and is held like everybody."""
    await _hold(road_of)
    await hire(visitor, enter, road_of, Role.REVIEWER)
    await visitor.send("/compose", status="my fake diploma", visibility="public")
    case = re.search(r"/admin/queue/\d+", (await visitor.get("/admin/queue")).text)[0]  # type: ignore[index]
    own = await visitor.get(case)
    assert "This is your own" in own.text
    forced = await visitor.send(case, page="/home", outcome="release", statement="")
    assert 409 == forced.status
    await hire(another, enter, road_of, Role.REVIEWER, name="other")
    await another.send(f"{case}/claim", page=case)
    bare = await another.send(case, outcome="refuse", statement=" ")
    assert (422, True) == (bare.status, "A refusal needs a statement of reasons" in bare.text)
    none = await another.send(case, statement="x")
    assert (422, True) == (none.status, "Choose an outcome" in none.text)


async def test_a_suspension_asks_for_the_name_the_reason_and_the_factor(
    client: Client, visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """It ends every session, hides the posts at once, and can be taken back."""
    mei = await enter("mei")
    await mei.post("hello from mei")
    await another.log_in("mei")
    _, spare = await hire(visitor, enter, road_of, Role.COMPLIANCE)
    page = f"/admin/accounts/{mei.id}"
    wrong = await visitor.send(f"{page}/suspend", page=page, reason="spam", username="other")
    assert (422, True) == (wrong.status, "This is not the account&#39;s user name" in wrong.text)
    done = await visitor.send(f"{page}/suspend", page=page, reason="spam", username="mei")
    assert "Suspended" in done.text
    assert "hello from mei" not in (await Visitor(another.session).get("/@mei")).text
    assert (await another.get("/home")).path.startswith("/login")
    back = await visitor.send(f"{page}/restore", page=page, reason="a mistake", username="@MEI")
    assert "Restored" in back.text
    assert "hello from mei" in (await Visitor(another.session).get("/@mei")).text
    async with road_of.pool.acquire() as conn:
        await conn.execute("update session set confirmed_at = now() - interval '1 hour'")
    client.app[auth.SEEN].forget()
    stale = await visitor.send(f"{page}/suspend", page=page, reason="spam", username="mei", follow=False)
    assert stale.headers["Location"].startswith("/confirm-login?next=")
    proved = await visitor.send("/confirm-login", code=spare, next=page)
    assert page == proved.path
    again = await visitor.send(f"{page}/suspend", page=page, reason="spam", username="mei")
    assert "Suspended" in again.text


async def test_an_admin_gives_and_takes_roles_but_never_admin_and_auditor_in_one(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """Each change is recorded and ends the sessions that knew the old roles."""
    mei = await enter("mei")
    await hire(visitor, enter, road_of, Role.ADMIN)
    page = f"/admin/accounts/{mei.id}"
    await visitor.send(f"{page}/roles", page=page, role=["reviewer", "auditor"])
    assert {Role.REVIEWER, Role.AUDITOR} == await _roles(road_of, mei.id)
    await visitor.send(f"{page}/roles", page=page, role=["compliance"])
    assert {Role.COMPLIANCE} == await _roles(road_of, mei.id)
    higher = await visitor.send(f"{page}/roles", page=page, role=["admin"])
    assert 403 == higher.status
    assert {Role.COMPLIANCE} >= await _roles(road_of, mei.id)
    assert "role:grant" in await _kinds(road_of)


async def _roles(road: Road, account_id: AccountId) -> set[Role]:
    async with road.pool.acquire() as conn:
        return set((await members.get(conn, account_id)).roles)


async def test_rules_are_checked_at_import_and_hold_from_activation(
    visitor: Visitor, another: Visitor, enter: Enter, road_of: Road
) -> None:
    """A broken set says where, and the one before stays in force."""
    await hire(visitor, enter, road_of, Role.EDITOR)
    await enter("mei")
    await another.log_in("mei")
    broken = await visitor.send("/admin/rules", body='{"name": "x"')
    assert (422, True) == (broken.status, 'class="error-summary"' in broken.text)
    rules: dict[str, Any] = {
        "name": "ads",
        "version": "7",
        "lists": {
            "one": {"category": "ads", "action": "hold", "basis": "12.1", "rules": [{"pattern": "snake oil"}]}
        },
    }
    imported = await visitor.send("/admin/rules", body=json.dumps(rules))
    assert "not in force yet" in imported.text
    assert "Posted" in (await another.send("/compose", status="snake oil", visibility="public")).text
    activate = re.search(r"/admin/rules/\d+/activate", imported.text)[0]  # type: ignore[index]
    assert "is in force" in (await visitor.send(activate, page="/admin/rules")).text
    held = await another.send("/compose", status="more snake oil", visibility="public")
    assert "under review" in held.text


async def test_a_policy_for_a_server_needs_a_name_and_a_reason(
    visitor: Visitor, enter: Enter, road_of: Road
) -> None:
    """And is lifted by one press."""
    await hire(visitor, enter, road_of, Role.COMPLIANCE)
    wrong: tuple[dict[str, Any], ...] = (
        {"host": "not a host", "policy": "refuse", "reason": "x"},
        {"host": "bad.example", "policy": "refuse", "reason": " "},
        {"host": "bad.example", "policy": "evil", "reason": "x"},
    )
    for fields in wrong:
        assert 422 == (await visitor.send("/admin/hosts", **fields)).status, fields
    done = await visitor.send("/admin/hosts", host="BAD.example", policy="refuse", reason="ads")
    assert "bad.example" in done.text
    assert (
        "No server is treated differently"
        in (await visitor.send("/admin/hosts/clear", page="/admin/hosts", host="bad.example")).text
    )


async def test_the_log_can_be_read_and_narrowed(visitor: Visitor, enter: Enter, road_of: Road) -> None:
    """By person and by act; what nobody knows is not found."""
    await hire(visitor, enter, road_of, Role.AUDITOR)
    log = await visitor.get("/admin/records?kind=session:login&account=shen")
    assert "session:login" in log.text
    for query in ("?account=nobody", "?kind=evil&max_id=x", "?max_id=1"):
        assert 200 == (await visitor.get(f"/admin/records{query}")).status
