"""Every reason can be told to whom it concerns."""

from __future__ import annotations

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


def test_no_two_reasons_read_the_same() -> None:
    """Somebody must be able to tell them apart."""
    assert len({text.title for text in TEXTS.values()}) == len(TEXTS)
