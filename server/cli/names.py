"""`yanlu names`: names that nobody takes who is not certified under them."""

from __future__ import annotations

import sys
from pathlib import Path

from compliance import reserved
from compliance.reserved import ReservedName

from ..errors import Invalid
from ..pipeline import Road
from . import terminal
from .account import SOURCE
from .command import Call, Commands, add, add_family, on_road

_MOST = 10_000


def add_to(commands: Commands) -> None:
    family = add_family(commands, "names", "names kept for certified accounts")
    add(family, "list", _list, "list the reserved names")
    reserve = add(family, "reserve", _reserve, "reserve names")
    reserve.add_argument("names", metavar="NAME", nargs="*", help="a name to reserve")
    reserve.add_argument("--file", metavar="FILE", help="names, one a line; - is standard input")
    release = add(family, "release", _release, "let anybody take a name again")
    release.add_argument("name", metavar="NAME", help="the name to give up")


def _list(call: Call) -> int:
    async def read(road: Road) -> list[ReservedName]:
        async with road.pool.acquire() as conn:
            return await reserved.list_(conn)

    found = on_road(call, read)
    if call.is_json:
        terminal.tell([{"name": one.name, "since": one.since.isoformat()} for one in found])
    elif found:
        terminal.say(*(one.name for one in found))
    return 0


def _reserve(call: Call) -> int:
    names = [*call.names, *(_lines(call.file) if call.file else ())]
    if not names or len(names) > _MOST:
        raise Invalid("Name what is to be reserved", field="name")

    async def reserve(road: Road) -> int:
        async with road.pool.acquire() as conn, conn.transaction():
            return await reserved.reserve(
                conn, names, by=None, now=road.clock(), source=SOURCE, new_id=road.ids
            )

    added = on_road(call, reserve)
    if call.is_json:
        terminal.tell({"reserved": added})
    else:
        terminal.say(f"reserved {added} of {len(names)}; the others were already")
    return 0


def _release(call: Call) -> int:
    async def release(road: Road) -> None:
        async with road.pool.acquire() as conn, conn.transaction():
            await reserved.release(conn, call.name, by=None, now=road.clock(), source=SOURCE, new_id=road.ids)

    on_road(call, release)
    if call.is_json:
        terminal.tell({"released": call.name})
    else:
        terminal.say(f"{terminal.bold(call.name)} may be taken")
    return 0


def _lines(name: str) -> list[str]:
    text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
