"""What Mastodon promises its clients about each entity: its fields, their types, and which may be null.

The facts are in `entities.tsv` beside this; `faults` says where a value does not keep them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_URL = re.compile(r"(https?|wss?)://[^\s<>\"]+")
_STEP = re.compile(r"[^\[\]]+|\[\]")
# Entities that are only promised where something is, and nothing is yet.
_NEVER = {"Poll", "PreviewCard", "Quote", "CustomEmoji", "FilterResult", "Collection", "InstanceIcon"}
_EXTENDS = {"CredentialAccount": "Account", "MutedAccount": "Account", "CredentialApplication": "Application"}


@dataclass(frozen=True, slots=True)
class Promise:
    """One field of an entity."""

    field: str
    type: str
    nullable: bool
    optional: bool


def _read() -> Mapping[str, Sequence[Promise]]:
    promises: dict[str, list[Promise]] = defaultdict(list)
    for line in Path(__file__).with_name("entities.tsv").read_text("utf-8").splitlines()[1:]:
        entity, field, type_, nullable, optional = line.split("\t")
        promises[entity].append(Promise(field, type_, nullable == "yes", optional == "yes"))
    return promises


PROMISES = _read()


def faults(value: Any, entity: str, where: str = "") -> Iterator[str]:
    """Each promise about `entity` that `value` breaks."""
    if entity in _EXTENDS:
        yield from faults(value, _EXTENDS[entity], where)
    if not isinstance(value, dict):
        yield f"{where or entity}: not an object"
        return
    for promise in PROMISES[entity]:
        for place, found in _find(value, _STEP.findall(promise.field)):
            yield from _check(found, promise, f"{where or entity}.{promise.field}{place}")


class _Missing:
    pass


_MISSING = _Missing()


def _find(value: Any, steps: Sequence[str], place: str = "") -> Iterator[tuple[str, Any]]:
    """The values at a path; `source[fields]` and `history[][day]` are paths, `posting:default` is a name."""
    if not steps:
        yield place, value
    elif steps[0] == "[]":
        for number, inner in enumerate(value if isinstance(value, list) else ()):
            yield from _find(inner, steps[1:], f"{place}#{number}")
    elif isinstance(value, dict):
        yield from _find(value.get(steps[0], _MISSING), steps[1:], place)
    elif value is not _MISSING:
        yield place, _MISSING


def _check(value: Any, promise: Promise, where: str) -> Iterator[str]:
    if value is _MISSING:
        if not promise.optional:
            yield f"{where}: missing"
    elif value is None:
        if not promise.nullable:
            yield f"{where}: null"
    else:
        yield from _check_type(value, promise.type, where)


def _check_type(value: Any, type_: str, where: str) -> Iterator[str]:
    if type_.startswith("[") and type_.endswith("]"):
        if not isinstance(value, list):
            yield f"{where}: not a list"
            return
        for number, inner in enumerate(value):
            yield from _check_type(inner, type_[1:-1], f"{where}[{number}]")
    elif type_.startswith("enum{"):
        if value not in type_[5:-1].split("|"):
            yield f"{where}: {value!r} is none of {type_}"
    elif type_ in PROMISES:
        yield from faults(value, type_, where)
    elif type_ in _NEVER:
        yield f"{where}: there cannot be one yet"
    elif not _is(value, type_):
        yield f"{where}: {value!r} is not {type_}"


def _is(value: Any, type_: str) -> bool:
    match type_:
        case "bool":
            return isinstance(value, bool)
        case "int":
            return type(value) is int
        case "float" | "number":
            return type(value) in (int, float)
        case "object" | "AccountRole" | "FeatureApproval" | "Appeal":
            return isinstance(value, dict)
        case "datetime":
            return isinstance(value, str) and _MOMENT.fullmatch(value) is not None
        case "date":
            return isinstance(value, str) and _DAY.fullmatch(value) is not None
        case "url":
            return isinstance(value, str) and _URL.fullmatch(value) is not None
        case "id":
            return isinstance(value, str) and value != ""
        case _:
            return isinstance(value, str)
