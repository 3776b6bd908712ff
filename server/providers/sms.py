"""Sends text messages: by a cloud, through a gateway over https, or into a folder that a developer reads.

The gateway gets a signed POST, which a small adapter before any provider's own interface can check:

    POST <sms.url>                       {"id": "...", "to": "+8613800138000", "text": "..."}
    X-Yanlu-Time: 1764000000             seconds since 1970
    X-Yanlu-Signature: sha256=<hex>      HMAC-SHA-256 over "<time>.<body>" with the secret in sms.token_file

Any 2xx means that the message was taken. The same `id` is the same message: it must not go out twice. No line
of the log holds a number or a word of a message.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import msgspec

from ..errors import Unavailable
from ..settings import Settings
from .mail import write_named
from .sms_template import FAILED

Post: TypeAlias = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]
"""Posts a body with headers to an address and tells the status; raises where nobody answers."""

_TRIES: Final = 2

log = logging.getLogger(__name__)


class Gateway(Protocol):
    """Sends text messages."""

    async def send(self, number: str, text: str, *, code: str) -> None:
        """Returns once the message is on its way; raises `Unavailable` otherwise.

        `text` holds `code` in a sentence. Clouds take no sentences, only values for theirs.
        """


def open_gateway(settings: Settings, post: Post) -> Gateway:
    """The gateway that the settings name. Raises `OSError` for a secret that cannot be read."""
    if settings.sms.driver == "sink":
        return SinkGateway(Path(settings.sms.sink) if settings.sms.sink else settings.data / "sms")
    if settings.sms.driver == "alibaba":
        from .sms_alibaba import AlibabaGateway  # noqa: PLC0415 - an extra, which others do not install

        return AlibabaGateway(settings)
    if settings.sms.driver == "tencent":
        from .sms_tencent import TencentGateway  # noqa: PLC0415 - an extra, which others do not install

        return TencentGateway(settings)
    secret = Path(settings.sms.token_file).read_bytes().strip() if settings.sms.token_file else b""
    return HttpGateway(settings.sms.url, secret, post)


class SinkGateway:
    """Writes each message as a file, named by time and number, that holds the text alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, number: str, text: str, *, code: str) -> None:
        await asyncio.to_thread(
            write_named, self._folder, datetime.now(UTC), number, ".txt", f"{text}\n".encode()
        )


class HttpGateway:
    """Asks a gateway to send each message, once more if it does not answer well at first."""

    def __init__(self, url: str, secret: bytes, post: Post) -> None:
        self._url = url
        self._secret = secret
        self._post = post

    async def send(self, number: str, text: str, *, code: str) -> None:
        body = msgspec.json.encode({"id": secrets.token_hex(16), "to": number, "text": text})
        for _ in range(_TRIES):
            try:
                status = await self._post(self._url, body, self._headers(body, datetime.now(UTC)))
            except Exception as error:
                log.warning("the gateway could not be reached", extra={"error": type(error).__name__})
                continue
            if 200 <= status < 300:
                return
            log.warning("the gateway refused a text message", extra={"status": status})
            if status < 500:
                break
        raise Unavailable(FAILED)

    def _headers(self, body: bytes, now: datetime) -> dict[str, str]:
        moment = str(int(now.timestamp()))
        signed = hmac.new(self._secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-Yanlu-Time": moment,
            "X-Yanlu-Signature": f"sha256={signed}",
        }
