"""How many people, posts and servers there are, counted at most once a minute."""

from __future__ import annotations

import time
from dataclasses import dataclass

from aiohttp import web

from .. import keys
from ..store import accounts, posts

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the welcome and About pages tell."""

    people: int
    posts: int
    hosts: int


class Kept:
    """The last count of this process."""

    def __init__(self) -> None:
        self.until = 0.0
        self.numbers = Numbers(0, 0, 0)


KEPT = web.AppKey("numbers", Kept)


async def get(request: web.Request) -> Numbers:
    """The numbers, a minute old at most."""
    kept = request.app[KEPT]
    if kept.until < time.monotonic():
        kept.until = time.monotonic() + _SECONDS
        async with request.app[keys.POOL].acquire() as conn:
            kept.numbers = Numbers(
                await accounts.count_local(conn),
                await posts.count_local(conn),
                await accounts.count_hosts(conn),
            )
    return kept.numbers
