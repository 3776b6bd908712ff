"""Putting mail in, in the transaction of the act it tells of, and taking it out again while it has not
left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

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
    Update,
    UpdateProfile,
    Upload,
    Uri,
)
from compliance.connection import Connection
from compliance.verdict import Cleared
from federation import origin


@dataclass(frozen=True, slots=True)
class Message:
    """A cleared activity as the bytes that leave, who signs them, and which inboxes they go to."""

    cleared: Cleared[Activity]
    signer: AccountId
    body: bytes
    inboxes: Collection[str]


async def enqueue(
    conn: Connection,
    messages: Sequence[Message],
    *,
    now: datetime,
    new_id: Callable[[], int],
    give_up: timedelta = timedelta(days=7),
) -> int:
    """Queues each message once for each of its inboxes, and says how many letters that made.

    A host that has failed for longer than `give_up` gets nothing but what comes between two of its pauses.
    """
    sent = [message for message in messages if message.inboxes]
    if not sent:
        return 0
    ids = [new_id() for _ in sent]
    await conn.execute(
        """
        insert into federation.message
          (id, account_id, activity_uri, object_uri, kind, body, decision_id, created_at)
        select id, account_id, activity_uri, object_uri, kind, body, decision_id, $8
        from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bigint[])
          as m (id, account_id, activity_uri, object_uri, kind, body, decision_id)
        """,
        ids,
        [message.signer for message in sent],
        [message.cleared.activity.id for message in sent],
        [about(message.cleared.activity) for message in sent],
        [type(message.cleared.activity).__name__.lower() for message in sent],
        [message.body for message in sent],
        [message.cleared.decision_id for message in sent],
        now,
    )
    letters = [
        (new_id(), id_, inbox, origin.host_of(inbox))
        for id_, message in zip(ids, sent, strict=True)
        for inbox in sorted(message.inboxes)
    ]
    await conn.execute(
        """
        insert into federation.outbound (id, message_id, inbox, host, due_at, created_at)
        select l.id, l.message_id, l.inbox, l.host, greatest($5, h.paused_until), $5
        from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) as l (id, message_id, inbox, host)
        left join federation.host h on h.host = l.host
        where not coalesce(h.failing_since < $6 and h.paused_until > $5, false)
        """,
        [id_ for id_, _, _, _ in letters],
        [message_id for _, message_id, _, _ in letters],
        [inbox for _, _, inbox, _ in letters],
        [host for _, _, _, host in letters],
        now,
        now - give_up,
    )
    return len(letters)


async def cancel(conn: Connection, uris: Collection[str]) -> int:
    """Drops letters about `uris` that have not left, for things withdrawn before everybody heard of them.

    What is on its way this moment keeps its place in the lane, so that the Delete that follows does not
    overtake it.
    """
    dropped = await conn.fetch(
        """
        delete from federation.outbound o using federation.message m
        where m.id = o.message_id and m.object_uri = any($1::text[]) and o.locked_until is null
          and m.kind in ('create', 'update', 'announce', 'like')
        returning o.id
        """,
        list(uris),
    )
    return len(dropped)


def about(activity: Activity) -> Uri | None:
    """What an activity is about: letters of one actor about one thing reach a host in the order they were
    written.
    """
    match activity:
        case Create(note=note) | Update(note=note):
            return note.uri
        case UpdateProfile(actor=actor):
            return actor.uri
        case Delete(target=target) | Announce(target=target) | Like(target=target) | Undo(target=target):
            return target
        case Follow(target=target) | Block(target=target) | Flag(target=target):
            return target
        case Accept(follower=follower) | Reject(follower=follower):
            return follower
        case AskReply(note=note):
            return note.uri
        case ApproveReply(target=target) | HideReply(target=target) | RemoveReply(target=target):
            return target
        case Upload():
            return None
        case _:
            assert_never(activity)
