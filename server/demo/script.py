"""Reads who lives in the demo and what is said there, from the two files beside this one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from compliance.activity import Visibility

_FOLDER: Final = Path(__file__).parent
_HEAD: Final = re.compile(r"(=+) (\w+)((?: *\| *\w+(?:: *[^|]*)?)*)")


class Person(Struct, frozen=True):
    """Somebody who lives in the demo; an organisation is one too, for now."""

    name: str
    shown: str
    topics: frozenset[str]
    face: str
    """What the picture beside the name shows."""
    bio: str = ""
    locale: str = "zh-CN"
    fields: tuple[tuple[str, str], ...] = ()
    roles: tuple[str, ...] = ()
    locked: bool = False
    verified: bool = True
    organisation: bool = False


@dataclass(slots=True)
class Said:
    """A post and the answers to it."""

    by: str
    text: str
    pictures: tuple[str, ...] = ()
    alts: tuple[str, ...] = ()
    warning: str = ""
    visibility: Visibility = Visibility.PUBLIC
    language: str | None = None
    hour: int | None = None
    """At which hour of the day it is said; any if there is none."""
    fix: tuple[str, str] | None = None
    """What a later edit puts in place of what."""
    gone: bool = False
    """Deleted by its author soon after."""
    answers: list[Said] = field(default_factory=list)


def people() -> list[Person]:
    """Everybody."""
    document = tomllib.loads((_FOLDER / "people.toml").read_text("utf-8"))
    return msgspec.convert(document["people"], list[Person])


def rules() -> str:
    """The rule set that the demo puts in force."""
    return (_FOLDER / "rules.json").read_text("utf-8")


def posts() -> list[Said]:
    """Every post that is not an answer, with its answers."""
    return parse((_FOLDER / "posts.txt").read_text("utf-8"))


def parse(text: str) -> list[Said]:
    """The posts of a script; its first lines say how it is written."""
    roots: list[Said] = []
    path: list[Said] = []
    for depth, said in _blocks(text):
        del path[depth - 1 :]
        if depth != len(path) + 1:
            raise ValueError(f"an answer to nothing: {said.text[:40]}")
        if path and not path[-1].visibility.is_open:
            said.visibility = path[-1].visibility
        (path[-1].answers if path else roots).append(said)
        path.append(said)
    return roots


def _blocks(text: str) -> Iterator[tuple[int, Said]]:
    head: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.splitlines():
        found = _HEAD.fullmatch(line.strip()) if line.startswith("=") else None
        if found is None:
            lines.append(line)
            continue
        if head is not None:
            yield len(head[1]), _said(head, lines)
        head, lines = found, []
    if head is not None:
        yield len(head[1]), _said(head, lines)


def _said(head: re.Match[str], lines: list[str]) -> Said:
    options: dict[str, Any] = {}
    for option in head[3].split("|")[1:]:
        name, _, value = option.partition(":")
        options[name.strip()] = value.strip()
    said = Said(
        by=head[2],
        text="\n".join(lines).strip(),
        pictures=_list(options.pop("pics", ""), ","),
        alts=_list(options.pop("alt", ""), ";"),
        warning=options.pop("warn", ""),
        visibility=Visibility(options.pop("to", "public")),
        language=options.pop("lang", None),
        gone=options.pop("gone", None) is not None,
    )
    if "hour" in options:
        said.hour = int(options.pop("hour"))
    if "fix" in options:
        before, _, after = options.pop("fix").partition("=>")
        said.fix = before.strip(), after.strip()
    if options:
        raise ValueError(f"unknown in a post by {said.by}: {', '.join(options)}")
    return said


def _list(text: str, mark: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(mark) if part.strip())
