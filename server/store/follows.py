"""How people stand to each other: follows, requests, blocks and mutes.

Follows and blocks are made and ended by activities, in `effects`. A mute is private: nobody hears of it, and
it is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from compliance.activity import AccountId
from server.db.pool import Connection

from .model import Keyed, Page, Relationship
from .sql import affected, both_ways, fetch_page
from .visibility import may_meet

PAGE_CAP = 80

_RELATIONSHIPS = """
    select a.id, mine.state as mine, theirs.state as theirs, mine.boosts, mine.notify,
      bm.id is not null as blocking, bt.id is not null as blocked_by,
      u.id is not null as muting, u.notifications, u.expires_at
    from account a
      left join follow mine on mine.follower_id = $1 and mine.followee_id = a.id
      left join follow theirs on theirs.follower_id = a.id and theirs.followee_id = $1
      left join block bm on bm.account_id = $1 and bm.target_id = a.id
      left join block bt on bt.account_id = a.id and bt.target_id = $1
      left join mute u on u.account_id = $1 and u.target_id = a.id
        and (u.expires_at is null or u.expires_at > now())
    where a.id = any($2)
    """
_FOLLOWERS = both_ways(
    """
    select f.id as key, f.follower_id as id from follow f join account a on a.id = f.follower_id
    where f.followee_id = $4 and f.state = 'accepted' and f.id > $1 and f.id < $2 and {may_meet}
    order by f.id {order} limit $3
    """,
    may_meet=may_meet("a", "$5"),
)
_FOLLOWING = both_ways(
    """
    select f.id as key, f.followee_id as id from follow f join account a on a.id = f.followee_id
    where f.follower_id = $4 and f.state = 'accepted' and f.id > $1 and f.id < $2 and {may_meet}
    order by f.id {order} limit $3
    """,
    may_meet=may_meet("a", "$5"),
)
_REQUESTS = both_ways(
    """
    select f.id as key, f.follower_id as id from follow f join account a on a.id = f.follower_id
    where f.followee_id = $4 and f.state = 'requested' and f.id > $1 and f.id < $2 and {may_meet}
    order by f.id {order} limit $3
    """,
    may_meet=may_meet("a", "$4"),
)
_BLOCKED = both_ways(
    """
    select b.id as key, b.target_id as id from block b join account a on a.id = b.target_id
    where b.account_id = $4 and a.gone_at is null and b.id > $1 and b.id < $2
    order by b.id {order} limit $3
    """
)
_MUTED = both_ways(
    """
    select u.id as key, u.target_id as id from mute u join account a on a.id = u.target_id
    where u.account_id = $4 and (u.expires_at is null or u.expires_at > now()) and a.gone_at is null
      and u.id > $1 and u.id < $2
    order by u.id {order} limit $3
    """
)


async def relationships(conn: Connection, viewer: AccountId, ids: Sequence[AccountId]) -> list[Relationship]:
    """How the viewer and each of the accounts stand to each other, in this order; unknown ids are left
    out.
    """
    found = {row["id"]: row for row in await conn.fetch(_RELATIONSHIPS, viewer, ids)} if ids else {}
    return [_relationship(found[id_]) for id_ in ids if id_ in found]


async def followers(
    conn: Connection, account_id: AccountId, viewer: AccountId | None, page: Page
) -> list[Keyed[AccountId]]:
    """Who follows the account, newest first, as far as the viewer may meet them."""
    return _keyed(await fetch_page(conn, _FOLLOWERS, page, PAGE_CAP, account_id, viewer))


async def following(
    conn: Connection, account_id: AccountId, viewer: AccountId | None, page: Page
) -> list[Keyed[AccountId]]:
    """Whom the account follows, newest first, as far as the viewer may meet them."""
    return _keyed(await fetch_page(conn, _FOLLOWING, page, PAGE_CAP, account_id, viewer))


async def requests(conn: Connection, account_id: AccountId, page: Page) -> list[Keyed[AccountId]]:
    """Who asked to follow the account and waits for an answer, newest first."""
    return _keyed(await fetch_page(conn, _REQUESTS, page, PAGE_CAP, account_id))


async def count_requests(conn: Connection, account_id: AccountId) -> int:
    """How many wait for the account's answer; 100 stands for more."""
    found = await conn.fetchval(
        "select count(*) from ("
        "select from follow where followee_id = $1 and state = 'requested' limit 100) f",
        account_id,
    )
    return int(found)


async def list_blocked(conn: Connection, account_id: AccountId, page: Page) -> list[Keyed[AccountId]]:
    """Whom the account blocks, newest first."""
    return _keyed(await fetch_page(conn, _BLOCKED, page, PAGE_CAP, account_id))


async def list_muted(conn: Connection, account_id: AccountId, page: Page) -> list[Keyed[AccountId]]:
    """Whom the account mutes at present, newest first."""
    return _keyed(await fetch_page(conn, _MUTED, page, PAGE_CAP, account_id))


async def mute(
    conn: Connection,
    account_id: AccountId,
    target_id: AccountId,
    *,
    new_id: Callable[[], int],
    now: datetime,
    notifications: bool = True,
    expires_at: datetime | None = None,
) -> None:
    """Mutes somebody, or changes how. Nobody mutes themselves."""
    await conn.execute(
        """
        insert into mute (account_id, target_id, id, notifications, expires_at, created_at)
        select $1::bigint, $2::bigint, $3::bigint, $4::bool, $5::timestamptz, $6::timestamptz where $1 <> $2
        on conflict (account_id, target_id) do update
          set notifications = excluded.notifications, expires_at = excluded.expires_at
        """,
        account_id,
        target_id,
        new_id(),
        notifications,
        expires_at,
        now,
    )


async def unmute(conn: Connection, account_id: AccountId, target_id: AccountId) -> bool:
    """Ends a mute; `False` when there was none."""
    done = await conn.execute(
        "delete from mute where account_id = $1 and target_id = $2", account_id, target_id
    )
    return affected(done) > 0


def _relationship(row: Any) -> Relationship:
    following = row["mine"] == "accepted"
    return Relationship(
        id=AccountId(row["id"]),
        following=following,
        requested=row["mine"] == "requested",
        followed_by=row["theirs"] == "accepted",
        requested_by=row["theirs"] == "requested",
        boosts=following and row["boosts"],
        notify=following and row["notify"],
        blocking=row["blocking"],
        blocked_by=row["blocked_by"],
        muting=row["muting"],
        muting_notifications=bool(row["notifications"]),
        mute_expires_at=row["expires_at"],
    )


def _keyed(rows: Sequence[Any]) -> list[Keyed[AccountId]]:
    return [Keyed(row["key"], AccountId(row["id"])) for row in rows]
