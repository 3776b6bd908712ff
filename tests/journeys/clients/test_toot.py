"""The command line client, run as a person runs it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.journeys.harness import Yanlu

from .browser import Browser
from .conftest import password_of

TOOT = Path(sys.executable).with_name("toot")


@dataclass(frozen=True)
class Toot:
    """toot with a home of its own."""

    home: Path

    @property
    def _env(self) -> dict[str, str]:
        return {**os.environ, "XDG_CONFIG_HOME": str(self.home), "HOME": str(self.home), "NO_COLOR": "1"}

    async def run(self, *words: str) -> str:
        """What one command prints; it must succeed."""
        process = await asyncio.create_subprocess_exec(
            str(TOOT),
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._env,
        )
        told, _ = await process.communicate()
        assert process.returncode == 0, (words, told.decode())
        return told.decode()

    async def json(self, *words: str) -> Any:
        """What one command prints as JSON."""
        return json.loads(await self.run(*words, "--json"))

    async def log_in(self, server: Yanlu, name: str) -> None:
        """The way it recommends: by a browser, carrying the code over by hand."""
        process = await asyncio.create_subprocess_exec(
            str(TOOT),
            *("login", "--instance", server.origin),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._env,
        )
        assert process.stdin is not None and process.stdout is not None
        shown = (await process.stdout.readuntil(b"browser?")).decode()
        found = re.search(r"https?://\S+/oauth/authorize\S+", shown)
        assert found, shown
        async with Browser() as browser:
            await browser.open(found[0])
            await browser.log_in(name, password_of(name))
            code = await browser.consent()
        told, _ = await process.communicate(f"n\n{code}\n".encode())
        assert process.returncode == 0, told.decode()


async def test_toot_does_the_main_job(server: Yanlu, tmp_path: Path) -> None:
    """Log in, post, read, react, follow, look around."""
    toot = Toot(tmp_path)
    toni = await server.person("toni")
    other = await server.person("uma")
    await toot.log_in(server, "toni")
    assert "toni" in await toot.run("whoami")
    assert server.authority in await toot.run("instance", server.origin)
    Image.new("RGB", (40, 30), "#554433").save(tmp_path / "a.png")
    made = await toot.json(
        "post",
        "hello from toot #toot",
        *("--media", str(tmp_path / "a.png"), "--description", "brown", "--visibility", "public"),
        *("--spoiler-text", "cw", "--language", "en"),
    )
    assert ("cw", "brown") == (made["spoiler_text"], made["media_attachments"][0]["description"])
    assert "hello from toot" in await toot.run("status", made["id"])
    assert made["id"] == (await toot.json("bookmark", made["url"]))["id"]
    assert "hello from toot" in await toot.run("timeline", "--public", "--local", "--once")
    assert "hello from toot" in await toot.run("timelines", "tag", "toot")
    answered = await other.post("nice @toni", in_reply_to_id=made["id"])
    assert "nice" in await toot.run("thread", made["id"])
    assert "nice" in await toot.run("notifications")
    for act in ("favourite", "bookmark", "reblog", "unfavourite", "unbookmark"):
        await toot.run(act, answered["id"])
    assert "toni" in await toot.run("reblogged_by", answered["id"])
    await toot.run("unreblog", answered["id"])
    await toot.run("follow", "uma")
    assert "uma" in await toot.run("following", "toni")
    assert "toni" in await toot.run("followers", "uma")
    assert "uma" in await toot.run("search", "uma")
    assert "uma" in await toot.run("whois", "uma")
    shown = await other.post("for those who follow", visibility="private")
    assert shown["id"] in await toot.run("timelines", "home", "--json")
    for act, list_, undo in (("mute", "muted", "unmute"), ("block", "blocked", "unblock")):
        await toot.run(act, "uma")
        assert "uma" in await toot.run(list_)
        await toot.run(undo, "uma")
    await toot.run("update_account", "--display-name", "Toni", "--note", "by toot", "--locked")
    assert "Toni" in await toot.run("whoami")
    assert "scheduled" in (await toot.run("post", "later from toot", "--scheduled-in", "2 hours")).lower()
    [kept] = await toni.get("v1/scheduled_statuses")
    assert "later from toot" == kept["params"]["text"]
    await toot.run("delete", made["id"])
    assert "hello from toot" not in await toot.run("timeline", "--public", "--local", "--once")
