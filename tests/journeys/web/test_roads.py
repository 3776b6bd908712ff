"""Article 7 on every road in: pages, client API, ActivityPub client, a post for later, an archive. A lapsed
identity stops all five, and one that is right again opens all five."""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from server.db.access import connected, running
from server.settings import Settings
from tests.journeys.harness import Person, Refusal, Yanlu, servers, until
from tests.journeys.web.browser import Reader, chromium, reader

pytestmark = pytest.mark.timeout(300)

AS2 = "application/activity+json"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
Road = Callable[[Reader, Person, str], Awaitable[None]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[Yanlu]:
    async with servers("roads") as [running]:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def _lapse(server: Yanlu) -> None:
    """Moves everybody's dates into the past: what thirteen months would do."""
    with running(Settings(data=server.data)) as (settings, _):
        async with connected(settings.database.owner_url) as conn:
            past = datetime.now(UTC) - timedelta(days=1)
            await conn.execute(
                "update compliance.identity set verified_at = $1, due_at = $1, lapses_at = $2",
                past - timedelta(days=40),
                past,
            )


async def _by_pages(window: Reader, me: Person, text: str) -> None:
    await window.open("/compose")
    await window.page.fill("textarea[name=status]", text)
    await window.page.click("form.composer button.primary")
    await window.page.wait_for_load_state()


async def _by_api(window: Reader, me: Person, text: str) -> None:
    await me.post(text)


async def _by_activitypub(window: Reader, me: Person, text: str) -> None:
    url, note = f"{me.uri}/outbox", {"type": "Note", "content": text, "to": [PUBLIC]}
    async with me.server.web.post(url, json=note, headers={**me.headers, "Content-Type": AS2}) as answer:
        if answer.status >= 400:
            raise Refusal(answer.status, await answer.json())


async def _by_schedule(window: Reader, me: Person, text: str) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=3)
    kept = await me.post(text, scheduled_at=soon.isoformat())

    async def is_over() -> bool:
        return kept["id"] not in [one["id"] for one in await me.get("v1/scheduled_statuses")]

    await until(is_over, "the scheduled post had its time")


async def _by_archive(window: Reader, me: Person, text: str) -> None:
    note = {
        "id": f"https://old.example/{abs(hash(text))}",
        "type": "Note",
        "attributedTo": "https://old.example/me",
        "published": "2021-03-01T08:00:00Z",
        "content": text,
        "to": [PUBLIC],
    }
    archive = me.server.data / "archive.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("outbox.json", json.dumps({"orderedItems": [{"type": "Create", "object": note}]}))
    await window.open("/settings/import")
    await window.page.set_input_files("[name=archive]", Path(archive))
    await window.page.click("form[enctype] button.primary")

    async def is_over() -> bool:
        await window.open("/settings/import")
        return await window.page.locator("main form[enctype]").count() == 1

    await until(is_over, "the archive is done")


ROADS: dict[str, Road] = {
    "pages": _by_pages,
    "client API": _by_api,
    "ActivityPub client": _by_activitypub,
    "for later": _by_schedule,
    "archive": _by_archive,
}


async def _said(me: Person) -> set[str]:
    """What stands on the person's profile."""
    account = await me.get("v1/accounts/verify_credentials")
    found: list[Any] = await me.get(f"v1/accounts/{account['id']}/statuses", limit="40")
    return {one["content"].removeprefix("<p>").removesuffix("</p>") for one in found}


async def _try_all(window: Reader, me: Person, time: str) -> dict[str, Any]:
    """Says something by each road; gives the reason of each refusal that the road tells at once."""
    told: dict[str, Any] = {}
    for name, road in ROADS.items():
        try:
            await road(window, me, f"{name} {time}")
        except Refusal as no:
            told[name] = (no.status, no.body["yanlu"]["reason"])
    return told


async def test_a_lapsed_identity_stops_publishing_on_all_five_roads(browser: Browser, server: Yanlu) -> None:
    """And reading, exporting and the way back stay open."""
    me = await server.person("mei")
    async with reader(browser, server) as window:
        await window.log_in("mei")
        assert {} == await _try_all(window, me, "first")
        assert {f"{name} first" for name in ROADS} == await _said(me)

        await _lapse(server)
        stopped = (403, "identity_lapsed")
        assert {"client API": stopped, "ActivityPub client": stopped} == await _try_all(window, me, "lapsed")
        assert {f"{name} first" for name in ROADS} == await _said(me)
        await _by_pages(window, me, "once more")
        await expect(window.page.locator("section.verdict")).to_have_attribute("data-state", "refused")
        assert "once more" == await window.page.input_value("textarea[name=status]")
        for path in ("/settings/import", "/scheduled"):
            await window.open(path)
            await expect(window.page.locator("main .chip.danger")).to_have_count(1)
        for path in ("/home", "/settings/account", "/settings/identity"):
            answer = await window.open(path)
            assert 200 == answer.status

        await server.command("identity", "attest", "mei", "--reason", "seen again")
        assert {} == await _try_all(window, me, "again")
        assert {f"{name} {time}" for name in ROADS for time in ("first", "again")} == await _said(me)
