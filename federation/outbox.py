"""Mail that waits to leave: a message once, and a row for each inbox that must get it.

Rows are written in the transaction of what they tell of,
so neither is there without the other; they are claimed in batches
and end when the other server took them, or when trying was given up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.activity import AccountId, Activity, Create, Delete, Update, Uri
from compliance.connection import Connection
from compliance.verdict import Cleared

from .origin import host_of


@dataclass(frozen=True, slots=True)
class Message:
    """A cleared activity as the bytes that leave. `signer` is the account whose key signs for it."""

    cleared: Cleared[Activity]
    signer: AccountId
    body: bytes
    inboxes: frozenset[str]


async def enqueue(
    conn: Connection, messages: Sequence[Message], *, now: datetime, new_id: Callable[[], int]
) -> None:
    """Queues messages, one row for each inbox, in two statements for the whole batch."""
    ids = [new_id() for _ in messages]
    await conn.execute(
        """
        insert into federation.message (id, account_id, activity_uri, object_uri, kind, body, decision_id,
        created_at)
        select m.*, $8 from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[],
        $6::bytea[], $7::bigint[]) as m
        """,
        ids,
        [m.signer for m in messages],
        [m.cleared.activity.id for m in messages],
        [_object(m.cleared.activity) for m in messages],
        [type(m.cleared.activity).__name__ for m in messages],
        [m.body for m in messages],
        [m.cleared.decision_id for m in messages],
        now,
    )
    rows = [(id_, inbox) for id_, m in zip(ids, messages, strict=True) for inbox in sorted(m.inboxes)]
    await conn.execute(
        """
        insert into federation.outbound (id, message_id, inbox, host, due_at, created_at)
        select o.*, $5, $5 from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) as o
        """,
        [new_id() for _ in rows],
        [id_ for id_, _ in rows],
        [inbox for _, inbox in rows],
        [host_of(inbox) for _, inbox in rows],
        now,
    )


async def cancel(conn: Connection, objects: Sequence[Uri]) -> None:
    """Takes back what is still waiting to tell of these objects."""
    await conn.execute("delete from federation.message where object_uri = any($1)", list(objects))


def _object(activity: Activity) -> Uri | None:
    match activity:
        case Create(note=note) | Update(note=note):
            return note.uri
        case Delete(target=target):
            return target
        case _:
            return None
