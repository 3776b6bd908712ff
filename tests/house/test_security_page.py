"""What the security page promises is held by tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/SECURITY.md").read_text("utf-8")
_NAMED = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
_RULES = {"A": 12, "B": 10, "C": 7, "D": 7, "E": 12, "F": 7, "H": 7}
_LATER = {"C6"}


@cache
def _tests_of(path: Path) -> frozenset[str]:
    if not path.exists():
        return frozenset()
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_test_that_the_page_names_is_there() -> None:
    """Whoever renames a test finds the promise that hangs on it."""
    named = _NAMED.findall(PAGE)
    assert [] == [f"{path}::{name}" for path, name in named if name not in _tests_of(ROOT / path)]
    assert len(named) > 100


def test_every_rule_stands_with_a_test_or_among_what_is_missing() -> None:
    """No rule gets lost between two editions of the page."""
    rows = dict(re.findall(r"^\| ([A-H]\d+) \| (.*)$", PAGE, re.MULTILINE))
    wanted = {f"{letter}{number}" for letter, last in _RULES.items() for number in range(1, last + 1)}
    assert wanted - _LATER == set(rows)
    assert [] == [rule for rule, row in rows.items() if not _NAMED.search(row)]
    missing = PAGE.partition("## What is not there yet")[2]
    assert {rule for rule in _LATER if rule in missing} == _LATER


def test_every_test_of_an_attack_is_named_on_the_page() -> None:
    """What is tried and not promised is forgotten."""
    named = set(_NAMED.findall(PAGE))
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in sorted((ROOT / "tests/security").glob("test_*.py"))
        for name in _tests_of(path)
        if name.startswith("test_")
    }
    assert set() == found - named
