"""The groups of settings, one Struct each: every setting's name, default and help."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from msgspec import Meta, Struct

CORES = os.cpu_count() or 1
WAYS = (
    "mobile",
    "resident-id",
    "organisation",
    "passport-cn",
    "passport",
    "foreign-permanent-resident",
    "hk-macau-permit",
    "taiwan-permit",
    "oidc",
)
"""Every way to be verified that an operator can offer."""
_MEBIBYTE = 1024 * 1024


def is_(help_: str, /, *, ge: int | None = None, le: int | None = None, secret: bool = False) -> Meta:
    return Meta(description=help_, ge=ge, le=le, extra={"secret": secret})


def limit(help_: str, /, *, ge: int = 1, le: int | None = None) -> Meta:
    return Meta(description=help_, ge=ge, le=le, extra={"limit": True})


class Server(Struct, frozen=True, kw_only=True):
    """Where and how it listens."""

    host: Annotated[str, is_("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, is_("Port to listen on; 0 takes a free one.", ge=0, le=65535)] = 8000
    workers: Annotated[int, is_("Processes that answer requests, at most one a core.", ge=1)] = min(2, CORES)
    trusted_proxies: Annotated[
        str,
        is_(
            "Addresses or networks, separated by commas, whose X-Forwarded-For and X-Forwarded-Proto headers"
            " are believed."
        ),
    ] = ""


class Database(Struct, frozen=True, kw_only=True):
    """Where the data is, when it is not in the embedded PostgreSQL."""

    url: Annotated[
        str,
        is_("postgresql:// address of a PostgreSQL 14 or newer; empty starts the embedded one.", secret=True),
    ] = ""
    owner_url: Annotated[str, is_("Login that migrates, where it is not url's.", secret=True)] = ""
    pool_size: Annotated[int, is_("Database connections of each process.", ge=2, le=50)] = 6


class Federation(Struct, frozen=True, kw_only=True):
    """How it talks with other servers."""

    enabled: Annotated[bool, is_("Whether to talk with other servers at all.")] = True
    allow_insecure: Annotated[
        str,
        is_(
            "Addresses with a port or a range of ports (127.0.0.1:9001,127.0.0.2:9002-9100) that may be"
            " reached though private and over plain http. For development; refused in production."
        ),
    ] = ""
    ca_file: Annotated[str, is_("PEM file of a certificate authority to trust besides the system's.")] = ""
    first_retry: Annotated[int, is_("Seconds until a failed delivery is tried again.", ge=1, le=60)] = 30
    give_up_days: Annotated[int, is_("Days until an undeliverable message is dropped.", ge=1, le=30)] = 7
    host_concurrency: Annotated[int, is_("Deliveries to one host at a time.", ge=1, le=16)] = 4
    workers: Annotated[int, is_("Deliveries of each process at a time.", ge=1, le=256)] = 16
    signed_fetch: Annotated[bool, is_("Whether others must sign to read posts as ActivityPub.")] = False


class Limits(Struct, frozen=True, kw_only=True):
    """How much one may ask for. A number above its default is said in the log at start."""

    disabled: Annotated[
        bool, is_("Switches request rate limits off, for load tests; refused in production.")
    ] = False
    account_requests: Annotated[int, limit("Requests of one account in 5 minutes.")] = 1500
    token_requests: Annotated[int, limit("Requests with one token in 5 minutes.")] = 300
    anonymous_requests: Annotated[int, limit("Requests of an address, not logged in, in 5 minutes.")] = 300
    address_logins: Annotated[int, limit("Log-in attempts from an address in 5 minutes.")] = 25
    account_logins: Annotated[int, limit("Log-in attempts for an account in an hour.")] = 10
    reset_mails: Annotated[int, limit("Password mails in 30 minutes, by address and by account.")] = 5
    sign_ups: Annotated[int, limit("New accounts from an address in 30 minutes.")] = 5
    apps: Annotated[int, limit("New apps from an address in 10 minutes.")] = 5
    posts: Annotated[int, limit("Posts of an account in 3 hours.")] = 300
    uploads: Annotated[int, limit("Uploads of an account in 30 minutes.")] = 30
    searches: Annotated[int, limit("Searches of an account in a minute.")] = 30
    inbox_rate: Annotated[int, limit("Deliveries taken from one host in a second.")] = 50
    inbox_burst: Annotated[int, limit("Deliveries taken from one host at once.")] = 500
    inbox_refusals: Annotated[int, limit("Deliveries refused from one address in a minute.")] = 300
    document_reads: Annotated[int, limit("ActivityPub reads of one address in 5 minutes.")] = 3000


class Mail(Struct, frozen=True, kw_only=True):
    """How mail leaves."""

    sink: Annotated[str, is_("Folder that gets each mail as a file instead of sending it.")] = ""
    smtp_url: Annotated[
        str,
        is_(
            "smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; empty, and no sink:"
            " mails are written to DATA/mail.",
            secret=True,
        ),
    ] = ""
    sender: Annotated[str, is_("From address; empty is no-reply@ the server's own name.")] = ""


class Sms(Struct, frozen=True, kw_only=True):
    """How text messages leave."""

    driver: Annotated[
        Literal["sink", "http", "alibaba", "tencent"],
        is_("sink writes files; http asks a gateway; alibaba and tencent ask these clouds."),
    ] = "sink"
    sink: Annotated[str, is_("Folder that gets each text message as a file; empty is DATA/sms.")] = ""
    url: Annotated[
        str,
        is_("Address of the gateway that takes a signed POST of to and text; of a cloud, empty is its own."),
    ] = ""
    token_file: Annotated[
        str,
        is_("File that holds the secret with which each request to the gateway or the cloud is signed."),
    ] = ""
    allow_private: Annotated[
        bool, is_("Whether the gateway may be on a private address; on this machine over plain http as well.")
    ] = False
    key_id: Annotated[str, is_("Id of the access key at the cloud, to which the secret belongs.")] = ""
    region: Annotated[
        str, is_("Region of the cloud; empty is cn-hangzhou at Alibaba, ap-guangzhou at Tencent.")
    ] = ""
    app_id: Annotated[str, is_("SdkAppId of the text message application at Tencent Cloud.")] = ""
    signature: Annotated[str, is_("Name that signs the messages, as the cloud approved it.")] = ""
    template: Annotated[str, is_("Code of the message template that the cloud approved.")] = ""
    template_values: Annotated[
        str, is_("Variables of the template, in order, separated by commas: code, or code,minutes.")
    ] = "code"


class Identity(Struct, frozen=True, kw_only=True):
    """How people prove who they are."""

    ways: Annotated[
        str,
        is_(
            "How people may prove who they are, separated by commas, in the order in which they are offered:"
            " mobile, resident-id, organisation, passport-cn, passport, foreign-permanent-resident,"
            " hk-macau-permit, taiwan-permit, oidc. What is not here is not offered."
        ),
    ] = ", ".join(WAYS)
    reverify_months: Annotated[
        int, is_("Months until the identity of a person is to be confirmed anew.", ge=1, le=24)
    ] = 12
    organisation_reverify_months: Annotated[
        int, is_("Months until the identity of an organisation is to be confirmed anew.", ge=1, le=24)
    ] = 12
    claims_a_day: Annotated[
        int, is_("Numbers with names that one account, or one address, may send in a day.", ge=1, le=100)
    ] = 5
    max_papers: Annotated[int, is_("Files of papers that may be sent with a claim.", ge=1, le=12)] = 4
    papers_days: Annotated[
        int, is_("Days that the pictures of a decided claim are kept, then destroyed.", ge=0, le=3650)
    ] = 30
    keep_months: Annotated[
        int,
        is_(
            "Months that a number which its owner withdrew, or replaced by another, is kept sealed: the law"
            " asks for six, as for the log of what was published.",
            ge=6,
            le=120,
        ),
    ] = 6
    grace_days: Annotated[int, is_("Days after that in which publishing still works.", ge=0, le=180)] = 30
    accounts_per_identity: Annotated[int, is_("Accounts that one number may verify.", ge=1, le=50)] = 5
    code_minutes: Annotated[int, is_("Minutes a one-time code is good.", ge=1, le=60)] = 10
    checker: Annotated[
        Literal["manual", "http", "alibaba"],
        is_("Who is asked whether a number and a name belong together: people, a service, or Alibaba Cloud."),
    ] = "manual"
    checker_url: Annotated[
        str, is_("Address of the service that is asked; of Alibaba Cloud, empty is its own.")
    ] = ""
    checker_allow_private: Annotated[
        bool, is_("Whether the service may be on a private address; on this machine over plain http as well.")
    ] = False
    checker_key_id: Annotated[str, is_("Id of the access key at Alibaba Cloud.")] = ""
    checker_secret_file: Annotated[
        str, is_("File that holds the secret with which each question is signed.")
    ] = ""
    oidc_issuer: Annotated[
        str, is_("Address of an OpenID Connect provider that vouches for who people are; empty is none.")
    ] = ""
    oidc_client_id: Annotated[str, is_("This server's name at that provider.")] = ""
    oidc_secret_file: Annotated[
        str, is_("File that holds this server's secret at that provider; empty, and it has none.")
    ] = ""
    oidc_scope: Annotated[str, is_("What is asked of it; openid alone tells no more than a pseudonym.")] = (
        "openid"
    )
    oidc_acr: Annotated[
        str,
        is_("Assurance levels (acr) of which its answer must name one, separated by spaces; empty is any."),
    ] = ""
    oidc_claim: Annotated[
        str, is_("A claim that its answer must hold, as name=value; empty is none, a value of * is any.")
    ] = ""
    oidc_label: Annotated[str, is_("What it is called on the button; empty is its host name.")] = ""
    oidc_allow_private: Annotated[
        bool, is_("Whether it may be on a private address, over plain http as well in development.")
    ] = False


class Vault(Struct, frozen=True, kw_only=True):
    """Where the keys of all that is sealed come from, and how long papers are kept."""

    keys: Annotated[
        str,
        is_(
            "The keys themselves, as the lines of a key file with semicolons between; empty reads keys_file.",
            secret=True,
        ),
    ] = ""
    keys_file: Annotated[
        str, is_("Key file; empty is DATA/secret.key, or DATA/kms.keys with a key service.")
    ] = ""
    kms_url: Annotated[
        str, is_("Address of a HashiCorp Vault or OpenBao whose transit engine wraps the keys in keys_file.")
    ] = ""
    kms_mount: Annotated[str, is_("Where its transit engine is mounted.")] = "transit"
    kms_key: Annotated[str, is_("Name of its key.")] = "yanlu"
    kms_token_file: Annotated[str, is_("File with the token for it, read anew at each use.")] = ""
    kms_ca_file: Annotated[str, is_("PEM file of the certificate authority to trust for it.")] = ""
    keep: Annotated[
        Literal["sealed", "proof"],
        is_("sealed keeps papers, to be opened by two people; proof keeps only that they were seen."),
    ] = "sealed"
    retention_months: Annotated[
        int, is_("Months that a closed account's papers are kept, then destroyed.", ge=6, le=120)
    ] = 6


class Organisations(Struct, frozen=True, kw_only=True):
    """Accounts that several people run together."""

    per_person: Annotated[int, is_("Organisations that one person may found.", ge=0, le=100)] = 5
    transfer_days: Annotated[
        int,
        is_("Days from the announcement that somebody else becomes the owner until it is so.", ge=0, le=60),
    ] = 7


class Registration(Struct, frozen=True, kw_only=True):
    """Who may join."""

    open: Annotated[bool, is_("Whether new people may sign up.")] = True
    confirm_email: Annotated[bool, is_("Whether an address must be confirmed before log-in.")] = True


class Posts(Struct, frozen=True, kw_only=True):
    """What a post may hold."""

    max_chars: Annotated[int, is_("Longest post, in characters.", ge=1, le=100_000)] = 5000
    max_media: Annotated[int, is_("Most pictures on a post.", ge=0, le=18)] = 9
    keep_deleted_days: Annotated[
        int, is_("Days until the words and pictures of a post that its author deleted are destroyed.", ge=0)
    ] = 30


class Media(Struct, frozen=True, kw_only=True):
    """What may be uploaded."""

    max_image_bytes: Annotated[int, limit("Largest picture file, in bytes.", ge=1024)] = 16 * _MEBIBYTE
    max_pixels: Annotated[int, limit("Largest picture, in pixels.")] = 33_000_000
    max_archive_bytes: Annotated[
        int, limit("Largest archive of posts that somebody brings along, in bytes.", ge=1024)
    ] = 256 * _MEBIBYTE
    max_paper_bytes: Annotated[
        int, limit("Largest picture or PDF of a paper, for identities and certificates, in bytes.", ge=1024)
    ] = 12 * _MEBIBYTE


class Certification(Struct, frozen=True, kw_only=True):
    """Certified accounts."""

    show_remote: Annotated[
        bool, is_("Whether marks that other Yanlu servers vouch for are verified and shown.")
    ] = True
    keep_papers_days: Annotated[
        int,
        is_("Days that papers are kept after the decision, and the end of the mark.", ge=0, le=3650),
    ] = 30
    front_name_followers: Annotated[
        int,
        is_(
            "Followers above which a person is asked to show the real name to verified people who are logged"
            " in; 0 asks nobody.",
            ge=0,
        ),
    ] = 0
    front_name_days: Annotated[
        int,
        is_(
            "Days after being asked in which such a person publishes without it; 0 leaves it to them.",
            ge=0,
            le=365,
        ),
    ] = 30


class Filings(Struct, frozen=True, kw_only=True):
    """What is owed to the authorities, and when."""

    province: Annotated[
        str,
        is_(
            "The operator's own place of registration, two digits of GB/T 2260; 10 is the national authority."
        ),
    ] = "10"
    due_days: Annotated[int, is_("Days after a change until it is to be filed.", ge=1, le=365)] = 30
    notice_days: Annotated[int, is_("Days ahead of that when staff are told.", ge=1, le=90)] = 7


class Log(Struct, frozen=True, kw_only=True):
    """Where the JSON log lines go."""

    path: Annotated[str, is_("File for the log lines; empty is standard error.")] = ""
    level: Annotated[
        Literal["debug", "info", "warning", "error"], is_("The least weighty lines that are kept.")
    ] = "info"


class Metrics(Struct, frozen=True, kw_only=True):
    """Who may read /metrics; with neither of these, nobody."""

    token: Annotated[str, is_("Bearer token that opens /metrics on the public address.", secret=True)] = ""
    listen: Annotated[str, is_("host:port of an own listener for /metrics, such as 127.0.0.1:9100.")] = ""


class Site(Struct, frozen=True, kw_only=True):
    """What the server says of itself."""

    title: Annotated[str, is_("Name of the server.")] = "言路 Yanlu"
    description: Annotated[str, is_("One sentence about it.")] = ""
    contact: Annotated[str, is_("Mail address where the operators are reached.")] = ""
    languages: Annotated[str, is_("Languages spoken here, the default one first.")] = "zh-CN,en"
