"""What people decide about claims, and what becomes of a claim's papers afterwards.

Nobody reviews their own. A reviewer may look and advise; who decides is the server's to say. A claim that was
declined can be appealed against, and is then looked at by somebody else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from .. import statements, vault
from ..activity import AccountId
from ..connection import Connection
from ..errors import NotAllowed
from ..records import Detail, Entry, RecordKind, Source, write
from ..statements import Matter
from ..vault import PaperId
from ..verdict import DecisionId, Reason
from . import claims, holders, sending, states
from .claims import Claim, ClaimState, Terms
from .notes import note
from .states import Event, IdentityState

PAPERS_DAYS = 30
MAX_WORDS = 2_000


async def used_by(conn: Connection, claim: Claim) -> int:
    """How many other accounts the claim's number has verified: for reviewers' eyes."""
    return await holders.count(conn, claim.counted, besides=claim.account_id)


async def advise(
    conn: Connection,
    claim_id: int,
    *,
    reviewer: AccountId,
    approve: bool,
    words: str,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> None:
    """What somebody who checked the papers thinks, for whoever decides."""
    claim = await _waiting(conn, claim_id, reviewer)
    advice = "approve" if approve else "decline"
    await conn.execute(
        """
        update compliance.identity_claim
        set advice = $2, advised_by = $3, advised_note = $4, updated_at = $5 where id = $1
        """,
        claim_id,
        advice,
        reviewer,
        words.strip()[:MAX_WORDS],
        now,
    )
    detail: Detail = {"claim": str(claim_id), "advice": advice}
    await note(
        conn,
        RecordKind.IDENTITY_ADVISE,
        reviewer,
        claim.account_id,
        detail,
        source=source,
        now=now,
        new_id=new_id,
    )


async def ask(
    conn: Connection,
    claim_id: int,
    *,
    reviewer: AccountId,
    question: str,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Claim:
    """Asks for more papers, and says which."""
    claim = await _waiting(conn, claim_id, reviewer)
    if not question.strip():
        raise NotAllowed("say what is missing")
    await conn.execute(
        "update compliance.identity_claim set state = 'more', question = $2, updated_at = $3 where id = $1",
        claim_id,
        question.strip()[:MAX_WORDS],
        now,
    )
    detail: Detail = {"claim": str(claim_id)}
    await note(
        conn,
        RecordKind.IDENTITY_MORE,
        reviewer,
        claim.account_id,
        detail,
        source=source,
        now=now,
        new_id=new_id,
    )
    return claim


async def approve(
    conn: Connection,
    claim_id: int,
    *,
    reviewer: AccountId,
    terms: Terms,
    papers_days: int = PAPERS_DAYS,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> Claim:
    """A person found that claim and papers agree. `NotAllowed` where the number has verified as many accounts
    as it may."""
    claim = await _waiting(conn, claim_id, reviewer)
    if await used_by(conn, claim) >= terms.accounts:
        raise NotAllowed("this number has verified as many accounts as one number may")
    await _decide(conn, claim, ClaimState.APPROVED, reviewer=reviewer, now=now)
    await sending.verify_by(conn, claim, terms=terms, by=reviewer, now=now, source=source, new_id=new_id)
    # The name stays with the number, for as long as the account is verified by them.
    await sending.end_papers(conn, claim, words=terms.forget, ends_at=now + timedelta(days=papers_days))
    if terms.forget:
        await vault.forget(conn, claim.papers[:1], now=now)
    return claim


async def decline(
    conn: Connection,
    claim_id: int,
    *,
    reviewer: AccountId,
    reason: str,
    papers_days: int = PAPERS_DAYS,
    now: datetime,
    source: Source,
    new_id: Callable[[], int],
) -> tuple[Claim, DecisionId]:
    """A person found that they do not agree. Says the decision that the account is told of."""
    claim = await _waiting(conn, claim_id, reviewer)
    decision_id = await statements.issue(
        conn,
        claim.account_id,
        Matter.IDENTITY,
        Reason.IDENTITY_REJECTED,
        about=claim.case,
        statement=reason,
        by=reviewer,
        now=now,
        new_id=new_id,
    )
    await _decide(
        conn,
        claim,
        ClaimState.DECLINED,
        reviewer=reviewer,
        statement=reason.strip(),
        decision_id=decision_id,
        now=now,
    )
    await states.move(conn, claim.account_id, Event.DECLINE, now=now)
    await sending.end_papers(conn, claim, words=True, ends_at=now + timedelta(days=papers_days))
    detail: Detail = {"claim": str(claim.id), "reason": reason.strip()}
    await note(
        conn,
        RecordKind.IDENTITY_REJECT,
        reviewer,
        claim.account_id,
        detail,
        decision_id=decision_id,
        source=source,
        now=now,
        new_id=new_id,
    )
    return claim, decision_id


async def reopen(conn: Connection, claim_id: int, *, now: datetime) -> bool:
    """A declined claim waits again, because another person found the refusal wrong; `False` where its papers
    are gone, or another claim waits, and it has to be made anew."""
    claim = await claims.get(conn, claim_id)
    if (await states.lock(conn, claim.account_id)).state is IdentityState.REVOKED:
        return False
    await states.move(conn, claim.account_id, Event.START, now=now)
    if await claims.find_open(conn, claim.account_id) is not None:
        return False
    kept: int = await conn.fetchval("select count(*) from vault.paper where id = any($1)", list(claim.papers))
    if claim.state is not ClaimState.DECLINED or not claim.counted or kept < len(claim.papers):
        return False
    await conn.execute("delete from compliance.paper_end where claim_id = $1", claim_id)
    await conn.execute(
        """
        update compliance.identity_claim
        set state = 'waiting', barred = barred || decided_by, decided_by = null, decided_at = null,
            advice = null, advised_by = null, advised_note = null, updated_at = $2
        where id = $1
        """,
        claim_id,
        now,
    )
    return True


async def shred_ended(
    conn: Connection, now: datetime, *, source: Source, new_id: Callable[[], int], limit: int = 200
) -> int:
    """Destroys papers whose time is over, some at a call. Those of a claim whose refusal is being appealed
    against stay until that is decided, and those that a legal hold names until it ends."""
    rows = await conn.fetch(
        """
        select e.paper_id, e.account_id from compliance.paper_end e
        where e.ends_at <= $1
          and not exists (select from compliance.identity_number n where n.paper_id = e.paper_id)
          and not exists (
            select from compliance.identity_claim c
              join compliance.appeal a on a.decision_id = c.decision_id and a.state = 'waiting'
            where c.id = e.claim_id)
          and not exists (
            select from vault.opening o
            where o.account_id = e.account_id and o.state = 'read' and o.hold_until > $1)
        order by e.ends_at limit $2 for update of e skip locked
        """,
        now,
        limit,
    )
    if not rows:
        return 0
    papers = [PaperId(row["paper_id"]) for row in rows]
    await vault.shred_papers(conn, papers)
    await conn.execute("delete from compliance.paper_end where paper_id = any($1)", papers)
    of: dict[AccountId, int] = {}
    for row in rows:
        of[AccountId(row["account_id"])] = of.get(AccountId(row["account_id"]), 0) + 1
    entries = [
        Entry(RecordKind.IDENTITY_SHRED, None, str(account_id), source=source, detail={"papers": count})
        for account_id, count in of.items()
    ]
    await write(conn, entries, now=now, new_id=new_id)
    return len(rows)


async def _waiting(conn: Connection, claim_id: int, reviewer: AccountId) -> Claim:
    await conn.execute("select from compliance.identity_claim where id = $1 for update", claim_id)
    claim = await claims.get(conn, claim_id)
    if claim.account_id == reviewer:
        raise NotAllowed("nobody reviews their own claim")
    if claim.state is not ClaimState.WAITING:
        raise NotAllowed("this claim does not wait for a decision")
    if reviewer in claim.barred:
        raise NotAllowed("a claim that was refused wrongly is looked at by another person")
    return claim


async def _decide(
    conn: Connection,
    claim: Claim,
    state: ClaimState,
    *,
    reviewer: AccountId,
    statement: str | None = None,
    decision_id: DecisionId | None = None,
    now: datetime,
) -> None:
    await conn.execute(
        """
        update compliance.identity_claim
        set state = $2, decided_by = $3, decided_at = $4, statement = $5, decision_id = $6, updated_at = $4
        where id = $1
        """,
        claim.id,
        state.value,
        reviewer,
        now,
        statement,
        decision_id,
    )
