"""Telling people here what concerns them: never about or from somebody they block or mute."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.activity import AccountId, PostId

from ..db.pool import Connection
from .ground import Ground

MENTION_LIMIT = 200
"""A remote post that names more people than this notifies none of them."""


async def of_posts(conn: Connection, posts: Sequence[PostId], ground: Ground) -> set[AccountId]:
    """Notices for people named in posts, and for followers who asked to hear of each post of the author."""
    rows = await conn.fetch(
        """
        select m.account_id, 'mention' as kind, p.account_id as from_id, p.id as post_id
        from post p join mention m on m.post_id = p.id
        and not m.silent join account l on l.id = m.account_id and l.host is null
        where p.id = any($1) and m.account_id <> p.account_id
          and (select count(*) from mention c where c.post_id = p.id and not c.silent) <= $2
        union all
        select f.follower_id, 'status', p.account_id, p.id
        from post p
          cross join lateral (
            select w.follower_id from follow w
            where w.followee_id = p.account_id and w.notify and w.state = 'accepted' offset 0) f
        where p.id = any($1) and p.visibility <> 'direct' and p.edited_at is null
          and (p.in_reply_to_account_id is null or p.in_reply_to_account_id = p.account_id)
        """,
        list(posts),
        MENTION_LIMIT,
    )
    return await tell(
        conn,
        [
            (AccountId(r["account_id"]), r["kind"], AccountId(r["from_id"]), PostId(r["post_id"]))
            for r in rows
        ],
        ground,
    )


async def of_edits(conn: Connection, posts: Sequence[PostId], ground: Ground) -> set[AccountId]:
    """Notices for people here who boosted a post that was edited."""
    rows = await conn.fetch(
        """
        select b.account_id, p.account_id as from_id, p.id as post_id
        from post p join post b on b.boost_of_id = p.id and b.local and b.withdrawn_at is null
        where p.id = any($1) and b.account_id <> p.account_id
        """,
        list(posts),
    )
    return await tell(
        conn,
        [(AccountId(r["account_id"]), "update", AccountId(r["from_id"]), PostId(r["post_id"])) for r in rows],
        ground,
    )


async def tell(
    conn: Connection, notices: Sequence[tuple[AccountId, str, AccountId, PostId | None]], ground: Ground
) -> set[AccountId]:
    """Writes notices (to whom, kind, from whom, about which post), each once; returns who was told."""
    if not notices:
        return set()
    rows = await conn.fetch(
        """
        insert into notification (id, account_id, kind, from_id, post_id, created_at)
        select n.id, n.account_id, n.kind, n.from_id, n.post_id, $6
        from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
          as n(id, account_id, kind, from_id, post_id)
        where exists (select 1 from account a where a.id = n.account_id and a.host is null)
          and n.account_id <> n.from_id
          and not exists (select 1 from block b where (b.account_id = n.account_id
          and b.target_id = n.from_id)
                                                   or (b.account_id = n.from_id and b.target_id =
                                                   n.account_id))
          and not exists (select 1 from mute u where u.account_id = n.account_id and u.target_id = n.from_id
                            and u.notifications and (u.expires_at is null or u.expires_at > $6))
        on conflict do nothing
        returning account_id
        """,
        [ground.ids() for _ in notices],
        [n[0] for n in notices],
        [n[1] for n in notices],
        [n[2] for n in notices],
        [n[3] for n in notices],
        ground.now,
    )
    return {AccountId(r["account_id"]) for r in rows}


async def of_decisions(
    conn: Connection, decisions: Sequence[tuple[AccountId, int]], ground: Ground
) -> set[AccountId]:
    """Notices for authors here about a decision on something of theirs; these cannot be muted (rule: no
    silent removal)."""
    rows = await conn.fetch(
        """
        insert into notification (id, account_id, kind, decision_id, created_at)
        select n.id, n.account_id, 'decision', n.decision_id, $4
        from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as n(id, account_id, decision_id)
             join account a on a.id = n.account_id and a.host is null
        returning account_id
        """,
        [ground.ids() for _ in decisions],
        [d[0] for d in decisions],
        [d[1] for d in decisions],
        ground.now,
    )
    return {AccountId(r["account_id"]) for r in rows}
