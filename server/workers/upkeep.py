"""Keeps house: log partitions ahead of time, identities that lapse, and what has had its time.

Every process has this job; an advisory lock lets one of them at a time do a chore. Each chore is small steps
in transactions of their own, so that a stop in the middle leaves nothing half done.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from compliance import identity, records, reminders, retention
from compliance.activity import AccountId
from compliance.identity import holders, review
from compliance.records import Source

from .. import certifying, disclosure, handover, importing, standings
from ..certifying import Send
from ..db.pool import Connection
from ..letters import Letter
from ..media import files
from ..organising import handing_on, people
from ..pipeline import Road
from ..reminding import Reminding
from ..store import inbound, oidc_flows, sweeps

STEP = 1_000
"""Rows to a transaction."""
STEPS = 50
"""Transactions to a chore before the others have their turn."""
TOLD = 200
"""People who are told something in a transaction: each takes a notice, a letter, and a look at who reads."""
FEED_LENGTH = 800
"""Posts kept in a home timeline; further down it is not looked at."""
INBOUND_KEPT = timedelta(days=30)
"""Longer than any signature holds, so that no activity that was seen can come as new."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MONTH = timedelta(days=31)
"""Rather a day too long than one too short."""
_AGAIN = timedelta(minutes=5)
_SOON = timedelta(seconds=30)
_TURN = timedelta(seconds=5)
_LOCK = 0x79616E_02

Step: TypeAlias = Callable[[Connection, datetime], Awaitable[int]]
"""Does up to `STEP` rows' worth of a chore, and says how many it did."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done now and then."""

    name: str
    every: timedelta
    step: Step
    after: Callable[[], Awaitable[None]] | None = None
    """What follows the commit of a step, outside the database."""
    size: int = STEP
    """Rows of a full step: after fewer than that the chore has nothing left to do."""


def _kept(letter: Letter) -> None:
    """Where there is no mailer, what would be written is noted, without a word of it."""
    log.info("upkeep: a letter has nobody to take it", extra={"locale": letter.locale})


class Upkeep:
    """The chores of one process, and when each is due again."""

    def __init__(self, road: Road, send: Send = _kept) -> None:
        self.is_behind = False
        """Whether another process was at it when a chore's time had come: it is looked at again soon."""
        self._road = road
        self._due: dict[str, datetime] = {}
        self._chores = _chores(road, send)

    async def work(self) -> float:
        """Does the chores that are due, and says in how many seconds the next one is."""
        self.is_behind = False
        for chore in self._chores:
            now = self._road.clock()
            if self._due.get(chore.name, now) <= now:
                self._due[chore.name] = now + chore.every
                try:
                    if not await self._do(chore):
                        self.is_behind = True
                        self._due[chore.name] = now + _TURN
                except Exception:
                    # The others are done all the same.
                    log.exception("upkeep: %s failed", chore.name)
                    self._due[chore.name] = now + _AGAIN
        earliest = min(self._due.values())
        return max((earliest - self._road.clock()).total_seconds(), 1.0)

    async def _do(self, chore: Chore) -> bool:
        """Whether it had its turn."""
        done, had_turn = 0, True
        for _ in range(STEPS):
            async with self._road.pool.acquire() as conn, conn.transaction():
                had_turn = await conn.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK)
                if not had_turn:
                    break
                moved = await chore.step(conn, self._road.clock())
            if chore.after is not None:
                await chore.after()
            done += moved
            if moved < chore.size:
                break
        if done:
            log.info("upkeep: %s: %d", chore.name, done)
        return had_turn


def _chores(road: Road, send: Send) -> list[Chore]:
    folder = road.settings.data / "media"

    async def months(conn: Connection, now: datetime) -> int:
        return await records.open_months(conn, now)

    async def identities(conn: Connection, now: datetime) -> int:
        return await identity.sweep(conn, now)

    async def ended_papers(conn: Connection, now: datetime) -> int:
        return await review.shred_ended(conn, now, source=Source.internal(), new_id=road.ids, limit=TOLD)

    async def closed_identities(conn: Connection, now: datetime) -> int:
        before = now - _MONTH * road.settings.vault.retention_months
        return await holders.forget_closed(conn, before=before, limit=TOLD)

    async def orphaned_files(_conn: Connection, _now: datetime) -> int:
        return await files.sweep(folder)

    orphans: list[str] = []

    async def loose_media(conn: Connection, now: datetime) -> int:
        rows, orphans[:] = await sweeps.loose_media(conn, before=now - _DAY, limit=STEP)
        return rows

    async def withdrawn(conn: Connection, now: datetime) -> int:
        before = now - timedelta(days=road.settings.posts.keep_deleted_days)
        posts, orphans[:] = await sweeps.withdrawn_posts(conn, before=before, now=now, limit=STEP)
        return posts

    heirs: list[AccountId] = []

    async def handed_on(conn: Connection, _now: datetime) -> int:
        heirs[:] = await handing_on.finish_due(road, conn)
        return len(heirs)

    async def tell_of_it() -> None:
        people.wake(road, *heirs)

    async def orphaned() -> None:
        await files.remove(folder, *orphans)

    told: set[AccountId] = set()

    async def standings_due(conn: Connection, now: datetime) -> int:
        return await standings.look_at_due(conn, now, road.ids, told)

    async def standings_all(conn: Connection, now: datetime) -> int:
        return await standings.look_at_all(conn, now, road.ids, told)

    async def filings_due(conn: Connection, _now: datetime) -> int:
        staff = await handover.remind(conn, road)
        told.update(staff)
        return len(staff)

    async def tell_standings() -> None:
        for account_id in told:
            road.events.notify("notices", str(account_id))
        told.clear()

    tending, reminding = certifying.Tending(road, send), Reminding(road)

    async def remind(conn: Connection, now: datetime) -> int:
        return await reminding.remind(conn, now, TOLD)

    async def ask(conn: Connection, now: datetime) -> int:
        return await reminding.ask(conn, now, TOLD)

    ending, vault = disclosure.Ending(road), road.settings.vault

    async def closed_vaults(conn: Connection, now: datetime) -> int:
        return await retention.shred_closed(
            conn,
            months=vault.retention_months,
            now=now,
            source=Source.internal(),
            new_id=road.ids,
            limit=TOLD,
        )

    async def checked_papers(conn: Connection, now: datetime) -> int:
        return await retention.forget_checked(conn, now=now, limit=STEP) if vault.keep == "proof" else 0

    return [
        Chore("papers opened, now told", _SOON, ending.step, ending.after, disclosure.STEP),
        Chore("papers of closed accounts", _HOUR, closed_vaults, None, TOLD),
        Chore("papers that were checked", _AGAIN, checked_papers),
        Chore("standings due", _SOON, standings_due, tell_standings, standings.BATCH),
        Chore("standings", _AGAIN, standings_all, tell_standings, standings.BATCH),
        Chore("tier trials", _SOON, standings.try_step, size=standings.BATCH),
        Chore("certifications", _AGAIN, tending.step, tending.after, certifying.STEP),
        Chore("filings due", _HOUR, filings_due, tell_standings),
        Chore("months of the log", _DAY, months),
        Chore("identities", _HOUR, identities),
        Chore("papers that are not needed", _HOUR, ended_papers, None, TOLD),
        Chore("identities of closed accounts", _HOUR, closed_identities, None, TOLD),
        Chore("reminders", _HOUR, remind, reminding.wake, TOLD),
        Chore("campaigns", _SOON, ask, reminding.wake, TOLD),
        Chore("told reminders", _DAY, lambda conn, now: reminders.sweep(conn, now=now, limit=STEP)),
        Chore("organisations handed on", _AGAIN, handed_on, tell_of_it),
        Chore("sessions", _HOUR, lambda conn, now: sweeps.sessions(conn, now=now, limit=STEP)),
        Chore("mail links", _HOUR, lambda conn, now: sweeps.mail_links(conn, now=now, limit=STEP)),
        Chore("codes", _HOUR, lambda conn, now: sweeps.oauth_codes(conn, before=now - _DAY, limit=STEP)),
        Chore("flows", _HOUR, lambda conn, now: oidc_flows.sweep(conn, now=now, limit=STEP)),
        Chore("phone codes", _HOUR, lambda conn, now: sweeps.phone_codes(conn, now=now, limit=STEP)),
        Chore("attempts", _HOUR, lambda conn, now: sweeps.attempts(conn, before=now - _DAY, limit=STEP)),
        Chore("mutes", _HOUR, lambda conn, now: sweeps.mutes(conn, now=now, limit=STEP)),
        Chore(
            "answers", _HOUR, lambda conn, now: sweeps.idempotency_keys(conn, before=now - _DAY, limit=STEP)
        ),
        Chore("loose media", _HOUR, loose_media, orphaned),
        Chore("closed accounts", _HOUR, lambda conn, now: sweeps.closed_accounts(conn, now=now, limit=STEP)),
        Chore("withdrawn posts", _HOUR, withdrawn, orphaned),
        Chore("broken uploads", _HOUR, orphaned_files),
        Chore("left archives", _DAY, lambda _conn, _now: importing.sweep(road)),
        Chore("feeds", _HOUR, lambda conn, now: sweeps.feeds(conn, keep=FEED_LENGTH, limit=STEP)),
        Chore("inbound", _HOUR, lambda conn, now: inbound.sweep(conn, before=now - INBOUND_KEPT, limit=STEP)),
        Chore("sent", _HOUR, lambda conn, now: sweeps.sent_messages(conn, before=now - _HOUR, limit=STEP)),
    ]
