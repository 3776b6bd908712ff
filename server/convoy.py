"""Those who set out at the same time travel together: many requests, one transaction.

A commit costs much more than what one activity adds to it. While a transaction is under way,
those who arrive wait for the next
one and share it; when none is, the first leaves at once. Nobody waits for company.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, Protocol, TypeAlias, TypeVar

LANES = 2
"""Transactions under way at once in a process: one commits while the next is filled."""
SEATS = 64


class Rider(Protocol):
    """Somebody who travels. Two with the same `alone`, other than `None`, never share a transaction."""

    @property
    def alone(self) -> Hashable | None: ...


R = TypeVar("R", bound=Rider)
A = TypeVar("A")
Carry: TypeAlias = Callable[[Sequence[R]], Awaitable[Sequence[A]]]


class Convoy(Generic[R, A]):
    """Carries riders in groups."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[R, Carry[R, A], asyncio.Future[A]]] = deque()
        self._lanes: set[asyncio.Task[None]] = set()

    async def ride(self, rider: R, carry: Carry[R, A]) -> A:
        """The rider's own answer. Whoever stops waiting for it does not stop what is under way."""
        arrival: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((rider, carry, arrival))
        if len(self._lanes) < LANES:
            lane = asyncio.create_task(self._drive())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await arrival

    async def _drive(self) -> None:
        while self._waiting:
            group = self._board()
            try:
                answers = await group[0][1]([rider for rider, _, _ in group])
            except BaseException as error:
                for _, _, arrival in group:
                    if not arrival.done():
                        arrival.set_exception(error)
                if not isinstance(error, Exception):
                    raise
                continue
            for (_, _, arrival), answer in zip(group, answers, strict=True):
                if not arrival.done():
                    arrival.set_result(answer)

    def _board(self) -> list[tuple[R, Carry[R, A], asyncio.Future[A]]]:
        group: list[tuple[R, Carry[R, A], asyncio.Future[A]]] = []
        alone: set[Hashable] = set()
        left: deque[tuple[R, Carry[R, A], asyncio.Future[A]]] = deque()
        while self._waiting and len(group) < SEATS:
            one = self._waiting.popleft()
            key = one[0].alone
            if key is not None and key in alone:
                left.append(one)
                continue
            alone.add(key)
            group.append(one)
        self._waiting.extendleft(reversed(left))
        return group
