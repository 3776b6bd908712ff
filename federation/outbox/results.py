"""What became of letters: gone from here, or waiting for another try; and what that says of their hosts."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from compliance.connection import Connection
from federation import backoff
from federation.backoff import Policy
from federation.signatures import Dialect

from .lanes import Job


class Fate(enum.StrEnum):
    """How one try ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The host lives and will never take this letter."""
    GONE = "gone"
    """The host lives and has no such inbox."""
    LATER = "later"
    """The host lives and asks to be left alone for now."""
    FAILED = "failed"
    """No answer, or one that says the server is broken."""

    @property
    def is_final(self) -> bool:
        return self in (Fate.DELIVERED, Fate.REFUSED, Fate.GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One job and how it ended."""

    job: Job
    fate: Fate
    error: str = ""
    retry_after: timedelta | None = None
    dialect: Dialect | None = None
    """The kind of signature that was taken, where one was."""


async def settle(conn: Connection, results: Sequence[Result], *, now: datetime, policy: Policy) -> int:
    """Writes down how jobs ended, and says how many letters were given up; in one transaction of the
    caller's.
    """
    ended = [result.job.id for result in results if result.fate.is_final]
    again: list[tuple[Result, datetime]] = []
    given_up = 0
    for result in results:
        if not result.fate.is_final:
            at = backoff.next_try(
                policy,
                attempts=result.job.attempts + 1,
                created=result.job.created_at,
                now=now,
                asked=result.retry_after,
            )
            if at is None:
                ended.append(result.job.id)
                given_up += 1
            else:
                again.append((result, at))
    await conn.execute("delete from federation.outbound where id = any($1::bigint[])", ended)
    await _put_back(conn, again)
    await _judge_hosts(conn, results, now=now, policy=policy)
    return given_up


async def heard_from(conn: Connection, hosts: Collection[str], *, now: datetime) -> int:
    """Opens the lanes of hosts that showed life by sending us something, and says how many letters may go
    at once because of it.
    """
    status = await conn.execute(
        """
        with opened as (
          update federation.host set failures = 0, failing_since = null, paused_until = null
          where host = any($1::text[]) and failures > 0
          returning host
        )
        update federation.outbound o set due_at = $2 from opened p where o.host = p.host and o.due_at > $2
        """,
        list(hosts),
        now,
    )
    return int(status.rpartition(" ")[2])


async def _put_back(conn: Connection, again: Iterable[tuple[Result, datetime]]) -> None:
    waiting = list(again)
    if not waiting:
        return
    await conn.execute(
        """
        update federation.outbound o
        set attempts = o.attempts + 1, due_at = r.due_at, error = r.error, locked_until = null
        from unnest($1::bigint[], $2::timestamptz[], $3::text[]) as r (id, due_at, error)
        where o.id = r.id
        """,
        [result.job.id for result, _ in waiting],
        [at for _, at in waiting],
        [result.error[:500] for result, _ in waiting],
    )


async def _judge_hosts(conn: Connection, results: Sequence[Result], *, now: datetime, policy: Policy) -> None:
    alive: dict[str, Dialect | None] = {}
    failed: dict[str, int] = {}
    errors: dict[str, str] = {}
    for result in results:
        host = result.job.host
        if result.fate is Fate.FAILED:
            failed[host] = failed.get(host, 0) + 1
            errors[host] = result.error[:500]
        else:
            alive[host] = result.dialect or alive.get(host)
    if alive:
        await _open(conn, alive, now=now)
    await _leave_alone(conn, results, now=now)
    silent = [host for host in failed if host not in alive]
    if silent:
        await _count_failures(
            conn, silent, [failed[host] for host in silent], [errors[host] for host in silent], now=now
        )
        await _pause(conn, silent, now=now, policy=policy)


async def _open(conn: Connection, alive: dict[str, Dialect | None], *, now: datetime) -> None:
    # Most successes change nothing that matters: one write in ten minutes for each host is enough.
    await conn.execute(
        """
        insert into federation.host as h (host, dialect, last_ok_at)
        select host, dialect, $3 from unnest($1::text[], $2::text[]) as a (host, dialect) order by host
        on conflict (host) do update
        set dialect = coalesce(excluded.dialect, h.dialect), last_ok_at = excluded.last_ok_at,
          failures = 0, failing_since = null, paused_until = null
        where h.failures > 0 or h.dialect is distinct from coalesce(excluded.dialect, h.dialect)
          or h.last_ok_at is null or h.last_ok_at < excluded.last_ok_at - interval '10 minutes'
        """,
        list(alive),
        list(alive.values()),
        now,
    )


async def _count_failures(
    conn: Connection, hosts: list[str], counts: list[int], errors: list[str], *, now: datetime
) -> None:
    await conn.execute(
        """
        insert into federation.host as h (host, failures, failing_since, last_error)
        select host, failures, $4, error
        from unnest($1::text[], $2::int[], $3::text[]) as f (host, failures, error) order by host
        on conflict (host) do update
        set failures = h.failures + excluded.failures,
          failing_since = coalesce(h.failing_since, excluded.failing_since), last_error = excluded.last_error
        """,
        hosts,
        counts,
        errors,
        now,
    )


async def _pause(conn: Connection, hosts: list[str], *, now: datetime, policy: Policy) -> None:
    rows = await conn.fetch("select host, failures from federation.host where host = any($1::text[])", hosts)
    pauses = [(row["host"], backoff.pause(policy, failures=row["failures"], now=now)) for row in rows]
    await _close(conn, {host: until for host, until in pauses if until is not None})


async def _leave_alone(conn: Connection, results: Sequence[Result], *, now: datetime) -> None:
    """`Retry-After` is said by a host, not about a letter: what else waits for it waits as well."""
    until: dict[str, datetime] = {}
    for result in results:
        if result.fate is Fate.LATER and result.retry_after:
            host, at = result.job.host, now + min(result.retry_after, backoff.LONGEST_PAUSE)
            until[host] = max(at, until.get(host, at))
    await _close(conn, until)


async def _close(conn: Connection, until: dict[str, datetime]) -> None:
    # Letters of a paused host come due with it, so that they do not stand before those that may go.
    if not until:
        return
    await conn.execute(
        """
        with paused as (
          update federation.host h set paused_until = greatest(h.paused_until, p.until)
          from unnest($1::text[], $2::timestamptz[]) as p (host, until) where h.host = p.host
          returning h.host, h.paused_until
        )
        update federation.outbound o set due_at = p.paused_until
        from paused p where o.host = p.host and o.due_at < p.paused_until
        """,
        list(until),
        list(until.values()),
    )
