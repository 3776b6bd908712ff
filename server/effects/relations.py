"""Follows and blocks.

    nothing --Follow--> requested --Accept--> accepted
       ^                    |                    |
       +------Reject, Undo, Block (either way)---+

A Follow of somebody here whose account is not locked is accepted at once,
and an Accept goes back to a follower elsewhere;
a repeated Follow is answered again, since the other side may have lost the first answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from compliance.activity import Accept, AccountId, Activity, Actor, Block, Follow, Reject, Undo, Uri
from compliance.verdict import Cleared

from ..db.pool import Connection
from . import feeds, notices
from .ground import Applied, Ground, Touched

Pair = tuple[AccountId, AccountId]
"""Follower and followee."""


async def follow(conn: Connection, cleared: Sequence[Cleared[Follow]], ground: Ground) -> Applied:
    """Stores wishes to follow, and answers those that are for somebody here."""
    rows = await conn.fetch(
        """
        with f as (
          select n.*, t.id as followee_id, t.uri as followee_uri, t.host is null as is_ours,
                 t.host is null and not coalesce(p.locked, false) as at_once,
                 exists (select 1 from block b where (b.account_id = t.id and b.target_id = n.follower_id)
                                                  or (b.account_id = n.follower_id and b.target_id = t.id)) as
                                                  blocked
          from unnest($1::bigint[], $2::text[], $3::text[], $4::bool[], $5::bool[], $6::bigint[],
          $7::bigint[], $8::int[])
                 as n(follower_id, target, uri, boosts, notify, decision_id, id, n)
               join account t on t.uri = n.target and t.gone_at is null left join profile p on p.account_id =
               t.id
          where t.id <> n.follower_id
        ), had as (
          select f.n, w.state from f join follow w on w.follower_id = f.follower_id
          and w.followee_id = f.followee_id
        ), new as (
          insert into follow as w (follower_id, followee_id, id, uri, state, boosts, notify, decision_id,
          created_at)
          select follower_id, followee_id, id, uri, case when at_once then 'accepted' else 'requested' end,
          boosts, notify,
                 decision_id, $9
          from f where not blocked
          on conflict (follower_id, followee_id) do update
            set uri = excluded.uri, boosts = excluded.boosts, notify = excluded.notify,
            decision_id = excluded.decision_id,
                state = case when w.state = 'accepted' then 'accepted' else excluded.state end
          returning w.follower_id, w.followee_id, w.state
        )
        select f.n, f.follower_id, f.followee_id, f.followee_uri, f.is_ours, f.blocked, new.state,
        had.state as had
        from f left join new using (follower_id, followee_id) left join had on had.n = f.n
        """,
        [c.activity.actor.id for c in cleared],
        [c.activity.target for c in cleared],
        [c.activity.id for c in cleared],
        [c.activity.boosts for c in cleared],
        [c.activity.notify for c in cleared],
        [c.decision_id for c in cleared],
        [ground.ids() for _ in cleared],
        list(range(len(cleared))),
        ground.now,
    )
    took = [False] * len(cleared)
    answers: list[Activity] = []
    accepted: list[Pair] = []
    requested: list[Pair] = []
    for row in rows:
        act = cleared[row["n"]].activity
        pair = (AccountId(row["follower_id"]), AccountId(row["followee_id"]))
        took[row["n"]] = not row["blocked"]
        if row["state"] == "accepted" and row["had"] != "accepted":
            accepted.append(pair)
        elif row["state"] == "requested" and row["had"] is None and row["is_ours"]:
            requested.append(pair)
        if row["is_ours"] and not act.actor.is_local and (row["blocked"] or row["state"] == "accepted"):
            answer = Reject if row["blocked"] else Accept
            target = Actor(id=pair[1], uri=Uri(row["followee_uri"]), host=None)
            answers.append(
                answer(
                    id=ground.uris.activity(ground.ids()), actor=target, follower=act.actor.uri, follow=act.id
                )
            )
    touched = await _joined(conn, accepted, ground)
    touched.notified |= await notices.tell(
        conn, [(b, "follow_request", a, None) for a, b in requested], ground
    )
    return Applied([None] * len(cleared), took, touched, answers)


async def accept(conn: Connection, cleared: Sequence[Cleared[Accept]], ground: Ground) -> Applied:
    """Turns requests into follows, each only by the one who was asked."""
    rows = await conn.fetch(
        """
        update follow w set state = 'accepted'
        from unnest($1::bigint[], $2::text[], $3::int[]) as n(followee_id, follower,
        n) join account a on a.uri = n.follower
        where w.followee_id = n.followee_id and w.follower_id = a.id and w.state = 'requested'
        returning w.follower_id, w.followee_id, n.n
        """,
        [c.activity.actor.id for c in cleared],
        [c.activity.follower for c in cleared],
        list(range(len(cleared))),
    )
    touched = await _joined(
        conn, [(AccountId(r["follower_id"]), AccountId(r["followee_id"])) for r in rows], ground
    )
    return _applied(len(cleared), {r["n"] for r in rows}, touched)


async def reject(conn: Connection, cleared: Sequence[Cleared[Reject]], ground: Ground) -> Applied:
    """Ends requests and follows, each only by the one who is followed."""
    rows = await conn.fetch(
        """
        delete from follow w
        using unnest($1::bigint[], $2::text[], $3::int[]) as n(followee_id, follower,
        n) join account a on a.uri = n.follower
        where w.followee_id = n.followee_id and w.follower_id = a.id
        returning w.follower_id, w.followee_id, w.state, n.n
        """,
        [c.activity.actor.id for c in cleared],
        [c.activity.follower for c in cleared],
        list(range(len(cleared))),
    )
    return _applied(len(cleared), {r["n"] for r in rows}, await _parted(conn, rows))


async def undo_follow(conn: Connection, cleared: Sequence[Cleared[Undo]], ground: Ground) -> Applied:
    """Ends the actor's own follows, each by whom it follows or by the Follow's id."""
    rows = await conn.fetch(
        """
        delete from follow w
        using unnest($1::bigint[], $2::text[], $3::text[], $4::int[]) as n(follower_id, target, act, n)
              left join account a on a.uri = n.target
        where w.follower_id = n.follower_id and (w.followee_id = a.id or w.uri = n.act)
        returning w.follower_id, w.followee_id, w.state, n.n
        """,
        [c.activity.actor.id for c in cleared],
        [c.activity.target for c in cleared],
        [c.activity.act for c in cleared],
        list(range(len(cleared))),
    )
    return _applied(len(cleared), {r["n"] for r in rows}, await _parted(conn, rows))


async def block(conn: Connection, cleared: Sequence[Cleared[Block]], ground: Ground) -> Applied:
    """Blocks accounts: follows end both ways, and what each had of the other leaves home timelines and
    notices."""
    rows = await conn.fetch(
        """
        with n as (
          select n.*, t.id as target_id
          from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::int[]) as n(account_id,
          target, uri, id, n)
               join account t on t.uri = n.target
          where t.id <> n.account_id
        ), new as (
          insert into block (account_id, target_id, id, uri, created_at) select account_id, target_id, id,
          uri, $6 from n
          on conflict do nothing
        )
        select n, account_id, target_id from n
        """,
        [c.activity.actor.id for c in cleared],
        [c.activity.target for c in cleared],
        [c.activity.id for c in cleared],
        [ground.ids() for _ in cleared],
        list(range(len(cleared))),
        ground.now,
    )
    ones = [r["account_id"] for r in rows]
    others = [r["target_id"] for r in rows]
    ended = await conn.fetch(
        """
        delete from follow w using unnest($1::bigint[], $2::bigint[]) as n(one, other)
        where (w.follower_id = n.one and w.followee_id = n.other) or (w.follower_id = n.other
        and w.followee_id = n.one)
        returning w.follower_id, w.followee_id, w.state
        """,
        ones,
        others,
    )
    touched = await _parted(conn, ended)
    touched.homes |= {AccountId(i) for i in (*ones, *others)}
    await conn.execute(
        "delete from notification n using unnest($1::bigint[], $2::bigint[]) as b(account_id, from_id) "
        "where n.account_id = b.account_id and n.from_id = b.from_id",
        ones,
        others,
    )
    return _applied(len(cleared), {r["n"] for r in rows}, touched)


async def undo_block(conn: Connection, cleared: Sequence[Cleared[Undo]], ground: Ground) -> Applied:
    """Lifts the actor's own blocks."""
    rows = await conn.fetch(
        """
        delete from block b
        using unnest($1::bigint[], $2::text[], $3::text[], $4::int[]) as n(account_id, target, act, n)
              left join account a on a.uri = n.target
        where b.account_id = n.account_id and (b.target_id = a.id or b.uri = n.act)
        returning b.account_id, b.target_id, n.n
        """,
        [c.activity.actor.id for c in cleared],
        [c.activity.target for c in cleared],
        [c.activity.act for c in cleared],
        list(range(len(cleared))),
    )
    homes = {AccountId(i) for r in rows for i in (r["account_id"], r["target_id"])}
    return _applied(len(cleared), {r["n"] for r in rows}, Touched(homes=homes))


async def end_all(conn: Connection, accounts: Sequence[AccountId]) -> Touched:
    """Ends every follow of and by accounts that are gone."""
    rows = await conn.fetch(
        "delete from follow where follower_id = any($1) or followee_id = any($1) "
        "returning follower_id, followee_id, state",
        list(accounts),
    )
    return await _parted(conn, rows)


async def _joined(conn: Connection, pairs: Sequence[Pair], ground: Ground) -> Touched:
    if not pairs:
        return Touched()
    await _count(conn, pairs, 1)
    homes = await feeds.join(conn, pairs)
    await conn.execute(
        "delete from notification n using unnest($1::bigint[], $2::bigint[]) as f(from_id, account_id) "
        "where n.kind = 'follow_request' and n.account_id = f.account_id and n.from_id = f.from_id",
        [p[0] for p in pairs],
        [p[1] for p in pairs],
    )
    notified = await notices.tell(conn, [(b, "follow", a, None) for a, b in pairs], ground)
    return Touched(accounts={i for p in pairs for i in p}, homes=homes, notified=notified)


async def _parted(conn: Connection, rows: Sequence[asyncpg.Record]) -> Touched:
    if not rows:
        return Touched()
    every = [(AccountId(r["follower_id"]), AccountId(r["followee_id"])) for r in rows]
    accepted = [p for p, r in zip(every, rows, strict=True) if r["state"] == "accepted"]
    await _count(conn, accepted, -1)
    homes = await feeds.part(conn, accepted)
    await conn.execute(
        "delete from notification n using unnest($1::bigint[], $2::bigint[]) as f(from_id, account_id) "
        "where n.kind in ('follow', 'follow_request') "
        "and n.account_id = f.account_id and n.from_id = f.from_id",
        [p[0] for p in every],
        [p[1] for p in every],
    )
    return Touched(accounts={i for p in every for i in p}, homes=homes)


async def _count(conn: Connection, pairs: Sequence[Pair], step: int) -> None:
    await conn.execute(
        """
        update account_count c set following = greatest(c.following + n.following, 0),
                                   followers = greatest(c.followers + n.followers, 0)
        from (select id, sum(following)::int * $3 as following, sum(followers)::int * $3 as followers
              from (select unnest($1::bigint[]) as id, 1 as following, 0 as followers
                    union all select unnest($2::bigint[]), 0, 1) each
              group by id order by id) n
        where c.account_id = n.id
        """,
        [p[0] for p in pairs],
        [p[1] for p in pairs],
        step,
    )
    # Whose tier hangs on how many follow them is looked at again when that passes an edge, and only then.
    await conn.execute(
        """
        insert into compliance.standing_due (account_id)
        select s.account_id from compliance.standing s join account_count c on c.account_id = s.account_id
        where s.account_id = any($1)
          and (c.followers < s.followers_from or c.followers >= s.followers_below)
        on conflict do nothing
        """,
        [p[1] for p in pairs],
    )


def _applied(size: int, took: set[int], touched: Touched) -> Applied:
    return Applied([None] * size, [n in took for n in range(size)], touched)
