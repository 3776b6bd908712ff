"""What a person does about a claim of theirs: sends it, adds to it, takes it back.

What is in use elsewhere shows nowhere here: it is counted for everybody, and changes only what a reviewer
sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from .. import vault
from ..activity import AccountId
from ..connection import Connection
from ..errors import NotAllowed
from ..numbers import masked_name
from ..records import RecordKind, Source
from ..sealing import Sealer
from ..vault import PaperId
from ..ways import CheckOutcome
from . import claims, holders, states
from .claims import Claim, ClaimState, Counted, Said, Scan, Terms
from .notes import note
from .states import Event

_encode = msgspec.json.Encoder().encode


async def submit(
    conn: Connection,
    account_id: AccountId,
    said: Said,
    scans: Sequence[Scan],
    outcome: CheckOutcome,
    *,
    terms: Terms,
    sealer: Sealer,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Claim | None:
    """Takes a claim. Approved at once where the one asked agrees; else it waits for a person, who needs
    papers to look at: `None`, and nothing is kept, where there are none.

    A number that has verified as many accounts as it may goes the way of one that nobody knows.
    """
    await states.move(conn, account_id, Event.START, now=now)
    if await claims.find_open(conn, account_id) is not None:
        raise NotAllowed("a claim of this account is looked at already")
    indexes = said.number.indexes(sealer)
    used = await holders.count(conn, indexes, besides=account_id)
    agreed = outcome.agrees is True and used < terms.accounts
    if not agreed and not scans:
        return None
    claim_id, papers, number_paper = new_id(), [], None
    forget = agreed and terms.forget
    for what, value in ((said.number.field, said.number.value), *said.names.items()):
        if forget and what is not said.number.field:
            continue
        paper_id = await vault.put(
            conn, account_id, what, value, sealer=sealer, now=now, new_id=new_id, forget=forget
        )
        number_paper = number_paper or paper_id
        papers.append(paper_id)
    papers += [
        await _put_scan(conn, account_id, scan, sealer=sealer, now=now, new_id=new_id)
        for scan in (() if agreed else scans)
    ]
    await conn.execute(
        """
        insert into compliance.identity_claim
          (id, account_id, method, subject, state, numbers, shown, papers, agrees, reference, decided_at,
           created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9, $10, $11, $12, $12)
        """,
        claim_id,
        account_id,
        said.method.value,
        said.subject.value,
        (ClaimState.APPROVED if agreed else ClaimState.WAITING).value,
        _encode([Counted(one.kind.value, one.index) for one in indexes]).decode(),
        _encode(_shown(said)).decode(),
        papers,
        outcome.agrees,
        outcome.reference,
        now if agreed else None,
        now,
    )
    claim = await claims.get(conn, claim_id)
    detail: dict[str, str | int | bool | None] = {
        "method": said.method.value,
        "claim": str(claim_id),
        "agrees": outcome.agrees,
    }
    await note(
        conn,
        RecordKind.IDENTITY_CLAIM,
        account_id,
        account_id,
        detail,
        source=source,
        now=now,
        new_id=new_id,
    )
    if agreed:
        await verify_by(conn, claim, terms=terms, by=account_id, now=now, source=source, new_id=new_id)
    return claim


async def verify_by(
    conn: Connection,
    claim: Claim,
    *,
    terms: Terms,
    by: AccountId | None,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """The account is verified by what it claimed."""
    number_paper = claim.papers[0]
    masked = next(iter(claim.shown.values()), "****")
    await holders.keep(
        conn,
        claim.account_id,
        claim.counted,
        masked=masked,
        paper_id=number_paper,
        keep_months=terms.keep_months,
        now=now,
    )
    await states.set_verified(
        conn,
        claim.account_id,
        claim.method,
        subject=claim.subject,
        paper_id=number_paper,
        months=terms.months,
        grace_days=terms.grace_days,
        now=now,
        new_id=new_id,
    )
    await note(
        conn,
        RecordKind.IDENTITY_VERIFY,
        by,
        claim.account_id,
        {"method": claim.method.value, "claim": str(claim.id)},
        source=source,
        now=now,
        new_id=new_id,
    )


async def answer(
    conn: Connection,
    claim_id: int,
    account_id: AccountId,
    scans: Sequence[Scan],
    *,
    sealer: Sealer,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Adds the papers that were asked for; the claim waits again."""
    claim = await claims.own(conn, claim_id, account_id)
    if claim.state is not ClaimState.MORE:
        raise NotAllowed("nothing more is asked for")
    if not scans:
        raise NotAllowed("an answer needs a picture")
    papers = [
        await _put_scan(conn, account_id, scan, sealer=sealer, now=now, new_id=new_id) for scan in scans
    ]
    await conn.execute(
        """
        update compliance.identity_claim
        set state = 'waiting', papers = papers || $2::bigint[], updated_at = $3, advice = null,
            advised_by = null, advised_note = null
        where id = $1
        """,
        claim_id,
        papers,
        now,
    )
    await note(
        conn,
        RecordKind.IDENTITY_CLAIM,
        account_id,
        account_id,
        {"method": claim.method.value, "claim": str(claim_id), "more": len(papers)},
        source=source,
        now=now,
        new_id=new_id,
    )


async def withdraw(
    conn: Connection,
    claim_id: int,
    account_id: AccountId,
    *,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """Takes a claim back; its papers are to be destroyed at once."""
    claim = await claims.own(conn, claim_id, account_id)
    if not claim.is_open:
        raise NotAllowed("this claim has been decided")
    await conn.execute(
        """
        update compliance.identity_claim set state = 'withdrawn', decided_at = $2, updated_at = $2
        where id = $1
        """,
        claim_id,
        now,
    )
    await end_papers(conn, claim, words=True, ends_at=now)
    await note(
        conn,
        RecordKind.IDENTITY_CLAIM,
        account_id,
        account_id,
        {"claim": str(claim_id), "withdrawn": True},
        source=source,
        now=now,
        new_id=new_id,
    )


async def end_papers(conn: Connection, claim: Claim, *, words: bool, ends_at: datetime) -> None:
    """When the pictures of a claim, and with `words` what was typed, are to be destroyed; what an identity
    rests on stays."""
    await conn.execute(
        """
        insert into compliance.paper_end (paper_id, account_id, claim_id, why, ends_at)
        select p.id, $2, $3, 'decided', $4 from vault.paper p
        where p.id = any($1) and ($5 or p.field = 'scan')
          and not exists (select from compliance.identity_number n where n.paper_id = p.id)
        on conflict (paper_id) do update set ends_at = excluded.ends_at
        """,
        list(claim.papers),
        claim.account_id,
        claim.id,
        ends_at,
        words,
    )


async def _put_scan(
    conn: Connection,
    account_id: AccountId,
    scan: Scan,
    *,
    sealer: Sealer,
    now: datetime,
    new_id: Callable[[], int],
) -> PaperId:
    return await vault.put_scan(
        conn, account_id, scan.data, mime=scan.mime, name=scan.name, sealer=sealer, now=now, new_id=new_id
    )


def _shown(said: Said) -> dict[str, str]:
    """The number first: what is masked is all that the row knows of it."""
    names = {what.value: masked_name(name) for what, name in said.names.items()}
    return {said.number.field.value: said.number.masked, **names}
