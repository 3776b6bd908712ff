"""What may be shown of a number or a name: enough for its owner to know which it is, too little for anybody
else to use it. Computed when it comes in; nothing is opened to show it.

    11010519491231002X   110***********002X          +8613800138000   138****8000
    E12345678            E1*****78                   张三丰           张**
"""

from __future__ import annotations

import re

from .answer import NumberType

_MAINLAND = "+86"
_KEPT = {
    NumberType.RESIDENT_ID: (3, 4),
    NumberType.RESIDENT_ID_15: (3, 3),
    NumberType.FOREIGN_PERMANENT_RESIDENT: (3, 4),
    NumberType.FOREIGN_PERMANENT_RESIDENT_15: (3, 3),
    NumberType.USCC: (4, 4),
    NumberType.ORG_CODE: (2, 2),
    NumberType.PASSPORT: (4, 2),
    NumberType.PASSPORT_CN: (2, 2),
    NumberType.HK_MACAU_PERMIT: (2, 2),
    NumberType.TAIWAN_PERMIT: (2, 2),
}
_WORD = re.compile(r"\S+")


def masked(number_type: NumberType, number: str) -> str:
    """A number of right form, as its check normalised it."""
    if number_type is NumberType.MOBILE:
        return _mobile(number)
    head, tail = _KEPT[number_type]
    return f"{number[:head]}{'*' * (len(number) - head - tail)}{number[-tail:]}"


def masked_name(name: str) -> str:
    """The first letter of each word; the rest only by its length."""
    return _WORD.sub(lambda word: word[0][0] + "*" * (len(word[0]) - 1 or 1), name.strip())


def _mobile(number: str) -> str:
    """Mainland numbers as people write them; others keep their country's first digits."""
    plain = number.removeprefix(_MAINLAND) if len(number) == len(_MAINLAND) + 11 else number
    return f"{plain[:3]}{'*' * max(len(plain) - 7, 2)}{plain[-4:]}"
