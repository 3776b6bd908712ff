"""What a tier policy may ask about accounts, for a batch of them in one query. What somebody posts is weighed
only where a condition looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from . import tierbook
from .activity import AccountId
from .connection import Connection
from .credit import left
from .tierpolicy import UNCERTIFIED, VIOLATIONS, CreditRules, SubjectType, TierPolicy
from .weighing import Measured

POSTS_WEIGHED = 100
"""The latest posts of an account, by which it is said what it posts."""


async def here(conn: Connection, *, after: int, limit: int) -> list[AccountId]:
    """Accounts of this server by id, behind `after`."""
    rows = await conn.fetch(
        """
        select id from public.account
        where host is null and id > $1 and gone_at is null and actor_type <> 'Application'
        order by id limit $2
        """,
        after,
        limit,
    )
    return [AccountId(row["id"]) for row in rows]


async def measure(
    conn: Connection, account_ids: Sequence[AccountId], policy: TierPolicy, *, now: datetime
) -> list[Measured]:
    """What there is to know about each that is here, in the order of their ids."""
    rows = await conn.fetch(
        """
        select a.id, a.created_at, coalesce(n.followers, 0) as followers, c.class as certified,
               o.account_id is not null as is_organisation, e.after, e.at, v.moments
        from public.account a
          left join public.account_count n on n.account_id = a.id
          left join compliance.certification c
            on c.account_id = a.id and c.state = 'active' and c.expires_at > $2
          left join compliance.organisation o on o.account_id = a.id
          left join compliance.credit_event e on e.id = (
            select x.id from compliance.credit_event x where x.account_id = a.id order by x.id desc limit 1)
          left join lateral (
            select array_agg(x.at) as moments
            from compliance.credit_event x
            where x.account_id = a.id and x.kind = any($3) and x.at > $4 and not exists (
              select from compliance.credit_event r where r.reverses = x.id)) v on e.id is not null
        where a.id = any($1) and a.host is null and a.gone_at is null and a.actor_type <> 'Application'
        order by a.id
        """,
        account_ids,
        now,
        [kind.value for kind in VIOLATIONS],
        now - timedelta(days=policy.violation_days),
    )
    weighed = await _weigh(conn, account_ids, policy) if policy.weighs_posts else {}
    return [_measured(row, weighed.get(row["id"]), policy.credit, now) for row in rows]


async def measure_one(conn: Connection, account_id: AccountId, *, now: datetime) -> Measured | None:
    """The same for one account by the policy in force; `None` for somebody who is not from here."""
    policy = (await tierbook.in_force(conn)).policy
    found = await measure(conn, [account_id], policy, now=now)
    return found[0] if found else None


async def _weigh(
    conn: Connection, account_ids: Sequence[AccountId], policy: TierPolicy
) -> dict[AccountId, asyncpg.Record]:
    rows = await conn.fetch(
        """
        select a.id, count(p.id) as posts, count(p.id) filter (where p.has_media) as with_media,
               count(p.id) filter (where p.has_link) as with_links,
               coalesce(array_agg(p.topics) filter (where p.topics <> ''), '{}') as topics
        from unnest($1::bigint[]) as a(id) cross join lateral (
          select x.id, exists (select from public.media m where m.post_id = x.id) as has_media,
                 x.text ~ 'https?://' as has_link,
                 coalesce((
                   select string_agg(name, E'\\x1f') from (
                     select t.name from public.post_tag e join public.tag t on t.id = e.tag_id
                     where e.post_id = x.id and t.name = any($2)
                     union select label from unnest(x.labels) as label where lower(label) = any($2)
                   ) found), '') as topics
          from public.post x
          where x.account_id = a.id and x.boost_of_id is null and x.withdrawn_at is null
          order by x.id desc limit $3
        ) p
        group by a.id
        """,
        account_ids,
        list(policy.topics),
        POSTS_WEIGHED,
    )
    return {AccountId(row["id"]): row for row in rows}


def _measured(
    row: asyncpg.Record, posts: asyncpg.Record | None, rules: CreditRules, now: datetime
) -> Measured:
    certified = row["certified"] or UNCERTIFIED
    organised = row["is_organisation"] or certified not in (UNCERTIFIED, "individual")
    return Measured(
        account_id=row["id"],
        at=now,
        since=row["created_at"],
        subject=SubjectType.ORGANISATION if organised else SubjectType.PERSON,
        certified=certified,
        followers=row["followers"],
        credit=rules.start if row["at"] is None else left(row["after"], row["at"], now, rules),
        violations=tuple(row["moments"] or ()),
        posts=posts["posts"] if posts else 0,
        with_media=posts["with_media"] if posts else 0,
        with_links=posts["with_links"] if posts else 0,
        topics=tuple(frozenset(names.lower().split("\x1f")) for names in posts["topics"]) if posts else (),
    )
