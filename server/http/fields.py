"""Bends the spellings of forms and old clients to the Struct that a handler asks for.

`"1"` and `"on"` for a flag, a number for an id, one value where a list is wanted, `{"0": ..., "1": ...}` for
a list, an empty string for "nothing". What is still wrong afterwards is for msgspec to refuse.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

_FALSE = frozenset({"0", "f", "false", "off", "no"})


def shape(params: Mapping[str, Any], type_: type) -> dict[str, Any]:
    """The members of `params` that `type_` has, each in the shape that its annotation wants."""
    shaped = {}
    for name, wanted in _members(type_):
        if name in params and (value := _fit(params[name], wanted)) is not msgspec.UNSET:
            shaped[name] = value
    return shaped


@cache
def _members(type_: type) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(type_, include_extras=True)
    return tuple((field.encode_name, hints[field.name]) for field in msgspec.structs.fields(type_))


@cache
def _choices(wanted: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation, without `Annotated` wrappers."""
    if get_origin(wanted) is Annotated:
        return _choices(get_args(wanted)[0])
    if get_origin(wanted) in (Union, types.UnionType):
        return tuple(choice for member in get_args(wanted) for choice in _choices(member))
    return (wanted,)


def _fit(value: Any, wanted: Any) -> Any:
    choices = _choices(wanted)
    if value is None:
        return None if type(None) in choices else msgspec.UNSET
    for choice in choices:
        if choice is bool:
            return _flag(value)
        if get_origin(choice) in (list, tuple):
            return [_fit(member, get_args(choice)[0]) for member in _listed(value)]
        if isinstance(choice, type) and issubclass(choice, msgspec.Struct) and isinstance(value, Mapping):
            return shape(value, choice)
    return _scalar(value, choices)


def _scalar(value: Any, choices: tuple[Any, ...]) -> Any:
    if str in choices:
        return str(value) if type(value) in (int, float) else value
    if value == "" and (int in choices or float in choices):
        return msgspec.UNSET
    return value


def _flag(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return msgspec.UNSET if value == "" else value.strip().lower() not in _FALSE
    return value != 0 if isinstance(value, (int, float)) else value


def _listed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (not key.isdigit(), int(key) if key.isdigit() else 0))
        return [value[key] for key in keys]
    return [] if value == "" else [value]
