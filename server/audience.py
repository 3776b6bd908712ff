"""Who must hear an activity of our people: the inboxes at other servers, each once.

Open and followers-only posts go to shared inboxes,
one for each server; a direct post goes only to the named people's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from compliance import hosts
from compliance.activity import (
    Accept,
    AccountId,
    Activity,
    Announce,
    ApproveReply,
    AskReply,
    Block,
    Create,
    Delete,
    Flag,
    Follow,
    HideReply,
    Like,
    Reject,
    RemoveReply,
    Undo,
    Undoable,
    Update,
    UpdateProfile,
    Upload,
    Uri,
    Visibility,
)

from .db.pool import Connection


@dataclass(slots=True)
class _Wanted:
    """What one activity asks for, before any look-up."""

    followers_of: AccountId | None = None
    actors: list[Uri] = field(default_factory=list)
    authors_of: list[Uri] = field(default_factory=list)
    readers_of: Uri | None = None
    """A post that ends: all who may have it must hear, which are the named, the followers, the boosters and
    the repliers."""
    thread_of: Uri | None = None
    """A post in whose conversation somebody writes: everybody who wrote in it."""
    personal: bool = False


async def inboxes(conn: Connection, activities: Sequence[Activity]) -> list[frozenset[str]]:
    """For each activity of ours, the inboxes elsewhere that must get it; one query for the whole batch.

    Whom an operator took out of sight, and servers with which nothing is exchanged, get nothing new; of what
    is taken back they hear all the same. Ask before the effects are applied: a deleted account's follows end
    with it, and its followers are who must hear.
    """
    wanted = [_wanted(a) for a in activities]
    taken_back = {
        n
        for n, a in enumerate(activities)
        if isinstance(a, Delete | Undo | Reject | Block | HideReply | RemoveReply)
    }
    rows = await conn.fetch(
        """
        with heard as (
          select w.n, false as personal, f.follower_id as account_id
          from unnest($1::int[], $2::bigint[]) as w(n, followee_id)
            cross join lateral (
              select x.follower_id from follow x
              where x.followee_id = w.followee_id and x.state = 'accepted' offset 0) f
          union all
          select w.n, w.personal, a.id from unnest($3::int[], $4::text[], $5::bool[]) as w(n, uri, personal)
            join account a on a.uri = w.uri
          union all
          select w.n, false, p.account_id
          from unnest($6::int[], $7::text[]) as w(n, uri) join post p on p.uri = w.uri
          union all
          select w.n, false, r.account_id
          from unnest($8::int[], $9::text[]) as w(n, uri) join post p on p.uri = w.uri
            join post r on r.boost_of_id = p.id or r.in_reply_to_id = p.id
          union all
          select w.n, p.visibility = 'direct', m.account_id
          from unnest($8::int[], $9::text[]) as w(n, uri) join post p on p.uri = w.uri
            join mention m on m.post_id = p.id
          union all
          select w.n, false, f.follower_id
          from unnest($8::int[], $9::text[]) as w(n, uri) join post p on p.uri = w.uri
            join follow f on f.followee_id = p.account_id and f.state = 'accepted'
          where p.visibility <> 'direct'
          union all
          select w.n, false, r.account_id
          from unnest($11::int[], $12::text[]) as w(n, uri) join post p on p.uri = w.uri
            join post r on r.thread_id = p.thread_id
        )
        select distinct h.n, a.host,
          case when h.personal then a.inbox else coalesce(a.shared_inbox, a.inbox) end as inbox
        from heard h join account a on a.id = h.account_id
        where a.host is not null and a.gone_at is null and a.inbox <> ''
          and (a.suspended_at is null or h.n = any($10::int[]))
        """,
        [n for n, w in enumerate(wanted) if w.followers_of is not None],
        [w.followers_of for w in wanted if w.followers_of is not None],
        [n for n, w in enumerate(wanted) for _ in w.actors],
        [uri for w in wanted for uri in w.actors],
        [w.personal for w in wanted for _ in w.actors],
        [n for n, w in enumerate(wanted) for _ in w.authors_of],
        [uri for w in wanted for uri in w.authors_of],
        [n for n, w in enumerate(wanted) if w.readers_of is not None],
        [w.readers_of for w in wanted if w.readers_of is not None],
        sorted(taken_back),
        [n for n, w in enumerate(wanted) if w.thread_of is not None],
        [w.thread_of for w in wanted if w.thread_of is not None],
    )
    found: list[set[str]] = [set() for _ in activities]
    refused = await hosts.refused(conn, {row["host"] for row in rows}) if rows else frozenset()
    for row in rows:
        if row["host"] not in refused or row["n"] in taken_back:
            found[row["n"]].add(row["inbox"])
    return [frozenset(f) for f in found]


def _wanted(activity: Activity) -> _Wanted:
    match activity:
        case Create(note=note) if note.is_old:
            return _Wanted()
        case Create() | Update():
            note = activity.note
            named = [*(m.uri for m in note.mentions), *note.addressed, *note.unseen]
            if note.visibility is Visibility.DIRECT:
                return _Wanted(actors=named, personal=True)
            answered = [note.in_reply_to] if note.in_reply_to and note.visibility.is_open else []
            return _Wanted(followers_of=activity.actor.id, actors=named, authors_of=answered)
        case UpdateProfile():
            return _Wanted(followers_of=activity.actor.id)
        case Delete(actor=actor, target=target) if target == actor.uri:
            return _Wanted(followers_of=actor.id)
        case Delete():
            return _Wanted(readers_of=activity.target)
        case Announce():
            return _Wanted(followers_of=activity.actor.id, authors_of=[activity.target])
        case Like():
            return _Wanted(authors_of=[activity.target])
        case Follow() | Block():
            return _Wanted(actors=[activity.target], personal=True)
        case Accept() | Reject():
            return _Wanted(actors=[activity.follower], personal=True)
        case Undo(kind=Undoable.ANNOUNCE):
            return _Wanted(followers_of=activity.actor.id, authors_of=[activity.target])
        case Undo(kind=Undoable.LIKE):
            return _Wanted(authors_of=[activity.target])
        case Undo():
            return _Wanted(actors=[activity.target], personal=True)
        case Flag():
            return _Wanted(actors=[activity.target] if activity.forward else [])
        case AskReply(owner=owner):
            return _Wanted(actors=[owner], personal=True)
        case ApproveReply(author=author) | HideReply(author=author):
            return _Wanted(actors=[author], personal=True)
        case RemoveReply(actor=actor, target=target, author=author):
            return _Wanted(
                followers_of=actor.id,
                actors=[author] if author else [],
                readers_of=target,
                thread_of=target,
            )
        case Upload():
            return _Wanted()
