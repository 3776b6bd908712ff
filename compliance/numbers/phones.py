"""Mobile numbers in E.164. Besides what `writing` takes away, people put brackets and dots into them."""

from __future__ import annotations

import re
from datetime import date

from ..errors import InvalidNumber
from .answer import Answer, FormReason
from .writing import cleaned

_SEPARATORS = re.compile(r"[().]+")
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
    plain = _SEPARATORS.sub("", cleaned(typed))
    if not _TYPED.fullmatch(plain):
        raise InvalidNumber(FormReason.CHARACTERS)
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
                raise InvalidNumber(FormReason.FORM)
            return f"+{code}{rest}"
    if not _ELSEWHERE.fullmatch(digits):
        raise InvalidNumber(FormReason.FORM)
    return f"+{digits}"


def checked(text: str, as_of: date) -> Answer:
    """The same as an answer."""
    del as_of
    try:
        return Answer(normalized=mobile(text))
    except InvalidNumber as error:
        return Answer(reason=FormReason(error.code), normalized=text)
