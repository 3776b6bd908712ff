"""Text messages by the clouds' own SDKs, which speak to a server of ours over a real socket."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest

from server.errors import Unavailable
from server.providers import sms
from server.sections import Sms
from server.settings import Settings, SettingsError, completed
from tests.fixtures import clouds
from tests.fixtures.clouds import Service

NUMBER, CODE = "+8613800138000", "602214"
TEXT = f"{CODE} is your code"
ALIBABA_OK = {"Code": "OK", "Message": "OK", "RequestId": "A-1", "BizId": "9"}
TENCENT_OK = {
    "Response": {
        "SendStatusSet": [{"Code": "Ok", "PhoneNumber": NUMBER, "Message": "send success", "Fee": 1}],
        "RequestId": "T-1",
    }
}


@pytest.fixture
async def cloud() -> AsyncIterator[Service]:
    async with clouds.serving() as service:
        yield service


def _settings(tmp_path: Path, driver: Literal["alibaba", "tencent"], url: str, **more: Any) -> Settings:
    secret = tmp_path / "secret"
    secret.write_text("hush-hush\n")
    chosen = Sms(
        driver=driver,
        url=url,
        key_id="KEYID1",
        token_file=str(secret),
        app_id="1400006666",
        signature="言路",
        template="SMS_154950909",
        **more,
    )
    return Settings(data=tmp_path, sms=chosen)


async def _nobody(*_: object) -> int:
    raise AssertionError("a cloud is asked by its SDK")


def _gateway(settings: Settings) -> sms.Gateway:
    return sms.open_gateway(completed(settings), _nobody)


async def test_alibaba_gets_a_signed_request_with_template_and_code(tmp_path: Path, cloud: Service) -> None:
    """The request is the SDK's own; what we put into it is what the person gets."""
    cloud.answer = ALIBABA_OK
    await _gateway(_settings(tmp_path, "alibaba", cloud.url)).send(NUMBER, TEXT, code=CODE)
    (heard,) = cloud.heard
    assert heard.headers["Authorization"].startswith("ACS3-HMAC-SHA256 Credential=KEYID1,SignedHeaders=")
    assert ("SendSms", "2017-05-25") == (heard.headers["x-acs-action"], heard.headers["x-acs-version"])
    sent = {**heard.query}
    assert {
        "PhoneNumbers": "13800138000",
        "SignName": "言路",
        "TemplateCode": "SMS_154950909",
        "TemplateParam": json.dumps({"code": CODE}, separators=(",", ":")),
    } == sent


async def test_alibaba_knows_foreign_numbers_without_the_plus(tmp_path: Path, cloud: Service) -> None:
    """A number of Hong Kong must not become one of somewhere else."""
    cloud.answer = ALIBABA_OK
    settings = _settings(tmp_path, "alibaba", cloud.url, template_values="code, minutes")
    await _gateway(settings).send("+85251234567", TEXT, code=CODE)
    assert "85251234567" == cloud.heard[0].query["PhoneNumbers"]
    assert {"code": CODE, "minutes": "10"} == json.loads(cloud.heard[0].query["TemplateParam"])


async def test_tencent_gets_a_signed_request_with_template_and_code(tmp_path: Path, cloud: Service) -> None:
    """The values come in the template's order, for its variables have numbers instead of names."""
    cloud.answer = TENCENT_OK
    settings = _settings(tmp_path, "tencent", cloud.url, template_values="code,minutes")
    await _gateway(settings).send(NUMBER, TEXT, code=CODE)
    (heard,) = cloud.heard
    assert heard.headers["Authorization"].startswith("TC3-HMAC-SHA256 Credential=KEYID1/")
    assert ("SendSms", "ap-guangzhou") == (heard.headers["X-TC-Action"], heard.headers["X-TC-Region"])
    assert {
        "PhoneNumberSet": [NUMBER],
        "SmsSdkAppId": "1400006666",
        "SignName": "言路",
        "TemplateId": "SMS_154950909",
        "TemplateParamSet": [CODE, "10"],
    } == json.loads(heard.body)


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        ("alibaba", (200, {"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": NUMBER, "RequestId": "A-2"})),
        ("alibaba", (403, {"Code": "Forbidden.RAM", "Message": f"no {NUMBER}", "RequestId": "A-3"})),
        ("alibaba", (502, b"<html>")),
        (
            "tencent",
            (200, {"Response": {"Error": {"Code": "AuthFailure", "Message": NUMBER}, "RequestId": "T"}}),
        ),
        (
            "tencent",
            (200, {"Response": {"SendStatusSet": [{"Code": "LimitExceeded.Phone", "Message": NUMBER}]}}),
        ),
        ("tencent", (502, b"<html>")),
    ],
)
async def test_what_a_cloud_refuses_is_told_plainly_and_logged_without_the_number(
    tmp_path: Path,
    cloud: Service,
    caplog: pytest.LogCaptureFixture,
    driver: Literal["alibaba", "tencent"],
    said: tuple[int, Any],
) -> None:
    """The SDKs would write the whole request at level debug, and the message repeats the number."""
    caplog.set_level(logging.DEBUG)
    cloud.status, cloud.answer = said
    with pytest.raises(Unavailable) as told:
        await _gateway(_settings(tmp_path, driver, cloud.url)).send(NUMBER, TEXT, code=CODE)
    assert "The text message could not be sent; please try again in a moment" == str(told.value)
    assert told.value.__cause__ is None
    assert any(record.name.startswith("server.providers.sms_") for record in caplog.records)
    assert "13800138000" not in caplog.text
    assert CODE not in caplog.text


@pytest.mark.parametrize("driver", ["alibaba", "tencent"])
async def test_a_cloud_that_is_not_there_is_no_wait_without_end(
    tmp_path: Path, driver: Literal["alibaba", "tencent"], unused_tcp_port: int
) -> None:
    """Nobody listens on the port."""
    gateway = _gateway(_settings(tmp_path, driver, f"http://127.0.0.1:{unused_tcp_port}"))
    with pytest.raises(Unavailable):
        await gateway.send(NUMBER, TEXT, code=CODE)


@pytest.mark.parametrize(
    ("driver", "module"), [("alibaba", "alibabacloud_dysmsapi20170525"), ("tencent", "tencentcloud.sms")]
)
def test_a_driver_without_its_extra_is_said_before_anything_starts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    driver: Literal["alibaba", "tencent"],
    module: str,
) -> None:
    """The operator reads what to install, instead of a traceback of a worker."""
    found = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else found(name))
    with pytest.raises(SettingsError) as told:
        completed(_settings(tmp_path, driver, ""))
    expected = f"sms.driver: {driver} needs the extra of this name: pip install 'yanlu[{driver}]'"
    assert expected == str(told.value)


@pytest.mark.parametrize(
    ("driver", "missing"),
    [("alibaba", "key_id"), ("alibaba", "template"), ("tencent", "app_id"), ("tencent", "signature")],
)
def test_what_a_cloud_needs_is_asked_for_by_name(
    tmp_path: Path, driver: Literal["alibaba", "tencent"], missing: str
) -> None:
    """Better at start than at the first person who wants a code."""
    settings = _settings(tmp_path, driver, "")
    lacking = Sms(
        **{
            name: getattr(settings.sms, name)
            for name in ("driver", "key_id", "token_file", "app_id", "signature", "template")
            if name != missing
        }
    )
    with pytest.raises(SettingsError, match=rf"^sms\.{missing}: is needed with sms\.driver = {driver}$"):
        completed(Settings(data=tmp_path, sms=lacking))
