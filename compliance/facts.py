"""What the checks may know, and no more: loaded for a whole batch by one query.

Nothing of identity papers is among it, only whether an author is verified and until when.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import asyncpg

from . import commenting, rates, reserved
from .activity import AccountId, Direction, UpdateProfile
from .commenting import Commenting
from .connection import Connection
from .errors import StaleRules
from .hosts import Policy, names_above
from .identity import IdentityState
from .organisations import Role
from .records import Source
from .reserved import Naming
from .subject import Subject
from .verdict import CaseId, DecisionId
from .wordlists import Rulebook


class Ruling(enum.StrEnum):
    """How the review of the very same words by the very same author stands."""

    WAITING = "waiting"
    RELEASED = "released"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedent:
    """The latest case about the same thing."""

    case_id: CaseId
    ruling: Ruling
    awaits: DecisionId | None = None
    """The decision that the next one takes the place of; `None` when that has happened before."""
    overrules: bool = False
    """Whether it came out of an appeal against what a rule refused by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts for an organisation, and by what right; without `by` the server itself does."""

    by: AccountId | None = None
    role: Role | None = None
    identity: IdentityState = IdentityState.NONE
    identity_until: datetime | None = None
    suspended: bool = False
    """Whether the operators have suspended the organisation's rights."""
    four_eyes: bool = False
    second: Role | None = None
    """The role of another person who approved it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about one activity at the moment it is judged."""

    now: datetime
    direction: Direction
    rulebook: Rulebook
    is_known: bool = True
    """Whether the author has an account row at all."""
    is_suspended: bool = False
    identity: IdentityState = IdentityState.NONE
    identity_until: datetime | None = None
    """When publishing ends, grace included; sweeping may come later, this does not."""
    owes_name: bool = False
    """Whether the author has to show the real name in front, and the day for it has passed."""
    has_agreed: bool = True
    """Whether the author accepted the current version of each document."""
    acting: Acting | None = None
    """Set where the account is an organisation's, or somebody acts through it."""
    policies: Mapping[str, Policy] = field(default_factory=dict)
    precedent: Precedent | None = None
    naming: Naming | None = None
    """For a profile of ours: how the name in it stands to the names of others."""
    commenting: Commenting | None = None
    """For a reply, and for an act on one."""
    pre_review: bool = False
    """Whether the author's tier has a person look first."""
    free_again: datetime | None = None
    """When the author's tier lets them do this again, where this hour has had its share."""


async def load(
    conn: Connection,
    subjects: Sequence[Subject],
    direction: Direction,
    *,
    rulebook: Rulebook,
    now: datetime,
    sources: Sequence[Source] | None = None,
) -> list[Facts]:
    """The facts for each of `subjects`, in order, `sources` saying who sent each of them.

    `StaleRules` when `rulebook` is not what is in force.
    """
    # `unnest((select $1))` and not `unnest($1)`: the planner then cannot see how long the arrays are, so
    # every plan costs it the same and one is kept. Planning anew took 0.5 ms of each lone activity's 0.75
    # (measured).
    sent = [None] * len(subjects) if sources is None else sources
    rows = await conn.fetch(
        """
        with current_document as materialized (
          select document, max(version) as version from compliance.agreement
          where effective_at <= $4 group by document
        )
        select coalesce((select version from compliance.rule_set where active), 0) as rule_version,
               a.id is not null as is_known,
               a.suspended_at is not null or a.gone_at is not null as is_suspended,
               i.state as identity, i.lapses_at as identity_until, fn.account_id is not null as owes_name,
               -- For an organisation it is whoever acts that must have agreed.
               not ($5 and (o.account_id is null or s.by_id is not null) and exists (
                 select from current_document d
                 where not exists (
                   select from compliance.acceptance c
                   where c.account_id = coalesce(s.by_id, s.actor_id)
                     and c.document = d.document and c.version >= d.version)
               )) as has_agreed,
               (select array_agg(array[h.host, h.policy]) from compliance.host_policy h
                where h.host = any(string_to_array(s.hosts, ' '))) as policies,
               o.account_id is not null or s.by_id is not null as is_organisation, s.by_id,
               case when b.suspended_at is null and b.gone_at is null then m.role end as role,
               j.state as by_identity, j.lapses_at as by_identity_until,
               o.suspended_at is not null as rights_suspended, coalesce(o.four_eyes, false) as four_eyes,
               case when o.four_eyes then (
                 select n.role from compliance.organisation_member n
                 where n.organisation_id = o.account_id and n.account_id = s.second_id
                   and n.account_id <> s.by_id and n.state = 'active') end as second,
               t.pre_review, t.posts_per_hour as posts, t.uploads_per_hour as uploads,
               t.follows_per_hour as follows,
               p.id as case_id, p.state as ruling, p.awaits, p.overrules
        from unnest((select $1::bigint[]), (select $2::bytea[]), (select $3::text[]), (select $6::bigint[]),
                    (select $7::bigint[]))
               with ordinality as s(actor_id, digest, hosts, by_id, second_id, place)
          left join public.account a on a.id = s.actor_id
          left join compliance.identity i on i.account_id = s.actor_id
          left join compliance.front_name fn on $5 and fn.account_id = s.actor_id and fn.due_at <= $4
          left join compliance.standing st on $5 and st.account_id = s.actor_id
          left join compliance.tier_policy tp on $5 and tp.active
          left join compliance.tier t on tp.version is not null and t.id = coalesce(st.tier, tp.newcomer)
            and t.policy_version = coalesce(
              st.policy_version, case when a.created_at >= tp.activated_at then tp.version end)
          left join compliance.organisation o on $5 and o.account_id = s.actor_id
          left join compliance.organisation_member m
            on m.organisation_id = o.account_id and m.account_id = s.by_id and m.state = 'active'
          left join public.account b on b.id = m.account_id
          left join compliance.identity j on j.account_id = m.account_id
          left join lateral (
            select c.id, c.state, d.verdict = 'refused' as overrules,
                   case when c.state = 'released' and o.verdict is distinct from 'cleared'
                        then coalesce(c.outcome_id, c.decision_id) end as awaits
            from compliance.review_case c
              join compliance.decision d on d.id = c.decision_id
              left join compliance.decision o on o.id = c.outcome_id
            where c.actor_id = s.actor_id and c.digest = s.digest and c.state <> 'withdrawn'
            order by c.id desc limit 1
          ) p on true
        order by s.place
        """,
        [subject.activity.actor.id for subject in subjects],
        [subject.digest for subject in subjects],
        [" ".join(name for host in subject.hosts for name in names_above(host)) for subject in subjects],
        now,
        direction is Direction.OUT,
        [None if source is None else source.by for source in sent],
        [None if source is None else source.second for source in sent],
    )
    if rows and rows[0]["rule_version"] != rulebook.version:
        raise StaleRules(f"rule set {rows[0]['rule_version']} is in force, not {rulebook.version}")
    found = [_facts(row, direction, rulebook, now) for row in rows]
    for place, naming in (await reserved.weigh(conn, _names(subjects, direction), now=now)).items():
        found[place] = replace(found[place], naming=naming)
    for place, known in (await commenting.load(conn, subjects)).items():
        found[place] = replace(found[place], commenting=known)
    asked = [_asked(*each) for each in zip(subjects, rows, found, strict=True)]
    if any(asked):
        for place, free in enumerate(await rates.free_again(conn, asked, now=now)):
            found[place] = replace(found[place], free_again=free)
    return found


def _asked(subject: Subject, row: asyncpg.Record, known: Facts) -> rates.Asked | None:
    """What is to be counted, where the author's tier limits it. What a reviewer released is not new."""
    counted = rates.counted_as(subject.activity)
    most = None if counted is None else row[counted.value]
    released = known.precedent is not None and known.precedent.ruling is Ruling.RELEASED
    if counted is None or most is None or released:
        return None
    return rates.Asked(subject.activity.actor.id, counted, most)


def _names(subjects: Sequence[Subject], direction: Direction) -> dict[int, tuple[AccountId, str]]:
    """The names that people here want to show, by their place in the batch."""
    if direction is Direction.IN:
        return {}
    said = enumerate(subject.activity for subject in subjects)
    return {n: (one.actor.id, one.profile.display_name) for n, one in said if isinstance(one, UpdateProfile)}


def _facts(row: asyncpg.Record, direction: Direction, rulebook: Rulebook, now: datetime) -> Facts:
    precedent = None
    if row["case_id"] is not None:
        precedent = Precedent(
            case_id=row["case_id"],
            ruling=Ruling(row["ruling"]),
            awaits=row["awaits"],
            overrules=row["overrules"],
        )
    return Facts(
        now=now,
        direction=direction,
        rulebook=rulebook,
        is_known=row["is_known"],
        owes_name=row["owes_name"],
        is_suspended=row["is_suspended"],
        identity=IdentityState(row["identity"] or "none"),
        identity_until=row["identity_until"],
        has_agreed=row["has_agreed"],
        acting=_acting(row) if row["is_organisation"] else None,
        policies={host: Policy(policy) for host, policy in row["policies"] or ()},
        precedent=precedent,
        pre_review=bool(row["pre_review"]),
    )


def _acting(row: asyncpg.Record) -> Acting:
    return Acting(
        by=row["by_id"],
        role=None if row["role"] is None else Role(row["role"]),
        identity=IdentityState(row["by_identity"] or "none"),
        identity_until=row["by_identity_until"],
        suspended=row["rights_suspended"],
        four_eyes=row["four_eyes"],
        second=None if row["second"] is None else Role(row["second"]),
    )
