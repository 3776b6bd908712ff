"""How those whom a campaign asks stand: who has verified again, who is open, who may not publish any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NewType

from .activity import AccountId
from .connection import Connection

CampaignId = NewType("CampaignId", int)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many were asked, and how they stand now."""

    total: int
    told: int
    done: int
    lapsed: int

    @property
    def open(self) -> int:
        return self.total - self.done - self.lapsed


@dataclass(frozen=True, slots=True)
class Asked:
    """What an account is asked just now."""

    title: str
    reason: str
    deadline: datetime


# Whoever was asked and has verified since, while it ran; and whoever may not publish any more.
DONE = "(i.state in ('verified', 'due') and i.verified_at >= c.started_at)"
_LAPSED = "(i.account_id is null or i.state not in ('verified', 'due') or i.lapses_at <= $2)"
MEMBERS = """
    from compliance.campaign c
      join compliance.campaign_member m on m.campaign_id = c.id
      left join compliance.identity i on i.account_id = m.account_id
    where c.id = $1
"""


async def progress(conn: Connection, campaign_id: CampaignId, now: datetime) -> Progress:
    """How those who were asked stand now."""
    row = await conn.fetchrow(
        f"""
        select count(*) as total, count(m.told_at) as told, count(*) filter (where {DONE}) as done,
               count(*) filter (where {_LAPSED} and {DONE} is not true) as lapsed
        {MEMBERS}
        """,
        campaign_id,
        now,
    )
    return Progress(row["total"], row["told"], row["done"], row["lapsed"])


async def by_day(conn: Connection, campaign_id: CampaignId, now: datetime) -> list[tuple[date, int]]:
    """How many of them verified again on which day, in UTC; days with nobody are left out."""
    rows = await conn.fetch(
        f"""
        select (i.verified_at at time zone 'UTC')::date as day, count(*) as verified
        {MEMBERS} and {DONE} and i.verified_at <= $2 group by 1 order by 1
        """,
        campaign_id,
        now,
    )
    return [(row["day"], row["verified"]) for row in rows]


async def list_open(
    conn: Connection, campaign_id: CampaignId, *, after: int = 0, limit: int = 100
) -> list[AccountId]:
    """Who has not verified again, by id."""
    rows = await conn.fetch(
        f"select m.account_id {MEMBERS} and {DONE} is not true and m.account_id > $2"
        " order by m.account_id limit $3",
        campaign_id,
        after,
        limit,
    )
    return [AccountId(row["account_id"]) for row in rows]


async def asked_of(conn: Connection, account_id: AccountId) -> Asked | None:
    """What the account is asked just now; the nearest deadline, where several ask."""
    row = await conn.fetchrow(
        f"""
        select c.title, c.reason, c.deadline
        from compliance.campaign_member m
          join compliance.campaign c on c.id = m.campaign_id and c.state = 'running'
          join compliance.identity i on i.account_id = m.account_id
        where m.account_id = $1 and {DONE} is not true
        order by c.deadline limit 1
        """,  # noqa: S608
        account_id,
    )
    return Asked(row["title"], row["reason"], row["deadline"]) if row else None
