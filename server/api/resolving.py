"""From a handle or an address that somebody typed to the account or post it stands for.

What is known here is found without asking anybody. Only people who are logged in may have another server
asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from compliance.activity import PostId, Uri
from federation.errors import RemoteFault
from federation.fetch import Client

from .. import keys, remote
from ..db.pool import Connection
from ..drafts import Resolve
from ..http.auth import viewer_id
from ..pipeline import Road
from ..store import accounts, posts
from ..store.model import AccountView, Entry
from ..uris import Uris

T = TypeVar("T")
log = logging.getLogger(__name__)
_MAX_ADDRESS = 2_048
_PATIENCE = 15.0
"""Seconds that somebody waits for a stranger's server."""


def is_address(text: str) -> bool:
    """Whether `text` is an address rather than words."""
    return text.startswith(("https://", "http://")) and len(text) <= _MAX_ADDRESS and " " not in text


def handles(request: web.Request) -> Resolve | None:
    """For acts that name people: looks strangers up on their own servers."""
    if not request.app[keys.SETTINGS].federation.enabled:
        return None
    return remote.handles(request.app[keys.ROAD], request.app[keys.CLIENT])


async def account_at(conn: Connection, address: str, uris: Uris) -> AccountView | None:
    """The account with this actor id or profile page, if it is known here."""
    username = uris.username_in(address)
    if username is not None:
        return await accounts.find_by_name(conn, username, None, uris=uris)
    return await accounts.find_by_uri(conn, address, uris=uris)


async def post_at(request: web.Request, conn: Connection, address: str) -> Entry | None:
    """The post with this id or page, if it is known here and the caller may see it."""
    uris = request.app[keys.URIS]
    post_id: PostId | None = uris.post_in(address) or await posts.find_id_by_uri(conn, Uri(address))
    if post_id is None:
        return None
    found = await posts.entries(conn, [post_id], viewer_id(request), uris=uris)
    return found[0] if found else None


async def ask_for_handle(request: web.Request, words: str) -> None:
    """Has a stranger's server asked who `user@host` is; afterwards they are known here, or are not."""
    name, at, host = words.removeprefix("@").partition("@")
    if at and name and host and " " not in words and host.lower() != request.app[keys.URIS].host:
        await _ask(request, remote.by_handle, f"{name}@{host}")


async def ask_for_address(request: web.Request, address: str) -> Uri | None:
    """Has the server of an address asked what is there; says the id of what is known here now."""
    if request.app[keys.URIS].is_ours(address):
        return None
    return await _ask(request, remote.by_address, address)


async def _ask(request: web.Request, ask: Callable[[Road, Client, str], Awaitable[T]], text: str) -> T | None:
    if not request.app[keys.SETTINGS].federation.enabled:
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            return await ask(request.app[keys.ROAD], request.app[keys.CLIENT], text)
    except (RemoteFault, TimeoutError) as fault:
        log.info("a stranger could not be asked: %s", fault)
        return None
