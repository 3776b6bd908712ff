"""How people write numbers: with spaces, hyphens, full-width characters, small letters, and what copying from
a page brings along unseen.

Digits of other scripts stay what they are, for a check to refuse: `str.isdigit` and `int` would take them.
"""

from __future__ import annotations

import re

_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_INVISIBLE = re.compile(r"[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Zero-width, soft and direction marks. An address book puts them round what it copies, so they are no
fault, but a reviewer should know."""

_ALIKE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_UPPER = {ord(small): ord(small) - 32 for small in "abcdefghijklmnopqrstuvwxyz"}
_WRITING: dict[int, int | None] = {
    **_UPPER,
    **{wide: _UPPER.get(plain, plain) for wide, plain in _ALIKE.items()},
    **dict.fromkeys(map(ord, _SPACES + _HYPHENS)),
}


def cleaned(typed: str) -> str:
    """One form for every way of writing the same number; cleaning twice is cleaning once."""
    return _INVISIBLE.sub("", typed.translate(_WRITING))


def has_invisible(typed: str) -> bool:
    """Whether there was something in it that nobody saw."""
    return _INVISIBLE.search(typed) is not None
