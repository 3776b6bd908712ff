"""Another's word: an identity provider knows who somebody is, and says so without handing the number over.

What it calls the person is a pseudonym. It is kept in the vault, and counted like a number.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from .. import vault
from ..activity import AccountId
from ..connection import Connection
from ..errors import NotAllowed
from ..records import RecordKind, Source
from ..sealing import Sealer
from ..vault import Field
from . import holders, states
from .claims import Terms
from .holders import Index
from .mobile import NotConfirmed
from .notes import note
from .states import Identity, IdentityState, Method

MAX_SUBJECT = 255


async def confirm_external(
    conn: Connection,
    account_id: AccountId,
    issuer: str,
    subject: str,
    *,
    terms: Terms,
    sealer: Sealer,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Identity | NotConfirmed:
    """Verified, because `issuer` answered for this person just now, whom it calls `subject`; or `IN_USE`,
    which only that person hears. `NotAllowed` for who was revoked."""
    if not issuer or not 0 < len(subject) <= MAX_SUBJECT:
        raise NotAllowed("an issuer and a subject of 1 to 255 characters are needed")
    if (await states.lock(conn, account_id)).state is IdentityState.REVOKED:
        raise NotAllowed("this identity was revoked by a person, and only a person restores it")
    # One name for both: two providers may call two people the same.
    value = f"{issuer}\n{subject}"
    index = sealer.index(value, purpose=vault.index_purpose(Field.EXTERNAL_SUBJECT))
    wanted = [Index(kind=Field.EXTERNAL_SUBJECT, index=index)]
    if await holders.count(conn, wanted, besides=account_id) >= terms.accounts:
        return NotConfirmed.IN_USE
    paper_id = await vault.put(
        conn,
        account_id,
        Field.EXTERNAL_SUBJECT,
        value,
        sealer=sealer,
        now=now,
        new_id=new_id,
        forget=terms.forget,
    )
    await holders.keep(
        conn, account_id, wanted, masked=issuer, paper_id=paper_id, keep_months=terms.keep_months, now=now
    )
    known = await states.set_verified(
        conn,
        account_id,
        Method.OIDC,
        paper_id=paper_id,
        months=terms.months,
        grace_days=terms.grace_days,
        now=now,
        new_id=new_id,
    )
    await note(
        conn,
        RecordKind.IDENTITY_VERIFY,
        account_id,
        account_id,
        {"method": Method.OIDC.value, "issuer": issuer},
        source=source,
        now=now,
        new_id=new_id,
    )
    return known
