"""Posts at their time: kept as drafts, judged and published when they are due, once.

Nothing is promised when a post is kept: the gate judges it at its time, by what is then known of whoever
wrote it. A process that stops between publishing and writing that down leaves it to the next one, which gets
the first one's answer by the post's key.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import msgspec

from compliance import organisations, reasons
from compliance.activity import AccountId, PostId
from compliance.records import Entry, RecordKind, Source, write
from compliance.verdict import Reason

from . import acts, drafts, telling
from .db.pool import Connection
from .drafts import Draft
from .errors import AppError, Forbidden, Invalid, NotFound
from .pipeline import Once, Road
from .refusal import NotPublished
from .store import accounts, scheduled
from .store.model import AccountView
from .store.scheduled import Scheduled, ScheduledState
from .telling import Code, Notice

CHANNEL = "scheduled"
MOST = 300
"""Posts of one account that may wait at a time."""
FARTHEST = timedelta(days=366)
STEP = 20
_LONGEST_SLEEP = 5.0

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Draft).decode
log = logging.getLogger(__name__)


def pack(draft: Draft) -> str:
    """A draft as it is stored."""
    return _encode(draft).decode()


def unpack(stored: str) -> Draft:
    """A stored draft."""
    return _decode(stored)


async def schedule(
    road: Road,
    me: AccountView,
    draft: Draft,
    due_at: datetime,
    *,
    source: Source,
    once: Once | None = None,
) -> Scheduled:
    """Keeps a post of `me` for its time; with `once`, one however often it is asked for. `source` says who
    acts and who approved it, for an organisation."""
    drafts.check(road, draft)
    now = road.clock()
    _check_time(due_at, now)
    await drafts.note(road, me, draft, uri=me.uri, url=me.url, resolve=None)
    scheduled_id = road.ids()
    async with road.pool.acquire() as conn, conn.transaction():
        if once is not None:
            # Two requests with one key at the same moment are answered one after the other.
            await conn.execute("select pg_advisory_xact_lock(hashtextextended($1, $2))", once.key, me.id)
            before = await scheduled.find_by_key(conn, me.id, once.key)
            if before is not None:
                return before
        if await scheduled.count_waiting(conn, me.id) >= MOST:
            raise Invalid("At most %(limit)s posts may be scheduled at a time", limit=MOST)
        organisation = await organisations.find(conn, me.id)
        if organisation is not None and organisation.four_eyes and source.second is None:
            raise Forbidden(reasons.TEXTS[Reason.APPROVAL_REQUIRED].next_step)
        await scheduled.insert(
            conn,
            id=scheduled_id,
            account_id=me.id,
            by=source.by,
            approved_by=source.second,
            draft=pack(draft),
            due_at=due_at,
            key=once.key if once else None,
            now=now,
        )
        await _record(road, conn, RecordKind.POST_SCHEDULE, me.id, scheduled_id, source=source, due_at=due_at)
        kept = await scheduled.find(conn, me.id, scheduled_id)
    road.events.notify(CHANNEL)
    if kept is None:
        raise NotFound
    return kept


async def move(
    road: Road, me: AccountView, scheduled_id: int, due_at: datetime, *, source: Source
) -> Scheduled:
    """Gives a waiting post another time."""
    now = road.clock()
    _check_time(due_at, now)
    async with road.pool.acquire() as conn, conn.transaction():
        if not await scheduled.move(conn, me.id, scheduled_id, due_at, now=now):
            raise NotFound
        await _record(road, conn, RecordKind.POST_SCHEDULE, me.id, scheduled_id, source=source, due_at=due_at)
        kept = await scheduled.find(conn, me.id, scheduled_id)
    road.events.notify(CHANNEL)
    if kept is None:
        raise NotFound
    return kept


async def cancel(road: Road, me: AccountView, scheduled_id: int, *, source: Source) -> None:
    """Takes a waiting post back."""
    async with road.pool.acquire() as conn, conn.transaction():
        if not await scheduled.cancel(conn, me.id, scheduled_id, now=road.clock()):
            raise NotFound
        await _record(road, conn, RecordKind.POST_UNSCHEDULE, me.id, scheduled_id, source=source)


async def publish_due(road: Road) -> float:
    """Publishes what is due, and says in how many seconds to come again."""
    async with road.pool.acquire() as conn:
        due = await scheduled.claim_due(conn, now=road.clock(), limit=STEP)
    for one in due:
        try:
            await _publish(road, one)
        except Exception:
            # It stays waiting, and is tried again when its lease has run out; the others have their turn.
            log.exception("a scheduled post could not be published now")
    if len(due) == STEP:
        return 0.0
    async with road.pool.acquire() as conn:
        following = await scheduled.next_due(conn)
    if following is None:
        return _LONGEST_SLEEP
    return min(max((following - road.clock()).total_seconds(), 0.2), _LONGEST_SLEEP)


async def _publish(road: Road, one: Scheduled) -> None:
    source = Source(None, None, "scheduled", one.by, one.approved_by)
    async with road.pool.acquire() as conn:
        me = await accounts.get(conn, one.account_id, uris=road.uris)
    try:
        post_id = await acts.publish(
            road, me, unpack(one.draft), source=source, once=Once(me.id, f"scheduled:{one.id}")
        )
    except NotPublished as stopped:
        held = stopped.stopped.is_held
        await _settle(
            road,
            me,
            one,
            ScheduledState.HELD if held else ScheduledState.FAILED,
            failure=None if held else stopped.stopped.reason.value,
            decision_id=stopped.stopped.decision_id,
        )
    except AppError as error:
        # What it answers or shows is gone, or the limits have changed: no later moment mends that.
        await _settle(road, me, one, ScheduledState.FAILED, failure=str(error)[:200])
    else:
        await _settle(road, me, one, ScheduledState.PUBLISHED, post_id=post_id)


_SAID = {
    ScheduledState.PUBLISHED: Code.SCHEDULED_PUBLISHED,
    ScheduledState.HELD: Code.SCHEDULED_HELD,
    ScheduledState.FAILED: Code.SCHEDULED_FAILED,
}


async def _settle(
    road: Road,
    me: AccountView,
    one: Scheduled,
    state: ScheduledState,
    *,
    failure: str | None = None,
    decision_id: int | None = None,
    post_id: PostId | None = None,
) -> None:
    """Writes down what became of it, and tells whoever scheduled it."""
    author = one.by or one.account_id
    if post_id is not None:
        link = f"/@{me.username}/{post_id}"
    elif one.by is not None:
        link = f"/org/{me.username}/content"
    else:
        link = "/scheduled" if decision_id is None else f"/my/decisions/{decision_id}"
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await scheduled.settle(
            conn,
            one.id,
            state,
            now=now,
            failure=failure,
            decision_id=decision_id,
            post_id=post_id,
        )
        await telling.tell(conn, [Notice(to=author, code=_SAID[state], link=link)], now=now, new_id=road.ids)
    road.events.notify("notices", str(author))


def _check_time(due_at: datetime, now: datetime) -> None:
    if due_at <= now:
        raise Invalid("Choose a time in the future", field="scheduled_at")
    if due_at > now + FARTHEST:
        raise Invalid("Choose a time within a year", field="scheduled_at")


async def _record(
    road: Road,
    conn: Connection,
    kind: RecordKind,
    account_id: AccountId,
    scheduled_id: int,
    *,
    source: Source,
    due_at: datetime | None = None,
) -> None:
    detail = {} if due_at is None else {"due_at": due_at.isoformat()}
    entry = Entry(kind, account_id, str(scheduled_id), source=source, detail=detail)
    await write(conn, [entry], now=road.clock(), new_id=road.ids)
