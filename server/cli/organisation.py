"""`yanlu organisation`: found one for a verified member, invite people, list, suspend and restore."""

from __future__ import annotations

from typing import Any, Final

from compliance import identity, organisations
from compliance.classes import CertClass
from compliance.organisations import KINDS, MemberState, Role
from compliance.records import Source

from .. import identities
from ..errors import Invalid
from ..organising import founding, overseeing, people
from ..pages import orgtabs
from ..pipeline import Road
from ..store import accounts, members
from ..store.model import AccountView
from . import terminal
from .command import Call, Commands, add, add_family, on_road

SOURCE: Final = Source.internal("yanlu organisation")
_LENGTH: Final = 1_000


def add_to(commands: Commands) -> None:
    family = add_family(commands, "organisation", "accounts that several people run together")
    create = add(family, "create", _create, "found an organisation; its owner is a verified member")
    create.add_argument("name", metavar="NAME", help="user name of the organisation")
    create.add_argument("--owner", required=True, metavar="USER", help="user name of its first owner")
    create.add_argument("--registered-name", required=True, metavar="NAME", help="as on its licence")
    create.add_argument("--kind", required=True, choices=[kind.value for kind in KINDS])
    create.add_argument("--attest", metavar="REASON", help="you have seen its papers; the reason is recorded")
    invite = add(family, "invite", _invite, "invite somebody in an owner's name; they accept it themselves")
    invite.add_argument("name", metavar="NAME")
    invite.add_argument("person", metavar="USER", help="whom to invite")
    invite.add_argument("--role", default=Role.EDITOR.value, choices=[role.value for role in Role])
    invite.add_argument("--by", required=True, metavar="OWNER", help="the owner who invites")
    add(family, "roles", _roles, "what each role may do, as a Markdown table; needs no database")
    add(family, "list", _list, "every organisation, its people and state")
    for name, run, help_ in (
        ("suspend", _suspend, "suspend what its people may do; it is told why, and can appeal"),
        ("restore", _restore, "give the rights back"),
    ):
        parser = add(family, name, run, help_)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--reason", required=True, help="kept, and shown to the organisation")
        parser.add_argument("--by", required=True, metavar="STAFF", help="who of the staff decides")


def _create(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        if call.attest is not None and not call.attest.strip():
            raise Invalid("Say how the identity was verified: the reason is kept", field="attest")
        owner = await _person(road, call.owner)
        made = await founding.create(
            road,
            owner,
            username=call.name,
            name=call.registered_name,
            kind=CertClass(call.kind).value,
            locale="zh-CN",
            accepted=True,
            source=SOURCE,
        )
        async with road.pool.acquire() as conn, conn.transaction():
            if call.attest is not None:
                terms = await identities.terms(conn, road.settings, made)
                await identity.attest(
                    conn,
                    made,
                    reason=call.attest,
                    by=None,
                    now=road.clock(),
                    months=terms.months,
                    grace_days=terms.grace_days,
                    source=SOURCE,
                    new_id=road.ids,
                )
            return await _described(conn, road, await accounts.get(conn, made, uris=road.uris))

    return _tell(call, on_road(call, work), f"founded {terminal.bold('@' + call.name)}")


def _invite(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        owner = await _person(road, call.by)
        organisation = await _organisation(road, call.name)
        await people.invite(road, organisation, owner, call.person, call.role, source=SOURCE)
        async with road.pool.acquire() as conn:
            return await _described(conn, road, organisation)

    return _tell(call, on_road(call, work), f"invited {terminal.bold('@' + call.person)}")


def _roles(_call: Call) -> int:
    terminal.say(*orgtabs.role_table())
    return 0


def _list(call: Call) -> int:
    async def work(road: Road) -> list[dict[str, object]]:
        async with road.pool.acquire() as conn:
            found = await organisations.list_page(conn, limit=_LENGTH)
            return [
                await _described(conn, road, await accounts.get(conn, each.id, uris=road.uris))
                for each in found
            ]

    rows = on_road(call, work)
    if call.is_json:
        terminal.tell(rows)
    elif not rows:
        terminal.say("no organisation yet")
    for row in [] if call.is_json else rows:
        terminal.say(_line(row))
    return 0


def _suspend(call: Call) -> int:
    return _oversee(call, restoring=False)


def _restore(call: Call) -> int:
    return _oversee(call, restoring=True)


def _oversee(call: Call, *, restoring: bool) -> int:
    async def work(road: Road) -> dict[str, object]:
        by = await _person(road, call.by)
        async with road.pool.acquire() as conn:
            if not (await members.get(conn, by.id)).roles:
                raise Invalid("Only somebody of the staff decides about an organisation", field="by")
        organisation = await _organisation(road, call.name)
        act = overseeing.restore if restoring else overseeing.suspend
        await act(road, organisation, reason=call.reason, by=by.id, source=SOURCE)
        async with road.pool.acquire() as conn:
            return await _described(conn, road, organisation)

    done = "restored" if restoring else "suspended"
    return _tell(call, on_road(call, work), f"{done} {terminal.bold('@' + call.name)}")


async def _person(road: Road, name: str) -> AccountView:
    async with road.pool.acquire() as conn:
        found = await members.find_by_name(conn, name.removeprefix("@"))
        if found is None:
            raise Invalid("Nobody of this name is a member here")
        return await accounts.get(conn, found.account_id, uris=road.uris)


async def _organisation(road: Road, name: str) -> AccountView:
    async with road.pool.acquire() as conn:
        return await people.find(conn, road, name.removeprefix("@"))


async def _described(conn: Any, road: Road, account: AccountView) -> dict[str, object]:
    whole = await organisations.get(conn, account.id)
    held = await organisations.members(conn, account.id)
    views = await accounts.load(conn, [each.account_id for each in held], uris=road.uris)
    return {
        "id": str(account.id),
        "name": account.username,
        "registered_name": whole.name,
        "kind": whole.kind.value,
        "four_eyes": whole.four_eyes,
        "suspended": whole.is_suspended,
        "people": [
            {
                "name": views[each.account_id].username,
                "role": each.role.value,
                "invited": each.state is MemberState.INVITED,
            }
            for each in held
        ],
    }


def _line(row: dict[str, Any]) -> str:
    folk = ", ".join(
        f"@{one['name']} ({one['role']}{', invited' if one['invited'] else ''})" for one in row["people"]
    )
    state = " SUSPENDED" if row["suspended"] else ""
    return f"@{row['name']}  {row['registered_name']}  {row['kind']}{state}  {folk}"


def _tell(call: Call, row: dict[str, object], said: str) -> int:
    if call.is_json:
        terminal.tell(row)
    else:
        terminal.say(said)
        terminal.say(_line(row))
    return 0
