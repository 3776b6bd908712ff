"""What people decide about identities: to answer for somebody, to withdraw what was verified, to give it
back. And what a person decides about their own: to take it away from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from .. import statements
from ..activity import AccountId
from ..connection import Connection
from ..errors import NotAllowed
from ..records import Detail, RecordKind, Source
from ..statements import Matter
from ..vault import Field, PaperId
from ..verdict import DecisionId, Reason
from . import claims, holders, sending, states
from .holders import KEEP_MONTHS
from .notes import note
from .states import ACCOUNTS_PER_IDENTITY, GRACE_DAYS, REVERIFY_MONTHS, Event, Identity, Method, SubjectType


async def attest(
    conn: Connection,
    account_id: AccountId,
    *,
    reason: str,
    by: AccountId | None,
    now: datetime,
    months: int = REVERIFY_MONTHS,
    grace_days: int = GRACE_DAYS,
    source: Source,
    new_id: Callable[[], int],
) -> Identity:
    """Verified because somebody answers for having seen who it is. Only the result and the reason are
    kept."""
    if not reason.strip():
        raise NotAllowed("an attestation needs a reason")
    if by == account_id:
        raise NotAllowed("nobody attests themselves")
    known = await states.set_verified(
        conn,
        account_id,
        Method.ATTESTATION,
        event=Event.ATTEST,
        months=months,
        grace_days=grace_days,
        now=now,
        new_id=new_id,
    )
    detail: Detail = {"reason": reason.strip()}
    await note(
        conn, RecordKind.IDENTITY_ATTEST, by, account_id, detail, source=source, now=now, new_id=new_id
    )
    return known


async def verify_organisation(
    conn: Connection,
    account_id: AccountId,
    *,
    papers: Sequence[PaperId],
    masked: Mapping[PaperId, str] | None = None,
    by: AccountId | None,
    now: datetime,
    months: int = REVERIFY_MONTHS,
    grace_days: int = GRACE_DAYS,
    source: Source,
    new_id: Callable[[], int],
) -> Identity:
    """An organisation is known because its certification was approved. The numbers among `papers`, which are
    its own in the vault, are what it is counted by; `masked` is what may be shown of them."""
    rows = await conn.fetch(
        """
        select id, field, index from vault.paper
        where id = any($1) and account_id = $2 and index is not null and field in ('uscc', 'org-code')
        order by id
        """,
        list(papers),
        account_id,
    )
    shown = masked or {}
    for row in rows:
        wanted = [holders.Index(kind=Field(row["field"]), index=row["index"])]
        await holders.count(conn, wanted, besides=account_id)
        await holders.keep(
            conn, account_id, wanted, masked=shown.get(row["id"], "****"), paper_id=row["id"], now=now
        )
    known = await states.set_verified(
        conn,
        account_id,
        Method.CERTIFICATION,
        subject=SubjectType.ORGANISATION,
        paper_id=rows[0]["id"] if rows else None,
        months=months,
        grace_days=grace_days,
        now=now,
        new_id=new_id,
    )
    detail: Detail = {"method": Method.CERTIFICATION.value}
    await note(
        conn, RecordKind.IDENTITY_VERIFY, by, account_id, detail, source=source, now=now, new_id=new_id
    )
    return known


async def revoke(
    conn: Connection,
    account_id: AccountId,
    *,
    reason: str,
    by: AccountId | None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> DecisionId:
    """A person found the identity false: no publishing until a person finds otherwise. Says the decision that
    the account is told of, and may appeal against."""
    if not reason.strip():
        raise NotAllowed("a decision needs a statement of reasons")
    if by == account_id:
        raise NotAllowed("nobody decides about their own identity")
    await states.move(conn, account_id, Event.REVOKE, now=now)
    await conn.execute("delete from compliance.phone_code where account_id = $1", account_id)
    decision_id = await statements.issue(
        conn,
        account_id,
        Matter.IDENTITY,
        Reason.IDENTITY_REVOKED,
        about=f"identity:{account_id}",
        statement=reason,
        by=by,
        now=now,
        new_id=new_id,
    )
    await note(
        conn,
        RecordKind.IDENTITY_REVOKE,
        by,
        account_id,
        {"reason": reason.strip()},
        decision_id=decision_id,
        source=source,
        now=now,
        new_id=new_id,
    )
    return decision_id


async def restore(
    conn: Connection,
    account_id: AccountId,
    *,
    reason: str,
    by: AccountId | None,
    accounts_per_identity: int = ACCOUNTS_PER_IDENTITY,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Identity:
    """Takes a revocation back. Where its number has verified as many other accounts as it may meanwhile, the
    identity has to be verified anew."""
    if not reason.strip():
        raise NotAllowed("a decision needs a statement of reasons")
    if by == account_id:
        raise NotAllowed("nobody decides about their own identity")
    indexes = await holders.indexes_of(conn, account_id)
    is_full = await holders.count(conn, indexes, besides=account_id) >= accounts_per_identity
    known = await states.set_restored(conn, account_id, anew=is_full, now=now)
    detail: Detail = {"reason": reason.strip(), "state": known.state.value}
    await note(
        conn, RecordKind.IDENTITY_RESTORE, by, account_id, detail, source=source, now=now, new_id=new_id
    )
    return known


async def withdraw(
    conn: Connection,
    account_id: AccountId,
    *,
    keep_months: int = KEEP_MONTHS,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> datetime | None:
    """Takes the person's own identity away from here: publishing ends now. Says until when the sealed number
    is kept, because the law asks for it of whoever has published; `None` where nothing is kept."""
    before = await states.move(conn, account_id, Event.WITHDRAW, now=now)
    await conn.execute("delete from compliance.phone_code where account_id = $1", account_id)
    waiting = await claims.find_open(conn, account_id)
    if waiting is not None:
        await sending.withdraw(conn, waiting.id, account_id, now=now, source=source, new_id=new_id)
    months = keep_months if before.verified_at is not None else 0
    until: datetime = await conn.fetchval("select $1::timestamptz + make_interval(months => $2)", now, months)
    await holders.release(conn, account_id, months=months, now=now)
    await claims.blank(conn, account_id)
    detail: Detail = {"state": before.state.value}
    await note(
        conn,
        RecordKind.IDENTITY_WITHDRAW,
        account_id,
        account_id,
        detail,
        source=source,
        now=now,
        new_id=new_id,
    )
    return until if until > now else None
