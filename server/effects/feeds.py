"""Home timelines are written when a post is: one row for each follower here who was seen lately."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.activity import AccountId, PostId

from ..db.pool import Connection
from .ground import ACTIVE, Ground

BACKFILL = 40
"""How many newest posts of somebody newly followed enter the follower's home timeline."""


async def fan_out(conn: Connection, posts: Sequence[PostId], ground: Ground) -> set[AccountId]:
    """Puts posts and boosts into the home timelines they belong in, and says whose.

    A reply is shown to those who follow both ends of it. A direct post goes to nobody but its author
    and the named.
    """
    rows = await conn.fetch(
        """
        with p as (
          select id, account_id, visibility, in_reply_to_account_id as answered,
          boost_of_id is not null as is_boost
          from post where id = any($1)
        )
        insert into feed (owner_id, post_id)
        select f.follower_id, p.id
        from p
          cross join lateral (
            select w.follower_id, w.boosts from follow w
            where w.followee_id = p.account_id and w.state = 'accepted' offset 0) f
          cross join lateral (
            select from member m where m.account_id = f.follower_id and m.seen_at > $2
            union all
            select from compliance.organisation o where o.account_id = f.follower_id and o.seen_at > $2
            offset 0) here
        where (f.boosts or not p.is_boost)
          and (p.visibility <> 'direct'
               or exists (select from mention n where n.post_id = p.id and n.account_id = f.follower_id))
          and (p.answered is null or p.answered in (p.account_id, f.follower_id)
               or exists (select from follow g
                          where g.follower_id = f.follower_id and g.followee_id = p.answered
                          and g.state = 'accepted'))
        union all
        select p.account_id, p.id from p join account a on a.id = p.account_id and a.host is null
        on conflict do nothing
        returning owner_id
        """,
        list(posts),
        ground.now - ACTIVE,
    )
    return {AccountId(r["owner_id"]) for r in rows}


async def remove(conn: Connection, posts: Sequence[PostId]) -> set[AccountId]:
    """Takes posts out of the home timelines of their authors' followers, and says out of whose."""
    rows = await conn.fetch(
        """
        with owner as (
          select p.id, p.account_id as owner_id from post p where p.id = any($1)
          union all
          select p.id, f.follower_id from post p
            cross join lateral (
              select w.follower_id from follow w where w.followee_id = p.account_id offset 0) f
          where p.id = any($1)
        )
        delete from feed f using owner o where f.owner_id = o.owner_id
        and f.post_id = o.id returning f.owner_id
        """,
        list(posts),
    )
    return {AccountId(r["owner_id"]) for r in rows}


async def readers(conn: Connection, posts: Sequence[PostId]) -> set[AccountId]:
    """In whose home timelines the posts, or boosts of them, stand."""
    rows = await conn.fetch(
        """
        with every as (
          select p.id, p.account_id from post p where p.id = any($1) or p.boost_of_id = any($1)
        ), owner as (
          select id, account_id as owner_id from every
          union all
          select e.id, f.follower_id from every e
            cross join lateral (
              select w.follower_id from follow w where w.followee_id = e.account_id offset 0) f
        )
        select distinct f.owner_id from owner o join feed f on f.owner_id = o.owner_id and f.post_id = o.id
        """,
        list(posts),
    )
    return {AccountId(r["owner_id"]) for r in rows}


async def join(conn: Connection, pairs: Sequence[tuple[AccountId, AccountId]]) -> set[AccountId]:
    """Gives new followers (first of each pair) the newest posts of whom they follow."""
    rows = await conn.fetch(
        """
        insert into feed (owner_id, post_id)
        select n.follower_id, p.id
        from unnest($1::bigint[], $2::bigint[]) as n(follower_id, followee_id)
             join account a on a.id = n.follower_id and a.host is null
             cross join lateral (
               select id from post
               where account_id = n.followee_id and withdrawn_at is null and visibility <> 'direct'
                 and (in_reply_to_account_id is null or in_reply_to_account_id = account_id)
               order by id desc limit $3) p
        on conflict do nothing
        returning owner_id
        """,
        [p[0] for p in pairs],
        [p[1] for p in pairs],
        BACKFILL,
    )
    return {AccountId(r["owner_id"]) for r in rows}


async def part(conn: Connection, pairs: Sequence[tuple[AccountId, AccountId]]) -> set[AccountId]:
    """Takes somebody's posts and boosts (second of each pair) out of a home timeline (first)."""
    await conn.execute(
        """
        delete from feed f using unnest($1::bigint[], $2::bigint[]) as n(owner_id, account_id), post p
        where f.owner_id = n.owner_id and p.id = f.post_id and p.account_id = n.account_id
        """,
        [p[0] for p in pairs],
        [p[1] for p in pairs],
    )
    return {p[0] for p in pairs}
