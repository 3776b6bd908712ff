"""Another owner: by an owner, after days in which every owner can stop it, or by two operators where all
owners are lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from compliance import organisations, records, transfers
from compliance.activity import AccountId
from compliance.organisations import Act, MemberState, Role
from compliance.records import Entry, RecordKind, Source
from compliance.transfers import Transfer, TransferKind, TransferState

from .. import telling
from ..db.pool import Connection
from ..errors import Conflict, Forbidden, Invalid, NotFound
from ..pipeline import Road
from ..store import accounts, members
from ..store.model import AccountView
from ..telling import Code, Notice
from . import people
from .founding import check_verified

STEP = 100


async def start(
    road: Road, organisation: AccountView, me: AccountView, handle: str, *, source: Source
) -> Transfer:
    """Announces that somebody of the organisation becomes its owner in `me`'s place."""
    now = road.clock()
    due_at = now + timedelta(days=road.settings.organisations.transfer_days)
    async with road.pool.acquire() as conn, conn.transaction():
        await people.demand(conn, organisation.id, me.id, Act.TRANSFER)
        await organisations.lock(conn, organisation.id)
        heir = await _heir(conn, road, organisation, handle)
        if heir.id == me.id:
            raise Invalid("You are the owner already", field="handle")
        made = await transfers.insert(
            conn,
            road.ids(),
            organisation.id,
            TransferKind.TRANSFER,
            from_id=me.id,
            to_id=heir.id,
            by=me.id,
            now=now,
            due_at=due_at,
        )
        if not made:
            raise Conflict("The organisation is being handed on already; stop that first")
        await people.record(
            road,
            conn,
            RecordKind.ORGANISATION_TRANSFER,
            organisation,
            heir.id,
            me=me,
            source=source,
            detail={"due_at": due_at.isoformat()},
        )
        told = list(dict.fromkeys([*await people.owners_of(conn, organisation.id), heir.id]))
        await people.tell(
            road,
            conn,
            told,
            Code.ORGANISATION_TRANSFER,
            f"/org/{organisation.username}/members",
            person=heir.username,
            by=me.username,
            organisation=organisation.username,
            date=f"{due_at:%Y-%m-%d}",
        )
        waiting = await transfers.waiting(conn, organisation.id)
    people.wake(road, *told)
    if waiting is None:
        raise NotFound
    return waiting


async def cancel(road: Road, organisation: AccountView, me: AccountView, *, source: Source) -> None:
    """Stops a transfer that has not happened yet; every owner may."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await people.demand(conn, organisation.id, me.id, Act.TRANSFER)
        waiting = await transfers.waiting(conn, organisation.id)
        if waiting is None:
            raise NotFound
        await transfers.settle(conn, waiting.id, TransferState.CANCELLED, by=me.id, now=now)
        await people.record(
            road,
            conn,
            RecordKind.ORGANISATION_TRANSFER_CANCEL,
            organisation,
            waiting.to_id,
            me=me,
            source=source,
        )
        heir = await accounts.get(conn, waiting.to_id, uris=road.uris)
        told = list(dict.fromkeys([*await people.owners_of(conn, organisation.id), heir.id]))
        await people.tell(
            road,
            conn,
            told,
            Code.ORGANISATION_TRANSFER_CANCELLED,
            f"/org/{organisation.username}/members",
            person=heir.username,
            organisation=organisation.username,
        )
    people.wake(road, *told)


async def finish_due(road: Road, conn: Connection) -> list[AccountId]:
    """Carries out the transfers whose time has come, in the caller's transaction; returns who was told, to be
    woken after it."""
    told: list[AccountId] = []
    for transfer in await transfers.due(conn, now=road.clock(), limit=STEP):
        told += await _finish(road, conn, transfer)
    return told


async def request_grant(
    road: Road, organisation: AccountView, me: AccountView, handle: str, reason: str, *, source: Source
) -> None:
    """An operator asks for a new owner, for an organisation that has none left who could act."""
    now, words = road.clock(), reason.strip()
    if not words or len(words) > transfers.MAX_REASON:
        raise Invalid("Say why: the reason is kept", field="reason")
    async with road.pool.acquire() as conn, conn.transaction():
        await organisations.lock(conn, organisation.id)
        if await organisations.count_owners(conn, organisation.id):
            raise Conflict("This organisation has an owner who can act")
        name = handle.strip().removeprefix("@")
        found = await members.find_by_name(conn, name) if name else None
        if found is None or found.suspended or found.gone:
            raise Invalid("Nobody of this name is a member here", field="handle")
        await check_verified(conn, found.account_id, road)
        made = await transfers.insert(
            conn,
            road.ids(),
            organisation.id,
            TransferKind.GRANT,
            from_id=None,
            to_id=found.account_id,
            by=me.id,
            now=now,
            reason=words,
        )
        if not made:
            raise Conflict("A grant waits for a second person already")
        await _operator(
            road,
            conn,
            RecordKind.ORGANISATION_GRANT,
            organisation,
            found.account_id,
            by=me.id,
            source=source,
            words=words,
        )


async def decide_grant(
    road: Road, organisation: AccountView, me: AccountView, *, approve: bool, source: Source
) -> None:
    """Another operator says yes or no. Whoever asked can only take it back."""
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await organisations.lock(conn, organisation.id)
        waiting = await transfers.waiting(conn, organisation.id, TransferKind.GRANT)
        if waiting is None:
            raise NotFound
        if approve and me.id in (waiting.requested_by, waiting.to_id):
            raise Forbidden("Another operator must approve this")
        state = TransferState.DONE if approve else TransferState.CANCELLED
        told: list[AccountId] = []
        if approve:
            await check_verified(conn, waiting.to_id, road)
            heir = await accounts.get(conn, waiting.to_id, uris=road.uris)
            await organisations.put(
                conn, organisation.id, heir.id, Role.OWNER, MemberState.ACTIVE, by=None, now=now
            )
            told = await _everybody(conn, organisation.id)
            await people.tell(
                road,
                conn,
                told,
                Code.ORGANISATION_GRANTED,
                f"/org/{organisation.username}",
                person=heir.username,
                organisation=organisation.username,
            )
        await transfers.settle(conn, waiting.id, state, by=me.id, now=now)
        await _operator(
            road,
            conn,
            RecordKind.ORGANISATION_GRANT_DECIDE,
            organisation,
            waiting.to_id,
            by=me.id,
            source=source,
            words=state.value,
        )
    people.wake(road, *told)


async def _finish(road: Road, conn: Connection, transfer: Transfer) -> list[AccountId]:
    now, source = road.clock(), Source.internal("transfer")
    organisation = await accounts.get(conn, transfer.organisation_id, uris=road.uris)
    await organisations.lock(conn, organisation.id)
    heir = await organisations.membership(conn, organisation.id, transfer.to_id)
    view = await accounts.get(conn, transfer.to_id, uris=road.uris)
    if heir is None or heir.state is not MemberState.ACTIVE or view.suspended or view.gone:
        await transfers.settle(conn, transfer.id, TransferState.FAILED, by=None, now=now)
        return []
    await organisations.put(conn, organisation.id, view.id, Role.OWNER, MemberState.ACTIVE, by=None, now=now)
    giver = transfer.from_id
    if giver is not None and await organisations.role_of(conn, organisation.id, giver) is Role.OWNER:
        await organisations.put(
            conn, organisation.id, giver, Role.EDITOR, MemberState.ACTIVE, by=None, now=now
        )
    await transfers.settle(conn, transfer.id, TransferState.DONE, by=None, now=now)
    entry = Entry(
        RecordKind.ORGANISATION_TRANSFER_DONE,
        organisation.id,
        str(view.id),
        source=replace(source, by=transfer.requested_by),
    )
    await records.write(conn, [entry], now=now, new_id=road.ids)
    told = await _everybody(conn, organisation.id)
    await telling.tell(
        conn,
        [
            Notice(
                to=each,
                code=Code.ORGANISATION_TRANSFER_DONE,
                values={"person": view.username, "organisation": organisation.username},
                link=f"/org/{organisation.username}",
            )
            for each in told
        ],
        now=now,
        new_id=road.ids,
    )
    return told


async def _heir(conn: Connection, road: Road, organisation: AccountView, handle: str) -> AccountView:
    name = handle.strip().removeprefix("@")
    found = await accounts.find_by_name(conn, name, None, uris=road.uris) if name else None
    held = None if found is None else await organisations.membership(conn, organisation.id, found.id)
    if found is None or held is None or held.state is not MemberState.ACTIVE:
        raise Invalid("Only somebody who acts for the organisation can take it over", field="handle")
    await check_verified(conn, found.id, road)
    return found


async def _everybody(conn: Connection, organisation_id: AccountId) -> list[AccountId]:
    return [
        each.account_id
        for each in await organisations.members(conn, organisation_id)
        if each.state is MemberState.ACTIVE
    ]


async def _operator(
    road: Road,
    conn: Connection,
    kind: RecordKind,
    organisation: AccountView,
    about: AccountId,
    *,
    by: AccountId,
    source: Source,
    words: str,
) -> None:
    """Operators act as themselves: the record is theirs, and names the organisation."""
    entry = Entry(
        kind,
        by,
        str(organisation.id),
        source=source,
        detail={"organisation": organisation.username, "to": about, "words": words},
    )
    await records.write(conn, [entry], now=road.clock(), new_id=road.ids)
