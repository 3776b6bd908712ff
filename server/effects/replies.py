"""Comments and those who answer for the posts above them (Article 10): what waits, what is let, hidden and
taken away.

A row of `compliance.comment` says how a comment stands with one who answers for it; `post.waits` and
`post.hidden` are what comes of all its rows, and the counts follow them. Both are written here and nowhere
else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import asyncpg

from compliance import commenting, statements, subject
from compliance.activity import (
    AccountId,
    Activity,
    Actor,
    ApproveReply,
    Create,
    Delete,
    HideReply,
    PostId,
    RemoveReply,
    Update,
    Uri,
)
from compliance.comments import State
from compliance.statements import Matter
from compliance.verdict import Cleared, Reason

from .. import telling
from ..db.pool import Connection
from . import counting, feeds, notices
from .ground import Applied, Ground, Touched

Act = ApproveReply | HideReply | RemoveReply
_STATES: dict[type, State] = {
    ApproveReply: State.SHOWN,
    HideReply: State.HIDDEN,
    RemoveReply: State.REMOVED,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A comment's new state with one who answers for it."""

    post_id: PostId
    owner_id: AccountId
    state: State
    by: AccountId | None = None
    ordered: bool = False
    authorization: Uri | None = None
    payload: bytes | None = None
    """Of what waits: the activity that its author's followers get once it is let."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A comment as it is shown, or not."""

    id: PostId
    uri: Uri
    author_id: AccountId
    parent_id: PostId | None
    local: bool
    waits: bool
    hidden: bool
    withdrawn_by: str | None
    is_withdrawn: bool

    @property
    def is_under(self) -> bool:
        return not (self.waits or self.hidden or self.is_withdrawn)

    @property
    def is_out(self) -> bool:
        """Whether others see it at all."""
        return not (self.waits or self.is_withdrawn)


_PLACES = """
  select p.id, p.uri, p.account_id, p.in_reply_to_id, p.local, p.waits, p.hidden, p.withdrawn_by,
    p.withdrawn_at is not null as is_withdrawn
  from post p
"""


async def wait_again(
    conn: Connection, edited: Sequence[tuple[Cleared[Update], PostId]], ground: Ground
) -> Touched:
    """An edited comment that is looked at first goes out of sight again, until it is let."""
    waits = [(c, id_, owner) for c, id_ in edited for owner in commenting.waits_for(c.labels)]
    if not waits:
        return Touched()
    kept = {
        row["post_id"]: row["payload"]
        for row in await conn.fetch(
            "select post_id, payload from compliance.comment where post_id = any($1) and payload is not null",
            [id_ for _, id_, _ in waits],
        )
    }
    changes = [
        Change(id_, owner, State.WAITING, payload=_payload(c.activity, kept.get(id_), ground))
        for c, id_, owner in waits
    ]
    return (await change(conn, changes, ground))[1]


async def approve(conn: Connection, cleared: Sequence[Cleared[ApproveReply]], ground: Ground) -> Applied:
    """Lets comments stand under what they answer; of those of our own people others hear now."""
    return await _act(conn, cleared, ground)


async def hide(conn: Connection, cleared: Sequence[Cleared[HideReply]], ground: Ground) -> Applied:
    """Takes comments out from under what they answer; they stay their authors'."""
    return await _act(conn, cleared, ground)


async def remove(conn: Connection, cleared: Sequence[Cleared[RemoveReply]], ground: Ground) -> Applied:
    """Takes comments away altogether. What has not come yet will not be shown when it does."""
    early = [c.activity for c in cleared if not c.activity.actor.is_local]
    await conn.execute(
        """
        insert into compliance.comment_removal (uri, owner_id, at)
        select uri, owner_id, $3 from unnest($1::text[], $2::bigint[]) as r(uri, owner_id)
        on conflict do nothing
        """,
        [act.target for act in early],
        [act.actor.id for act in early],
        ground.now,
    )
    return await _act(conn, cleared, ground)


async def change(
    conn: Connection, changes: Sequence[Change], ground: Ground
) -> tuple[set[tuple[PostId, AccountId]], Touched, list[Activity]]:
    """Moves comments; says which really moved, what looks different, and what must be sent for them."""
    rows = await conn.fetch(
        """
        insert into compliance.comment as k
          (post_id, owner_id, author_id, thread_id, state, decided_at, decided_by, ordered, "authorization",
           payload, created_at)
        select p.id, n.owner_id, p.account_id, p.thread_id, n.state,
          case when n.state <> 'waiting' then $8::timestamptz end, n.by_id, n.ordered, n.stamp, n.payload, $8
        from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bool[], $6::text[], $7::bytea[])
               as n(post_id, owner_id, state, by_id, ordered, stamp, payload)
          join post p on p.id = n.post_id
        order by p.id, n.owner_id
        on conflict (post_id, owner_id) do update
          set state = excluded.state, waited = k.waited or excluded.state = 'waiting',
            created_at = case when excluded.state = 'waiting' then excluded.created_at else k.created_at end,
            decided_by = excluded.decided_by, ordered = excluded.ordered,
            decided_at = coalesce(excluded.decided_at, k.decided_at),
            "authorization" = coalesce(excluded."authorization", k."authorization"),
            payload = coalesce(excluded.payload, k.payload),
            pinned_at = case when excluded.state = 'shown' then k.pinned_at end
          where (k.state <> excluded.state or excluded.payload is not null)
            -- What the operators decided on appeal stays so, until its author changes the words.
            and (excluded.ordered or not k.ordered or excluded.state = 'waiting')
        returning post_id, owner_id
        """,
        [one.post_id for one in changes],
        [one.owner_id for one in changes],
        [one.state.value for one in changes],
        [one.by for one in changes],
        [one.ordered for one in changes],
        [one.authorization for one in changes],
        [one.payload for one in changes],
        ground.now,
    )
    moved = {(PostId(r["post_id"]), AccountId(r["owner_id"])) for r in rows}
    touched, sent = await show(conn, sorted({id_ for id_, _ in moved}), ground) if moved else (Touched(), [])
    return moved, touched, sent


async def _act(conn: Connection, cleared: Sequence[Cleared[Act]], ground: Ground) -> Applied:
    acts = [c.activity for c in cleared]
    rows = await conn.fetch(
        "select p.id, p.uri, p.account_id, a.host is null as is_local from post p "
        "join account a on a.id = p.account_id where p.uri = any($1) and p.boost_of_id is null",
        [act.target for act in acts],
    )
    known = {Uri(row["uri"]): row for row in rows}
    changes = {
        n: Change(
            PostId(known[act.target]["id"]),
            act.actor.id,
            _STATES[type(act)],
            by=act.by,
            ordered=isinstance(act, ApproveReply) and act.ordered,
            authorization=act.stamp if isinstance(act, ApproveReply) and not act.actor.is_local else None,
        )
        for n, act in enumerate(acts)
        if act.target in known
    }
    moved, touched, sent = await change(conn, list(changes.values()), ground)
    for n, one in changes.items():
        author = known[acts[n].target]
        if (one.post_id, one.owner_id) in moved and author["is_local"]:
            await _tell(conn, acts[n], one, AccountId(author["account_id"]), ground)
            touched.notified.add(AccountId(author["account_id"]))
    took = [n in changes and (changes[n].post_id, changes[n].owner_id) in moved for n in range(len(acts))]
    ids = [changes[n].post_id if took[n] else None for n in range(len(acts))]
    return Applied(ids, took, touched, sent)


async def _tell(conn: Connection, act: Act, one: Change, author: AccountId, ground: Ground) -> None:
    """No comment goes out of sight without its author reading why, and how to appeal."""
    if isinstance(act, ApproveReply):
        return
    reason = Reason.COMMENT_HIDDEN if isinstance(act, HideReply) else Reason.COMMENT_REMOVED
    decision_id = await statements.issue(
        conn,
        author,
        Matter.COMMENT,
        reason,
        about=act.target,
        statement=act.statement,
        by=(act.by or act.actor.id) if act.statement.strip() else None,
        now=ground.now,
        new_id=ground.ids,
    )
    await conn.execute(
        "update compliance.comment set decision_id = $3 where post_id = $1 and owner_id = $2",
        one.post_id,
        one.owner_id,
        decision_id,
    )
    await telling.tell_decision(conn, author, decision_id, now=ground.now, new_id=ground.ids)


async def show(conn: Connection, posts: Sequence[PostId], ground: Ground) -> tuple[Touched, list[Activity]]:
    """Brings posts in line with the rows about them: what is seen, what is counted, and who hears of it."""
    before = {
        one.id: one
        for one in map(
            _place, await conn.fetch(f"{_PLACES} where p.id = any($1) order by p.id for update", list(posts))
        )
    }
    after = [
        _place(row)
        for row in await conn.fetch(
            """
            update post p set waits = s.waits, hidden = s.hidden,
              withdrawn_at = case when s.removed then coalesce(p.withdrawn_at, $2)
                when p.withdrawn_by = 'organisation' then null else p.withdrawn_at end,
              withdrawn_by = case when s.removed then coalesce(p.withdrawn_by, 'organisation')
                when p.withdrawn_by = 'organisation' then null else p.withdrawn_by end
            from (select k.post_id, bool_or(k.state = 'waiting') as waits,
                    bool_or(k.state = 'hidden') as hidden, bool_or(k.state = 'removed') as removed
                  from compliance.comment k where k.post_id = any($1) group by k.post_id) s
            where p.id = s.post_id
            returning p.id, p.uri, p.account_id, p.in_reply_to_id, p.local, p.waits, p.hidden, p.withdrawn_by,
              p.withdrawn_at is not null as is_withdrawn
            """,
            list(posts),
            ground.now,
        )
    ]
    pairs = [(before[one.id], one) for one in after]
    await _count(conn, pairs, ground)
    touched = Touched(posts={one.id for one in after}, accounts={one.author_id for one in after})
    touched.posts |= {one.parent_id for one in after if one.parent_id is not None}
    out = [new.id for old, new in pairs if new.is_out and not old.is_out]
    if out:
        touched.homes |= await feeds.fan_out(conn, out, ground)
        touched.notified |= await notices.of_posts(conn, out, ground)
    # The top of a home timeline is kept as it was read: whoever has one of these in theirs reads it anew.
    turned = [new.id for old, new in pairs if new.is_out != old.is_out and not new.is_withdrawn]
    if turned:
        touched.homes |= await feeds.readers(conn, turned)
    gone = [new for old, new in pairs if new.is_withdrawn and not old.is_withdrawn]
    if gone:
        touched.add(await counting.gone(conn, [new.id for new in gone], ground))
    # What is hidden before it ever left stays here until it is let.
    payloads = await _payloads(conn, [new.id for _, new in pairs if new.is_under or new.is_withdrawn])
    sent: list[Activity] = [payloads[new.id] for _, new in pairs if new.is_under and new.id in payloads]
    for _, new in pairs:
        unsent = isinstance(payloads.get(new.id), Create)
        if new in gone and new.local and not unsent:
            sent.append(await _deletion(conn, new, ground))
    return touched, sent


async def _count(conn: Connection, pairs: Sequence[tuple[_Place, _Place]], ground: Ground) -> None:
    for step in (1, -1):
        parents = [
            new.parent_id
            for old, new in pairs
            if new.parent_id is not None and new.is_under - old.is_under == step
        ]
        await counting.replies(conn, parents, step)
        authors = [new.author_id for old, new in pairs if new.is_out - old.is_out == step]
        if authors:
            await counting.posts(conn, authors, step, ground)


async def _payloads(conn: Connection, posts: Sequence[PostId]) -> dict[PostId, Activity]:
    """What waited to be sent for posts that wait no more; it is taken out of the rows."""
    rows = await conn.fetch(
        """
        with had as (
          select post_id, owner_id, payload, "authorization" from compliance.comment
          where post_id = any($1) and payload is not null for update
        ), cleared as (
          update compliance.comment k set payload = null from had h
          where k.post_id = h.post_id and k.owner_id = h.owner_id
        )
        select post_id, payload, "authorization" as stamp from had
        """,
        list(posts),
    )
    found: dict[PostId, Activity] = {}
    for row in rows:
        activity = _unpack(row["payload"])
        if row["stamp"] is not None:
            activity = replace(activity, note=replace(activity.note, reply_authorization=Uri(row["stamp"])))
        found[PostId(row["post_id"])] = activity
    return found


def _unpack(payload: bytes) -> Create | Update:
    """A Create and an Update of a post are packed alike; a Create's id is made of its post's."""
    created = cast(Create, subject.unpack("create", payload))
    if created.id.startswith(created.note.uri):
        return created
    return Update(id=created.id, actor=created.actor, note=created.note)


def _payload(edit: Update, before: bytes | None, ground: Ground) -> bytes | None:
    """What is to be sent of an edited comment that waits: new words, as a new post where it never left."""
    if not edit.actor.is_local:
        return None
    first = None if before is None else _unpack(before)
    if isinstance(first, Create):
        return subject.pack(replace(first, note=edit.note))
    return subject.pack(edit)


async def _deletion(conn: Connection, place: _Place, ground: Ground) -> Delete:
    uri = await conn.fetchval("select uri from account where id = $1", place.author_id)
    actor = Actor(id=place.author_id, uri=Uri(uri), host=None)
    return Delete(id=ground.uris.activity(ground.ids()), actor=actor, target=place.uri)


def _place(row: asyncpg.Record) -> _Place:
    return _Place(
        id=PostId(row["id"]),
        uri=Uri(row["uri"]),
        author_id=AccountId(row["account_id"]),
        parent_id=None if row["in_reply_to_id"] is None else PostId(row["in_reply_to_id"]),
        local=row["local"],
        waits=row["waits"],
        hidden=row["hidden"],
        withdrawn_by=row["withdrawn_by"],
        is_withdrawn=row["is_withdrawn"],
    )
