"""Pictures brought here, waiting for a post."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.activity import Upload
from compliance.verdict import Cleared

from ..db.pool import Connection
from .ground import Applied, Ground, Touched


async def insert(conn: Connection, cleared: Sequence[Cleared[Upload]], ground: Ground) -> Applied:
    """Stores what is known of uploaded pictures; their bytes are in the media folder already."""
    ups = [c.activity for c in cleared]
    await conn.execute(
        """
        insert into media (id, account_id, mime, file, preview_file, width, height, preview_width,
        preview_height, bytes,
                           description, focus_x, focus_y, blurhash, decision_id, created_at)
        select u.*, $16 from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[],
        $6::int[], $7::int[],
          $8::int[], $9::int[], $10::int[], $11::text[], $12::real[], $13::real[], $14::text[],
          $15::bigint[]) as u
        """,
        [u.attachment.media_id for u in ups],
        [u.actor.id for u in ups],
        [u.attachment.mime for u in ups],
        [u.file for u in ups],
        [u.preview_file for u in ups],
        [u.attachment.width for u in ups],
        [u.attachment.height for u in ups],
        [u.preview_width for u in ups],
        [u.preview_height for u in ups],
        [u.size for u in ups],
        [u.attachment.alt for u in ups],
        [u.attachment.focus[0] if u.attachment.focus else None for u in ups],
        [u.attachment.focus[1] if u.attachment.focus else None for u in ups],
        [u.attachment.blurhash for u in ups],
        [c.decision_id for c in cleared],
        ground.now,
    )
    return Applied([None] * len(cleared), [True] * len(cleared), Touched())
