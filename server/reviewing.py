"""What people decide about identities, with all that follows: terms, notices, and who is woken.

The operators' pages and the command line share these.
"""

from __future__ import annotations

import enum

from compliance import identity
from compliance.activity import AccountId
from compliance.identity import claims, review
from compliance.records import Source

from . import identities, telling
from .pipeline import Road
from .telling import Code


class Outcome(enum.StrEnum):
    """What can be done with a claim that waits."""

    APPROVE = "approve"
    DECLINE = "decline"
    MORE = "more"
    ADVISE_APPROVE = "advise-approve"
    ADVISE_DECLINE = "advise-decline"

    @property
    def decides(self) -> bool:
        """Whether only a compliance officer or the editor may."""
        return self in (Outcome.APPROVE, Outcome.DECLINE)


async def decide(
    road: Road, claim_id: int, outcome: Outcome, *, words: str, by: AccountId, source: Source
) -> None:
    """Decides a claim, asks for more, or notes an advice; its owner is told of all but the last."""
    now, days = road.clock(), road.settings.identity.papers_days
    async with road.pool.acquire() as conn, conn.transaction():
        claim = await claims.get(conn, claim_id)
        whose = claim.account_id
        match outcome:
            case Outcome.APPROVE:
                terms = await identities.terms(conn, road.settings, whose, claim.subject)
                await review.approve(
                    conn,
                    claim_id,
                    reviewer=by,
                    terms=terms,
                    papers_days=days,
                    now=now,
                    source=source,
                    new_id=road.ids,
                )
                await identities.tell(road, conn, whose, Code.IDENTITY_VERIFIED)
            case Outcome.DECLINE:
                _, decision_id = await review.decline(
                    conn,
                    claim_id,
                    reviewer=by,
                    reason=words,
                    papers_days=days,
                    now=now,
                    source=source,
                    new_id=road.ids,
                )
                await telling.tell_decision(conn, whose, decision_id, now=now, new_id=road.ids)
            case Outcome.MORE:
                await review.ask(
                    conn, claim_id, reviewer=by, question=words, now=now, source=source, new_id=road.ids
                )
                await identities.tell(road, conn, whose, Code.IDENTITY_MORE)
            case Outcome.ADVISE_APPROVE | Outcome.ADVISE_DECLINE:
                await review.advise(
                    conn,
                    claim_id,
                    reviewer=by,
                    approve=outcome is Outcome.ADVISE_APPROVE,
                    words=words,
                    now=now,
                    source=source,
                    new_id=road.ids,
                )
    road.events.notify("notices", str(whose))


async def revoke(
    road: Road, account_id: AccountId, *, reason: str, by: AccountId | None, source: Source
) -> None:
    """Withdraws an identity that a person found false; the account is told, and may appeal."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        decision_id = await identity.revoke(
            conn, account_id, reason=reason, by=by, now=now, source=source, new_id=road.ids
        )
        await telling.tell_decision(conn, account_id, decision_id, now=now, new_id=road.ids)
    road.events.notify("notices", str(account_id))


async def restore(
    road: Road, account_id: AccountId, *, reason: str, by: AccountId | None, source: Source
) -> None:
    """Takes a withdrawal back, and tells the account."""
    async with road.pool.acquire() as conn, conn.transaction():
        await identity.restore(
            conn,
            account_id,
            reason=reason,
            by=by,
            accounts_per_identity=road.settings.identity.accounts_per_identity,
            now=road.clock(),
            source=source,
            new_id=road.ids,
        )
        await identities.tell(road, conn, account_id, Code.IDENTITY_RESTORED)
    road.events.notify("notices", str(account_id))
