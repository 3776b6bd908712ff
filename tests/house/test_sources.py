"""Rules of the house that no tool checks by itself."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("compliance", "federation", "server")
LONGEST = 400


def _modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _named(pattern: str) -> list[str]:
    """Modules in which `pattern` occurs."""
    wanted = re.compile(pattern)
    return [
        str(file.relative_to(ROOT))
        for file in _modules()
        if wanted.search(file.read_text("utf-8")) is not None
    ]


def test_no_module_is_longer_than_one_reads_in_a_sitting() -> None:
    lengths = {str(file.relative_to(ROOT)): file.read_text("utf-8").count("\n") for file in _modules()}
    assert {} == {name: lines for name, lines in lengths.items() if lines > LONGEST}


def test_every_module_says_what_lives_in_it() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in _modules()
        if (text := file.read_text("utf-8").strip()) and not text.startswith('"""')
    ]
    assert [] == silent


def test_only_the_gate_names_the_mint() -> None:
    """An import contract forbids the import; this forbids reaching it by a name in a string."""
    assert ["compliance/_mint.py", "compliance/gate.py"] == sorted(
        {*_named(r"\b_mint\b"), "compliance/_mint.py"}
    )


def test_one_client_opens_every_connection_outwards() -> None:
    """Every outbound byte passes the address guard, or a stranger's link reaches into the house."""
    outside = [name for name in _named(r"\bClientSession\b") if not name.startswith("federation/client")]
    assert [] == outside


@pytest.mark.parametrize(
    "pattern", [r"#\s*type:\s*ignore(?!\[)", r"\bFIXME\b|\bXXX\b|\bHACK\b", r"#\s*TODO(?!\(#\d+\))"]
)
def test_marks_are_those_of_the_house(pattern: str) -> None:
    assert [] == _named(pattern)


def test_the_environment_is_read_in_one_place() -> None:
    """Settings are passed down; a module that looks for itself cannot be tested or documented."""
    # Two names that all programs share, and the folder that a library wants to be told in the environment.
    allowed = {"server/sources.py", "server/cli/terminal.py", "server/metrics.py"}
    assert set() == set(_named(r"os\.environ|os\.getenv")) - allowed
