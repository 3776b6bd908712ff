"""Sealed identity papers: the running server puts them in and counts them, and cannot read what it put in.

Each paper has a data key of its own, wrapped by the master key, so that rotating the master key re-wraps keys
and touches no paper, and destroying one data key destroys one paper. The index tells whether two papers say
the same without opening either.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import NewType

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .activity import AccountId
from .connection import Connection
from .sealing import Sealer

PaperId = NewType("PaperId", int)

_NONCE_BYTES = 12


async def put(
    conn: Connection,
    account_id: AccountId,
    field: str,
    value: str,
    *,
    sealer: Sealer,
    now: datetime,
    new_id: Callable[[], int],
) -> PaperId:
    """Seals `value` for this account and field. Whose it is and what it is are authenticated with it."""
    paper_id = PaperId(new_id())
    key = AESGCM.generate_key(256)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    context = f"paper:{account_id}:{field}:{sealer.version}"
    await conn.execute(
        """
        insert into vault.paper (id, account_id, field, sealed, wrapped_key, key_version, index, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        paper_id,
        account_id,
        field,
        nonce + AESGCM(key).encrypt(nonce, value.encode(), context.encode()),
        sealer.seal(key, context=context),
        sealer.version,
        sealer.index(value, purpose=index_purpose(field)),
        now,
    )
    return paper_id


def index_purpose(field: str) -> str:
    """What the blind indexes of one kind of paper are keyed by."""
    return {"mobile": "phone"}.get(field, field)


async def count_holders(conn: Connection, field: str, index: bytes, *, besides: AccountId) -> int:
    """How many other accounts are verified by this very paper now. Blind: nothing is opened."""
    count: int = await conn.fetchval(
        """
        select count(*) from vault.paper p join compliance.identity i on i.paper_id = p.id
        where p.field = $1 and p.index = $2 and i.account_id <> $3 and i.state in ('verified', 'due')
        """,
        field,
        index,
        besides,
    )
    return count
