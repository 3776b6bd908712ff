"""People are made in the server that federates."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from tests.fixtures.stranger import Here


@pytest.fixture
def client(here: Here) -> TestClient[web.Request, web.Application]:
    """Where `enter` makes people."""
    return here.client
