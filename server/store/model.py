"""What read paths hand to the API, the pages and the federation: whole, viewer-free values, safe to keep in
a cache.

What depends on who looks (favourited, following, muted) comes apart, as `PostFlags` and `Relationship`.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from compliance.activity import AccountId, MediaId, PostId, Uri, Visibility


class FieldView(Struct, frozen=True):
    """A row of a profile's table; `html` is safe."""

    name: str
    html: str
    text: str
    verified_at: datetime | None = None


class AccountView(Struct, frozen=True, kw_only=True):
    """An account as shown. `host` is `None` for our own; `handle` is `name` here and `name@host` for
    others."""

    id: AccountId
    username: str
    host: str | None
    uri: Uri
    url: str
    actor_type: str
    display_name: str
    html: str
    source: str | None
    fields: tuple[FieldView, ...]
    avatar: str | None
    """Absolute URL, or `None` where the default picture is shown."""
    header: str | None
    locked: bool
    bot: bool
    discoverable: bool
    indexable: bool
    suspended: bool
    gone: bool
    created_at: datetime
    posts: int
    followers: int
    following: int
    last_post_at: datetime | None

    @property
    def handle(self) -> str:
        return self.username if self.host is None else f"{self.username}@{self.host}"

    @property
    def name(self) -> str:
        """What to call them: the display name, or the user name where there is none."""
        return self.display_name or self.username


class MediaView(Struct, frozen=True, kw_only=True):
    """A picture. `url` and `preview` are absolute; a remote picture's `url` is on its own server."""

    id: MediaId
    kind: str
    mime: str
    url: str
    preview: str
    remote_url: str | None
    width: int | None
    height: int | None
    preview_width: int | None
    preview_height: int | None
    description: str
    focus: tuple[float, float] | None
    blurhash: str | None


class MentionView(Struct, frozen=True):
    """Somebody named in a post."""

    id: AccountId
    username: str
    host: str | None
    url: str
    uri: Uri

    @property
    def handle(self) -> str:
        return self.username if self.host is None else f"{self.username}@{self.host}"


class PostView(Struct, frozen=True, kw_only=True):
    """A post, or a boost (`boost_of` is then the post, and the words are empty)."""

    id: PostId
    uri: Uri
    url: str
    local: bool
    account: AccountView
    boost_of: PostView | None
    in_reply_to_id: PostId | None
    in_reply_to_account_id: AccountId | None
    in_reply_to_uri: Uri | None
    thread_id: PostId
    visibility: Visibility
    html: str
    text: str
    source: str | None
    spoiler: str
    sensitive: bool
    language: str | None
    media: tuple[MediaView, ...]
    mentions: tuple[MentionView, ...]
    tags: tuple[str, ...]
    """As written by the author; links go to `/tags/<name>`."""
    labels: tuple[str, ...]
    app: tuple[str, str | None] | None
    """Name and website of the app it was posted with."""
    created_at: datetime
    edited_at: datetime | None
    replies: int
    boosts: int
    likes: int
    version: int
    """Rises with each edit; 0 for an unedited post."""


class PostFlags(Struct, frozen=True):
    """What one viewer did with one post."""

    liked: bool = False
    boosted: bool = False
    bookmarked: bool = False
    muted: bool = False
    """The viewer mutes the author (the post is then left out of timelines, and marked where it is asked for
    by id)."""


class Relationship(Struct, frozen=True, kw_only=True):
    """How one viewer and one account stand to each other."""

    id: AccountId
    following: bool = False
    requested: bool = False
    followed_by: bool = False
    requested_by: bool = False
    boosts: bool = False
    notify: bool = False
    blocking: bool = False
    blocked_by: bool = False
    muting: bool = False
    muting_notifications: bool = False
    mute_expires_at: datetime | None = None


class NotificationView(Struct, frozen=True, kw_only=True):
    """Something that a person is told. `decision_id` for `decision`, else `account` and mostly `post`."""

    id: int
    kind: str
    account: AccountView | None
    post: PostView | None
    decision_id: int | None
    created_at: datetime


class Page(Struct, frozen=True, kw_only=True):
    """A keyset window: newest first, `max_id` and `since_id` exclusive; with `min_id`, the oldest above
    it."""

    limit: int = 20
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
