"""One document by its id: from where the id says, in ActivityPub's own media type, and with that very id
inside.
"""

from __future__ import annotations

import asyncio

from yarl import URL

from compliance.activity import Note, Uri
from federation import origin, parse, webfinger, wire
from federation.actor import RemoteActor
from federation.client import Budget, Client, Response
from federation.errors import Gone, Malformed, NotTrusted, Unreachable
from federation.wire import Document


async def document(client: Client, uri: str, *, budget: Budget | None = None) -> Document:
    """The document whose id is `uri`, or, when that address shows another's, the one it names, asked at
    its own.

    Whichever it is, its `id` is where it was found.
    """
    found, at = await _get(client, uri, budget)
    if is_at(found, at):
        return found
    named = origin.find_uri(found.get("id"))
    if named is None:
        raise Malformed(f"{at} shows a document without id")
    found, at = await _get(client, named, budget)
    if not is_at(found, at):
        raise NotTrusted(f"{at} shows a document of another id")
    return found


async def actor(client: Client, uri: str, *, budget: Budget | None = None) -> RemoteActor:
    """The actor whose id is `uri`, its handle confirmed by WebFinger."""
    found = parse.actor(await document(client, uri, budget=budget))
    return await webfinger.confirm(client, found, budget=budget)


async def note(client: Client, uri: str, *, budget: Budget | None = None) -> Note:
    """The post whose id is `uri`."""
    return parse.note(await document(client, uri, budget=budget), now=client.clock())


async def response(client: Client, uri: str, budget: Budget | None) -> Response:
    """What is found at an address, where that is a document of ActivityPub."""
    found = await client.get(uri, accept=wire.ACCEPT, most=wire.MAX_BYTES, key=client.key, budget=budget)
    _require_usable(found)
    return found


def is_at(found: Document, at: Uri) -> bool:
    """Whether a document's id is the address where it was found."""
    id_ = origin.find_uri(found.get("id"))
    # Both as yarl spells them: it asked for the one, and it decides which escapes mean the same.
    return id_ is not None and URL(origin.without_fragment(id_)) == URL(at)


async def _get(client: Client, uri: str, budget: Budget | None) -> tuple[Document, Uri]:
    answer = await response(client, uri, budget)
    read = wire.parse(answer.body)
    if not wire.is_plain(read):
        # Some milliseconds of JSON-LD.
        read = await asyncio.to_thread(wire.compact, read)
    return read, answer.url


def _require_usable(response: Response) -> None:
    if response.status in (404, 410):
        raise Gone(f"{response.url} answered {response.status}")
    if response.status != 200:
        raise Unreachable(f"{response.url} answered {response.status}")
    if not wire.is_activity(response.content_type):
        raise NotTrusted(f"{response.url} answered with {response.content_type[:80] or 'no media type'}")
