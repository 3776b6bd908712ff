"""Finds the line of a place in a JSON document, and keys that stand twice: what decoders do not tell.

The document has been decoded before, so it is well formed: this walks its tokens and checks nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

Path: TypeAlias = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


@dataclass(slots=True)
class _Level:
    """An object or a list that is open: the key or index where we are, and the keys seen."""

    is_object: bool
    at: str | int
    awaits_key: bool
    keys: set[str] = field(default_factory=set)


def line_of(text: str, path: Path) -> int:
    """The line, from 1, where the value at `path` begins (its key, in an object); of its nearest parent if it
    is not there."""
    best, line = -1, 1
    for found, offset, _ in _places(text):
        if len(found) > best and found == path[: len(found)]:
            best, line = len(found), text.count("\n", 0, offset) + 1
            if best == len(path):
                break
    return line


def duplicate_key(text: str) -> tuple[Path, int] | None:
    """Path and line of the first key that its object already has; `None` where there is none."""
    found = ((path, text.count("\n", 0, offset) + 1) for path, offset, twice in _places(text) if twice)
    return next(found, None)


def _places(text: str) -> Iterator[tuple[Path, int, bool]]:
    """Each value's path, the offset where its key or itself begins, and whether that key is there for the
    second time."""
    levels: list[_Level] = []
    for match in _TOKEN.finditer(text):
        mark, offset = match[0], match.start()
        top = levels[-1] if levels else None
        if mark in "}]":
            levels.pop()
        elif mark == ":":
            continue
        elif mark == ",":
            if top is not None and isinstance(top.at, int):
                top.at += 1
            elif top is not None:
                top.awaits_key = True
        elif top is not None and top.awaits_key:
            key = msgspec.json.decode(mark, type=str)
            twice = key in top.keys
            top.keys.add(key)
            top.at, top.awaits_key = key, False
            yield tuple(level.at for level in levels), offset, twice
        else:
            if top is None or not top.is_object:
                yield tuple(level.at for level in levels), offset, False
            if mark == "{":
                levels.append(_Level(True, "", True))
            elif mark == "[":
                levels.append(_Level(False, 0, False))
