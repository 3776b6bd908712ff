"""One request and what may become of it: every hop checked and signed anew, everything bounded in time and
size.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from compliance.activity import Uri
from federation import origin, signatures
from federation.errors import LocalFault, Malformed, NotTrusted, Unreachable
from federation.signatures import Dialect, SigningKey

from . import guard
from .addresses import Peer
from .budget import Budget, Hosts

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD: Final = frozenset({307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much; the numbers are the house's own, tests make them smaller."""

    connect: float = 5.0
    first_byte: float = 10.0
    total: float = 30.0
    redirects: int = 3
    at_once: int = 4
    a_minute: int | None = 60
    """Fetches from one host; `None` where load tests ask for more."""
    connections: int = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer. `url` is where it finally came from; header names are lower case."""

    url: Uri
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """What is sent, whichever hop it is sent to."""

    method: str
    body: bytes | None = None
    headers: Mapping[str, str]
    key: SigningKey | None
    dialect: Dialect = Dialect.CAVAGE
    most: int = 0
    """How many bytes of the answer are wanted; 0 for none."""


class Client:
    """Opens and closes; everything else is `get` and `post`.

    `key`, set once the instance actor's key is loaded, signs what is fetched.
    """

    key: SigningKey | None = None

    def __init__(
        self,
        ours: str,
        *,
        version: str = "0.1",
        peers: Sequence[Peer] = (),
        ca_file: str = "",
        resolver: AbstractResolver | None = None,
        limits: Limits = Limits(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.ours = origin.of(origin.uri(ours))
        self.clock = clock
        self._limits = limits
        self._guard = guard.Guard(peers)
        self._hosts = Hosts(at_once=limits.at_once, a_minute=limits.a_minute)
        self._agent = f"Yanlu/{version} (+{ours}/)"
        self._ca_file = ca_file
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._signers: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context()
        if self._ca_file:
            await asyncio.to_thread(context.load_verify_locations, self._ca_file)
        self._signers = ThreadPoolExecutor(2, thread_name_prefix="signer")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=context,
                resolver=guard.GuardedResolver(self._resolver or guard.SystemResolver(), self._guard),
                socket_factory=self._guard.socket,
                limit=self._limits.connections,
                ttl_dns_cache=30,
                keepalive_timeout=30,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._limits.connect, sock_read=self._limits.first_byte
            ),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        if self._signers is not None:
            self._signers.shutdown(wait=False)

    def schemes(self, host: str) -> tuple[str, ...]:
        """How a host known by name only may be asked: https, and http as well on ports that an operator
        allowed.
        """
        _, _, port = host.rpartition(":")
        return self._guard.schemes([int(port)] if port.isdigit() else [80, 443])

    async def get(
        self,
        url: str,
        *,
        accept: str,
        most: int = 1024 * 1024,
        key: SigningKey | None = None,
        budget: Budget | None = None,
    ) -> Response:
        """What `url` answers, after at most three redirects; whatever the status is."""
        if budget is not None:
            budget.spend()
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        return await self._follow(url, _Ask(method="GET", headers=headers, key=key, most=most))

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        key: SigningKey | None,
        dialect: Dialect = Dialect.CAVAGE,
        headers: Mapping[str, str] = MappingProxyType({}),
        most: int = 0,
    ) -> Response:
        """What `url` answers to `body`; of the answer `most` bytes are wanted, mostly none.

        Only what we sign is sent on after a redirect: what else `headers` hold may be secrets for this
        host alone.
        """
        headers = {"Content-Type": content_type, "Accept-Encoding": "identity", **headers}
        return await self._follow(
            url, _Ask(method="POST", body=body, headers=headers, key=key, dialect=dialect, most=most)
        )

    async def _follow(self, url: str, ask: _Ask) -> Response:
        seen: set[URL] = set()
        here = self._checked(url)
        async with self._hosts.slot(origin.host_of(str(here))):
            try:
                async with asyncio.timeout(self._limits.total):
                    while True:
                        if here in seen:
                            raise Unreachable(f"{here} redirects in a circle")
                        seen.add(here)
                        answer = await self._once(here, ask)
                        onward = answer.headers.get("location")
                        if answer.status not in _REDIRECTS or onward is None:
                            return answer
                        if ask.body is not None and (ask.key is None or answer.status not in _KEEPS_METHOD):
                            return answer
                        if len(seen) > self._limits.redirects:
                            raise Unreachable(f"{url} redirects too often")
                        here = self._checked(_joined(here, onward))
            except TimeoutError as error:
                raise Unreachable(f"{url} took too long") from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise Unreachable(f"{url}: {type(error).__name__}: {error}") from error

    def _checked(self, url: str) -> URL:
        """`url` as one that may be asked, without its fragment."""
        uri = origin.without_fragment(origin.uri(url))
        if origin.of(uri) == self.ours:
            raise NotTrusted("another server has nothing of ours to show")
        if uri.startswith("http:") and not self._guard.has_peers:
            raise Unreachable(f"{uri} is not https")
        return URL(uri)

    async def _once(self, url: URL, ask: _Ask) -> Response:
        if self._session is None or self._signers is None:
            raise LocalFault("the client is not open")
        if ask.body is None:
            self._hosts.count_fetch(origin.host_of(str(url)))
        sent = {"User-Agent": self._agent, **ask.headers}
        if ask.key is not None:
            sent |= await asyncio.get_running_loop().run_in_executor(
                self._signers, self._sign, ask, ask.key, url
            )
        reset = guard.plain.set(url.scheme == "http")
        try:
            async with self._session.request(
                ask.method, url, data=ask.body, headers=sent, allow_redirects=False
            ) as answer:
                fields = {name.lower(): value for name, value in answer.headers.items()}
                read = b"" if answer.status in _REDIRECTS else await _read(answer, ask.most)
                return Response(url=origin.uri(str(url)), status=answer.status, headers=fields, body=read)
        finally:
            guard.plain.reset(reset)

    def _sign(self, ask: _Ask, key: SigningKey, url: URL) -> dict[str, str]:
        return signatures.sign(ask.dialect, key, ask.method, url, ask.body, now=self.clock())


def _joined(here: URL, onward: str) -> str:
    try:
        return str(here.join(URL(onward)))
    except ValueError as error:
        raise Unreachable(f"{here} redirects to nowhere") from error


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, at most `most` bytes of it after decompression; an answer to a post is not read on beyond
    16 kB.
    """
    if most == 0:
        # Read so that the connection can be kept; what is longer costs the connection.
        await answer.content.read(16 * 1024)
        return b""
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise Malformed(f"content encoding {encoding[:20]} was not asked for")
    inflate = zlib.decompressobj(31) if "gzip" in encoding else None
    found = bytearray()
    try:
        async for chunk in answer.content.iter_any():
            found += inflate.decompress(chunk, most - len(found) + 1) if inflate else chunk
            if len(found) > most:
                raise Malformed(f"answer larger than {most} bytes")
    except zlib.error as error:
        raise Malformed("answer is not gzip") from error
    if inflate is not None and found and not inflate.eof:
        raise Malformed("answer ends in the middle")
    return bytes(found)
