"""The real name in front (Article 7: voluntary), for people with many readers, where the operator asks it.

    (none) ──many readers──> asked ──agrees──> shown ──takes it back──> hidden ──agrees──> shown

The vault is not opened for it. Somebody who agrees types the name; it must be the one their identity was
verified by, compared blind. That copy is sealed by the server's own key, is shown to verified people who are
logged in and to nobody else, and is destroyed when they take it back.

Where the operator requires it, whoever was asked and does not agree has a day (`due_at`) until which they
publish without it; the gate asks for it from then on.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from datetime import datetime

from . import claims
from .activity import AccountId
from .connection import Connection
from .errors import NotAllowed
from .paperwork import FieldName
from .records import Entry, RecordKind, Source, write
from .sealing import Sealer
from .submitting import known_index
from .vault import Field, index_purpose


class FrontState(enum.StrEnum):
    """How it stands; no row is `none`."""

    NONE = "none"
    ASKED = "asked"
    SHOWN = "shown"
    HIDDEN = "hidden"


async def state(conn: Connection, account_id: AccountId) -> FrontState:
    """How it stands with this account."""
    found = await conn.fetchval("select state from compliance.front_name where account_id = $1", account_id)
    return FrontState(found or FrontState.NONE)


async def ask(conn: Connection, account_ids: Sequence[AccountId], *, now: datetime) -> list[AccountId]:
    """Notes that these are asked; says which were not before."""
    rows = await conn.fetch(
        """
        insert into compliance.front_name (account_id, state, asked_at, updated_at)
        select unnest($1::bigint[]), 'asked', $2, $2
        on conflict (account_id) do nothing returning account_id
        """,
        list(account_ids),
        now,
    )
    return [AccountId(row["account_id"]) for row in rows]


async def require(conn: Connection, account_ids: Sequence[AccountId], *, due_at: datetime | None) -> None:
    """Gives those of these a day who do not show it and have none yet, and takes it from everybody else;
    `None` requires it of nobody."""
    await conn.execute(
        """
        update compliance.front_name
        set due_at = case when account_id = any($1) and state <> 'shown' then coalesce(due_at, $2) end
        where due_at is not null
           or (account_id = any($1) and state <> 'shown' and $2::timestamptz is not null)
        """,
        [] if due_at is None else list(account_ids),
        due_at,
    )


async def due(conn: Connection, account_id: AccountId) -> datetime | None:
    """Until when this account publishes without it; `None` where nothing is required."""
    found: datetime | None = await conn.fetchval(
        "select due_at from compliance.front_name where account_id = $1", account_id
    )
    return found


async def agree(
    conn: Connection,
    account_id: AccountId,
    typed: str,
    *,
    sealer: Sealer,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Shows the name from now on. `NotAllowed` for a name that the identity was not verified by."""
    name = claims.tidy(FieldName.NAME, typed)
    known = await known_index(conn, account_id, Field.NAME)
    if known is None:
        raise NotAllowed("no name is known of this identity")
    if not name or sealer.index(name, purpose=index_purpose(Field.NAME)) != known:
        raise NotAllowed("this is not the name that the identity was verified by")
    await conn.execute(
        """
        insert into compliance.front_name (account_id, state, sealed, agreed_at, updated_at)
        values ($1, 'shown', $2, $3, $3)
        on conflict (account_id) do update
          set state = 'shown', sealed = excluded.sealed, agreed_at = $3, updated_at = $3, due_at = null
        """,
        account_id,
        sealer.seal(name.encode(), context=_context(account_id)),
        now,
    )
    entry = Entry(RecordKind.FRONT_NAME_AGREE, account_id, str(account_id), source=source)
    await write(conn, [entry], now=now, new_id=new_id)


async def hide(
    conn: Connection,
    account_id: AccountId,
    *,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Takes it back: the copy is destroyed."""
    await conn.execute(
        """
        update compliance.front_name set state = 'hidden', sealed = null, updated_at = $2
        where account_id = $1 and state = 'shown'
        """,
        account_id,
        now,
    )
    entry = Entry(RecordKind.FRONT_NAME_HIDE, account_id, str(account_id), source=source)
    await write(conn, [entry], now=now, new_id=new_id)


async def shown(conn: Connection, account_id: AccountId, *, sealer: Sealer) -> str | None:
    """The name, where its owner agreed; for whoever may see it."""
    sealed = await conn.fetchval(
        "select sealed from compliance.front_name where account_id = $1 and state = 'shown'", account_id
    )
    return None if sealed is None else sealer.open(sealed, context=_context(account_id)).decode()


def _context(account_id: AccountId) -> str:
    return f"front-name:{account_id}"
