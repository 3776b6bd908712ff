"""Keys that a key service keeps under its own: HashiCorp Vault or OpenBao, by their transit engine.

The file in `vault.keys_file` holds our keys as the service wrapped them; it opens nothing without the
service, which is asked once for each key and process, at start and after a rotation:

    POST <kms_url>/v1/<kms_mount>/decrypt/<kms_key>   {"ciphertext": "vault:v1:…"}
    POST <kms_url>/v1/<kms_mount>/encrypt/<kms_key>   {"plaintext": "<base64>"}

The token comes from a file, which is read at each use: an agent may renew it. The service is the operator's
own and may be on a private address; no proxy is used, and no redirect followed.
"""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from compliance import keyring
from compliance.errors import SealBroken
from compliance.keyring import Keys

from ..settings import Settings

HEADER: Final = "yanlu-kms-keys 1"
_SECONDS: Final = 5.0
_MOST_BYTES: Final = 64 * 1024

Ask = Callable[[str, bytes, dict[str, str]], bytes]
"""Posts a body with headers to an address and gives the answer; raises `OSError` where there is none."""


class _Answer(msgspec.Struct):
    data: dict[str, Any]


class KmsKeys:
    """Keys in a file, wrapped by the key service."""

    def __init__(
        self, path: Path, *, url: str, mount: str, key: str, token_file: Path, ask: Ask, make: bool = True
    ) -> None:
        self._path, self._token_file, self._ask, self._make = path, token_file, ask, make
        self._address = f"{url.rstrip('/')}/v1/{mount.strip('/')}"
        self._key = key
        self._unwrapped: dict[str, bytes] = {}

    @property
    def place(self) -> str:
        return f"key service {self._address}, key {self._key}, file {self._path}"

    def load(self) -> Keys:
        """The keys of the file, unwrapped; what was unwrapped before is not asked for again."""
        if self._make and not self._path.exists():
            keyring.create(self._path, keyring.text_of(Keys.fresh(), self._wrap, HEADER))
        return keyring.parse(keyring.read(self._path), str(self._path), self._unwrap, HEADER)

    def store(self, keys: Keys) -> None:
        keyring.replace(self._path, keyring.text_of(keys, self._wrap, HEADER))

    def _wrap(self, key: bytes) -> str:
        for wrapped, plain in self._unwrapped.items():
            if plain == key:
                return wrapped
        wrapped = self._call("encrypt", {"plaintext": keyring.encode(key)}, "ciphertext")
        self._unwrapped[wrapped] = key
        return wrapped

    def _unwrap(self, wrapped: str) -> bytes:
        if wrapped not in self._unwrapped:
            plain = self._call("decrypt", {"ciphertext": wrapped}, "plaintext")
            self._unwrapped[wrapped] = keyring.decode(plain)
        return self._unwrapped[wrapped]

    def _call(self, act: str, wanted: dict[str, str], answer: str) -> str:
        try:
            token = self._token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SealBroken(f"vault.kms_token_file: {type(error).__name__}") from None
        headers = {"X-Vault-Token": token, "X-Vault-Request": "true", "Content-Type": "application/json"}
        try:
            said = self._ask(f"{self._address}/{act}/{self._key}", msgspec.json.encode(wanted), headers)
            found = msgspec.json.decode(said, type=_Answer).data.get(answer)
        except urllib.error.HTTPError as error:
            error.close()
            raise SealBroken(f"the key service refused to {act}: status {error.code}") from None
        except (OSError, msgspec.MsgspecError) as error:
            raise SealBroken(f"the key service did not answer: {type(error).__name__}") from None
        if not isinstance(found, str) or not found or any(sign.isspace() for sign in found):
            raise SealBroken(f"the key service answered to {act} without a {answer}")
        return found


def open_kms(settings: Settings, *, make: bool) -> KmsKeys:
    """The keys of the service that the settings name; with `make`, new ones where there are none."""
    vault = settings.vault
    return KmsKeys(
        Path(vault.keys_file) if vault.keys_file else settings.data / "kms.keys",
        url=vault.kms_url,
        mount=vault.kms_mount,
        key=vault.kms_key,
        token_file=Path(vault.kms_token_file),
        ask=_asker(vault.kms_ca_file),
        make=make,
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """The token goes to nobody else."""


def _asker(ca_file: str) -> Ask:
    try:
        trust = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise SealBroken(f"vault.kms_ca_file: {error.strerror}") from None
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust), _NoRedirects()
    )

    def ask(address: str, body: bytes, headers: dict[str, str]) -> bytes:
        # `completed` has let only http and https addresses through.
        wanted = urllib.request.Request(address, body, headers)  # noqa: S310
        with opener.open(wanted, timeout=_SECONDS) as answer:
            said: bytes = answer.read(_MOST_BYTES)
        return said

    return ask
