"""Text messages on their way out."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.errors import Unavailable
from server.providers import sms
from server.sections import Sms
from server.settings import Settings

NUMBER = "+8613800138000"
TEXT = "言路:验证码 123456,10 分钟内有效。"


@dataclass
class _Provider:
    """A gateway that answers what it is told to, one after another."""

    answers: list[int | Exception]
    heard: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.heard.append((url, body, headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _gateway(tmp_path: Path, provider: _Provider) -> sms.Gateway:
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    settings = Settings(
        data=tmp_path, sms=Sms(driver="http", url="https://sms.example/send", token_file=str(secret))
    )
    return sms.open_gateway(settings, provider.post)


async def test_the_sink_writes_the_text_under_time_and_number(tmp_path: Path) -> None:
    """A developer, or a test, reads the code there."""
    gateway = sms.open_gateway(Settings(data=tmp_path), _Provider([]).post)
    await gateway.send(NUMBER, TEXT, code="123456")
    (file,) = (tmp_path / "sms").iterdir()
    assert f"{TEXT}\n" == file.read_text("utf-8")
    assert f"-{NUMBER}-" in file.name


async def test_the_gateway_gets_a_post_that_it_can_check(tmp_path: Path) -> None:
    """Nobody else must be able to send messages in our name, or the same one again much later."""
    provider = _Provider([200])
    await _gateway(tmp_path, provider).send(NUMBER, TEXT, code="123456")
    ((url, body, headers),) = provider.heard
    assert "https://sms.example/send" == url
    assert {"to": NUMBER, "text": TEXT} == {key: json.loads(body)[key] for key in ("to", "text")}
    signed = headers["X-Yanlu-Time"].encode() + b"." + body
    expected = hmac.new(b"hush", signed, hashlib.sha256).hexdigest()
    assert f"sha256={expected}" == headers["X-Yanlu-Signature"]


@pytest.mark.parametrize("first", [503, OSError("no route to +8613800138000")])
async def test_a_hiccup_is_tried_once_more_as_the_same_message(
    tmp_path: Path, first: int | Exception
) -> None:
    """The id lets the gateway know that it has had it."""
    provider = _Provider([first, 202])
    await _gateway(tmp_path, provider).send(NUMBER, TEXT, code="123456")
    ids = {json.loads(body)["id"] for _, body, _ in provider.heard}
    assert (2, 1) == (len(provider.heard), len(ids))


@pytest.mark.parametrize(("answers", "tries"), [([400], 1), ([500, 502], 2), ([OSError(), OSError()], 2)])
async def test_a_failure_is_told_plainly_and_logged_without_the_number(
    tmp_path: Path, answers: list[int | Exception], tries: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The person can try again; an operator can see that it is not the person's fault."""
    caplog.set_level(logging.DEBUG)
    provider = _Provider(answers)
    with pytest.raises(Unavailable):
        await _gateway(tmp_path, provider).send(NUMBER, TEXT, code="123456")
    assert tries == len(provider.heard)
    assert caplog.records
    assert "138" not in caplog.text
