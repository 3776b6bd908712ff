"""Which part of a list a page shows, and the links to what is newer and older."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from ..ids import MAX_ID
from ..store.model import Page

LENGTH: Final = 20
Row = TypeVar("Row")


def number(text: str | None) -> int | None:
    """An id as it stands in an address; `None` for anything else."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    return int(text) if int(text) <= MAX_ID else None


def page_of(request: web.Request, length: int = LENGTH) -> Page:
    """The window that the address asks for; one row more than is shown tells whether there is more."""
    return Page(
        limit=length + 1,
        max_id=number(request.query.get("max_id")),
        min_id=number(request.query.get("min_id")),
    )


def links(request: web.Request, page: Page, cursors: Sequence[int]) -> tuple[str, str]:
    """The addresses of the newer and the older part; empty where there is none.

    `cursors` are the keys of the rows that were found, at most one more than are shown.
    """
    more = len(cursors) > page.limit - 1
    visible = shown(page, cursors)
    if not visible:
        return "", ""
    newer = more if page.rises else page.max_id is not None
    older = True if page.rises else more
    return (
        _link(request, "min_id", visible[0]) if newer else "",
        _link(request, "max_id", visible[-1]) if older else "",
    )


def _link(request: web.Request, name: str, value: int) -> str:
    kept = {key: text for key, text in request.query.items() if key not in ("max_id", "min_id")}
    return f"{request.path}?{urlencode({**kept, name: value})}"


def shown(page: Page, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows that the page shows, without the one that only told that there is more."""
    return rows[-(page.limit - 1) :] if page.rises else rows[: page.limit - 1]
