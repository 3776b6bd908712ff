"""People and posts of other servers that are not known here yet: their servers are asked, for members
only.
"""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from compliance.activity import Uri
from federation.errors import RemoteFault

from .. import keys, remote
from ..drafts import Resolve

log = logging.getLogger(__name__)
_PATIENCE = 10.0
"""Seconds that a page waits for a stranger's server."""


def handles(request: web.Request) -> Resolve | None:
    """For acts that name people: looks strangers up on their own servers."""
    if not request.app[keys.SETTINGS].federation.enabled:
        return None
    return remote.handles(request.app[keys.ROAD], request.app[keys.CLIENT])


async def look_up(request: web.Request, words: str) -> Uri | None:
    """Makes known what an address or `name@host` stands for, if anything; says its id for an address."""
    road, uris = request.app[keys.ROAD], request.app[keys.URIS]
    if not road.settings.federation.enabled or uris.is_ours(words):
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            if words.startswith(("https://", "http://")):
                return await remote.by_address(road, request.app[keys.CLIENT], words)
            name, at, host = words.removeprefix("@").partition("@")
            if at and name and host and " " not in words and host.lower() != uris.host:
                await remote.by_handle(road, request.app[keys.CLIENT], f"{name}@{host}")
    except (RemoteFault, TimeoutError) as fault:
        log.info("a stranger could not be asked: %s", fault)
    return None
