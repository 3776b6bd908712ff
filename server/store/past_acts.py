"""Earlier acts by their own ids, for an activity that names one by its id and says no more."""

from __future__ import annotations

from msgspec import Struct

from compliance.activity import Uri

from .sql import Connection

_FIND = """
    select 'Follow' as kind, a.uri as actor, t.uri as target
    from follow f join account a on a.id = f.follower_id join account t on t.id = f.followee_id where f.uri = $1
    union all
    select 'Like', a.uri, p.uri
    from reaction r join account a on a.id = r.account_id join post p on p.id = r.post_id where r.uri = $1
    union all
    select 'Announce', a.uri, p.uri
    from post b join account a on a.id = b.account_id join post p on p.id = b.boost_of_id
    where b.uri = $1 and b.withdrawn_at is null
    union all
    select 'Block', a.uri, t.uri
    from block b join account a on a.id = b.account_id join account t on t.id = b.target_id where b.uri = $1
    limit 1
    """


class PastAct(Struct, frozen=True):
    """What was done, in ActivityPub's word for it, by whom and to what."""

    kind: str
    actor: Uri
    target: Uri


async def find(conn: Connection, uri: Uri) -> PastAct | None:
    """The follow, favourite, boost or block that has this id and still stands."""
    row = await conn.fetchrow(_FIND, uri)
    return PastAct(row["kind"], Uri(row["actor"]), Uri(row["target"])) if row else None
