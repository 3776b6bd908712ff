"""No list is read without an index, whatever values it is asked with.

Statements are prepared once and then planned without their values. Here they are planned so, with reading
whole tables made as dear as can be: a plan that still does it, or that sorts a list, has no index to go by.
"""

from __future__ import annotations

import itertools
import re

import pytest

from server.db.pool import Connection
from server.store import (
    accounts,
    bookmarks,
    follows,
    members,
    notifications,
    posts,
    sessions,
    timelines,
    tokens,
)
from server.store.sql import Both

_FLAGS = (False, True)

LISTS: dict[str, Both] = {
    "home": timelines._HOME,
    "bookmarks": timelines._BOOKMARKS,
    "likes": timelines._LIKES,
    "liked by": posts._LIKED_BY,
    "boosted by": posts._BOOSTED_BY,
    "notifications": notifications._PAGE,
    "followers": follows._FOLLOWERS,
    "following": follows._FOLLOWING,
    "requests": follows._REQUESTS,
    "blocked": follows._BLOCKED,
    "muted": follows._MUTED,
    "accounts": accounts._LIST,
}
LISTS |= {f"public {flags}": timelines._public(*flags) for flags in itertools.product(_FLAGS, repeat=2)}
LISTS |= {f"tag {flags}": timelines._tag(*flags) for flags in itertools.product(_FLAGS, repeat=2)}
LISTS |= {f"account {flags}": timelines._account(*flags) for flags in itertools.product(_FLAGS, repeat=4)}

OTHERS: dict[str, str] = {
    "seen": posts._SEEN,
    "bare": posts._BARE,
    "media": posts._MEDIA,
    "history": posts._HISTORY,
    "ancestors": timelines._ANCESTORS,
    "descendants": timelines._DESCENDANTS,
    "unread": notifications._UNREAD,
    "notification": notifications._FIND,
    "relationships": follows._RELATIONSHIPS,
    "account by ids": accounts._BY_IDS,
    "account by uri": accounts._BY_URI,
    "account by our name": accounts._BY_LOCAL_NAME,
    "account by their name": accounts._BY_REMOTE_NAME,
    "account search": accounts._SEARCH,
    "bookmark": bookmarks._INSERT,
    "member by id": members._BY_ID,
    "member by e-mail": members._BY_EMAIL,
    "member by name": members._BY_NAME,
    "session": sessions._FIND,
    "sessions": sessions._LIST,
    "token": tokens._FIND,
    "tokens": tokens._LIST,
    "app": tokens._APP_BY_CLIENT_ID,
    "code": tokens._USE_CODE,
}


async def plan(conn: Connection, statement: str) -> str:
    """How the database would go about the statement, not knowing its values."""
    await conn.execute("set local plan_cache_mode = force_generic_plan; set local enable_seqscan = off")
    await conn.execute(f"prepare planned as {statement}")
    count = max(int(number) for number in re.findall(r"\$(\d+)", statement))
    rows = await conn.fetch(f"explain (costs off) execute planned({', '.join(['null'] * count)})")
    await conn.execute("deallocate planned")
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_is_read_in_the_order_of_its_index(conn: Connection, name: str) -> None:
    for statement in LISTS[name]:
        steps = await plan(conn, statement)
        assert "Seq Scan" not in steps, steps
        assert "Sort" not in steps, steps


@pytest.mark.parametrize("name", OTHERS)
async def test_nothing_is_looked_for_by_reading_a_whole_table(conn: Connection, name: str) -> None:
    steps = await plan(conn, OTHERS[name])
    assert "Seq Scan" not in steps, steps
