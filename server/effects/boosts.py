"""Boosts: a post row of its own that points at another post."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.activity import AccountId, Announce, PostId, Undo, Uri
from compliance.verdict import Cleared

from ..db.pool import Connection
from . import counting, feeds, notices
from .ground import Applied, Ground, Touched


async def insert(conn: Connection, cleared: Sequence[Cleared[Announce]], ground: Ground) -> Applied:
    """Boosts posts that are here and may be boosted: open to everybody, or the booster's own for
    followers."""
    ids = [_id_for(c.activity, ground) for c in cleared]
    rows = await conn.fetch(
        """
        insert into post (id, account_id, local, uri, url, boost_of_id, thread_id, visibility, created_at,
        decision_id)
        select b.id, b.account_id, b.local, b.uri, p.url, p.id, b.id, b.visibility, b.created_at,
        b.decision_id
        from unnest($1::bigint[], $2::bigint[], $3::bool[], $4::text[], $5::text[], $6::text[],
        $7::timestamptz[], $8::bigint[])
               as b(id, account_id, local, uri, target, visibility, created_at, decision_id)
             join visible_post p on p.uri = b.target and p.boost_of_id is null and not p.waits
        where (p.visibility in ('public', 'unlisted') or (p.visibility = 'followers'
        and p.account_id = b.account_id))
          and not exists (
            select 1 from federation.tombstone t where t.uri = b.uri and t.account_id in (0, b.account_id))
        on conflict do nothing
        returning id, account_id, boost_of_id
        """,
        ids,
        [c.activity.actor.id for c in cleared],
        [c.activity.actor.is_local for c in cleared],
        [c.activity.id for c in cleared],
        [c.activity.target for c in cleared],
        [c.activity.visibility.value for c in cleared],
        [c.activity.published for c in cleared],
        [c.decision_id for c in cleared],
    )
    new = {PostId(r["id"]): r for r in rows}
    touched = Touched()
    if rows:
        await conn.execute("insert into post_count (post_id) select unnest($1::bigint[])", list(new))
        boosted = [PostId(r["boost_of_id"]) for r in rows]
        await count(conn, boosted, 1)
        touched.posts |= set(boosted)
        touched.homes |= await feeds.fan_out(conn, list(new), ground)
        authors = await _authors(conn, boosted)
        touched.notified |= await notices.tell(
            conn,
            [
                (authors[r["boost_of_id"]], "reblog", AccountId(r["account_id"]), PostId(r["boost_of_id"]))
                for r in rows
            ],
            ground,
        )
    return Applied([id_ if id_ in new else None for id_ in ids], [id_ in new for id_ in ids], touched)


async def undo(conn: Connection, cleared: Sequence[Cleared[Undo]], ground: Ground) -> Applied:
    """Takes boosts back, each by the post boosted or by the boost's own id."""
    rows = await conn.fetch(
        """
        update post b set withdrawn_at = $5, withdrawn_by = 'author'
        from unnest($1::bigint[], $2::text[], $3::text[], $4::int[]) as u(account_id, target, act, n)
             left join post p on p.uri = u.target
        where b.account_id = u.account_id and b.boost_of_id is not null and b.withdrawn_at is null
          and (b.boost_of_id = p.id or b.uri = u.act)
        returning b.id, b.boost_of_id, u.n
        """,
        [c.activity.actor.id for c in cleared],
        [c.activity.target for c in cleared],
        [c.activity.act for c in cleared],
        list(range(len(cleared))),
        ground.now,
    )
    found: list[PostId | None] = [None] * len(cleared)
    touched = Touched()
    if rows:
        for row in rows:
            found[row["n"]] = PostId(row["boost_of_id"])
        boosted = [PostId(r["boost_of_id"]) for r in rows]
        touched.add(await counting.gone(conn, [PostId(r["id"]) for r in rows], ground))
        await conn.execute(
            "delete from notification n using unnest($1::bigint[], $2::bigint[]) as u(post_id, from_id) "
            "where n.kind = 'reblog' and n.post_id = u.post_id and n.from_id = u.from_id",
            boosted,
            [cleared[r["n"]].activity.actor.id for r in rows],
        )
        await count(conn, boosted, -1)
        touched.posts |= set(boosted)
    return Applied(found, [f is not None for f in found], touched)


async def count(conn: Connection, boosted: Sequence[PostId], step: int) -> None:
    """Moves the boost counts of posts by `step` for each time they are named."""
    await conn.execute(
        """
        update post_count c set boosts = greatest(c.boosts + n.step, 0)
        from (select id, count(*)::int * $2 as step from unnest($1::bigint[]) as id group by id order by id) n
        where c.post_id = n.id
        """,
        list(boosted),
        step,
    )


async def _authors(conn: Connection, ids: Sequence[PostId]) -> dict[PostId, AccountId]:
    rows = await conn.fetch("select id, account_id from post where id = any($1)", list(ids))
    return {PostId(r["id"]): AccountId(r["account_id"]) for r in rows}


def _id_for(announce: Announce, ground: Ground) -> PostId:
    """A boost made here has its id in its address; one from elsewhere is dated when it was made."""
    uri = announce.id.removesuffix("/activity")
    own = ground.uris.post_in(Uri(uri))
    return own if own is not None else PostId(ground.ids.at(announce.published))
