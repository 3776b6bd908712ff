"""`yanlu rules`: the operator's rule sets: bring one in, put one in force, try one on a text."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from compliance import wordlists
from compliance.errors import InvalidRules

from ..errors import Invalid
from ..pipeline import Road
from . import rulecases, terminal
from .account import SOURCE
from .command import Call, Commands, add, add_family, number, on_road

_MALFORMED = 2


def add_to(commands: Commands) -> None:
    family = add_family(commands, "rules", "the rule sets that posts are checked by")
    import_ = add(family, "import", _import, "keep a rule set as a new version, not yet in force")
    import_.add_argument("file", metavar="FILE", help="the rule set as JSON; - reads standard input")
    import_.add_argument("--activate", action="store_true", help="put it in force at once")
    activate = add(family, "activate", _activate, "put a version in force")
    activate.add_argument("version", metavar="VERSION", type=number, help="its number; 0 is no rules at all")
    add(family, "list", _list, "list the versions")
    test = add(family, "test", _test, "show what a rule set finds in texts; needs no database")
    test.add_argument("file", metavar="RULESET.json", help="the rule set; - reads standard input")
    test.add_argument("--list", metavar="NAME", help="only by the rules of this list")
    test.add_argument(
        "--input", required=True, metavar="CASES.jsonl", help='lines such as {"id": "1", "text": "…"}'
    )


def _import(call: Call) -> int:
    text = _read(call.file)

    async def work(road: Road) -> int:
        async with road.pool.acquire() as conn, conn.transaction():
            now = road.clock()
            version = await wordlists.import_(conn, text, by=None, source=SOURCE, now=now, new_id=road.ids)
            if call.activate:
                await wordlists.activate(conn, version, by=None, source=SOURCE, now=now, new_id=road.ids)
            return version

    version = on_road(call, work)
    if call.is_json:
        terminal.tell({"version": version, "active": bool(call.activate)})
    else:
        terminal.say(
            f"kept as version {terminal.bold(str(version))}{', now in force' if call.activate else ''}"
        )
    return 0


def _activate(call: Call) -> int:
    async def work(road: Road) -> None:
        async with road.pool.acquire() as conn, conn.transaction():
            now = road.clock()
            if call.version == 0:
                await wordlists.deactivate(conn, by=None, source=SOURCE, now=now, new_id=road.ids)
            else:
                await wordlists.activate(conn, call.version, by=None, source=SOURCE, now=now, new_id=road.ids)

    on_road(call, work)
    if call.is_json:
        terminal.tell({"version": call.version, "active": True})
    else:
        terminal.say(f"version {call.version} is in force" if call.version else "no rules are in force")
    return 0


def _list(call: Call) -> int:
    async def work(road: Road) -> list[wordlists.Imported]:
        async with road.pool.acquire() as conn:
            return await wordlists.list_(conn)

    versions = on_road(call, work)
    if call.is_json:
        terminal.tell(
            [
                {
                    "version": one.version,
                    "name": one.name,
                    "label": one.label,
                    "active": one.active,
                    "imported_at": one.imported_at.isoformat(),
                }
                for one in versions
            ]
        )
    elif versions:
        terminal.say(
            *terminal.table(
                (
                    terminal.green("●") if one.active else " ",
                    terminal.bold(str(one.version)),
                    f"{one.imported_at:%Y-%m-%d %H:%M}",
                    f"{one.name} {terminal.dim(one.label)}",
                )
                for one in versions
            )
        )
    else:
        terminal.say("there are no rule sets")
    return 0


def _test(call: Call) -> int:
    try:
        rules = wordlists.parse(_read(call.file))
        for answer in rulecases.run(rules, _read(call.input).split("\n"), datetime.now(UTC), call.list):
            print(json.dumps(answer, ensure_ascii=False))
    except InvalidRules as error:
        terminal.fail(str(error))
        return _MALFORMED
    return 0


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRules(f"{file} is not UTF-8") from error
    except OSError as error:
        raise Invalid("%(file)s cannot be read: %(why)s", file=file, why=error.strerror) from error
