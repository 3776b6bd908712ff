"""From a handle or an address that somebody typed to the account or post it stands for.

What is known here is found without asking anybody. Only people who are logged in may have another server
asked.
"""

from __future__ import annotations

import contextlib

from aiohttp import web

from compliance.activity import PostId, Uri
from federation.errors import RemoteFault

from .. import keys, remote
from ..db.pool import Connection
from ..drafts import Resolve
from ..http.auth import viewer_id
from ..store import accounts, posts
from ..store.model import AccountView, Entry
from ..uris import Uris

_MAX_ADDRESS = 2_048


def is_address(text: str) -> bool:
    """Whether `text` is an address rather than words."""
    return text.startswith(("https://", "http://")) and len(text) <= _MAX_ADDRESS and " " not in text


def handles(request: web.Request) -> Resolve | None:
    """For the acts that name people: looks up strangers' handles on their servers."""
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


async def handle(request: web.Request, words: str) -> None:
    """Has a stranger's server asked who a handle stands for, so that it is known here afterwards."""
    if "@" in words.strip().removeprefix("@"):
        with contextlib.suppress(RemoteFault):
            await remote.by_handle(request.app[keys.ROAD], request.app[keys.CLIENT], words)


async def address(request: web.Request, text: str) -> str:
    """Has the server of an address asked what stands there, so that it is known here afterwards; returns the
    id of what was found, or `text` where nothing was.
    """
    uris = request.app[keys.URIS]
    if uris.is_ours(text):
        return text
    with contextlib.suppress(RemoteFault):
        return await remote.by_address(request.app[keys.ROAD], request.app[keys.CLIENT], text) or text
    return text
