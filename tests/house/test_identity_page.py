"""Each type of number, reason and warning is on the page that other programs are written by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from compliance.identity import IdentityState
from compliance.numbers import FormReason, FormWarning, NumberType
from compliance.publishing import publishes
from server.sections import WAYS
from tests.compliance.build import one_of_each

PAGE = (Path(__file__).parents[2] / "docs" / "IDENTITY.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        ("States", IdentityState),
        ("Ways", WAYS),
        ("Types", NumberType),
        ("Reasons", FormReason),
        ("Warnings", FormWarning),
    ],
)
def test_the_page_has_what_the_program_answers_and_nothing_else(heading: str, values: Iterable[str]) -> None:
    """Whoever reads the answers must find every word of them explained."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert sorted(values) == sorted(re.findall(r"^\| `([\w-]+)` \|", part, re.MULTILINE))


def test_the_page_says_what_a_form_does_not_prove() -> None:
    assert "never an identity" in PAGE


def test_the_page_says_of_each_activity_whether_it_publishes() -> None:
    """People and programs read there what the gate does."""
    part = PAGE.partition("\n## What counts as publishing\n")[2].partition("\n## ")[0]
    told = {
        name: answer == "yes"
        for names, answer in re.findall(r"^\| (`[^|]+`) \| (yes|no) \|", part, re.MULTILINE)
        for name in re.findall(r"`([\w-]+)`", names)
    }
    assert {kind: publishes(activity) for kind, activity in one_of_each().items()} == {
        kind: told[kind] for kind in one_of_each()
    }
