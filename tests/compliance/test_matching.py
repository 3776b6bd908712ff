"""What rules find, where, and what they must leave alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.matching import MAX_HITS, Matcher

from .build import rule


def _found(text: str, **fields: object) -> list[str]:
    return [text[hit.start : hit.end] for hit in Matcher([rule(**fields)]).find(text, lambda _: True)]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("meth", "some meth here", ["meth"]),
        ("meth", "a method, and amphimeth", []),
        ("meth", "METH! (meth)", ["METH", "meth"]),
        ("meth", "买meth吗", ["meth"]),
        ("meth", "meth2 2meth", []),
        ("fake diploma", "a Fáke\n ＤＩＰＬＯＭＡ!", ["Fáke\n ＤＩＰＬＯＭＡ"]),
        ("fake diploma", "f\u200bake dip\u00adloma", ["f\u200bake dip\u00adloma"]),
        ("假文凭", "出售假文憑,便宜", ["假文憑"]),
        ("假文凭", "出售假 文*凭", ["假 文*凭"]),
        ("假文憑", "假文凭假文凭", ["假文凭", "假文凭"]),
        ("假文凭", "真文凭", []),
        ("ab", "ab abab ab", ["ab", "ab"]),
        ("加qq", "请加QQ号", ["加QQ"]),
        ("가", "가나", ["가"]),
        ("가", "각", []),
    ],
)
def test_patterns_match_what_is_read(pattern: str, text: str, found: list[str]) -> None:
    """Alphabets by whole words, Chinese anywhere, and the span is what the author typed."""
    assert _found(text, pattern=pattern) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see evil.example now", True),
        ("看evil.example吧", True),
        ("https://www.evil.example/path?q", True),
        ("EVIL.EXAMPLE.", True),
        ("evil.example:8443", True),
        ("notevil.example", False),
        ("not-evil.example", False),
        ("evil.example.org", False),
        ("evil.examples", False),
        ("evil-example", False),
        ("mail me@evil.example", True),
    ],
)
def test_a_domain_is_itself_and_what_is_below_it(text: str, found: bool) -> None:
    """`evil.example.org` belongs to somebody else."""
    assert bool(_found(text, domain="evil.example")) is found


@pytest.mark.parametrize("text", ["去 例子.中国 看", "http://xn--fsqu00a.xn--fiqs8s/", "www.例子.中国"])
def test_an_international_name_is_found_as_read_and_as_sent(text: str) -> None:
    """Both spellings lead to the same place."""
    assert _found(text, domain="例子.中国")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("buy a fake diploma", True),
        ("no fake diploma here", False),
        ("there is NO  fake diploma", False),
        ("no fake diploma, but a fake diploma", True),
    ],
)
def test_an_allowed_phrase_cancels_only_what_lies_inside_it(text: str, found: bool) -> None:
    """One harmless use does not cover another."""
    assert bool(_found(text, pattern="fake diploma", allow=["no fake diploma"])) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cheap gun", True),
        ("gun, very cheap", True),
        ("gun 123456789012 cheap", False),
        ("gun", False),
        ("gun cheaply", False),
    ],
)
def test_near_words_must_stand_within_the_window(text: str, found: bool) -> None:
    """Whole words again, on either side."""
    assert bool(_found(text, pattern="gun", near=["cheap"], window=8)) is found


@pytest.mark.parametrize(("text", "review"), [("beware of fake ids", True), ("fake ids", False)])
def test_context_lowers_a_match_to_a_review(text: str, review: bool) -> None:
    """A warning against fraud is no fraud, and a machine cannot tell."""
    [hit] = Matcher([rule(pattern="fake ids", unless_near=["beware"])]).find(text, lambda _: True)
    assert hit.review is review


def test_rules_that_do_not_apply_find_nothing() -> None:
    """Scope and time are asked before anything is placed."""
    assert Matcher([rule(pattern="a")]).find("a", lambda _: False) == []


def test_two_rules_with_one_pattern_both_find_it() -> None:
    """Two lists may forbid the same word for different reasons."""
    hits = Matcher([rule(pattern="枪"), rule(pattern="槍", action="refuse")]).find("槍", lambda _: True)
    assert len(hits) == 2


def test_overlapping_patterns_are_all_found() -> None:
    """A short one must not hide a long one that is graver."""
    matcher = Matcher([rule(pattern="文凭"), rule(pattern="假文凭"), rule(pattern="假文")])
    assert {(hit.start, hit.end) for hit in matcher.find("假文凭", lambda _: True)} == {
        (0, 2),
        (0, 3),
        (1, 3),
    }


def test_links_are_looked_at_by_domain_rules_alone() -> None:
    """A word in an address is not a word that is read."""
    matcher = Matcher([rule(pattern="meth"), rule(domain="evil.example")])
    links = "https://good.example/meth\nhttps://evil.example/meth"
    assert [hit.rule.written for hit in matcher.find_domains(links, lambda _: True)] == ["evil.example"]
    assert Matcher([rule(pattern="meth")]).find_domains(links, lambda _: True) == []


def test_a_word_said_a_thousand_times_is_counted_to_a_limit() -> None:
    """What a text costs must not grow with what it repeats."""
    assert len(_found("枪" * 5_000, pattern="枪")) == MAX_HITS


def test_no_rules_find_nothing() -> None:
    """As on a new server."""
    assert Matcher([]).find("anything", lambda _: True) == []


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_planted_pattern_is_always_found(before: str, after: str) -> None:
    """Whatever stands around it, as long as it does not glue itself on."""
    text = f"{before} \n 假文凭 \n {after}"
    assert any("假" in found and "凭" in found for found in _found(text, pattern="假文凭"))
