"""What an organisation's people write: kept, submitted, approved by somebody else where that is wanted, and
published or scheduled.

The record of a post names its writer as the one who acted, and whoever approved it beside them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from compliance import organisations
from compliance.activity import AccountId, PostId
from compliance.organisations import Act, MemberState
from compliance.records import RecordKind, Source

from .. import acts, drafts, scheduling
from ..db.pool import Connection
from ..drafts import Draft, Resolve
from ..errors import Conflict, Forbidden, Invalid, NotFound
from ..pipeline import Once, Road
from ..refusal import NotPublished
from ..store import orgdrafts, posts
from ..store.model import AccountView
from ..store.orgdrafts import DraftState, OrgDraft
from ..telling import Code
from . import people

NOTE_LENGTH = 1_000
_OPEN = (DraftState.DRAFT, DraftState.SUBMITTED, DraftState.APPROVED)


async def save(
    road: Road,
    organisation: AccountView,
    me: AccountView,
    draft: Draft,
    *,
    draft_id: int | None = None,
    edits: PostId | None = None,
    source: Source,
) -> int:
    """Keeps a new draft, or new words for one; `edits` is the organisation's post that it is to change."""
    drafts.check(road, draft)
    now = road.clock()
    async with road.pool.acquire() as conn, conn.transaction():
        await people.demand(conn, organisation.id, me.id, Act.WRITE)
        if draft_id is None:
            if edits is not None:
                post = await posts.get(conn, edits, organisation.id, uris=road.uris)
                if post.account.id != organisation.id or post.boost_of is not None:
                    raise NotFound
            draft_id = road.ids()
            await orgdrafts.insert(
                conn,
                id=draft_id,
                organisation_id=organisation.id,
                author=me.id,
                draft=scheduling.pack(draft),
                edits=edits,
                now=now,
            )
        else:
            await _open(conn, organisation.id, draft_id, _OPEN)
            await orgdrafts.rewrite(conn, draft_id, author=me.id, draft=scheduling.pack(draft), now=now)
        await _record(road, conn, RecordKind.DRAFT_SAVE, organisation, draft_id, me=me, source=source)
    return draft_id


async def submit(
    road: Road, organisation: AccountView, me: AccountView, draft_id: int, *, source: Source
) -> None:
    """Asks the others to approve it."""
    async with road.pool.acquire() as conn, conn.transaction():
        await people.demand(conn, organisation.id, me.id, Act.WRITE)
        await _open(conn, organisation.id, draft_id, (DraftState.DRAFT,))
        await orgdrafts.move(conn, draft_id, DraftState.SUBMITTED, now=road.clock())
        await _record(road, conn, RecordKind.DRAFT_SUBMIT, organisation, draft_id, me=me, source=source)
        others = await _approvers(conn, organisation.id, me.id)
        await _tell(road, conn, organisation, me, draft_id, to=others, code=Code.DRAFT_SUBMITTED)
    people.wake(road, *others)


async def approve(
    road: Road, organisation: AccountView, me: AccountView, draft_id: int, *, source: Source
) -> None:
    """Says that it may be published; nobody approves their own words."""
    async with road.pool.acquire() as conn, conn.transaction():
        await people.demand(conn, organisation.id, me.id, Act.APPROVE)
        found = await _open(conn, organisation.id, draft_id, (DraftState.SUBMITTED,))
        if found.author == me.id:
            raise Forbidden("Somebody else must approve what you wrote")
        await orgdrafts.move(conn, draft_id, DraftState.APPROVED, now=road.clock(), approved_by=me.id)
        await _record(road, conn, RecordKind.DRAFT_APPROVE, organisation, draft_id, me=me, source=source)
        await _tell(road, conn, organisation, me, draft_id, to=[found.author], code=Code.DRAFT_APPROVED)
    people.wake(road, found.author)


async def send_back(
    road: Road, organisation: AccountView, me: AccountView, draft_id: int, note: str, *, source: Source
) -> None:
    """Returns it to its writer, with a word about why."""
    words = note.strip()
    if len(words) > NOTE_LENGTH:
        raise Invalid("The note is longer than %(limit)s characters", field="note", limit=NOTE_LENGTH)
    async with road.pool.acquire() as conn, conn.transaction():
        await people.demand(conn, organisation.id, me.id, Act.APPROVE)
        found = await _open(conn, organisation.id, draft_id, (DraftState.SUBMITTED, DraftState.APPROVED))
        await orgdrafts.move(conn, draft_id, DraftState.DRAFT, now=road.clock(), note=words)
        await _record(road, conn, RecordKind.DRAFT_RETURN, organisation, draft_id, me=me, source=source)
        told = [found.author] if found.author != me.id else []
        await _tell(road, conn, organisation, me, draft_id, to=told, code=Code.DRAFT_RETURNED)
    people.wake(road, *told)


async def publish(
    road: Road,
    organisation: AccountView,
    me: AccountView,
    draft_id: int,
    *,
    source: Source,
    resolve: Resolve | None = None,
) -> PostId:
    """Publishes it now. `NotPublished` where the gate stops it: what is refused stays a draft, what is held
    has gone to a reviewer."""
    found, acting = await _ready(road, organisation, me, draft_id, source)
    draft = scheduling.unpack(found.draft)
    try:
        if found.edits is not None:
            await acts.edit(road, organisation, found.edits, draft, source=acting, resolve=resolve)
            post_id = found.edits
        else:
            once = Once(organisation.id, f"draft:{draft_id}:{found.changed_at.timestamp()}")
            post_id = await acts.publish(road, organisation, draft, source=acting, once=once, resolve=resolve)
    except NotPublished as stopped:
        if stopped.stopped.is_held:
            await _done(road, draft_id, found, None)
        raise
    await _done(road, draft_id, found, post_id)
    return post_id


async def schedule(
    road: Road,
    organisation: AccountView,
    me: AccountView,
    draft_id: int,
    due_at: datetime,
    *,
    source: Source,
) -> None:
    """Has it published at its time."""
    found, acting = await _ready(road, organisation, me, draft_id, source)
    if found.edits is not None:
        raise Invalid("A change of a post cannot be scheduled", field="scheduled_at")
    kept = await scheduling.schedule(
        road, organisation, scheduling.unpack(found.draft), due_at, source=acting
    )
    async with road.pool.acquire() as conn, conn.transaction():
        await orgdrafts.move(
            conn,
            draft_id,
            DraftState.SCHEDULED,
            now=road.clock(),
            approved_by=found.approved_by,
            scheduled_id=kept.id,
        )


async def unschedule(
    road: Road, organisation: AccountView, me: AccountView, draft_id: int, *, source: Source
) -> None:
    """Takes it back from its time, or picks up one that was not published."""
    async with road.pool.acquire() as conn:
        await people.demand(conn, organisation.id, me.id, Act.PUBLISH)
        found = await _open(conn, organisation.id, draft_id, (DraftState.SCHEDULED,))
    if found.scheduled_state == "waiting" and found.scheduled_id is not None:
        await scheduling.cancel(road, organisation, found.scheduled_id, source=_by(source, me))
    elif found.scheduled_state != "failed":
        raise Conflict("It has been published, or is under review")
    async with road.pool.acquire() as conn, conn.transaction():
        state = DraftState.DRAFT if found.approved_by is None else DraftState.APPROVED
        await orgdrafts.move(conn, draft_id, state, now=road.clock(), approved_by=found.approved_by)


async def discard(
    road: Road, organisation: AccountView, me: AccountView, draft_id: int, *, source: Source
) -> None:
    """Throws it away."""
    async with road.pool.acquire() as conn, conn.transaction():
        await people.demand(conn, organisation.id, me.id, Act.WRITE)
        await _open(conn, organisation.id, draft_id, _OPEN)
        await orgdrafts.move(conn, draft_id, DraftState.DISCARDED, now=road.clock())
        await _record(road, conn, RecordKind.DRAFT_DISCARD, organisation, draft_id, me=me, source=source)


async def _ready(
    road: Road, organisation: AccountView, me: AccountView, draft_id: int, source: Source
) -> tuple[OrgDraft, Source]:
    """A draft that `me` may publish, and in whose name: the writer's, where somebody else approved it."""
    async with road.pool.acquire() as conn:
        await people.demand(conn, organisation.id, me.id, Act.PUBLISH)
        found = await _open(conn, organisation.id, draft_id, _OPEN)
        whole = await organisations.get(conn, organisation.id)
    if whole.four_eyes and found.state is not DraftState.APPROVED:
        raise Conflict("Somebody else must approve it first: submit it")
    if found.state is DraftState.APPROVED:
        return found, replace(source, by=found.author, second=found.approved_by)
    return found, _by(source, me)


async def _done(road: Road, draft_id: int, found: OrgDraft, post_id: PostId | None) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        await orgdrafts.move(
            conn,
            draft_id,
            DraftState.PUBLISHED,
            now=road.clock(),
            approved_by=found.approved_by,
            post_id=post_id,
        )


async def _open(
    conn: Connection, organisation_id: AccountId, draft_id: int, states: tuple[DraftState, ...]
) -> OrgDraft:
    found = await orgdrafts.lock(conn, organisation_id, draft_id)
    if found is None:
        raise NotFound
    if found.state not in states:
        raise Conflict("This draft is not that far, or further; look at it again")
    return found


async def _approvers(conn: Connection, organisation_id: AccountId, writer: AccountId) -> list[AccountId]:
    return [
        each.account_id
        for each in await organisations.members(conn, organisation_id)
        if each.state is MemberState.ACTIVE
        and organisations.may(each.role, Act.APPROVE)
        and each.account_id != writer
    ]


async def _tell(
    road: Road,
    conn: Connection,
    organisation: AccountView,
    me: AccountView,
    draft_id: int,
    *,
    to: list[AccountId],
    code: Code,
) -> None:
    link = f"/org/{organisation.username}/content/{draft_id}"
    await people.tell(road, conn, to, code, link, by=me.username, organisation=organisation.username)


async def _record(
    road: Road,
    conn: Connection,
    kind: RecordKind,
    organisation: AccountView,
    draft_id: int,
    *,
    me: AccountView,
    source: Source,
) -> None:
    await people.record(road, conn, kind, organisation, draft_id, me=me, source=source)


def _by(source: Source, me: AccountView) -> Source:
    return replace(source, by=me.id)
