"""The words: everything that can be said or done in public, as a closed union of values.

Nothing here knows JSON, HTML or HTTP. A new kind of activity is added to `Activity`; the gate does not
type-check until it
says how that kind is judged.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import NewType, TypeAlias

AccountId = NewType("AccountId", int)
PostId = NewType("PostId", int)
MediaId = NewType("MediaId", int)
Uri = NewType("Uri", str)
"""The id of an actor, object or activity: an absolute http(s) URL, normalised, never shown without care."""


class Direction(enum.StrEnum):
    """Which way an activity travels: said here by our own people (OUT), or received from another server
    (IN)."""

    IN = "in"
    OUT = "out"


class Visibility(enum.StrEnum):
    """Who a post is addressed to; the values are what the database stores."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    DIRECT = "direct"

    @property
    def is_open(self) -> bool:
        """Whether anybody at all may read it."""
        return self in (Visibility.PUBLIC, Visibility.UNLISTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. `host` is `None` for our own people; otherwise the normalised host, with its port if not the
    default."""

    id: AccountId
    uri: Uri
    host: str | None

    @property
    def is_local(self) -> bool:
        return self.host is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A person named in a post. `handle` is `user@host` without the leading `@`, the host also for local
    people."""

    uri: Uri
    handle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A picture on a post: uploaded here (`media_id`), or named by another server (`url`)."""

    url: str
    mime: str
    alt: str = ""
    media_id: MediaId | None = None
    width: int | None = None
    height: int | None = None
    focus: tuple[float, float] | None = None
    blurhash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyControl:
    """Who may answer a post at once, and whose answer its author looks at first: actors, their collections,
    or everybody (`ANYBODY`)."""

    automatic: tuple[Uri, ...] = ()
    manual: tuple[Uri, ...] = ()


ANYBODY = Uri("https://www.w3.org/ns/activitystreams#Public")
"""Everybody, as addressing and reply control name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A post as it will be stored: `html` is already safe, `text` is exactly the words that a reader of it
    sees."""

    uri: Uri
    author: Uri
    url: str
    html: str
    text: str
    source: str | None = None
    """What the author typed; only for posts written here."""
    spoiler: str = ""
    sensitive: bool = False
    language: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    in_reply_to: Uri | None = None
    mentions: tuple[Mention, ...] = ()
    addressed: tuple[Uri, ...] = ()
    """Actors in `to` and `cc` besides the mentioned: they may read it, and are not notified."""
    unseen: tuple[Uri, ...] = ()
    """Actors in `bto` and `bcc`: they may read it, and nobody is told that they were addressed."""
    tags: tuple[str, ...] = ()
    """Hashtags as written, without `#`, in order, no two equal after folding."""
    attachments: tuple[Attachment, ...] = ()
    app: int | None = None
    """The app it was written with, by its id here; never federated."""
    can_reply: ReplyControl | None = None
    """Who may answer it, where its author says so; `None` is everybody who can see it."""
    reply_authorization: Uri | None = None
    """Where the author of what it answers says that it may stand there."""
    is_old: bool = False
    """Brought along from elsewhere: others had it when it was new, and hear nothing of it now."""
    published: datetime
    updated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One row of a profile's table. `value` is safe HTML, `text` its words."""

    name: str
    value: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a person shows of themselves; each text field is judged."""

    display_name: str = ""
    html: str = ""
    text: str = ""
    source: str | None = None
    fields: tuple[Field, ...] = ()
    avatar: Attachment | None = None
    header: Attachment | None = None
    locked: bool = False
    bot: bool = False
    discoverable: bool = True
    indexable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """A new post."""

    id: Uri
    actor: Actor
    note: Note
    asked: Uri | None = None
    """The request by which another server asked first whether this reply may stand; its answer names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """New words for a post that exists."""

    id: Uri
    actor: Actor
    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProfile:
    """New words, pictures or switches for the actor's own profile."""

    id: Uri
    actor: Actor
    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A picture brought here, not yet on any post. Never federated by itself.

    `file` and `preview_file` name the stored bytes; sizes are in pixels and bytes.
    """

    id: Uri
    actor: Actor
    attachment: Attachment
    file: str
    preview_file: str
    preview_width: int
    preview_height: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Withdrawal of a post by its author, or of the actor's whole account when `target` is the actor."""

    id: Uri
    actor: Actor
    target: Uri


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """A boost of the post `target`, which is already known here."""

    id: Uri
    actor: Actor
    target: Uri
    visibility: Visibility = Visibility.PUBLIC
    published: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """A favourite."""

    id: Uri
    actor: Actor
    target: Uri


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A wish to read somebody. `notify` and `boosts` are the follower's private choices, not federated."""

    id: Uri
    actor: Actor
    target: Uri
    boosts: bool = True
    notify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """Yes to a Follow by `follower`; `follow` is that Follow's id where the sender told it."""

    id: Uri
    actor: Actor
    follower: Uri
    follow: Uri | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """No to a Follow by `follower`, or the end of one accepted before."""

    id: Uri
    actor: Actor
    follower: Uri
    follow: Uri | None


class Undoable(enum.StrEnum):
    """What an Undo can take back."""

    FOLLOW = "follow"
    LIKE = "like"
    ANNOUNCE = "announce"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Takes back the actor's own earlier act on `target` (a post for likes and boosts, an actor for follows
    and blocks).

    `act` is the earlier activity's id where it is known; a wire Undo that names only an id has `target`
    filled in by the
    server from what it stored.
    """

    id: Uri
    actor: Actor
    kind: Undoable
    target: Uri
    act: Uri | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The actor wants nothing to do with `target`."""

    id: Uri
    actor: Actor
    target: Uri


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A complaint about an account and, where given, posts of it (Article 14)."""

    id: Uri
    actor: Actor
    target: Uri
    posts: tuple[Uri, ...] = ()
    comment: str = ""
    category: str = "other"
    forward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReply:
    """Asks whoever wrote `post` whether the actor's own reply `note` may stand under it. What comes in of
    this kind is a `Create` with `asked`."""

    id: Uri
    actor: Actor
    note: Note
    post: Uri
    owner: Uri


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveReply:
    """The reply `target` by `author` may stand under `post`, says who answers for it (Article 10)."""

    id: Uri
    actor: Actor
    target: Uri
    post: Uri
    author: Uri
    request: Uri | None = None
    """The other server's request, where there was one."""
    stamp: Uri | None = None
    """Where anybody can read that it was approved."""
    by: AccountId | None = None
    """Who acted for the actor; never federated."""
    ordered: bool = False
    """Whether the operators decided it on appeal; it then stays so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HideReply:
    """The reply `target` by `author` does not stand under `post`. It stays its author's, at its own place."""

    id: Uri
    actor: Actor
    target: Uri
    post: Uri
    author: Uri
    request: Uri | None = None
    statement: str = ""
    """Why, in the words that its author reads."""
    by: AccountId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveReply:
    """The reply `target` by `author` is taken away from under `post`, and from wherever it went."""

    id: Uri
    actor: Actor
    target: Uri
    post: Uri
    author: Uri | None = None
    statement: str = ""
    by: AccountId | None = None


Activity: TypeAlias = (
    Create
    | Update
    | UpdateProfile
    | Upload
    | Delete
    | Announce
    | Like
    | Follow
    | Accept
    | Reject
    | Undo
    | Block
    | Flag
    | AskReply
    | ApproveReply
    | HideReply
    | RemoveReply
)
