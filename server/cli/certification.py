"""`yanlu certification`: what is certified, its end before its time, and the papers that are asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from compliance import applications, certification, paperwork
from compliance.certification import Certification, State
from compliance.claims import Ground
from compliance.classes import CertClass
from compliance.paperwork import InvalidPaperwork

from .. import certifying
from ..errors import Invalid, NotFound
from ..pipeline import Road
from ..store import accounts, fronts
from ..store.model import AccountView
from . import terminal
from .account import SOURCE
from .command import Call, Commands, add, add_family, number, on_road

_MALFORMED = 2
_FILE = "certification.toml"


def add_to(commands: Commands) -> None:
    family = add_family(commands, "certification", "certified accounts, and the papers they are asked for")
    list_ = add(family, "list", _list, "list what is certified")
    list_.add_argument("--state", choices=[state.value for state in State], help="only these")
    list_.add_argument(
        "--class", dest="class_", choices=[each.value for each in CertClass], help="only these"
    )
    show = add(family, "show", _show, "show what is certified of an account, and its newest application")
    show.add_argument("name", metavar="NAME", help="user name")
    revoke = add(family, "revoke", _revoke, "withdraw a certification; its holder hears why and can appeal")
    revoke.add_argument("name", metavar="NAME", help="user name")
    revoke.add_argument(
        "--ground", required=True, choices=[each.value for each in Ground], help="from the list"
    )
    revoke.add_argument("--reason", required=True, metavar="TEXT", help="the statement that the holder reads")
    add(family, "front-names", _front_names, "list who is asked for the real name in front")
    papers = add_family(family, "papers", "the papers that each kind of subject must bring")
    export = add(papers, "export", _export, "print the file that is in force, or an earlier version of it")
    export.add_argument("--version", type=number, metavar="N", help="its number")
    import_ = add(papers, "import", _import, "put a file in force, for applications that begin from now on")
    import_.add_argument(
        "file", metavar="FILE", nargs="?", help=f"TOML; - reads standard input; else DATA/{_FILE}"
    )
    check = add(papers, "check", _check, "say whether a file could be put in force; needs no database")
    check.add_argument("file", metavar="FILE", help="TOML; - reads standard input")
    add(papers, "list", _versions, "list the versions")


def _list(call: Call) -> int:
    async def work(road: Road) -> list[dict[str, Any]]:
        async with road.pool.acquire() as conn:
            listed = await certification.list_(
                conn,
                state=State(call.state) if call.state else None,
                class_=CertClass(call.class_) if call.class_ else None,
                limit=100_000,
            )
            names = await accounts.load(conn, [one.account_id for one in listed], uris=road.uris)
        return [_told(one, names[one.account_id]) for one in listed if one.account_id in names]

    rows = on_road(call, work)
    if call.is_json:
        terminal.tell(rows)
    elif rows:
        columns = ("account", "class", "label", "state", "expires_at")
        terminal.say(*terminal.table([str(row[name])[:40] for name in columns] for row in rows))
    else:
        terminal.say("nothing is certified")
    return 0


def _show(call: Call) -> int:
    async def work(road: Road) -> dict[str, Any]:
        async with road.pool.acquire() as conn:
            account = await _account(road, conn, call.name)
            held = await certification.list_of(conn, account.id)
            one = await applications.find_latest(conn, account.id)
        told: dict[str, Any] = {
            "account": account.username,
            "certifications": [_told(each, account) for each in held],
        }
        if one is not None:
            told["application"] = {
                "id": str(one.id),
                "class": one.class_.value,
                "kind": one.kind,
                "state": one.state.value,
                "papers_version": one.paperwork,
                "submitted_at": one.submitted_at.isoformat() if one.submitted_at else None,
            }
        return told

    told = on_road(call, work)
    if call.is_json:
        terminal.tell(told)
        return 0
    for each in told["certifications"]:
        terminal.say(*terminal.table((terminal.dim(name), str(value)) for name, value in each.items()), "")
    if not told["certifications"]:
        terminal.say("nothing is certified of this account")
    if "application" in told:
        rows = told["application"].items()
        terminal.say(
            terminal.bold("application"),
            *terminal.table((terminal.dim(name), str(value)) for name, value in rows),
        )
    return 0


def _revoke(call: Call) -> int:
    async def work(road: Road) -> dict[str, Any]:
        async with road.pool.acquire() as conn, conn.transaction():
            account = await _account(road, conn, call.name)
            held = await certification.find_active(conn, account.id)
            if held is None:
                raise NotFound("This account is not certified")
            now = road.clock()
            decision_id = await certification.revoke(
                conn,
                held.id,
                ground=Ground(call.ground),
                statement=call.reason,
                by=None,
                now=now,
                source=SOURCE,
                new_id=road.ids,
            )
            told = await certifying.tell_decision(road, conn, account.id, held.class_, decision_id, now=now)
        certifying.wake(road, told)
        await certifying.settle(road)
        return {"account": account.username, "state": State.REVOKED.value, "decision": str(decision_id)}

    told = on_road(call, work)
    if call.is_json:
        terminal.tell(told)
    else:
        terminal.say(f"the certification of @{told['account']} is withdrawn")
    return 0


def _export(call: Call) -> int:
    async def work(road: Road) -> str:
        async with road.pool.acquire() as conn:
            if call.version is None:
                return (await paperwork.current(conn)).body
            return (await paperwork.get(conn, call.version)).body

    sys.stdout.write(on_road(call, work))
    return 0


def _import(call: Call) -> int:
    text = _read(call.file or str(call.settings.data / _FILE))

    async def work(road: Road) -> int:
        async with road.pool.acquire() as conn, conn.transaction():
            return await paperwork.import_(
                conn, text, by=None, now=road.clock(), source=SOURCE, new_id=road.ids
            )

    version = on_road(call, work)
    if call.is_json:
        terminal.tell({"version": version})
    else:
        terminal.say(f"version {terminal.bold(str(version))} is in force for applications from now on")
    return 0


def _check(call: Call) -> int:
    try:
        made = paperwork.parse(_read(call.file))
    except InvalidPaperwork as error:
        terminal.fail(str(error))
        return _MALFORMED
    if call.is_json:
        terminal.tell({"valid": True, "kinds": len(made.kind)})
    else:
        terminal.say(f"{len(made.kind)} kinds, nothing wrong")
    return 0


def _versions(call: Call) -> int:
    async def work(road: Road) -> list[dict[str, Any]]:
        async with road.pool.acquire() as conn:
            return [
                {
                    "version": one.version,
                    "origin": one.origin,
                    "kinds": len(one.paperwork.kind),
                    "imported_at": one.imported_at.isoformat(),
                }
                for one in await paperwork.list_(conn, limit=1_000)
            ]

    rows = on_road(call, work)
    if call.is_json:
        terminal.tell(rows)
    else:
        terminal.say(*terminal.table([str(value) for value in row.values()] for row in rows))
    return 0


def _front_names(call: Call) -> int:
    async def work(road: Road) -> list[tuple[str, int, str]]:
        most = road.settings.certification.front_name_followers
        if not most:
            return []
        async with road.pool.acquire() as conn:
            return await fronts.list_(conn, followers=most)

    rows = on_road(call, work)
    if call.is_json:
        terminal.tell([dict(zip(("account", "followers", "state"), row, strict=True)) for row in rows])
    elif rows:
        terminal.say(*terminal.table([str(value) for value in row] for row in rows))
    else:
        terminal.say("nobody is asked")
    return 0


async def _account(road: Road, conn: Any, name: str) -> AccountView:
    found = await accounts.find_by_name(conn, name.removeprefix("@"), None, uris=road.uris)
    if found is None:
        raise NotFound("There is no account of this name")
    return found


def _told(one: Certification, account: AccountView) -> dict[str, Any]:
    return {
        "account": account.username,
        "class": one.class_.value,
        "kind": one.kind,
        "label": one.label,
        "registered_name": one.registered_name,
        "province": one.province,
        "state": one.state.value,
        "certified_at": one.certified_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "checked_by": one.checked_by,
    }


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidPaperwork(f"{file} is not UTF-8") from error
    except OSError as error:
        raise Invalid("%(file)s cannot be read: %(why)s", file=file, why=error.strerror) from error
