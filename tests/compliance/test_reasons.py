"""Every reason can be told to whom it concerns."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.reasons import TEXTS
from compliance.verdict import Reason


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_an_article_and_three_texts(reason: Reason) -> None:
    """What it is called, what happened, what to do next."""
    text = TEXTS[reason]
    assert reason.article
    assert text.title
    assert not text.title.endswith(".")
    assert text.happened.endswith(".")
    assert text.next_step.endswith(".")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_line_in_the_docs(reason: Reason) -> None:
    """An app that gets one can be written against it."""
    page = (Path(__file__).parents[2] / "docs" / "DECISIONS.md").read_text("utf-8")
    assert f"| `{reason.value}` | {reason.article} |" in page


def test_no_two_reasons_read_the_same() -> None:
    """Somebody must be able to tell them apart."""
    assert len({text.title for text in TEXTS.values()}) == len(TEXTS)
