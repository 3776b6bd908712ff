"""What follows when an appeal about an identity was right."""

from __future__ import annotations

from ..connection import Connection
from ..overturned import Again, Overturned
from ..verdict import Reason
from . import people, review, states
from .states import IdentityState


async def overturned(conn: Connection, found: Overturned) -> Again:
    """A revoked identity is given back; a declined claim waits again, for somebody else's eyes."""
    decision = found.decision
    if decision.reason is Reason.IDENTITY_REVOKED:
        known = await states.lock(conn, decision.actor_id)
        if known.state is IdentityState.REVOKED:  # else somebody has restored it before
            await people.restore(
                conn,
                decision.actor_id,
                reason=found.statement,
                by=found.decider,
                now=found.now,
                accounts_per_identity=found.accounts_per_identity,
                source=found.source,
                new_id=found.new_id,
            )
    elif decision.reason is Reason.IDENTITY_REJECTED:
        _, _, claim_id = (decision.object_uri or "").partition(":")
        await review.reopen(conn, int(claim_id), now=found.now)
    return None
