"""What read paths hand to the API, the pages and the federation: whole, viewer-free values, safe to keep in
a cache.

What depends on who looks (favourited, following, muted) comes apart, as `PostFlags` and `Relationship`.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct, structs

from compliance.activity import AccountId, MediaId, PostId, Uri, Visibility
from compliance.classes import CertClass
from server.ids import MAX_ID

Id = TypeVar("Id", bound=int)


class FieldView(Struct, frozen=True):
    """A row of a profile's table; `html` is safe."""

    name: str
    html: str
    text: str
    verified_at: datetime | None = None


class Mark(Struct, frozen=True, kw_only=True):
    """What was certified of an account; `host` is the server that vouches, `None` for this one."""

    class_: CertClass
    label: str
    certified_at: datetime
    expires_at: datetime
    host: str | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it is to be shown: one that ran out is not, even before anybody takes it away."""
        return self.certified_at <= now < self.expires_at


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
    mark: Mark | None = None
    """Kept with the account, so it may have run out since: show `mark_at`."""

    def mark_at(self, now: datetime) -> Mark | None:
        """The mark to be shown at this moment."""
        return self.mark if self.mark is not None and self.mark.holds(now) else None

    @property
    def handle(self) -> str:
        return self.username if self.host is None else f"{self.username}@{self.host}"

    @property
    def name(self) -> str:
        """What to call them: the display name, or the user name where there is none."""
        return self.display_name or self.username

    def veiled(self) -> AccountView:
        """The same account with nothing of its own words and pictures: what others see of a suspended or
        deleted one.
        """
        return structs.replace(
            self,
            display_name="",
            html="",
            source=None,
            fields=(),
            avatar=None,
            header=None,
            discoverable=False,
            mark=None,
        )


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
    waits: bool = False
    """A comment that its author and those who answer for the post above it see alone."""
    hidden: bool = False
    """A comment that does not stand under what it answers."""


class PostFlags(Struct, frozen=True):
    """What one viewer did with one post."""

    liked: bool = False
    boosted: bool = False
    bookmarked: bool = False
    muted: bool = False
    """The viewer mutes the author (the post is then left out of timelines, and marked where it is asked for
    by id)."""


class Line(Struct, frozen=True):
    """A post that the viewer may see, not yet dressed. The stamps tell whether a kept view is still right."""

    id: PostId
    boost_of_id: PostId | None
    edited_at: datetime | None
    boost_edited_at: datetime | None
    flags: PostFlags


class Entry(NamedTuple):
    """A post on somebody's page. The flags are about the words shown: for a boost, about the boosted post."""

    view: PostView
    flags: PostFlags


class Version(Struct, frozen=True, kw_only=True):
    """How a post read at some time."""

    html: str
    text: str
    spoiler: str
    sensitive: bool
    media: tuple[MediaView, ...]
    created_at: datetime


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


class NoticeView(Struct, frozen=True):
    """What the house itself tells: the code of a text, its values, and the page that it is about."""

    code: str
    values: dict[str, str | int]
    link: str | None


class NotificationView(Struct, frozen=True, kw_only=True):
    """Something that a person is told. `decision_id` for `decision`, `notice` for `notice`, else
    `account` and mostly `post`."""

    id: int
    kind: str
    account: AccountView | None
    post: PostView | None
    flags: PostFlags
    """What the person told did with the post."""
    decision_id: int | None
    notice: NoticeView | None = None
    created_at: datetime


class Page(Struct, frozen=True, kw_only=True):
    """A keyset window: newest first, `max_id` and `since_id` exclusive; with `min_id`, the oldest above
    it.
    """

    limit: int = 20
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None

    @property
    def below(self) -> int:
        """Keys are smaller than this. Always a number: a condition that may be absent would cost the index
        its use.
        """
        return MAX_ID if self.max_id is None else min(self.max_id, MAX_ID)

    @property
    def above(self) -> int:
        """Keys are greater than this."""
        return max(self.since_id or 0, self.min_id or 0)

    @property
    def rises(self) -> bool:
        """Whether the window starts at its lower end."""
        return self.min_id is not None

    def rows(self, cap: int) -> int:
        """How many rows, at least one and at most `cap`."""
        return max(1, min(self.limit, cap))


class Keyed(NamedTuple, Generic[Id]):
    """An id on a list that is not ordered by it; `key` is the place on the list, and the cursor."""

    key: int
    id: Id


class Role(enum.StrEnum):
    """What somebody may do besides being a member; the values are what the database stores."""

    REVIEWER = "reviewer"
    COMPLIANCE = "compliance"
    EDITOR = "editor"
    AUDITOR = "auditor"
    ADMIN = "admin"


class TagView(Struct, frozen=True, kw_only=True):
    """A hashtag: the name it is found by, and as it was first written here.

    `history` counts public posts with it and their authors, for each of the last days, newest first.
    """

    name: str
    shown: str
    history: tuple[tuple[datetime, int, int], ...] = ()
