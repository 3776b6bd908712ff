"""What is known here by its id on the network: actors, posts, and acts that a later one takes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from compliance.activity import AccountId, Actor, Uri
from server.db.pool import Connection

_ACTS = """
    select 'Follow' as kind, a.uri as actor, t.uri as target
    from follow f join account a on a.id = f.follower_id join account t on t.id = f.followee_id
    where f.uri = $1
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
    union all
    select 'Note', a.uri, p.in_reply_to_uri
    from post p join account a on a.id = p.account_id
    where p.uri = $2 and p.local and p.in_reply_to_uri is not null
    limit 1
    """


class KnownActor(Struct, frozen=True):
    """Somebody whose document was read before. `followers` is their collection, as addresses name it."""

    id: AccountId
    uri: Uri
    host: str | None
    username: str
    followers: Uri | None
    fetched_at: datetime | None
    gone: bool

    @property
    def actor(self) -> Actor:
        return Actor(id=self.id, uri=self.uri, host=self.host)


class PastAct(Struct, frozen=True):
    """What was done, in ActivityPub's word for it, by whom and to what."""

    kind: str
    actor: Uri
    target: Uri


async def actors(conn: Connection, uris: Sequence[Uri]) -> dict[Uri, KnownActor]:
    """Those of the actors that are known."""
    rows = await conn.fetch(
        """
        select id, uri, host, username, followers, fetched_at, gone_at is not null as gone
        from account where uri = any($1)
        """,
        list(uris),
    )
    return {
        Uri(row["uri"]): KnownActor(
            id=AccountId(row["id"]),
            uri=Uri(row["uri"]),
            host=row["host"],
            username=row["username"],
            followers=None if row["followers"] is None else Uri(row["followers"]),
            fetched_at=row["fetched_at"],
            gone=row["gone"],
        )
        for row in rows
    }


async def posts(conn: Connection, uris: Sequence[Uri]) -> set[Uri]:
    """Those of the posts that are, or were, here: a withdrawn one is known, and not to be fetched again."""
    rows = await conn.fetch(
        "select uri from post where uri = any($1) "
        "union all select uri from federation.tombstone where uri = any($1)",
        list(uris),
    )
    return {Uri(row["uri"]) for row in rows}


async def find_act(conn: Connection, uri: Uri) -> PastAct | None:
    """The follow, favourite, boost or block that has this id and still stands; or the reply of ours that an
    answer is about, by its own id or by that of our question."""
    row = await conn.fetchrow(_ACTS, uri, uri.removesuffix("/reply_request"))
    return PastAct(row["kind"], Uri(row["actor"]), Uri(row["target"])) if row else None
