"""When somebody is reminded that an identity is to be verified again: each step once for each due date.

    30, 7 and 1 days before it is due ── due ── three days before publishing ends

A step that was missed, because the server was down or the date came nearer, is not made up for: the one that
fits the day is told, and no other.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .activity import AccountId
from .connection import Connection

KEPT = timedelta(days=400)
"""Longer than any step can fit a due date again: a grace time is half a year at most."""


class Step(enum.StrEnum):
    """The values are what the database stores."""

    MONTH = "30"
    WEEK = "7"
    DAY = "1"
    DUE = "due"
    LAPSE = "lapse"


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something to tell one account."""

    account_id: AccountId
    step: Step
    due_at: datetime
    lapses_at: datetime


# Three days before the end only where the grace time is longer than that. A due date that came less than a
# step's time after the verification had no such step. What lapsed a week ago is no news.
_STEPS = """
    select i.account_id, i.due_at, i.lapses_at, i.verified_at,
      case when $1 >= i.lapses_at - interval '3 days' and i.due_at < i.lapses_at - interval '3 days'
             then 'lapse'
           when $1 >= i.due_at then 'due'
           when $1 >= i.due_at - interval '1 day' then '1'
           when $1 >= i.due_at - interval '7 days' then '7'
           else '30' end as step
    from compliance.identity i
      join public.account a on a.id = i.account_id and a.host is null and a.gone_at is null
    where i.state in ('verified', 'due', 'lapsed') and i.due_at <= $1 + interval '30 days'
      and i.lapses_at > $1 - interval '7 days'
"""


async def take(conn: Connection, *, now: datetime, limit: int) -> list[Reminder]:
    """Some reminders whose day it is; they count as told from now on, in this transaction."""
    rows = await conn.fetch(
        f"""
        with due as (
          select s.* from ({_STEPS}) as s
          where (s.step not in ('30', '7', '1')
                 or s.verified_at < s.due_at - make_interval(days => s.step::int))
            and (s.step <> 'lapse' or s.lapses_at > $1)
            and not exists (
              select 1 from compliance.identity_reminder r
              where r.account_id = s.account_id and r.due_at = s.due_at and r.step = s.step)
          limit $2
        ), taken as (
          insert into compliance.identity_reminder (account_id, due_at, step, told_at)
          select account_id, due_at, step, $1 from due
          on conflict do nothing
          returning account_id, due_at, step
        )
        select t.account_id, t.due_at, t.step, due.lapses_at from taken t join due using (account_id)
        order by t.account_id
        """,  # noqa: S608
        now,
        limit,
    )
    return [
        Reminder(AccountId(row["account_id"]), Step(row["step"]), row["due_at"], row["lapses_at"])
        for row in rows
    ]


async def skip(conn: Connection, account_ids: Sequence[AccountId], *, now: datetime) -> None:
    """These were just told of their date in other words: the step that fits today is not told as well."""
    await conn.execute(
        f"""
        insert into compliance.identity_reminder (account_id, due_at, step, told_at)
        select s.account_id, s.due_at, s.step, $1 from ({_STEPS}) as s where s.account_id = any($2)
        on conflict do nothing
        """,  # noqa: S608
        now,
        list(account_ids),
    )


async def sweep(conn: Connection, *, now: datetime, limit: int) -> int:
    """Forgets what was told so long ago that it cannot be told again; says how much, up to `limit`."""
    gone: int = await conn.fetchval(
        """
        with gone as (
          delete from compliance.identity_reminder r using (
            select account_id, due_at, step from compliance.identity_reminder where told_at < $1 limit $2
          ) as old
          where (r.account_id, r.due_at, r.step) = (old.account_id, old.due_at, old.step)
          returning 1
        )
        select count(*) from gone
        """,
        now - KEPT,
        limit,
    )
    return gone
