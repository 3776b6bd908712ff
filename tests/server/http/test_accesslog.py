"""One line for each answer, and nothing in it that opens a door or tells on anybody."""

from __future__ import annotations

import logging

import pytest

from tests.fixtures.server import Caller, Enter


async def test_a_request_leaves_one_line_without_its_secrets(
    enter: Enter, nobody: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads the log sees what happened, to whom, and how long it took."""
    alice = await enter("alice")
    with caplog.at_level(logging.INFO, "yanlu.access"):
        answer = await alice.call("GET", "/api/v1/accounts/12345?secret=s3cret")
        await nobody.call("GET", "/oauth/authorize?code=c0de&state=x")
        await nobody.call("GET", "/api/v1/nothing/here")
    one, two, three = (record for record in caplog.records if record.name == "yanlu.access")
    assert ("GET", "/api/v1/accounts/{id}", 404, alice.id) == (
        one.__dict__["method"],
        one.__dict__["route"],
        one.__dict__["status"],
        one.__dict__["account"],
    )
    assert 16 == len(answer.headers["X-Request-Id"])
    assert ("/oauth/authorize", 303, None) == (
        two.__dict__["route"],
        two.__dict__["status"],
        two.__dict__["account"],
    )
    assert 404 == three.__dict__["status"]
    said = " ".join(str(record.__dict__) for record in (one, two, three))
    for secret in ("s3cret", "c0de", str(alice.token)):
        assert secret not in said
