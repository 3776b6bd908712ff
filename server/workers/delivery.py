"""Sends what waits to leave: a few letters of each host at a time, many hosts beside each other.

    claim --> under way --> ended --> settled, many at once --> claim ...

A letter that takes long stops counting against those that may be under way, so that slow hosts hold up nobody
else; how many may be slow is bounded by itself. What is under way when the server dies is claimed again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Collection
from datetime import timedelta

from compliance.activity import AccountId
from federation import delivery, outbox
from federation.backoff import Policy
from federation.fetch import Client
from federation.outbox import Result
from federation.signatures import SigningKey

from ..db.pool import Connection
from ..metrics import Metrics
from ..pipeline import Road
from ..store import actor_keys, inbound
from .runner import Job, Runner

LEASE = timedelta(seconds=120)
"""Longer than a letter waits here, and then takes with both kinds of signature, at the longest."""
CLAIM = 128
"""Letters leased at a time: looking for what may go costs the same for one as for many."""
SLOW_SECONDS = 2.0
MOST_SLOW = 64
GATHER_SECONDS = 0.005
"""Under load, what ends within this time is settled together."""
MOST_KEYS = 4_096
IDLE_SECONDS = 30.0

log = logging.getLogger(__name__)


class Delivery:
    """The outgoing mail of one process."""

    def __init__(self, road: Road, client: Client, metrics: Metrics) -> None:
        self._road = road
        self._client = client
        self._metrics = metrics
        self._policy = Policy(
            first_retry=timedelta(seconds=road.settings.federation.first_retry),
            give_up=timedelta(days=road.settings.federation.give_up_days),
        )
        self._keys: OrderedDict[AccountId, SigningKey] = OrderedDict()
        self._waiting: deque[outbox.Job] = deque()
        self._under_way: dict[asyncio.Task[Result], tuple[outbox.Job, float]] = {}
        self._is_closed = False
        self._last = 0.0
        self.job = Job("delivery", self.work, channel="outbound")

    async def work(self) -> float:
        """Settles what has ended and claims what may go now; each letter that ends has this called again."""
        if self._is_closed:
            return IDLE_SECONDS
        if _moment() - self._last < 2 * GATHER_SECONDS:
            await asyncio.sleep(GATHER_SECONDS)
        await self._settle()
        self._send_waiting()
        # A letter that is still under way in two seconds makes room for another.
        due = await self._claim() if self._free() > 0 else SLOW_SECONDS
        self._last = _moment()
        return min(due, SLOW_SECONDS) if self._waiting else due

    async def close(self) -> None:
        """Breaks off what is under way, and gives everything back."""
        self._is_closed = True
        tasks = [task for task in self._under_way if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._settle()
        jobs = [*self._waiting, *(job for job, _ in self._under_way.values())]
        if jobs:
            async with self._road.pool.acquire() as conn:
                await outbox.release(conn, jobs)

    async def _claim(self) -> float:
        """Takes what may go now, and says in how many seconds to look again."""
        now = self._road.clock()
        async with self._road.pool.acquire() as conn:
            jobs = await outbox.claim(
                conn,
                now=now,
                lease=LEASE,
                limit=CLAIM,
                per_host=self._road.settings.federation.host_concurrency,
            )
            due = None if jobs else await outbox.next_due(conn, now=now)
        self._waiting.extend(jobs)
        self._send_waiting()
        return IDLE_SECONDS if due is None else min(max((due - now).total_seconds(), 0.05), IDLE_SECONDS)

    def _free(self) -> int:
        """How many more letters may be sent now."""
        moment, places = _moment(), self._road.settings.federation.workers
        slow = sum(moment - begun > SLOW_SECONDS for _, begun in self._under_way.values())
        return min(places - (len(self._under_way) - slow), places + MOST_SLOW - len(self._under_way))

    def _send_waiting(self) -> None:
        for _ in range(min(self._free(), len(self._waiting))):
            job = self._waiting.popleft()
            task = asyncio.create_task(self._deliver(job), name=f"delivery to {job.host}")
            self._under_way[task] = (job, _moment())
            task.add_done_callback(lambda _: self.job.wake())

    async def _deliver(self, job: outbox.Job) -> Result:
        return await delivery.send(self._client, job, await self._key(job.signer))

    async def _key(self, signer: AccountId) -> SigningKey:
        kept = self._keys.get(signer)
        if kept is not None:
            self._keys.move_to_end(signer)
            return kept
        async with self._road.pool.acquire() as conn:
            key = await load_key(self._road, conn, signer)
        self._keys[signer] = key
        if len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        return key

    async def _settle(self) -> None:
        ended = [task for task in self._under_way if task.done() and not task.cancelled()]
        results: list[Result] = []
        for task in ended:
            del self._under_way[task]
            error = task.exception()
            if error is None:
                results.append(task.result())
            else:
                # Ours, not theirs: the letter is claimed again when its lease ends.
                log.error("a delivery broke off", exc_info=error)
        if not results:
            return
        async with self._road.pool.acquire() as conn, conn.transaction():
            given_up = await outbox.settle(conn, results, now=self._road.clock(), policy=self._policy)
        for result in results:
            self._metrics.jobs.labels("delivery", result.fate.value).inc()
        if given_up:
            self._metrics.jobs.labels("delivery", "given up").inc(given_up)


def _moment() -> float:
    return asyncio.get_running_loop().time()


async def recover(road: Road) -> None:
    """At the start of a server, before any worker: takes back what the one before it left under way."""
    async with road.pool.acquire() as conn:
        await outbox.release_all(conn)
        await inbound.release_all(conn)


async def heard_from(road: Road, conn: Connection, hosts: Collection[str]) -> None:
    """Ends the pauses of hosts that just sent something: what waits for them may go."""
    if await outbox.heard_from(conn, hosts, now=road.clock()):
        road.events.notify("outbound")


async def load_key(road: Road, conn: Connection, account_id: AccountId) -> SigningKey:
    """The key that signs for an account of ours."""
    stored = await actor_keys.get_signing(conn, account_id)
    pem = road.sealer.open(stored.private_sealed, context=f"actor-key:{stored.key_id}")
    return SigningKey.load(stored.key_id, pem)


@contextlib.asynccontextmanager
async def running(runner: Runner, road: Road, client: Client, metrics: Metrics) -> AsyncIterator[None]:
    """Runs the delivery worker of this process."""
    worker = Delivery(road, client, metrics)
    runner.add(worker.job)
    try:
        yield
    finally:
        await worker.close()
