"""Folding takes away what hides words, and every folded place leads back to the original one."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compliance.folding import fold, joins, trace

# Characters that fold, join, vanish or open gaps, beside everything else there is.
_TRICKS = (
    "aAéﬁßİŉ假文憑頭髮１２Ａｶﾞが゙ガ각각ㄱㅏㅋ\u200b\u200d\ufe0f\u0301\u0345\u00ad\u3000\x00 \n\t*_·👍🏽𠀀ொாெ"
)
_LIVELY = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(_TRICKS)), max_size=40)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Fake DIPLOMA", "fake diploma"),
        ("ｆａｋｅ　ｄｉｐｌｏｍａ", "fake diploma"),
        ("fa\u200bke di\u00adplo\u2060ma", "fake diploma"),
        ("fáké d̶i̶ploma", "fake diploma"),
        ("  fake \n\t diploma ", "fake diploma"),
        ("假文憑", "假文凭"),
        ("假 文 凭", "假文凭"),
        ("假*文_凭", "假文凭"),
        ("假\n文\u3000凭", "假文凭"),
        ("假a文", "假a文"),
        ("看 this 吧", "看 this 吧"),
        ("頭髮", "头发"),
        ("ﬁne", "fine"),
        ("STRASSE straße", "strasse strasse"),
        ("한국", "한국"),
        ("ㄱㅏ", "가"),
        ("\x00\x07bell", "bell"),
        ("", ""),
    ],
)
def test_tricks_are_folded_away(typed: str, folded: str) -> None:
    """Each is a way in which people have hidden words from filters."""
    assert fold(typed) == folded


@given(_LIVELY)
@example("\u0345A")
@example("가\u11a8")
@example("\u1100\u3000\u1161")
def test_the_slow_road_folds_as_the_fast_one_does(text: str) -> None:
    """A hit is found in one and placed by the other."""
    assert trace(text).folded == fold(text)


@given(_LIVELY)
def test_every_folded_character_came_from_a_range_of_the_original(text: str) -> None:
    """Ranges are inside the text, not empty, and in order, so that what is marked is what matched."""
    way = trace(text)
    for at in range(len(way.folded)):
        start, end = way.span(at, at + 1)
        assert 0 <= start < end <= len(text)
        assert at == 0 or way.starts[at - 1] <= start


@given(_LIVELY)
def test_what_a_span_covers_folds_to_what_matched(text: str) -> None:
    """Marked text, folded by itself, still holds the match."""
    way = trace(text)
    if way.folded.strip():
        middle = len(way.folded) // 2
        start, end = way.span(middle, middle + 1)
        assert way.folded[middle].strip() in fold(text[start:end])


@given(_LIVELY)
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    """A pattern copied out of a folded view is the same pattern."""
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("left", "right", "one_word"),
    [
        ("h", "o", True),
        ("h", "1", True),
        ("h", " ", False),
        ("h", "的", False),
        ("的", "的", False),
        ("가", "나", False),
        ("я", "м", True),
        ("ก", "ข", False),
    ],
)
def test_words_end_where_their_script_says(left: str, right: str, one_word: bool) -> None:
    """Chinese has no spaces between words; an English word glued to Chinese is still whole."""
    assert joins(left, right) is one_word


@pytest.mark.parametrize(
    "text",
    ["假" + " *" * 100_000, " *" * 100_000, "假 " * 100_000, "a\u0301" * 100_000, "\u200b" * 200_000 + "a"],
    ids=["fillers", "fillers alone", "gaps", "marks", "hidden"],
)
def test_the_time_grows_with_the_length_and_no_faster(text: str) -> None:
    """A text must not cost more than its size, whoever has thought about how: a tenth takes about a tenth."""

    def taken(part: str) -> int:
        started = time.process_time_ns()
        fold(part)
        return time.process_time_ns() - started

    fold("热身")
    whole, tenth = taken(text), min(taken(text[: len(text) // 10]) for _ in range(3))
    assert whole < 40 * max(tenth, 100_000)
