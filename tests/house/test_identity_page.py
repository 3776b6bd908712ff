"""Each type of number, reason and warning is on the page that other programs are written by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from compliance.numbers import FormReason, FormWarning, NumberType

PAGE = (Path(__file__).parents[2] / "docs" / "IDENTITY.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("heading", "values"), [("Types", NumberType), ("Reasons", FormReason), ("Warnings", FormWarning)]
)
def test_the_page_has_what_the_program_answers_and_nothing_else(heading: str, values: Iterable[str]) -> None:
    """Whoever reads the answers must find every word of them explained."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert sorted(values) == sorted(re.findall(r"^\| `([\w-]+)` \|", part, re.MULTILINE))


def test_the_page_says_what_a_form_does_not_prove() -> None:
    assert "never an identity" in PAGE
