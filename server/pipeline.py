"""The one road: every activity, from here or elsewhere, is judged, applied and queued by `submit`.

A batch is one transaction: facts for all of it come in one query, decisions
and effects are written with arrays. One activity
that breaks the batch is found by halving,
so that its neighbours go through. What others must hear of (caches, workers) is
told after commit.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias, TypeVar, assert_never, cast

import asyncpg

from compliance import gate, wordlists
from compliance.activity import (
    Accept,
    AccountId,
    Activity,
    Announce,
    Block,
    Create,
    Delete,
    Direction,
    Flag,
    Follow,
    Like,
    PostId,
    Reject,
    Undo,
    Undoable,
    Update,
    UpdateProfile,
    Upload,
)
from compliance.errors import StaleRules
from compliance.records import Source
from compliance.sealing import Sealer
from compliance.verdict import CaseId, Cleared, DecisionId, Held, Reason, Refused, Verdict
from federation import outbox

from . import audience, outgoing
from .db.pool import Connection
from .effects import boosts, complaints, likes, notices, posts, profiles, relations, uploads
from .effects.ground import Applied, Ground, Touched
from .ids import Clock, IdMaker
from .settings import Settings
from .store import idempotency
from .uris import Uris

log = logging.getLogger(__name__)

A = TypeVar("A", bound=Activity)

ATTEMPTS = 4
"""How often a transaction that lost against another one is tried."""


class Announcer(Protocol):
    """Tells caches and workers, here and in the other processes, that something changed."""

    def notify(self, channel: str, payload: str = "") -> None: ...


class Rules:
    """The rule set in force, swapped whole when the operator activates another."""

    def __init__(self, book: wordlists.Rulebook) -> None:
        self.book = book

    async def reload(self, conn: Connection) -> None:
        self.book = await wordlists.load_active(conn)


@dataclass(frozen=True, slots=True)
class Road:
    """What `submit` travels on; made once, at start."""

    pool: asyncpg.Pool[asyncpg.Record]
    settings: Settings
    uris: Uris
    ids: IdMaker
    clock: Clock
    sealer: Sealer
    rules: Rules
    events: Announcer


@dataclass(frozen=True, slots=True)
class Once:
    """A client's promise that requests with this key are one request."""

    account_id: AccountId
    key: str


@dataclass(frozen=True, slots=True)
class Done:
    """Cleared and applied. `took` is false where there was nothing to do: it was so already, or its object is
    not here."""

    decision_id: DecisionId
    post_id: PostId | None
    took: bool = True
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stopped:
    """Held (`case_id` is set) or refused, and why."""

    decision_id: DecisionId
    case_id: CaseId | None
    reason: Reason
    field: str | None = None
    category: str | None = None

    @property
    def is_held(self) -> bool:
        return self.case_id is not None


@dataclass(frozen=True, slots=True)
class Failed:
    """Could not be applied; nothing of it is stored. Its neighbours in the batch were."""

    error: Exception


Answer: TypeAlias = Done | Stopped | Failed
Within: TypeAlias = Callable[[Connection, Sequence[Activity], Sequence[Answer]], Awaitable[None]]
"""Work that belongs into the same transaction, given the activities of it and what became of each."""


async def submit(
    road: Road,
    activities: Sequence[Activity],
    direction: Direction,
    *,
    source: Source,
    once: Once | None = None,
    within: Within | None = None,
) -> list[Answer]:
    """Judges, applies and queues activities; one answer for each, in order.

    With `once`, an activity (exactly one) whose key was answered before gets that answer again
    and is not judged anew.
    A lone activity that fails raises its error; in a batch it is answered `Failed`.
    """
    if once is not None and len(activities) != 1:
        raise ValueError("a key stands for exactly one activity")
    if not activities:
        return []
    job = _Job(activities, direction, source, once, within)
    try:
        answers, touched, mail = await _attempt(road, job)
    except Exception as error:
        if len(activities) == 1:
            raise
        log.warning("a batch of %d failed and is halved: %s", len(activities), type(error).__name__)
        return await _halves(road, job)
    _announce(road, touched, mail)
    return answers


async def resubmit(
    conn: Connection, road: Road, activity: Activity, direction: Direction, *, source: Source
) -> tuple[Answer, Callable[[], None]]:
    """Submits a held activity again inside the reviewer's own transaction; call the second value after its
    commit."""
    run = _Run(road, conn, source, direction)
    [answer] = await run.judge_and_apply([activity])
    return answer, lambda: _announce(road, run.touched, run.mail)


@dataclass(frozen=True, slots=True)
class _Job:
    activities: Sequence[Activity]
    direction: Direction
    source: Source
    once: Once | None
    within: Within | None


async def _halves(road: Road, job: _Job) -> list[Answer]:
    middle = len(job.activities) // 2
    answers: list[Answer] = []
    for half in (job.activities[:middle], job.activities[middle:]):
        try:
            answers += await submit(road, half, job.direction, source=job.source, within=job.within)
        except Exception as error:
            answers.append(Failed(error))
    return answers


async def _attempt(road: Road, job: _Job) -> tuple[list[Answer], Touched, bool]:
    for left in reversed(range(ATTEMPTS)):
        try:
            async with road.pool.acquire() as conn, conn.transaction():
                return await _transact(road, conn, job)
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if not left:
                raise
        except StaleRules:
            if not left:
                raise
            async with road.pool.acquire() as conn:
                await road.rules.reload(conn)
    raise AssertionError("the last attempt returns or raises")


async def _transact(road: Road, conn: Connection, job: _Job) -> tuple[list[Answer], Touched, bool]:
    once = job.once
    if once is not None:
        before = await idempotency.claim(conn, once.account_id, once.key, now=road.clock())
        if before is not None:
            return [_remembered(before)], Touched(), False
    run = _Run(road, conn, job.source, job.direction)
    answers = await run.judge_and_apply(job.activities)
    if once is not None:
        await _remember(conn, once, answers[0])
    if job.within is not None:
        await job.within(conn, job.activities, answers)
    return answers, run.touched, run.mail


@dataclass(slots=True)
class _Run:
    """One transaction on its way along the road."""

    road: Road
    conn: Connection
    source: Source
    direction: Direction
    answers: bool = False
    """Whether these are answers that the other side waits for, also where they change nothing here."""
    touched: Touched = field(default_factory=Touched)
    mail: bool = False

    async def judge_and_apply(self, activities: Sequence[Activity]) -> list[Answer]:
        now = self.road.clock()
        verdicts = await gate.judge(
            self.conn,
            activities,
            self.direction,
            rulebook=self.road.rules.book,
            now=now,
            new_id=self.road.ids,
            source=self.source,
        )
        ground = Ground(self.road.ids, self.road.uris, now)
        answers: list[Answer | None] = [_stopped(v) for v in verdicts]
        cleared = [(n, v) for n, v in enumerate(verdicts) if isinstance(v, Cleared)]
        follow_ups: list[Activity] = []
        for wave in _waves(cleared):
            follow_ups += await self._wave(wave, answers, ground)
        await self._tell_authors(verdicts, ground)
        if follow_ups:
            run = replace(self, direction=Direction.OUT, answers=True)
            await run.judge_and_apply(follow_ups)
            self.mail = run.mail
        return cast(list[Answer], answers)

    async def _wave(
        self, wave: Sequence[tuple[int, Cleared[Activity]]], answers: list[Answer | None], ground: Ground
    ) -> list[Activity]:
        run = [c for _, c in wave]
        ours = [c for c in run if c.activity.actor.is_local] if self._federates() else []
        reached = dict(
            zip(map(id, ours), await audience.inboxes(self.conn, [c.activity for c in ours]), strict=True)
        )
        applied = await apply(self.conn, run, ground)
        self.touched.add(applied.touched)
        mail: list[tuple[Cleared[Activity], frozenset[str]]] = []
        for (n, c), post_id, took in zip(wave, applied.posts, applied.took, strict=True):
            answers[n] = Done(c.decision_id, post_id, took, c.labels)
            if (took or self.answers) and (inboxes := reached.get(id(c))):
                mail.append((c, inboxes))
        if mail:
            await self._queue(mail, ground)
        return list(applied.follow_ups)

    def _federates(self) -> bool:
        return self.road.settings.federation.enabled

    async def _queue(self, mail: Sequence[tuple[Cleared[Activity], frozenset[str]]], ground: Ground) -> None:
        ended = [c.activity.target for c, _ in mail if isinstance(c.activity, Delete)]
        if ended:
            await outbox.cancel(self.conn, ended)
        messages = await outgoing.messages(self.conn, mail, uris=ground.uris)
        await outbox.enqueue(self.conn, messages, now=ground.now, new_id=self.road.ids)
        self.mail = True

    async def _tell_authors(self, verdicts: Sequence[Verdict], ground: Ground) -> None:
        """No silent removal: whoever is here and was stopped finds the decision among their notices."""
        stopped = [
            (v.activity.actor.id, int(v.decision_id))
            for v in verdicts
            if isinstance(v, Held) and v.activity.actor.is_local
        ]
        if stopped:
            self.touched.notified |= await notices.of_decisions(self.conn, stopped, ground)


async def apply(conn: Connection, run: Sequence[Cleared[Activity]], ground: Ground) -> Applied:
    """Applies cleared activities that are all of one kind."""
    first = run[0].activity
    match first:
        case Create():
            return await posts.insert(conn, cast("Sequence[Cleared[Create]]", run), ground)
        case Update():
            return await posts.update(conn, cast("Sequence[Cleared[Update]]", run), ground)
        case UpdateProfile():
            return await profiles.update(conn, cast("Sequence[Cleared[UpdateProfile]]", run), ground)
        case Upload():
            return await uploads.insert(conn, cast("Sequence[Cleared[Upload]]", run), ground)
        case Delete(actor=actor, target=target) if target == actor.uri:
            return await profiles.close(conn, cast("Sequence[Cleared[Delete]]", run), ground)
        case Delete():
            return await posts.withdraw(conn, cast("Sequence[Cleared[Delete]]", run), ground)
        case Announce():
            return await boosts.insert(conn, cast("Sequence[Cleared[Announce]]", run), ground)
        case Like():
            return await likes.insert(conn, cast("Sequence[Cleared[Like]]", run), ground)
        case Follow():
            return await relations.follow(conn, cast("Sequence[Cleared[Follow]]", run), ground)
        case Accept():
            return await relations.accept(conn, cast("Sequence[Cleared[Accept]]", run), ground)
        case Reject():
            return await relations.reject(conn, cast("Sequence[Cleared[Reject]]", run), ground)
        case Block():
            return await relations.block(conn, cast("Sequence[Cleared[Block]]", run), ground)
        case Flag():
            return await complaints.insert(conn, cast("Sequence[Cleared[Flag]]", run), ground)
        case Undo(kind=kind):
            undos = cast("Sequence[Cleared[Undo]]", run)
            match kind:
                case Undoable.FOLLOW:
                    return await relations.undo_follow(conn, undos, ground)
                case Undoable.LIKE:
                    return await likes.undo(conn, undos, ground)
                case Undoable.ANNOUNCE:
                    return await boosts.undo(conn, undos, ground)
                case Undoable.BLOCK:
                    return await relations.undo_block(conn, undos, ground)
                case _:
                    assert_never(kind)
        case _:
            assert_never(first)


def _waves(cleared: Sequence[tuple[int, Cleared[Activity]]]) -> list[list[tuple[int, Cleared[Activity]]]]:
    """Splits a batch into runs of one kind, keeping the order of any two that concern the same thing.

    Activities about different things may pass each other, so that a mixed batch makes few runs.
    """
    waves: list[list[tuple[int, Cleared[Activity]]]] = []
    written: dict[str, int] = {}
    read: dict[str, int] = {}
    last_of_kind: dict[object, int] = {}
    for entry in cleared:
        activity = entry[1].activity
        changes, needs = _things(activity)
        kind = _kind(activity)
        before = [written.get(t, -1) for t in (*changes, *needs)] + [read.get(t, -1) for t in changes]
        earliest = max(before, default=-1) + 1
        at = last_of_kind.get(kind, -1)
        if at < earliest:
            at = len(waves)
            waves.append([])
            last_of_kind[kind] = at
        waves[at].append(entry)
        written.update(dict.fromkeys(changes, at))
        read.update({t: max(read.get(t, -1), at) for t in needs})
    return waves


def _kind(activity: Activity) -> object:
    match activity:
        case Undo(kind=kind):
            return (Undo, kind)
        case Delete(actor=actor, target=target):
            return (Delete, target == actor.uri)
        case _:
            return type(activity)


def _things(activity: Activity) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What an activity changes, and what it needs to be as it was left: its place in the order of a batch."""
    match activity:
        case Create(note=note) | Update(note=note):
            return (note.uri,), (note.in_reply_to,) if note.in_reply_to else ()
        case UpdateProfile(actor=actor):
            return (actor.uri,), ()
        case Upload(id=uri) | Flag(id=uri):
            return (uri,), ()
        case Accept(actor=actor, follower=other) | Reject(actor=actor, follower=other):
            return _between(actor.uri, other), ()
        case Follow(actor=actor, target=other) | Block(actor=actor, target=other):
            return _between(actor.uri, other), ()
        case Like(actor=actor, target=target) | Announce(actor=actor, target=target):
            return (f"{actor.uri} {target}",), (target,)
        case Undo(actor=actor, target=target, kind=kind):
            if kind in (Undoable.FOLLOW, Undoable.BLOCK):
                return _between(actor.uri, target), ()
            return (f"{actor.uri} {target}",), (target,)
        case Delete(target=target):
            return (target,), ()


def _between(one: str, other: str) -> tuple[str, ...]:
    return (" ".join(sorted((one, other))),)


def _stopped(verdict: Verdict) -> Stopped | None:
    match verdict:
        case Held() | Refused():
            finding = verdict.findings[0]
            return Stopped(
                verdict.decision_id,
                verdict.case_id if isinstance(verdict, Held) else None,
                verdict.reason,
                finding.span.field if finding.span else None,
                finding.category,
            )
        case _:
            return None


async def _remember(conn: Connection, once: Once, answer: Answer) -> None:
    if isinstance(answer, Failed):
        return
    await idempotency.remember(
        conn,
        once.account_id,
        once.key,
        post_id=answer.post_id if isinstance(answer, Done) else None,
        decision_id=answer.decision_id,
        case_id=answer.case_id if isinstance(answer, Stopped) else None,
    )


def _remembered(before: idempotency.Remembered) -> Answer:
    if before.reason is None:
        return Done(DecisionId(before.decision_id), before.post_id)
    case_id = CaseId(before.case_id) if before.case_id is not None else None
    return Stopped(DecisionId(before.decision_id), case_id, Reason(before.reason))


def _announce(road: Road, touched: Touched, mail: bool) -> None:
    for channel, ids in (
        ("posts", touched.posts),
        ("accounts", touched.accounts),
        ("homes", touched.homes),
        ("notices", touched.notified),
    ):
        for id_ in ids:
            road.events.notify(channel, str(id_))
    if mail:
        road.events.notify("outbound")
