"""What the operators do about an organisation, and who hears of it."""

from __future__ import annotations

from compliance import oversight
from compliance.activity import AccountId
from compliance.errors import NotAllowed
from compliance.records import Source

from .. import telling
from ..errors import Conflict, Forbidden, Invalid
from ..pipeline import Road
from ..store.model import AccountView
from ..telling import Code
from . import people

REASON_LENGTH = 1_000


async def suspend(
    road: Road, organisation: AccountView, *, reason: str, by: AccountId, source: Source
) -> None:
    """Suspends what its people may do. It and its owners are told why; it can appeal."""
    words = _reason(reason)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            decision_id = await oversight.suspend(
                conn,
                organisation.id,
                reason=words,
                by=by,
                now=road.clock(),
                source=source,
                new_id=road.ids,
            )
            await telling.tell_decision(conn, organisation.id, decision_id, now=road.clock(), new_id=road.ids)
            owners = await people.owners_of(conn, organisation.id)
            await people.tell(
                road,
                conn,
                owners,
                Code.ORGANISATION_SUSPENDED,
                f"/org/{organisation.username}",
                organisation=organisation.username,
            )
    except NotAllowed as error:
        raise _refused(error) from None
    people.wake(road, organisation.id, *owners)


async def restore(
    road: Road, organisation: AccountView, *, reason: str, by: AccountId, source: Source
) -> None:
    """Gives the rights back."""
    words = _reason(reason)
    try:
        async with road.pool.acquire() as conn, conn.transaction():
            await oversight.restore(
                conn,
                organisation.id,
                reason=words,
                by=by,
                now=road.clock(),
                source=source,
                new_id=road.ids,
            )
            owners = await people.owners_of(conn, organisation.id)
            await people.tell(
                road,
                conn,
                owners,
                Code.ORGANISATION_RESTORED,
                f"/org/{organisation.username}",
                organisation=organisation.username,
            )
    except NotAllowed as error:
        raise _refused(error) from None
    people.wake(road, *owners)


def _reason(text: str) -> str:
    words = text.strip()
    if not words or len(words) > REASON_LENGTH:
        raise Invalid("Say why: the reason is kept and shown to the person", field="reason")
    return words


def _refused(error: NotAllowed) -> Conflict | Forbidden:
    if "of their own" in str(error):
        return Forbidden("Nobody decides about an organisation of their own")
    if "already" in str(error):
        return Conflict("The rights of this organisation are suspended already")
    return Conflict("The rights of this organisation are not suspended")
