"""The operator asks a group of accounts to verify their identity again, until a day and for a reason.

    draft ── started: who is in it is settled, their due dates come nearer ──> running ── closed ──> closed

A campaign moves due dates and nothing else: whoever verifies again, by any way, has a new one, and for
whoever does not the clock goes on as for every identity (Article 7). Closing before the deadline gives those
who are still open their own dates back.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from . import tiers, turnout
from .activity import AccountId
from .classes import CertClass
from .connection import Connection
from .errors import NotAllowed, NotFound
from .identity import Method, SubjectType
from .records import Detail, Entry, RecordKind, Source, write
from .turnout import CampaignId, Progress

SHORTEST = timedelta(days=1)
"""Nobody is asked for something that must be done within hours."""
LONGEST = timedelta(days=366)
MAX_TITLE = 100
MAX_REASON = 500
MAX_GRACE_DAYS = 180
_encode = msgspec.json.Encoder().encode


class CampaignState(enum.StrEnum):
    """How far it is; the values are what the database stores."""

    DRAFT = "draft"
    RUNNING = "running"
    CLOSED = "closed"


class Audience(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whom it asks: everybody who may publish and for whom all of this is true. Nothing said is everybody."""

    subject: SubjectType | None = None
    method: Method | None = None
    tier: str | None = None
    class_: CertClass | None = msgspec.field(default=None, name="class")
    verified_before: datetime | None = None
    accounts: tuple[AccountId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign as it stands."""

    id: CampaignId
    title: str
    reason: str
    audience: Audience
    deadline: datetime
    grace_days: int
    state: CampaignState
    created_by: AccountId
    created_at: datetime
    started_at: datetime | None
    closed_at: datetime | None

    @property
    def lapses_at(self) -> datetime:
        """When publishing ends for whoever did not verify again."""
        return self.deadline + timedelta(days=self.grace_days)


_COLUMNS = (
    "id, title, reason, audience::text as audience, deadline, grace_days, state, created_by, created_at,"
    " started_at, closed_at"
)
_ONE = f"select {_COLUMNS} from compliance.campaign where id = $1"  # noqa: S608
_ALL = f"select {_COLUMNS} from compliance.campaign order by id desc limit $1"  # noqa: S608


async def count(conn: Connection, audience: Audience, now: datetime) -> int:
    """How many it would ask now."""
    counted: int = await conn.fetchval(f"select count(*) {_AUDIENCE}", *_arguments(audience, now))
    return counted


async def create(
    conn: Connection,
    *,
    title: str,
    reason: str,
    audience: Audience,
    deadline: datetime,
    grace_days: int,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> CampaignId:
    """A draft that asks nobody yet."""
    title, reason = title.strip(), reason.strip()
    if not title or len(title) > MAX_TITLE:
        raise NotAllowed("a campaign needs a title of at most 100 characters")
    if not reason or len(reason) > MAX_REASON:
        raise NotAllowed("a campaign needs a reason of at most 500 characters")
    _check_deadline(deadline, now)
    if not 0 <= grace_days <= MAX_GRACE_DAYS:
        raise NotAllowed("the days after the deadline are 0 to 180")
    campaign_id = CampaignId(new_id())
    await conn.execute(
        """
        insert into compliance.campaign
          (id, title, reason, audience, deadline, grace_days, created_by, created_at)
        values ($1, $2, $3, $4::jsonb, $5, $6, $7, $8)
        """,
        campaign_id,
        title,
        reason,
        _encode(audience).decode(),
        deadline,
        grace_days,
        by,
        now,
    )
    detail: Detail = {"title": title, "deadline": f"{deadline:%Y-%m-%d}", "grace_days": grace_days}
    await _note(conn, RecordKind.CAMPAIGN_CREATE, campaign_id, by, detail, source, now, new_id)
    return campaign_id


async def start(
    conn: Connection,
    campaign_id: CampaignId,
    *,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> int:
    """Settles who is in it, and moves their due dates; says how many that are. They are told in steps."""
    campaign = await _locked(conn, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        raise NotAllowed("this campaign has been started")
    _check_deadline(campaign.deadline, now)
    await conn.execute(
        "update compliance.campaign set state = 'running', started_by = $2, started_at = $3 where id = $1",
        campaign_id,
        by,
        now,
    )
    arguments = _arguments(campaign.audience, now)
    place = len(arguments)
    asked: int = await conn.fetchval(
        f"""
        with asked as (
          select i.account_id, i.due_at, i.lapses_at {_AUDIENCE} for update of i
        ), member as (
          insert into compliance.campaign_member (campaign_id, account_id, was_due_at, was_lapses_at)
          select ${place + 1}, account_id, due_at, lapses_at from asked
        ), moved as (
          update compliance.identity i
          set due_at = least(i.due_at, ${place + 2}), lapses_at = least(i.lapses_at, ${place + 3}),
              updated_at = $1
          from asked where i.account_id = asked.account_id
          returning 1
        )
        select count(*) from moved
        """,  # noqa: S608 - the audience's own condition, and numbers of places
        *arguments,
        campaign_id,
        campaign.deadline,
        campaign.lapses_at,
    )
    if not asked:
        raise NotAllowed("nobody is in this campaign")
    await _note(conn, RecordKind.CAMPAIGN_START, campaign_id, by, {"asked": asked}, source, now, new_id)
    return asked


async def close(
    conn: Connection,
    campaign_id: CampaignId,
    *,
    by: AccountId,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Progress:
    """Ends it. A draft is thrown away."""
    campaign = await _locked(conn, campaign_id)
    if campaign.state is CampaignState.CLOSED:
        raise NotAllowed("this campaign has been closed")
    reached = await turnout.progress(conn, campaign_id, now)
    if campaign.state is CampaignState.DRAFT:
        await conn.execute("delete from compliance.campaign where id = $1", campaign_id)
    else:
        if now < campaign.deadline:
            await _give_back(conn, campaign, now)
        await conn.execute(
            "update compliance.campaign set state = 'closed', closed_by = $2, closed_at = $3 where id = $1",
            campaign_id,
            by,
            now,
        )
    detail = {"asked": reached.total, "verified": reached.done, "lapsed": reached.lapsed}
    await _note(conn, RecordKind.CAMPAIGN_CLOSE, campaign_id, by, detail, source, now, new_id)
    return reached


async def get(conn: Connection, campaign_id: CampaignId) -> Campaign:
    """Raises `NotFound`."""
    row = await conn.fetchrow(_ONE, campaign_id)
    if row is None:
        raise NotFound("no such campaign")
    return _campaign(row)


async def list_(conn: Connection, *, limit: int = 100) -> list[Campaign]:
    """The newest campaigns first."""
    rows = await conn.fetch(_ALL, limit)
    return [_campaign(row) for row in rows]


async def take_untold(
    conn: Connection, *, now: datetime, limit: int
) -> list[tuple[Campaign, list[AccountId]]]:
    """Some of those whom nobody has told yet that they are asked; they count as told from now on."""
    rows = await conn.fetch(
        """
        update compliance.campaign_member m set told_at = $1
        from (
          select u.campaign_id, u.account_id
          from compliance.campaign_member u join compliance.campaign c on c.id = u.campaign_id
          where u.told_at is null and c.state = 'running'
          limit $2 for update of u skip locked
        ) as due
        where m.campaign_id = due.campaign_id and m.account_id = due.account_id
        returning m.campaign_id, m.account_id
        """,
        now,
        limit,
    )
    people: dict[CampaignId, list[AccountId]] = {}
    for row in rows:
        people.setdefault(CampaignId(row["campaign_id"]), []).append(AccountId(row["account_id"]))
    return [(await get(conn, campaign_id), found) for campaign_id, found in people.items()]


_AUDIENCE = f"""
    from compliance.identity i
      join public.account a on a.id = i.account_id and a.host is null and a.gone_at is null
      {tiers.ENTITLED.format(account="a")}
    where i.state in ('verified', 'due') and i.lapses_at > $1
      and ($2::text is null or i.subject = $2)
      and ($3::text is null or i.method = $3)
      and ($4::text is null or t.id = $4)
      and ($5::text is null or exists (
        select 1 from compliance.certification c
        where c.account_id = i.account_id and c.class = $5 and c.state = 'active'))
      and ($6::timestamptz is null or i.verified_at < $6)
      and ($7::bigint[] is null or i.account_id = any($7))
"""  # noqa: S608 - the tiers' own join


def _arguments(audience: Audience, now: datetime) -> list[Any]:
    return [
        now,
        audience.subject,
        audience.method,
        audience.tier,
        audience.class_,
        audience.verified_before,
        None if audience.accounts is None else list(audience.accounts),
    ]


async def _give_back(conn: Connection, campaign: Campaign, now: datetime) -> None:
    """The dates of those who are open, unless something else has moved them; and of running campaigns that
    took this one's for theirs."""
    await conn.execute(
        f"""
        with open as (
          select m.account_id, m.was_due_at, m.was_lapses_at {turnout.MEMBERS} and {turnout.DONE} is not true
        ), others as (
          update compliance.campaign_member o
          set was_due_at = open.was_due_at, was_lapses_at = open.was_lapses_at
          from open, compliance.campaign r
          where o.account_id = open.account_id and r.id = o.campaign_id and r.state = 'running'
            and r.id <> $1 and o.was_due_at = $2
        )
        update compliance.identity i
        set due_at = open.was_due_at, lapses_at = greatest(i.lapses_at, open.was_lapses_at), updated_at = $3
        from open where i.account_id = open.account_id and i.due_at = $2 and i.state = 'verified'
        """,  # noqa: S608
        campaign.id,
        campaign.deadline,
        now,
    )


async def _locked(conn: Connection, campaign_id: CampaignId) -> Campaign:
    await conn.execute("select 1 from compliance.campaign where id = $1 for update", campaign_id)
    return await get(conn, campaign_id)


def _check_deadline(deadline: datetime, now: datetime) -> None:
    if not now + SHORTEST <= deadline <= now + LONGEST:
        raise NotAllowed("the deadline is to be between tomorrow and a year from now")


def _campaign(row: Any) -> Campaign:
    return Campaign(
        id=CampaignId(row["id"]),
        title=row["title"],
        reason=row["reason"],
        audience=msgspec.json.decode(row["audience"], type=Audience),
        deadline=row["deadline"],
        grace_days=row["grace_days"],
        state=CampaignState(row["state"]),
        created_by=AccountId(row["created_by"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        closed_at=row["closed_at"],
    )


async def _note(  # noqa: PLR0917 - one line of the log, told by everybody above in the same words
    conn: Connection,
    kind: RecordKind,
    campaign_id: CampaignId,
    by: AccountId,
    detail: Detail,
    source: Source,
    now: datetime,
    new_id: Callable[[], int],
) -> None:
    entry = Entry(kind, by, f"campaign:{campaign_id}", source=source, detail=detail)
    await write(conn, [entry], now=now, new_id=new_id)
