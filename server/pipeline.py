"""The one road: every activity, from here or elsewhere, is judged, applied and queued by `submit`.

A batch is one transaction: facts for all of it come in one query, decisions
and effects are written with arrays. One activity
that breaks the batch is found by halving,
so that its neighbours go through. What others must hear of (caches, workers) is
told after commit.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeAlias, TypeVar, cast

import asyncpg

from compliance import commenting, gate, wordlists
from compliance.activity import (
    AccountId,
    Activity,
    Delete,
    Direction,
    PostId,
    RemoveReply,
)
from compliance.errors import StaleRules
from compliance.records import Source
from compliance.sealing import Sealer
from compliance.verdict import CaseId, Cleared, DecisionId, Held, Reason, Refused, Verdict
from federation import outbox

from . import audience, effects, outgoing
from .convoy import Convoy
from .db.pool import Connection
from .effects import answering, notices
from .effects.ground import Ground, Touched
from .ids import Clock, IdMaker
from .order import waves
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
    convoy: Convoy[_Rider, Answer] = field(default_factory=Convoy)


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
    wait: int | None = None
    """Seconds until the same thing is free again, where only its time is wrong."""

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
    and is not judged
    anew. A lone activity that fails raises its error; in a batch it is answered `Failed`.
    """
    if once is not None and len(activities) != 1:
        raise ValueError("a key stands for exactly one activity")
    riders = [_Rider(activity, source, once) for activity in activities]
    if not riders:
        return []
    if len(riders) == 1 and within is None and direction is Direction.OUT:
        answers = [await road.convoy.ride(riders[0], partial(_carry, road, direction, None))]
    else:
        answers = await _carry(road, direction, within, riders)
    if len(answers) == 1 and isinstance(answers[0], Failed):
        raise answers[0].error
    return answers


async def resubmit(
    conn: Connection, road: Road, activity: Activity, direction: Direction, *, source: Source
) -> tuple[Answer, Callable[[], None]]:
    """Submits a held activity again inside the reviewer's own transaction; call the second value after its
    commit."""
    run = _Run(road, conn, direction)
    [answer] = await run.judge_and_apply([activity], [source])
    return answer, lambda: _announce(road, run.touched, run.mail)


@dataclass(frozen=True, slots=True)
class _Rider:
    """One activity on its way, and where it came from."""

    activity: Activity
    source: Source
    once: Once | None

    @property
    def alone(self) -> Hashable | None:
        """What no two riders of one transaction may share."""
        return self.once


async def _carry(
    road: Road, direction: Direction, within: Within | None, riders: Sequence[_Rider]
) -> list[Answer]:
    """One transaction for all riders; when it breaks, one for each half, down to whoever broke it."""
    try:
        answers, touched, mail = await _attempt(road, direction, within, riders)
    except Exception as error:
        if len(riders) == 1:
            return [Failed(error)]
        log.warning("a batch of %d failed and is halved: %s", len(riders), type(error).__name__)
        middle = len(riders) // 2
        halves = (riders[:middle], riders[middle:])
        return [answer for half in halves for answer in await _carry(road, direction, within, half)]
    _announce(road, touched, mail)
    return answers


async def _attempt(
    road: Road, direction: Direction, within: Within | None, riders: Sequence[_Rider]
) -> tuple[list[Answer], Touched, bool]:
    for left in reversed(range(ATTEMPTS)):
        try:
            async with road.pool.acquire() as conn, conn.transaction():
                return await _transact(road, conn, direction, within, riders)
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if not left:
                raise
        except StaleRules:
            if not left:
                raise
            async with road.pool.acquire() as conn:
                await road.rules.reload(conn)
    raise AssertionError("the last attempt returns or raises")


async def _transact(
    road: Road, conn: Connection, direction: Direction, within: Within | None, riders: Sequence[_Rider]
) -> tuple[list[Answer], Touched, bool]:
    onces = [rider.once for rider in riders if rider.once is not None]
    before = await _claim(conn, onces, road) if onces else {}
    new = [rider for rider in riders if rider.once not in before]
    run = _Run(road, conn, direction)
    activities = [rider.activity for rider in new]
    made = await run.judge_and_apply(activities, [rider.source for rider in new]) if new else []
    if onces:
        await _remember(conn, [(r.once, a) for r, a in zip(new, made, strict=True) if r.once is not None])
    if within is not None:
        await within(conn, activities, made)
    fresh = iter(made)
    answers = [before[r.once] if r.once in before else next(fresh) for r in riders]
    return answers, run.touched, run.mail


@dataclass(slots=True)
class _Run:
    """One transaction on its way along the road."""

    road: Road
    conn: Connection
    direction: Direction
    answers: bool = False
    """Whether these are answers that the other side waits for, also where they change nothing here."""
    touched: Touched = field(default_factory=Touched)
    mail: bool = False

    async def judge_and_apply(
        self, activities: Sequence[Activity], sources: Sequence[Source]
    ) -> list[Answer]:
        now = self.road.clock()
        verdicts = await gate.judge(
            self.conn,
            activities,
            self.direction,
            rulebook=self.road.rules.book,
            now=now,
            new_id=self.road.ids,
            source=sources,
        )
        ground = Ground(self.road.ids, self.road.uris, now)
        answers: list[Answer | None] = [_stopped(v, now) for v in verdicts]
        cleared = [(n, v) for n, v in enumerate(verdicts) if isinstance(v, Cleared)]
        follow_ups: list[Activity] = []
        for wave in waves(cleared):
            follow_ups += await self._wave(wave, answers, ground)
        await self._tell_authors(verdicts, ground)
        if self._federates():
            follow_ups += await answering.rejections(self.conn, verdicts, ground)
        if follow_ups:
            run = replace(self, direction=Direction.OUT, answers=True)
            await run.judge_and_apply(follow_ups, [Source.internal()] * len(follow_ups))
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
        applied = await effects.apply(self.conn, run, ground)
        self.touched.add(applied.touched)
        mail: list[tuple[Cleared[Activity], frozenset[str]]] = []
        for (n, c), post_id, took in zip(wave, applied.posts, applied.took, strict=True):
            answers[n] = Done(c.decision_id, post_id, took, c.labels)
            # A comment that waits is not forwarded: it leaves when it is let.
            if (
                (took or self.answers)
                and not commenting.waits_for(c.labels)
                and (inboxes := reached.get(id(c)))
            ):
                mail.append((c, inboxes))
        if mail:
            await self._queue(mail, ground)
        return list(applied.follow_ups)

    def _federates(self) -> bool:
        return self.road.settings.federation.enabled

    async def _queue(self, mail: Sequence[tuple[Cleared[Activity], frozenset[str]]], ground: Ground) -> None:
        ended = [c.activity.target for c, _ in mail if isinstance(c.activity, Delete | RemoveReply)]
        if ended:
            await outbox.cancel(self.conn, ended)
        messages = await outgoing.messages(
            self.conn, mail, uris=ground.uris, sealer=self.road.sealer, now=ground.now
        )
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


def _stopped(verdict: Verdict, now: datetime) -> Stopped | None:
    match verdict:
        case Held() | Refused():
            finding = verdict.findings[0]
            return Stopped(
                verdict.decision_id,
                verdict.case_id if isinstance(verdict, Held) else None,
                verdict.reason,
                finding.span.field if finding.span else None,
                finding.category,
                _wait(finding.until, now),
            )
        case _:
            return None


def _wait(until: datetime | None, now: datetime) -> int | None:
    return None if until is None else max(math.ceil((until - now).total_seconds()), 1)


async def answered(road: Road, once: Once) -> Answer | None:
    """What the request with this key was answered, if it was."""
    async with road.pool.acquire() as conn, conn.transaction():
        return (await _claim(conn, [once], road)).get(once)


async def _claim(conn: Connection, onces: Sequence[Once], road: Road) -> dict[Once | None, Answer]:
    """Takes the keys for this transaction; those that were answered before, with their answers."""
    found = await idempotency.claim(conn, [(o.account_id, o.key) for o in onces], now=road.clock())
    return {Once(*key): _remembered(before, road.clock()) for key, before in found.items()}


async def _remember(conn: Connection, answered: Sequence[tuple[Once, Answer]]) -> None:
    await idempotency.remember(
        conn,
        [
            idempotency.Told(
                account_id=once.account_id,
                key=once.key,
                post_id=answer.post_id if isinstance(answer, Done) else None,
                decision_id=answer.decision_id,
                case_id=answer.case_id if isinstance(answer, Stopped) else None,
            )
            for once, answer in answered
            if not isinstance(answer, Failed)
        ],
    )


def _remembered(before: idempotency.Remembered, now: datetime) -> Answer:
    if before.reason is None:
        return Done(DecisionId(before.decision_id), before.post_id)
    case_id = CaseId(before.case_id) if before.case_id is not None else None
    decision_id, reason = DecisionId(before.decision_id), Reason(before.reason)
    wait = _wait(before.until, now)
    return Stopped(decision_id, case_id, reason, before.field, before.category, wait)


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
