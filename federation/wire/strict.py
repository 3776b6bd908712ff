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
MAX_CONTAINERS = 20_000
"""Lists and objects in all: a megabyte of nothing but brackets would take half a second."""

# Whatever follows a quote matches, up to the end if it must: a start that failed would be tried at every
# quote.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def parse(body: bytes) -> Document:
    """The JSON object in `body`, or `Malformed`."""
    if len(body) > MAX_BYTES:
        raise Malformed("document larger than 1 MiB")
    _require_shape(body)
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


def _require_shape(body: bytes) -> None:
    """Refuses what is nested too deeply or too finely. Brackets in strings do not count."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    bare = _STRINGS.sub(b"", body)
    if bare.count(b"[") + bare.count(b"{") > MAX_CONTAINERS:
        raise Malformed("document with more than 20,000 lists and objects")
    depth = 0
    for bracket in _BRACKETS.findall(bare):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Malformed("document nested deeper than 64")


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
