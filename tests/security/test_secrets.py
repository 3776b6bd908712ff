"""Sections 6 to 8: what a thief of the database or of the logs gets, and what nobody can rewrite.

How papers are sealed is tried in `tests/compliance/test_identity.py` and `test_sealing.py`.
"""

from __future__ import annotations

import logging
import re
import secrets

import asyncpg
import pytest

from compliance import identity
from server import membership
from server.db.embedded import SUPERUSER, Cluster
from server.pipeline import Road
from server.store import members
from server.store.model import Role
from tests.fixtures.postgres import Database
from tests.fixtures.server import PASSWORD, SOURCE, Caller, Client, Enter

from .world import code_of, give_second_factor, open_browser, open_desk

PHONE = "+8613700000042"


async def _dump(conn: asyncpg.Connection[asyncpg.Record]) -> str:
    """Every row of every table, as a thief would read them; bytes also as the text that they might be."""
    tables = await conn.fetch(
        "select schemaname, tablename from pg_tables "
        "where schemaname in ('public', 'compliance', 'federation', 'vault')"
    )
    rows = []
    for table in tables:
        name = f'"{table["schemaname"]}"."{table["tablename"]}"'
        rows += [row["row"] for row in await conn.fetch(f"select t::text as row from {name} t")]  # noqa: S608
    whole = "\n".join(rows)
    packed = re.findall(r"\\\\x([0-9a-f]+)", whole.replace('"', ""))
    return whole + "\n".join(bytes.fromhex(text).decode("latin-1") for text in packed if len(text) % 2 == 0)


async def test_a_thief_of_the_database_can_do_nothing_with_it(
    client: Client, enter: Enter, road_of: Road, nobody: Caller, cluster: Cluster
) -> None:
    """No password, token, code, cookie, link, secret, address or number stands in any table (E4)."""
    bob = await enter("bob", verified=False)
    page = await open_browser(client, road_of, bob)
    app = await nobody.do("/api/v1/apps", client_name="x", redirect_uris="https://app.example/")
    secret = await give_second_factor(road_of, bob.id)
    letter = await membership.start_reset(road_of, "bob@mail.example", source=SOURCE)
    assert letter is not None
    link = re.search(r"/reset/([\w-]+)", str(letter))
    assert link is not None
    async with road_of.pool.acquire() as conn, conn.transaction():
        member = await members.get(conn, bob.id)
        steps = {"sealer": road_of.sealer, "now": road_of.clock(), "source": SOURCE, "new_id": road_of.ids}
        await identity.start_mobile(conn, bob.id, PHONE, code="918273", **steps)  # type: ignore[arg-type]
        await identity.confirm_mobile(conn, bob.id, PHONE, "918273", **steps)  # type: ignore[arg-type]
        await identity.start_mobile(conn, bob.id, PHONE, code="918274", **steps)  # type: ignore[arg-type]
    planted = {
        "password": PASSWORD,
        "token": str(bob.token),
        "cookie": page.cookie,
        "app's secret": app["client_secret"],
        "second factor": secret,
        "its code": code_of(secret),
        "reset link": link[1],
        "e-mail": "bob@mail.example",
        "number": PHONE,
        "number without its country": PHONE[3:],
        "code by text message": "918274",
        "private key": "PRIVATE KEY",
    }
    name = await road_of.pool.fetchval("select current_database()")
    thief = await asyncpg.connect(cluster.url(SUPERUSER, name))
    try:
        dump = await _dump(thief)
    finally:
        await thief.close()
    assert member.username in dump
    assert [] == [name for name, value in planted.items() if value in dump]


async def test_the_log_holds_no_secret_and_nobodys_words(
    client: Client, enter: Enter, road_of: Road, caplog: pytest.LogCaptureFixture
) -> None:
    """Log-ins that fail and succeed, posts, errors and codes: none of it in a line (section 6)."""
    caplog.set_level(logging.DEBUG)
    for name in ("asyncio", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    bob = await enter("bob")
    await bob.post("plantedwords", visibility="direct")
    await bob.call("GET", "/api/v2/search", params={"q": "plantedquery"})
    await bob.call("POST", "/api/v1/statuses", json={"status": "plantedwords", "visibility": "no"})
    for password in (PASSWORD, "plantedwrong"):
        try:
            await membership.authenticate(road_of, "bob@mail.example", password, source=SOURCE)
        except Exception as error:
            assert "Wrong" in str(error)
    page = await open_browser(client, road_of, bob)
    await page.get("/reset/plantedlink")
    said = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    lines = [line for line in said.splitlines() if "planted" in line or PASSWORD in line]
    assert [] == lines
    for value in (str(bob.token), page.cookie, "bob@mail.example"):
        assert value not in said


async def test_the_server_cannot_rewrite_what_was_recorded(
    client: Client, enter: Enter, road_of: Road
) -> None:
    """Decisions, records and papers: the role that the server runs as may add, and no more (section 7)."""
    ada, bob = await enter("ada"), await enter("bob")
    desk = await open_desk(client, road_of, ada, [Role.ADMIN])
    await desk.send(f"/admin/accounts/{bob.id}/suspend", {"username": "bob", "reason": "spam"})
    kinds = {row["kind"] for row in await road_of.pool.fetch("select kind from compliance.record")}
    assert {"account:suspend"} <= kinds
    for act in ("delete from", "truncate", "drop table"):
        for table in ("compliance.record", "compliance.decision", "vault.paper"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await road_of.pool.execute(f"{act} {table}")
    for statement in (
        "alter table compliance.record disable trigger all",
        "update compliance.record set kind = 'x'",
        "update compliance.decision set verdict = 'cleared'",
        "create table public.mine (id int)",
        "set role postgres",
        "copy compliance.record to program 'true'",
        "select pg_read_file('/etc/passwd')",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await road_of.pool.execute(statement)


async def test_not_even_the_owner_rewrites_the_log(database: Database) -> None:
    """A trigger refuses it, whoever asks."""
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(
            "insert into compliance.record (id, at, kind, client, detail) values (1, now(), 'x', '', '{}')"
        )
        for statement in (
            "update compliance.record set kind = 'y'",
            "delete from compliance.record",
            "truncate compliance.record",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await owner.execute(statement)
        assert "x" == await owner.fetchval("select kind from compliance.record")
    finally:
        await owner.close()


async def test_what_is_random_is_long_enough(
    client: Client, enter: Enter, road_of: Road, nobody: Caller
) -> None:
    """256 bits in each token, cookie and secret; none is counted up."""
    bob = await enter("bob")
    page = await open_browser(client, road_of, bob)
    app = await nobody.do("/api/v1/apps", client_name="x", redirect_uris="https://app.example/")
    for value in (page.cookie, app["client_secret"], app["client_id"]):
        assert len(value) >= len(secrets.token_urlsafe(32))


async def test_whoever_left_is_seen_nowhere(
    client: Client, enter: Enter, road_of: Road, nobody: Caller
) -> None:
    """A closed account: its words, name and pictures are gone from every public way at once, and its sessions
    and tokens open nothing (section 8).
    """
    bob, ada = await enter("bob"), await enter("ada")
    await bob.call("PATCH", "/api/v1/accounts/update_credentials", json={"display_name": "plantedname"})
    post = await bob.post("plantedwords #plantedtag")
    await ada.do(f"/api/v1/statuses/{post['id']}/reblog")
    page = await open_browser(client, road_of, bob)
    answer = await page.send("/settings/account/close", {"username": "bob", "password": PASSWORD})
    assert 303 == answer.status
    assert 401 == (await bob.call("GET", "/api/v1/timelines/home")).status
    assert 303 == (await page.get("/home")).status
    for path in (
        f"/api/v1/statuses/{post['id']}",
        "/api/v1/timelines/public",
        "/api/v1/timelines/tag/plantedtag",
        f"/api/v1/accounts/{ada.id}/statuses",
        f"/api/v1/accounts/{bob.id}",
        f"/api/v1/accounts/{bob.id}/statuses",
        "/api/v1/accounts/lookup?acct=bob",
        "/api/v2/search?q=plantedname",
        "/@bob",
        f"/@bob/{post['id']}",
        "/@ada",
        "/local",
        "/tags/plantedtag",
        "/users/bob",
        "/users/bob/outbox?page=true",
        f"/users/bob/statuses/{post['id']}",
        "/.well-known/webfinger?resource=acct:bob@example.org",
    ):
        said = str((await nobody.call("GET", path)).body)
        assert "plantedwords" not in said, path
        assert "plantedname" not in said.replace("q=plantedname", ""), path
