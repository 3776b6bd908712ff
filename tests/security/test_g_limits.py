"""Section 4: how much of anything somebody gets, and that no more is taken.

The buckets themselves are tried in `tests/server/http/test_limits.py`, bodies in `test_door.py`, what comes
from other servers in `tests/federation`.
"""

from __future__ import annotations

import gzip
import io

import pytest
from aiohttp import web
from msgspec import structs

from federation import wire
from federation.fetch import Limits as Outward
from server import app as application
from server import drafts, passwords, sections
from server.http import body
from server.http.limits import LIMITER, Limiter
from server.pipeline import Road
from tests.fixtures.server import Caller, Client, Enter

_OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


def test_the_defaults_are_those_that_were_decided() -> None:
    """A number that is changed is changed here too, on purpose."""
    given = sections.Limits()
    assert {
        "account_requests": 1_500,
        "token_requests": 300,
        "anonymous_requests": 300,
        "address_logins": 25,
        "account_logins": 10,
        "reset_mails": 5,
        "sign_ups": 5,
        "apps": 5,
        "posts": 300,
        "uploads": 30,
        "searches": 30,
        "inbox_rate": 50,
        "inbox_burst": 500,
    }.items() <= structs.asdict(given).items()
    assert (5_000, 9) == (sections.Posts().max_chars, sections.Posts().max_media)
    assert (16 << 20, 33_000_000) == (sections.Media().max_image_bytes, sections.Media().max_pixels)
    assert (50, 1_000, 10, 50) == (
        drafts.NAME_LENGTH,
        drafts.BIO_LENGTH,
        drafts.FIELDS,
        drafts.LOCAL_MENTIONS,
    )
    assert (1 << 20, 64, 1_000, 64) == (body.JSON_LIMIT, body.MAX_DEPTH, body.MAX_MEMBERS, body.MAX_DIGITS)
    assert 1 << 20 == wire.MAX_BYTES
    assert (2, 64) == (passwords._THREADS, passwords._QUEUE)
    assert (8 * 1024, 16 * 1024) == (application._LONGEST_LINE, application._LONGEST_HEADER)
    assert (4, 60) == (Outward().at_once, Outward().a_minute)


async def test_what_is_too_long_is_422_and_says_which(enter: Enter) -> None:
    """Each limit of a post and a profile, one above it."""
    bob = await enter("bob")
    for path, method, sent in (
        ("/api/v1/statuses", "POST", {"status": "x" * 5_001}),
        ("/api/v1/statuses", "POST", {"status": "x", "spoiler_text": "x" * 5_000}),
        ("/api/v1/statuses", "POST", {"status": "x", "media_ids": [str(n) for n in range(1, 11)]}),
        ("/api/v1/statuses", "POST", {"status": "x", "media_ids": [str(n) for n in range(1, 200)]}),
        ("/api/v1/statuses", "POST", {"status": "x", "poll": {"options": ["a"] * 11}}),
        ("/api/v1/accounts/update_credentials", "PATCH", {"display_name": "x" * 51}),
        ("/api/v1/accounts/update_credentials", "PATCH", {"note": "x" * 1_001}),
        (
            "/api/v1/accounts/update_credentials",
            "PATCH",
            {"fields_attributes": [{"name": "a", "value": "b"}] * 11},
        ),
        ("/api/v1/reports", "POST", {"account_id": "1", "comment": "x" * 1_001}),
    ):
        answer = await bob.call(method, path, json=sent)
        assert (422, True) == (answer.status, bool(answer.body["error"])), (path, answer.body)


async def test_bodies_above_the_limit_are_413_on_every_kind_of_route(client: Client, enter: Enter) -> None:
    """JSON, packed JSON and activities; refused before it is all here."""
    bob = await enter("bob")
    big = b'{"status": "' + b"a" * (1 << 20) + b'"}'
    kind = {"Content-Type": "application/json"}
    for path in ("/api/v1/statuses", "/api/v1/apps", "/oauth/token"):
        for raw, more in ((big, {}), (gzip.compress(big), {"Content-Encoding": "gzip"})):
            answer = await bob.call("POST", path, data=io.BytesIO(raw), headers=kind | more)
            assert (413, True) == (answer.status, "error" in answer.body), path


@pytest.mark.parametrize(
    ("setting", "asked"),
    [
        ("posts", ("POST", "/api/v1/statuses", {"status": "hello"})),
        ("searches", ("GET", "/api/v2/search", {"q": "x"})),
        ("apps", ("POST", "/api/v1/apps", {"client_name": "x", "redirect_uris": _OUT_OF_BAND})),
        ("uploads", ("POST", "/api/v2/media", {})),
        ("token_requests", ("GET", "/api/v1/timelines/home", {})),
        ("anonymous_requests", ("GET", "/api/v1/instance", {})),
    ],
)
async def test_each_limit_holds_on_its_routes(
    client: Client, enter: Enter, setting: str, asked: tuple[str, str, dict[str, str]]
) -> None:
    """So many, then 429 in Mastodon's form, with the time to wait; other people are not concerned."""
    method, path, sent = asked
    anonymous = setting in ("apps", "anonymous_requests")
    bob = Caller(client) if anonymous else await enter("bob")
    _limit(client.app, structs.replace(sections.Limits(), **{setting: 3}))
    options = {"params": sent} if method == "GET" else {"json": sent}
    answers = [await bob.call(method, path, **options) for _ in range(5)]
    assert [429, 429] == [answer.status for answer in answers[3:]]
    assert all(answer.status != 429 for answer in answers[:3])
    assert answers[4].body["error"]
    assert int(answers[4].headers["Retry-After"]) > 0
    if not anonymous:
        other = await enter("other")
        assert 429 != (await other.call(method, path, **options)).status


async def test_an_address_that_is_made_up_is_no_new_address(client: Client) -> None:
    """Without a trusted proxy nobody says for himself where he is (rule E8)."""
    _limit(client.app, sections.Limits(anonymous_requests=3))
    statuses = []
    for number in range(5):
        told = {"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
        answer = await Caller(client).call("GET", "/api/v1/instance", headers=told)
        statuses.append(answer.status)
    assert [200, 200, 200, 429, 429] == statuses


async def test_a_page_never_grows_beyond_its_bounds(client: Client, enter: Enter, road_of: Road) -> None:
    """Whatever limit somebody asks for (section 4, collections)."""
    bob = await enter("bob")
    for number in range(45):
        await bob.post(f"post {number}")
    for path in ("/api/v1/timelines/home", f"/api/v1/accounts/{bob.id}/statuses", "/api/v1/timelines/public"):
        for limit in ("1000000", str(2**70), "99"):
            assert 40 == len(await bob.get(path, limit=limit)), path


def _limit(app: web.Application, given: sections.Limits) -> None:
    """Puts other limits in force in the running application."""
    app[LIMITER].__dict__.update(Limiter(given).__dict__)
