"""Pictures: where they lie and what is said of them. Rows are made by the effects of an upload or a post."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compliance.activity import AccountId, MediaId
from server.db.pool import Connection
from server.errors import NotFound
from server.uris import Uris

from .model import MediaView
from .sql import compose

COLUMNS = """id, kind, mime, file, preview_file, remote_url, width, height, preview_width, preview_height,
  description, focus_x, focus_y, blurhash"""

_OWN = compose("select {columns} from media where id = $1 and account_id = $2", columns=COLUMNS)
_OWN_MANY = compose("select {columns} from media where id = any($1) and account_id = $2", columns=COLUMNS)
_UPDATE = compose(
    """
    update media set description = coalesce($3, description),
      focus_x = case when $4 then $5::real else focus_x end,
      focus_y = case when $4 then $6::real else focus_y end
    where id = $1 and account_id = $2 and post_id is null
    returning {columns}
    """,
    columns=COLUMNS,
)


async def find(conn: Connection, media_id: MediaId, owner: AccountId, *, uris: Uris) -> MediaView | None:
    """The owner's picture with this id, on a post or not yet."""
    row = await conn.fetchrow(_OWN, media_id, owner)
    return view_of(row, uris) if row else None


async def get(conn: Connection, media_id: MediaId, owner: AccountId, *, uris: Uris) -> MediaView:
    """The owner's picture with this id; raises `NotFound`, also for somebody else's."""
    found = await find(conn, media_id, owner, uris=uris)
    if found is None:
        raise NotFound
    return found


async def find_own(conn: Connection, file: str, owner: AccountId) -> MediaId | None:
    """The owner's upload that is stored under this name."""
    found = await conn.fetchval("select id from media where file = $1 and account_id = $2", file, owner)
    return None if found is None else MediaId(found)


async def load(conn: Connection, ids: Sequence[MediaId], owner: AccountId, *, uris: Uris) -> list[MediaView]:
    """The owner's pictures with these ids, in this order; others are left out."""
    rows = {row["id"]: row for row in await conn.fetch(_OWN_MANY, ids, owner)} if ids else {}
    return [view_of(rows[id_], uris) for id_ in ids if id_ in rows]


async def update_description(
    conn: Connection,
    media_id: MediaId,
    owner: AccountId,
    *,
    uris: Uris,
    description: str | None = None,
    focus: tuple[float, float] | None = None,
) -> MediaView:
    """Changes what is said of a picture that is on no post yet; raises `NotFound` otherwise.

    Words under a picture that others see change with an edit of the post, which is judged.
    """
    x, y = focus or (None, None)
    row = await conn.fetchrow(_UPDATE, media_id, owner, description, focus is not None, x, y)
    if row is None:
        raise NotFound
    return view_of(row, uris)


async def delete_own(conn: Connection, media_id: MediaId, owner: AccountId) -> list[str]:
    """Drops the owner's picture that is on no post, and names its files, to be removed after the commit.

    Empty when there is no such picture, it is on a post, or a profile shows it.
    """
    row = await conn.fetchrow(
        """
        delete from media m where m.id = $1 and m.account_id = $2 and m.post_id is null
          and not exists (select from profile f
                          where f.account_id = $2 and (f.avatar_media_id = m.id or f.header_media_id = m.id))
        returning m.file, m.preview_file
        """,
        media_id,
        owner,
    )
    return [name for name in (row["file"], row["preview_file"]) if name is not None] if row else []


def view_of(row: Any, uris: Uris) -> MediaView:
    """The view of a row with `COLUMNS`."""
    file, remote = row["file"], row["remote_url"]
    url = uris.media(file) if file is not None else remote or ""
    preview = row["preview_file"]
    return MediaView(
        id=MediaId(row["id"]),
        kind=row["kind"],
        mime=row["mime"],
        url=url,
        preview=uris.media(preview) if preview is not None else url,
        remote_url=remote,
        width=row["width"],
        height=row["height"],
        preview_width=row["preview_width"],
        preview_height=row["preview_height"],
        description=row["description"],
        focus=None if row["focus_x"] is None else (row["focus_x"], row["focus_y"]),
        blurhash=row["blurhash"],
    )


async def files_of(
    conn: Connection, owner: AccountId, *, after: int, limit: int
) -> list[tuple[MediaId, str]]:
    """The owner's own stored pictures, oldest first, behind the picture `after`."""
    rows = await conn.fetch(
        "select id, file from media "
        "where account_id = $1 and id > $2 and file is not null order by id limit $3",
        owner,
        after,
        limit,
    )
    return [(MediaId(row["id"]), row["file"]) for row in rows]
