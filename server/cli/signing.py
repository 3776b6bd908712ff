"""`yanlu signing`: the keys by which the server signs what it certifies and files."""

from __future__ import annotations

from collections.abc import Sequence

from compliance import records
from compliance.records import Entry, RecordKind
from federation.wire import Document

from .. import signing
from ..pipeline import Road
from . import terminal
from .account import SOURCE
from .command import Call, Commands, add, add_family, on_road


def add_to(commands: Commands) -> None:
    family = add_family(commands, "signing", "keys by which the server signs as itself")
    add(family, "keys", _keys, "list the public keys, those out of use as well")
    add(family, "rotate", _rotate, "put a new key into the place of the one in use")


def _keys(call: Call) -> int:
    return _tell(call, on_road(call, _listed))


def _rotate(call: Call) -> int:
    return _tell(call, on_road(call, _replaced))


async def _listed(road: Road) -> list[Document]:
    async with road.pool.acquire() as conn:
        return await signing.multikeys(conn, uris=road.uris, retired=True)


async def _replaced(road: Road) -> list[Document]:
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        key = await signing.rotate(conn, sealer=road.sealer, uris=road.uris, now=now)
        entry = Entry(RecordKind.SIGNING_ROTATE, None, key.key_id, source=SOURCE)
        await records.write(conn, [entry], now=now, new_id=road.ids)
    return [signing.multikey(key, road.uris)]


def _tell(call: Call, keys: Sequence[Document]) -> int:
    if call.is_json:
        terminal.tell(keys)
        return 0
    rows = [
        (key["publicKeyMultibase"], key["id"], f"until {key['expires']}" if "expires" in key else "in use")
        for key in keys
    ]
    terminal.say(*terminal.table(rows))
    return 0
