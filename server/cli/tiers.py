"""`yanlu tiers`: tier policies: check a file, propose it, try it on everybody, put it in force, show it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from compliance import tierbook, tierpolicy, tiers
from compliance.activity import AccountId
from compliance.errors import InvalidPolicy
from compliance.tierpolicy import TierPolicy

from .. import standings
from ..errors import Forbidden, Invalid, NotFound
from ..ids import MAX_ID
from ..pipeline import Road
from ..store import accounts, members
from ..store.model import Role
from . import terminal
from .account import SOURCE
from .command import Call, Commands, add, add_family, number, on_road

_MALFORMED = 2
_MAY = {Role.COMPLIANCE, Role.EDITOR}


def add_to(commands: Commands) -> None:
    family = add_family(commands, "tiers", "graded service: policies of tiers and credit (Article 9)")
    check = add(family, "check", _check, "read a policy and say what is wrong in it; needs no database")
    check.add_argument("file", metavar="FILE", help="the policy as TOML; - reads standard input")
    import_ = add(family, "import", _import, "keep a policy as a new version, not yet in force")
    import_.add_argument("file", metavar="FILE", help="the policy as TOML; - reads standard input")
    _add_by(import_, "who proposes it")
    trial = add(family, "dry-run", _dry_run, "say how many accounts a version would move; moves nobody")
    trial.add_argument("version", metavar="VERSION", type=number, help="its number")
    activate = add(family, "activate", _activate, "put a version in force, by another than proposed it")
    activate.add_argument("version", metavar="VERSION", type=number, help="its number; 0 is no policy at all")
    _add_by(activate, "who puts it in force")
    show = add(family, "show", _show, "show the policy in force, a version, or the shipped one")
    show.add_argument("version", metavar="VERSION", nargs="?", help="its number, or `shipped`")
    show.add_argument("--text", action="store_true", help="the document itself")
    add(family, "list", _list, "list the versions")


def _add_by(parser: argparse.ArgumentParser, help_: str) -> None:
    parser.add_argument(
        "--by", metavar="NAME", required=True, help=f"{help_}: a compliance officer or editor"
    )


def _check(call: Call) -> int:
    try:
        policy = tierpolicy.parse(read(call.file))
    except InvalidPolicy as error:
        if call.is_json:
            terminal.tell({"valid": False, "error": str(error)})
        terminal.fail(str(error))
        return _MALFORMED
    if call.is_json:
        terminal.tell({"valid": True, "name": policy.name, "version": policy.version, "tiers": _ids(policy)})
    else:
        terminal.say(f"{terminal.green('●')} {policy.name} {policy.version}: {', '.join(_ids(policy))}")
    return 0


def _import(call: Call) -> int:
    text = read(call.file)

    async def work(road: Road) -> int:
        async with road.pool.acquire() as conn, conn.transaction():
            by = await officer(road, call.by)
            return await tierbook.import_(conn, text, by=by, source=SOURCE, now=road.clock(), new_id=road.ids)

    version = on_road(call, work)
    if call.is_json:
        terminal.tell({"version": version, "active": False})
    else:
        terminal.say(f"proposed as version {terminal.bold(str(version))}; another person puts it in force")
    return 0


def _dry_run(call: Call) -> int:
    found = on_road(call, lambda road: standings.run_trial(road, call.version))
    moved = found.moved()
    if call.is_json:
        terminal.tell(
            {
                "version": found.version,
                "accounts": found.accounts,
                "before": dict(found.before()),
                "after": dict(found.after()),
                "moves": [
                    {"from": former or None, "to": to, "accounts": count, "samples": names}
                    for former, to, count, names in moved
                ],
            }
        )
        return 0
    terminal.say(f"tried on {found.accounts} accounts; nobody was moved")
    if moved:
        terminal.say(
            *terminal.table(
                (f"{former or '(none)'} → {to}", terminal.bold(str(count)), ", ".join(f"@{n}" for n in names))
                for former, to, count, names in moved
            )
        )
    return 0


def _activate(call: Call) -> int:
    async def work(road: Road) -> None:
        async with road.pool.acquire() as conn, conn.transaction():
            by, now = await officer(road, call.by), road.clock()
            if call.version == 0:
                await tierbook.deactivate(conn, by=by, source=SOURCE, now=now, new_id=road.ids)
            else:
                await tierbook.activate(conn, call.version, by=by, source=SOURCE, now=now, new_id=road.ids)

    on_road(call, work)
    if call.is_json:
        terminal.tell({"version": call.version, "active": True})
    else:
        terminal.say(f"version {call.version} is in force" if call.version else "no policy is in force")
    return 0


def _show(call: Call) -> int:
    if call.version == "shipped":
        terminal.say(tierbook.shipped().rstrip())
        return 0
    if call.version is not None and not (str(call.version).isdecimal() and int(call.version) <= MAX_ID):
        raise Invalid("%(what)s is no version; give its number, or `shipped`", what=call.version)

    async def work(road: Road) -> tuple[int, TierPolicy, dict[str, int], str]:
        async with road.pool.acquire() as conn:
            version = int(call.version) if call.version else (await tierbook.in_force(conn)).version
            text = await tierbook.text(conn, version) if version else ""
            return version, await tierbook.load(conn, version), await tiers.counts(conn, version), text

    version, policy, counts, text = on_road(call, work)
    if call.text:
        terminal.say(text.rstrip())
    elif call.is_json:
        terminal.tell(
            {
                "version": version,
                "name": policy.name,
                "label": policy.version,
                "tiers": [{"id": id_, "accounts": counts.get(id_, 0)} for id_ in _ids(policy)],
            }
        )
    else:
        terminal.say(f"version {terminal.bold(str(version))}: {policy.name} {policy.version}")
        terminal.say(
            *terminal.table(
                (tier.id, f"{tier.name['zh']} / {tier.name['en']}", str(counts.get(tier.id, 0)))
                for tier in policy.tiers
            )
        )
    return 0


def _list(call: Call) -> int:
    async def work(road: Road) -> list[tierbook.Version]:
        async with road.pool.acquire() as conn:
            return await tierbook.list_(conn)

    versions = on_road(call, work)
    if call.is_json:
        terminal.tell(
            [
                {"version": one.version, "name": one.name, "label": one.label, "active": one.active}
                for one in versions
            ]
        )
    elif versions:
        terminal.say(
            *terminal.table(
                (
                    terminal.green("●") if one.active else " ",
                    terminal.bold(str(one.version)),
                    f"{one.proposed_at:%Y-%m-%d %H:%M}",
                    f"{one.name} {terminal.dim(one.label)}",
                )
                for one in versions
            )
        )
    else:
        terminal.say("there are no tier policies; `yanlu tiers show shipped` prints one to begin from")
    return 0


async def officer(road: Road, name: str) -> AccountId:
    """The member of this name who may decide about tiers and filings."""
    async with road.pool.acquire() as conn:
        found = await accounts.find_by_name(conn, name.removeprefix("@"), None, uris=road.uris)
        member = None if found is None else await members.find(conn, found.id)
    if found is None or member is None:
        raise NotFound(f"there is no member {name}")
    if not member.roles & _MAY:
        raise Forbidden(f"{name} is neither compliance officer nor editor-in-chief")
    return found.id


def read(file: str) -> str:
    """A file, or standard input, as text."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidPolicy(f"{file} is not UTF-8") from error
    except OSError as error:
        raise Invalid("%(file)s cannot be read: %(why)s", file=file, why=error.strerror) from error


def _ids(policy: TierPolicy) -> list[str]:
    return [tier.id for tier in policy.tiers]
