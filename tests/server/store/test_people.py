"""What people prove themselves with: each secret works once or as long as it should, and for its owner
alone.
"""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from compliance.activity import AccountId
from server.db.pool import Connection
from server.errors import NotFound
from server.store import attempts, members, sessions, tokens
from server.store.model import Page, Role
from tests.fixtures.factory import Factory, now

LATER = timedelta(hours=1)


async def open_session(make: Factory, account_id: AccountId, cookie: bytes = b"cookie") -> None:
    await sessions.insert(
        make.conn,
        token_hash=cookie,
        id=make.ids(),
        account_id=account_id,
        csrf=b"csrf",
        now=now(),
        expires_at=now() + LATER,
        address="2001:db8::1",
        client="a browser",
    )


async def test_a_member_is_found_by_every_name(make: Factory, conn: Connection) -> None:
    id_ = await make.member("Li")
    found = [
        await members.find(conn, id_),
        await members.find_by_name(conn, "LI"),
        await members.find_by_email(conn, b"Li@mail.example"),
    ]
    assert [id_] * 3 == [member.account_id if member else None for member in found]
    assert await members.find_by_name(conn, "nobody") is None
    with pytest.raises(NotFound):
        await members.get(conn, AccountId(1))


async def test_somebody_of_another_server_is_no_member(make: Factory, conn: Connection) -> None:
    await make.account("li", "far.example")
    assert await members.find_by_name(conn, "li") is None


async def test_an_address_belongs_to_one_member(make: Factory, conn: Connection) -> None:
    account = await make.account("second")
    await make.member("li")
    with pytest.raises(asyncpg.UniqueViolationError):
        await members.insert(
            conn,
            account_id=account,
            email_sealed=b"",
            email_index=b"li@mail.example",
            password="-",
            locale="en",
            now=now(),
        )


async def test_a_member_changes_what_is_theirs(make: Factory, conn: Connection) -> None:
    id_ = await make.member("li", confirmed=False)
    await members.set_password(conn, id_, "hashed")
    await members.set_locale(conn, id_, "zh-CN")
    await members.set_preferences(conn, id_, {"theme": "dark", "reduce_motion": True})
    await members.set_preferences(conn, id_, {"theme": "light"})
    await members.confirm_email(conn, id_, now=(first := now()))
    await members.confirm_email(conn, id_, now=now())
    member = await members.get(conn, id_)
    assert ("hashed", "zh-CN", first) == (member.password, member.locale, member.email_confirmed_at)
    assert {"theme": "light", "reduce_motion": True} == member.preferences
    await members.set_email(conn, id_, email_sealed=b"new", email_index=b"new", now=now())
    assert await members.find_by_email(conn, b"li@mail.example") is None
    assert await members.find_by_email(conn, b"new") is not None


async def test_being_seen_is_noted_once_an_hour_and_says_who_was_away(
    make: Factory, conn: Connection
) -> None:
    id_ = await make.member("li")
    joined = (await members.get(conn, id_)).seen_at
    assert joined is not None
    assert not await members.seen(conn, id_, now=joined + timedelta(minutes=50))
    assert joined == (await members.get(conn, id_)).seen_at
    assert not await members.seen(conn, id_, now=joined + timedelta(hours=2))
    assert await members.seen(conn, id_, now=joined + timedelta(days=40))
    assert not await members.seen(conn, id_, now=joined + timedelta(days=40))


async def test_a_code_of_the_second_factor_works_once(make: Factory, conn: Connection) -> None:
    id_ = await make.member("li")
    assert not await members.enable_totp(conn, id_, step=1, recovery_codes=[], now=now())
    await members.start_totp(conn, id_, b"secret")
    assert await members.enable_totp(conn, id_, step=100, recovery_codes=[b"a", b"b"], now=now())
    await members.start_totp(conn, id_, b"another")
    assert b"secret" == (await members.get(conn, id_)).totp_sealed
    used = [await members.use_totp_step(conn, id_, step) for step in (100, 99, 101, 101)]
    assert [False, False, True, False] == used
    assert [True, False, False] == [
        await members.use_recovery_code(conn, id_, code) for code in (b"a", b"a", b"c")
    ]
    assert (b"b",) == (await members.get(conn, id_)).recovery_codes
    await members.set_recovery_codes(conn, id_, [b"x"])
    assert (b"x",) == (await members.get(conn, id_)).recovery_codes
    await members.disable_totp(conn, id_)
    member = await members.get(conn, id_)
    assert (None, None, ()) == (member.totp_sealed, member.totp_enabled_at, member.recovery_codes)


async def test_roles_come_and_go(make: Factory, conn: Connection) -> None:
    li, admin = await make.member("li"), await make.member("admin")
    await make.member("plain")
    assert await members.grant_role(conn, admin, Role.ADMIN, granted_by=None, now=now())
    assert not await members.grant_role(conn, admin, Role.ADMIN, granted_by=None, now=now())
    await members.grant_role(conn, li, Role.REVIEWER, granted_by=admin, now=now())
    await members.grant_role(conn, li, Role.AUDITOR, granted_by=admin, now=now())
    assert frozenset({Role.REVIEWER, Role.AUDITOR}) == (await members.get(conn, li)).roles
    assert [admin, li] == [row.id for row in await members.list_staff(conn, Page())]
    assert [admin] == [row.id for row in await members.list_staff(conn, Page(), [Role.ADMIN])]
    assert 1 == await members.count_role(conn, Role.ADMIN)
    assert await members.revoke_role(conn, admin, Role.ADMIN)
    assert not await members.revoke_role(conn, admin, Role.ADMIN)
    assert 0 == await members.count_role(conn, Role.ADMIN)


async def test_a_session_says_whose_it_is_until_it_ends(make: Factory, conn: Connection) -> None:
    li = await make.member("li")
    await members.grant_role(conn, li, Role.ADMIN, granted_by=None, now=now())
    await open_session(make, li)
    session = await sessions.find(conn, b"cookie", now=now())
    assert session is not None
    assert (li, "li", "en", b"csrf") == (session.account_id, session.username, session.locale, session.csrf)
    assert (frozenset({Role.ADMIN}), "2001:db8::1") == (session.roles, session.address)
    assert (False, True, False, None) == (
        session.suspended,
        session.email_confirmed,
        session.has_totp,
        session.confirmed_at,
    )
    assert await sessions.find(conn, b"cookie", now=now() + LATER) is None
    assert await sessions.find(conn, b"other", now=now()) is None
    await sessions.confirm(conn, b"cookie", now=(at := now()))
    await sessions.touch(conn, b"cookie", now=at + timedelta(minutes=1), expires_at=at + LATER * 2)
    session = await sessions.find(conn, b"cookie", now=now())
    assert session is not None
    assert (at, True) == (session.confirmed_at, session.expires_at < at + LATER * 1.5)
    await sessions.touch(conn, b"cookie", now=at + timedelta(minutes=6), expires_at=at + LATER * 2)
    assert await sessions.find(conn, b"cookie", now=at + LATER) is not None
    assert await sessions.delete(conn, b"cookie")
    assert not await sessions.delete(conn, b"cookie")


async def test_sessions_end_for_their_owner_alone(make: Factory, conn: Connection) -> None:
    """Somebody else's session id must do nothing (rule D2)."""
    li, other = await make.member("li"), await make.member("other")
    for n in range(3):
        await open_session(make, li, b"%d" % n)
    await open_session(make, other, b"other")
    listed = await sessions.list_(conn, li, now=now())
    assert 3 == len(listed)
    assert not await sessions.delete_one(conn, other, listed[0].id)
    assert await sessions.delete_one(conn, li, listed[0].id)
    assert 1 == await sessions.delete_all(conn, li, keep=b"0")
    assert await sessions.find(conn, b"0", now=now()) is not None
    assert 1 == await sessions.delete_all(conn, li)
    assert await sessions.find(conn, b"other", now=now()) is not None


async def test_a_link_works_once_in_time_and_for_its_purpose(make: Factory, conn: Connection) -> None:
    li = await make.member("li")

    async def send(token: bytes) -> None:
        await sessions.insert_link(
            conn, token_hash=token, account_id=li, purpose="reset", now=now(), expires_at=now() + LATER
        )

    await send(b"first")
    await send(b"second")
    assert await sessions.find_link(conn, b"first", "reset", now=now()) is None
    assert await sessions.use_link(conn, b"second", "confirm", now=now()) is None
    assert await sessions.use_link(conn, b"second", "reset", now=now() + LATER) is None
    assert await sessions.find_link(conn, b"second", "reset", now=now()) is not None
    link = await sessions.use_link(conn, b"second", "reset", now=now())
    assert link is not None
    assert (li, "reset") == (link.account_id, link.purpose)
    assert await sessions.use_link(conn, b"second", "reset", now=now()) is None


async def test_a_code_gives_its_meaning_once(make: Factory, conn: Connection) -> None:
    """The second use says so, and the tokens of the first end (rule E1)."""
    li, app, other = await make.member("li"), await make.app(), await make.app("other")
    await tokens.insert_code(
        conn,
        code_hash=b"code",
        app_id=app,
        account_id=li,
        redirect_uri="https://app.example/back",
        scopes=["read"],
        challenge="abc",
        now=now(),
        expires_at=now() + LATER,
    )
    assert await tokens.use_code(conn, b"code", other, now=now()) is None
    assert await tokens.use_code(conn, b"none", app, now=now()) is None
    code = await tokens.use_code(conn, b"code", app, now=now())
    assert code is not None
    assert (li, "https://app.example/back", ("read",), "abc", None) == (
        code.account_id,
        code.redirect_uri,
        code.scopes,
        code.challenge,
        code.used_at,
    )
    await tokens.insert(
        conn,
        token_hash=b"t",
        id=make.ids(),
        app_id=app,
        account_id=li,
        scopes=["read"],
        now=now(),
        code_hash=b"code",
    )
    again = await tokens.use_code(conn, b"code", app, now=now())
    assert again is not None
    assert again.used_at is not None
    assert await tokens.find(conn, b"t") is not None
    assert 1 == await tokens.revoke_by_code(conn, b"code")
    assert await tokens.find(conn, b"t") is None


async def test_a_token_says_for_whom_it_acts(make: Factory, conn: Connection) -> None:
    li, app = await make.member("li", confirmed=False, suspended=True), await make.app("Tusk")
    for token, owner in ((b"person", li), (b"app", None)):
        await tokens.insert(
            conn,
            token_hash=token,
            id=make.ids(),
            app_id=app,
            account_id=owner,
            scopes=["read", "write"],
            now=now(),
        )
    person, nobody = await tokens.find(conn, b"person"), await tokens.find(conn, b"app")
    assert person is not None
    assert nobody is not None
    assert (li, "li", "Tusk", True, False) == (
        person.account_id,
        person.username,
        person.app_name,
        person.suspended,
        person.email_confirmed,
    )
    assert (None, None, False, ("read", "write")) == (
        nobody.account_id,
        nobody.username,
        nobody.suspended,
        nobody.scopes,
    )
    await tokens.used(conn, b"person", now=(at := now()))
    await tokens.used(conn, b"person", now=at + timedelta(minutes=1))
    [listed] = await tokens.list_(conn, li)
    assert (person.id, at) == (listed.id, listed.used_at)


async def test_tokens_end_for_their_owner_and_app_alone(make: Factory, conn: Connection) -> None:
    li, other = await make.member("li"), await make.member("other")
    app, strange = await make.app(), await make.app("strange")
    for token in (b"1", b"2", b"3"):
        await tokens.insert(
            conn, token_hash=token, id=make.ids(), app_id=app, account_id=li, scopes=[], now=now()
        )
    assert not await tokens.revoke(conn, b"1", strange)
    assert await tokens.revoke(conn, b"1", app)
    assert not await tokens.revoke(conn, b"1", app)
    newest = (await tokens.list_(conn, li))[0]
    assert not await tokens.revoke_one(conn, other, newest.id)
    assert await tokens.revoke_one(conn, li, newest.id)
    assert 1 == await tokens.revoke_all(conn, li)
    assert [] == await tokens.list_(conn, li)


async def test_an_app_is_found_by_its_client_id(make: Factory, conn: Connection) -> None:
    await tokens.insert_app(
        conn,
        id=5,
        name="Tusk",
        website=None,
        redirect_uris=["https://a.example", "urn:x"],
        scopes=["read"],
        client_id="c",
        client_secret_hash=b"s",
        now=now(),
    )
    app = await tokens.find_app(conn, "c")
    assert app is not None
    assert (("https://a.example", "urn:x"), ("read",), b"s") == (
        app.redirect_uris,
        app.scopes,
        app.client_secret_hash,
    )
    assert app == await tokens.find_app_by_id(conn, 5)
    assert await tokens.find_app(conn, "d") is None


async def test_whoever_is_gone_is_not_let_in(make: Factory, conn: Connection) -> None:
    li, app = await make.member("li"), await make.app()
    await open_session(make, li)
    await tokens.insert(conn, token_hash=b"t", id=make.ids(), app_id=app, account_id=li, scopes=[], now=now())
    await conn.execute("update account set gone_at = now() where id = $1", li)
    assert await sessions.find(conn, b"cookie", now=now()) is None
    assert await tokens.find(conn, b"t") is None


async def test_attempts_are_counted_in_windows(conn: Connection) -> None:
    hour = timedelta(hours=1)
    at = now().replace(minute=10)
    counts = [(await attempts.count(conn, "login:1", window=hour, now=at))[0] for _ in range(3)]
    assert [1, 2, 3] == counts
    tries, ends = await attempts.count(conn, "login:2", window=hour, now=at)
    assert (1, at.replace(minute=0, second=0, microsecond=0) + hour) == (tries, ends)
    assert 1 == (await attempts.count(conn, "login:1", window=hour, now=ends))[0]
    await attempts.clear(conn, "login:1")
    assert 1 == (await attempts.count(conn, "login:1", window=hour, now=at))[0]
