"""What clients get: Mastodon's entities, field for field. Ids are strings and moments end in Z.

A field that Mastodon has and we have no use for yet carries the value that means "none", since clients read
it without asking. Bytes that are rendered already go in as `Raw`.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field

from .extension import Marked, StatusYanlu, Yanlu


class Field(Struct):
    """A row of a profile's table."""

    name: str
    value: str
    verified_at: str | None = None


class AccountRole(Struct):
    """A badge beside the name, in clients that show one."""

    id: str
    name: str
    color: str


class Approval(Struct, frozen=True):
    """Who may quote or feature something. Nobody, while there are no quotes and no collections."""

    automatic: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    current_user: str = "denied"


NOBODY = Approval()


class Account(Struct, kw_only=True):
    """Somebody, as everybody sees them."""

    id: str
    username: str
    acct: str
    url: str
    uri: str
    display_name: str
    note: str
    avatar: str
    avatar_static: str
    avatar_description: str = ""
    header: str
    header_static: str
    header_description: str = ""
    locked: bool
    fields: list[Field]
    emojis: tuple[()] = ()
    bot: bool
    group: bool
    discoverable: bool
    indexable: bool
    noindex: bool
    suspended: bool | UnsetType = UNSET
    created_at: str
    last_status_at: str | None
    statuses_count: int
    followers_count: int
    following_count: int
    hide_collections: bool = False
    show_media: bool = True
    show_media_replies: bool = True
    show_featured: bool = True
    roles: list[AccountRole] = field(default_factory=list)
    feature_approval: Approval = NOBODY
    yanlu: Marked | UnsetType = UNSET


class Source(Struct, kw_only=True):
    """One's own profile as one typed it, and the defaults for posting."""

    note: str
    fields: list[Field]
    privacy: str
    sensitive: bool
    language: str
    follow_requests_count: int
    hide_collections: bool = False
    discoverable: bool
    indexable: bool
    attribution_domains: tuple[()] = ()
    quote_policy: str = "nobody"


class Role(Struct, kw_only=True):
    """What one may do here, in Mastodon's numbers."""

    id: str
    name: str
    color: str = ""
    permissions: str = "0"
    highlighted: bool = False
    collection_limit: int = 0


class CredentialAccount(Account, kw_only=True):
    """Oneself."""

    source: Source
    role: Role
    yanlu: Yanlu


class MutedAccount(Account, kw_only=True):
    """Somebody one does not want to read, and until when."""

    mute_expires_at: str | None


class Relationship(Struct, kw_only=True):
    """How one stands to somebody."""

    id: str
    following: bool
    showing_reblogs: bool
    notifying: bool
    languages: None = None
    followed_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    muting_notifications: bool
    muting_expires_at: str | None
    requested: bool
    requested_by: bool
    domain_blocking: bool = False
    endorsed: bool = False
    note: str = ""


class Dimensions(Struct):
    width: int
    height: int
    size: str
    aspect: float


class Focus(Struct):
    x: float
    y: float


class Meta(Struct, kw_only=True):
    """How large a picture is and what it is about."""

    original: Dimensions | UnsetType = UNSET
    small: Dimensions | UnsetType = UNSET
    focus: Focus | UnsetType = UNSET


class MediaAttachment(Struct, kw_only=True):
    """A picture."""

    id: str
    type: str
    url: str
    preview_url: str
    remote_url: str | None
    preview_remote_url: str | None = None
    text_url: str | None = None
    meta: Meta
    description: str | None
    blurhash: str | None


class Mention(Struct):
    """Somebody named in a post."""

    id: str
    username: str
    url: str
    acct: str


class ShallowTag(Struct):
    """A hashtag in a post."""

    name: str
    url: str


class Day(Struct):
    """How much a hashtag was used on a day, which is given in seconds since 1970."""

    day: str
    accounts: str
    uses: str


class Tag(Struct, kw_only=True):
    """A hashtag."""

    id: str
    name: str
    url: str
    history: list[Day]
    following: bool | UnsetType = UNSET
    featuring: bool | UnsetType = UNSET


class StatusApplication(Struct):
    """What a post was written with."""

    name: str
    website: str | None


class StatusHead(Struct, kw_only=True):
    """A post without its author, what it boosts and what the viewer did with it: those are appended."""

    id: str
    uri: str
    url: str
    created_at: str
    edited_at: str | None
    in_reply_to_id: str | None
    in_reply_to_account_id: str | None
    sensitive: bool
    spoiler_text: str
    visibility: str
    language: str | None
    content: str
    text: str | None = None
    replies_count: int
    reblogs_count: int
    favourites_count: int
    quotes_count: int = 0
    media_attachments: list[MediaAttachment]
    mentions: list[Mention]
    tags: list[ShallowTag]
    application: StatusApplication | UnsetType = UNSET
    emojis: tuple[()] = ()
    poll: None = None
    card: None = None
    quote: None = None
    quote_approval: Approval = NOBODY
    tagged_collections: tuple[()] = ()
    yanlu: StatusYanlu | UnsetType = UNSET


class StatusEdit(Struct, kw_only=True):
    """How a post read at some time."""

    content: str
    spoiler_text: str
    sensitive: bool
    created_at: str
    account: Raw
    media_attachments: list[MediaAttachment]
    emojis: tuple[()] = ()
    quote: None = None


class StatusSource(Struct):
    """A post as it was typed."""

    id: str
    text: str
    spoiler_text: str


class Context(Struct):
    """What a post answers, and what answers it."""

    ancestors: Raw
    descendants: Raw


class AccountWarning(Struct, kw_only=True):
    """A decision about something one said, as Mastodon's clients know how to show it."""

    id: str
    action: str = "none"
    text: str
    status_ids: tuple[()] = ()
    target_account: Raw
    appeal: None = None
    created_at: str


class Notification(Struct, kw_only=True):
    """Something that one is told."""

    id: str
    type: str
    group_key: str
    created_at: str
    account: Raw
    status: Raw | UnsetType = UNSET
    moderation_warning: AccountWarning | UnsetType = UNSET


class Count(Struct):
    count: int


class Marker(Struct, kw_only=True):
    """How far one has read."""

    last_read_id: str
    version: int
    updated_at: str


class Search(Struct):
    """What was found."""

    accounts: Raw
    statuses: Raw
    hashtags: list[Tag]


class Report(Struct, kw_only=True):
    """A complaint that one has made."""

    id: str
    action_taken: bool = False
    action_taken_at: str | None = None
    category: str
    comment: str
    forwarded: bool
    created_at: str
    status_ids: list[str]
    rule_ids: list[str]
    collection_ids: tuple[()] = ()
    target_account: Raw
    yanlu: dict[str, Any]


class Application(Struct, kw_only=True):
    """An app, as its own user sees it."""

    id: str
    name: str
    website: str | None
    scopes: list[str]
    redirect_uris: list[str]
    redirect_uri: str
    vapid_key: str = ""


class CredentialApplication(Application, kw_only=True):
    """An app and its secret, told once."""

    client_id: str
    client_secret: str
    client_secret_expires_at: int = 0


class Token(Struct, kw_only=True):
    """The key to somebody's account."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    scope: str
    created_at: int


class Preferences(Struct, kw_only=True):
    """What one has chosen for posting and reading."""

    visibility: str = field(name="posting:default:visibility")
    sensitive: bool = field(name="posting:default:sensitive")
    language: str | None = field(name="posting:default:language")
    media: str = field(name="reading:expand:media")
    spoilers: bool = field(name="reading:expand:spoilers")


class Rule(Struct, kw_only=True):
    """A rule of this server."""

    id: str
    text: str
    hint: str = ""
    translations: dict[str, dict[str, str]] = field(default_factory=dict)
