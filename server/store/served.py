"""Which picture files may be shown; `media_routes` asks, and keeps the answer for seconds."""

from __future__ import annotations

from collections.abc import Sequence

from server.db.pool import Connection


async def is_served(conn: Connection, names: Sequence[str]) -> bool:
    """Whether one of these is the picture of an account in good standing, and on no withdrawn post.

    Not who may see its post: the name is 128 random bits, told only to those who may.
    """
    found: bool = await conn.fetchval(
        """
        select exists (
          select from media m join account a on a.id = m.account_id left join post p on p.id = m.post_id
          where m.file = any($1) and a.suspended_at is null and a.gone_at is null and p.withdrawn_at is null)
        """,
        names,
    )
    return found
