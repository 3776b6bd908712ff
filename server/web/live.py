"""What changes while a page is open: a stream that says "there is something new", never what.

The page then asks for it as it would have asked anyway, so that what may be seen is decided in one place.
Sessions are looked at again every few seconds: a stream ends soon after its session does (security rule E5).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import hdrs, web

from compliance import organisations
from compliance.activity import AccountId

from .. import keys
from ..events import EVERYTHING
from ..http.auth import Viewer, person
from ..http.routes import needs
from ..store import notifications, sessions

_STREAMS: Final = 10  # of one account
_CHECK_SECONDS: Final = 4.0
_HEARTBEAT: Final = 4  # checks
_CHANNELS: Final = {"homes": "home", "notices": "notices"}
_END: Final = "end"


class Live:
    """The open streams of one process."""

    def __init__(self) -> None:
        self._streams: dict[AccountId, list[asyncio.Queue[str]]] = defaultdict(list)

    @contextmanager
    def stream(self, account_id: AccountId) -> Iterator[asyncio.Queue[str]]:
        """What happens to this account, as it happens. Above the limit the oldest stream ends: it is most
        likely one whose page was left.
        """
        while len(self._streams[account_id]) >= _STREAMS:
            _put(self._streams[account_id].pop(0), _END)
        queue: asyncio.Queue[str] = asyncio.Queue(8)
        self._streams[account_id].append(queue)
        try:
            yield queue
        finally:
            if queue in self._streams[account_id]:
                self._streams[account_id].remove(queue)
            if not self._streams[account_id]:
                del self._streams[account_id]

    async def listen(self, app: web.Application) -> None:
        """For `on_startup`."""
        for channel, name in _CHANNELS.items():

            def told(payload: str, name: str = name) -> None:
                if payload == EVERYTHING:
                    self._tell_all(name)
                else:
                    self._tell(AccountId(int(payload)), name)

            app[keys.EVENTS].subscribe(channel, told)

    async def close(self, _app: web.Application) -> None:
        """For `on_shutdown`: no stream keeps the server from ending."""
        self._tell_all(_END)

    def _tell_all(self, name: str) -> None:
        for account_id in list(self._streams):
            self._tell(account_id, name)

    def _tell(self, account_id: AccountId, name: str) -> None:
        for queue in self._streams.get(account_id, ()):
            _put(queue, name)


def _put(queue: asyncio.Queue[str], name: str) -> None:
    """Whoever is behind asks anew for everything in any case, so what is older may go."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(name)


LIVE = web.AppKey("live", Live)


@needs(member=True)
async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events: `home` when the home timeline has changed, `notices` with how many are unread."""
    me = person(request)
    with request.app[LIVE].stream(me.id) as queue:
        response = web.StreamResponse(
            headers={
                hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
                hdrs.CACHE_CONTROL: "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        await response.write(b"retry: 5000\n\n")
        quiet = 0
        while await _is_open(request, me):
            try:
                name = await asyncio.wait_for(queue.get(), _CHECK_SECONDS)
            except TimeoutError:
                quiet = (quiet + 1) % _HEARTBEAT
                if quiet == 0:
                    await response.write(b":\n\n")
                continue
            if name == _END:
                break
            await response.write(f"event: {name}\ndata: {await _said(request, name)}\n\n".encode())
    return response


async def _is_open(request: web.Request, me: Viewer) -> bool:
    if request.transport is None or request.transport.is_closing():
        return False
    async with request.app[keys.POOL].acquire() as conn:
        found = await sessions.find(conn, me.token_hash, now=request.app[keys.CLOCK]())
        if found is None or found.suspended:
            return False
        # Whoever lost their role hears nothing more of what the organisation is told.
        return me.by is None or await organisations.role_of(conn, me.id, me.by.id) is not None


async def _said(request: web.Request, name: str) -> str:
    if name != "notices":
        return ""
    async with request.app[keys.POOL].acquire() as conn:
        return str(await notifications.unread_count(conn, person(request).id))
