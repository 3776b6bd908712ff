"""The people of an organisation: invited by an owner, acting once they said yes and are verified in person.

Nobody acts on somebody of their own rank (rule H2): an owner leaves by themselves, hands the organisation on,
or is replaced by the operators. The last owner stays until there is another.
"""

from __future__ import annotations

from dataclasses import replace

from compliance import organisations, records
from compliance.activity import AccountId
from compliance.organisations import Act, Membership, MemberState, Role
from compliance.records import Detail, Entry, RecordKind, Source

from .. import telling
from ..db.pool import Connection
from ..errors import Conflict, Forbidden, Invalid, NotFound
from ..i18n import mark
from ..pipeline import Road
from ..store import accounts, members, tokens
from ..store.model import AccountView
from ..telling import Code, Notice
from .founding import check_verified

LAST_OWNER = mark("The last owner cannot go: make somebody else an owner first, or hand the organisation on")
OWNERS = mark("An owner is changed by nobody but themselves")


async def demand(conn: Connection, organisation_id: AccountId, person: AccountId, act: Act) -> Role:
    """The person's role, which includes `act`. `NotFound` for whoever does not belong to the organisation:
    they are told no more than that it may not be there; `Forbidden` where the role is not enough."""
    rights = await organisations.rights_of(conn, organisation_id, person)
    if rights is None:
        raise NotFound
    if not organisations.may(rights.role, act):
        raise Forbidden("Your role in this organisation does not include this")
    if not rights.may(act):
        raise Forbidden("The rights of this organisation are suspended")
    return rights.role


async def invite(
    road: Road, organisation: AccountView, me: AccountView, handle: str, role: str, *, source: Source
) -> AccountId:
    """Asks a member of this server to act for the organisation."""
    wanted, now = _role(role), road.clock()
    name = handle.strip().removeprefix("@").removesuffix(f"@{road.uris.host}")
    async with road.pool.acquire() as conn, conn.transaction():
        await demand(conn, organisation.id, me.id, Act.MEMBERS)
        await organisations.lock(conn, organisation.id)
        found = await members.find_by_name(conn, name) if name and "@" not in name else None
        if found is None or found.suspended or found.gone:
            raise Invalid("Nobody of this name is a member here", field="handle")
        before = await organisations.membership(conn, organisation.id, found.account_id)
        if before is not None and before.state is MemberState.ACTIVE:
            raise Invalid("This person acts for the organisation already", field="handle")
        await organisations.put(
            conn, organisation.id, found.account_id, wanted, MemberState.INVITED, by=me.id, now=now
        )
        await record(
            road,
            conn,
            RecordKind.ORGANISATION_INVITE,
            organisation,
            found.account_id,
            me=me,
            source=source,
            detail={"role": wanted.value},
        )
        await tell(
            road,
            conn,
            [found.account_id],
            Code.ORGANISATION_INVITED,
            f"/org/{organisation.username}/invitation",
            by=me.username,
            organisation=organisation.username,
        )
    wake(road, found.account_id)
    return found.account_id


async def answer(
    road: Road, organisation: AccountView, me: AccountView, *, accept: bool, source: Source
) -> None:
    """Takes an invitation, or turns it down."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await organisations.lock(conn, organisation.id)
        mine = await organisations.membership(conn, organisation.id, me.id)
        if mine is None or mine.state is not MemberState.INVITED:
            raise NotFound
        if accept:
            await check_verified(conn, me.id, road)
        state = MemberState.ACTIVE if accept else MemberState.DECLINED
        await organisations.put(conn, organisation.id, me.id, mine.role, state, by=None, now=now)
        kind = RecordKind.ORGANISATION_ACCEPT if accept else RecordKind.ORGANISATION_DECLINE
        await record(
            road, conn, kind, organisation, me.id, me=me, source=source, detail={"role": mine.role.value}
        )
        owners = [each for each in await owners_of(conn, organisation.id) if each != me.id]
        if accept:
            await tell(
                road,
                conn,
                owners,
                Code.ORGANISATION_JOINED,
                f"/org/{organisation.username}/members",
                person=me.username,
                organisation=organisation.username,
            )
    wake(road, *owners)


async def change_role(
    road: Road, organisation: AccountView, me: AccountView, target: AccountId, role: str, *, source: Source
) -> None:
    """Gives somebody another role; an owner may only step down themselves."""
    wanted, now = _role(role), road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        held = await _below(conn, organisation.id, me.id, target)
        if held.role is wanted:
            return
        if held.role is Role.OWNER:
            await _check_not_last(conn, organisation.id)
        await organisations.put(conn, organisation.id, target, wanted, held.state, by=None, now=now)
        await record(
            road,
            conn,
            RecordKind.ORGANISATION_ROLE,
            organisation,
            target,
            me=me,
            source=source,
            detail={"from": held.role.value, "to": wanted.value},
        )
        if target != me.id and held.state is MemberState.ACTIVE:
            await tell(
                road,
                conn,
                [target],
                Code.ORGANISATION_ROLE,
                f"/org/{organisation.username}",
                by=me.username,
                organisation=organisation.username,
            )
    wake(road, target)


async def remove(
    road: Road, organisation: AccountView, me: AccountView, target: AccountId, *, source: Source
) -> None:
    """Ends somebody's place, or takes their invitation back."""
    async with road.pool.acquire() as conn, conn.transaction():
        held = await _below(conn, organisation.id, me.id, target)
        if target == me.id:
            raise Invalid("To go yourself, leave the organisation")
        await end(road, conn, held, MemberState.REMOVED)
        await record(road, conn, RecordKind.ORGANISATION_REMOVE, organisation, target, me=me, source=source)
        if held.state is MemberState.ACTIVE:
            await tell(
                road, conn, [target], Code.ORGANISATION_REMOVED, "/org", organisation=organisation.username
            )
    wake(road, target)


async def leave(road: Road, organisation: AccountView, me: AccountView, *, source: Source) -> None:
    """Gives up one's own place; the last owner cannot."""
    async with road.pool.acquire() as conn, conn.transaction():
        await organisations.lock(conn, organisation.id)
        mine = await organisations.membership(conn, organisation.id, me.id)
        if mine is None or mine.state is not MemberState.ACTIVE:
            raise NotFound
        if mine.role is Role.OWNER:
            await _check_not_last(conn, organisation.id)
        await end(road, conn, mine, MemberState.LEFT)
        await record(road, conn, RecordKind.ORGANISATION_LEAVE, organisation, me.id, me=me, source=source)
        owners = [each for each in await owners_of(conn, organisation.id) if each != me.id]
        await tell(
            road,
            conn,
            owners,
            Code.ORGANISATION_LEFT,
            f"/org/{organisation.username}/members",
            person=me.username,
            organisation=organisation.username,
        )
    wake(road, *owners)


async def settle(
    road: Road, organisation: AccountView, me: AccountView, *, four_eyes: bool, source: Source
) -> None:
    """Changes how the organisation works."""
    async with road.pool.acquire() as conn, conn.transaction():
        await demand(conn, organisation.id, me.id, Act.SETTINGS)
        await organisations.set_four_eyes(conn, organisation.id, four_eyes)
        await record(
            road,
            conn,
            RecordKind.ORGANISATION_SETTINGS,
            organisation,
            organisation.id,
            me=me,
            source=source,
            detail={"four_eyes": four_eyes},
        )


async def end(road: Road, conn: Connection, held: Membership, state: MemberState) -> None:
    """Ends a place, and the tokens and sessions that acted by it."""
    await organisations.put(
        conn, held.organisation_id, held.account_id, held.role, state, by=None, now=road.clock()
    )
    await tokens.revoke_acting(conn, held.account_id, held.organisation_id)


async def owners_of(conn: Connection, organisation_id: AccountId) -> list[AccountId]:
    """Everybody who owns the organisation now."""
    return [
        each.account_id
        for each in await organisations.members(conn, organisation_id)
        if each.role is Role.OWNER and each.state is MemberState.ACTIVE
    ]


async def tell(
    road: Road, conn: Connection, to: list[AccountId], code: Code, link: str, **values: str | int
) -> None:
    """Tells some of the people; `wake` them after the commit."""
    notices = [Notice(to=each, code=code, values=values, link=link) for each in to]
    await telling.tell(conn, notices, now=road.clock(), new_id=road.ids)


def wake(road: Road, *people: AccountId) -> None:
    """What is kept of their rights is forgotten everywhere, and their open pages learn of the notice."""
    road.events.notify("viewers")
    for each in people:
        road.events.notify("notices", str(each))


async def record(
    road: Road,
    conn: Connection,
    kind: RecordKind,
    organisation: AccountView,
    about: int,
    *,
    me: AccountView,
    source: Source,
    detail: Detail | None = None,
) -> None:
    """Writes down what a person did in an organisation: the organisation acted, by them."""
    entry = Entry(kind, organisation.id, str(about), source=replace(source, by=me.id), detail=detail or {})
    await records.write(conn, [entry], now=road.clock(), new_id=road.ids)


async def find(conn: Connection, road: Road, name: str) -> AccountView:
    """The organisation of this name, or `NotFound`."""
    account = await accounts.find_by_name(conn, name, None, uris=road.uris)
    if account is None or account.gone or await organisations.find(conn, account.id) is None:
        raise NotFound
    return account


async def _below(
    conn: Connection, organisation_id: AccountId, me: AccountId, target: AccountId
) -> Membership:
    """Somebody whom `me` may change: of a lower role, invited only, or themselves."""
    await demand(conn, organisation_id, me, Act.MEMBERS)
    await organisations.lock(conn, organisation_id)
    held = await organisations.membership(conn, organisation_id, target)
    if held is None or held.state not in (MemberState.ACTIVE, MemberState.INVITED):
        raise NotFound
    if held.role is Role.OWNER and held.state is MemberState.ACTIVE and target != me:
        raise Forbidden(OWNERS)
    return held


async def _check_not_last(conn: Connection, organisation_id: AccountId) -> None:
    if await organisations.count_owners(conn, organisation_id) < 2:
        raise Conflict(LAST_OWNER)


def _role(text: str) -> Role:
    if text not in {role.value for role in Role}:
        raise Invalid("Choose a role", field="role")
    return Role(text)
