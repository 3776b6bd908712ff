"""Everything that is sealed by the master key, in one list, so that a rotation can seal it anew.

Each line says where the sealed bytes stand and what they are authenticated with, as SQL. A column of sealed
bytes that is not listed here would be lost when an old key is retired: `tests/house/test_sealed.py` looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from compliance.errors import SealBroken
from compliance.sealing import Sealer

from ..db.pool import Connection

_FIRST: Final[Mapping[str, object]] = {"bigint": -(2**63), "text": "", "bytea": b""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Sealed bytes of one kind."""

    name: str
    """What an operator calls them."""
    table: str
    key: str
    key_type: str = "bigint"
    column: str
    context: str
    """What they were sealed with, as SQL over the row."""
    also: str = ""
    """What else changes with them; `$3` are the new versions' numbers, `$4` is the time."""


PLACES: Final = (
    Place(
        name="keys of people",
        table="vault.person_key",
        key="account_id",
        column="wrapped_key",
        context="'person-key:' || account_id",
        also=", key_version = $3, rewrapped_at = $4",
    ),
    Place(
        name="keys of single papers",
        table="vault.paper",
        key="id",
        column="wrapped_key",
        context="'paper:' || account_id || ':' || field || ':' || key_version",
    ),
    Place(
        name="e-mail addresses",
        table="public.member",
        key="account_id",
        column="email_sealed",
        context="'email:' || account_id",
    ),
    Place(
        name="second factors",
        table="public.member",
        key="account_id",
        column="totp_sealed",
        context="'totp:' || account_id",
    ),
    Place(
        name="keys of actors",
        table="public.actor_key",
        key="key_id",
        key_type="text",
        column="private_sealed",
        context="'actor-key:' || key_id",
    ),
    Place(
        name="keys of this server",
        table="public.server_key",
        key="key_id",
        key_type="text",
        column="private_sealed",
        context="'server-key:' || key_id",
    ),
    Place(
        name="applications that are drafts",
        table="compliance.application",
        key="id",
        column="sealed",
        context="'application:' || id",
    ),
    Place(
        name="real names that are shown",
        table="compliance.front_name",
        key="account_id",
        column="sealed",
        context="'front-name:' || account_id",
    ),
    Place(
        name="letters that wait",
        table="public.letter",
        key="id",
        column="sealed",
        context="'letter:' || id",
    ),
)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did."""

    done: int
    broken: tuple[str, ...]
    """Keys of rows that do not open."""
    last: object
    """Where the next step begins; `None` at the end."""


async def count(conn: Connection, place: Place) -> dict[int, int]:
    """How many are sealed with each version of the master key."""
    rows = await conn.fetch(
        # Names come from the list above, and from nowhere else; so below.
        f"select get_byte({place.column}, 0) as version, count(*) as count from {place.table}"  # noqa: S608
        f" where length({place.column}) > 0 group by 1"
    )
    return {row["version"]: row["count"] for row in rows}


async def step(
    conn: Connection, place: Place, sealer: Sealer, *, after: object, now: datetime, limit: int
) -> Step:
    """Seals up to `limit` rows past `after` anew, with the current key. In a transaction of its own."""
    rows = await conn.fetch(
        f"""
        select {place.key} as key, {place.column} as sealed, {place.context} as context from {place.table}
        where {place.key} > $1::{place.key_type} and length({place.column}) > 0
          and get_byte({place.column}, 0) <> $2
        order by {place.key} limit $3 for update
        """,  # noqa: S608
        _FIRST[place.key_type] if after is None else after,
        sealer.version,
        limit,
    )
    whole: list[tuple[object, bytes]] = []
    broken = []
    for row in rows:
        try:
            plain = sealer.open(row["sealed"], context=row["context"])
        except SealBroken:
            broken.append(str(row["key"]))
            continue
        whole.append((row["key"], sealer.seal(plain, context=row["context"])))
    if whole:
        values: list[object] = [[key for key, _ in whole], [sealed for _, sealed in whole]]
        if place.also:
            values += [sealer.version, now]
        await conn.execute(
            f"""
            update {place.table} t set {place.column} = n.sealed{place.also}
            from unnest($1::{place.key_type}[], $2::bytea[]) as n(key, sealed) where t.{place.key} = n.key
            """,  # noqa: S608
            *values,
        )
    return Step(len(whole), tuple(broken), rows[-1]["key"] if len(rows) == limit else None)
