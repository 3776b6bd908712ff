"""Every setting: its name, default and help, in one place, as one frozen value that is passed down.

`server.sources` reads them; nothing else looks at the environment. A default that depends on another
setting is filled in by `completed`, which also refuses what does not go together.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, get_type_hints

import msgspec
from msgspec import Struct
from yarl import URL

from compliance import places

from .sections import (
    CORES,
    WAYS,
    Certification,
    Database,
    Federation,
    Filings,
    Identity,
    Limits,
    Log,
    Mail,
    Media,
    Metrics,
    Organisations,
    Posts,
    Registration,
    Server,
    Site,
    Sms,
    Vault,
    is_,
)

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingsError(Exception):
    """The settings cannot be used; the message says which one, where it stands, and what to do."""


class AllowedPeer(Struct, frozen=True):
    """A private address that may be reached over plain http, on a range of ports; for development."""

    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    first_port: int
    last_port: int


class Settings(Struct, frozen=True, kw_only=True):
    """All settings of one server."""

    origin: Annotated[
        str, is_("The server's own address, as others see it; empty is http://localhost:PORT.")
    ] = ""
    env: Annotated[
        Literal["development", "production"], is_("production refuses what is only good for development.")
    ] = "development"
    data: Annotated[
        Path, is_("Folder of all that must be kept; empty is ./data, or /var/lib/yanlu when run as root.")
    ] = Path()
    server: Server = Server()
    database: Database = Database()
    federation: Federation = Federation()
    limits: Limits = Limits()
    mail: Mail = Mail()
    sms: Sms = Sms()
    identity: Identity = Identity()
    vault: Vault = Vault()
    organisations: Organisations = Organisations()
    registration: Registration = Registration()
    posts: Posts = Posts()
    media: Media = Media()
    certification: Certification = Certification()
    filings: Filings = Filings()
    log: Log = Log()
    metrics: Metrics = Metrics()
    site: Site = Site()

    @property
    def is_production(self) -> bool:
        return self.env == "production"


class Entry(Struct, frozen=True):
    """One setting, as the help and the documentation show it."""

    section: str
    """Empty for the few that stand alone."""
    name: str
    default: object
    help: str
    choices: tuple[str, ...]
    secret: bool
    limit: bool

    @property
    def path(self) -> str:
        """As in `yanlu.toml`: `section.name`."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def variable(self) -> str:
        """As in the environment: `YANLU_<SECTION>_<NAME>`."""
        return f"YANLU_{self.path.replace('.', '_').upper()}"

    def value(self, settings: Settings) -> object:
        """What it is set to."""
        return getattr(getattr(settings, self.section) if self.section else settings, self.name)


SECTIONS: dict[str, type[Struct]] = {"": Settings} | {
    name: kind
    for name, kind in get_type_hints(Settings).items()
    if isinstance(kind, type) and issubclass(kind, Struct)
}
"""The groups of settings by name; those that stand alone under the empty one."""


def _entries() -> Iterator[Entry]:
    for section, kind in SECTIONS.items():
        hints = get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            for meta in getattr(hints[field.name], "__metadata__", ()):
                extra = meta.extra or {}
                choices = getattr(hints[field.name].__origin__, "__args__", ())
                yield Entry(
                    section=section,
                    name=field.name,
                    default=field.default,
                    help=meta.description or "",
                    choices=tuple(map(str, choices)),
                    secret=bool(extra.get("secret")),
                    limit=bool(extra.get("limit")),
                )


ENTRIES = tuple(_entries())
"""Every setting there is."""


def parse_ways(text: str) -> tuple[str, ...]:
    """Reads the ways to be verified that are offered, in their order. Raises `SettingsError`."""
    ways = tuple(dict.fromkeys(way.strip() for way in text.split(",") if way.strip()))
    for way in ways:
        if way not in WAYS:
            raise SettingsError(f"identity.ways: {way!r} is none of {', '.join(WAYS)}")
    if not ways:
        raise SettingsError("identity.ways: name one way at least, or nobody could ever publish")
    return ways


def parse_allow_insecure(text: str) -> tuple[AllowedPeer, ...]:
    """Reads `ip:port` and `ip:first-last` entries, IPv6 in brackets. Raises `SettingsError`."""
    return tuple(_peer(entry.strip()) for entry in text.split(",") if entry.strip())


def parse_networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Reads addresses and networks separated by commas. Raises `SettingsError`."""
    try:
        return tuple(ipaddress.ip_network(entry.strip()) for entry in text.split(",") if entry.strip())
    except ValueError as error:
        raise SettingsError(f"server.trusted_proxies: {error}") from error


def parse_listen(text: str) -> tuple[str, int] | None:
    """Reads `host:port`; `None` where there is nothing. Raises `SettingsError`."""
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise SettingsError(f"metrics.listen: expected host:port, found {text!r}")
    return host.strip("[]"), int(port)


def completed(settings: Settings) -> Settings:
    """Fills in what depends on other settings. Raises `SettingsError` for what does not go together."""
    origin = _origin(settings.origin or f"http://localhost:{settings.server.port}")
    peers = parse_allow_insecure(settings.federation.allow_insecure)
    parse_networks(settings.server.trusted_proxies)
    parse_listen(settings.metrics.listen)
    if settings.server.workers > CORES:
        raise SettingsError(
            f"server.workers: {settings.server.workers} is more than this machine's {CORES} cores"
        )
    parse_ways(settings.identity.ways)
    if not places.is_place(settings.filings.province):
        raise SettingsError("filings.province: expected a province's two digits of GB/T 2260, such as 35")
    _check_reachable(settings)
    _check_services(settings)
    _check_vault(settings)
    if settings.is_production:
        if peers:
            raise SettingsError("federation.allow_insecure: must be empty with env = production")
        if settings.limits.disabled:
            raise SettingsError("limits.disabled: must be false with env = production")
        if not origin.startswith("https://"):
            raise SettingsError("origin: must be an https:// address with env = production")
    return msgspec.structs.replace(settings, origin=origin)


def _check_vault(settings: Settings) -> None:
    vault = settings.vault
    if not vault.kms_url:
        return
    if vault.keys:
        raise SettingsError("vault.keys: must be empty where vault.kms_url is set; the keys are in keys_file")
    address = URL(vault.kms_url)
    if address.scheme not in ("http", "https") or not address.host:
        raise SettingsError("vault.kms_url: must be an https:// address")
    if settings.is_production and address.scheme == "http" and address.host not in _LOOPBACK:
        raise SettingsError("vault.kms_url: must be https:// unless it is on this machine")
    if not vault.kms_token_file:
        raise SettingsError("vault.kms_token_file: the key service needs a token")


def warnings(settings: Settings) -> list[str]:
    """What an operator should know at each start: switches for development, and raised limits."""
    found = [
        f"federation.allow_insecure: {peer.ip} may be reached over plain http on ports"
        f" {peer.first_port} to {peer.last_port}"
        for peer in parse_allow_insecure(settings.federation.allow_insecure)
    ]
    if settings.limits.disabled:
        found.append("limits.disabled: request rate limits are off")
    for entry in ENTRIES:
        value, default = entry.value(settings), entry.default
        if entry.limit and isinstance(value, int) and isinstance(default, int) and value > default:
            found.append(f"{entry.path}: {value} is above the recommended {default}")
    return found


def _check_reachable(settings: Settings) -> None:
    """What other programs and files are named by: better said here than by a worker that does not start."""
    for path, text, schemes in (
        ("mail.smtp_url", settings.mail.smtp_url, ("smtp", "smtps")),
        ("database.url", settings.database.url, ("postgresql", "postgres")),
        ("database.owner_url", settings.database.owner_url, ("postgresql", "postgres")),
        ("sms.url", settings.sms.url, ("https", "http")),
        ("identity.checker_url", settings.identity.checker_url, ("https", "http")),
        ("identity.oidc_issuer", settings.identity.oidc_issuer, ("https", "http")),
    ):
        if text and text.partition("://")[0] not in schemes:
            raise SettingsError(f"{path}: expected an address that begins with {schemes[0]}://")
    for path, text in (
        ("sms.token_file", settings.sms.token_file),
        ("federation.ca_file", settings.federation.ca_file),
        ("identity.checker_secret_file", settings.identity.checker_secret_file),
        ("identity.oidc_secret_file", settings.identity.oidc_secret_file),
    ):
        if text and not os.access(text, os.R_OK):
            raise SettingsError(f"{path}: {text} cannot be read")


def _check_services(settings: Settings) -> None:
    """What each chosen service asks for, and that its SDK is installed."""
    by_path = {entry.path: entry.value(settings) for entry in ENTRIES}
    for (chooser, choice), needed in _NEEDED.items():
        if by_path[chooser] == choice:
            for path in needed:
                if not by_path[path]:
                    raise SettingsError(f"{path}: is needed with {chooser} = {choice}")
    for (chooser, choice), (extra, module) in _SDKS.items():
        if by_path[chooser] == choice and not _is_installed(module):
            raise SettingsError(
                f"{chooser}: {choice} needs the extra of this name: pip install 'yanlu[{extra}]'"
            )
    names = [name.strip() for name in settings.sms.template_values.split(",")]
    if not set(names) <= {"code", "minutes"} or "code" not in names:
        raise SettingsError("sms.template_values: expected code, or code and minutes, separated by commas")
    if settings.identity.oidc_issuer and not settings.identity.oidc_client_id:
        raise SettingsError("identity.oidc_client_id: is needed with identity.oidc_issuer")
    if settings.identity.oidc_claim and not settings.identity.oidc_claim.partition("=")[2]:
        raise SettingsError("identity.oidc_claim: expected name=value, or name=* for any value")
    if settings.identity.oidc_issuer and "openid" not in settings.identity.oidc_scope.split():
        raise SettingsError("identity.oidc_scope: must hold openid")
    if settings.is_production:
        for path, private in (
            ("sms.url", settings.sms.allow_private),
            ("identity.checker_url", settings.identity.checker_allow_private),
            ("identity.oidc_issuer", False),
        ):
            url = str(by_path[path])
            if url.startswith("http:") and not (private and _is_here(url)):
                raise SettingsError(f"{path}: must be an https:// address with env = production")


def _is_here(url: str) -> bool:
    """Whether an address is one of this machine, which no wire leads to."""
    host = URL(url).host or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a part of its path is missing
        return False


_NEEDED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("sms.driver", "http"): ("sms.url",),
    ("sms.driver", "alibaba"): ("sms.key_id", "sms.token_file", "sms.signature", "sms.template"),
    ("sms.driver", "tencent"): (
        *("sms.key_id", "sms.token_file", "sms.app_id"),
        *("sms.signature", "sms.template"),
    ),
    ("identity.checker", "http"): ("identity.checker_url", "identity.checker_secret_file"),
    ("identity.checker", "alibaba"): ("identity.checker_key_id", "identity.checker_secret_file"),
}
_SDKS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("sms.driver", "alibaba"): ("alibaba", "alibabacloud_dysmsapi20170525"),
    ("sms.driver", "tencent"): ("tencent", "tencentcloud.sms"),
    ("identity.checker", "alibaba"): ("alibaba", "alibabacloud_cloudauth20190307"),
}
"""The extra of `pyproject.toml` that brings the SDK of a choice, and a module that it brings."""


def _origin(text: str) -> str:
    try:
        url = URL(text)
        whole = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        whole = False
    if not whole or url.path not in ("", "/") or url.query_string or url.fragment or url.user:
        raise SettingsError(f"origin: expected an address such as https://yanlu.example, found {text!r}")
    return str(url.origin())


def _peer(entry: str) -> AllowedPeer:
    host, _, ports = entry.rpartition(":")
    first, dash, last = ports.partition("-")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        peer = AllowedPeer(address, int(first), int(last) if dash else int(first))
    except ValueError as error:
        raise SettingsError(
            "federation.allow_insecure: expected an address with a port or a range of ports, such as"
            f" 127.0.0.1:9001 or 127.0.0.2:9002-9100, found {entry!r}"
        ) from error
    if not 0 < peer.first_port <= peer.last_port <= 65535:
        raise SettingsError(f"federation.allow_insecure: {entry!r} names no possible ports")
    return peer
