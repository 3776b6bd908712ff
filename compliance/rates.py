"""How much of something an account may still do in this hour: its tier's limits, counted in the log.

The log is what every road writes to, in the transaction of the act, and nobody takes a line out of it: a post
that was deleted, or a follow that was taken back, is counted all the same. Only accounts with a limit are
counted, one after the other for each of them, so that two processes do not both find the last place free.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .activity import Activity, Announce, Create, Follow, Upload
from .connection import Connection
from .months import floor_at

HOUR = timedelta(hours=1)


class Counted(enum.StrEnum):
    """What is counted by the hour."""

    POSTS = "posts"
    UPLOADS = "uploads"
    FOLLOWS = "follows"


_KINDS: Mapping[Counted, Sequence[str]] = {
    Counted.POSTS: ("activity:create", "activity:announce"),
    Counted.UPLOADS: ("activity:upload",),
    Counted.FOLLOWS: ("activity:follow",),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One activity whose kind is limited for its author: what it counts as, and the most in an hour."""

    actor_id: int
    counted: Counted
    most: int


def counted_as(activity: Activity) -> Counted | None:
    """What an activity counts as, if it does."""
    match activity:
        case Create() | Announce():
            return Counted.POSTS
        case Upload():
            return Counted.UPLOADS
        case Follow():
            return Counted.FOLLOWS
        case _:
            return None


async def free_again(
    conn: Connection, asked: Sequence[Asked | None], *, now: datetime
) -> list[datetime | None]:
    """For each, when it can be done again; `None` where it can be done now. Those before one in the batch are
    counted with it."""
    whole = [one for one in asked if one is not None]
    if not whole:
        return [None] * len(asked)
    await conn.execute(
        """
        select pg_advisory_xact_lock(hashint8extended(id, 9))
        from (select distinct id from unnest($1::bigint[]) as id order by id) held
        """,
        [one.actor_id for one in whole],
    )
    done = await _done(conn, set(whole), now)
    mates: Counter[Asked] = Counter()
    answers: list[datetime | None] = []
    for one in asked:
        free = None
        if one is not None:
            # Newest first: the place that frees next is that of the oldest one that must go.
            at, before = done[one], mates[one]
            if len(at) + before >= one.most:
                place = one.most - before - 1
                free = (at[place] if 0 <= place < len(at) else now) + HOUR
            else:
                mates[one] += 1
        answers.append(free)
    return answers


async def used(conn: Connection, actor_id: int, counted: Counted, *, now: datetime) -> int:
    """How many of this hour are used up, for whoever wants to know."""
    one = Asked(actor_id, counted, 10_000)
    return len((await _done(conn, {one}, now))[one])


async def _done(conn: Connection, asked: set[Asked], now: datetime) -> dict[Asked, list[datetime]]:
    several = list(asked)
    rows = await conn.fetch(
        """
        select a.place, r.at
        from unnest($1::bigint[], $2::text[], $3::int[]) with ordinality as a(actor_id, kinds, most, place)
          cross join lateral (
            select x.at from compliance.record x
            where x.actor_id = a.actor_id and x.id >= $4 and x.at > $5
              and x.kind = any(string_to_array(a.kinds, ' ')) and x.detail ->> 'verdict' <> 'refused'
            order by x.id desc limit a.most
          ) r
        order by a.place, r.at desc
        """,
        [one.actor_id for one in several],
        [" ".join(_KINDS[one.counted]) for one in several],
        [one.most for one in several],
        floor_at(now - HOUR),
        now - HOUR,
    )
    found: dict[Asked, list[datetime]] = {one: [] for one in several}
    for row in rows:
        found[several[row["place"] - 1]].append(row["at"])
    return found
