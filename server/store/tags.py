"""Hashtags, found by their folded name."""

from __future__ import annotations

import unicodedata
from typing import Any

from server.db.pool import Connection

from .model import TagView

PAGE_CAP = 40
_LAST = "\U0010ffff"


def fold(name: str) -> str:
    """The name by which a hashtag is found, however it is written."""
    return unicodedata.normalize("NFKC", name.removeprefix("#")).casefold()


async def find(conn: Connection, name: str) -> TagView | None:
    """The hashtag, if somebody used it here."""
    row = await conn.fetchrow("select name, shown from tag where name = $1", fold(name))
    return _tag(row) if row else None


async def search(conn: Connection, query: str, limit: int, *, offset: int = 0) -> list[TagView]:
    """Hashtags that start so, the shortest first."""
    start = fold(query.strip())
    if not start:
        return []
    # A range of code points: an index serves it also with a parameter, which `like` does not let it.
    rows = await conn.fetch(
        """
        select name, shown
        from (select name, shown from tag where name ~>=~ $1 and name ~<~ $2
              order by name using ~<~ limit 500) t
        order by length(name), name limit $3 offset $4
        """,
        start,
        start + _LAST,
        max(1, min(limit, PAGE_CAP)),
        max(0, min(offset, 500)),
    )
    return [_tag(row) for row in rows]


def _tag(row: Any) -> TagView:
    return TagView(name=row["name"], shown=row["shown"])
