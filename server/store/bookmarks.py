"""Posts kept for oneself. Nobody else hears of a bookmark. `timelines.bookmarks` lists them."""

from __future__ import annotations

from collections.abc import Callable

from compliance.activity import AccountId, PostId
from server.db.pool import Connection

from .sql import affected, compose
from .visibility import SEEN, may_see_both

_INSERT = compose(
    """
    insert into bookmark (account_id, post_id, id)
    select $1, coalesce(b.id, p.id), $3 from {seen} where p.id = $2 and {may_see}
    on conflict (account_id, post_id) do update set id = bookmark.id
    returning true
    """,
    seen=SEEN,
    may_see=may_see_both("$1"),
)


async def insert(
    conn: Connection, account_id: AccountId, post_id: PostId, *, new_id: Callable[[], int]
) -> bool:
    """Bookmarks a post, or the post that a boost shows; `False` when the account may not see it."""
    return bool(await conn.fetchval(_INSERT, account_id, post_id, new_id()))


async def delete(conn: Connection, account_id: AccountId, post_id: PostId) -> bool:
    """Takes a bookmark back, given the post or a boost of it; `False` when there was none."""
    done = await conn.execute(
        """
        delete from bookmark
        where account_id = $1 and post_id = coalesce((select p.boost_of_id from post p where p.id = $2), $2)
        """,
        account_id,
        post_id,
    )
    return affected(done) > 0
