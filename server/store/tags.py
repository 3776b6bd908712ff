"""Hashtags, found by their folded name."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import structs

from server.db.pool import Connection
from server.ids import floor_at

from .model import TagView
from .sql import compose
from .visibility import is_listed

PAGE_CAP = 40
DAYS = 7
COUNTED = 20_000
"""Of a hashtag busier than this in a week, the newest posts are counted."""

_LAST = "\U0010ffff"
# Ids are in order of time, so that a day is a range of them; the days come newest first.
_HISTORY = compose(
    """
    select d.day, count(*) as posts, count(distinct p.account_id) as people
    from (select e.post_id from post_tag e
          where e.tag_id = (select t.id from tag t where t.name = $1) and e.post_id >= $4
          order by e.post_id desc limit $3) e
      join visible_post p on p.id = e.post_id and {public}
      join lateral (select min(u.day) as day from unnest($2::bigint[]) with ordinality as u(first, day)
                    where u.first <= e.post_id) d on true
    group by d.day
    """,
    public=is_listed("p"),
)


def fold(name: str) -> str:
    """The name by which a hashtag is found, however it is written."""
    return unicodedata.normalize("NFKC", name.removeprefix("#")).casefold()


async def find(conn: Connection, name: str) -> TagView | None:
    """The hashtag, if somebody used it here."""
    row = await conn.fetchrow("select name, shown from tag where name = $1", fold(name))
    return _tag(row) if row else None


async def find_with_history(conn: Connection, name: str, *, now: datetime) -> TagView | None:
    """The hashtag with its last seven days."""
    found = await find(conn, name)
    if found is None:
        return None
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=back) for back in range(DAYS)]
    rows = await conn.fetch(
        _HISTORY, found.name, [floor_at(day) for day in days], COUNTED, floor_at(days[-1])
    )
    counts = {row["day"]: (int(row["posts"]), int(row["people"])) for row in rows}
    return structs.replace(
        found, history=tuple((day, *counts.get(n, (0, 0))) for n, day in enumerate(days, 1))
    )


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
