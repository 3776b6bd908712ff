"""Section 6 on a running server: what somebody gets who takes the whole database, the media folder, the logs,
the pages and the archives, and has no key.

Who may open what is tried in `tests/server/web/test_vault_pages.py` and `tests/compliance/test_vault.py`.
"""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from aiohttp import ClientSession, DummyCookieJar
from PIL import Image

from compliance import accesses
from compliance.vault import Field
from server import export, keys
from server.db import programs
from server.db.embedded import SUPERUSER, Cluster
from server.opening import SECRET
from server.pipeline import Road
from server.sections import Metrics
from server.store import accounts
from server.store.model import Role
from tests.fixtures.server import Caller, Client, Enter, Serve
from tests.server.web.visitor import Visitor

from .world import Browser, open_desk

PHONE, NUMBER, NAME = "+8613711122233", "11010519491231002X", "欧阳修远"
FILE = "欧阳修远的身份证"
PLANTED = {
    "phone": PHONE[3:],
    "number": NUMBER,
    "name": NAME,
    "file name": FILE,
    "picture": "planted-in-exif",
}
CARD = "/settings/identity/ways/resident-id"


@pytest.fixture
async def client(serve: Serve) -> Client:
    return await serve(metrics=Metrics(token="a-token-for-metrics"))


@pytest.fixture
async def session(client: Client) -> AsyncIterator[ClientSession]:
    async with ClientSession(client.make_url("/"), cookie_jar=DummyCookieJar()) as session:
        yield session


def spellings(value: str) -> Iterator[bytes]:
    """As a thief would look for it: in several encodings, and in base64 at each of its three offsets."""
    for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be"):
        yield value.encode(encoding)
    yield value.encode("unicode_escape")
    yield value.encode().hex().encode()
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + value.encode())
        yield whole[4 if offset else 0 : len(whole) - 4]


def found_in(data: bytes) -> set[str]:
    """Which of the planted values stand there."""
    return {name for name, value in PLANTED.items() if any(spelling in data for spelling in spellings(value))}


def unpacked(dump: bytes) -> bytes:
    """With every value of bytes also as the bytes that it is."""
    return dump + b"\n".join(
        bytes.fromhex(text.decode()) for text in re.findall(rb"\\\\x((?:[0-9a-f]{2})+)", dump)
    )


def photo() -> tuple[str, bytes, str]:
    """A picture that says who made it, and whose name says whose it is."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = PLANTED["picture"]
    Image.new("RGB", (80, 50), (9, 90, 200)).save(out, "JPEG", exif=exif)
    return f"{FILE}.jpg", out.getvalue(), "image/jpeg"


async def dumped(cluster: Cluster, road: Road, tmp_path: Path) -> bytes:
    """The whole database, by PostgreSQL's own tool, as its superuser."""
    tools = programs.find(cluster.folder.parent, programs.account_for(cluster.folder.parent))
    name = await road.pool.fetchval("select current_database()")
    process = await asyncio.create_subprocess_exec(
        tools / "pg_dump", cluster.url(SUPERUSER, name), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out


def test_the_search_finds_what_is_there() -> None:
    """A search that finds nothing anywhere proves nothing."""
    for name, value in PLANTED.items():
        for written in (value.encode(), value.encode("gb18030"), base64.b64encode(f"x{value}yz".encode())):
            assert {name} <= found_in(b"..." + written + b"...")
    assert {"number"} <= found_in(unpacked(b"1\t\\\\x" + NUMBER.encode().hex().encode() + b"\t"))


async def test_nothing_planted_is_found_anywhere(
    client: Client,
    road_of: Road,
    enter: Enter,
    session: ClientSession,
    *,
    cluster: Cluster,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A full run: a phone proved, a card claimed with a picture, looked at by a reviewer, opened by two,
    and much that goes wrong; then the dump, the folders, the log, the pages, the metrics and the archive."""
    picture = photo()  # before anything is caught: the library that makes it says what it writes
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    wen, xin = await _live(road_of, enter, session, picture)
    told = await _staff(client, road_of, enter, wen)

    dump = await dumped(cluster, road_of, tmp_path)
    assert b"vault.paper" in dump
    assert wen.name.encode() in dump
    assert set() == found_in(unpacked(dump))
    assert set() == found_in(b"".join(file.read_bytes() for file in _kept(road_of.settings.data)))

    said = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert len(said) > 10_000
    assert set() == found_in(said.encode())

    for path in _pages(wen, xin):
        answer = await told.get(path)
        assert set() == found_in(answer.body.encode()), path
    metrics = await told.get("/metrics", headers={"Authorization": "Bearer a-token-for-metrics"})
    assert 200 == metrics.status
    assert set() == found_in(metrics.body.encode())

    file = io.BytesIO()
    async with road_of.pool.acquire() as conn:
        me = await accounts.get(conn, wen.id, uris=road_of.uris)
    await export.write(road_of, me, file)
    with ZipFile(file) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist())
        assert b"2026-118" in archive.read("yanlu/sealed-papers.json")
    assert set() == found_in(whole)


async def _live(
    road: Road, enter: Enter, session: ClientSession, picture: tuple[str, bytes, str]
) -> tuple[Caller, Caller]:
    """Wen proves a phone, after one wrong try and one that is no number; Xin claims a card."""
    wen, xin = await enter("wen", verified=False), await enter("xin", verified=False)
    browser = Visitor(session)
    await browser.log_in("wen")
    await browser.send("/settings/identity", phone=f"{PHONE}9", consent="1")
    waiting = await browser.send("/settings/identity", phone=PHONE, consent="1")
    kept = waiting.hidden()["kept"]
    confirm = "/settings/identity/confirm"
    await browser.send(confirm, page="/settings/identity", kept=kept, code="000000")
    [text] = [file.read_text("utf-8") for file in (road.settings.data / "sms").iterdir()]
    code = re.findall(r"\b[0-9]{6}\b", text)[-1]
    done = await browser.send(confirm, page="/settings/identity", kept=kept, code=code)
    assert "You are verified" in done.text
    await wen.post("good morning")
    other = Visitor(session)
    await other.log_in("xin")
    await other.send(CARD, number=NUMBER, name=NAME)
    sent = await other.send(CARD, number=NUMBER, name=NAME, consent="1", files={"papers": picture})
    assert "A person will look at it" in sent.text
    return wen, xin


async def _staff(client: Client, road: Road, enter: Enter, wen: Caller) -> Browser:
    """A reviewer looks at the claim, an officer opens a number that an editor approved, and tries again."""
    reviewer = await open_desk(client, road, await enter("rui"), [Role.REVIEWER])
    officer = await open_desk(client, road, await enter("olga"), [Role.COMPLIANCE])
    chief = await open_desk(client, road, await enter("chen"), [Role.EDITOR])
    claim = await road.pool.fetchval("select id from compliance.identity_claim where state = 'waiting'")
    looked = await reviewer.send(f"/admin/identity/{claim}/open")
    assert NUMBER in looked.body
    form = {"account": "wen", "fields": Field.MOBILE.value, "purpose": "court", "legal_basis": "order 7"}
    asked = await officer.send("/admin/vault", form | {"case": "2026-118"})
    path = asked.headers["Location"]
    await chief.send(path, {"outcome": "approve"})
    assert PHONE in (await officer.send(f"{path}/read")).body
    assert 403 == (await officer.send(f"{path}/read")).status
    async with road.pool.acquire() as conn:
        assert 1 == len(await accesses.history(conn, wen.id, road.clock()))
    return await open_desk(client, road, await enter("ada"), [Role.ADMIN, Role.REVIEWER])


def _kept(data: Path) -> list[Path]:
    """Every file but the keys, and the folder in which a developer finds text messages."""
    files = [file for file in data.rglob("*") if file.is_file() and file.name != SECRET]
    return [
        file for file in files if file.parent.name not in ("sms", "tmp") and not file.name.startswith("ids-")
    ]


def _pages(wen: Caller, xin: Caller) -> list[str]:
    """Where others might see something of them."""
    return [
        "/@wen",
        "/users/wen",
        "/users/wen/outbox?page=true",
        "/api/v1/accounts/lookup?acct=wen",
        f"/api/v1/accounts/{xin.id}",
        "/api/v2/search?q=wen",
        f"/admin/accounts/{wen.id}",
        f"/admin/accounts/{xin.id}",
        "/admin/records",
        "/admin/identity",
        "/admin/vault",
        "/local",
        "/about",
    ]


def test_the_keys_that_the_app_names_are_not_in_its_settings(client: Client) -> None:
    """No page that shows settings could show a key."""
    assert "seal 1" not in repr(client.app[keys.SETTINGS])
