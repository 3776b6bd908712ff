"""The command as an operator uses it: processes, signals, and what is left afterwards."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from server.db.embedded import Cluster

_PATIENCE = 30.0


@dataclass
class Server:
    """A running `yanlu serve`."""

    process: subprocess.Popen[str]
    said: str
    origin: str

    def healthy(self) -> bool:
        try:
            with urlopen(f"{self.origin}/health", timeout=5) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def workers(self) -> list[int]:
        """Process ids of what was forked from it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text() != "postgres\n"]


def _yanlu(*words: str, data: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "server", *words, "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environ,
        check=False,
    )


def _answer(*words: str, data: Path, **environ: str) -> Any:
    ended = _yanlu(*words, "--json", data=data, **environ)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


@contextlib.contextmanager
def _serving(data: Path, *words: str, **environ: str) -> Iterator[Server]:
    """A server on a free port, killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "serve", "--data", str(data), "--port", "0", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"YANLU_LOG_PATH": str(data.parent / "yanlu.log")} | environ,
    )
    assert process.stdout is not None
    with process:
        try:
            said = ""
            for line in process.stdout:
                said += line
                if "Ctrl-C" in line:
                    break
            found = re.search(r"Address +(\S+)", said)
            assert found is not None, said
            yield Server(process, said, found[1])
        finally:
            if process.poll() is None:
                process.kill()


def _until(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_from_nothing_and_its_clean_end(tmp_path: Path) -> None:
    """The first command an operator ever gives, and Ctrl-C."""
    data = tmp_path / "data"
    with _serving(data) as server:
        assert server.healthy()
        assert re.search(r"Data +" + re.escape(str(data)), server.said)
        assert f"{server.origin}/first-operator/" in server.said
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(_PATIENCE) == 0
    assert not Cluster(data).is_alive()
    lines = [json.loads(line) for line in (tmp_path / "yanlu.log").read_text().splitlines()]
    assert "/health" in [line.get("route") for line in lines]
    assert "first-operator" not in (tmp_path / "yanlu.log").read_text()


def test_commands_work_beside_a_running_server_and_without_one(tmp_path: Path) -> None:
    """Operators do not stop a server to make an account, and do not start one for it either."""
    data = tmp_path / "data"
    password = {"--password": "correct horse battery"}
    words = [word for pair in password.items() for word in pair]
    made = _answer(
        "account", "create", "alice", "--email", "a@mail.example", *words, "--role", "admin", data=data
    )
    assert (["admin"], "none") == (made["roles"], made["identity"])
    with _serving(data) as server:
        assert "first-operator" not in server.said
        made = _answer(
            "account", "create", "bob", "--email", "b@mail.example", *words, "--attest", "seen", data=data
        )
        assert ("verified", f"{server.origin}/users/bob") == (made["identity"], made["uri"])
        token = _answer("token", "create", "bob", "--scopes", "read write", data=data)["token"]
        assert token
        assert server.healthy()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(_PATIENCE) == 0
    assert _answer("account", "show", "bob", data=data)["email"] == "b@mail.example"


def test_a_killed_server_starts_again(tmp_path: Path) -> None:
    """`kill -9` of the server leaves nothing that stops the next start."""
    data = tmp_path / "data"
    for _ in range(2):
        with _serving(data) as server:
            assert server.healthy()
            workers = server.workers()
            server.process.kill()
            server.process.wait()
            _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))  # noqa: B023
    with _serving(data) as server:
        assert server.healthy()


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    """One crash must not halve the server for good."""
    with _serving(tmp_path / "data", "--workers", "1") as server:
        [worker] = server.workers()
        os.kill(worker, signal.SIGKILL)
        _until(lambda: server.healthy() and worker not in server.workers())


def test_a_database_that_dies_is_started_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with _serving(data, "--workers", "1") as server:
        pid = int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        _until(lambda: not Path(f"/proc/{pid}").exists())
        _until(server.healthy)


def test_two_servers_do_not_share_a_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with _serving(data):
        ended = _yanlu("serve", "--port", "0", data=data)
        assert (1, True) == (ended.returncode, "already running" in ended.stderr)


def test_a_port_that_is_taken_is_said_to_be(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = _yanlu("serve", "--port", str(taken.getsockname()[1]), data=tmp_path / "data")
    assert (1, True) == (ended.returncode, "is taken by another program" in ended.stderr)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"YANLU_SERVER_PROT": "1"}, "Did you mean YANLU_SERVER_PORT?"),
        ({"YANLU_ENV": "production", "YANLU_LIMITS_DISABLED": "1"}, "limits.disabled"),
        ({"YANLU_ORIGIN": "http://yanlu.example:8000"}, "must be https"),
    ],
)
def test_settings_that_do_not_go_are_said_before_anything_is_made(
    variables: dict[str, str], said: str, tmp_path: Path
) -> None:
    ended = _yanlu("serve", data=tmp_path / "data", **variables)
    assert (2, True) == (ended.returncode, said in ended.stderr)
    assert not (tmp_path / "data").exists()


def test_metrics_add_up_over_the_workers(tmp_path: Path) -> None:
    """Whichever process answers, the numbers are the server's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    with _serving(tmp_path / "data", YANLU_METRICS_LISTEN=listen) as server:
        for _ in range(20):
            assert server.healthy()
        with urlopen(f"http://{listen}/metrics", timeout=5) as answer:
            numbers = answer.read().decode()
    found = re.search(
        r'yanlu_request_seconds_count\{method="GET",route="/health",status="200"\} (\S+)', numbers
    )
    assert found is not None
    assert float(found[1]) >= 20
