"""Who signed a request: keys by their exact id, bound to their owners, kept in memory, failures kept as well.

A key speaks for an actor only when the document at the key's id names the actor and the actor's own
document, fetched from its own id on the same origin, lists that key. Whatever fails is not asked again for
ten minutes, the key for itself and its host for all of its keys, so that a dead key costs one fetch
however many requests it comes with.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Generic, NamedTuple, TypeVar

from compliance.activity import Uri
from federation import origin, parse, signatures
from federation.client import Client
from federation.errors import NotTrusted, RemoteFault, Throttled, Unreachable
from federation.signatures import Claim

from .documents import document

AGAIN_AFTER: Final = 600.0
HOST_FAILURES: Final = 5
MAX_KEYS: Final = 20_000

T = TypeVar("T")


class StoredKey(NamedTuple):
    """A key as the database keeps it: whom it speaks for, and its PEM."""

    actor: Uri
    pem: str


class _Known(NamedTuple):
    key: StoredKey
    fetched: float
    """When it was last asked for; 0 for one that the database had."""


class _Failed(NamedTuple):
    fault: RemoteFault
    at: float


class KeyRing:
    """Finds out who signed. `stored` looks in the database before anybody is asked."""

    def __init__(
        self,
        client: Client,
        *,
        stored: Callable[[Uri], Awaitable[StoredKey | None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._stored = stored
        self._clock = clock
        self._known: _Recent[_Known] = _Recent(MAX_KEYS)
        self._failed: _Recent[_Failed] = _Recent(MAX_KEYS)
        self._host_failures: _Recent[list[float]] = _Recent(MAX_KEYS)
        self._asking: dict[Uri, asyncio.Task[_Known]] = {}

    async def signer(self, claim: Claim) -> Uri:
        """The actor who signed; `NotTrusted` where nobody did, `Gone` where the key's actor is no more."""
        if origin.of(claim.key_id) == self._client.ours:
            raise NotTrusted("a key of ours cannot come from outside")
        known = self._known.get(claim.key_id)
        if known is None and self._stored is not None:
            stored = await self._stored(claim.key_id)
            if stored is not None:
                known = _Known(stored, 0.0)
                self._known.put(claim.key_id, known)
        if known is not None:
            try:
                return _checked(claim, known.key)
            except NotTrusted:
                # It may have been changed since; but it is asked for once in ten minutes at most.
                if known.fetched and self._clock() - known.fetched < AGAIN_AFTER:
                    raise
        return _checked(claim, (await self._ask(claim.key_id)).key)

    async def close(self) -> None:
        """Ends what is still being asked."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _ask(self, key_id: Uri) -> _Known:
        self._refuse_known_failures(key_id)
        task = self._asking.get(key_id)
        if task is None:
            # One question for all that wait for its answer, even when the first of them hangs up.
            task = asyncio.create_task(self._fetch(key_id), name=f"key {key_id}")
            self._asking[key_id] = task
            task.add_done_callback(lambda done: self._asked(key_id, done))
        return await asyncio.shield(task)

    def _asked(self, key_id: Uri, task: asyncio.Task[_Known]) -> None:
        del self._asking[key_id]
        if not task.cancelled():
            task.exception()  # seen here, in case nobody waits any more

    async def _fetch(self, key_id: Uri) -> _Known:
        try:
            key = await bound_key(self._client, key_id)
        except Throttled:
            raise
        except RemoteFault as fault:
            self._remember_failure(key_id, fault)
            raise
        known = _Known(key, self._clock())
        self._known.put(key_id, known)
        return known

    def _refuse_known_failures(self, key_id: Uri) -> None:
        now = self._clock()
        failed = self._failed.get(key_id)
        if failed is not None:
            if now - failed.at < AGAIN_AFTER:
                raise type(failed.fault)(*failed.fault.args)
            self._failed.drop(key_id)
        failures = self._host_failures.get(origin.host_of(key_id)) or []
        failures[:] = [at for at in failures if now - at < AGAIN_AFTER]
        if len(failures) >= HOST_FAILURES:
            raise Unreachable(f"{origin.host_of(key_id)} has not answered for its keys lately")

    def _remember_failure(self, key_id: Uri, fault: RemoteFault) -> None:
        now = self._clock()
        self._failed.put(key_id, _Failed(fault, now))
        # Only silence counts against the host: one that says 404 for its deleted people is well.
        if isinstance(fault, Unreachable):
            host = origin.host_of(key_id)
            self._host_failures.put(host, [*(self._host_failures.get(host) or []), now])


async def bound_key(client: Client, key_id: Uri) -> StoredKey:
    """The key with exactly this id and the actor it speaks for, as both their documents say now."""
    at_key = await document(client, key_id)
    owner = parse.key_owner(at_key, key_id)
    described = at_key
    if origin.find_uri(at_key.get("id")) != owner or "inbox" not in at_key:
        described = await document(client, owner)
    actor = parse.actor(described)
    if actor.uri != owner:
        raise NotTrusted("the key's owner is somebody else")
    pem = next((key.pem for key in actor.keys if key.id == key_id), None)
    if pem is None:
        raise NotTrusted("the owner does not list the key")
    claimed = at_key.get("publicKeyPem")
    if claimed is not None and claimed != pem:
        raise NotTrusted("the owner lists another key under this id")
    return StoredKey(owner, pem)


def _checked(claim: Claim, key: StoredKey) -> Uri:
    signatures.verify(claim, signatures.public_key(key.pem))
    return key.actor


class _Recent(Generic[T]):
    """The last so many entries used."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[str, T] = OrderedDict()

    def get(self, key: str) -> T | None:
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: str, value: T) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, key: str) -> None:
        self._entries.pop(key, None)
