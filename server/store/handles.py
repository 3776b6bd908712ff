"""Looking up everybody named in a text at once."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from compliance.activity import AccountId, Uri
from server.db.pool import Connection
from server.uris import Uris


class Known(Struct, frozen=True):
    """Somebody who can be named: `handle` is the full `user@host`, the host also for our own."""

    id: AccountId
    uri: Uri
    url: str
    handle: str


async def find(conn: Connection, handles: Sequence[str], *, uris: Uris) -> dict[str, Known]:
    """Of the handles (`user` or `user@host`, in any case), those that are known here."""
    if not handles:
        return {}
    split = [handle.partition("@") for handle in handles]
    rows = await conn.fetch(
        """
        select h.n, a.id, a.uri, a.url, a.username, a.host
        from unnest($1::int[], $2::text[], $3::text[]) as h(n, name, host)
          join account a on lower(a.username) = h.name and a.host is not distinct from h.host
        where a.gone_at is null and a.suspended_at is null and a.actor_type <> 'Application'
        """,
        list(range(len(handles))),
        [name.lower() for name, _, _ in split],
        [None if host.lower() in ("", uris.host) else host.lower() for _, _, host in split],
    )
    return {
        handles[row["n"]]: Known(
            AccountId(row["id"]), Uri(row["uri"]), row["url"], f"{row['username']}@{row['host'] or uris.host}"
        )
        for row in rows
    }
