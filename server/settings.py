"""Every setting: its name, default and help, in one place, as one frozen value that is passed down.

`server.sources` reads them; nothing else looks at the environment. A default that depends on another
setting is filled in by `completed`, which also refuses what does not go together.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct
from yarl import URL

CORES = os.cpu_count() or 1
_MEBIBYTE = 1024 * 1024


class SettingsError(Exception):
    """The settings cannot be used; the message says which one, where it stands, and what to do."""


class AllowedPeer(Struct, frozen=True):
    """A private address that may be reached over plain http, on a range of ports; for development."""

    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    first_port: int
    last_port: int


def _is(help_: str, /, *, ge: int | None = None, le: int | None = None, secret: bool = False) -> Meta:
    return Meta(description=help_, ge=ge, le=le, extra={"secret": secret})


def _limit(help_: str, /, *, ge: int = 1, le: int | None = None) -> Meta:
    return Meta(description=help_, ge=ge, le=le, extra={"limit": True})


class Server(Struct, frozen=True, kw_only=True):
    """Where and how it listens."""

    host: Annotated[str, _is("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _is("Port to listen on; 0 takes a free one.", ge=0, le=65535)] = 8000
    workers: Annotated[int, _is("Processes that answer requests, at most one a core.", ge=1)] = min(2, CORES)
    trusted_proxies: Annotated[
        str,
        _is(
            "Addresses or networks, separated by commas, whose X-Forwarded-For and X-Forwarded-Proto headers"
            " are believed."
        ),
    ] = ""


class Database(Struct, frozen=True, kw_only=True):
    """Where the data is, when it is not in the embedded PostgreSQL."""

    url: Annotated[
        str,
        _is("postgresql:// address of a PostgreSQL 14 or newer; empty starts the embedded one.", secret=True),
    ] = ""
    owner_url: Annotated[str, _is("Login that migrates, where it is not url's.", secret=True)] = ""
    pool_size: Annotated[int, _is("Database connections of each process.", ge=2, le=50)] = 6


class Federation(Struct, frozen=True, kw_only=True):
    """How it talks with other servers."""

    enabled: Annotated[bool, _is("Whether to talk with other servers at all.")] = True
    allow_insecure: Annotated[
        str,
        _is(
            "Addresses with a port or a range of ports (127.0.0.1:9001,127.0.0.2:9002-9100) that may be"
            " reached though private and over plain http. For development; refused in production."
        ),
    ] = ""
    ca_file: Annotated[str, _is("PEM file of a certificate authority to trust besides the system's.")] = ""
    first_retry: Annotated[int, _is("Seconds until a failed delivery is tried again.", ge=1, le=60)] = 30
    give_up_days: Annotated[int, _is("Days until an undeliverable message is dropped.", ge=1, le=30)] = 7
    host_concurrency: Annotated[int, _is("Deliveries to one host at a time.", ge=1, le=16)] = 4
    workers: Annotated[int, _is("Deliveries of each process at a time.", ge=1, le=256)] = 16
    signed_fetch: Annotated[bool, _is("Whether others must sign to read posts as ActivityPub.")] = False


class Limits(Struct, frozen=True, kw_only=True):
    """How much one may ask for. A number above its default is said in the log at start."""

    disabled: Annotated[
        bool, _is("Switches request rate limits off, for load tests; refused in production.")
    ] = False
    account_requests: Annotated[int, _limit("Requests of one account in 5 minutes.")] = 1500
    token_requests: Annotated[int, _limit("Requests with one token in 5 minutes.")] = 300
    anonymous_requests: Annotated[int, _limit("Requests of an address, not logged in, in 5 minutes.")] = 300
    address_logins: Annotated[int, _limit("Log-in attempts from an address in 5 minutes.")] = 25
    account_logins: Annotated[int, _limit("Log-in attempts for an account in an hour.")] = 10
    reset_mails: Annotated[int, _limit("Password mails in 30 minutes, by address and by account.")] = 5
    sign_ups: Annotated[int, _limit("New accounts from an address in 30 minutes.")] = 5
    apps: Annotated[int, _limit("New apps from an address in 10 minutes.")] = 5
    posts: Annotated[int, _limit("Posts of an account in 3 hours.")] = 300
    uploads: Annotated[int, _limit("Uploads of an account in 30 minutes.")] = 30
    searches: Annotated[int, _limit("Searches of an account in a minute.")] = 30
    inbox_rate: Annotated[int, _limit("Deliveries taken from one host in a second.")] = 50
    inbox_burst: Annotated[int, _limit("Deliveries taken from one host at once.")] = 500
    inbox_refusals: Annotated[int, _limit("Deliveries refused from one address in a minute.")] = 300
    document_reads: Annotated[int, _limit("ActivityPub reads of one address in 5 minutes.")] = 3000


class Mail(Struct, frozen=True, kw_only=True):
    """How mail leaves."""

    sink: Annotated[str, _is("Folder that gets each mail as a file instead of sending it.")] = ""
    smtp_url: Annotated[
        str,
        _is(
            "smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; empty, and no sink:"
            " mails are written to DATA/mail.",
            secret=True,
        ),
    ] = ""
    sender: Annotated[str, _is("From address; empty is no-reply@ the server's own name.")] = ""


class Sms(Struct, frozen=True, kw_only=True):
    """How text messages leave."""

    driver: Annotated[Literal["sink", "http"], _is("sink writes files; http asks a gateway.")] = "sink"
    sink: Annotated[str, _is("Folder that gets each text message as a file; empty is DATA/sms.")] = ""
    url: Annotated[str, _is("Address of the gateway that takes a signed POST of to and text.")] = ""
    token_file: Annotated[
        str, _is("File that holds the secret with which each POST to the gateway is signed.")
    ] = ""


class Identity(Struct, frozen=True, kw_only=True):
    """How people prove who they are."""

    reverify_months: Annotated[int, _is("Months until an identity is to be confirmed anew.", ge=1, le=60)] = (
        12
    )
    grace_days: Annotated[int, _is("Days after that in which publishing still works.", ge=0, le=180)] = 30
    accounts_per_identity: Annotated[int, _is("Accounts that one number may verify.", ge=1, le=50)] = 5
    code_minutes: Annotated[int, _is("Minutes a one-time code is good.", ge=1, le=60)] = 10


class Registration(Struct, frozen=True, kw_only=True):
    """Who may join."""

    open: Annotated[bool, _is("Whether new people may sign up.")] = True
    confirm_email: Annotated[bool, _is("Whether an address must be confirmed before log-in.")] = True


class Posts(Struct, frozen=True, kw_only=True):
    """What a post may hold."""

    max_chars: Annotated[int, _is("Longest post, in characters.", ge=1, le=100_000)] = 5000
    max_media: Annotated[int, _is("Most pictures on a post.", ge=0, le=18)] = 9
    keep_deleted_days: Annotated[
        int, _is("Days until the words and pictures of a post that its author deleted are destroyed.", ge=0)
    ] = 30


class Media(Struct, frozen=True, kw_only=True):
    """What may be uploaded."""

    max_image_bytes: Annotated[int, _limit("Largest picture file, in bytes.", ge=1024)] = 16 * _MEBIBYTE
    max_pixels: Annotated[int, _limit("Largest picture, in pixels.")] = 33_000_000


class Log(Struct, frozen=True, kw_only=True):
    """Where the JSON log lines go."""

    path: Annotated[str, _is("File for the log lines; empty is standard error.")] = ""
    level: Annotated[
        Literal["debug", "info", "warning", "error"], _is("The least weighty lines that are kept.")
    ] = "info"


class Metrics(Struct, frozen=True, kw_only=True):
    """Who may read /metrics; with neither of these, nobody."""

    token: Annotated[str, _is("Bearer token that opens /metrics on the public address.", secret=True)] = ""
    listen: Annotated[str, _is("host:port of an own listener for /metrics, such as 127.0.0.1:9100.")] = ""


class Site(Struct, frozen=True, kw_only=True):
    """What the server says of itself."""

    title: Annotated[str, _is("Name of the server.")] = "言路 Yanlu"
    description: Annotated[str, _is("One sentence about it.")] = ""
    contact: Annotated[str, _is("Mail address where the operators are reached.")] = ""
    languages: Annotated[str, _is("Languages spoken here, the default one first.")] = "zh-CN,en"


class Settings(Struct, frozen=True, kw_only=True):
    """All settings of one server."""

    origin: Annotated[
        str, _is("The server's own address, as others see it; empty is http://localhost:PORT.")
    ] = ""
    env: Annotated[
        Literal["development", "production"], _is("production refuses what is only good for development.")
    ] = "development"
    data: Annotated[
        Path, _is("Folder of all that must be kept; empty is ./data, or /var/lib/yanlu when run as root.")
    ] = Path()
    server: Server = Server()
    database: Database = Database()
    federation: Federation = Federation()
    limits: Limits = Limits()
    mail: Mail = Mail()
    sms: Sms = Sms()
    identity: Identity = Identity()
    registration: Registration = Registration()
    posts: Posts = Posts()
    media: Media = Media()
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
    if settings.sms.driver == "http" and not settings.sms.url:
        raise SettingsError("sms.url: the http driver needs the gateway's address")
    _check_reachable(settings)
    if settings.is_production:
        if peers:
            raise SettingsError("federation.allow_insecure: must be empty with env = production")
        if settings.limits.disabled:
            raise SettingsError("limits.disabled: must be false with env = production")
        if not origin.startswith("https://"):
            raise SettingsError("origin: must be an https:// address with env = production")
    return msgspec.structs.replace(settings, origin=origin)


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
    ):
        if text and text.partition("://")[0] not in schemes:
            raise SettingsError(f"{path}: expected an address that begins with {schemes[0]}://")
    for path, text in (
        ("sms.token_file", settings.sms.token_file),
        ("federation.ca_file", settings.federation.ca_file),
    ):
        if text and not os.access(text, os.R_OK):
            raise SettingsError(f"{path}: {text} cannot be read")


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
