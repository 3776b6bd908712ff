import asyncio

import asyncpg

from server.events import EVERYTHING, Events
from tests.fixtures.postgres import Database


async def _heard(seen: "asyncio.Queue[str]") -> str:
    async with asyncio.timeout(5):
        return await seen.get()


async def test_events_reach_the_other_process_once_and_ourselves_at_once(database: Database) -> None:
    """Caches of all processes hear of a change, and the one that made it may read it back at once."""
    one, two = Events(), Events()
    await asyncio.gather(one.start(database.url), two.start(database.url))
    own: list[str] = []
    other: asyncio.Queue[str] = asyncio.Queue()
    one.subscribe("posts", own.append)
    two.subscribe("posts", other.put_nowait)
    for payload in ("1", "2", "1"):
        one.notify("posts", payload)
    assert own == ["1", "2", "1"]
    assert [await _heard(other), await _heard(other)] == ["1", "2"]
    one.notify("posts", "3")
    assert await _heard(other) == "3"
    assert own == ["1", "2", "1", "3"]
    await asyncio.gather(one.close(), two.close())


async def test_too_many_at_once_become_everything(database: Database) -> None:
    """A NOTIFY holds less than 8,000 bytes; a cache that cannot be told what changed must be told that."""
    one, two = Events(), Events()
    await asyncio.gather(one.start(database.url), two.start(database.url))
    other: asyncio.Queue[str] = asyncio.Queue()
    two.subscribe("posts", other.put_nowait)
    for number in range(3000):
        one.notify("posts", f"{number:018}")
    assert await _heard(other) == EVERYTHING
    await asyncio.gather(one.close(), two.close())


async def test_a_lost_connection_is_made_again_and_everything_is_doubted(database: Database) -> None:
    """What was told while nobody listened is gone: whoever keeps something must look again."""
    events = Events()
    await events.start(database.url)
    seen: asyncio.Queue[str] = asyncio.Queue()
    events.subscribe("posts", seen.put_nowait)
    conn = await asyncpg.connect(database.url)
    await conn.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'yanlu events'"
        " and datname = current_database()"
    )
    assert await _heard(seen) == EVERYTHING
    await conn.execute("select pg_notify('yanlu', 'somebody posts:7')")
    assert await _heard(seen) == "7"
    await conn.close()
    await events.close()
