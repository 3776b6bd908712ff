"""Peers on loopback, and how property tests run here."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from federation.client import Client

from . import peer as peers
from .peer import Peer

# Shared cores make single examples slow at times, which is no fault.
settings.register_profile("federation", deadline=None)
settings.load_profile("federation")


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A foreign server."""
    async with peers.running() as peer:
        yield peer


@pytest.fixture
async def other() -> AsyncIterator[Peer]:
    """Another foreign server."""
    async with peers.running() as peer:
        yield peer


@pytest.fixture
async def client(peer: Peer, other: Peer) -> AsyncIterator[Client]:
    """Our client, which may reach both."""
    async with peers.client_for(peer, other) as client:
        yield client
