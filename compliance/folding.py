"""The folded view of a text: what a person reads, whatever tricks it was typed with.

Folding takes away case, width, accents, invisible characters and the difference between traditional and
simplified characters, makes one space of many, and closes the gaps inside a run of ideographs. `fold` is the
fast road, taken for every text. `trace` goes character by character and also says where each folded character
came from; it is taken only on a hit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain

import opencc

# Scripts are told apart by range: what `\w` says of them is not what a word is in them.
_HAN = "\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_IS_HAN = re.compile(f"[{_HAN}]|[\U00020000-\U0003ffff]")
_UNSPACED = re.compile(
    f"[{_HAN}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\uac00-\ud7ff]|[\U00020000-\U0003ffff]"
)
"""Scripts that do not put spaces between words, and Korean, which glues its particles on: matched
anywhere."""

_FILLERS = " *_|~^·•"
_GAP = re.compile(f"[{re.escape(_FILLERS)}][{_HAN}]")
"""The end of any gap before an ideograph: a cheap look before the exact one, linear in any number of fillers.
Rare ideographs, those outside the first plane, keep their gaps."""
_INNER_GAP = re.compile(f"(?<=[{_HAN}])[{re.escape(_FILLERS)}]++(?=[{_HAN}])")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def fold(text: str) -> str:
    """The folded view of `text`."""
    if text.isascii():
        # A third of all calls: alt texts, tags, English. Controls are the only thing that can hide here.
        folded = text.translate(_CONTROLS).lower()
    else:
        folded = unicodedata.normalize("NFKD", text)
        # A class with characters of higher planes is a hundred times slower in `re` than one without, hence
        # two looks.
        if _tables().hidden.search(folded) or _ASTRAL.search(folded):
            folded = folded.translate(_tables().dropped)
        folded = unicodedata.normalize("NFC", folded.casefold())
        if _tables().traditional.search(folded) or _ASTRAL.search(folded):
            folded = folded.translate(_tables().simplified)
    folded = " ".join(folded.split())
    return _INNER_GAP.sub("", folded) if _GAP.search(folded) else folded


@dataclass(frozen=True, slots=True)
class Trace:
    """A folded text, and for each of its characters the half-open range of the original that it stands
    for."""

    folded: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original range of the folded range `start` to `end`, which is not empty."""
        return self.starts[start], self.ends[end - 1]


def trace(text: str) -> Trace:
    """As `fold`, with the way back."""
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        for char in _fold_cluster(text[start:end]):
            is_space = char.isspace()
            if is_space and (not chars or chars[-1] == " "):
                continue
            chars.append(" " if is_space else char)
            starts.append(start)
            ends.append(end)
    if chars and chars[-1] == " ":
        chars.pop()
    kept = _outside_gaps("".join(chars))
    return Trace(
        "".join("".join(chars[part]) for part in kept),
        tuple(chain.from_iterable(starts[part] for part in kept)),
        tuple(chain.from_iterable(ends[part] for part in kept)),
    )


def joins(left: str, right: str) -> bool:
    """Whether two neighbouring characters of a folded text belong to one word of an alphabet (or one
    number)."""
    return left.isalnum() and right.isalnum() and not (_UNSPACED.match(left) or _UNSPACED.match(right))


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """What belongs together: a character and the marks or jamo after it. Nothing else meets its neighbour in
    folding."""
    start = 0
    for end in range(1, len(text)):
        if not _clings(text[end]):
            yield start, end
            start = end
    if text:
        yield start, len(text)


def _outside_gaps(text: str) -> list[slice]:
    """What is left of a folded text when the gaps inside runs of ideographs are closed."""
    kept: list[slice] = []
    start = 0
    for gap in _INNER_GAP.finditer(text):
        kept.append(slice(start, gap.start()))
        start = gap.end()
    return [*kept, slice(start, len(text))]


@lru_cache(maxsize=20_000)
def _fold_cluster(cluster: str) -> str:
    folded = unicodedata.normalize("NFKD", cluster).translate(_tables().dropped).casefold()
    return unicodedata.normalize("NFC", folded).translate(_tables().simplified)


@lru_cache(maxsize=20_000)
def _clings(char: str) -> bool:
    return unicodedata.category(char)[0] == "M" or bool(_JAMO.match(char))


_JAMO = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\ud7b0-\ud7ff\uffa0-\uffdc]")
_CONTROLS = {code: None for code in (*range(32), 127) if not chr(code).isspace()}


@dataclass(frozen=True, slots=True)
class _Tables:
    dropped: dict[int, None]
    hidden: re.Pattern[str]
    simplified: dict[int, str]
    traditional: re.Pattern[str]


@cache
def _tables() -> _Tables:
    """The character tables, 40 ms to make: made once, at the first text that is not plain ASCII."""
    dropped = {
        code: None
        for code in (*range(0x20000), *range(0xE0000, 0xE0200))
        if code in _CONTROLS or _is_unseen(chr(code))
    }
    # Character by character, so that a fold never depends on its neighbours and an offset is always exact.
    han = [chr(code) for block in ((0x3400, 0xA000), (0x20000, 0x323B0)) for code in range(*block)]
    plain = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    simplified = {ord(a): b for a, b in zip(han, plain, strict=True) if a != b}
    return _Tables(dropped, _class_of(dropped), simplified, _class_of(simplified))


def _is_unseen(char: str) -> bool:
    """Marks, format characters and fillers: they change how a text is stored, and not, or hardly, how it is
    read."""
    return (
        unicodedata.category(char) in {"Mn", "Me", "Cf"}
        or (unicodedata.category(char) == "Cc" and not char.isspace())
        or unicodedata.combining(char) != 0
        or char in "\u115f\u1160\u3164\uffa0"
    )


def _class_of(table: dict[int, None] | dict[int, str]) -> re.Pattern[str]:
    return re.compile("[" + "".join(re.escape(chr(code)) for code in sorted(table) if code < 0x10000) + "]")
