"""Article 7 in a browser: papers on a phone without scripts, a reviewer at a desk, and the way out again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, expect

from tests.journeys.harness import Yanlu, servers
from tests.journeys.web import axe
from tests.journeys.web.browser import PHONE, Reader, chromium, reader

pytestmark = pytest.mark.timeout(300)

NUMBER, NAME = "11010519491231002X", "欧阳修远"
CARD = "/settings/identity/ways/resident-id"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[Yanlu]:
    """One server with a compliance officer, and somebody who is not verified."""
    async with servers("identity") as [running]:
        await running.person("shen", roles=("compliance",))
        words = ("--email", "wen@example.test", "--password", "wen-密码-2026", "--locale", "en")
        await running.command("account", "create", "wen", *words)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def _publish(wen: Reader, text: str) -> None:
    await wen.open("/compose")
    await wen.page.fill("textarea[name=status]", text)
    await wen.page.click("form.composer button.primary")


async def _exported(wen: Reader) -> zipfile.ZipFile:
    async with wen.page.expect_download() as download:
        await wen.open("/settings/account")
        await wen.page.fill('form[action$="/export"] input[type=password]', "wen-密码-2026")
        await wen.page.click('form[action$="/export"] button')
    return zipfile.ZipFile(io.BytesIO(Path(await (await download.value).path()).read_bytes()))


async def _may_take_it_again(wen: Reader) -> None:
    """The way that was taken has a whole button still, beside the word that it is done."""
    await wen.open("/settings/identity")
    button = await wen.page.locator(f'a[href="{CARD}"]').bounding_box()
    assert button is not None
    assert button["width"] > 60


async def test_papers_are_sent_reviewed_and_deleted(browser: Browser, server: Yanlu, tmp_path: Path) -> None:
    """Refused, sent, looked at, approved, published, exported, deleted, refused."""
    card = tmp_path / "card.png"
    Image.new("RGB", (640, 400), "#1f4e79").save(card)
    async with (
        reader(browser, server, java_script_enabled=False, viewport=PHONE) as wen,
        reader(browser, server) as shen,
    ):
        await wen.log_in("wen")
        await _publish(wen, "Not yet")
        await expect(wen.page.locator("section.verdict")).to_have_attribute("data-state", "refused")
        await wen.open(CARD)
        await wen.page.fill("[name=number]", NUMBER)
        await wen.page.fill("[name=name]", NAME)
        await wen.page.set_input_files("[name=papers]", card)
        await wen.page.click("main form button.primary")
        await expect(wen.page.locator(".error-summary")).to_contain_text("Without your consent")
        assert NUMBER not in await wen.page.content()
        # What was typed came back sealed; a file has to be chosen again, as in every browser.
        await wen.page.set_input_files("[name=papers]", card)
        await wen.page.check("[name=consent]")
        await wen.page.click("main form button.primary")
        assert "Sent. A person will look at it, and you are told." == await wen.said()

        await shen.log_in("shen")
        await shen.open("/admin/identity")
        secret = await shen.enrol()
        assert secret
        await shen.open("/admin/identity")
        assert [] == await axe.violations(shen.page)
        await shen.page.click("a.queue-row")
        assert NUMBER not in await shen.page.content()
        await shen.page.click('form[action$="/open"] button')
        await expect(shen.page.locator("dl.facts-list").first).to_contain_text(NUMBER)
        await expect(shen.page.locator("img.paper")).to_have_count(1)
        assert [] == await axe.violations(shen.page)
        await shen.page.check("[name=outcome][value=approve]")
        await shen.page.click("form.decide button.primary")
        assert "Approved" == await shen.said()

        await _publish(wen, "At last")
        await expect(wen.page.locator("article.post .e-content").first).to_have_text("At last")
        await _may_take_it_again(wen)
        await wen.open("/settings/identity/access")
        await expect(wen.page.locator("main")).to_contain_text("claim:")
        archive = await _exported(wen)
        told = json.loads(archive.read("yanlu/identity.json"))
        assert ("verified", "110***********002X") == (told["state"], told["numbers"][0]["masked"])
        assert ["approved"] == [claim["state"] for claim in told["claims"]]
        assert NUMBER.encode() not in archive.read("yanlu/identity.json") + archive.read("yanlu/log.jsonl")

        await wen.open("/settings/identity/delete")
        await wen.page.check("[name=understood]")
        await wen.page.click("form button.danger")
        assert (await wen.said()).startswith("Deleted. What is sealed is destroyed on")
        await _publish(wen, "No more")
        await expect(wen.page.locator("section.verdict")).to_have_attribute("data-state", "refused")


async def test_a_machines_owner_handles_identities_by_command(server: Yanlu) -> None:
    """Attested, withdrawn, restored; the state is told, and never a number."""
    told = await server.command("identity", "attest", "wen", "--reason", "seen at the counter")
    assert ("verified", "attestation", True) == (told["state"], told["method"], told["may_publish"])
    told = await server.command("identity", "revoke", "wen", "--reason", "a false card")
    assert ("revoked", False) == (told["state"], told["may_publish"])
    told = await server.command("identity", "restore", "wen", "--reason", "it was right")
    assert told == await server.command("identity", "status", "wen")
    assert "verified" == told["state"]
    assert {"claims": []} == await server.command("identity", "review")
