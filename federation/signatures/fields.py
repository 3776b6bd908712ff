"""Structured fields (RFC 8941), as much of them as signatures use: dictionaries of items and of inner lists.

Read strictly and written back canonically, because the base that is signed holds the canonical form.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TypeAlias

from federation.errors import NotTrusted

Bare: TypeAlias = str | int | bool | bytes
MAX_LENGTH = 8192

_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_INTEGER = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
_STRING = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
_TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")


class Token(str):
    """A bare word, which is written without quotes."""

    __slots__ = ()


Parameters: TypeAlias = dict[str, Bare]


@dataclass(frozen=True, slots=True)
class Item:
    """A value and its parameters."""

    value: Bare
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InnerList:
    """A list in brackets and its parameters."""

    items: tuple[Item, ...]
    parameters: Parameters = field(default_factory=dict)


def dictionary(text: str) -> dict[str, Item | InnerList]:
    """The dictionary in a header's value; the same key twice is refused, although RFC 8941 lets the last
    one win.
    """
    if len(text) > MAX_LENGTH:
        raise NotTrusted("structured field too long")
    reader = _Reader(text.strip(" \t"))
    members: dict[str, Item | InnerList] = {}
    while not reader.at_end():
        key = reader.take(_KEY)
        if key in members:
            raise NotTrusted("structured field with the same key twice")
        members[key] = reader.member()
        reader.spaces()
        if reader.at_end():
            return members
        reader.expect(",")
        reader.spaces()
        if reader.at_end():
            raise NotTrusted("structured field ends in a comma")
    return members


def write(value: Item | InnerList) -> str:
    """The canonical text of a member."""
    if isinstance(value, InnerList):
        return f"({' '.join(map(write, value.items))}){_write_parameters(value.parameters)}"
    return _write_bare(value.value) + _write_parameters(value.parameters)


def _write_parameters(parameters: Parameters) -> str:
    return "".join(
        f";{key}" if value is True else f";{key}={_write_bare(value)}" for key, value in parameters.items()
    )


def _write_bare(value: Bare) -> str:
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, bytes):
        return f":{base64.b64encode(value).decode()}:"
    if isinstance(value, int | Token):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Reader:
    """A place in a text. Anything unexpected is `NotTrusted`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def at_end(self) -> bool:
        return self._at == len(self._text)

    def take(self, pattern: re.Pattern[str], group: int = 0) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise NotTrusted("structured field cannot be read")
        self._at = found.end()
        return found[group]

    def expect(self, mark: str) -> None:
        if not self.skip(mark):
            raise NotTrusted("structured field cannot be read")

    def skip(self, mark: str) -> bool:
        found = self._text.startswith(mark, self._at)
        self._at += len(mark) if found else 0
        return found

    def spaces(self) -> None:
        while self.skip(" ") or self.skip("\t"):
            pass

    def member(self) -> Item | InnerList:
        if not self.skip("="):
            return Item(True, self.parameters())
        return self.inner_list() if self.skip("(") else self.item()

    def inner_list(self) -> InnerList:
        items: list[Item] = []
        while True:
            while self.skip(" "):
                pass
            if self.skip(")"):
                return InnerList(tuple(items), self.parameters())
            items.append(self.item())
            if not self._text.startswith((" ", ")"), self._at):
                raise NotTrusted("structured field cannot be read")

    def item(self) -> Item:
        return Item(self.bare(), self.parameters())

    def parameters(self) -> Parameters:
        found: Parameters = {}
        while self.skip(";"):
            while self.skip(" "):
                pass
            key = self.take(_KEY)
            if key in found:
                raise NotTrusted("structured field with the same parameter twice")
            found[key] = self.bare() if self.skip("=") else True
        return found

    def bare(self) -> Bare:
        head = self._text[self._at : self._at + 1]
        if head == '"':
            return re.sub(r"\\(.)", r"\1", self.take(_STRING, 1))
        if head == ":":
            try:
                return base64.b64decode(self.take(_BYTES, 1), validate=True)
            except binascii.Error as error:
                raise NotTrusted("structured field has bytes that are not base64") from error
        if head == "?":
            if self.skip("?1"):
                return True
            self.expect("?0")
            return False
        if head.isdigit() or head == "-":
            return int(self.take(_INTEGER))
        return Token(self.take(_TOKEN))
