"""Complaints, from here and from other servers (Article 14)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from compliance.activity import AccountId, Flag
from compliance.verdict import Cleared

from ..db.pool import Connection
from .ground import Applied, Ground, Touched

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No letter or digit that is read as another."""

CATEGORIES = ("spam", "legal", "violation", "other")


async def insert(conn: Connection, cleared: Sequence[Cleared[Flag]], ground: Ground) -> Applied:
    """Files complaints about accounts that are known here, each with a receipt code. One of ours has its
    activity's number."""
    rows = await conn.fetch(
        """
        insert into compliance.report (id, code, reporter_id, target_id, posts, comment, category,
        forwarded, decision_id, created_at)
        select f.id, f.code, f.reporter_id, t.id,
               coalesce((select array_agg(p.id order by p.id) from post p
                         where p.account_id = t.id and p.uri = any(string_to_array(f.posts, E'\\n'))), '{}'),
               f.comment, f.category, f.forwarded, f.decision_id, $10
        from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::bool[],
                    $9::bigint[])
               as f(id, code, reporter_id, target, posts, comment, category, forwarded, decision_id)
             join account t on t.uri = f.target
        returning id
        """,
        [ground.uris.activity_in(c.activity.id) or ground.ids() for c in cleared],
        ["".join(secrets.choice(CODE_ALPHABET) for _ in range(10)) for _ in cleared],
        [_reporter(c.activity, ground) for c in cleared],
        [c.activity.target for c in cleared],
        ["\n".join(c.activity.posts) for c in cleared],
        [c.activity.comment for c in cleared],
        [c.activity.category if c.activity.category in CATEGORIES else "other" for c in cleared],
        [c.activity.forward for c in cleared],
        [c.decision_id for c in cleared],
        ground.now,
    )
    return Applied([None] * len(cleared), [len(rows) == len(cleared)] * len(cleared), Touched())


def _reporter(flag: Flag, ground: Ground) -> AccountId | None:
    """Who complains; nobody in particular where the server filed it for somebody without an account."""
    return None if flag.actor.uri == ground.uris.instance_actor else flag.actor.id
