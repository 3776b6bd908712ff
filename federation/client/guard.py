"""Stands where sockets are made, so that the address that was checked is the address that is connected to.

aiohttp asks the resolver only for names, never for literal addresses; `socket` sees every attempt,
whatever led to it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from . import addresses
from .addresses import Peer

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

plain: ContextVar[bool] = ContextVar("plain", default=False)
"""Whether the request that a socket is made for goes without TLS: only operators' peers may be reached so."""


class Refused(OSError):
    """An address that this server does not connect to."""


class Guard:
    """Decides over addresses; `peers` are the exceptions that an operator made."""

    def __init__(self, peers: Sequence[Peer]) -> None:
        self._peers = tuple(peers)

    @property
    def has_peers(self) -> bool:
        return bool(self._peers)

    def schemes(self, ports: Iterable[int]) -> tuple[str, ...]:
        """The schemes that a server on one of `ports` may be asked with, the likelier first."""
        known = any(peer.first_port <= port <= peer.last_port for peer in self._peers for port in ports)
        return ("http", "https") if known else ("https",)

    def socket(self, info: AddressInfo) -> socket.socket:
        """The socket for one connection attempt, or `Refused`."""
        family, kind, protocol, _, target = info
        if not self.allows(str(target[0]), int(target[1]), plain=plain.get()):
            raise Refused(f"address {target[0]} port {target[1]} is not to be reached")
        return socket.socket(family=family, type=kind, proto=protocol)

    def allows(self, host: str, port: int, *, plain: bool) -> bool:
        """Whether a connection to this address may be made."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:  # an address with a zone, or none at all
            return False
        if addresses.is_peer(self._peers, address, port):
            return True
        return not plain and addresses.is_public(address) and addresses.is_allowed_port(port)


class GuardedResolver(AbstractResolver):
    """Leaves out of every answer what may not be reached, so that the error says why."""

    def __init__(self, inner: AbstractResolver, guard: Guard) -> None:
        self._inner = inner
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        # One answer serves requests with and without TLS; the socket decides that part.
        kept = [item for item in found if self._guard.allows(item["host"], port, plain=False)]
        if not kept:
            raise Refused(f"{host} has no address that may be reached on port {port}")
        return kept

    async def close(self) -> None:
        await self._inner.close()


class SystemResolver(AbstractResolver):
    """Asks the system, in threads of its own: a name server that hangs must not hold up anybody else's
    threads.
    """

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            lambda: socket.getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
            ),
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(target[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, target in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
