"""Signing up, logging in and passwords: what is promised to members, and what strangers must not learn."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from compliance.records import Source
from server import membership, names, operators, passwords, secondfactor
from server.errors import Conflict, Gone, Invalid, TooMany, Unavailable
from server.letters import Letter
from server.membership import EmailTaken
from server.pipeline import Road
from server.sections import Limits
from server.store import members, sessions
from server.store.model import Role
from tests.fixtures.server import PASSWORD, Enter
from tests.fixtures.totp import code_for

SOURCE = Source("192.0.2.7", 50_123, "a test")


async def _register(road: Road, name: str = "wen", email: str = "Wen@Mail.example", **more: Any) -> Any:
    values: dict[str, Any] = {"locale": "en", "accepted": True, "source": SOURCE} | more
    return await membership.register(road, name, email, PASSWORD, **values)


def _token(letter: Letter | None) -> str:
    assert letter is not None
    found = re.search(r"/(?:confirm|reset)/([\w-]{40,})", letter.text)
    assert found, letter.text
    return found[1]


def limited(road: Road, **limits: Any) -> Road:
    """The road with limits that count."""
    settings = msgspec.structs.replace(road.settings, limits=Limits(**limits))
    return replace(road, settings=settings)


async def test_a_new_member_may_log_in_once_the_address_is_proven(road_of: Road) -> None:
    """The link works once."""
    made = await _register(road_of)
    assert "wen@mail.example" == made.letter.to
    async with road_of.pool.acquire() as conn:
        assert (await members.get(conn, made.account_id)).email_confirmed_at is None
    token = _token(made.letter)
    assert made.account_id == await membership.confirm_email(road_of, token, source=SOURCE)
    with pytest.raises(Gone):
        await membership.confirm_email(road_of, token, source=SOURCE)
    member = await membership.authenticate(road_of, "WEN@mail.example", PASSWORD, source=SOURCE)
    assert member.email_confirmed_at is not None
    assert (
        made.account_id
        == (await membership.authenticate(road_of, "@Wen", PASSWORD, source=SOURCE)).account_id
    )


async def test_a_known_address_is_told_by_mail_and_not_on_the_page(road_of: Road) -> None:
    """Whoever asks learns nothing; whoever owns the address hears of it (rule E7)."""
    await _register(road_of)
    with pytest.raises(EmailTaken) as taken:
        await _register(road_of, name="other")
    assert taken.value.letter is not None
    assert ("wen@mail.example", True) == (taken.value.letter.to, "exists already" in taken.value.letter.text)
    async with road_of.pool.acquire() as conn:
        assert await members.find_by_name(conn, "other") is None


async def test_a_taken_name_is_said_whatever_its_case(road_of: Road) -> None:
    """Names are public, so this is no secret."""
    await _register(road_of)
    with pytest.raises(Invalid, match="taken"):
        await _register(road_of, name="WEN", email="other@mail.example")


async def test_an_old_agreement_cannot_be_accepted(road_of: Road) -> None:
    """The version that was read is the version that holds."""
    with pytest.raises(Conflict, match="changed"):
        await _register(road_of, accepted={"terms": 0, "rules": 1, "privacy": 1})


@pytest.mark.parametrize("name", ["", "a b", "名字", "x" * 31, "admin", "Yanlu", "a.b", "example.org"])
def test_names_that_nobody_may_take(name: str) -> None:
    """They cannot be written in an address, or read as the server itself."""
    with pytest.raises(Invalid):
        names.check_username(name, "example.org")


@pytest.mark.parametrize(
    "email", ["", "a", "a@b", "a b@c.de", "a@b.c\n", "<a@b.cd>", "a@@b.cd", "x" * 70 + "@b.cd"]
)
def test_addresses_that_are_none(email: str) -> None:
    """No mail is sent to nonsense, and nothing is put into its headers."""
    with pytest.raises(Invalid):
        names.check_email(email)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaa", "12345678", "Password1", "zhang.wei", "x" * 300])
def test_passwords_that_are_guessed_first(password: str) -> None:
    """A guesser tries these before anything else."""
    with pytest.raises(Invalid):
        passwords.check(password, username="zhangwei", email="zhang.wei@mail.example")


async def test_wrong_names_and_wrong_passwords_sound_the_same(road_of: Road) -> None:
    """And both are written down."""
    await _register(road_of)
    said = set()
    for name in ("wen", "nobody", "nobody@mail.example"):
        with pytest.raises(Invalid) as wrong:
            await membership.authenticate(road_of, name, "not this one at all", source=SOURCE)
        said.add((wrong.value.message, wrong.value.field))
    assert {("Wrong name or password", "password")} == said
    async with road_of.pool.acquire() as conn:
        count = await conn.fetchval(
            "select count(*) from compliance.record where kind = 'session:login-failed'"
        )
    assert 3 == count


async def test_guessing_is_limited_by_account_known_or_not(road_of: Road) -> None:
    """Else the limit itself would tell who exists (rule E8)."""
    road = limited(road_of, account_logins=2, address_logins=100)
    await _register(road_of)
    for name in ("wen", "nobody"):
        for _ in range(2):
            with pytest.raises(Invalid):
                await membership.authenticate(road, name, "not this one at all", source=SOURCE)
        with pytest.raises(TooMany):
            await membership.authenticate(road, name, PASSWORD, source=SOURCE)


async def test_guessing_is_limited_by_address_and_network(road_of: Road) -> None:
    """One line has a whole /64 of IPv6 addresses."""
    road = limited(road_of, address_logins=2, account_logins=100)
    for last in range(2):
        with pytest.raises(Invalid):
            source = Source(f"2001:db8::{last}", 1, "")
            await membership.authenticate(road, f"n{last}", "not this one at all", source=source)
    with pytest.raises(TooMany):
        await membership.authenticate(road, "wen", PASSWORD, source=Source("2001:db8::9", 1, ""))


async def test_a_reset_ends_every_session_and_its_link_works_once(road_of: Road, enter: Enter) -> None:
    """Whoever had the old password is out (rule E5)."""
    caller = await enter("mei")
    async with road_of.pool.acquire() as conn:
        member = await members.get(conn, caller.id)
    cookie = await membership.open_session(road_of, member, source=SOURCE)
    token = _token(await membership.start_reset(road_of, "mei@mail.example", source=SOURCE))
    with pytest.raises(Invalid):
        await membership.finish_reset(road_of, token, "short", source=SOURCE)
    assert caller.id == await membership.finish_reset(road_of, token, "a new long password", source=SOURCE)
    with pytest.raises(Gone):
        await membership.finish_reset(road_of, token, "another long password", source=SOURCE)
    async with road_of.pool.acquire() as conn:
        assert await sessions.find(conn, membership.digest(cookie), now=road_of.clock()) is None
    await membership.authenticate(road_of, "mei", "a new long password", source=SOURCE)


async def test_an_unknown_address_gets_no_letter(road_of: Road) -> None:
    """The page says the same all the same."""
    assert await membership.start_reset(road_of, "nobody@mail.example", source=SOURCE) is None


async def test_a_changed_password_keeps_only_the_session_that_changed_it(road_of: Road, enter: Enter) -> None:
    """And its owner hears of it by mail."""
    caller = await enter("mei")
    async with road_of.pool.acquire() as conn:
        member = await members.get(conn, caller.id)
    mine = await membership.open_session(road_of, member, source=SOURCE)
    other = await membership.open_session(road_of, member, source=SOURCE)
    letter = await membership.change_password(
        road_of, caller.id, PASSWORD, "a new long password", keep=mine, source=SOURCE
    )
    assert "was changed" in letter.subject
    async with road_of.pool.acquire() as conn:
        found = [
            await sessions.find(conn, membership.digest(each), now=road_of.clock()) for each in (mine, other)
        ]
    assert [True, False] == [each is not None for each in found]
    assert 401 == (await caller.call("GET", "/api/v1/accounts/verify_credentials")).status


async def test_the_second_factor_takes_each_code_once(road_of: Road, enter: Enter) -> None:
    """A code that somebody looked at over a shoulder is of no use (rule E9)."""
    caller = await enter("mei")
    enrolment = await secondfactor.start(road_of, caller.id)
    assert enrolment == await secondfactor.start(road_of, caller.id)
    code = code_for(enrolment.secret, road_of.clock())
    with pytest.raises(Invalid):
        await secondfactor.enable(
            road_of, caller.id, "000000" if code != "000000" else "111111", source=SOURCE
        )
    recovery = await secondfactor.enable(road_of, caller.id, code, source=SOURCE)
    with pytest.raises(Invalid):
        await secondfactor.check(road_of, caller.id, code)
    await secondfactor.check(road_of, caller.id, recovery[0].upper())
    with pytest.raises(Invalid):
        await secondfactor.check(road_of, caller.id, recovery[0])


async def test_five_wrong_codes_close_the_door(road_of: Road, enter: Enter) -> None:
    """Six digits can be tried out otherwise."""
    caller, road = await enter("mei"), limited(road_of)
    await secondfactor.start(road, caller.id)
    for _ in range(5):
        with pytest.raises(Invalid):
            await secondfactor.enable(road, caller.id, "abcdef", source=SOURCE)
    with pytest.raises(TooMany):
        await secondfactor.enable(road, caller.id, "abcdef", source=SOURCE)


async def test_the_first_operator_is_made_once(road_of: Road) -> None:
    """The link is void as soon as there is an operator, and one that is asked for later does not exist."""
    link = await operators.new_link(road_of)
    assert link is not None
    token = link.rpartition("/")[2]
    account_id = await operators.make_first(
        road_of,
        token,
        username="first",
        email="first@mail.example",
        password=PASSWORD,
        locale="en",
        source=SOURCE,
    )
    async with road_of.pool.acquire() as conn:
        assert Role.ADMIN in (await members.get(conn, account_id)).roles
    assert await operators.new_link(road_of) is None
    with pytest.raises(Gone):
        await operators.make_first(
            road_of,
            token,
            username="second",
            email="second@mail.example",
            password=PASSWORD,
            locale="en",
            source=SOURCE,
        )


async def test_too_many_log_ins_at_once_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is short, so that nobody waits for long and nothing else waits at all."""
    monkeypatch.setattr(passwords, "_waiting", 66)
    with pytest.raises(Unavailable):
        await passwords.hash_("a long password")


async def test_a_hash_says_how_it_was_made() -> None:
    """So that the cost can be raised later."""
    stored = await passwords.hash_("a long password")
    assert stored.startswith("$argon2id$")
    assert not passwords.is_outdated(stored)
    assert passwords.is_outdated(stored.replace("t=2", "t=1"))
    assert await passwords.matches("a long password", stored)
    assert not await passwords.matches("a long password", None)
    assert not await passwords.matches("\ud800", stored)
