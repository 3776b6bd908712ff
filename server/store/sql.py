"""How statements are put together: of our own fragments when a module is imported, never of data.

Lists are keyset windows. Their bounds are always given as numbers, since `$1 is null or id < $1` keeps the
planner from the index once the statement is prepared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from server.db.pool import Connection

from .model import Page

Both: TypeAlias = tuple[str, str]
"""The same list newest first, and oldest first."""


def compose(text: str, **fragments: str) -> str:
    """`text` with `{name}` replaced by the fragments."""
    return text.format(**fragments)


def both_ways(text: str, **fragments: str) -> Both:
    """A list's statement for either direction; `text` says `{order}` where the direction belongs.

    `$1` and `$2` are the bounds of the window, `$3` the number of rows.
    """
    return compose(text, order="desc", **fragments), compose(text, order="asc", **fragments)


async def fetch_page(
    conn: Connection, statements: Both, page: Page, cap: int, *arguments: object
) -> Sequence[Any]:
    """The rows of one window, newest first whichever end it starts from."""
    rows: list[Any] = await conn.fetch(
        statements[page.rises], page.above, page.below, page.rows(cap), *arguments
    )
    return rows[::-1] if page.rises else rows


def affected(status: str) -> int:
    """How many rows a statement changed, from what the database says about it."""
    return int(status.rpartition(" ")[2])
