"""JSON as it may come from strangers: bounded, and with one reading only.

Refused: more than 1 MiB, deeper than 64, objects of more than 1,000 members, the same key twice, numbers that
are not finite or are longer than 64 digits, NUL, and lone surrogates (the database takes neither), anything
but UTF-8, anything but an object.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn, TypeAlias

import msgspec

from ..errors import Malformed

Value: TypeAlias = Any
"""What JSON can hold. `Any`, because every look at it is checked where it happens: a wrong type is read as
absent.
"""
Document: TypeAlias = dict[str, Value]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_MEMBERS = 1000
MAX_DIGITS = 64

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def parse(body: bytes) -> Document:
    """The JSON object in `body`, or `Malformed`."""
    if len(body) > MAX_BYTES:
        raise Malformed("document larger than 1 MiB")
    if _depth(body) > MAX_DEPTH:
        raise Malformed("document nested deeper than 64")
    try:
        value = _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    if _SUSPECT_ESCAPE.search(body):
        _refuse_unusable(value)
    return value


def write(document: Document) -> bytes:
    """The bytes of `document`."""
    return msgspec.json.encode(document)


def _depth(body: bytes) -> int:
    """An upper bound of the nesting, exact where it matters. Brackets in strings do not count."""
    most = body.count(b"[") + body.count(b"{")
    if most <= MAX_DEPTH:
        return most
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", body)):
        if bracket in b"[{":
            depth += 1
            if depth > deepest:
                deepest = depth
                if deepest > MAX_DEPTH:
                    break
        else:
            depth -= 1
    return deepest


def _members(pairs: list[tuple[str, Value]]) -> Document:
    if len(pairs) > MAX_MEMBERS:
        raise Malformed("object with more than 1,000 members")
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("object with the same key twice")
    return members


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise Malformed("number longer than 64 digits")
    return int(digits)


def _real(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        raise Malformed("number longer than 64 digits")
    value = float(digits)
    if not math.isfinite(value):
        raise Malformed("number out of range")
    return value


def _constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_real, parse_constant=_constant
)


def _refuse_unusable(value: Value) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if _UNUSABLE.search(item):
                raise Malformed("text with NUL or half a surrogate pair")
        elif isinstance(item, dict):
            waiting += item.keys()
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
