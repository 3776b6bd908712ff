"""`yanlu identity status|attest|revoke|restore|review`: identities of accounts, from the machine itself. No
number and no name comes out here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from compliance import identity
from compliance.activity import AccountId
from compliance.identity import ClaimState, claims, holders
from compliance.records import Source

from .. import identities, reviewing
from ..errors import Forbidden, Invalid, NotFound
from ..pipeline import Road
from ..reviewing import Outcome
from ..store import accounts, members
from ..store.model import AccountView, Role
from ..telling import Code
from . import terminal
from .command import Call, Commands, add, number, on_road

SOURCE = Source.internal("yanlu command")
_DECIDE = frozenset({Role.COMPLIANCE, Role.EDITOR})


def add_to(family: Commands) -> None:
    """The commands that work on accounts."""
    _named(add(family, "status", _status, "show how far it is known who is behind an account"))
    for name, run, help_, why in (
        ("attest", _attest, "verify an account: you have seen who it is", "how you know"),
        (
            "revoke",
            _revoke,
            "withdraw an identity; the account is told and may appeal",
            "statement of reasons",
        ),
        ("restore", _restore, "take a withdrawal back", "why"),
    ):
        parser = add(family, name, run, help_)
        _named(parser)
        parser.add_argument("--reason", required=True, metavar="TEXT", help=f"{why}; kept in the records")
    parser = add(family, "review", _review, "list the claims that wait, or decide one")
    parser.add_argument("claim", metavar="CLAIM", nargs="?", type=number, help="number of the claim")
    parser.add_argument("--by", metavar="NAME", help="who decides: a compliance officer or the editor")
    outcome = parser.add_mutually_exclusive_group()
    outcome.add_argument("--approve", action="store_true", help="what is claimed and the papers agree")
    outcome.add_argument("--decline", metavar="REASON", help="they do not; the person reads the reason")
    outcome.add_argument("--more", metavar="QUESTION", help="what is missing; the person reads it")


def _named(parser: Any) -> None:
    parser.add_argument("name", metavar="NAME", help="user name")


def _status(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        return await _described(road, await _find(road, call.name))

    return _tell(call, on_road(call, work))


def _attest(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        account = await _find(road, call.name)
        async with road.pool.acquire() as conn, conn.transaction():
            terms = await identities.terms(conn, road.settings, account.id)
            await identity.attest(
                conn,
                account.id,
                reason=call.reason,
                by=None,
                now=road.clock(),
                months=terms.months,
                grace_days=terms.grace_days,
                source=SOURCE,
                new_id=road.ids,
            )
            await identities.tell(road, conn, account.id, Code.IDENTITY_VERIFIED)
        return await _described(road, account)

    return _tell(call, on_road(call, work), f"attested {terminal.bold('@' + call.name)}")


def _revoke(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        account = await _find(road, call.name)
        await reviewing.revoke(road, account.id, reason=call.reason, by=None, source=SOURCE)
        return await _described(road, account)

    return _tell(call, on_road(call, work), f"withdrew the identity of {terminal.bold('@' + call.name)}")


def _restore(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        account = await _find(road, call.name)
        await reviewing.restore(road, account.id, reason=call.reason, by=None, source=SOURCE)
        return await _described(road, account)

    return _tell(call, on_road(call, work), f"restored the identity of {terminal.bold('@' + call.name)}")


def _review(call: Call) -> int:
    if call.claim is None:
        return _list(call)

    async def work(road: Road) -> dict[str, object]:
        outcome, words = _outcome(call)
        reviewer = await _reviewer(road, call.by)
        await reviewing.decide(road, call.claim, outcome, words=words, by=reviewer, source=SOURCE)
        async with road.pool.acquire() as conn:
            after = await claims.get(conn, call.claim)
        return {"claim": str(after.id), "state": after.state.value}

    return _tell(call, on_road(call, work))


def _outcome(call: Call) -> tuple[Outcome, str]:
    if call.approve:
        return Outcome.APPROVE, ""
    if call.decline is not None:
        return Outcome.DECLINE, call.decline
    if call.more is not None:
        return Outcome.MORE, call.more
    raise Invalid("Say --approve, --decline REASON or --more QUESTION")


def _list(call: Call) -> int:
    async def work(road: Road) -> list[dict[str, object]]:
        async with road.pool.acquire() as conn:
            waiting = [
                claim
                for state in (ClaimState.WAITING, ClaimState.MORE)
                for claim in await claims.list_waiting(conn, state=state)
            ]
            people = await accounts.load(conn, [claim.account_id for claim in waiting], uris=road.uris)
        return [
            {
                "claim": str(claim.id),
                "account": people[claim.account_id].username if claim.account_id in people else "",
                "method": claim.method.value,
                "state": claim.state.value,
                "shown": dict(claim.shown),
                "at": claim.created_at.isoformat(),
            }
            for claim in waiting
        ]

    found = on_road(call, work)
    if call.is_json:
        terminal.tell({"claims": found})
        return 0
    if not found:
        terminal.say("no claim waits")
        return 0
    terminal.say(
        *terminal.table(
            [
                (
                    str(one["claim"]),
                    f"@{one['account']}",
                    str(one["method"]),
                    str(one["state"]),
                    str(one["at"]),
                )
                for one in found
            ]
        )
    )
    return 0


async def _reviewer(road: Road, name: str | None) -> AccountId:
    if not name:
        raise Invalid("Say with --by who decides")
    account = await _find(road, name)
    async with road.pool.acquire() as conn:
        roles = (await members.get(conn, account.id)).roles
    if not roles & _DECIDE:
        raise Forbidden("Only a compliance officer or the editor decides")
    return account.id


async def _find(road: Road, name: str) -> AccountView:
    async with road.pool.acquire() as conn:
        found = await accounts.find_by_name(conn, name.strip().removeprefix("@"), None, uris=road.uris)
    if found is None:
        raise NotFound("There is no account %(name)s here", name=name)
    return found


async def _described(road: Road, account: AccountView) -> dict[str, object]:
    async with road.pool.acquire() as conn:
        known = await identity.get(conn, account.id)
        held = await holders.list_for(conn, account.id)
        waiting = await claims.find_open(conn, account.id)
    return {
        "account": account.username,
        "state": known.state.value,
        "may_publish": known.may_publish(road.clock()),
        "method": known.method.value if known.method else None,
        "subject": known.subject.value,
        "verified_at": _moment(known.verified_at),
        "due_at": _moment(known.due_at),
        "lapses_at": _moment(known.lapses_at),
        "numbers": [f"{one.kind} {one.masked}" for one in held],
        "claim": str(waiting.id) if waiting else None,
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _tell(call: Call, told: dict[str, object], headline: str | None = None) -> int:
    if call.is_json:
        terminal.tell(told)
        return 0
    if headline:
        terminal.say(headline)
    terminal.say(
        *terminal.table(
            [(terminal.dim(name.replace("_", " ")), _words(value)) for name, value in told.items()]
        )
    )
    return 0


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value) if value not in (None, "") else "-"
