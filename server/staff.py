"""What operators do to accounts: suspend and restore them, give and take roles. Each act leaves a record.

The pages of operators and the command line share these. `by` is the member who acts; `None` is whoever has
the machine itself, who may do all but leave the server without an admin or editor. Nobody acts on somebody of
their own rank or above, and one person is never admin and auditor at once: the one looks at what the other
does.
"""

from __future__ import annotations

from compliance import records
from compliance.activity import AccountId
from compliance.records import Entry, RecordKind, Source

from . import membership
from .db.pool import Connection
from .errors import Conflict, Forbidden, Invalid
from .pipeline import Road
from .store import accounts, members
from .store.model import Role

_RANKS = {Role.REVIEWER: 1, Role.AUDITOR: 1, Role.COMPLIANCE: 2, Role.EDITOR: 3, Role.ADMIN: 4}
_MAY_NOT_BE_EMPTY = (Role.ADMIN, Role.EDITOR)


async def suspend(
    road: Road, account_id: AccountId, *, reason: str, by: AccountId | None, source: Source
) -> None:
    """Takes an account and all it wrote out of sight, and ends its sessions and tokens."""
    if not reason.strip():
        raise Invalid("Say why: the reason is kept and shown to the person", field="reason")
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await _check_rank(conn, by, account_id)
        await _check_not_last(conn, account_id, await _roles(conn, account_id))
        if not await accounts.suspend(conn, account_id, reason=reason, now=now):
            raise Conflict("This account is suspended already")
        await membership.end_everything(conn, account_id)
        entry = Entry(
            RecordKind.ACCOUNT_SUSPEND, by, str(account_id), source=source, detail={"reason": reason}
        )
        await records.write(conn, [entry], now=now, new_id=road.ids)
    road.events.notify("accounts", str(account_id))


async def restore(
    road: Road, account_id: AccountId, *, reason: str, by: AccountId | None, source: Source
) -> None:
    """Ends a suspension; what the account wrote is seen again."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await _check_rank(conn, by, account_id)
        if not await accounts.restore(conn, account_id):
            raise Conflict("This account is not suspended")
        entry = Entry(
            RecordKind.ACCOUNT_RESTORE, by, str(account_id), source=source, detail={"reason": reason}
        )
        await records.write(conn, [entry], now=now, new_id=road.ids)
    road.events.notify("accounts", str(account_id))


async def grant(
    road: Road, account_id: AccountId, role: Role, *, by: AccountId | None, source: Source
) -> bool:
    """Gives a member a role, and ends their sessions, which knew them without it; `False` if they have it."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await _check_rank(conn, by, account_id, role)
        held = await _roles(conn, account_id)
        if {Role.ADMIN, Role.AUDITOR} <= held | {role}:
            raise Conflict("One person is never admin and auditor at once")
        if not await members.grant_role(conn, account_id, role, granted_by=by, now=now):
            return False
        entry = Entry(RecordKind.ROLE_GRANT, by, str(account_id), source=source, detail={"role": role})
        await _role_changed(road, conn, account_id, entry)
    return True


async def revoke(
    road: Road, account_id: AccountId, role: Role, *, by: AccountId | None, source: Source
) -> bool:
    """Takes a role away, and ends the member's sessions; `False` if they did not have it."""
    async with road.pool.acquire() as conn, conn.transaction():
        await _check_rank(conn, by, account_id, role)
        await _check_not_last(conn, account_id, frozenset((role,)) & await _roles(conn, account_id))
        if not await members.revoke_role(conn, account_id, role):
            return False
        entry = Entry(RecordKind.ROLE_REVOKE, by, str(account_id), source=source, detail={"role": role})
        await _role_changed(road, conn, account_id, entry)
    return True


async def _role_changed(road: Road, conn: Connection, account_id: AccountId, entry: Entry) -> None:
    await membership.end_everything(conn, account_id)
    await records.write(conn, [entry], now=road.clock(), new_id=road.ids)


async def _roles(conn: Connection, account_id: AccountId) -> frozenset[Role]:
    found = await members.find(conn, account_id)
    return found.roles if found is not None else frozenset()


async def _check_rank(
    conn: Connection, by: AccountId | None, account_id: AccountId, role: Role | None = None
) -> None:
    if by is None:
        return
    mine = _rank(await _roles(conn, by))
    theirs = _rank(await _roles(conn, account_id) | ({role} if role else frozenset()))
    if by == account_id or mine <= theirs:
        raise Forbidden("Somebody of a higher role has to do this")


async def _check_not_last(conn: Connection, account_id: AccountId, going: frozenset[Role]) -> None:
    # Two who leave at once would each still see the other.
    await conn.execute("select pg_advisory_xact_lock(hashtext('member_role'))")
    account = await conn.fetchrow("select suspended_at, gone_at from account where id = $1", account_id)
    if account is None or account["suspended_at"] or account["gone_at"]:
        return
    for role in _MAY_NOT_BE_EMPTY:
        if role in going and await members.count_role(conn, role) == 1:
            raise Conflict("This is the last %(role)s: give the role to somebody else first", role=role.value)


def _rank(roles: frozenset[Role]) -> int:
    return max((_RANKS[role] for role in roles), default=0)
