"""Numbers that stand for a person. A right form proves a form, never an identity.

What people type may hold spaces, hyphens, brackets and full-width digits; digits of other scripts are
refused, although `str.isdigit` and `int` take them.
"""

from __future__ import annotations

import re
import unicodedata

from .errors import InvalidNumber

_SEPARATORS = re.compile(r"[\s\-‐‑–().]+")
_WIDE = re.compile(r"[\uff0b\uff10-\uff19\uff08\uff09\uff0d\uff0e\u3000]")
_TYPED = re.compile(r"\+?[0-9]+")
_NATIONAL = {
    "86": re.compile(r"1[3-9][0-9]{9}"),
    "852": re.compile(r"[0-9]{8}"),
    "853": re.compile(r"[0-9]{8}"),
    "886": re.compile(r"[0-9]{9}"),
}
_ELSEWHERE = re.compile(r"[1-9][0-9]{6,14}")
_TRUNK_ZERO = frozenset({"886"})
"""Where people write a zero before the national number, which E.164 leaves out."""


def mobile(typed: str) -> str:
    """The mobile number in E.164, such as `+8613800138000`; without a country code it is read as a mainland
    one."""
    plain = _WIDE.sub(lambda wide: unicodedata.normalize("NFKC", wide[0]), typed)
    plain = _SEPARATORS.sub("", plain)
    if not _TYPED.fullmatch(plain):
        raise InvalidNumber("characters")
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if not plain.startswith("+"):
        plain = "+86" + plain
    digits = plain[1:]
    for code, national in _NATIONAL.items():
        if digits.startswith(code):
            rest = digits.removeprefix(code)
            if code in _TRUNK_ZERO:
                rest = rest.removeprefix("0")
            if not national.fullmatch(rest):
                raise InvalidNumber("form")
            return f"+{code}{rest}"
    if not _ELSEWHERE.fullmatch(digits):
        raise InvalidNumber("form")
    return f"+{digits}"


def masked(number: str) -> str:
    """What its owner may be shown of a number: enough to know which it is."""
    return f"{number[:-8]}****{number[-4:]}" if len(number) > 10 else f"{number[:2]}****{number[-2:]}"
