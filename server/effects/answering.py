"""New replies: who answers for them, and what other servers are asked and told about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compliance import commenting, comments, subject
from compliance.activity import (
    AccountId,
    Activity,
    Actor,
    ApproveReply,
    AskReply,
    Create,
    HideReply,
    PostId,
    Uri,
)
from compliance.verdict import Cleared, Reason, Refused, Verdict

from ..db.pool import Connection
from . import replies
from .ground import Applied, Ground, Touched

_REFUSALS = (Reason.COMMENTS_CLOSED, Reason.COMMENTER_BLOCKED)


async def keep(
    conn: Connection, fresh: Sequence[tuple[Cleared[Create], PostId]], ground: Ground
) -> list[Activity]:
    """Notes who answers for new replies; says what must be sent for them: answers to servers that asked, and
    our own questions."""
    replies = [(c, id_) for c, id_ in fresh if c.activity.note.in_reply_to is not None]
    if not replies:
        return []
    waits = [(id_, owner) for c, id_ in replies for owner in commenting.waits_for(c.labels)]
    waiting = {id_ for id_, _ in waits}
    rows = await conn.fetch(
        """
        with fresh as (
          select p.id, p.account_id, p.thread_id, p.in_reply_to_id, n.payload, n.request
          from unnest($1::bigint[], $2::bytea[], $3::text[]) as n(id, payload, request)
            join post p on p.id = n.id where p.visibility <> 'direct'
        ), spot as (
          select f.id, t.account_id as owner_id from fresh f join post t on t.id = f.thread_id
          where t.id <> f.id and t.withdrawn_at is null
          union
          select f.id, q.account_id from fresh f join post q on q.id = f.in_reply_to_id
            left join post t on t.id = f.thread_id
          where t.account_id is distinct from f.account_id
        )
        insert into compliance.comment
          (post_id, owner_id, author_id, thread_id, state, waited, payload, request, created_at)
        select f.id, s.owner_id, f.account_id, f.thread_id,
          case when w.owner_id is null then 'shown' else 'waiting' end, w.owner_id is not null,
          case when w.owner_id is not null then f.payload end, f.request, $6
        from spot s join fresh f on f.id = s.id join account o on o.id = s.owner_id
          left join unnest($4::bigint[], $5::bigint[]) as w(post_id, owner_id)
            on w.post_id = s.id and w.owner_id = s.owner_id
        where s.owner_id <> f.account_id and (o.host is null or w.owner_id is not null)
        on conflict do nothing
        returning post_id, owner_id
        """,
        [id_ for _, id_ in replies],
        [
            subject.pack(c.activity) if id_ in waiting and c.activity.actor.is_local else None
            for c, id_ in replies
        ],
        [c.activity.asked for c, _ in replies],
        [id_ for id_, _ in waits],
        [owner for _, owner in waits],
        ground.now,
    )
    if not rows:
        return []
    by_id = {id_: c.activity for c, id_ in replies}
    found = await _owners(conn, [(PostId(r["post_id"]), AccountId(r["owner_id"])) for r in rows])
    return await _questions(by_id, found, waits, ground) + await _yeses(conn, by_id, found, waiting, ground)


async def adopt(conn: Connection, posts: Sequence[PostId], ground: Ground) -> Touched:
    """Replies that came before what they answer come under whoever answers for it: shown where everybody may
    comment, else looked at first."""
    rows = await conn.fetch(
        """
        with recursive branch as (
          select p.id from post p where p.id = any($1)
          union
          select c.id from branch b join post c on c.in_reply_to_id = b.id
        ), fresh as (
          select p.id, p.account_id, p.thread_id, p.in_reply_to_id from branch b join post p on p.id = b.id
          where p.visibility <> 'direct' and p.boost_of_id is null
        ), spot as (
          select f.id, t.id as post_id, t.account_id as owner_id
          from fresh f join post t on t.id = f.thread_id
          where t.local and t.withdrawn_at is null
          union
          select f.id, q.id, q.account_id from fresh f join post q on q.id = f.in_reply_to_id
            left join post t on t.id = f.thread_id
          where q.local and t.account_id is distinct from f.account_id
        )
        insert into compliance.comment (post_id, owner_id, author_id, thread_id, state, created_at)
        select distinct on (f.id, s.owner_id) f.id, s.owner_id, f.account_id, f.thread_id,
          case when coalesce(o.who, c.who, 'anyone') = 'anyone' and coalesce(o.mode, c.mode, 'open') = 'open'
                 and b.owner_id is null
               then 'shown' else 'waiting' end, $2
        from spot s join fresh f on f.id = s.id
          left join compliance.comment_policy c on c.account_id = s.owner_id
          left join compliance.comment_override o on o.post_id = s.post_id
          left join compliance.comment_block b on b.owner_id = s.owner_id and b.account_id = f.account_id
        where s.owner_id <> f.account_id
        order by f.id, s.owner_id, 5 desc
        on conflict do nothing
        returning post_id, state
        """,
        list(posts),
        ground.now,
    )
    waiting = [PostId(r["post_id"]) for r in rows if r["state"] == "waiting"]
    return (await replies.show(conn, waiting, ground))[0] if waiting else Touched()


async def rejections(conn: Connection, verdicts: Sequence[Verdict], ground: Ground) -> list[Activity]:
    """The answers to comments from elsewhere that were not let in by whoever answers for the post."""
    refused = [
        v.activity
        for v in verdicts
        if isinstance(v, Refused)
        and v.reason in _REFUSALS
        and isinstance(v.activity, Create)
        and not v.activity.actor.is_local
    ]
    if not refused:
        return []
    rows = await conn.fetch(
        "select p.uri, a.id, a.uri as owner from post p join account a on a.id = p.account_id "
        "where p.uri = any($1) and a.host is null and a.suspended_at is null",
        [create.note.in_reply_to for create in refused],
    )
    owners = {row["uri"]: Actor(id=row["id"], uri=Uri(row["owner"]), host=None) for row in rows}
    return [
        HideReply(
            id=ground.uris.activity(ground.ids()),
            actor=owners[post],
            target=create.note.uri,
            post=post,
            author=create.actor.uri,
            request=create.asked,
        )
        for create in refused
        if (post := create.note.in_reply_to) is not None and post in owners
    ]


def ask(cleared: Sequence[Cleared[AskReply]]) -> Applied:
    """A question to another server changes nothing here."""
    return Applied([None] * len(cleared), [True] * len(cleared), Touched())


def _approval(create: Create, one: _Owner, ground: Ground) -> ApproveReply:
    """The answer that a reply of another server's stands."""
    return ApproveReply(
        id=ground.uris.activity(ground.ids()),
        actor=one.actor,
        target=create.note.uri,
        post=one.parent,
        author=create.actor.uri,
        request=create.asked,
        stamp=ground.uris.reply_authorization(one.actor.uri, one.post_id),
    )


@dataclass(frozen=True, slots=True)
class _Owner:
    post_id: PostId
    actor: Actor
    parent: Uri
    parent_id: PostId


async def _owners(conn: Connection, pairs: Sequence[tuple[PostId, AccountId]]) -> list[_Owner]:
    """Of those who answer for replies, the ones whose own post is answered: it is they who are asked."""
    rows = await conn.fetch(
        """
        select n.post_id, o.id, o.uri, o.host, q.uri as parent, q.id as parent_id
        from unnest($1::bigint[], $2::bigint[]) as n(post_id, owner_id)
          join post p on p.id = n.post_id join post q on q.id = p.in_reply_to_id and q.account_id = n.owner_id
          join account o on o.id = n.owner_id
        """,
        [post_id for post_id, _ in pairs],
        [owner_id for _, owner_id in pairs],
    )
    return [
        _Owner(
            PostId(row["post_id"]),
            Actor(id=row["id"], uri=Uri(row["uri"]), host=row["host"]),
            Uri(row["parent"]),
            PostId(row["parent_id"]),
        )
        for row in rows
    ]


async def _questions(
    by_id: dict[PostId, Create],
    owners: Sequence[_Owner],
    waits: Sequence[tuple[PostId, AccountId]],
    ground: Ground,
) -> list[Activity]:
    return [
        AskReply(
            id=ground.uris.reply_request(by_id[one.post_id].note.uri),
            actor=by_id[one.post_id].actor,
            note=by_id[one.post_id].note,
            post=one.parent,
            owner=one.actor.uri,
        )
        for one in owners
        if not one.actor.is_local and (one.post_id, one.actor.id) in waits
    ]


async def _yeses(
    conn: Connection,
    by_id: dict[PostId, Create],
    owners: Sequence[_Owner],
    waiting: set[PostId],
    ground: Ground,
) -> list[Activity]:
    """Answers to servers that asked, and to whoever read our policy and need not have: without a policy there
    is nothing to answer to a reply that just came."""
    asked = [
        one
        for one in owners
        if one.actor.is_local and one.post_id not in waiting and not by_id[one.post_id].actor.is_local
    ]
    if not asked:
        return []
    chosen = await comments.policies_of(conn, [one.parent_id for one in asked])
    return [
        _approval(by_id[one.post_id], one, ground)
        for one in asked
        if by_id[one.post_id].asked is not None or one.parent_id in chosen
    ]
