"""What becomes of a comment when the operators find, on appeal, that whoever answers for the post was
wrong."""

from __future__ import annotations

from .activity import Activity, Actor, ApproveReply, Direction, Uri
from .connection import Connection
from .overturned import Overturned
from .verdict import Reason


async def overturned(conn: Connection, found: Overturned) -> tuple[Activity, Direction] | None:
    """Lets somebody blocked comment again; puts a comment back, so that it stays. What was emptied meanwhile
    does not come back: the record does."""
    decision = found.decision
    if decision.reason is Reason.COMMENTER_BLOCKED:
        await conn.execute("delete from compliance.comment_block where decision_id = $1", decision.id)
        return None
    row = await conn.fetchrow(
        """
        select p.uri, p.in_reply_to_uri as parent, a.uri as author, o.id, o.uri as owner, o.host
        from compliance.comment k join post p on p.id = k.post_id join account a on a.id = p.account_id
          join account o on o.id = k.owner_id
        where k.decision_id = $1 and p.emptied_at is null
        """,
        decision.id,
    )
    if row is None:
        return None
    restored = ApproveReply(
        id=Uri(f"{row['uri']}#restored-{found.new_id()}"),
        actor=Actor(id=row["id"], uri=Uri(row["owner"]), host=row["host"]),
        target=Uri(row["uri"]),
        post=Uri(row["parent"]),
        author=Uri(row["author"]),
        ordered=True,
    )
    return restored, Direction.OUT if row["host"] is None else Direction.IN
