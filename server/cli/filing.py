"""`yanlu filing` and `yanlu authority`: what is owed to the authorities, drafted as signed files; with whom.

Nothing is sent: the files are written to a folder, and a named person hands them over.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from compliance import filings, places
from compliance.activity import AccountId
from compliance.classes import CertClass
from compliance.filings import Filing, State
from compliance.owed import Key, Kind
from compliance.places import Authority
from federation import proofs
from federation.errors import FederationError

from .. import handover
from ..errors import Invalid
from ..handover import Drafted, Owed
from ..ids import system_clock
from ..pages import environment, filingdoc
from ..pages.assets import Assets
from ..pipeline import Road
from . import terminal
from .account import SOURCE
from .command import Call, Commands, add, add_family, number, on_road
from .tiers import officer

_BAD_PROOF = 3


def add_to(commands: Commands) -> None:
    family = add_family(commands, "filing", "what is owed to the authorities; nothing is sent by itself")
    add(family, "owed", _owed, "list what is to be filed, and until when")
    certified = add(
        family, "certified", _certified, "draft the certified accounts of a place of registration"
    )
    certified.add_argument(
        "--province", metavar="CODE", required=True, help="two digits of GB/T 2260; 00 is who has no place"
    )
    certified.add_argument(
        "--class", dest="class_", choices=[kind.value for kind in CertClass], help="only this class"
    )
    for name, run, help_ in (
        ("tiers", _tiers, "draft the management system: every tier policy that was in force"),
        ("assessments", _assessments, "draft the assessed features"),
    ):
        _add_out(add(family, name, run, help_))
    _add_out(certified)
    list_ = add(family, "list", _list, "list the filings, newest first")
    list_.add_argument("--state", choices=[state.value for state in State], help="only those")
    show = add(family, "show", _show, "print a filing as it leaves")
    show.add_argument("number", metavar="NUMBER", type=number, help="its number")
    show.add_argument("--html", action="store_true", help="the page to print instead of the JSON")
    for name, state, help_, words in (
        ("release", State.RELEASED, "release a draft; by another person than drafted it", ""),
        ("submit", State.SUBMITTED, "note that it was handed over", "--how"),
        ("acknowledge", State.ACKNOWLEDGED, "note the number of the receipt", "--receipt"),
        ("return", State.RETURNED, "note that it came back, and why", "--reason"),
        ("withdraw", State.WITHDRAWN, "take it back before it is handed over", "--reason"),
    ):
        step = add(family, name, _step, help_)
        step.set_defaults(state=state, words="")
        step.add_argument("number", metavar="NUMBER", type=number, help="its number")
        step.add_argument("--by", metavar="NAME", required=True, help="who does it")
        if words:
            step.add_argument(words, dest="words", metavar="TEXT", default="", help="in words")
    verify = add(family, "verify", _verify, "say whether a file is as it was signed; needs no database")
    verify.add_argument("file", metavar="FILE.json", help="the signed file")
    verify.add_argument("--key", metavar="MULTIKEY", required=True, help="as `yanlu signing keys` prints it")
    authority = add_family(commands, "authority", "the directory of authorities by place")
    add(authority, "list", _authorities, "list every place with its authority")
    set_ = add(authority, "set", _set_authority, "write who the authority of a place is")
    set_.add_argument("province", metavar="CODE", help="two digits of GB/T 2260; 10 is the national one")
    set_.add_argument("--name", metavar="TEXT", required=True, help="its name")
    set_.add_argument("--contact", metavar="TEXT", default="", help="who to speak to")
    set_.add_argument("--channel", metavar="TEXT", default="", help="how filings are handed over")


def _add_out(parser: Any) -> None:
    parser.add_argument("--by", metavar="NAME", help="who drafts it; another person releases it")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write each as a JSON and an HTML file")


def _certified(call: Call) -> int:
    class_ = CertClass(call.class_) if call.class_ else None
    if not places.is_place(call.province):
        raise Invalid("%(code)s is no place of GB/T 2260", code=call.province)

    async def work(road: Road) -> list[Drafted]:
        by = await _by(road, call)
        async with road.pool.acquire() as conn, conn.transaction():
            return await handover.draft_certified(conn, road, call.province, class_, by=by, source=SOURCE)

    return _tell_drafts(call, on_road(call, work))


def _tiers(call: Call) -> int:
    return _own(call, Kind.TIERS)


def _assessments(call: Call) -> int:
    return _own(call, Kind.ASSESSMENTS)


def _own(call: Call, kind: Kind) -> int:
    async def work(road: Road) -> list[Drafted]:
        by, key = await _by(road, call), Key(kind, road.settings.filings.province)
        async with road.pool.acquire() as conn, conn.transaction():
            made = await handover.draft(conn, road, key, by=by, source=SOURCE)
        return [made] if made else []

    return _tell_drafts(call, on_road(call, work))


async def _by(road: Road, call: Call) -> AccountId | None:
    return await officer(road, call.by) if call.by else None


def _tell_drafts(call: Call, made: Sequence[Drafted]) -> int:
    if call.out is not None:
        call.out.mkdir(parents=True, exist_ok=True)
        for one in made:
            for ending, text in (("json", one.filing.body), ("html", _html(call, one.filing))):
                (call.out / filingdoc.file_name(one.filing, ending)).write_text(text, "utf-8")
    if call.is_json:
        terminal.tell([_said(one) for one in made])
    elif not made:
        terminal.say("there is nothing to file")
    for one in made if not call.is_json else ():
        terminal.say(f"{terminal.bold(str(one.filing.id))}  {filingdoc.title('en', one.filing.key)}")
        delta = one.delta
        changes = f"{len(delta.added)} new, {len(delta.removed)} gone, {len(delta.changed)} changed"
        words = f"{len(one.filing.entries)} lines; {changes}"
        terminal.say(f"  {words if one.is_new else f'nothing has changed since; {one.filing.state}'}")
    return 0


def _said(one: Drafted) -> dict[str, Any]:
    return {
        "filing": str(one.filing.id),
        "key": str(one.filing.key),
        "state": one.filing.state.value,
        "new": one.is_new,
        "delta": {
            "added": list(one.delta.added),
            "removed": list(one.delta.removed),
            "changed": list(one.delta.changed),
        },
        "document": msgspec.json.decode(one.filing.body),
    }


def _owed(call: Call) -> int:
    async def work(road: Road) -> list[Owed]:
        async with road.pool.acquire() as conn:
            return await handover.list_owed(conn, road)

    found = on_road(call, work)
    if call.is_json:
        terminal.tell(
            [
                {
                    "key": str(one.key),
                    "lines": one.count,
                    "owed": one.is_owed,
                    "due": one.due_at.isoformat() if one.due_at else None,
                    "state": one.open.state.value if one.open else None,
                }
                for one in found
            ]
        )
        return 0
    terminal.say(
        *terminal.table(
            (
                terminal.yellow("●") if one.is_owed else terminal.green("●"),
                filingdoc.title("en", one.key),
                f"{one.count} lines",
                f"due {one.due_at:%Y-%m-%d}" if one.due_at else "",
                one.open.state.value if one.open else "",
            )
            for one in found
        )
    )
    return 0


def _list(call: Call) -> int:
    state = State(call.state) if call.state else None

    async def work(road: Road) -> list[Filing]:
        async with road.pool.acquire() as conn:
            return await filings.list_(conn, state=state, limit=200)

    found = on_road(call, work)
    if call.is_json:
        terminal.tell(
            [{"filing": str(one.id), "key": str(one.key), "state": one.state.value} for one in found]
        )
    elif found:
        terminal.say(
            *terminal.table(
                (str(one.id), f"{one.drafted_at:%Y-%m-%d}", one.state.value, filingdoc.title("en", one.key))
                for one in found
            )
        )
    else:
        terminal.say("there are no filings")
    return 0


def _show(call: Call) -> int:
    async def work(road: Road) -> Filing:
        async with road.pool.acquire() as conn:
            return await filings.get(conn, call.number)

    found = on_road(call, work)
    print(_html(call, found) if call.html else found.body)
    return 0


def _step(call: Call) -> int:
    async def work(road: Road) -> Filing:
        by = await officer(road, call.by)
        async with road.pool.acquire() as conn, conn.transaction():
            return await filings.step(
                conn,
                call.number,
                call.state,
                words=call.words,
                by=by,
                source=SOURCE,
                now=road.clock(),
                new_id=road.ids,
            )

    found = on_road(call, work)
    if call.is_json:
        terminal.tell({"filing": str(found.id), "state": found.state.value})
    else:
        terminal.say(f"{found.id} is {terminal.bold(found.state.value)}")
    return 0


def _verify(call: Call) -> int:
    try:
        document = msgspec.json.decode(Path(call.file).read_bytes(), type=dict[str, Any])
        proofs.verify(document, proofs.public_of(call.key), now=system_clock())
    except OSError as error:
        raise Invalid("%(file)s cannot be read: %(why)s", file=call.file, why=error.strerror) from error
    except (msgspec.DecodeError, FederationError, TypeError, ValueError, RecursionError) as error:
        terminal.fail(f"this is not as it was signed: {error}")
        return _BAD_PROOF
    terminal.say(f"{terminal.green('●')} signed by this key, and unchanged: {document.get('id')}")
    return 0


def _authorities(call: Call) -> int:
    async def work(road: Road) -> list[Authority]:
        async with road.pool.acquire() as conn:
            return await places.list_(conn)

    found = on_road(call, work)
    if call.is_json:
        terminal.tell(
            [
                {
                    "province": one.province,
                    "place": one.place,
                    "name": one.name,
                    "contact": one.contact,
                    "channel": one.channel,
                }
                for one in found
            ]
        )
    else:
        terminal.say(
            *terminal.table(
                (terminal.bold(one.province), one.place, one.name or "—", one.contact, one.channel)
                for one in found
            )
        )
    return 0


def _set_authority(call: Call) -> int:
    async def work(road: Road) -> None:
        async with road.pool.acquire() as conn, conn.transaction():
            await places.set_(
                conn,
                call.province,
                name=call.name,
                contact=call.contact,
                channel=call.channel,
                by=None,
                source=SOURCE,
                now=road.clock(),
                new_id=road.ids,
            )

    on_road(call, work)
    if call.is_json:
        terminal.tell({"province": call.province, "name": call.name})
    else:
        terminal.say(f"{call.province}: {call.name}")
    return 0


def _html(call: Call, filing: Filing) -> str:
    made = environment.make("zh-CN", Assets(), call.settings, system_clock)
    return filingdoc.html(made, "zh-CN", filing)
