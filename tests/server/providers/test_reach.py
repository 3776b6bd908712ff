"""Services of the operator's choice on private addresses: reached where a setting says so, and not else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from compliance.numbers import NumberType
from compliance.ways import CheckOutcome, Claimed
from server import keys
from server.errors import Unavailable
from server.sections import Identity, Sms
from server.settings import Settings, SettingsError, completed
from tests.fixtures import clouds
from tests.fixtures.clouds import Service
from tests.fixtures.server import Serve

CLAIM = Claimed(number_type=NumberType.RESIDENT_ID, number="11010519491231002X", name="somebody")


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with clouds.serving() as service:
        service.answer = {"agrees": True, "reference": "R-1"}
        yield service


def _settings(service: Service, tmp_path: Path, *, private: bool) -> dict[str, Any]:
    secret = tmp_path / "service"
    secret.write_text("hush")
    return {
        "sms": Sms(driver="http", url=service.url, token_file=str(secret), allow_private=private),
        "identity": Identity(
            checker="http",
            checker_url=service.url,
            checker_secret_file=str(secret),
            checker_allow_private=private,
        ),
    }


async def test_the_running_server_reaches_what_a_setting_allows(
    serve: Serve, service: Service, tmp_path: Path
) -> None:
    """An adapter on the same machine is how most gateways are connected."""
    client = await serve(**_settings(service, tmp_path, private=True))
    await client.app[keys.SMS].send("+8613800138000", "123456 is your code", code="123456")
    assert CheckOutcome(True, "http:R-1") == await client.app[keys.CHECKER].check(CLAIM)
    assert 2 == len(service.heard)


async def test_and_nothing_private_without_it(serve: Serve, service: Service, tmp_path: Path) -> None:
    """A mistyped address must not become a request into the operator's network."""
    client = await serve(**_settings(service, tmp_path, private=False))
    with pytest.raises(Unavailable):
        await client.app[keys.SMS].send("+8613800138000", "123456 is your code", code="123456")
    assert (await client.app[keys.CHECKER].check(CLAIM)).agrees is None
    assert [] == service.heard


@pytest.mark.parametrize(
    ("url", "private", "is_fine"),
    [
        ("https://sms.example/send", False, True),
        ("http://127.0.0.1:9000/send", True, True),
        ("http://[::1]:9000/send", True, True),
        ("http://localhost:9000/send", True, True),
        ("http://127.0.0.1:9000/send", False, False),
        ("http://10.0.0.7:9000/send", True, False),
        ("http://sms.example/send", True, False),
    ],
)
def test_in_production_only_what_no_wire_leads_to_goes_without_tls(
    tmp_path: Path, url: str, private: bool, is_fine: bool
) -> None:
    """Numbers and codes travel there."""
    chosen = Settings(
        origin="https://yanlu.example",
        env="production",
        data=tmp_path,
        sms=Sms(driver="http", url=url, allow_private=private),
    )
    if is_fine:
        assert url == completed(chosen).sms.url
    else:
        with pytest.raises(SettingsError, match=r"^sms\.url: must be an https:// address"):
            completed(chosen)
