"""An OpenID Connect provider that vouches for who somebody is: authorization code flow with PKCE.

    start ──state, nonce, challenge──> provider ──code, state──> callback ──code, verifier──> provider
                                                                    └── id_token: is it real, ours, in time?

All that we keep of the answer is a blind index of issuer and subject. We ask for no number and no name, and
whatever else an answer holds is not read. The provider is asked by the guarded client alone, and may be on a
private address only where a setting says so.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct
from yarl import URL

from compliance.sealing import Sealer
from federation.errors import FederationError
from federation.fetch import Response

from ..errors import Unavailable
from ..i18n import mark
from ..ids import Clock
from ..settings import Settings
from . import jws
from .jws import BadToken, Expected, UnknownKey
from .reach import reaching

_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_KEPT: Final = timedelta(minutes=10)
_AGAIN: Final = timedelta(minutes=1)
"""An unknown key is looked for in the provider's newest keys, but not more often than this."""
_REST: Final = timedelta(seconds=5)
_MOST: Final = 256 * 1024
_DOWN: Final = mark("The identity provider cannot be reached; please try again later")

_T = TypeVar("_T", bound=Struct)

log = logging.getLogger(__name__)


class _Discovery(Struct, frozen=True):
    """What of the provider's own description is used (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Keys(Struct, frozen=True):
    keys: tuple[dict[str, Any], ...]


class _Tokens(Struct, frozen=True):
    id_token: str


class Declined(Exception):
    """The provider's answer proves nothing. The reason is for the log; it repeats nothing of the answer."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The secrets of one attempt, all of them made from its state: nothing else has to be kept."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def of(cls, state: str, sealer: Sealer) -> Flow:
        """The flow with this state, on this server."""
        return cls(
            state,
            _text(sealer.mac(state, purpose="oidc-nonce")),
            _text(sealer.mac(state, purpose="oidc-verifier")),
        )

    @property
    def challenge(self) -> str:
        """What of the verifier may be seen by others (RFC 7636, S256)."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())


def open_provider(settings: Settings, clock: Clock) -> Provider | None:
    """The provider that the settings name, if they name one. Raises `OSError` for a secret that cannot be
    read."""
    return Provider(settings, clock) if settings.identity.oidc_issuer else None


class Provider:
    """The one provider that the settings name. Its description and keys are kept for minutes."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._identity = settings.identity
        self._clock = clock
        self._described: tuple[datetime, _Discovery] | None = None
        self._known: tuple[datetime, _Keys] | None = None
        self._failed_at: datetime | None = None
        path = self._identity.oidc_secret_file
        self._secret = Path(path).read_text("utf-8").strip() if path else ""

    @property
    def issuer(self) -> str:
        """Whose subjects they are."""
        return self._identity.oidc_issuer

    @property
    def label(self) -> str:
        """What it is called on the pages."""
        return self._identity.oidc_label or URL(self.issuer).host or self.issuer

    @property
    def callback(self) -> str:
        """Where the provider sends people back to; it must be registered there."""
        return f"{self._settings.origin}/settings/identity/oidc/callback"

    async def origin(self) -> str:
        """Where a person is sent to. Raises `Unavailable`."""
        return str(URL((await self._discovery()).authorization_endpoint).origin())

    async def address(self, flow: Flow) -> str:
        """The page of the provider that asks the person. Raises `Unavailable`."""
        asked = {
            "response_type": "code",
            "client_id": self._identity.oidc_client_id,
            "redirect_uri": self.callback,
            "scope": self._identity.oidc_scope,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        if self._identity.oidc_acr:
            asked["acr_values"] = self._identity.oidc_acr
        endpoint = (await self._discovery()).authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def subject(self, flow: Flow, *, code: str, iss: str | None) -> str:
        """Who the provider says came back. `iss` is the issuer that the answer named, if it named one.

        Raises `Declined` for an answer that proves nothing, `Unavailable` where there is none.
        """
        described = await self._discovery()
        if iss != described.issuer and (
            iss is not None or described.authorization_response_iss_parameter_supported
        ):
            raise Declined("the answer is of another issuer")  # RFC 9207: mixed up with another provider
        token = await self._redeem(described, code, flow.verifier)
        expected = Expected(
            issuer=described.issuer,
            client_id=self._identity.oidc_client_id,
            nonce=flow.nonce,
            acr=frozenset(self._identity.oidc_acr.split()),
            claim=_claim(self._identity.oidc_claim),
        )
        try:
            try:
                keys = await self._keys(described, _KEPT)
                return jws.subject_of(token, keys, expected, self._clock())
            except UnknownKey:
                keys = await self._keys(described, _AGAIN)
                return jws.subject_of(token, keys, expected, self._clock())
        except BadToken as error:
            raise Declined(str(error)) from None

    async def _redeem(self, described: _Discovery, code: str, verifier: str) -> str:
        """The token for a code. The code is good once, with the verifier that nobody else has."""
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        if not self._secret:
            sent["client_id"] = self._identity.oidc_client_id
        elif "client_secret_basic" in described.token_endpoint_auth_methods_supported:
            # RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
            pair = f"{quote(self._identity.oidc_client_id, safe='')}:{quote(self._secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            sent |= {"client_id": self._identity.oidc_client_id, "client_secret": self._secret}
        answer = await self._ask(described.token_endpoint, body=urlencode(sent).encode(), headers=headers)
        if 400 <= answer.status < 500:
            raise Declined(f"the code was refused with status {answer.status}")
        if answer.status != 200:
            raise self._down(f"status {answer.status} for a code")
        try:
            return msgspec.json.decode(answer.body, type=_Tokens).id_token
        except msgspec.MsgspecError:
            raise Declined("the answer to the code holds no token") from None

    async def _discovery(self) -> _Discovery:
        now = self._clock()
        if self._described is not None and now - self._described[0] < _KEPT:
            return self._described[1]
        if self._failed_at is not None and now - self._failed_at < _REST:
            raise Unavailable(_DOWN)  # just asked in vain: not everybody who looks has to wait for that
        issuer = self._identity.oidc_issuer
        found = self._read(await self._ask(issuer.rstrip("/") + _WELL_KNOWN), _Discovery)
        if found.issuer != issuer:
            raise self._down("it describes another issuer")
        for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if not self._may_be_asked(url):
                raise self._down("it describes addresses that cannot be asked, or without TLS")
        self._described = (now, found)
        return found

    async def _keys(self, described: _Discovery, kept: timedelta) -> tuple[dict[str, Any], ...]:
        now = self._clock()
        if self._known is None or now - self._known[0] >= kept:
            self._known = (now, self._read(await self._ask(described.jwks_uri), _Keys))
        return self._known[1].keys

    def _read(self, answer: Response, kind: type[_T]) -> _T:
        if answer.status != 200:
            raise self._down(f"status {answer.status}")
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.MsgspecError:
            raise self._down("an answer that cannot be read") from None

    async def _ask(
        self, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        try:
            async with reaching(
                self._settings, self.issuer, private=self._identity.oidc_allow_private, clock=self._clock
            ) as client:
                if body is None:
                    return await client.get(url, accept="application/json", most=_MOST)
                return await client.post(
                    url,
                    body,
                    content_type="application/x-www-form-urlencoded",
                    key=None,
                    headers=headers or {},
                    most=_MOST,
                )
        except (FederationError, OSError) as error:
            raise self._down(type(error).__name__) from None

    def _may_be_asked(self, url: str) -> bool:
        plain = self._identity.oidc_allow_private and not self._settings.is_production
        try:
            address = URL(url)
            return bool(address.host) and address.scheme in (("https", "http") if plain else ("https",))
        except ValueError:
            return False

    def _down(self, why: str) -> Unavailable:
        self._failed_at = self._clock()
        log.warning("the identity provider is of no use", extra={"error": why})
        return Unavailable(_DOWN)


def _claim(text: str) -> tuple[str, str] | None:
    name, _, value = text.partition("=")
    return (name.strip(), value.strip()) if name.strip() else None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
