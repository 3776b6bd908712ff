"""`yanlu account`: make people and look after them, from the machine itself."""

from __future__ import annotations

import secrets
from typing import Any

from compliance import identity, numbers
from compliance.activity import AccountId
from compliance.errors import InvalidNumber
from compliance.identity import NotConfirmed
from compliance.records import Source

from .. import identities, membership, staff
from ..errors import Invalid, NotFound
from ..i18n import LOCALES
from ..pipeline import Road
from ..store import accounts, members
from ..store.model import AccountView, Role
from . import terminal
from .command import Call, Commands, add, add_family, on_road

SOURCE = Source.internal("yanlu command")
_CODE_DIGITS = 6


def add_to(commands: Commands) -> None:
    family = add_family(commands, "account", "make people and look after them")
    roles = [role.value for role in Role]

    create = add(family, "create", _create, "make a member, whose address counts as confirmed")
    create.add_argument("name", metavar="NAME", help="user name")
    create.add_argument("--email", required=True, metavar="E", help="mail address")
    create.add_argument("--password", required=True, metavar="P", help="password")
    create.add_argument("--phone", metavar="+86…", help="verify the identity by this number, without a code")
    create.add_argument("--attest", metavar="REASON", help="you have seen who it is; the reason is recorded")
    create.add_argument("--role", action="append", default=[], choices=roles, help="give a role; repeatable")
    create.add_argument("--locale", default=LOCALES[0], choices=LOCALES, help="language of the pages")

    _with_name(add(family, "show", _show, "show a member"))

    role = add(family, "role", _role, "give a member roles, or take them away")
    _with_name(role)
    role.add_argument("roles", metavar="ROLE", nargs="+", choices=roles, help=", ".join(roles))
    role.add_argument("--revoke", action="store_true", help="take them away")

    for name, run, help_ in (
        ("suspend", _suspend, "take an account and all it wrote out of sight"),
        ("restore", _restore, "end a suspension"),
    ):
        parser = add(family, name, run, help_)
        _with_name(parser)
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; kept in the records")

    reset = add(family, "reset-password", _reset_password, "set a new password and end all sessions")
    _with_name(reset)
    reset.add_argument("--password", metavar="P", help="the new password; one is made up if there is none")


def _with_name(parser: Any) -> None:
    parser.add_argument("name", metavar="NAME", help="user name; user@host for somebody on another server")


def _create(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        # What can be refused is refused before anything is made.
        roles = [Role(name) for name in call.role]
        if {Role.ADMIN, Role.AUDITOR} <= set(roles):
            raise Invalid("One person is never admin and auditor at once", field="role")
        if call.attest is not None and not call.attest.strip():
            raise Invalid("Say how the identity was verified: the reason is kept", field="attest")
        if call.phone is not None:
            _check_phone(call.phone)
        made = await membership.register(
            road,
            call.name,
            call.email,
            call.password,
            locale=call.locale,
            accepted=True,
            source=SOURCE,
            confirmed=True,
        )
        if call.phone is not None:
            await _verify_phone(road, made.account_id, call.phone)
        if call.attest is not None:
            await _attest(road, made.account_id, call.attest)
        for role in roles:
            await staff.grant(road, made.account_id, role, by=None, source=SOURCE)
        return await _described(road, call.name)

    return _tell(call, on_road(call, work), f"made {terminal.bold('@' + call.name)}")


def _show(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        return await _described(road, call.name)

    return _tell(call, on_road(call, work))


def _role(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        account = await _find(road, call.name)
        for name in call.roles:
            change = staff.revoke if call.revoke else staff.grant
            await change(road, account.id, Role(name), by=None, source=SOURCE)
        return await _described(road, call.name)

    return _tell(call, on_road(call, work))


def _suspend(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        account = await _find(road, call.name)
        await staff.suspend(road, account.id, reason=call.reason, by=None, source=SOURCE)
        return await _described(road, call.name)

    return _tell(call, on_road(call, work), f"suspended {terminal.bold('@' + call.name)}")


def _restore(call: Call) -> int:
    async def work(road: Road) -> dict[str, object]:
        account = await _find(road, call.name)
        await staff.restore(road, account.id, reason=call.reason, by=None, source=SOURCE)
        return await _described(road, call.name)

    return _tell(call, on_road(call, work), f"restored {terminal.bold('@' + call.name)}")


def _reset_password(call: Call) -> int:
    made_up = None if call.password else secrets.token_urlsafe(12)
    password: str = made_up or call.password

    async def work(road: Road) -> AccountView:
        account = await _find(road, call.name)
        await membership.set_password(road, account.id, password, source=SOURCE)
        return account

    account = on_road(call, work)
    if call.is_json:
        terminal.tell({"id": str(account.id), "username": account.username, "password": made_up})
        return 0
    terminal.say(
        f"{terminal.bold('@' + account.username)} has a new password; all sessions and apps are logged out"
    )
    if made_up:
        terminal.say(f"password: {terminal.bold(made_up)}")
    return 0


def _check_phone(phone: str) -> None:
    try:
        numbers.mobile(phone)
    except InvalidNumber:
        raise Invalid(
            "This does not look like a mobile number with its country code", field="phone"
        ) from None


async def _verify_phone(road: Road, account_id: AccountId, phone: str) -> None:
    """By the same road as a person's own: only the message in between is left out."""
    settings = road.settings.identity
    code = "".join(secrets.choice("0123456789") for _ in range(_CODE_DIGITS))
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        terms = await identities.terms(conn, road.settings, account_id)
        await identity.start_mobile(
            conn,
            account_id,
            phone,
            sealer=road.sealer,
            now=now,
            code=code,
            minutes=settings.code_minutes,
            source=SOURCE,
            new_id=road.ids,
        )
        outcome = await identity.confirm_mobile(
            conn,
            account_id,
            phone,
            code,
            sealer=road.sealer,
            now=now,
            months=terms.months,
            grace_days=terms.grace_days,
            accounts_per_identity=terms.accounts,
            forget=terms.forget,
            keep_months=terms.keep_months,
            source=SOURCE,
            new_id=road.ids,
        )
    if outcome is NotConfirmed.IN_USE:
        raise Invalid("This number has verified as many accounts as one number may", field="phone")


async def _attest(road: Road, account_id: AccountId, reason: str) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        terms = await identities.terms(conn, road.settings, account_id)
        await identity.attest(
            conn,
            account_id,
            reason=reason,
            by=None,
            now=road.clock(),
            months=terms.months,
            grace_days=terms.grace_days,
            source=SOURCE,
            new_id=road.ids,
        )


async def _find(road: Road, name: str) -> AccountView:
    username, _, host = name.strip().removeprefix("@").partition("@")
    async with road.pool.acquire() as conn:
        found = await accounts.find_by_name(
            conn, username, None if host in ("", road.uris.host) else host, uris=road.uris
        )
    if found is None:
        raise NotFound("There is no account %(name)s here", name=name)
    return found


async def _described(road: Road, name: str) -> dict[str, object]:
    account = await _find(road, name)
    async with road.pool.acquire() as conn:
        member = await members.find(conn, account.id)
        known = await identity.get(conn, account.id)
    told: dict[str, object] = {
        "id": str(account.id),
        "username": account.username,
        "handle": f"{account.username}@{account.host or road.uris.host}",
        "uri": account.uri,
        "url": account.url,
        "display_name": account.display_name,
        "created_at": account.created_at.isoformat(),
        "suspended": account.suspended,
        "gone": account.gone,
        "posts": account.posts,
        "followers": account.followers,
        "following": account.following,
    }
    if member is not None:
        told |= {
            "email": membership.open_email(road, member),
            "email_confirmed": member.email_confirmed_at is not None,
            "locale": member.locale,
            "roles": sorted(role.value for role in member.roles),
            "second_factor": member.totp_enabled_at is not None,
            "identity": known.state.value,
            "identity_due_at": known.due_at.isoformat() if known.due_at else None,
        }
    return told


def _tell(call: Call, told: dict[str, object], headline: str | None = None) -> int:
    if call.is_json:
        terminal.tell(told)
        return 0
    if headline:
        terminal.say(headline)
    rows = [(terminal.dim(name.replace("_", " ")), _words(value)) for name, value in told.items()]
    terminal.say(*terminal.table(rows))
    return 0


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value) if value not in (None, "") else "-"
