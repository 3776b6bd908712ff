"""JSON in its one canonical spelling (RFC 8785), which is what proofs are made over.

Members are sorted by the UTF-16 of their names, numbers are written as ECMAScript does, strings with the
fewest escapes. Ours and not a package's: it is one page, and what proofs hang on is better read than trusted.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Final

from .errors import Malformed

_MOST_EXACT: Final = 2**53
_TEXT: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def canonical(value: object) -> bytes:
    """`value`, which JSON can hold, in its canonical spelling; `Malformed` for what has none."""
    try:
        return _write(value).encode()
    except UnicodeEncodeError as error:
        raise Malformed("half of a surrogate pair has no canonical form") from error


def _write(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _TEXT(value)
        case int():
            # Beyond this, a number in ECMAScript is not the one that was written.
            if abs(value) > _MOST_EXACT:
                raise Malformed("a whole number beyond 2^53 has no canonical form")
            return str(value)
        case float():
            return _number(value)
        case list() | tuple():
            return f"[{','.join(map(_write, value))}]"
        case dict():
            members = sorted(value.items(), key=_place)
            return f"{{{','.join(f'{_TEXT(name)}:{_write(item)}' for name, item in members)}}}"
        case _:
            raise Malformed(f"{type(value).__name__} is not JSON")


def _place(member: tuple[object, object]) -> bytes:
    name = member[0]
    if not isinstance(name, str):
        raise Malformed("a name that is not a string")
    return name.encode("utf-16-be")


def _number(value: float) -> str:
    """As ECMAScript's Number::toString: Python's shortest digits, set out by its rules."""
    if not math.isfinite(value):
        raise Malformed("a number that is not finite has no canonical form")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    _, figures, exponent = Decimal(repr(abs(value))).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - finite, so it is a number
    digits = "".join(map(str, figures))
    count, point = len(digits), len(digits) + exponent
    if count <= point <= 21:
        return f"{sign}{digits}{'0' * (point - count)}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = f"{point - 1:+d}"
    return f"{sign}{digits[0]}{'.' if count > 1 else ''}{digits[1:]}e{power}"
