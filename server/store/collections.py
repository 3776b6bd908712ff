"""What our ActivityPub collections hold for readers who are nobody in particular: only what is public."""

from __future__ import annotations

from datetime import datetime

from compliance.activity import AccountId, PostId, Uri
from server.db.pool import Connection

from .model import Page
from .sql import both_ways, compose, fetch_page
from .visibility import is_open, is_public, is_under

PAGE_CAP = 40

_OUTBOX = both_ways(
    """
    select p.id from visible_post p left join visible_post b on b.id = p.boost_of_id
    where p.account_id = $4 and p.id > $1 and p.id < $2 and {public}
      and (p.boost_of_id is null or {open})
    order by p.id {order} limit $3
    """,
    public=f"{is_public('p')} and {is_open('p')}",
    open=is_open("b"),
)
_REPLIES = both_ways(
    """
    select p.id, p.uri from visible_post p
    where p.in_reply_to_id = $4 and p.id > $1 and p.id < $2 and {open} and {under}
    order by p.id {order} limit $3
    """,
    open=is_open("p"),
    under=is_under("p"),
)
_WITHDRAWN = compose(
    """
    select p.uri, p.withdrawn_at from post p join account a on a.id = p.account_id
    where p.id = $1 and p.local and p.withdrawn_at is not null and {open}
      and p.boost_of_id is null and a.suspended_at is null
    """,
    open=is_open("p"),
)


async def outbox(conn: Connection, account_id: AccountId, page: Page) -> list[PostId]:
    """The account's public posts, and its public boosts of open ones, newest first."""
    rows = await fetch_page(conn, _OUTBOX, page, PAGE_CAP, account_id)
    return [PostId(row["id"]) for row in rows]


async def replies(conn: Connection, post_id: PostId, page: Page) -> list[tuple[PostId, Uri]]:
    """Open posts that answer this one directly, newest first; ours and other servers'."""
    rows = await fetch_page(conn, _REPLIES, page, PAGE_CAP, post_id)
    return [(PostId(row["id"]), Uri(row["uri"])) for row in rows]


async def find_withdrawn(conn: Connection, post_id: PostId) -> tuple[Uri, datetime] | None:
    """The id of a post of ours that anybody could read before it was withdrawn, and when that was."""
    row = await conn.fetchrow(_WITHDRAWN, post_id)
    return (Uri(row["uri"]), row["withdrawn_at"]) if row else None
