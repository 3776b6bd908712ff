"""Names of people and apps are words that others see, and no reviewer can be asked before they are given."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from compliance.ruleset import parse
from compliance.wordlists import Rulebook

NOW = datetime(2026, 6, 15, tzinfo=UTC)
RULES = """{"name": "names", "version": "1", "lists": {
  "a": {"category": "fraud", "action": "hold", "basis": "house rule 1", "rules": [{"pattern": "diploma"}]},
  "b": {"category": "fraud", "action": "refuse", "basis": "house rule 1", "rules": [
    {"pattern": "假文凭"},
    {"pattern": "onlyposts", "scope": ["post"]},
    {"pattern": "onlyremote", "scope": ["remote"]}]},
  "c": {"category": "loud", "action": "label", "basis": "house rule 1", "rules": [{"pattern": "casino"}]}}}"""


@pytest.mark.parametrize(
    ("name", "forbidden"),
    [
        ("diploma", True),
        ("Ｄｉｐｌｏｍａ", True),
        ("卖假文凭的人", True),
        ("casino", False),
        ("onlyposts", False),
        ("onlyremote", False),
        ("mei", False),
    ],
)
def test_what_a_profile_may_not_say_no_name_may_be(name: str, forbidden: bool) -> None:
    assert Rulebook.of(1, parse(RULES)).forbids_name(name, NOW) == forbidden
