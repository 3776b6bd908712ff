"""The guarded client as services are asked by it that an operator has named: on the public internet, or on
the one private address that a setting allows.

A client for one question: they are rare, and where a private service is may change.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final

from yarl import URL

from federation.fetch import Client, Limits

from ..ids import Clock
from ..settings import AllowedPeer, Settings

_SECONDS: Final = 15.0


@asynccontextmanager
async def reaching(settings: Settings, url: str, *, private: bool, clock: Clock) -> AsyncIterator[Client]:
    """A client that may, with `private`, also reach the host of `url`, wherever it is; and no other one by
    that. Raises `OSError` for a host that has no address."""
    async with Client(
        settings.origin,
        peers=await _peers(url) if private else (),
        ca_file=settings.federation.ca_file,
        limits=Limits(a_minute=None, redirects=0, total=_SECONDS),
        clock=clock,
    ) as client:
        yield client


async def _peers(url: str) -> list[AllowedPeer]:
    address = URL(url)
    port = address.port or 443
    found = await asyncio.get_running_loop().getaddrinfo(address.host or "", port)
    return [AllowedPeer(ip_address(target[0]), port, port) for *_, target in found]
