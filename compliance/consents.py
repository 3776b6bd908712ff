"""Consent to one purpose of its own, apart from the agreement (PIPL, articles 13 to 15 and 29).

It is asked for before what it is about is taken, and can be taken back as easily as it was given. What was
done meanwhile stays done. A new version of what is asked is asked again.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from .activity import AccountId
from .connection import Connection
from .records import Entry, RecordKind, Source, write


class Purpose(enum.StrEnum):
    """What is consented to; the values are what the database stores."""

    IDENTITY = "identity"
    """That numbers and papers are taken, compared, sealed and kept, to verify who somebody is."""


VERSIONS: Mapping[Purpose, int] = MappingProxyType({Purpose.IDENTITY: 1})
"""Of the words that are shown beside the box to tick; raised when their meaning changes."""


async def find(conn: Connection, account_id: AccountId, purpose: Purpose) -> datetime | None:
    """Since when the account consents to what is asked now; `None` where it does not."""
    given: datetime | None = await conn.fetchval(
        """
        select given_at from compliance.consent
        where account_id = $1 and purpose = $2 and version = $3 and ended_at is null
        """,
        account_id,
        purpose.value,
        VERSIONS[purpose],
    )
    return given


async def give(
    conn: Connection,
    account_id: AccountId,
    purpose: Purpose,
    *,
    locale: str,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Notes a consent, once; one to an earlier version ends by it."""
    if await find(conn, account_id, purpose) is not None:
        return
    await _end(conn, account_id, purpose, now)
    await conn.execute(
        """
        insert into compliance.consent (id, account_id, purpose, version, locale, given_at)
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing
        """,
        new_id(),
        account_id,
        purpose.value,
        VERSIONS[purpose],
        locale,
        now,
    )
    entry = Entry(
        RecordKind.CONSENT_GIVE,
        account_id,
        purpose.value,
        source=source,
        detail={"version": VERSIONS[purpose], "locale": locale},
    )
    await write(conn, [entry], now=now, new_id=new_id)


async def end(
    conn: Connection,
    account_id: AccountId,
    purpose: Purpose,
    *,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> bool:
    """Takes a consent back; `False` where there was none."""
    if not await _end(conn, account_id, purpose, now):
        return False
    entry = Entry(RecordKind.CONSENT_END, account_id, purpose.value, source=source)
    await write(conn, [entry], now=now, new_id=new_id)
    return True


async def _end(conn: Connection, account_id: AccountId, purpose: Purpose, now: datetime) -> bool:
    ended: int | None = await conn.fetchval(
        """
        update compliance.consent set ended_at = $3
        where account_id = $1 and purpose = $2 and ended_at is null returning version
        """,
        account_id,
        purpose.value,
        now,
    )
    return ended is not None
