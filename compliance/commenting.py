"""What the gate knows about a reply: who answers for it, what they have chosen, and how they stand to its
author.

One query for the replies of a whole batch, and none where there are no replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from .activity import (
    ANYBODY,
    AccountId,
    ApproveReply,
    Create,
    HideReply,
    PostId,
    RemoveReply,
    ReplyControl,
    Update,
    Uri,
    Visibility,
)
from .comments import Mode, Policy, State, Who, read_policy
from .connection import Connection
from .subject import Subject

WAITS = "comment-waits:"
"""The label of a reply that waits; behind it the id of the account for whose yes. Never shown, nor kept."""


_DEFAULT = Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """One who answers for a reply, and how they and its author stand to each other."""

    owner_id: AccountId
    is_local: bool
    policy: Policy = _DEFAULT
    """Of accounts here."""
    control: ReplyControl | None = None
    """Of accounts elsewhere, where their post says who may answer."""
    followers: Uri | None = None
    """The owner's collection, as a control names it."""
    following: Uri | None = None
    is_follower: bool = False
    """The commenter follows the owner."""
    is_followed: bool = False
    is_mentioned: bool = False
    is_blocked: bool = False
    is_regular: bool = False
    """A comment of theirs is shown under a post of the owner."""
    state: State | None = None
    """How this very comment stands with the owner, where it is here already."""
    is_same: bool = False
    """These are the very words that stand here: an edit that was looked at, and leaves now."""
    is_removed: bool = False
    """The owner took it away before it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commenting:
    """For a reply: who answers for it. For an act on a reply: whether the actor does."""

    answering: tuple[Answering, ...] = ()
    answers: bool = False


def waits_for(labels: Sequence[str]) -> list[AccountId]:
    """For whose yes a cleared reply waits, by its labels."""
    return [AccountId(int(label.removeprefix(WAITS))) for label in labels if label.startswith(WAITS)]


def shown(labels: Sequence[str]) -> list[str]:
    """The labels without those of this module."""
    return [label for label in labels if not label.startswith(WAITS)]


async def load(conn: Connection, subjects: Sequence[Subject]) -> dict[int, Commenting]:
    """What is known of those of `subjects` that are replies, or acts on replies, by their places."""
    replies: list[_Reply] = []
    acts: list[tuple[int, int, Uri, Uri]] = []
    for n, one in enumerate(subjects):
        match one.activity:
            case Create(actor=actor, note=note) | Update(actor=actor, note=note):
                if note.in_reply_to is not None and note.visibility is not Visibility.DIRECT:
                    replies.append(_Reply(n, actor.id, note.in_reply_to, note.uri, note.updated))
            case ApproveReply() | HideReply() | RemoveReply():
                act = one.activity
                acts.append((n, act.actor.id, act.target, act.post))
            case _:
                pass
    found: dict[int, Commenting] = {}
    if replies:
        found |= await _replies(conn, replies)
    if acts:
        found |= await _acts(conn, acts)
    return found


@dataclass(frozen=True, slots=True)
class _Reply:
    place: int
    author_id: int
    answered: Uri
    uri: Uri
    updated: datetime | None


async def _replies(conn: Connection, replies: Sequence[_Reply]) -> dict[int, Commenting]:
    rows = await conn.fetch(
        """
        with reply as (
          select r.n, r.author_id, r.uri, q.id as parent_id, q.account_id as parent_owner,
            t.id as root_id, t.account_id as root_owner, e.id as known_id,
            coalesce(e.local and e.edited_at = r.updated, false) as is_same
          from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[])
              as r(n, author_id, answered, uri, updated)
            join post q on q.uri = r.answered
            left join post t on t.id = q.thread_id and t.withdrawn_at is null
            left join post e on e.uri = r.uri
        ), spot as (
          select n, author_id, uri, known_id, is_same, root_id as post_id, root_owner as owner_id from reply
          where root_id is not null and root_owner <> author_id
          union
          select n, author_id, uri, known_id, is_same, parent_id, parent_owner from reply
          where parent_owner <> author_id and root_owner is distinct from author_id
        )
        select s.n, s.owner_id, a.host is null as is_local, a.uri as owner_uri, a.followers,
          l.who, l.mode, c.sensitivity, c.words, x.automatic, x.manual, s.is_same,
          -- How the two stand to each other is asked only where something was chosen that depends on it.
          case when l.is_chosen then exists (
            select from follow f where f.follower_id = s.author_id and f.followee_id = s.owner_id
            and f.state = 'accepted') else false end as is_follower,
          case when l.is_chosen then exists (
            select from follow f where f.follower_id = s.owner_id and f.followee_id = s.author_id
            and f.state = 'accepted') else false end as is_followed,
          case when l.is_chosen then exists (
            select from mention m where m.post_id = s.post_id and m.account_id = s.author_id
            and not m.silent) else false end as is_mentioned,
          case when c.sensitivity = 'strict' then exists (
            select from compliance.comment k where k.owner_id = s.owner_id and k.author_id = s.author_id
            and k.state = 'shown') else false end as is_regular,
          exists (select from compliance.comment_block b
                  where b.owner_id = s.owner_id and b.account_id = s.author_id) as is_blocked,
          case when s.known_id is not null then (
            select k.state from compliance.comment k
            where k.post_id = s.known_id and k.owner_id = s.owner_id) end as state,
          case when a.host is not null then exists (
            select from compliance.comment_removal d where d.uri = s.uri and d.owner_id = s.owner_id)
            else false end as is_removed
        from spot s join account a on a.id = s.owner_id
          left join compliance.comment_policy c on c.account_id = s.owner_id
          left join compliance.comment_override o on o.post_id = s.post_id
          left join compliance.reply_control x on x.post_id = s.post_id
          cross join lateral (
            select coalesce(o.who, c.who) as who, coalesce(o.mode, c.mode) as mode,
              coalesce(o.who, c.who, 'anyone') <> 'anyone' or x.post_id is not null as is_chosen) l
        """,
        [reply.place for reply in replies],
        [reply.author_id for reply in replies],
        [reply.answered for reply in replies],
        [reply.uri for reply in replies],
        [reply.updated for reply in replies],
    )
    by_place: dict[int, list[Answering]] = {}
    for row in rows:
        by_place.setdefault(row["n"], []).append(_answering(row))
    return {n: Commenting(answering=tuple(found)) for n, found in by_place.items()}


def _answering(row: asyncpg.Record) -> Answering:
    control = None
    if row["automatic"] is not None:
        control = ReplyControl(automatic=tuple(row["automatic"]), manual=tuple(row["manual"]))
    return Answering(
        owner_id=row["owner_id"],
        is_local=row["is_local"],
        policy=read_policy(row["who"], row["mode"], row["sensitivity"], row["words"]),
        control=control,
        followers=None if row["followers"] is None else Uri(row["followers"]),
        following=Uri(f"{row['owner_uri']}/following"),
        is_follower=row["is_follower"],
        is_followed=row["is_followed"],
        is_mentioned=row["is_mentioned"],
        is_blocked=row["is_blocked"],
        is_regular=bool(row["is_regular"]),
        state=None if row["state"] is None else State(row["state"]),
        is_same=row["is_same"],
        is_removed=row["is_removed"],
    )


async def _acts(conn: Connection, acts: Sequence[tuple[int, int, Uri, Uri]]) -> dict[int, Commenting]:
    """Who acts on a reply must have written its thread's first post or what it answers, by what is stored
    here. Of a reply that is not here, the post it is said to answer is looked at."""
    rows = await conn.fetch(
        """
        select a.n, exists (
          select from post q left join post t on t.id = q.thread_id
          where q.id = case when r.id is null then (select e.id from post e where e.uri = a.post)
                            else r.in_reply_to_id end
            and a.actor_id in (q.account_id, t.account_id)
          union all
          select from compliance.comment k where k.post_id = r.id and k.owner_id = a.actor_id) as answers
        from unnest($1::int[], $2::bigint[], $3::text[], $4::text[]) as a(n, actor_id, target, post)
          left join post r on r.uri = a.target
        """,
        [act[0] for act in acts],
        [act[1] for act in acts],
        [act[2] for act in acts],
        [act[3] for act in acts],
    )
    return {row["n"]: Commenting(answers=row["answers"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Stance:
    """What readers of a post are told before they comment: who may, and whether it is looked at first."""

    who: Who = Who.ANYONE
    is_reviewed: bool = False

    @property
    def is_closed(self) -> bool:
        return self.who is Who.NOBODY


_NARROW = (Who.ANYONE, Who.FOLLOWERS, Who.FOLLOWED, Who.MENTIONED, Who.NOBODY)


async def stance(conn: Connection, post_id: PostId) -> Stance:
    """What holds for a comment on a post: by the post, and by the first one of its thread; of posts of other
    servers, what they said of it."""
    rows = await conn.fetch(
        """
        select coalesce(o.who, c.who) as who, coalesce(o.mode, c.mode) as mode, x.automatic, x.manual
        from post n join post p on p.id in (n.id, n.thread_id)
          left join compliance.comment_policy c on c.account_id = p.account_id
          left join compliance.comment_override o on o.post_id = p.id
          left join compliance.reply_control x on x.post_id = p.id and p.id = n.id
        where n.id = $1 and coalesce(o.post_id, c.account_id, x.post_id) is not null
        """,
        post_id,
    )
    found = Stance()
    for row in rows:
        who, is_reviewed = Who(row["who"] or "anyone"), row["mode"] == Mode.REVIEWED
        if row["automatic"] is not None:
            who, is_reviewed = Who.NOBODY, ANYBODY in row["manual"]
            if row["manual"] or len(row["automatic"]) > 1:
                who = Who.ANYONE if is_reviewed else Who.FOLLOWERS
        narrower = max(found.who, who, key=_NARROW.index)
        found = Stance(narrower, found.is_reviewed or is_reviewed)
    return found
