"""Whatever is sealed by the master key is sealed anew by a rotation: no column is left out of the list."""

from __future__ import annotations

import asyncpg

from server.store.resealing import PLACES

_SEALED_OTHERWISE = {
    # A person's key seals the paper itself; that key is in the list.
    ("vault.paper", "sealed"),
    # Links of half an hour: older ones are thrown away, and nothing writes this column.
    ("public.mail_link", "email_sealed"),
}


async def test_every_sealed_column_is_in_the_list(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    """Or what it holds would be lost with the key that is retired."""
    rows = await conn.fetch(
        """
        select n.nspname || '.' || c.relname as place, a.attname as name
        from pg_attribute a join pg_class c on c.oid = a.attrelid
          join pg_namespace n on n.oid = c.relnamespace
        where a.atttypid = 'bytea'::regtype and c.relkind in ('r', 'p') and a.attnum > 0
          and not a.attisdropped
          and n.nspname in ('public', 'compliance', 'vault', 'federation') and a.attname ~ '(sealed|wrapped)'
        """
    )
    found = {(row["place"], row["name"]) for row in rows}
    listed = {(place.table, place.column) for place in PLACES}
    assert listed | _SEALED_OTHERWISE == found
