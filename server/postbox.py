"""Letters that outlive a crash: put into the database with what they tell of, and sent after its commit."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .db.pool import Connection
from .letters import Letter
from .pipeline import Road
from .store import postbox
from .store.postbox import Waiting

CHANNEL = "letters"
"""Whoever posted wakes this after the commit."""


async def post(road: Road, conn: Connection, letters: Sequence[Letter]) -> None:
    """Puts letters in, in the transaction that is open."""
    if not letters:
        return
    sealed = []
    for letter in letters:
        number = road.ids()
        sealed.append((number, road.sealer.seal(msgspec.json.encode(letter), context=_context(number))))
    await postbox.insert(conn, sealed, now=road.clock())


def opened(road: Road, waiting: Waiting) -> Letter:
    """The letter as it was put in."""
    return msgspec.json.decode(road.sealer.open(waiting.sealed, context=_context(waiting.id)), type=Letter)


def _context(number: int) -> str:
    return f"letter:{number}"
