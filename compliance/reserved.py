"""Names that nobody here takes who is not certified under them: agencies, the press, whatever the operator
adds; and the names of everybody who is certified here.

The list starts from `texts/reserved-names.txt`. A name that the operator gives up stays noted as given up, so
that it does not come back with the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed, NotFound
from .lookalikes import skeletons
from .records import Entry, RecordKind, Source, write

MOST_CHARS = 100


@dataclass(frozen=True, slots=True)
class ReservedName:
    """A name as it was written, and since when it is reserved."""

    name: str
    since: datetime


async def seed(conn: Connection, *, now: datetime) -> int:
    """Reserves the names that come with the server, except those that the operator gave up."""
    return await _insert(conn, _bundled(), now=now, again=False)


async def reserve(
    conn: Connection,
    names: Collection[str],
    *,
    by: AccountId | None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> int:
    """Reserves names, and says how many of them were not reserved before."""
    for name in names:
        if not skeletons(name) or len(name) > MOST_CHARS:
            raise NotAllowed(f"“{name[:MOST_CHARS]}” is no name: two letters or more, 100 at most")
    added = await _insert(conn, names, now=now, again=True)
    if added:
        entry = Entry(RecordKind.NAME_RESERVE, by, None, source=source, detail={"names": "\n".join(names)})
        await write(conn, [entry], now=now, new_id=new_id)
    return added


async def release(
    conn: Connection,
    name: str,
    *,
    by: AccountId | None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Gives a name up; `NotFound` where it is not reserved."""
    released = await conn.fetch(
        """
        update compliance.reserved_name set reserved = false, changed_at = $2
        where skeleton = any($1) and reserved returning skeleton
        """,
        list(skeletons(name)),
        now,
    )
    if not released:
        raise NotFound("This name is not reserved")
    entry = Entry(RecordKind.NAME_RELEASE, by, None, source=source, detail={"names": name})
    await write(conn, [entry], now=now, new_id=new_id)


async def list_(conn: Connection) -> list[ReservedName]:
    """The names that are reserved, in order."""
    rows = await conn.fetch(
        "select distinct on (name) name, changed_at from compliance.reserved_name where reserved "
        "order by name, changed_at"
    )
    return [ReservedName(row["name"], row["changed_at"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Naming:
    """How a name that an account wants to show stands to the names of others."""

    imitates: bool
    """It is reserved, or somebody's who is certified, and this account is not certified under it."""
    is_marked: bool
    """Whether the account is certified itself."""


async def weigh(
    conn: Connection, wanted: Mapping[int, tuple[AccountId, str]], *, now: datetime
) -> dict[int, Naming]:
    """For each of these accounts, whether it may be called what it wants to be.

    Two people may have one name: whoever had it before somebody else of that name was certified keeps it. Of
    organisations there is one of each name.
    """
    asked = [(key, who, name, look) for key, (who, name) in wanted.items() for look in skeletons(name)]
    if not asked:
        return {}
    rows = await conn.fetch(
        """
        select s.key, k.account_id is not null as is_marked,
          own.account_id is null and (
            r.skeleton is not null
            or coalesce(n.is_an_organisations, p.display_name is distinct from s.name and n.is_somebodys)
          ) as imitates
        from unnest($1::int[], $2::bigint[], $3::text[], $4::text[]) as s(key, account_id, name, skeleton)
          left join public.mark k on k.account_id = s.account_id and k.expires_at > $5
          left join public.mark_name own on own.account_id = k.account_id and own.skeleton = s.skeleton
          left join public.profile p on p.account_id = s.account_id
          left join compliance.reserved_name r on r.skeleton = s.skeleton and r.reserved
          left join lateral (
            select nullif(bool_or(m.class <> 'individual'), false) as is_an_organisations,
                   count(*) > 0 as is_somebodys
            from public.mark_name o join public.mark m on m.account_id = o.account_id
            where o.skeleton = s.skeleton and o.account_id <> s.account_id and m.expires_at > $5
          ) n on true
        """,
        [each[0] for each in asked],
        [each[1] for each in asked],
        [each[2] for each in asked],
        [each[3] for each in asked],
        now,
    )
    found: dict[int, Naming] = {}
    for row in rows:
        before = found.get(row["key"])
        found[row["key"]] = Naming(
            imitates=bool(row["imitates"]) or (before is not None and before.imitates),
            is_marked=row["is_marked"],
        )
    return found


async def is_taken(conn: Connection, name: str, *, now: datetime) -> bool:
    """Whether somebody new would be taken for somebody who is certified, or for an agency, by this name."""
    found = await conn.fetchval(
        """
        select exists (select from compliance.reserved_name where skeleton = any($1) and reserved)
          or exists (
            select from public.mark_name n join public.mark m on m.account_id = n.account_id
            where n.skeleton = any($1) and m.expires_at > $2)
        """,
        list(skeletons(name)),
        now,
    )
    return bool(found)


async def _insert(conn: Connection, names: Iterable[str], *, now: datetime, again: bool) -> int:
    pairs = sorted({look: name for name in names for look in skeletons(name)}.items())
    rows = await conn.fetch(
        """
        insert into compliance.reserved_name as r (skeleton, name, changed_at)
        select skeleton, name, $3 from unnest($1::text[], $2::text[]) as n(skeleton, name)
        on conflict (skeleton) do update
          set reserved = true, name = excluded.name, changed_at = excluded.changed_at
          where $4 and not r.reserved
        returning name
        """,
        [look for look, _ in pairs],
        [name for _, name in pairs],
        now,
        again,
    )
    return len({row["name"] for row in rows})


def _bundled() -> list[str]:
    text = files(__package__).joinpath("texts/reserved-names.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
