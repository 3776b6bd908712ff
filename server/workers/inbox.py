"""Works on what was received: claims rows, reads them, and sends what they say down the road, many at once.

    claimed --> read --> ready ----------------------> one batch, one transaction, rows done in it
                   \\--> lacks something elsewhere --> its actor's own lane, which fetches and goes on
                   \\--> theirs is at fault, or nothing to us --> done, with the reason

A lane takes all that its actor sent from there on, so that nothing of theirs passes what is being fetched;
other actors' rows do not wait for it. What fails is tried again later, without holding up anything, and set
aside with its bytes after the last try.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from asyncpg import UniqueViolationError

from compliance.activity import Activity, Announce, Create, Direction, UpdateProfile, Uri
from compliance.records import Source
from federation import fetch, origin, parse, wire
from federation.errors import NotTrusted, RemoteFault, Unreachable
from federation.fetch import Budget, Client
from federation.parse import Ignored, NeedsObject, Parsed, Wanted

from .. import remote
from ..db.pool import Connection
from ..metrics import Metrics
from ..pipeline import Answer, Done, Failed, Road, submit
from ..store import inbound, known
from ..store.inbound import Claimed, LeaseLost
from ..store.known import KnownActor
from .delivery import heard_from
from .runner import Job, Runner

BATCH = 200
LANES = 64
LANES_PER_HOST = 8
CONVERSATIONS = 16
"""How many conversations have their older posts fetched at a time; a reply beyond that shows without them."""
BREATH = 20
"""Rows read before the loop gets a turn: a millisecond or two."""
PAUSES = (timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Until each further try; after the last one a row is set aside."""
CROWDED = timedelta(seconds=10)
GATHER_SECONDS = 0.02
"""Under load, what is stored within this time is worked on together: a batch costs little more than a row."""
HEARD_SECONDS = 30.0
MOST_HOSTS = 10_000
IDLE_SECONDS = 30.0

_SOURCE = Source.internal("federation")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """A row, its document, and what comes of it."""

    row: Claimed
    document: wire.Document
    said: Parsed | Exception | None
    """A `RemoteFault` is the sender's, any other error ours; `None` where its actor must be fetched first."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A row that lacks nothing."""

    row: Claimed
    document: wire.Document
    said: Activity


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch by what is to be done about each of its rows."""

    ready: list[Ready] = field(default_factory=list)
    slow: dict[Uri, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    """Rows that wait for other servers, by their actors, in order."""
    dropped: list[tuple[Claimed, str]] = field(default_factory=list)
    broken: list[tuple[Claimed, Exception]] = field(default_factory=list)


class Inbox:
    """The inbound worker of one process."""

    def __init__(self, road: Road, client: Client, metrics: Metrics) -> None:
        self._road = road
        self._client = client
        self._metrics = metrics
        self._lanes: set[asyncio.Task[None]] = set()
        self._lanes_of: Counter[str] = Counter()
        self._conversations: set[asyncio.Task[None]] = set()
        self._heard: dict[str, float] = {}
        self._last = 0.0
        self._is_closed = False
        self.job = Job("inbox", self.work, channel="inbound")

    async def work(self) -> float:
        """Works on a batch, and says when to come again."""
        if self._is_closed:
            return IDLE_SECONDS
        if _moment() - self._last < 2 * GATHER_SECONDS:
            await asyncio.sleep(GATHER_SECONDS)
        now = self._road.clock()
        async with self._road.pool.acquire() as conn:
            async with conn.transaction():
                rows = await inbound.claim(conn, limit=BATCH, now=now)
            if not rows:
                due = await inbound.next_due(conn)
                return IDLE_SECONDS if due is None else max((due - now).total_seconds(), 0.05)
            await self._hear(conn, {row.host for row in rows})
            actors = await known.actors(conn, list({row.actor for row in rows}))
        sorted_ = await self._sort(await self._read(rows, actors))
        if sorted_.dropped:
            async with self._road.pool.acquire() as conn:
                await inbound.drop(conn, sorted_.dropped)
            self._count("dropped", len(sorted_.dropped))
        for row, error in sorted_.broken:
            await self._failed(row, error)
        await self._submit(sorted_.ready)
        for lane in sorted_.slow.values():
            await self._open_lane(lane)
        self._last = _moment()
        return 0.0

    async def close(self) -> None:
        """Ends lanes where they are; their rows are claimed again when their leases end."""
        self._is_closed = True
        tasks = [*self._lanes, *self._conversations]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, conn: Connection, hosts: set[str]) -> None:
        """Whoever sends lives; once in half a minute is enough to say so."""
        moment = _moment()
        new = [host for host in hosts if moment - self._heard.get(host, -HEARD_SECONDS) >= HEARD_SECONDS]
        if new:
            if len(self._heard) > MOST_HOSTS:
                self._heard.clear()
            self._heard |= dict.fromkeys(new, moment)
            await heard_from(self._road, conn, new)

    async def _read(self, rows: Sequence[Claimed], actors: dict[Uri, KnownActor]) -> list[Reading]:
        readings = []
        for number, row in enumerate(rows):
            if number % BREATH == BREATH - 1:
                await asyncio.sleep(0)
            readings.append(await self._read_one(row, actors.get(row.actor)))
        return readings

    async def _read_one(self, row: Claimed, actor: KnownActor | None) -> Reading:
        try:
            document = wire.parse(row.body)
            if not wire.is_plain(document):
                # Through JSON-LD, which takes milliseconds of pure Python.
                document = await asyncio.to_thread(wire.compact, document)
            said = None if actor is None else self._parse(document, actor)
        except Exception as error:
            # One document that trips the parsers must not keep the others of its batch from being read.
            return Reading(row, {}, error)
        return Reading(row, document, said)

    def _parse(self, document: wire.Document, actor: KnownActor) -> Parsed:
        return parse.activity(document, actor.actor, now=self._road.clock(), followers=actor.followers)

    async def _sort(self, readings: Sequence[Reading]) -> Sorted:
        boosted = [r.said.target for r in readings if isinstance(r.said, Announce)]
        async with self._road.pool.acquire() as conn:
            here = await known.posts(conn, boosted) if boosted else set()
        found = Sorted()
        for reading in readings:
            row, said = reading.row, reading.said
            if isinstance(said, RemoteFault):
                found.dropped.append((row, str(said)))
            elif isinstance(said, Exception):
                found.broken.append((row, said))
            elif row.actor in found.slow or said is None or self._lacks(said, here):
                found.slow[row.actor].append(reading)
            elif isinstance(said, Ignored):
                found.dropped.append((row, said.reason))
            else:
                found.ready.append(Ready(row, reading.document, cast(Activity, said)))
        return found

    def _lacks(self, said: Parsed, here: set[Uri]) -> bool:
        """Whether `said` names something that is still elsewhere only."""
        if not isinstance(said, Announce):
            return isinstance(said, NeedsObject)
        return said.target not in here and not self._road.uris.is_ours(said.target)

    async def _submit(self, readings: Sequence[Ready], *, is_first: bool = True) -> None:
        """One batch down the road; the rows are done in its transaction, or not at all."""
        if not readings:
            return
        by_activity = {id(reading.said): reading for reading in readings}

        async def settle(conn: Connection, said: Sequence[Activity], answers: Sequence[Answer]) -> None:
            mine = [by_activity[id(activity)] for activity in said]
            await inbound.finish(conn, [reading.row for reading in mine])
            for reading, answer in zip(mine, answers, strict=True):
                if isinstance(reading.said, UpdateProfile) and isinstance(answer, Done):
                    await remote.keep_embedded(conn, self._road, reading.document)

        said = [reading.said for reading in readings]
        try:
            answers = await submit(self._road, said, Direction.IN, source=_SOURCE, within=settle)
        except Exception as error:
            if len(readings) > 1:
                raise
            answers = [Failed(error)]
        for reading, answer in zip(readings, answers, strict=True):
            if isinstance(answer, Failed) and is_first and isinstance(answer.error, UniqueViolationError):
                # Somebody else stored the same thing, or took the same id, at the same moment.
                await self._submit([reading], is_first=False)
            elif isinstance(answer, Failed):
                await self._failed(reading.row, answer.error)
            else:
                self._count("done", 1)
                self._follow_conversation(reading.said, answer)
                if isinstance(reading.said, UpdateProfile):
                    # It may say anew where a certification is.
                    self._road.events.notify("marks")

    async def _failed(self, row: Claimed, error: Exception) -> None:
        """Tries a row again later, or sets it aside after the last try."""
        if isinstance(error, LeaseLost):
            return
        what = f"{type(error).__name__}: {error}"[:500]
        async with self._road.pool.acquire() as conn:
            if row.attempts > len(PAUSES):
                await inbound.park(conn, row, error=what)
                self._count("parked", 1)
                log.error("set aside %s: %s", row.activity, what)
            else:
                due_at = self._road.clock() + PAUSES[row.attempts - 1]
                await inbound.put_back(conn, [row], due_at=due_at, error=what)
                self._count("postponed", 1)

    async def _open_lane(self, lane: list[Reading]) -> None:
        """Goes on with one actor's rows beside the rest; later, where too many lanes are open already."""
        host = lane[0].row.host
        if len(self._lanes) >= LANES or self._lanes_of[host] >= LANES_PER_HOST:
            due_at = self._road.clock() + CROWDED
            async with self._road.pool.acquire() as conn:
                await inbound.put_back(conn, [reading.row for reading in lane], due_at=due_at, error=None)
            return
        self._lanes_of[host] += 1
        task = asyncio.create_task(self._drive(lane), name=f"lane {host}")
        self._lanes.add(task)

        def left(_: asyncio.Task[None]) -> None:
            self._lanes.discard(task)
            self._lanes_of[host] -= 1
            if not self._lanes_of[host]:
                del self._lanes_of[host]
            # What the actor sent meanwhile was not claimed, so as not to pass what was in the lane.
            self.job.wake()

        task.add_done_callback(left)

    async def _drive(self, lane: Sequence[Reading]) -> None:
        rows = [reading.row for reading in lane]
        try:
            for number, reading in enumerate(lane):
                async with self._road.pool.acquire() as conn:
                    await inbound.renew(conn, rows[number:], now=self._road.clock())
                await self._alone(reading)
        except Exception:
            log.exception("a lane of %s broke off", rows[0].host)

    async def _alone(self, reading: Reading) -> None:
        """Fetches what a row lacks and submits it."""
        try:
            said = await self._complete(reading)
        except Unreachable as fault:
            await self._failed(reading.row, fault)
            return
        except RemoteFault as fault:
            said = Ignored(str(fault))
        except Exception as error:
            log.exception("an activity of %s could not be completed", reading.row.host)
            await self._failed(reading.row, error)
            return
        if isinstance(said, Ignored):
            async with self._road.pool.acquire() as conn:
                await inbound.drop(conn, [(reading.row, said.reason)])
            self._count("dropped", 1)
        else:
            await self._submit([Ready(reading.row, reading.document, said)])

    async def _complete(self, reading: Reading) -> Activity | Ignored:
        """What a row says, once everything it names has been brought."""
        budget = Budget()
        actor = await remote.actor(self._road, self._client, reading.row.actor, budget=budget)
        said = self._parse(reading.document, actor)
        if isinstance(said, NeedsObject):
            said = await self._fill_in(reading.document, actor, said, budget)
        if isinstance(said, NeedsObject):
            return Ignored("names something by its id that is itself only an id")
        if isinstance(said, Announce):
            found = await remote.post(self._road, self._client, said.target, budget=budget)
            if found is None:
                return Ignored("boost of a post that may not be shown here")
        return said

    async def _fill_in(
        self, document: wire.Document, actor: KnownActor, lacks: NeedsObject, budget: Budget
    ) -> Parsed:
        match lacks.wanted:
            case Wanted.OBJECT:
                object_ = await fetch.document(self._client, lacks.uri, budget=budget)
                return self._parse(document | {"object": object_}, actor)
            case Wanted.INSTRUMENT:
                instrument = await fetch.document(self._client, lacks.uri, budget=budget)
                return self._parse(document | {"instrument": instrument}, actor)
            case Wanted.ACT:
                async with self._road.pool.acquire() as conn:
                    act = await known.find_act(conn, lacks.uri)
                if act is None:
                    return Ignored("names an earlier act that is not known here")
                object_ = {"id": lacks.uri, "type": act.kind, "actor": act.actor, "object": act.target}
                if act.kind == "Note":
                    object_ = {
                        "id": lacks.uri,
                        "type": "Note",
                        "attributedTo": act.actor,
                        "inReplyTo": act.target,
                    }
                    object_["id"] = lacks.uri.removesuffix("/reply_request")
                return self._parse(document | {"object": object_}, actor)
            case Wanted.ACTIVITY:
                passed_on = await fetch.document(self._client, lacks.uri, budget=budget)
                id_ = origin.find_uri(passed_on.get("actor"))
                if id_ is None or not origin.is_same(id_, lacks.uri):
                    raise NotTrusted("an activity passed on is not where its actor is")
                author = await remote.actor(self._road, self._client, id_, budget=budget)
                return self._parse(passed_on, author)

    def _follow_conversation(self, said: Activity, answer: Answer) -> None:
        """Brings what a new reply answers, beside everything else: the reply is shown meanwhile."""
        if not (isinstance(said, Create) and isinstance(answer, Done) and answer.took):
            return
        above = said.note.in_reply_to
        if above is None or self._road.uris.is_ours(above) or len(self._conversations) >= CONVERSATIONS:
            return
        task = asyncio.create_task(self._bring(above), name="conversation")
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def _bring(self, above: Uri) -> None:
        try:
            await remote.conversation(self._road, self._client, above, budget=Budget())
        except Exception:
            log.exception("a conversation could not be followed")

    def _count(self, outcome: str, number: int) -> None:
        self._metrics.jobs.labels("inbox", outcome).inc(number)


def _moment() -> float:
    return asyncio.get_running_loop().time()


@contextlib.asynccontextmanager
async def running(
    runner: Runner, road: Road, client: Client, metrics: Metrics
) -> AsyncIterator[Callable[[], None]]:
    """Runs the inbound worker of this process; what it yields wakes it when something was stored."""
    inbox = Inbox(road, client, metrics)
    runner.add(inbox.job)
    try:
        yield inbox.job.wake
    finally:
        await inbox.close()
