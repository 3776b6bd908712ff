"""Tries a rule set on many texts at once, by the lines of a file: `yanlu rules test`. A stable interface.

A text may be HTML, as it comes from other servers; spans then still count in the text as given, so every
visible character remembers where it stood.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Literal

import msgspec

from compliance.errors import InvalidRules
from compliance.matching import Hit, Matcher
from compliance.ruleset import RuleSet

_BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre ul".split()  # noqa: SIM905
)
_UNSEEN = frozenset(("script", "style", "template"))


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """One line of the input."""

    id: str
    text: str
    format: Literal["plain", "html"] = "plain"
    list: str | None = None


def run(rules: RuleSet, lines: Iterable[str], now: datetime, only: str | None) -> Iterator[dict[str, object]]:
    """One answer for each line that holds a case, in order. Raises `InvalidRules` with the line's number."""
    matchers: dict[str | None, Matcher] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        case = _case(line, number)
        name = case.list or only
        if name not in matchers:
            chosen = [rule for rule in rules.rules if name is None or rule.list_name == name]
            if not chosen:
                raise InvalidRules(f"line {number}: there is no list {name}")
            matchers[name] = Matcher(chosen)
        yield {"id": case.id, "hits": _hits(matchers[name], case, now)}


class Visible(HTMLParser):
    """What a reader of some HTML sees, and for each character the range of the source that it came from."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self._source = source
        self._lines = [0, *(at + 1 for at, sign in enumerate(source) if sign == "\n")]
        self._unseen = 0
        self._parts: list[tuple[str, int, int]] = []
        self.feed(source)
        self.close()

    @property
    def text(self) -> str:
        return "".join(part[0] for part in self._parts)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The range of the source behind the visible characters from `start` to `end`."""
        return self._parts[start][1], self._parts[end - 1][2]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._unseen += tag in _UNSEEN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(self._unseen - (tag in _UNSEEN), 0)
        self._break(tag)

    def handle_data(self, data: str) -> None:
        at = self._at()
        if not self._unseen:
            self._parts += ((sign, at + n, at + n + 1) for n, sign in enumerate(data))

    def handle_entityref(self, name: str) -> None:
        self._reference(f"&{name}")

    def handle_charref(self, name: str) -> None:
        self._reference(f"&#{name}")

    def _reference(self, written: str) -> None:
        at = self._at()
        end = at + len(written) + self._source.startswith(";", at + len(written))
        if not self._unseen:
            self._parts += ((sign, at, end) for sign in html.unescape(f"{written};"))

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            at = self._at()
            self._parts.append(("\n", at, at + 1))

    def _at(self) -> int:
        line, offset = self.getpos()
        return self._lines[line - 1] + offset


def _case(line: str, number: int) -> Case:
    try:
        return msgspec.json.decode(line, type=Case)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise InvalidRules(f"line {number}: {error}") from error


def _hits(matcher: Matcher, case: Case, now: datetime) -> list[dict[str, object]]:
    seen = Visible(case.text) if case.format == "html" else None
    text = case.text if seen is None else seen.text
    found: list[dict[str, object]] = []
    for hit in matcher.find(text, lambda rule: rule.is_on(now)):
        span = (hit.start, hit.end) if seen is None else seen.span(hit.start, hit.end)
        found.append(
            {
                "list": hit.rule.list_name,
                "rule": hit.rule.written,
                "category": hit.rule.category,
                "span": list(span),
                "verdict": "review" if hit.review else "act",
                "evasion": _evasion(text, hit),
            }
        )
    return found


def _evasion(text: str, hit: Hit) -> list[str]:
    """How the words were disguised, as far as the text itself shows it."""
    inside = text[hit.start : hit.end]
    found = []
    if any(unicodedata.category(sign) == "Cf" for sign in inside):
        found.append("zero-width")
    if any(unicodedata.combining(sign) for sign in unicodedata.normalize("NFD", inside)):
        found.append("combining")
    if any(unicodedata.east_asian_width(sign) == "F" for sign in inside):
        found.append("full-width")
    if any(sign.isspace() for sign in inside) and not any(sign.isspace() for sign in hit.rule.written):
        found.append("spacing")
    return found
