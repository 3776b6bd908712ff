"""Two servers in processes of their own: a mark arrives with the account, and goes when it is withdrawn.

An application with papers, read and approved by people, is a journey of its own; here it is granted on the
first server's own data by a process beside it, as a command would.
"""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from .harness import Person, Refusal, Yanlu, servers, until

pytestmark = pytest.mark.timeout(300)

LABEL = "示范市图书馆"
GRANT = """
    import sys
    from compliance import applications, certification
    from compliance.activity import AccountId
    from compliance.classes import CertClass
    from server import certifying
    from server.cli import parser
    from server.cli.account import SOURCE
    from server.cli.command import call_of, on_road
    from server.store import accounts

    name, label, data = sys.argv[1:]

    async def work(road):
        class_, kind, now = CertClass.INSTITUTION, "public-institution", road.clock()
        async with road.pool.acquire() as conn, conn.transaction():
            account = await accounts.find_by_name(conn, name, None, uris=road.uris)
            one = await applications.begin(
                conn, account.id, class_, kind, by=account.id, now=now, source=SOURCE, new_id=road.ids
            )
            await certification.grant(
                conn, account.id, class_, kind, label=label, registered_name=label, province="11",
                application_id=one.id, months=12, checked_by="a journey", now=now, new_id=road.ids,
            )
        await certifying.settle(road)

    on_road(call_of(parser().parse_args(["--data", data, "signing", "keys"])), work)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair() -> AsyncIterator[tuple[Yanlu, Yanlu]]:
    async with servers("north", "south", by_name="south") as (north, south):
        yield north, south


async def certify(server: Yanlu, name: str, label: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", textwrap.dedent(GRANT), name, label, str(server.data)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **server.env},
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()


async def document(server: Yanlu, url: str, accept: str = "application/activity+json") -> tuple[int, Any]:
    async with server.web.get(url, headers={"Accept": accept}, allow_redirects=False) as answer:
        return answer.status, await answer.json(content_type=None) if answer.status == 200 else None


async def page(server: Yanlu, path: str) -> str:
    async with server.web.get(f"{server.origin}{path}") as answer:
        assert answer.status == 200
        return await answer.text()


async def mark(reader: Person, account_id: str) -> Any:
    account = await reader.get(f"v1/accounts/{account_id}")
    return account.get("yanlu", {}).get("certification")


async def test_a_mark_arrives_and_goes(pair: tuple[Yanlu, Yanlu]) -> None:
    north, south = pair
    library, reader = await asyncio.gather(north.person("library"), south.person("reader"))
    account_id = await reader.follow(library.handle)
    await until(lambda: reader.follows(account_id), "the reader follows")
    assert await mark(reader, account_id) is None
    assert (await document(north, f"{library.uri}/certification"))[0] == 404

    await certify(north, "library", LABEL)
    status, said = await document(north, f"{library.uri}/certification")
    assert (status, said["subject"], said["label"]) == (200, library.uri, LABEL)
    _, actor = await document(north, library.uri)
    assert actor["certification"] == said
    assert actor["attachment"][0]["value"] == LABEL
    _, speaker = await document(north, f"{north.origin}/actor")
    [key] = speaker["assertionMethod"]
    assert said["proof"]["verificationMethod"] == key["id"]
    assert await north.command("signing", "keys") == [key]

    found = await until(lambda: mark(reader, account_id), "the mark arrives")
    assert (found["class"], found["label"], found["host"]) == ("institution", LABEL, north.authority)
    post = await library.post("开馆了")
    seen = await until(lambda: reader.find_home(post["uri"]), "the post arrives")
    assert seen["account"]["yanlu"]["certification"]["label"] == LABEL
    assert seen["account"]["fields"][0]["verified_at"] is not None
    assert len(seen["account"]["fields"]) == 1
    theirs = await page(south, f"/@{library.handle}")
    assert 'class="certified organisation elsewhere"' in theirs
    assert north.authority in theirs
    ours = await page(north, "/@library")
    assert 'class="certified organisation"' in ours

    # Nobody there or here takes its name for it.
    with pytest.raises(Refusal, match="422"):
        await (await north.person("other")).call(
            "PATCH", "v1/accounts/update_credentials", body={"display_name": "示範市圖書館 官方"}
        )

    await north.command("signing", "rotate")
    _, said = await document(north, f"{library.uri}/certification")
    [newer] = (await document(north, f"{north.origin}/actor"))[1]["assertionMethod"]
    assert said["proof"]["verificationMethod"] == newer["id"] != key["id"]
    _, all_keys = await document(north, f"{north.origin}/.well-known/yanlu/keys", "application/json")
    assert [each["id"] for each in all_keys["assertionMethod"]] == [newer["id"], key["id"]]

    ground = ("--ground", "paper_expired")
    await north.command("certification", "revoke", "library", *ground, "--reason", "The library is closed")

    async def is_gone() -> bool:
        return await mark(reader, account_id) is None

    await until(is_gone, "the mark goes")
    assert "certified organisation" not in await page(south, f"/@{library.handle}")
    assert (await document(north, f"{library.uri}/certification"))[0] == 404


async def test_the_operator_reserves_names(pair: tuple[Yanlu, Yanlu]) -> None:
    north, _ = pair
    name = "示范县人民政府"
    assert "公安部" in {each["name"] for each in await north.command("names", "list")}
    assert await north.command("names", "reserve", name, "公安部") == {"reserved": 1}
    someone = await north.person("someone")

    async def is_free(wanted: str) -> bool:
        try:
            await someone.call("PATCH", "v1/accounts/update_credentials", body={"display_name": wanted})
        except Refusal as refusal:
            assert refusal.status == 422
            return False
        return True

    assert not await is_free("示範縣人民政府")
    assert await north.command("names", "release", name) == {"released": name}
    assert await is_free("示範縣人民政府")
