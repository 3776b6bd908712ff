"""Sends what waits to leave: a few letters of each host at a time, many hosts beside each other.

    claim --> under way --> ended --> settled, many at once --> claim ...

A letter that takes long stops counting against those that may be under way, so that slow hosts hold up nobody
else; how many may be slow is bounded by itself. What is under way when the server dies is claimed again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
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

LEASE = timedelta(seconds=90)
"""Longer than two tries with both kinds of signature take at their longest."""
SLOW_SECONDS = 2.0
MOST_SLOW = 64
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
        self._under_way: dict[asyncio.Task[Result], float] = {}
        self._is_closed = False
        self.job = Job("delivery", self.work, channel="outbound")

    async def work(self) -> float:
        """Settles what has ended and claims what may go now; each letter that ends has this called again."""
        if self._is_closed:
            return IDLE_SECONDS
        await self._settle()
        free = self._free()
        if free <= 0:
            return SLOW_SECONDS / 2
        now = self._road.clock()
        async with self._road.pool.acquire() as conn:
            jobs = await outbox.claim(
                conn,
                now=now,
                lease=LEASE,
                limit=free,
                per_host=self._road.settings.federation.host_concurrency,
            )
            due = None if jobs else await outbox.next_due(conn, now=now)
        for job in jobs:
            self._send(job)
        if jobs:
            return SLOW_SECONDS if len(jobs) == free else IDLE_SECONDS
        return IDLE_SECONDS if due is None else min(max((due - now).total_seconds(), 0.05), IDLE_SECONDS)

    async def close(self) -> None:
        """Breaks off what is under way; it is claimed again when its lease ends."""
        self._is_closed = True
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _free(self) -> int:
        """How many more letters may be sent now."""
        moment = asyncio.get_running_loop().time()
        slow = sum(moment - begun > SLOW_SECONDS for begun in self._under_way.values())
        quick = len(self._under_way) - slow
        return min(
            self._road.settings.federation.workers - quick,
            self._road.settings.federation.workers + MOST_SLOW - len(self._under_way),
        )

    def _send(self, job: outbox.Job) -> None:
        task = asyncio.create_task(self._deliver(job), name=f"delivery to {job.host}")
        self._under_way[task] = asyncio.get_running_loop().time()
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
        ended = [task for task in self._under_way if task.done()]
        results: list[Result] = []
        for task in ended:
            del self._under_way[task]
            if task.cancelled():
                continue
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
