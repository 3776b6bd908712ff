"""Asking others whether a number and a name belong together, over real sockets."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl

import pytest

from compliance.numbers import NumberType
from compliance.ways import Checker, CheckOutcome, Claimed
from federation.fetch import Client, Response
from server.providers.identity import open_checker
from server.sections import Identity
from server.settings import Settings, SettingsError, completed, parse_allow_insecure
from tests.fixtures import clouds
from tests.fixtures.clouds import Service

NUMBER, NAME = "11010519491231002X", "张三丰"
CLAIM = Claimed(number_type=NumberType.RESIDENT_ID, number=NUMBER, name=NAME)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with clouds.serving() as service:
        yield service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    peers = parse_allow_insecure(service.url.removeprefix("http://"))
    async with Client("https://yanlu.example", peers=peers) as client:
        yield client


def _checker(tmp_path: Path, client: Client, driver: Literal["http", "alibaba"], url: str) -> Checker:
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    settings = Settings(
        data=tmp_path,
        identity=Identity(
            checker=driver, checker_url=url, checker_key_id="KEYID1", checker_secret_file=str(secret)
        ),
    )

    async def ask(url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        return await client.post(
            url, body, content_type="application/json", key=None, headers=headers, most=65_536
        )

    return open_checker(completed(settings), ask)


async def test_without_a_service_every_claim_is_for_a_person(tmp_path: Path, client: Client) -> None:
    """Nobody is asked, so nobody can have agreed."""

    async def nobody(*_: object) -> Response:
        raise AssertionError("manual asks nobody")

    checker = open_checker(completed(Settings(data=tmp_path)), nobody)
    assert CheckOutcome(None, "manual") == await checker.check(CLAIM)


async def test_the_service_gets_a_signed_question(tmp_path: Path, client: Client, service: Service) -> None:
    """It can tell that the question is ours, is fresh, and was not asked before."""
    service.answer = {"agrees": True, "reference": "R-7"}
    checker = _checker(tmp_path, client, "http", service.url + "/check")
    assert CheckOutcome(True, "http:R-7") == await checker.check(CLAIM)
    await checker.check(CLAIM)
    first, second = service.heard
    signed = f"{first.headers['X-Yanlu-Time']}.{first.headers['X-Yanlu-Nonce']}.".encode() + first.body
    assert (
        f"sha256={hmac.new(b'hush', signed, hashlib.sha256).hexdigest()}"
        == (first.headers["X-Yanlu-Signature"])
    )
    assert abs(time.time() - int(first.headers["X-Yanlu-Time"])) < 60
    assert first.headers["X-Yanlu-Nonce"] != second.headers["X-Yanlu-Nonce"]
    asked = json.loads(first.body)
    asked.pop("id")
    assert {
        "number_type": "resident-id",
        "number": NUMBER,
        "name": NAME,
        "legal_representative": None,
    } == asked


@pytest.mark.parametrize(
    ("answer", "agrees"),
    [
        ({"agrees": True, "reference": "a"}, True),
        ({"agrees": False, "reference": "a"}, False),
        ({"agrees": "unknown", "reference": "a"}, None),
        ({"agrees": None, "reference": "a"}, None),
    ],
)
async def test_the_service_answers_yes_no_or_that_it_does_not_know(
    tmp_path: Path, client: Client, service: Service, answer: Any, agrees: bool | None
) -> None:
    """A service that does not know the person has not said that they lie."""
    service.answer = answer
    outcome = await _checker(tmp_path, client, "http", service.url).check(CLAIM)
    assert CheckOutcome(agrees, "http:a") == outcome


@pytest.mark.parametrize(
    "said",
    [(500, {"agrees": True}), (404, b""), (200, b"yes"), (200, {"agrees": 1}), (200, {"agrees": "true"})],
)
async def test_no_good_answer_is_a_claim_for_a_person(
    tmp_path: Path,
    client: Client,
    service: Service,
    caplog: pytest.LogCaptureFixture,
    said: tuple[int, Any],
) -> None:
    """Fails neither open nor shut; and the log does not say of whom it was."""
    caplog.set_level(logging.DEBUG)
    service.status, service.answer = said
    outcome = await _checker(tmp_path, client, "http", service.url).check(CLAIM)
    assert outcome.agrees is None
    assert outcome.reference.startswith("http:")
    assert caplog.records
    assert not [word for word in (NUMBER, NAME) if word in caplog.text + outcome.reference]


async def test_a_reference_that_repeats_the_claim_is_not_kept(
    tmp_path: Path, client: Client, service: Service
) -> None:
    """References stand in records, which are no vault."""
    service.answer = {"agrees": True, "reference": f"id {NUMBER.lower()} ok"}
    outcome = await _checker(tmp_path, client, "http", service.url).check(CLAIM)
    assert outcome.agrees is True
    assert NUMBER.lower() not in outcome.reference.lower()


@pytest.mark.parametrize(("found", "agrees"), [("1", True), ("2", False), ("3", None)])
async def test_alibaba_is_asked_about_number_and_name(
    tmp_path: Path, client: Client, service: Service, found: str, agrees: bool | None
) -> None:
    """1 is consistent, 2 is not, 3 is a number of which there is no record."""
    service.answer = {
        "Code": "200",
        "Message": "success",
        "RequestId": "A-1",
        "ResultObject": {"BizCode": found},
    }
    outcome = await _checker(tmp_path, client, "alibaba", service.url).check(CLAIM)
    (heard,) = service.heard
    assert CheckOutcome(agrees, f"alibaba:A-1 200/{found}") == outcome
    assert heard.headers["Authorization"].startswith("ACS3-HMAC-SHA256 Credential=KEYID1,")
    assert "Id2MetaVerify" == heard.headers["x-acs-action"]
    assert {"IdentifyNum": NUMBER, "ParamType": "normal", "UserName": NAME} == dict(
        parse_qsl(heard.body.decode())
    )
    assert {} == heard.query


@pytest.mark.parametrize(
    "said",
    [
        (200, {"Code": "401", "Message": NUMBER, "RequestId": "A-2"}),
        (200, {"Code": "200", "Message": "success", "RequestId": "A-3"}),
        (403, {"Code": "Forbidden", "Message": NUMBER, "RequestId": "A-4"}),
        (502, b"<html>"),
    ],
)
async def test_alibaba_without_an_answer_is_a_claim_for_a_person(
    tmp_path: Path,
    client: Client,
    service: Service,
    caplog: pytest.LogCaptureFixture,
    said: tuple[int, Any],
) -> None:
    """A bill that was not paid must verify nobody, and accuse nobody."""
    caplog.set_level(logging.DEBUG)
    service.status, service.answer = said
    outcome = await _checker(tmp_path, client, "alibaba", service.url).check(CLAIM)
    assert outcome.agrees is None
    assert not [word for word in (NUMBER, NAME) if word in caplog.text + outcome.reference]


async def test_alibaba_is_asked_about_residents_only(
    tmp_path: Path, client: Client, service: Service
) -> None:
    """It knows no passports, and what it is not asked it does not learn."""
    claim = Claimed(number_type=NumberType.PASSPORT_CN, number="E12345678", name=NAME)
    outcome = await _checker(tmp_path, client, "alibaba", service.url).check(claim)
    assert CheckOutcome(None, "alibaba: not asked about passport-cn") == outcome
    assert [] == service.heard


def test_a_claim_shows_nothing_of_itself() -> None:
    """What is in a `repr` is in a log one day."""
    claim = Claimed(
        number_type=NumberType.USCC, number="91350100M000100Y43", name=NAME, legal_representative="李四"
    )
    assert "Claimed(number_type=<NumberType.USCC: 'uscc'>)" == repr(claim)


def test_a_checker_without_its_extra_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator reads what to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    secret = tmp_path / "secret"
    secret.write_text("hush")
    chosen = Identity(checker="alibaba", checker_key_id="K", checker_secret_file=str(secret))
    with pytest.raises(SettingsError, match=r"identity\.checker: alibaba .* pip install 'yanlu\[alibaba\]'"):
        completed(Settings(data=tmp_path, identity=chosen))
