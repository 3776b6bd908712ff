"""Somebody of the staff, as the pages of the console meet them."""

from __future__ import annotations

from server import secondfactor
from server.pipeline import Road
from server.store import members
from server.store.model import Role
from tests.fixtures.server import SOURCE, Caller, Enter
from tests.fixtures.totp import code_for
from tests.server.web.visitor import Visitor


async def hire(
    visitor: Visitor, enter: Enter, road: Road, *roles: Role, name: str = "shen"
) -> tuple[Caller, str]:
    """Somebody with these roles and a second factor, logged in."""
    caller = await enter(name)
    async with road.pool.acquire() as conn:
        for role in roles:
            await members.grant_role(conn, caller.id, role, granted_by=None, now=road.clock())
    enrolment = await secondfactor.start(road, caller.id)
    recovery = await secondfactor.enable(
        road, caller.id, code_for(enrolment.secret, road.clock()), source=SOURCE
    )
    step = await visitor.log_in(name)
    ticket = step.hidden()["ticket"]
    assert "session" not in " ".join(visitor.cookies), "no session before the second factor"
    home = await visitor.send("/login/second", page="/login", ticket=ticket, code=recovery[0], next="/admin")
    assert 200 == home.status, home.text
    return caller, recovery[1]
