"""Who signed a request. Hosts that the operator refuses are turned away before anything is fetched."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiohttp import web

from compliance import hosts
from compliance.activity import AccountId, Uri
from compliance.hosts import Policy
from federation import origin, signatures
from federation.errors import RemoteFault
from federation.fetch import Client, KeyRing, StoredKey
from federation.signatures import Request

from .. import keys
from ..errors import Forbidden, Unauthorised
from ..http import limits
from ..http.limits import Limit
from ..http.source import subject_of
from ..pipeline import Road
from ..store import accounts, actor_keys

READS = Limit("document_reads", 5 * limits.MINUTE)
POLICY_KEPT = timedelta(seconds=15)
_MOST_HOSTS = 10_000


class Blocked(Forbidden):
    """The operator refuses everything from this host."""


class Signers:
    """The keys that one process knows, and what it was told about their hosts."""

    def __init__(self, road: Road, client: Client) -> None:
        self._road = road
        self._ring = KeyRing(client, stored=self._stored)
        self._policies: dict[str, tuple[datetime, bool]] = {}

    async def verify(self, request: Request) -> Uri:
        """The actor who signed `request`; a `RemoteFault` where nobody can be said to have, or `Blocked`."""
        claim = signatures.read(request, ours=self._road.uris.origin, now=self._road.clock())
        if await self._is_refused(origin.host_of(claim.key_id)):
            raise Blocked("Nothing is taken from this server")
        return await self._ring.signer(claim)

    async def _stored(self, key_id: Uri) -> StoredKey | None:
        async with self._road.pool.acquire() as conn:
            found = await actor_keys.find(conn, key_id)
        return None if found is None or found.host is None else StoredKey(found.actor, found.public_pem)

    async def _is_refused(self, host: str) -> bool:
        """Whether the operator refuses `host`: as of some seconds ago; the gate asks again, exactly."""
        now = self._road.clock()
        kept = self._policies.get(host)
        if kept is not None and now - kept[0] < POLICY_KEPT:
            return kept[1]
        async with self._road.pool.acquire() as conn:
            policy = await hosts.find_policy(conn, host)
        if len(self._policies) >= _MOST_HOSTS:
            self._policies.clear()
        refused = policy is not None and policy.policy is Policy.REFUSE
        self._policies[host] = (now, refused)
        return refused


SIGNERS = web.AppKey("signers", Signers)


def request_of(request: web.Request, body: bytes = b"") -> Request:
    """The request as its signature speaks of it: the target exactly as it stood on the request line."""
    headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
    return Request.of(request.method, request.raw_path, headers, body)


async def admit(request: web.Request) -> bool:
    """Counts a read. With `federation.signed_fetch` it must also be signed, and the answer is true."""
    limits.take(request, READS, subject_of(request))
    if not request.app[keys.SETTINGS].federation.signed_fetch:
        return False
    try:
        await request.app[SIGNERS].verify(request_of(request))
    except RemoteFault as fault:
        raise Unauthorised(fault.public) from fault
    return True


async def find_reader(request: web.Request) -> AccountId | None:
    """Who signed a read of something that is not for everybody; `None` for nobody, or nobody known here."""
    if "Signature" not in request.headers:
        return None
    try:
        actor = await request.app[SIGNERS].verify(request_of(request))
    except RemoteFault:
        return None
    async with request.app[keys.POOL].acquire() as conn:
        reader = await accounts.find_by_uri(conn, actor, uris=request.app[keys.URIS])
    # Whom an operator took out of sight does not read on from elsewhere.
    return reader.id if reader is not None and not reader.suspended and not reader.gone else None
