"""One letter, sent: signed when it leaves, in the dialect that is understood, its answer read rightly."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from compliance.activity import AccountId
from federation import delivery, signatures
from federation.client import Client
from federation.delivery import CONTENT_TYPE
from federation.errors import NotTrusted
from federation.outbox import Fate, Job
from federation.signatures import Dialect, Request

from .peer import OUR_KEY, PAIR, Answer, Peer

BODY = b'{"type":"Follow"}'


def _job(peer: Peer, path: str = "/inbox", *, dialect: Dialect | None = None) -> Job:
    return Job(
        id=1,
        inbox=peer.uri(path),
        host=peer.host,
        attempts=0,
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
        dialect=dialect,
        signer=AccountId(1),
        activity_uri="https://here.example/activities/1",
        kind="follow",
        body=BODY,
    )


def _inbox(peer: Peer, client: Client, *dialects: Dialect, refusal: int = 401) -> Answer:
    """An inbox that checks signatures and understands some dialects."""

    async def answer(request: web.Request) -> web.StreamResponse:
        spoken = Dialect.RFC9421 if "Signature-Input" in request.headers else Dialect.CAVAGE
        if spoken not in dialects:
            return web.Response(status=refusal)
        received = Request.of("POST", request.raw_path, request.headers.items(), await request.read())
        claim = signatures.read(received, ours=peer.origin, now=client.clock())
        try:
            signatures.verify(claim, signatures.public_key(PAIR.public_pem))
        except NotTrusted:
            return web.Response(status=401)
        return web.Response(status=202)

    return answer


async def test_a_letter_arrives_signed(peer: Peer, client: Client) -> None:
    """Draft-cavage first: everybody understands it."""
    peer.answers["/inbox"] = _inbox(peer, client, Dialect.CAVAGE)
    result = await delivery.send(client, _job(peer), OUR_KEY)
    assert (Fate.DELIVERED, Dialect.CAVAGE) == (result.fate, result.dialect)
    [request] = peer.requests
    assert (CONTENT_TYPE, [BODY]) == (request.headers["Content-Type"], peer.bodies)
    assert "Date" in request.headers


@pytest.mark.parametrize("refusal", [400, 401, 403])
async def test_who_does_not_understand_is_asked_in_the_other_dialect(
    peer: Peer, client: Client, refusal: int
) -> None:
    """Two knocks are one try."""
    peer.answers["/inbox"] = _inbox(peer, client, Dialect.RFC9421, refusal=refusal)
    result = await delivery.send(client, _job(peer), OUR_KEY)
    assert (Fate.DELIVERED, Dialect.RFC9421, 2) == (result.fate, result.dialect, len(peer.asked))


async def test_a_known_dialect_is_used_at_once(peer: Peer, client: Client) -> None:
    """And given up when it is no longer understood."""
    peer.answers["/inbox"] = _inbox(peer, client, Dialect.RFC9421)
    result = await delivery.send(client, _job(peer, dialect=Dialect.RFC9421), OUR_KEY)
    assert (Dialect.RFC9421, 1) == (result.dialect, len(peer.asked))
    peer.answers["/inbox"] = _inbox(peer, client, Dialect.CAVAGE)
    result = await delivery.send(client, _job(peer, dialect=Dialect.RFC9421), OUR_KEY)
    assert (Dialect.CAVAGE, 3) == (result.dialect, len(peer.asked))


FATES = [
    (200, Fate.DELIVERED),
    (202, Fate.DELIVERED),
    (204, Fate.DELIVERED),
    (302, Fate.REFUSED),
    (400, Fate.REFUSED),
    (401, Fate.LATER),
    (403, Fate.REFUSED),
    (404, Fate.GONE),
    (406, Fate.REFUSED),
    (408, Fate.LATER),
    (410, Fate.GONE),
    (413, Fate.REFUSED),
    (422, Fate.REFUSED),
    (429, Fate.LATER),
    (500, Fate.FAILED),
    (501, Fate.REFUSED),
    (502, Fate.FAILED),
    (503, Fate.FAILED),
]


@pytest.mark.parametrize(("status", "fate"), FATES)
async def test_an_answer_decides_what_becomes_of_the_letter(
    peer: Peer, client: Client, status: int, fate: Fate
) -> None:
    """Mastodon's rules, which most servers expect."""
    peer.answers["/inbox"] = web.Response(status=status, text="why not")
    result = await delivery.send(client, _job(peer), OUR_KEY)
    assert fate is result.fate
    assert (result.error == "") == (fate is Fate.DELIVERED)
    assert (result.dialect is not None) == (fate is Fate.DELIVERED)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta()),
        ("999999999", delivery.LONGEST_WAIT),
        ("9" * 30, None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_read(
    peer: Peer, client: Client, status: int, text: str, wait: timedelta | None
) -> None:
    """In seconds, and bounded."""
    peer.answers["/inbox"] = web.Response(status=status, headers={"Retry-After": text})
    assert wait == (await delivery.send(client, _job(peer), OUR_KEY)).retry_after


async def test_retry_after_may_be_a_date(peer: Peer, client: Client) -> None:
    """HTTP allows both."""
    at = format_datetime(client.clock() + timedelta(minutes=5), usegmt=True)
    peer.answers["/inbox"] = web.Response(status=429, headers={"Retry-After": at})
    result = await delivery.send(client, _job(peer), OUR_KEY)
    assert result.retry_after is not None
    assert timedelta(minutes=4) < result.retry_after <= timedelta(minutes=5)


async def test_silence_is_a_failure_and_never_an_exception(peer: Peer, client: Client) -> None:
    """Also where it must not be connected to at all."""
    for inbox, fate in (
        ("http://127.0.0.1:1/inbox", Fate.FAILED),
        ("https://10.0.0.1/inbox", Fate.FAILED),
        ("https://no.invalid/inbox", Fate.FAILED),
        ("nowhere", Fate.REFUSED),
    ):
        job = dataclasses.replace(_job(peer), inbox=inbox)
        assert fate is (await delivery.send(client, job, OUR_KEY)).fate
