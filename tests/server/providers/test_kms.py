"""Keys that a key service wraps: against a service that listens on a real port."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compliance.errors import SealBroken
from compliance.sealing import Sealer
from server.opening import key_source
from server.sections import Vault
from server.settings import Settings, SettingsError, completed
from tests.fixtures.transit import TOKEN, Transit


@pytest.fixture
def settings(tmp_path: Path, transit: Transit) -> Settings:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    return Settings(data=tmp_path, vault=Vault(kms_url=transit.url, kms_token_file=str(token)))


def test_the_file_opens_nothing_without_the_service(settings: Settings, transit: Transit) -> None:
    """What is on the disk is wrapped; each process asks once for each key."""
    sealer = Sealer(key_source(settings, make=True))
    sealed = sealer.seal(b"x", context="a")
    text = (settings.data / "kms.keys").read_text()
    assert text.startswith("yanlu-kms-keys 1\nindex vault:v1:")
    assert (settings.data / "kms.keys").stat().st_mode & 0o777 == 0o400
    transit.asked.clear()
    again = Sealer(key_source(settings, make=False))
    assert again.open(sealed, context="a") == b"x"
    assert again.index("x", purpose="p") == sealer.index("x", purpose="p")
    assert transit.asked == ["/v1/transit/decrypt/yanlu"] * 2
    again.reload()
    assert len(transit.asked) == 2


def test_rotation_adds_a_wrapped_key(settings: Settings, transit: Transit) -> None:
    """Only the new one is wrapped; the others stand as they stood."""
    sealer = Sealer(key_source(settings, make=True))
    before = (settings.data / "kms.keys").read_text().splitlines()
    other = Sealer(key_source(settings, make=False))
    sealer.source.store(sealer.source.load().with_another())
    sealer.reload()
    after = (settings.data / "kms.keys").read_text().splitlines()
    assert (3, 4) == (len(before), len(after))
    assert before == after[:3]
    other.reload()
    assert other.open(sealer.seal(b"new", context="a"), context="a") == b"new"
    assert sealer.version == other.version == 2


def test_a_service_that_is_sealed_or_refuses_is_told_without_a_secret(
    settings: Settings, transit: Transit, tmp_path: Path
) -> None:
    """The error names the service's answer, and neither token nor key."""
    Sealer(key_source(settings, make=True))
    transit.sealed = True
    with pytest.raises(SealBroken, match="refused to decrypt: status 503"):
        Sealer(key_source(settings, make=False))
    transit.sealed = False
    (tmp_path / "token").write_text("hvs.old")
    with pytest.raises(SealBroken, match="status 403") as caught:
        Sealer(key_source(settings, make=False))
    assert "hvs" not in str(caught.value)
    (tmp_path / "token").unlink()
    with pytest.raises(SealBroken, match="kms_token_file"):
        Sealer(key_source(settings, make=False))


def test_a_service_that_is_gone_is_told(settings: Settings, transit: Transit) -> None:
    """Nobody listens: an error, and soon."""
    Sealer(key_source(settings, make=True))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        elsewhere = msgspec.structs.replace(settings.vault, kms_url=address)
        moved = msgspec.structs.replace(settings, vault=elsewhere)
        with pytest.raises(SealBroken, match="did not answer"):
            Sealer(key_source(moved, make=False))


def test_a_swapped_or_damaged_line_does_not_open(settings: Settings) -> None:
    """The service authenticates what it wrapped."""
    Sealer(key_source(settings, make=True))
    path = settings.data / "kms.keys"
    text = path.read_text()
    path.chmod(0o600)
    at = text.index("vault:v1:") + 20
    path.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    with pytest.raises(SealBroken, match="status 400"):
        Sealer(key_source(settings, make=False))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"kms_url": "https://kms.example", "keys": "x", "kms_token_file": "t"}, "vault.keys: must be empty"),
        ({"kms_url": "kms.example", "kms_token_file": "t"}, "must be an https"),
        ({"kms_url": "https://kms.example"}, "needs a token"),
        ({"kms_url": "http://10.0.0.7:8200", "kms_token_file": "t"}, "unless it is on this machine"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(given: dict[str, Any], why: str) -> None:
    """Before anything starts."""
    with pytest.raises(SettingsError, match=why):
        completed(Settings(origin="https://here.example", env="production", vault=Vault(**given)))
