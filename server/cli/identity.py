"""`yanlu identity check`: whether numbers have the form of what they are said to be. A stable interface.

It says nothing about who somebody is: anybody can make a number of right form. The commands of the family
that work on accounts are in `identities`.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from compliance import numbers

from ..errors import Invalid, Malformed
from . import campaigns, identities, terminal
from .command import Call, Commands, add, add_family

_MALFORMED = 2
_CHINA: Final = timezone(timedelta(hours=8))
"""Whose day decides whether somebody is born yet."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """One line of the input."""

    id: str
    type: str
    value: str
    as_of: str | None = None


def add_to(commands: Commands) -> None:
    family = add_family(commands, "identity", "who is behind accounts, and numbers that stand for them")
    identities.add_to(family)
    campaigns.add_to(family)
    check = add(
        family,
        "check",
        _check,
        "show whether numbers have a right form, which proves no identity; needs no database",
    )
    check.add_argument(
        "--input",
        required=True,
        metavar="NUMBERS.jsonl",
        help='lines such as {"id": "1", "type": "uscc", "value": "…"}; - reads standard input',
    )
    check.add_argument(
        "--as-of",
        metavar="DATE",
        type=_day_typed,
        help="the day that ages count from, YYYY-MM-DD; else today",
    )


def run(lines: Iterable[bytes], as_of: date) -> Iterator[dict[str, Any]]:
    """One answer for each line that holds a number, in order. Raises `Malformed` with the line's number, and
    without what stands in it."""
    for count, line in enumerate(lines, 1):
        plain = line.removeprefix(codecs.BOM_UTF8) if count == 1 else line
        if not plain.strip():
            continue
        try:
            case = msgspec.json.decode(plain, type=Case)
            kind = _kind(case.type)
            day = as_of if case.as_of is None else _day(case.as_of)
        except (msgspec.DecodeError, ValueError) as error:
            why = "it is not UTF-8" if isinstance(error, UnicodeError) else error
            raise Malformed("line %(line)d: %(why)s", line=count, why=why) from None
        yield _said(case.id, numbers.check(kind, case.value, as_of=day))


def _check(call: Call) -> int:
    as_of = call.as_of or datetime.now(_CHINA).date()
    try:
        with _opened(call.input) as lines:
            for answer in run(lines, as_of):
                print(json.dumps(answer, ensure_ascii=False))
    except Malformed as error:
        sys.stdout.flush()
        terminal.fail(str(error))
        return _MALFORMED
    return 0


def _said(id_: str, answer: numbers.Answer) -> dict[str, Any]:
    told = {
        "birth": answer.birth and answer.birth.isoformat(),
        "sex": answer.sex,
        "province": answer.province,
        "upgrade": answer.upgrade,
    }
    return {
        "id": id_,
        "valid": answer.is_valid,
        "reason": answer.reason,
        "normalized": answer.normalized,
        **{name: value for name, value in told.items() if value is not None},
        "warnings": list(answer.warnings),
    }


def _opened(file: str) -> contextlib.AbstractContextManager[BinaryIO]:
    if file == "-":
        return contextlib.nullcontext(sys.stdin.buffer)
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise Invalid("%(file)s cannot be read: %(why)s", file=file, why=error.strerror) from error


def _kind(written: str) -> numbers.NumberType:
    try:
        return numbers.NumberType(written)
    except ValueError:
        raise ValueError(f"type is none of {', '.join(numbers.NumberType)}") from None


def _day(written: str) -> date:
    if not _DAY.fullmatch(written):
        raise ValueError("as_of is not a day written as YYYY-MM-DD")
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise ValueError("as_of is no day of the calendar") from None


def _day_typed(written: str) -> date:
    try:
        return _day(written)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
