"""The import contracts hold, and each breaks when it should: one that nothing can break is no lock."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ASKS = "Only the pipeline asks the gate and applies effects"
SENDS = "Only the pipeline queues, only the delivery worker sends"

# A contract, and a line that goes round it.
VIOLATIONS = [
    ("The house points one way", "compliance/activity.py", "import federation.errors"),
    ("The house points one way", "federation/errors.py", "import server.errors"),
    ("Inside the server", "server/store/accounts.py", "import server.pipeline"),
    ("Inside the server", "server/surprise.py", "'''A module that nobody gave a place.'''"),
    ("Inside the federation", "federation/errors.py", "import federation.wire"),
    ("Inside compliance", "compliance/verdict.py", "import compliance.gate"),
    ("Compliance speaks no HTTP, JSON or HTML", "compliance/gate.py", "import json"),
    ("The protocol core is sans-IO", "federation/wire/__init__.py", "import aiohttp"),
    ("Only the gate mints", "compliance/cases.py", "from compliance import _mint"),
    ("Only the gate mints", "server/pipeline.py", "from compliance._mint import strike"),
    (ASKS, "server/acts.py", "from compliance import gate"),
    (
        "Only the pipeline asks the gate and applies effects",
        "server/api/statuses.py",
        "import server.effects.posts",
    ),
    (
        "Only the pipeline queues, only the delivery worker sends",
        "server/acts.py",
        "from federation import outbox",
    ),
    (
        "Only the pipeline queues, only the delivery worker sends",
        "server/remote.py",
        "from federation import delivery",
    ),
    ("One outgoing HTTP client", "server/web/__init__.py", "import federation.client"),
    ("Papers stay in the vault", "compliance/reports.py", "from compliance import vault"),
]


def _lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_import_contracts_hold() -> None:
    ended = _lint(ROOT)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_contract_breaks_when_it_is_gone_round(contract: str, file: str, line: str, tmp_path: Path) -> None:
    for package in ("compliance", "federation", "server"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=_all_but_modules)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    place = tmp_path / file
    before = place.read_text("utf-8") if place.exists() else ""
    place.write_text(f"{before}\n{line}\n", "utf-8")
    ended = _lint(tmp_path)
    assert (1, True) == (ended.returncode, f"{contract} BROKEN" in ended.stdout), ended.stdout


def _all_but_modules(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_file() and not name.endswith(".py")]
