"""Home timelines of people who come back. Those of people seen lately are written when a post is."""

from __future__ import annotations

from datetime import datetime

from compliance.activity import AccountId
from server.db.pool import Connection

from . import cache, members

POSTS = 400
"""How many posts a rebuilt home timeline holds; from each person followed at most a tenth of them."""

# The rules are those by which a new post enters a home timeline: see `effects.feeds`.
_REBUILD = """
    insert into feed (owner_id, post_id)
    select $1::bigint, found.id
    from (
      (select p.id
       from follow f cross join lateral (
         select p.id from post p
         where p.account_id = f.followee_id and p.withdrawn_at is null and (f.boosts or p.boost_of_id is null)
           and (p.visibility <> 'direct'
                or (select true from mention m where m.post_id = p.id and m.account_id = $1))
           and (p.in_reply_to_account_id is null or p.in_reply_to_account_id in (p.account_id, $1)
                or (select g.state = 'accepted' from follow g
                    where g.follower_id = $1 and g.followee_id = p.in_reply_to_account_id))
         order by p.id desc limit $2 / 10) p
       where f.follower_id = $1 and f.state = 'accepted')
      union all
      (select p.id from post p
       where p.account_id = $1 and p.withdrawn_at is null order by p.id desc limit $2)
    ) found
    order by found.id desc limit $2
    on conflict do nothing
    """


async def welcome(conn: Connection, account_id: AccountId, *, now: datetime) -> None:
    """Notes that a member is here; for one long away, writes the home timeline that nobody kept."""
    if await members.seen(conn, account_id, now=now):
        await rebuild(conn, account_id)


async def welcome_organisation(conn: Connection, organisation_id: AccountId, *, now: datetime) -> None:
    """The same for an organisation that somebody reads for."""
    was_away = await conn.fetchval(
        """
        with before as (select account_id, seen_at from compliance.organisation where account_id = $1)
        update compliance.organisation o set seen_at = $2 from before b
        where o.account_id = b.account_id and (b.seen_at is null or b.seen_at < $3)
        returning b.seen_at is null or b.seen_at < $4
        """,
        organisation_id,
        now,
        now - members.SEEN_EVERY,
        now - members.AWAY,
    )
    if was_away:
        await rebuild(conn, organisation_id)


async def rebuild(conn: Connection, account_id: AccountId) -> None:
    """Puts the newest posts of whom the account follows, and its own, into its home timeline."""
    await conn.execute(_REBUILD, account_id, POSTS)
    cache.forget_homes([account_id])
