"""Reading values that may be a string, an object, a list of either, or missing. A wrong type is read as
absent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from compliance.activity import Uri
from federation import origin
from federation.errors import Malformed
from federation.wire import Document, Value

MAX_LIST = 1000
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_WHITE = re.compile(r"\s+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")


def each(value: Value) -> list[Value]:
    """`value` as a list: as it is, or of one, or empty; at most 1,000 long."""
    if value is None:
        return []
    return value[:MAX_LIST] if isinstance(value, list) else [value]


def objects(value: Value) -> Iterator[Document]:
    """The objects in `value`."""
    return (item for item in each(value) if isinstance(item, dict))


def types(document: Document) -> list[str]:
    """What the document says it is."""
    return [item for item in each(document.get("type")) if isinstance(item, str)]


def find_id(value: Value) -> Uri | None:
    """The first id in `value`, which names things by id or by object."""
    return next(iter(ids(value)), None)


def ids(value: Value) -> list[Uri]:
    """All ids in `value` that can be ids, each once, in order."""
    found: dict[Uri, None] = {}
    for item in each(value):
        named = (item.get("id") or item.get("href")) if isinstance(item, dict) else item
        id_ = origin.find_uri(named)
        if id_ is not None:
            found[id_] = None
    return list(found)


def require_id(value: Value, what: str) -> Uri:
    """The first id in `value`, or `Malformed` saying what it was meant for."""
    id_ = find_id(value)
    if id_ is None:
        raise Malformed(f"{what} has no usable id")
    return id_


def addressees(value: Value) -> list[str]:
    """The strings in a `to` or `cc`, ids or not."""
    named = (item.get("id") if isinstance(item, dict) else item for item in each(value))
    return [item for item in named if isinstance(item, str)]


def text(value: Value, limit: int) -> str:
    """The first string in `value`, without control characters, cut at `limit`."""
    found = next((item for item in each(value) if isinstance(item, str)), "")
    return _CONTROLS.sub("", found[: 2 * limit])[:limit]


def worded(document: Document, name: str) -> Value:
    """What `document` says under `name`, or in the first language it says it in where it only has a map."""
    by_language = document.get(f"{name}Map")
    if isinstance(document.get(name), str) or not isinstance(by_language, dict):
        return document.get(name)
    return next((said for said in by_language.values() if isinstance(said, str)), document.get(name))


def line(value: Value, limit: int) -> str:
    """As `text`, on one line."""
    return _WHITE.sub(" ", text(value, 2 * limit)).strip()[:limit].rstrip()


def moment(value: Value) -> datetime | None:
    """A time in UTC, if it is one and after 1970."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        read = datetime.fromisoformat(value)
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return read if read.year >= 1970 else None


def whole(value: Value, most: int) -> int | None:
    """A whole number from 1 to `most`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 1 <= value <= most else None


def real(value: Value) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        read = float(value)
    except OverflowError:
        return None
    return read if math.isfinite(read) else None


def flag(value: Value) -> bool:
    """True only for true."""
    return value is True


def language(value: Value) -> str | None:
    """A language tag, if it looks like one, in its usual case: JSON-LD processors write `zh-cn` for
    `zh-CN`.
    """
    if not isinstance(value, str) or len(value) > 35 or not _LANGUAGE.fullmatch(value):
        return None
    first, *rest = value.split("-")
    parts = (
        part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part.lower() for part in rest
    )
    return None if first.lower() == "und" else "-".join([first.lower(), *parts])
