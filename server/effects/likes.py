"""Favourites."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from compliance.activity import AccountId, Like, PostId, Undo
from compliance.verdict import Cleared

from ..db.pool import Connection
from . import notices
from .ground import Applied, Ground, Touched


async def insert(conn: Connection, cleared: Sequence[Cleared[Like]], ground: Ground) -> Applied:
    """Favourites posts that are here; once per person and post."""
    rows = await conn.fetch(
        """
        with l as (
          select l.*, p.id as post_id, p.account_id as author_id
          from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::int[])
                 as l(account_id, target, uri, id, decision_id, n)
               join visible_post p on p.uri = l.target and p.boost_of_id is null and not p.waits
        ), new as (
          insert into reaction (account_id, post_id, id, uri, decision_id, created_at)
          select account_id, post_id, id, uri, decision_id, $7 from l on conflict do nothing
          returning account_id, post_id, id
        )
        select l.n, l.account_id, l.post_id, l.author_id from l join new using (id)
        """,
        [c.activity.actor.id for c in cleared],
        [c.activity.target for c in cleared],
        [c.activity.id for c in cleared],
        [ground.ids() for _ in cleared],
        [c.decision_id for c in cleared],
        list(range(len(cleared))),
        ground.now,
    )
    found: list[PostId | None] = [None] * len(cleared)
    touched = Touched()
    if rows:
        for row in rows:
            found[row["n"]] = PostId(row["post_id"])
        await _count(conn, [PostId(r["post_id"]) for r in rows], 1)
        touched.posts = {PostId(r["post_id"]) for r in rows}
        touched.homes = _own(cleared, rows)
        touched.notified = await notices.tell(
            conn,
            [
                (AccountId(r["author_id"]), "favourite", AccountId(r["account_id"]), PostId(r["post_id"]))
                for r in rows
            ],
            ground,
        )
    return Applied(found, [f is not None for f in found], touched)


async def undo(conn: Connection, cleared: Sequence[Cleared[Undo]], ground: Ground) -> Applied:
    """Takes favourites back, each by the post or by the favourite's own id."""
    rows = await conn.fetch(
        """
        delete from reaction r
        using unnest($1::bigint[], $2::text[], $3::text[], $4::int[]) as u(account_id, target, act, n)
              left join post p on p.uri = u.target
        where r.account_id = u.account_id and (r.post_id = p.id or r.uri = u.act)
        returning r.account_id, r.post_id, u.n
        """,
        [c.activity.actor.id for c in cleared],
        [c.activity.target for c in cleared],
        [c.activity.act for c in cleared],
        list(range(len(cleared))),
    )
    found: list[PostId | None] = [None] * len(cleared)
    touched = Touched()
    if rows:
        for row in rows:
            found[row["n"]] = PostId(row["post_id"])
        await _count(conn, [PostId(r["post_id"]) for r in rows], -1)
        await conn.execute(
            "delete from notification n using unnest($1::bigint[], $2::bigint[]) as u(post_id, from_id) "
            "where n.kind = 'favourite' and n.post_id = u.post_id and n.from_id = u.from_id",
            [r["post_id"] for r in rows],
            [r["account_id"] for r in rows],
        )
        touched.posts = {PostId(r["post_id"]) for r in rows}
        touched.homes = _own(cleared, rows)
    return Applied(found, [f is not None for f in found], touched)


def _own(
    cleared: Sequence[Cleared[Like]] | Sequence[Cleared[Undo]], rows: Sequence[asyncpg.Record]
) -> set[AccountId]:
    """Our people among those who acted: their home timelines say what they favourited."""
    return {AccountId(r["account_id"]) for r in rows if cleared[r["n"]].activity.actor.is_local}


async def _count(conn: Connection, liked: Sequence[PostId], step: int) -> None:
    await conn.execute(
        """
        update post_count c set likes = greatest(c.likes + n.step, 0)
        from (select id, count(*)::int * $2 as step from unnest($1::bigint[]) as id group by id order by id) n
        where c.post_id = n.id
        """,
        list(liked),
        step,
    )
