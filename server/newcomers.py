"""What every new account of ours goes through, a person's or an organisation's: name, agreement, keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from compliance import agreements, reserved
from compliance.activity import AccountId

from .db.pool import Connection
from .errors import Conflict, Invalid
from .i18n import mark
from .pipeline import Road
from .store import accounts

TAKEN = mark("This name is taken")


async def check_name(
    road: Road, conn: Connection, username: str, *, now: datetime, may_be_reserved: bool = False
) -> None:
    """Raises `Invalid` for a name that the operator's rules forbid, that somebody has, or that is kept for
    others."""
    if road.rules.book.forbids_name(username, now):
        raise Invalid("This name is not allowed here", field="username")
    if await accounts.find_by_name(conn, username, None, uris=road.uris) is not None:
        raise Invalid(TAKEN, field="username")
    if not may_be_reserved and await reserved.is_taken(conn, username, now=now):
        raise Invalid("This name is kept for whom it belongs to: choose another one", field="username")


async def documents(conn: Connection, locale: str, accepted: Mapping[str, int] | bool) -> dict[str, int]:
    """Which documents to note as accepted, by what somebody agreed to; `True` stands for the current versions
    of all, `False` for none. Raises `Conflict` when something current was left out."""
    if accepted is False:
        return {}
    current = {document.document: document.version for document in await agreements.current(conn, locale)}
    if accepted is not True and {name: accepted.get(name) for name in current} != current:
        raise Conflict("The agreement has changed. Please read it again.", field="agreement")
    return current


async def insert(
    road: Road,
    conn: Connection,
    account_id: AccountId,
    username: str,
    pair: tuple[str, bytes],
    *,
    now: datetime,
    actor_type: str = "Person",
) -> None:
    """Writes the account with its keys (public, private), the private half sealed."""
    public_pem, private_pem = pair
    await accounts.insert_local(
        conn,
        id=account_id,
        username=username,
        uris=road.uris,
        public_pem=public_pem,
        private_sealed=road.sealer.seal(private_pem, context=f"actor-key:{road.uris.key(username)}"),
        now=now,
        actor_type=actor_type,
    )
