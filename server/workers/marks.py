"""Looks at what other servers certified: when somebody first says so, and ever again while they do.

A claim is only where to look. What is found there is fetched from that server and verified by its own key;
the mark is shown for as long as that goes well. A server that is silent keeps its marks for some days: it may
be down. One that says no, or something that does not hold, loses the mark at once.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from compliance import hosts
from compliance.hosts import Policy
from federation import fetch, origin
from federation.actor import Certification
from federation.errors import RemoteFault, Unreachable
from federation.fetch import Budget, Client

from ..db.pool import Connection
from ..pipeline import Road
from ..store import marks
from ..store.marks import Claim, Mark
from .runner import Job

AT_ONCE: Final = 8
LEASE: Final = timedelta(minutes=10)
AGAIN: Final = timedelta(hours=12)
"""How long something revoked in silence is still shown here at most."""
REFUSED_AGAIN: Final = timedelta(days=1)
TIDY: Final = timedelta(minutes=5)
PAUSES: Final = tuple(timedelta(minutes=m) for m in (1, 10, 60, 360))
SILENT_DAYS: Final = 3
_IDLE_SECONDS: Final = 60.0
_REQUESTS: Final = 6

log = logging.getLogger(__name__)


class Marks:
    """The job of one process."""

    def __init__(self, road: Road, client: Client) -> None:
        self._road = road
        self._client = client
        self._tidied = datetime.min.replace(tzinfo=UTC)
        self.job = Job("marks", self.work, "marks")

    async def work(self) -> float:
        """Looks at some of what is due, and says in how many seconds there is more."""
        now = self._road.clock()
        if now >= self._tidied + TIDY:
            self._tidied = now
            await self._tidy()
        if not self._road.settings.certification.show_remote:
            return TIDY.total_seconds()
        async with self._road.pool.acquire() as conn:
            due = await marks.take_claims(conn, now=now, again_at=now + LEASE, limit=AT_ONCE)
        await asyncio.gather(*map(self._look, due))
        return 0.0 if len(due) == AT_ONCE else _IDLE_SECONDS

    async def _tidy(self) -> None:
        """Takes away what servers gave that are not welcome any more, before anybody asks them again."""
        shown = self._road.settings.certification.show_remote
        async with self._road.pool.acquire() as conn:
            for host in await marks.list_hosts(conn):
                if not shown or not await _is_welcome(conn, host):
                    for account_id in await marks.forget_host(conn, host):
                        marks.forget(self._road.events, account_id)

    async def _look(self, claim: Claim) -> None:
        try:
            said = await self._verified(claim)
        except Unreachable as fault:
            await self._silent(claim, fault)
        except RemoteFault as fault:
            log.info("no mark for %s: %s", claim.subject, fault)
            await self._settle(claim, None, REFUSED_AGAIN)
        else:
            mark = Mark(
                class_=said.class_,
                label=said.label,
                certified_at=said.issued,
                expires_at=said.expires,
                host=origin.host_of(claim.uri),
            )
            await self._settle(claim, mark, AGAIN)

    async def _verified(self, claim: Claim) -> Certification:
        async with self._road.pool.acquire() as conn:
            if not await _is_welcome(conn, origin.host_of(claim.uri)):
                raise _Unwelcome("its server is under a policy of the operator")
        return await fetch.certification(
            self._client, claim.subject, claim.uri, now=self._road.clock(), budget=Budget(_REQUESTS)
        )

    async def _silent(self, claim: Claim, fault: Unreachable) -> None:
        """No answer: the mark stays until its server has been silent for too long."""
        pause = PAUSES[min(claim.attempts, len(PAUSES)) - 1]
        tries = len(PAUSES) + SILENT_DAYS * (timedelta(days=1) // PAUSES[-1])
        if claim.attempts >= tries:
            log.info("no mark for %s any more: %s", claim.subject, fault)
            await self._settle(claim, None, REFUSED_AGAIN)
            return
        async with self._road.pool.acquire() as conn:
            await marks.settle_claim(conn, claim, due_at=self._road.clock() + pause, answered=False)

    async def _settle(self, claim: Claim, mark: Mark | None, pause: timedelta) -> None:
        due_at = self._road.clock() + pause
        if mark is not None:
            # Looked at again when it runs out, in case it is renewed.
            due_at = min(due_at, mark.expires_at)
        async with self._road.pool.acquire() as conn, conn.transaction():
            # Another claim may have come in the meantime; then it is looked at by itself.
            if not await marks.settle_claim(conn, claim, due_at=due_at, answered=True):
                return
            changed = await marks.set(conn, claim.account_id, mark)
        if changed:
            marks.forget(self._road.events, claim.account_id)


async def _is_welcome(conn: Connection, host: str) -> bool:
    """A server of which not everything is taken as it comes does not put marks on anybody here."""
    found = await hosts.find_policy(conn, host)
    return found is None or found.policy is Policy.ALLOW


class _Unwelcome(RemoteFault):
    """The operator does not take this server at its word."""
