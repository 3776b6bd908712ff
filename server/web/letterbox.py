"""Letters that leave a moment after the answer, so that writing one does not tell whether there was one to
write.
"""

from __future__ import annotations

import asyncio
import secrets

from aiohttp import web

from .. import keys
from ..letters import Letter

_LEAST, _MOST = 200, 800  # milliseconds


class Letterbox:
    """What waits to be handed to the mailer."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.TimerHandle, Letter] = {}

    def put(self, app: web.Application, letter: Letter) -> None:
        """Sends the letter in a moment that has nothing to do with the answer."""
        seconds = (_LEAST + secrets.randbelow(_MOST - _LEAST)) / 1000

        def send() -> None:
            del self._waiting[handle]
            app[keys.MAIL].send(letter)

        handle = asyncio.get_running_loop().call_later(seconds, send)
        self._waiting[handle] = letter

    async def empty(self, app: web.Application) -> None:
        """For `on_shutdown`: nothing that was promised stays behind."""
        while self._waiting:
            handle, letter = self._waiting.popitem()
            handle.cancel()
            app[keys.MAIL].send(letter)


LETTERBOX = web.AppKey("letterbox", Letterbox)
