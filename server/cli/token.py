"""`yanlu token`: bearer tokens for programs, without a browser."""

from __future__ import annotations

import secrets

from compliance import records
from compliance.records import Entry, RecordKind

from ..api.scopes import is_admin, parse
from ..errors import Forbidden, Invalid, NotFound
from ..membership import digest
from ..pipeline import Road
from ..store import members, tokens
from . import terminal
from .account import SOURCE
from .command import Call, Commands, add, add_family, on_road

_REDIRECT = "urn:ietf:wg:oauth:2.0:oob"


def add_to(commands: Commands) -> None:
    family = add_family(commands, "token", "bearer tokens for programs")
    create = add(family, "create", _create, "make a bearer token for the client API")
    create.add_argument("name", metavar="NAME", help="user name of the member it acts for")
    create.add_argument("--scopes", required=True, metavar='"read write"', help="what it may do")
    create.add_argument("--app", default="yanlu command", metavar="APPNAME", help="app it shows as")


def _create(call: Call) -> int:
    wanted = parse(call.scopes)
    told = on_road(call, lambda road: _make(road, call.name, wanted, call.app))
    if call.is_json:
        terminal.tell(told)
    else:
        terminal.say(str(told["token"]))
    return 0


async def _make(road: Road, name: str, wanted: tuple[str, ...], app_name: str) -> dict[str, object]:
    token, now = secrets.token_urlsafe(32), road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        member = await members.find_by_name(conn, name.strip().removeprefix("@").lower())
        if member is None:
            raise NotFound("There is no member %(name)s here", name=name)
        if not app_name.strip():
            raise Invalid("This app has no name", field="client_name")
        staff_scopes = [scope for scope in wanted if is_admin(scope)]
        if staff_scopes and not member.roles:
            raise Forbidden(
                "%(scope)s needs a role, which %(name)s has not", scope=staff_scopes[0], name=name
            )
        app_id = road.ids()
        await tokens.insert_app(
            conn,
            id=app_id,
            name=app_name,
            website=None,
            redirect_uris=[_REDIRECT],
            scopes=wanted,
            client_id=secrets.token_urlsafe(24),
            # Nobody gets to know this secret: the app stands for this one token.
            client_secret_hash=digest(secrets.token_urlsafe(32)),
            now=now,
        )
        await tokens.insert(
            conn,
            token_hash=digest(token),
            id=road.ids(),
            app_id=app_id,
            account_id=member.account_id,
            scopes=wanted,
            now=now,
        )
        entry = Entry(
            RecordKind.TOKEN_CREATE,
            member.account_id,
            str(app_id),
            source=SOURCE,
            detail={"scopes": " ".join(wanted)},
        )
        await records.write(conn, [entry], now=now, new_id=road.ids)
    return {"token": token, "scopes": list(wanted), "account": member.username, "app": app_name}
