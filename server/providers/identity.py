"""Asks others whether what somebody says of themselves is right, or leaves it to people.

The service at `identity.checker_url` gets a signed POST and answers in JSON; `docs/PROVIDERS.md` describes
both. No line of the log holds a number or a name, and whatever goes wrong is a claim for a person.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

import msgspec

from compliance.ways import Checker, CheckOutcome, Claimed

from ..settings import Settings

_LONGEST_REFERENCE: Final = 120

log = logging.getLogger(__name__)


class Answer(Protocol):
    """What a service said to a POST."""

    @property
    def status(self) -> int: ...

    @property
    def body(self) -> bytes: ...


Ask: TypeAlias = Callable[[str, bytes, Mapping[str, str]], Awaitable[Answer]]
"""Posts a body with headers to an address; raises where nobody answers."""


class _Said(msgspec.Struct, frozen=True):
    agrees: bool | Literal["unknown"] | None
    reference: str = ""


def open_checker(settings: Settings, ask: Ask) -> Checker:
    """Whoever the settings name; nobody, where they name none. Raises `OSError` for a secret that cannot be
    read."""
    if settings.identity.checker == "alibaba":
        from .identity_alibaba import AlibabaChecker  # noqa: PLC0415 - an extra, which others do not install

        return AlibabaChecker(settings)
    if settings.identity.checker == "http":
        secret = Path(settings.identity.checker_secret_file).read_bytes().strip()
        return HttpChecker(settings.identity.checker_url, secret, ask)
    return People()


class People:
    """Nobody is asked: every claim goes to a person with its papers."""

    async def check(self, claim: Claimed) -> CheckOutcome:
        return CheckOutcome(None, "manual")


class HttpChecker:
    """Asks a service once: it may cost money, and a person looks at what it does not answer."""

    def __init__(self, url: str, secret: bytes, ask: Ask) -> None:
        self._url = url
        self._secret = secret
        self._ask = ask

    async def check(self, claim: Claimed) -> CheckOutcome:
        asked = secrets.token_hex(16)
        body = msgspec.json.encode(
            {
                "id": asked,
                "number_type": claim.number_type.value,
                "number": claim.number,
                "name": claim.name,
                "legal_representative": claim.legal_representative,
            }
        )
        try:
            answer = await self._ask(self._url, body, self._headers(body, datetime.now(UTC)))
        except Exception as error:
            return _unknown(asked, type(error).__name__)
        if answer.status != 200:
            return _unknown(asked, f"status {answer.status}")
        try:
            said = msgspec.json.decode(answer.body, type=_Said)
        except msgspec.MsgspecError:
            return _unknown(asked, "no answer that can be read")
        agrees = None if said.agrees == "unknown" else said.agrees
        return CheckOutcome(agrees, f"http:{_without(claim, said.reference) or asked}")

    def _headers(self, body: bytes, now: datetime) -> dict[str, str]:
        moment, nonce = str(int(now.timestamp())), secrets.token_hex(16)
        signed = hmac.new(self._secret, f"{moment}.{nonce}.".encode() + body, hashlib.sha256).hexdigest()
        return {
            "X-Yanlu-Time": moment,
            "X-Yanlu-Nonce": nonce,
            "X-Yanlu-Signature": f"sha256={signed}",
        }


def _unknown(asked: str, why: str) -> CheckOutcome:
    log.warning("the identity service gave no answer", extra={"error": why, "reference": asked})
    return CheckOutcome(None, f"http:{asked} {why}")


def _without(claim: Claimed, reference: str) -> str:
    """What may be kept of a reference: one that repeats the claim would carry it out of the vault."""
    told = (claim.number, claim.name, claim.legal_representative)
    if any(word and word.casefold() in reference.casefold() for word in told):
        return ""
    return "".join(filter(str.isprintable, reference))[:_LONGEST_REFERENCE].strip()
