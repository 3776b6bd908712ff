"""One pass over the folded text for all lists: an Aho-Corasick automaton says where something may be, and
each hit is then looked at by its rule: whole words, allowed phrases, words that must or must not stand near.

Offsets are computed only on a hit. A text without one costs a fold and a pass, whatever the number of rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import ahocorasick_rs
import idna

from .folding import fold, joins, trace
from .ruleset import Rule

MAX_HITS = 50
"""Of one rule in one text: enough to judge by and to show, whatever somebody repeats a thousand times."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that matched, where in the original text, and whether its context asks for a person to look
    first."""

    rule: Rule
    start: int
    end: int
    review: bool


class Matcher:
    """An automaton over many rules. Made once per rule set (0.5 s for 100,000), then only read."""

    __slots__ = ("_automaton", "_has_domains", "_rules")

    def __init__(self, rules: Sequence[Rule]) -> None:
        by_text: dict[str, list[Rule]] = {}
        for rule in rules:
            for text in _texts(rule):
                by_text.setdefault(text, []).append(rule)
        self._rules = tuple(tuple(some) for some in by_text.values())
        self._has_domains = any(rule.is_domain for rule in rules)
        # The contiguous NFA scans as fast as a DFA and takes a twentieth of its memory (measured: 22 MB and
        # 432 MB).
        self._automaton = (
            ahocorasick_rs.AhoCorasick(
                list(by_text),
                store_patterns=False,
                implementation=ahocorasick_rs.Implementation.ContiguousNFA,
            )
            if by_text
            else None
        )

    def find(self, text: str, applies: Callable[[Rule], bool]) -> list[Hit]:
        """What the rules that `applies` accepts find in `text`, from left to right."""
        return self._find(text, applies)

    def find_domains(self, links: str, applies: Callable[[Rule], bool]) -> list[Hit]:
        """As `find`, with domain rules only, for addresses that a reader follows and does not read."""
        if not self._has_domains:
            return []
        return self._find(links, lambda rule: rule.is_domain and applies(rule))

    def _find(self, text: str, applies: Callable[[Rule], bool]) -> list[Hit]:
        if self._automaton is None or not text:
            return []
        folded = fold(text)
        found = self._automaton.find_matches_as_indexes(folded, overlapping=True)
        if not found:
            return []
        counts: dict[int, int] = {}
        kept: list[tuple[Rule, int, int, bool]] = []
        for number, start, end in found:
            for rule in self._rules[number]:
                if counts.get(id(rule), 0) >= MAX_HITS or not applies(rule):
                    continue
                if _stands(rule, folded, start, end):
                    counts[id(rule)] = counts.get(id(rule), 0) + 1
                    review = any(_is_near(word, folded, start, end, rule.window) for word in rule.unless_near)
                    kept.append((rule, start, end, review))
        if not kept:
            return []
        way_back = trace(text)
        return [Hit(rule, *way_back.span(start, end), review) for rule, start, end, review in kept]


def _texts(rule: Rule) -> Iterator[str]:
    """What to put into the automaton; an international name is looked for as it is read and as it is sent."""
    yield rule.text
    if rule.is_domain and "xn--" in rule.text:
        yield fold(idna.decode(rule.text))


def _stands(rule: Rule, folded: str, start: int, end: int) -> bool:
    """Whether the match at this place counts."""
    if rule.is_domain:
        if not _is_host(folded, start, end):
            return False
    elif not _is_whole(folded, start, end):
        return False
    if rule.near and not any(_is_near(word, folded, start, end, rule.window) for word in rule.near):
        return False
    return not any(_lies_inside(phrase, folded, start, end) for phrase in rule.allow)


def _is_whole(folded: str, start: int, end: int) -> bool:
    """Whether neither end of the match cuts a word of an alphabet: `meth` is not in `method`."""
    return not (
        (start > 0 and joins(folded[start - 1], folded[start]))
        or (end < len(folded) and joins(folded[end - 1], folded[end]))
    )


def _is_host(folded: str, start: int, end: int) -> bool:
    """Whether a host name is that name or below it: `evil.example` is in `www.evil.example`, not in
    `evil.example.org`."""
    if start > 0 and (folded[start - 1] in "-_" or joins(folded[start - 1], folded[start])):
        return False
    after = folded[end : end + 2]
    if after and (after[0] in "-_" or joins(folded[end - 1], after[0])):
        return False
    return not (len(after) == 2 and after[0] == "." and joins(folded[end - 1], after[1]))


def _is_near(word: str, folded: str, start: int, end: int, window: int) -> bool:
    low = max(0, start - window - len(word))
    high = end + window + len(word)
    return any(
        not (at < end and start < at + len(word)) and _is_whole(folded, at, at + len(word))
        for at in _occurrences(word, folded, low, high)
    )


def _lies_inside(phrase: str, folded: str, start: int, end: int) -> bool:
    low, high = max(0, end - len(phrase)), start + len(phrase)
    return any(at <= start and end <= at + len(phrase) for at in _occurrences(phrase, folded, low, high))


def _occurrences(word: str, folded: str, low: int, high: int) -> Iterator[int]:
    at = folded.find(word, low, high)
    while at >= 0:
        yield at
        at = folded.find(word, at + 1, high)
