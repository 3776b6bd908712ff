"""`yanlu vault`: the keys of all that is sealed, and who took papers out.

These commands work as the owner of the tables, beside a running server or without one. None of them shows
what a paper says.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Final

from compliance import keyring, records, soundness
from compliance.errors import NotAllowed
from compliance.records import Detail, Entry, RecordKind

from ..db import access
from ..db.pool import Connection
from ..pipeline import Road
from . import sealed, terminal
from .account import SOURCE
from .command import Call, Commands, add, add_family, on_road

_LOCK: Final = 0x79616E_0A
_STEP: Final = 500
_FAULTY: Final = 1


def add_to(commands: Commands) -> None:
    family = add_family(commands, "vault", "keys of all that is sealed, and who took papers out")
    add(family, "status", _status, "show key versions, and how much is sealed with each")
    rotate = add(
        family,
        "rotate",
        _rotate,
        "add a key and seal everything anew with it, or go on where an earlier run was stopped",
    )
    rotate.add_argument(
        "--retire", action="store_true", help="then destroy the older keys, once nothing is sealed with them"
    )
    rotate.add_argument("--step", type=int, default=_STEP, metavar="ROWS", help="rows to a transaction")
    add(family, "new-key", _new_key, "print a new key, for rings that stand in the environment")
    audit = add(family, "audit", _audit, "list accesses, and check that every paper opens with its own key")
    audit.add_argument("--days", type=int, default=30, metavar="N", help="accesses of the last N days")
    audit.add_argument("--limit", type=int, default=500, metavar="N", help="at most N accesses")


def _status(call: Call) -> int:
    told = on_road(call, _look)
    if call.is_json:
        terminal.tell(told)
        return 0
    versions = ", ".join(map(str, told["versions"]))
    terminal.say(
        f"{terminal.bold('Keys')}: {told['keys']}", f"Versions {versions}; {told['current']} is current"
    )
    rows = [("", *(f"version {version}" for version in told["versions"]))]
    for name, counts in told["sealed"].items():
        rows.append((name, *(str(counts.get(str(version), 0)) for version in told["versions"])))
    terminal.say("", *terminal.table(rows), "")
    for name, number in told["papers"].items():
        terminal.say(f"{name}: {number}")
    if told["left"]:
        terminal.warn(
            f"{told['left']} are not sealed with the current key; `yanlu vault rotate` goes on with that"
        )
    return 0


async def _look(road: Road) -> dict[str, Any]:
    async with _owner(road) as conn:
        counts = await sealed.counts(conn)
        papers = await conn.fetchrow(
            """
            select count(*) filter (where sealed is not null) as sealed,
                   count(*) filter (where forgotten_at is not null) as forgotten,
                   (select count(*) from vault.shredded) as shredded,
                   (select count(*) from vault.access) as accesses
            from vault.paper
            """
        )
    return {
        "keys": road.sealer.source.place,
        "versions": sorted(road.sealer.versions),
        "current": road.sealer.version,
        "sealed": {
            name: {str(version): number for version, number in sorted(found.items())}
            for name, found in counts.items()
        },
        "left": sealed.left(counts, road.sealer.version),
        "papers": {
            "Papers that can be opened": papers["sealed"],
            "Papers forgotten, with their proof kept": papers["forgotten"],
            "People whose papers were destroyed": papers["shredded"],
            "Accesses": papers["accesses"],
        },
    }


def _new_key(call: Call) -> int:
    """One line for the ring; a number that the ring has not."""
    number = on_road(call, _next_version)
    line = f"seal {number} {keyring.encode(keyring.new_key())}"
    if call.is_json:
        terminal.tell({"line": line})
    else:
        terminal.say(line)
    return 0


async def _next_version(road: Road) -> int:
    return max(road.sealer.versions) + 1


def _rotate(call: Call) -> int:
    done = on_road(call, lambda road: _whole_rotation(road, call))
    if call.is_json:
        terminal.tell(done)
    else:
        terminal.say(
            f"{terminal.green('done')} {done['sealed']} sealed anew; version {done['version']} is current",
            *([f"versions {', '.join(map(str, done['retired']))} are destroyed"] if done["retired"] else []),
        )
    for place, key in done["broken"]:
        terminal.fail(f"{place} of {key} does not open with any key that is here, and was left as it is")
    return _FAULTY if done["broken"] else 0


async def _whole_rotation(road: Road, call: Call) -> dict[str, Any]:
    sealer = road.sealer
    async with _owner(road) as conn:
        if not await conn.fetchval("select pg_try_advisory_lock($1)", _LOCK):
            raise NotAllowed("another rotation is running")
        left = sealed.left(await sealed.counts(conn), sealer.version)
        is_first = not left and not (call.retire and len(sealer.versions) > 1)
        if is_first:
            await sealed.add_key(road)
        _say(
            call,
            f"Version {sealer.version} is current" if is_first else f"Going on with version {sealer.version}",
        )
        progress = Progress(call)
        broken = await sealed.seal_anew(conn, road, step=call.step, tell=progress.tell)
        progress.end()
        retired: list[int] = []
        if call.retire and not broken:
            retired = await sealed.retire(conn, road)
        detail: Detail = {
            "version": sealer.version,
            "sealed": progress.done,
            "retired": " ".join(map(str, retired)),
        }
        await records.write(
            conn,
            [Entry(RecordKind.VAULT_ROTATE, None, "vault", source=SOURCE, detail=detail)],
            now=road.clock(),
            new_id=road.ids,
        )
    return {
        "version": sealer.version,
        "sealed": progress.done,
        "retired": retired,
        "broken": [list(one) for one in broken],
    }


@dataclass(slots=True)
class Progress:
    """What the terminal shows while rows are sealed anew: one line that moves, or one for each kind."""

    call: Call
    done: int = 0
    _seen: dict[str, int] = field(default_factory=dict)

    def tell(self, name: str, done: int, of: int) -> None:
        self.done += done - self._seen.get(name, 0)
        self._seen[name] = done
        if self.call.is_json:
            return
        line = f"{name}: {done} of {of}"
        if sys.stdout.isatty():
            print(f"\r\x1b[K{line}", end="", flush=True)
        elif done >= of or not done % 10_000:
            terminal.say(line)

    def end(self) -> None:
        if not self.call.is_json and sys.stdout.isatty() and self._seen:
            terminal.say("")


def _say(call: Call, text: str) -> None:
    if not call.is_json:
        terminal.say(text)


def _audit(call: Call) -> int:
    told = on_road(call, lambda road: _examine(road, call.days, call.limit))
    if call.is_json:
        terminal.tell(told)
    else:
        rows = [("Time", "Reader", "Whose", "Purpose", "Case", "Papers", "Approved by", "Told")]
        rows += [
            (
                f"{one['at']:%Y-%m-%d %H:%M}",
                one["reader"],
                one["whose"],
                one["purpose"],
                one["case_ref"],
                " ".join(one["fields"]),
                one["approved_by"] or "-",
                f"after {one['hold_until']:%Y-%m-%d %H:%M}" if one["hold_until"] else "at once",
            )
            for one in told["accesses"]
        ]
        terminal.say(*(terminal.table(rows) if len(rows) > 1 else ["No access"]), "")
        terminal.say(f"{told['papers']} papers looked at, {len(told['faults'])} of them faulty")
    for fault in told["faults"]:
        terminal.fail(f"{fault['field']} of account {fault['account_id']}: {fault['why']}")
    if told["unrecorded"]:
        terminal.fail(
            f"{told['unrecorded']} openings were read without an access: the tables were changed by hand"
        )
    return _FAULTY if told["faults"] or told["unrecorded"] else 0


async def _examine(road: Road, days: int, limit: int) -> dict[str, Any]:
    papers, last = 0, None
    faults: list[soundness.Fault] = []
    async with _owner(road) as conn:
        taken = await soundness.list_taken(conn, since=road.clock() - timedelta(days=days), limit=limit)
        while True:
            found = await soundness.check(conn, road.sealer, after=last, limit=_STEP)
            papers += found.papers
            faults += found.faults
            if found.last is None:
                break
            last = found.last
        unrecorded = await soundness.count_unrecorded(conn)
        entry = Entry(
            RecordKind.VAULT_AUDIT,
            None,
            "vault",
            source=SOURCE,
            detail={"papers": papers, "faults": len(faults), "unrecorded": unrecorded},
        )
        await records.write(conn, [entry], now=road.clock(), new_id=road.ids)
    return {
        "accesses": [asdict(one) for one in taken],
        "papers": papers,
        "faults": [asdict(one) for one in faults],
        "unrecorded": unrecorded,
    }


@contextlib.asynccontextmanager
async def _owner(road: Road) -> AsyncIterator[Connection]:
    database = road.settings.database
    async with access.connected(database.owner_url or database.url) as conn:
        yield conn
