"""What a command says: words for a person, in colour on a terminal, or one JSON value for a program."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO


def bold(text: str) -> str:
    return _styled("1", text)


def dim(text: str) -> str:
    return _styled("2", text)


def red(text: str) -> str:
    return _styled("31", text)


def green(text: str) -> str:
    return _styled("32", text)


def yellow(text: str) -> str:
    return _styled("33", text)


def link(text: str) -> str:
    return _styled("1;36", text)


def say(*lines: str) -> None:
    """For a person."""
    print("\n".join(lines), flush=True)


def tell(value: object) -> None:
    """For a program."""
    print(json.dumps(value, ensure_ascii=False, default=str, indent=2), flush=True)


def warn(text: str) -> None:
    """Something the person should know, apart from the answer."""
    print(f"{yellow('warning')} {text}", file=sys.stderr, flush=True)


def fail(text: str) -> None:
    """Why the command did not do what it was asked."""
    print(f"{red('error')} {text}", file=sys.stderr, flush=True)


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines whose columns stand under each other; the last column is not filled up."""
    whole = [list(row) for row in rows]
    widths = [
        max((_width(row[n]) for row in whole), default=0) for n in range(max(map(len, whole), default=0))
    ]
    lines = []
    for row in whole:
        cells = [cell + " " * (widths[n] - _width(cell)) for n, cell in enumerate(row[:-1])]
        lines.append("  ".join([*cells, row[-1]]))
    return lines


def _styled(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if _is_colourful(sys.stdout) else text


def _is_colourful(stream: TextIO) -> bool:
    # The two names that all programs share (no-color.org, force-color.org); not settings of ours.
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def _width(text: str) -> int:
    """Columns that `text` takes: styles none, Chinese characters two."""
    plain = text
    while "\x1b[" in plain:
        before, _, rest = plain.partition("\x1b[")
        plain = before + rest.partition("m")[2]
    return sum(2 if "\u2e80" <= sign <= "\uffef" else 1 for sign in plain)
