"""What is counted of posts, and what is cleared away with them: the numbers are what others see, so that what
waits or is hidden is in none."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.activity import AccountId, PostId

from ..db.pool import Connection
from . import feeds
from .ground import Ground, Touched


async def replies(conn: Connection, parents: Sequence[PostId], step: int) -> None:
    """Moves the reply counts of posts by `step` for each time they are named."""
    if parents:
        await conn.execute(
            """
            update post_count c set replies = greatest(c.replies + n.step, 0)
            from (select id, count(*)::int * $2 as step from unnest($1::bigint[]) as id group by id order by
            id) n
            where c.post_id = n.id
            """,
            list(parents),
            step,
        )


async def posts(conn: Connection, authors: Sequence[AccountId], step: int, ground: Ground) -> None:
    """Moves the post counts of accounts by `step` for each time they are named."""
    await conn.execute(
        """
        update account_count c set posts = greatest(c.posts + n.step, 0),
               last_post_at = case when $2 > 0 then $3::timestamptz else c.last_post_at end
        from (select id, count(*) * $2 as step from unnest($1::bigint[]) as id group by id order by id) n
        where c.account_id = n.id
        """,
        list(authors),
        step,
        ground.now,
    )


async def gone(conn: Connection, withdrawn: Sequence[PostId], ground: Ground) -> Touched:
    """Clears away what showed withdrawn posts: their boosts, their places in home timelines, the notices
    about them."""
    boosts = await conn.fetch(
        "update post set withdrawn_at = $2, withdrawn_by = 'author' "
        "where boost_of_id = any($1) and withdrawn_at is null returning id",
        list(withdrawn),
        ground.now,
    )
    every = [*withdrawn, *(PostId(r["id"]) for r in boosts)]
    homes = await feeds.remove(conn, every)
    await conn.execute("delete from notification where post_id = any($1)", every)
    return Touched(posts=set(every), homes=homes)
