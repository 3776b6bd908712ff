"""`python -m bench.gate`: the gate alone, in batches, beside a bare batch INSERT of as many rows in the same
run.

Processor time is that of this process and of its database session together. The aim is an overhead under 0.3
ms of it for each activity in a batch of 100. The matcher is measured apart: 100,000 patterns on posts of 500
characters.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from compliance import agreements, gate, records
from compliance.activity import AccountId, Activity, Actor, Create, Direction, Note, Uri
from compliance.folding import fold
from compliance.matching import Matcher
from compliance.records import Source
from compliance.ruleset import Rule
from compliance.verdict import Cleared
from compliance.wordlists import Rulebook
from server.db.embedded import APP, OWNER, Cluster
from server.db.migrate import migrate
from server.db.pool import Connection, session_settings
from server.db.roles import prepare_embedded
from server.ids import IdMaker

AIM = 0.3
"""Milliseconds of processor time for each activity in a batch of 100."""
PATTERNS = 100_000
PEOPLE = 200
ROUNDS = 60
SIZES = (1, 10, 100, 500)
SOURCE = Source("192.0.2.7", 50_123, "bench")

_HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 6_000)]
_CALM = "今天天气不错，我们一起去公园散步吧。路上看到很多花开了，真的很漂亮！We met old friends there, too. "


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds for each activity, one entry for each batch."""

    processor: Sequence[float]
    wall: Sequence[float]

    def line(self, name: str) -> str:
        cuts = statistics.quantiles(self.processor, n=100)
        return (
            f"  {name:34} {statistics.median(self.processor):7.3f} ms of processor each"
            f"  (p5 {cuts[4]:.3f}, p95 {cuts[94]:.3f}, p99 {cuts[98]:.3f});"
            f" {statistics.median(self.wall):.3f} ms in all"
        )


def rules(count: int = PATTERNS) -> tuple[Rule, ...]:
    """Random patterns, half Chinese, half two English words; none of them is in the calm text."""
    chance = random.Random(7)  # noqa: S311 - the same patterns at each run
    letters = "bcdfghjklmnpqrstvwxz"

    def chinese() -> str:
        return "".join(chance.choices(_HAN, k=chance.randint(3, 5)))

    def english() -> str:
        return " ".join("".join(chance.choices(letters, k=chance.randint(4, 8))) for _ in range(2))

    made = (english() if number % 2 else chinese() for number in range(count))
    return tuple(Rule(list_name="bench", written=text, text=fold(text), category="bench") for text in made)


def matcher() -> Matcher:
    """Measures building and scanning, and gives the matcher back."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    listed = rules()
    started = time.process_time()
    built = Matcher(listed)
    taken = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"  {len(listed):,} patterns: built in {taken:.2f} s, {grown:.0f} MB with the rules themselves")
    calm = (_CALM * 20)[:500]
    fold(calm)
    hits = "".join(rule.written for rule in listed[:40:20])
    for name, text in (
        ("simplified Chinese, no match", calm),
        ("traditional Chinese, no match", calm.replace("们", "們").replace("气", "氣")),
        ("English, no match", ("It is a fine day and we are all out for a walk by the river. " * 10)[:500]),
        ("with emoji and hidden characters", (calm[:490] + "\u200b👍🏽\u200b")[:500]),
        ("with 2 matches", (hits + calm)[:500]),
        ("50 matches and more", (listed[0].written * 200)[:500]),
    ):
        times = [_time_of(built, text) for _ in range(2_000)]
        cuts = statistics.quantiles(times, n=100)
        print(f"  {name:34} mean {statistics.mean(times):7.1f} us, p50 {cuts[49]:.1f}, p99 {cuts[98]:.1f}")
    return built


def _time_of(built: Matcher, text: str) -> float:
    """Microseconds of processor time, so that what else the machine does is not counted."""
    started = time.process_time_ns()
    built.find(text, lambda _: True)
    return (time.process_time_ns() - started) / 1_000


def posts(count: int, now: datetime, ids: IdMaker) -> list[Activity]:
    """Posts of some 200 characters by as many people as there are."""
    made: list[Activity] = []
    for number in range(count):
        person = number % PEOPLE + 1
        actor = Actor(id=AccountId(person), uri=Uri(f"https://bench.example/users/p{person}"), host=None)
        uri = Uri(f"{actor.uri}/statuses/{ids()}")
        text = f"{_CALM}{_CALM}{number}"
        note = Note(uri=uri, author=actor.uri, url=uri, html=f"<p>{text}</p>", text=text, published=now)
        made.append(Create(id=Uri(f"{uri}/activity"), actor=actor, note=note))
    return made


async def measure(conn: Connection, size: int, batch: Callable[[], Awaitable[object]]) -> Cost:
    """Runs batches one after another, each in a transaction of its own."""
    session: int = await conn.fetchval("select pg_backend_pid()")
    processor, wall = [], []
    rounds = max(ROUNDS, 300 // size)
    for turn in range(rounds + 5):
        theirs, ours, started = _session_seconds(session), time.process_time(), time.perf_counter()
        async with conn.transaction():
            await batch()
        if turn >= 5:
            wall.append((time.perf_counter() - started) * 1_000 / size)
            spent = time.process_time() - ours + _session_seconds(session) - theirs
            processor.append(spent * 1_000 / size)
    return Cost(processor, wall)


def _session_seconds(session: int) -> float:
    """Processor time of the database session, to the nanosecond (`/proc` counts in ticks of 10 ms
    elsewhere)."""
    return int(Path(f"/proc/{session}/schedstat").read_text("ascii").split()[0]) / 1e9


async def main() -> None:
    print("the matcher")
    built = matcher()
    now = datetime.now(UTC)
    ids = IdMaker(0)
    with tempfile.TemporaryDirectory(prefix="yanlu-bench-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "postgres")
        cluster.take()
        try:
            await prepare_embedded(cluster)
            await _fill(cluster, now)
            conn = await asyncpg.connect(cluster.url(APP), server_settings=session_settings(None, 30))
            try:
                for size in SIZES:
                    await _compare(conn, size, Rulebook(0, built), now, ids)
            finally:
                await conn.close()
        finally:
            cluster.give_back()


async def _fill(cluster: Cluster, now: datetime) -> None:
    """Tables, people who may publish, and decisions enough that indexes have a depth."""
    owner = await asyncpg.connect(cluster.url(OWNER))
    try:
        await migrate(owner, app_role=APP)
        await records.open_months(owner, now)
        await agreements.seed(owner, now=now - timedelta(days=1))
        await owner.execute(
            """
            insert into account (id, username, uri, url, inbox, created_at)
            select n, 'p' || n, 'https://bench.example/users/p' || n, '', '', now()
            from generate_series(1, 200) n
            """
        )
        await owner.execute(
            """
            insert into compliance.identity
              (account_id, state, method, verified_at, due_at, lapses_at, updated_at)
            select n, 'verified', 'attestation', now(), now() + '1 year', now() + '1 year', now()
            from generate_series(1, 200) n
            """
        )
        await owner.execute(
            """
            insert into compliance.acceptance (account_id, document, version, locale, hash, accepted_at)
            select n, d.document, 1, 'en', '', now()
            from generate_series(1, 200) n cross join (values ('terms'), ('rules'), ('privacy')) d (document)
            """
        )
        await owner.execute("create table bench_row (id bigint primary key, words text, at timestamptz)")
        await owner.execute(f'grant insert on bench_row to "{APP}"')
        await owner.execute("analyze")
    finally:
        await owner.close()


async def _compare(conn: Connection, size: int, book: Rulebook, now: datetime, ids: IdMaker) -> None:
    print(f"\nbatches of {size}")

    async def bare() -> None:
        await conn.execute(
            """
            insert into bench_row (id, words, at)
            select id, words, at from unnest($1::bigint[], $2::text[], $3::timestamptz[]) as b(id, words, at)
            """,
            [ids() for _ in range(size)],
            [_CALM * 2] * size,
            [now] * size,
        )

    async def judged() -> None:
        verdicts = await gate.judge(
            conn,
            posts(size, now, ids),
            Direction.OUT,
            rulebook=book,
            now=now,
            new_id=ids,
            source=SOURCE,
        )
        assert all(isinstance(verdict, Cleared) for verdict in verdicts)

    insert, whole = await measure(conn, size, bare), await measure(conn, size, judged)
    print(insert.line("bare INSERT of a post's size"))
    print(whole.line("the gate, facts and rows with it"))
    cost = statistics.median(whole.processor)
    ratio = cost / statistics.median(insert.processor)
    verdict = f"aim {AIM} ms: {'met' if cost < AIM else 'MISSED'}" if size == 100 else ""
    print(f"  {'':34} {ratio:7.1f} times a bare INSERT  {verdict}")


if __name__ == "__main__":
    if not Path(f"/proc/{os.getpid()}/schedstat").exists():
        raise SystemExit("this benchmark reads /proc and runs on Linux alone")
    asyncio.run(main())
