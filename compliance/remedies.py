"""What becomes of a thing when the decision about it is overturned on appeal.

One entry for each `Matter`; activities that the gate refused have their own way, in `appeals`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from . import oversight, rehearing, reopening, tiers
from .connection import Connection
from .identity import remedy as identity_remedy
from .overturned import Again, Overturned
from .statements import Matter

Remedy: TypeAlias = Callable[[Connection, Overturned], Awaitable[Again]]


async def _former_tier(conn: Connection, found: Overturned) -> Again:
    return await tiers.pin_former(conn, found.decision.id, now=found.now)


async def _credit_back(_conn: Connection, _found: Overturned) -> Again:
    """What a decision cost is given back whenever one is overturned, whatever it was about: by `appeals`."""
    return None


REMEDIES: Mapping[Matter, Remedy] = {
    Matter.IDENTITY: identity_remedy.overturned,
    Matter.COMMENT: rehearing.overturned,
    Matter.TIER: _former_tier,
    Matter.CREDIT: _credit_back,
    Matter.CERTIFICATION: reopening.overturned,
    Matter.ORGANISATION: oversight.overturned,
}
"""How each kind of decision is made good."""
