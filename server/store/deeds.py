"""What one person did before: their boosts, favourites, follows and uploads, looked up to be undone or built
upon."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.activity import AccountId, MediaId, PostId, Undoable, Uri
from server.db.pool import Connection
from server.uris import Uris

from . import media
from .model import MediaView

_ON_POST = {
    Undoable.ANNOUNCE: "select uri from post "
    "where account_id = $1 and boost_of_id = $2 and withdrawn_at is null",
    Undoable.LIKE: "select uri from reaction where account_id = $1 and post_id = $2",
}
_ON_ACCOUNT = {
    Undoable.FOLLOW: "select uri from follow where follower_id = $1 and followee_id = $2",
    Undoable.BLOCK: "select uri from block where account_id = $1 and target_id = $2",
}


async def boost_of(conn: Connection, post_id: PostId, account_id: AccountId) -> PostId | None:
    """The account's boost of a post, while it stands."""
    found = await conn.fetchval(
        "select id from post where account_id = $1 and boost_of_id = $2 and withdrawn_at is null",
        account_id,
        post_id,
    )
    return None if found is None else PostId(found)


async def on_post(conn: Connection, account_id: AccountId, post_id: PostId, kind: Undoable) -> Uri | None:
    """The id of the account's boost or favourite of a post, while it stands."""
    found = await conn.fetchval(_ON_POST[kind], account_id, post_id)
    return None if found is None else Uri(found)


async def on_account(
    conn: Connection, account_id: AccountId, target_id: AccountId, kind: Undoable
) -> Uri | None:
    """The id of the account's follow or block of another, while it stands."""
    found = await conn.fetchval(_ON_ACCOUNT[kind], account_id, target_id)
    return None if found is None else Uri(found)


async def choose(
    conn: Connection, follower_id: AccountId, followee_id: AccountId, *, boosts: bool, notify: bool
) -> None:
    """What a follower wants of whom they follow: boosts in the home timeline, a notice of each post."""
    await conn.execute(
        "update follow set boosts = $3, notify = $4 where follower_id = $1 and followee_id = $2",
        follower_id,
        followee_id,
        boosts,
        notify,
    )


async def pictures(
    conn: Connection,
    ids: Sequence[MediaId],
    account_id: AccountId,
    *,
    uris: Uris,
    post_id: PostId | None = None,
    loose: bool = True,
) -> list[MediaView]:
    """Of these uploads, the account's own that stand on no post yet or on the given one; with `loose` off,
    all its own."""
    if not ids:
        return []
    rows = await conn.fetch(
        f"select {media.COLUMNS} from media m "  # noqa: S608 - our own list of columns
        "where m.id = any($1) and m.account_id = $2 and m.file is not null "
        "and (not $4 or m.post_id is null or m.post_id = $3)",
        list(ids),
        account_id,
        post_id,
        loose,
    )
    return [media.view_of(row, uris) for row in rows]
