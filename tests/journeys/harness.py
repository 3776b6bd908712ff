"""Whole servers as an operator runs them: real processes, their own databases, loopback between them.

Nothing here reaches inside a server. People are made with the command line, and everything else goes through
the client API, so that what a journey shows is what a person would have seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

T = TypeVar("T")
YANLU = Path(sys.executable).with_name("yanlu")
PATIENCE = 45.0
"""Seconds until a condition must hold: a busy machine, and the first retry of a delivery."""


class NeverHeld(AssertionError):
    """A condition did not come true in time; carries what was seen last."""


async def until(check: Callable[[], Awaitable[T]], what: str, *, patience: float = PATIENCE) -> T:
    """The first truthy answer of `check`, asked again and again."""
    ends = time.monotonic() + patience
    pause = 0.02
    while True:
        seen = await check()
        if seen:
            return seen
        if time.monotonic() > ends:
            said = "".join(f"\n--- log of {server.name} ---\n{server.log_tail()}" for server in _running)
            raise NeverHeld(f"never came true in {patience:.0f} s: {what}; seen last: {seen!r}{said}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.25)


def free_port(address: str) -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


class Refusal(Exception):
    """The client API said no: the status, and the body it came with."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Person:
    """Somebody with an account on a server, and a token for the client API."""

    def __init__(self, server: Yanlu, name: str, token: str) -> None:
        self.server = server
        self.name = name
        self.headers = {"Authorization": f"Bearer {token}"}

    @property
    def uri(self) -> str:
        return f"{self.server.origin}/users/{self.name}"

    @property
    def handle(self) -> str:
        """How people on other servers write them."""
        return f"{self.name}@{self.server.authority}"

    async def call(self, method: str, path: str, *, body: object = None, **query: str) -> Any:
        """The decoded answer of one API call; `Refusal` for anything above 399."""
        url = f"{self.server.origin}/api/{path}"
        async with self.server.web.request(
            method, url, json=body, params=query, headers=self.headers
        ) as answer:
            text = await answer.text()
            seen = json.loads(text) if text else None
            if answer.status >= 400:
                raise Refusal(answer.status, seen)
            return seen

    async def get(self, path: str, **query: str) -> Any:
        return await self.call("GET", path, **query)

    async def do(self, path: str, **body: object) -> Any:
        return await self.call("POST", path, body=body)

    async def resolve(self, query: str) -> Any:
        """The account or post that `query` (a handle or an address) names, as this server knows it."""
        found = await self.get("v2/search", q=query, resolve="true")
        hits = [*found["accounts"], *found["statuses"]]
        if not hits:
            raise NeverHeld(f"{query} is not found from {self.server.name}")
        return hits[0]

    async def follow(self, handle: str) -> str:
        """Follows somebody found by handle, and gives their id as this server knows it."""
        account = await self.resolve(handle)
        await self.do(f"v1/accounts/{account['id']}/follow")
        return str(account["id"])

    async def relation(self, account_id: str) -> Any:
        (found,) = await self.get("v1/accounts/relationships", **{"id[]": account_id})
        return found

    async def follows(self, account_id: str) -> bool:
        return bool((await self.relation(account_id))["following"])

    async def post(self, text: str, **fields: object) -> Any:
        return await self.do("v1/statuses", status=text, **fields)

    async def upload(self, picture: bytes, description: str) -> str:
        """The id of a new picture of theirs."""
        form = aiohttp.FormData({"description": description})
        form.add_field("file", picture, filename="picture.png", content_type="image/png")
        url = f"{self.server.origin}/api/v2/media"
        async with self.server.web.post(url, data=form, headers=self.headers) as answer:
            said = await answer.json()
            if answer.status >= 400:
                raise Refusal(answer.status, said)
            return str(said["id"])

    async def home(self) -> list[Any]:
        found: list[Any] = await self.get("v1/timelines/home", limit="40")
        return found

    async def find_home(self, uri: str) -> Any:
        """The post with this id in the home timeline, or `None`; a boost is found by its own id."""
        return next((status for status in await self.home() if status["uri"] == uri), None)

    async def told(self, kind: str) -> list[Any]:
        """Notifications of one kind."""
        found: list[Any] = await self.get("v1/notifications", limit="40")
        return [one for one in found if one["type"] == kind]


_running: list[Yanlu] = []
"""For the logs that explain a condition which did not come true."""


class Yanlu:
    """One server process on its own loopback address and data folder."""

    def __init__(self, name: str, address: str, authority: str, folder: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.address = address
        self.authority = authority
        self.data = folder / name
        self.log = folder / f"{name}.log"
        self.env = {**os.environ, **env}
        self.web: aiohttp.ClientSession
        self._process: asyncio.subprocess.Process | None = None

    @property
    def origin(self) -> str:
        return f"http://{self.authority}"

    async def start(self) -> None:
        """Starts the process and waits until it answers as healthy."""
        if not hasattr(self, "web"):
            self.web = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(YANLU),
                "serve",
                *("--data", str(self.data), "--workers", "1"),
                *("--host", self.address, "--port", self.authority.rpartition(":")[2]),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
                start_new_session=True,
            )
        await until(self._is_healthy, f"{self.name} answers", patience=60)

    async def _is_healthy(self) -> bool:
        if self._process is not None and self._process.returncode is not None:
            raise AssertionError(f"{self.name} ended at start with {self._process.returncode}")
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.web.get(f"{self.origin}/health") as answer:
                return answer.status == 200
        return False

    async def stop(self) -> None:
        """Ctrl-C, as an operator would, and the exit status it must have."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"{self.name} did not stop within 20 s of Ctrl-C") from None

    async def kill(self) -> None:
        """`kill -9` of the server and all of its workers, at once; the database sees them vanish."""
        process, self._process = self._process, None
        assert process is not None
        for pid in [process.pid, *_descendants(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await process.wait()

    def log_tail(self) -> str:
        """The last of what the server said, requests left out."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(line for line in lines if '"yanlu.access"' not in line)[-6000:]

    async def close(self) -> None:
        try:
            await self.stop()
        finally:
            if hasattr(self, "web"):
                await self.web.close()

    async def command(self, *words: str) -> Any:
        """Runs a `yanlu` command on this server's data, with `--json`, and gives what it printed."""
        process = await asyncio.create_subprocess_exec(
            str(YANLU),
            *words,
            *("--data", str(self.data), "--json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.env,
        )
        told, complained = await process.communicate()
        if process.returncode != 0:
            raise AssertionError(f"yanlu {' '.join(words)}: {complained.decode()}{told.decode()}")
        return json.loads(told) if told.strip() else None

    async def person(self, name: str, *, roles: Sequence[str] = (), locale: str = "en") -> Person:
        """Makes a person whose identity is attested, and logs them in."""
        words = [
            "account",
            "create",
            name,
            "--email",
            f"{name}@example.test",
            "--password",
            f"{name}-密码-2026",
        ]
        words += ["--attest", "made by a test", "--locale", locale]
        for role in roles:
            words += ["--role", role]
        await self.command(*words)
        token = await self.command("token", "create", name, "--scopes", "read write follow push")
        return Person(self, name, token["token"])


def _descendants(pid: int) -> list[int]:
    """Every Python process below `pid`; the database is left alone, as a crash of ours would leave it."""
    found: list[int] = []
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.exists():
        return found
    for task in tasks.iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for word in (task / "children").read_text().split():
                child = int(word)
                if "python" in Path(f"/proc/{child}/exe").resolve().name:
                    found += [child, *_descendants(child)]
    return found


@contextlib.asynccontextmanager
async def servers(
    *names: str, settings: Mapping[str, str] | None = None, by_name: str | None = None
) -> AsyncIterator[list[Yanlu]]:
    """Runs a Yanlu for each name, each on an address of its own; the one called `by_name` is `localhost` to
    the others, and not an address.

    Every server may reach 127.0.0.1 to 127.0.0.9 at unprivileged ports, and nothing else that is private.
    """
    folder = Path(tempfile.mkdtemp(prefix="yanlu-journey-"))
    # The database refuses to run as root and then runs as somebody else, who must be able to reach its files.
    folder.chmod(0o755)
    reach = ",".join(f"127.0.0.{last}:1024-65535" for last in range(1, 10))
    running: list[Yanlu] = []
    for place, name in enumerate(names, start=2):
        address = "127.0.0.1" if name == by_name else f"127.0.0.{place}"
        authority = f"{'localhost' if name == by_name else address}:{free_port(address)}"
        env = {
            "YANLU_ORIGIN": f"http://{authority}",
            "YANLU_FEDERATION_ALLOW_INSECURE": reach,
            # A journey asks again and again whether something has come.
            "YANLU_LIMITS_DISABLED": "1",
            "YANLU_MAIL_SINK": str(folder / f"{name}-mail"),
            "YANLU_SMS_SINK": str(folder / f"{name}-sms"),
            **(settings or {}),
        }
        running.append(Yanlu(name, address, authority, folder, env))
    _running.extend(running)
    try:
        await asyncio.gather(*(server.start() for server in running))
        yield running
    finally:
        await asyncio.gather(*(server.close() for server in running))
        for server in running:
            _running.remove(server)
        shutil.rmtree(folder, ignore_errors=True)
