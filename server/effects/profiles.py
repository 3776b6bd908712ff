"""What accounts show of themselves, and accounts that end."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from compliance.activity import Delete, UpdateProfile
from compliance.verdict import Cleared

from ..db.pool import Connection
from ..store import imports, marks, scheduled
from . import relations
from .ground import Applied, Ground, Touched


async def update(conn: Connection, cleared: Sequence[Cleared[UpdateProfile]], ground: Ground) -> Applied:
    """Stores cleared profiles whole, each over the one before."""
    profiles = [c.activity.profile for c in cleared]
    await conn.execute(
        """
        insert into profile (account_id, display_name, html, text, source, fields, avatar_media_id,
        avatar_url, header_media_id,
                             header_url, locked, bot, discoverable, indexable, decision_id, updated_at)
        select account_id, display_name, html, text, source, fields::jsonb, avatar_media_id, avatar_url,
        header_media_id,
               header_url, locked, bot, discoverable, indexable, decision_id, $16
        from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
        $8::text[],
                    $9::bigint[], $10::text[], $11::bool[], $12::bool[], $13::bool[], $14::bool[],
                    $15::bigint[])
          as p(account_id, display_name, html, text, source, fields, avatar_media_id, avatar_url,
          header_media_id, header_url,
               locked, bot, discoverable, indexable, decision_id)
        on conflict (account_id) do update
          set display_name = excluded.display_name, html = excluded.html, text = excluded.text,
          source = excluded.source,
              fields = excluded.fields, avatar_media_id = excluded.avatar_media_id,
              avatar_url = excluded.avatar_url,
              header_media_id = excluded.header_media_id, header_url = excluded.header_url,
              locked = excluded.locked,
              bot = excluded.bot, discoverable = excluded.discoverable, indexable = excluded.indexable,
              decision_id = excluded.decision_id, updated_at = excluded.updated_at
        """,
        [c.activity.actor.id for c in cleared],
        [p.display_name for p in profiles],
        [p.html for p in profiles],
        [p.text for p in profiles],
        [p.source for p in profiles],
        [
            msgspec.json.encode(
                [{"name": f.name, "html": f.value, "text": f.text} for f in p.fields]
            ).decode()
            for p in profiles
        ],
        [p.avatar.media_id if p.avatar else None for p in profiles],
        [p.avatar.url if p.avatar and p.avatar.media_id is None else None for p in profiles],
        [p.header.media_id if p.header else None for p in profiles],
        [p.header.url if p.header and p.header.media_id is None else None for p in profiles],
        [p.locked for p in profiles],
        [p.bot for p in profiles],
        [p.discoverable for p in profiles],
        [p.indexable for p in profiles],
        [c.decision_id for c in cleared],
        ground.now,
    )
    await marks.refresh_names(conn, [c.activity.actor.id for c in cleared])
    touched = Touched(accounts={c.activity.actor.id for c in cleared})
    return Applied([None] * len(cleared), [True] * len(cleared), touched)


async def close(conn: Connection, cleared: Sequence[Cleared[Delete]], ground: Ground) -> Applied:
    """Ends accounts by their own wish, and their names are not given again.

    What they wrote is out of sight at once, since read paths leave out whoever is gone; withdrawing it row by
    row,
    which may be a lifetime's posts, is upkeep's.
    """
    accounts = [c.activity.actor.id for c in cleared]
    await conn.execute(
        "update account set gone_at = $2 where id = any($1) and gone_at is null",
        accounts,
        ground.now,
    )
    await scheduled.end_all(conn, accounts, now=ground.now)
    await imports.end_all(conn, accounts, now=ground.now)
    touched = await relations.end_all(conn, accounts)
    touched.accounts |= set(accounts)
    await conn.execute("delete from notification where from_id = any($1)", accounts)
    return Applied([None] * len(cleared), [True] * len(cleared), touched)
