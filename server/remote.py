"""What other servers hold, brought here when something here needs it: people, posts, and what a post answers.

What comes is not stored past the road: a fetched post is submitted as a Create, what people show of
themselves as an Update, and the gate judges both. Only who they are (inbox, keys, collections) is written
straight down.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

import msgspec

from compliance.activity import AccountId, Create, Direction, Note, PostId, UpdateProfile, Uri
from compliance.records import Source
from federation import fetch, parse, webfinger
from federation.actor import RemoteActor
from federation.errors import Malformed, NotTrusted, RemoteFault
from federation.fetch import Budget, Client
from federation.wire import Document

from .db.pool import Connection
from .drafts import Resolve
from .pipeline import Done, Road, submit
from .store import accounts, cache, known, posts
from .store.known import KnownActor

DEPTH = 10
"""How far up a conversation is followed."""
HANDLES = 10
"""How many strangers one post may have looked up."""
HANDLE_SECONDS = 8.0

_SOURCE = Source.internal("federation")

log = logging.getLogger(__name__)


async def actor(road: Road, client: Client, uri: Uri, *, budget: Budget) -> KnownActor:
    """Who `uri` is: as known here or else as their own server says."""
    found = await _known(road, uri)
    if found is not None:
        return found
    if road.uris.is_ours(uri):
        raise NotTrusted("nobody here has this id")
    return await _keep(road, await fetch.actor(client, uri, budget=budget))


async def post(road: Road, client: Client, uri: Uri, *, budget: Budget) -> PostId | None:
    """The post with this id, fetched if it is not here; `None` where it may not be shown, or is gone."""
    async with road.pool.acquire() as conn:
        if await known.posts(conn, [uri]) or road.uris.is_ours(uri):
            return await posts.find_id_by_uri(conn, uri)
    note = await fetch.note(client, uri, budget=budget)
    return await _take(road, client, note, budget=budget)


async def conversation(road: Road, client: Client, uri: Uri, *, budget: Budget) -> None:
    """Fetches the post `uri` and what it answers in turn, as far as it is not here, and not too far."""
    notes: list[Note] = []
    next_: Uri | None = uri
    while next_ is not None and len(notes) < DEPTH and not road.uris.is_ours(next_):
        async with road.pool.acquire() as conn:
            if await known.posts(conn, [next_]):
                break
        try:
            notes.append(await fetch.note(client, next_, budget=budget))
        except RemoteFault as fault:
            log.debug("a conversation ends early: %s", fault)
            break
        next_ = notes[-1].in_reply_to
    for note in reversed(notes):
        with contextlib.suppress(RemoteFault):
            await _take(road, client, note, budget=budget)


async def by_handle(road: Road, client: Client, handle: str) -> AccountId:
    """Whoever is called `user@host`; raises a `RemoteFault` where nobody is."""
    budget = Budget(8)
    uri = await webfinger.resolve(client, handle, budget=budget)
    return (await actor(road, client, uri, budget=budget)).id


async def by_address(road: Road, client: Client, address: str) -> Uri | None:
    """Brings the account or post at an address, be it an id or a page, and says what its id is."""
    budget = Budget(8)
    found = await fetch.document(client, address, budget=budget)
    try:
        told = parse.actor(found)
    except Malformed:
        note = parse.note(found, now=road.clock())
        return None if await _take(road, client, note, budget=budget) is None else note.uri
    return (await _keep(road, await webfinger.confirm(client, told, budget=budget))).uri


def handles(road: Road, client: Client) -> Resolve:
    """For acts that name people: makes strangers known, as far as that succeeds in a few seconds."""

    async def resolve(named: Sequence[str]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANDLE_SECONDS):
                await asyncio.gather(*(_try(road, client, handle) for handle in named[:HANDLES]))

    return resolve


async def keep_embedded(conn: Connection, road: Road, document: Document) -> None:
    """Takes over inbox, keys and collections from an Update by the actor itself, inside its transaction."""
    try:
        told = parse.actor(document["object"])
    except RemoteFault:
        return
    [before] = (await known.actors(conn, [told.uri])).values()
    # A new name needs a new look at who is called so; until then they go by the old one.
    if told.username == before.username and before.host is not None:
        kept = msgspec.structs.replace(told, host=before.host)
        await accounts.upsert_remote(conn, kept, new_id=road.ids, now=road.clock())


async def _try(road: Road, client: Client, handle: str) -> None:
    try:
        await by_handle(road, client, handle)
    except RemoteFault as fault:
        log.debug("%s is not found: %s", handle, fault)


async def _known(road: Road, uri: Uri) -> KnownActor | None:
    async with road.pool.acquire() as conn:
        return (await known.actors(conn, [uri])).get(uri)


async def _keep(road: Road, told: RemoteActor) -> KnownActor:
    async with road.pool.acquire() as conn, conn.transaction():
        id_ = await accounts.upsert_remote(conn, told, new_id=road.ids, now=road.clock())
        found = (await known.actors(conn, [told.uri]))[told.uri]
    cache.forget_accounts([id_])
    road.events.notify("accounts", str(id_))
    if told.certification is not None:
        road.events.notify("marks")
    update = UpdateProfile(id=Uri(f"{told.uri}#fetched"), actor=found.actor, profile=told.profile)
    await submit(road, [update], Direction.IN, source=_SOURCE)
    return found


async def _take(road: Road, client: Client, note: Note, *, budget: Budget) -> PostId | None:
    author = await actor(road, client, note.author, budget=budget)
    create = Create(id=Uri(f"{note.uri}#fetched"), actor=author.actor, note=note)
    [answer] = await submit(road, [create], Direction.IN, source=_SOURCE)
    if isinstance(answer, Done) and answer.post_id is None:
        # Somebody else brought it in the meantime.
        async with road.pool.acquire() as conn:
            return await posts.find_id_by_uri(conn, note.uri)
    return answer.post_id if isinstance(answer, Done) else None
