"""The steps of a rotation: a new key, everything sealed anew, the old keys destroyed.

Nothing waits for any of it. Running processes hear of the new key and use it; until they do, they seal with
the old one, which is why the last step counts again before it destroys anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from compliance.errors import NotAllowed

from ..db.pool import Connection
from ..opening import VAULT
from ..pipeline import Road
from ..store import resealing
from ..store.resealing import PLACES, Place

Counts: TypeAlias = Mapping[str, Mapping[int, int]]
Tell: TypeAlias = Callable[[str, int, int], None]

_HEARD_SECONDS: Final = 1.0
"""By then every process that is well has heard of a new key."""
_ROUNDS: Final = 10


async def counts(conn: Connection) -> Counts:
    """How many of each kind are sealed with each version."""
    return {place.name: await resealing.count(conn, place) for place in PLACES}


def left(found: Counts, current: int) -> int:
    """How many are not sealed with the current key."""
    return sum(number for each in found.values() for version, number in each.items() if version != current)


async def add_key(road: Road) -> None:
    """Puts a new key to the others, makes it the current one, and has every process take it up.

    `NotAllowed` where the keys stand in the environment: it says how they are rotated there.
    """
    source = road.sealer.source
    keys = await asyncio.to_thread(source.load)
    try:
        await asyncio.to_thread(source.store, keys.with_another())
    except NotAllowed as error:
        number = max(keys.seals) + 1
        raise NotAllowed(
            f"{error}. Add the line that `yanlu vault new-key` prints, with `current {keys.current}` below,"
            f" and restart every process; take `current {keys.current}` away again, and restart: then this"
            f" command seals everything with version {number}"
        ) from None
    await _take_up(road)


async def seal_anew(conn: Connection, road: Road, *, step: int, tell: Tell) -> list[tuple[str, str]]:
    """Seals everything with the current key, in small steps, and again what was sealed meanwhile. Says what
    does not open: the kind and the row's key."""
    broken: dict[tuple[str, str], None] = {}
    done = dict.fromkeys((place.name for place in PLACES), 0)
    for _ in range(_ROUNDS):
        found = await counts(conn)
        before = sum(done.values())
        for place in PLACES:
            of = done[place.name] + _old(found[place.name], road.sealer.version)
            if of > done[place.name]:
                await _seal_place(conn, road, place, of=of, step=step, tell=tell, done=done, broken=broken)
        if sum(done.values()) == before:
            break
        await asyncio.sleep(_HEARD_SECONDS)
    return list(broken)


async def _seal_place(
    conn: Connection,
    road: Road,
    place: Place,
    *,
    of: int,
    step: int,
    tell: Tell,
    done: dict[str, int],
    broken: dict[tuple[str, str], None],
) -> None:
    after: object = None
    while True:
        async with conn.transaction():
            found = await resealing.step(conn, place, road.sealer, after=after, now=road.clock(), limit=step)
        done[place.name] += found.done
        broken.update(dict.fromkeys((place.name, key) for key in found.broken))
        tell(place.name, done[place.name], of)
        if found.last is None:
            return
        after = found.last


async def retire(conn: Connection, road: Road) -> list[int]:
    """Destroys every key but the current one; `NotAllowed` while anything is sealed with another."""
    source, current = road.sealer.source, road.sealer.version
    still = left(await counts(conn), current)
    if still:
        raise NotAllowed(f"{still} are still sealed with an older key; run `yanlu vault rotate` again")
    keys = await asyncio.to_thread(source.load)
    gone = sorted(version for version in keys.seals if version != current)
    if gone:
        await asyncio.to_thread(source.store, keys.with_current_alone())
        await _take_up(road)
    return gone


async def _take_up(road: Road) -> None:
    await asyncio.to_thread(road.sealer.reload)
    road.events.notify(VAULT)
    await asyncio.sleep(_HEARD_SECONDS)


def _old(found: Mapping[int, int], current: int) -> int:
    return sum(number for version, number in found.items() if version != current)
