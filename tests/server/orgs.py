"""Organisations for tests: founded, verified, and with people in roles, without a page for each step."""

from __future__ import annotations

from compliance import identity, organisations
from compliance.activity import AccountId
from compliance.organisations import MemberState, Role
from server.organising import founding
from server.pipeline import Road
from server.store import accounts
from server.store.model import AccountView
from tests.fixtures.server import SOURCE, Caller

ACTING = "Yanlu-Acting-For"


async def found_one(
    road: Road, founder: AccountId, name: str = "press", *, verified: bool = True, kind: str = "media"
) -> AccountView:
    """An organisation of `founder`'s; by default its own identity is verified too."""
    async with road.pool.acquire() as conn:
        owner = await accounts.get(conn, founder, uris=road.uris)
    made = await founding.create(
        road,
        owner,
        username=name,
        name=f"The {name} house",
        kind=kind,
        locale="en",
        accepted=True,
        source=SOURCE,
    )
    async with road.pool.acquire() as conn, conn.transaction():
        if verified:
            await identity.attest(
                conn,
                made,
                reason="papers seen",
                by=None,
                now=road.clock(),
                new_id=road.ids,
                source=SOURCE,
            )
        return await accounts.get(conn, made, uris=road.uris)


async def enrol(road: Road, organisation: AccountId, person: AccountId, role: Role | None) -> None:
    """Gives somebody a role at once; `None` takes the one they have."""
    async with road.pool.acquire() as conn, conn.transaction():
        held = await organisations.membership(conn, organisation, person)
        state = MemberState.ACTIVE if role else MemberState.REMOVED
        wanted = role or (held.role if held else Role.ANALYST)
        await organisations.put(conn, organisation, person, wanted, state, by=None, now=road.clock())
    road.events.notify("viewers")


def through(caller: Caller, name: str) -> Caller:
    """The same person, whose calls act for the organisation."""
    return Caller(caller.client, caller.token, caller.id, caller.name, {**caller.headers, ACTING: name})
