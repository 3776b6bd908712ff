"""How the client API behaves around its answers: limits, languages, sizes, and what a page of posts costs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from server.http.limits import LIMITER
from server.sections import Limits
from server.store import cache
from tests.fixtures.server import Caller, Client, Enter

from .test_accounts import picture
from .test_lists import _upload

_APP = {"client_name": "An app", "redirect_uris": "https://app.example/back"}


# What a page is read from; workers, and the look-up of who is asking, have statements of their own.
_PAGES = ("visible_post", "from post p", "from media", "from account a left join", "from notification")


@contextmanager
def _limited(client: Client, **limits: Any) -> Iterator[None]:
    limiter = client.app[LIMITER]
    before, limiter._limits = limiter._limits, Limits(**limits)
    yield
    limiter._limits = before


async def test_who_asks_too_often_is_told_when_to_come_back(
    client: Client, enter: Enter, nobody: Caller
) -> None:
    """By address for strangers, by token for apps, by person for what is costly."""
    alice = await enter("alice")
    with _limited(client, apps=2, token_requests=5, posts=2, anonymous_requests=100):
        statuses = [(await nobody.call("POST", "/api/v1/apps", json=_APP)).status for _ in range(3)]
        assert [200, 200, 429] == statuses
        posted = [
            await alice.call("POST", "/api/v1/statuses", json={"status": str(number)}) for number in range(3)
        ]
        assert [200, 200, 429] == [answer.status for answer in posted]
        assert {"error": "Too many requests"} == posted[2].body
        assert 0 < int(posted[2].headers["Retry-After"])
        assert "0" == posted[2].headers["X-RateLimit-Remaining"]
        left = [await alice.call("GET", "/api/v1/timelines/home") for _ in range(3)]
        assert [200, 200, 429] == [answer.status for answer in left]
        assert ["1", "0"] == [answer.headers["X-RateLimit-Remaining"] for answer in left[:2]]
        assert "5" == left[0].headers["X-RateLimit-Limit"]


async def test_refusals_are_in_the_language_of_the_account(enter: Enter, nobody: Caller) -> None:
    """And in the asker's where there is no account; programs that name none read English."""
    lin, ann = await enter("lin", verified=False, locale="zh-CN"), await enter("ann", verified=False)
    said = {"status": "hello"}
    chinese = (await lin.call("POST", "/api/v1/statuses", json=said)).body
    english = (await ann.call("POST", "/api/v1/statuses", json=said)).body
    assert chinese["yanlu"]["reason"] == english["yanlu"]["reason"]
    assert english["error"].isascii() and not chinese["error"].isascii()
    bad = _APP | {"redirect_uris": "javascript:x"}
    plain = await nobody.call("POST", "/api/v1/apps", json=bad)
    asked = await nobody.call("POST", "/api/v1/apps", json=bad, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert (True, False) == (plain.body["error"].isascii(), asked.body["error"].isascii())
    absent = await lin.call("GET", "/api/v1/statuses/1")
    assert {"error": "Record not found"} == absent.body


async def test_a_picture_above_the_limit_is_413_before_it_is_whole(enter: Enter) -> None:
    """With its length told, and without."""
    alice = await enter("alice")
    big = b"\0" * (17 << 20)
    assert 413 == (await _upload(alice, io.BytesIO(big))).status

    async def drip() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(17):
            yield b"\0" * (1 << 20)

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert 413 == (await alice.call("POST", "/api/v2/media", data=drip(), headers=kind)).status


async def test_json_above_a_mebibyte_is_413(enter: Enter) -> None:
    """Long before the length of a post is looked at."""
    alice = await enter("alice")
    kind = {"Content-Type": "application/json"}
    raw = io.BytesIO(b'{"status": "' + b"a" * (1 << 20) + b'"}')
    assert 413 == (await alice.call("POST", "/api/v1/statuses", data=raw, headers=kind)).status


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement of handlers that is sent to the database from now on."""
    seen: list[str] = []
    do = asyncpg.Connection._do_execute

    async def counted(self: Any, query: str, *values: Any, **named: Any) -> Any:
        if any(words in query for words in _PAGES):
            seen.append(query)
        return await do(self, query, *values, **named)

    monkeypatch.setattr(asyncpg.Connection, "_do_execute", counted)
    return seen


async def test_a_page_costs_the_same_however_long_it_is(
    enter: Enter, client: Client, statements: list[str]
) -> None:
    """No statement for each post, each author, each picture."""
    alice, bob = await enter("alice"), await enter("bob")
    await bob.do(f"/api/v1/accounts/{alice.id}/follow")
    for number in range(12):
        one = (await _upload(alice, picture())).raised().body
        made = await alice.post(f"{number} @bob #tag{number}", media_ids=[one["id"]])
        await bob.do(f"/api/v1/statuses/{made['id']}/reblog")
    costs: dict[str, set[int]] = {}
    for path in (
        "/api/v1/timelines/home",
        "/api/v1/timelines/public",
        f"/api/v1/accounts/{alice.id}/statuses",
        f"/api/v1/accounts/{bob.id}/statuses",
        "/api/v1/notifications",
        f"/api/v1/statuses/{made['id']}/context",
    ):
        for limit in (2, 12):
            cache.forget_all()
            statements.clear()
            await bob.get(path, limit=str(limit))
            costs.setdefault(path, set()).add(len(statements))
    assert {} == {path: counts for path, counts in costs.items() if len(counts) > 1 or max(counts) > 8}
