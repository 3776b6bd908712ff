"""What an activity puts before the gate: its words, its addresses, and a digest by which the same thing is
known again.

A new kind of activity does not type-check here until it is said what of it is judged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

import msgspec

from .activity import (
    Accept,
    Activity,
    Announce,
    ApproveReply,
    AskReply,
    Attachment,
    Block,
    Create,
    Delete,
    Flag,
    Follow,
    HideReply,
    Like,
    Note,
    Profile,
    Reject,
    RemoveReply,
    Undo,
    Update,
    UpdateProfile,
    Upload,
    Uri,
    Visibility,
)
from .hosts import host_of
from .ruleset import Scope

LINKS = "links"
"""The field that holds addresses hidden behind words; only domain rules look at it."""

_MAX_URI_BYTES = 2_048
_HREF = re.compile(r'\shref="([^"]+)"')
_packed = msgspec.msgpack.Encoder().encode


class Unreadable(Exception):
    """An activity that cannot be judged, because what it holds cannot be stored."""


@dataclass(frozen=True, slots=True)
class Words:
    """One text of an activity: which field it is, and what kind of text for the rules."""

    field: str
    place: Scope
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An activity as the checks see it."""

    activity: Activity
    kind: str
    object_uri: Uri | None
    words: tuple[Words, ...]
    hosts: tuple[str, ...]
    """Every server it comes from, points at, or has pictures on; our own stand for nothing here."""
    digest: bytes

    @property
    def shown(self) -> str:
        """All its words, for a reviewer's list."""
        return "\n".join(words.text for words in self.words if words.field != LINKS)


def read(activity: Activity) -> Subject:
    """What of `activity` is judged; `Unreadable` when it holds what no database takes."""
    kind = kind_of(activity)
    match activity:
        case Create(note=note) | Update(note=note):
            place = Scope.DIRECT if note.visibility is Visibility.DIRECT else Scope.POST
            # An edit is the same edit only of the same post; a post may be written again.
            of = note.uri if isinstance(activity, Update) else None
            return _subject(
                activity,
                kind,
                note.uri,
                tuple(_note_words(note, place)),
                _pictures(note.attachments),
                [of, _of(note)],
            )
        case UpdateProfile(actor=actor, profile=profile):
            pictures = [picture for picture in (profile.avatar, profile.header) if picture]
            told = [profile.html, [field.value for field in profile.fields], [_seen(p) for p in pictures]]
            return _subject(
                activity, kind, actor.uri, tuple(_profile_words(profile)), _pictures(pictures), told
            )
        case Upload(attachment=attachment):
            words = tuple(_alt_words([attachment]))
            return _subject(activity, kind, None, words, _pictures([attachment]), [_seen(attachment)])
        case Announce(target=target, visibility=visibility):
            return _subject(activity, kind, target, (), [host_of(target)], [target, visibility])
        case Follow(target=target):
            return _subject(activity, kind, target, (), [host_of(target)], [target])
        case Like(target=target) | Delete(target=target) | Undo(target=target) | Block(target=target):
            return _subject(activity, kind, target, (), [], [target])
        case Accept(follower=follower) | Reject(follower=follower):
            return _subject(activity, kind, follower, (), [], [follower])
        case Flag(target=target, posts=posts, comment=comment):
            return _subject(activity, kind, target, (), [], [target, *posts, comment])
        case AskReply(note=note, post=post):
            return _subject(activity, kind, note.uri, (), [host_of(post)], [note.uri, post])
        case ApproveReply(target=target, post=post):
            return _subject(activity, kind, target, (), [], [target, post])
        case HideReply(target=target, post=post, statement=words):
            return _subject(activity, kind, target, (), [], [target, post, words])
        case RemoveReply(target=target, post=post, statement=words):
            return _subject(activity, kind, target, (), [], [target, post, words])
        case _:
            assert_never(activity)


_KINDS: dict[type, str] = {
    Create: "create",
    Update: "update",
    UpdateProfile: "update-profile",
    Upload: "upload",
    Delete: "delete",
    Announce: "announce",
    Like: "like",
    Follow: "follow",
    Accept: "accept",
    Reject: "reject",
    Undo: "undo",
    Block: "block",
    Flag: "flag",
    AskReply: "ask-reply",
    ApproveReply: "approve-reply",
    HideReply: "hide-reply",
    RemoveReply: "remove-reply",
}


def kind_of(activity: Activity) -> str:
    """The activity's kind, as decisions, cases and records name it."""
    return _KINDS[type(activity)]


def pack(activity: Activity) -> bytes:
    """The whole activity, as a case keeps it."""
    return _packed(activity)


def unpack(kind: str, payload: bytes) -> Activity:
    """What `pack` was given."""
    shape = next(shape for shape, name in _KINDS.items() if name == kind)
    activity: Activity = msgspec.msgpack.decode(payload, type=shape)
    return activity


def storable(text: str) -> str:
    """`text` without what PostgreSQL refuses: NUL, and halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _subject(  # noqa: PLR0917 - one line for each kind, in the order of the fields
    activity: Activity,
    kind: str,
    object_uri: Uri | None,
    words: tuple[Words, ...],
    hosts: Iterable[str],
    told: Sequence[object],
) -> Subject:
    actor = activity.actor
    texts = [text.text for text in words]
    try:
        digest = hashlib.sha256(_packed([kind, actor.uri, texts, told])).digest()
        for uri in (activity.id, actor.uri, object_uri):
            if uri is not None and len(uri.encode()) > _MAX_URI_BYTES:
                raise Unreadable("an address longer than 2,048 bytes")
    except UnicodeEncodeError:
        raise Unreadable("half of a surrogate pair") from None
    if _has_nul([texts, list(told), activity.id, object_uri]):
        raise Unreadable("a NUL character")
    told_hosts = {actor.host or "", *hosts} - {""}
    return Subject(
        activity=activity,
        kind=kind,
        object_uri=object_uri,
        words=words,
        hosts=tuple(sorted(told_hosts)),
        digest=digest,
    )


def _has_nul(value: object) -> bool:
    return "\0" in value if isinstance(value, str) else isinstance(value, list) and any(map(_has_nul, value))


def _of(note: Note) -> list[object]:
    """What a reviewer of a post sees besides its words; if any of it changes, it is not what the reviewer
    released."""
    return [
        note.html,
        note.in_reply_to,
        note.visibility,
        sorted(mention.uri for mention in note.mentions),
        [_seen(picture) for picture in note.attachments],
    ]


def _seen(picture: Attachment) -> list[object]:
    return [picture.url, picture.media_id]


def _pictures(attachments: Iterable[Attachment]) -> list[str]:
    return [host_of(picture.url) for picture in attachments if picture.media_id is None]


def _note_words(note: Note, place: Scope) -> Iterator[Words]:
    yield Words("text", place, note.text)
    if note.spoiler:
        yield Words("spoiler", place, note.spoiler)
    if note.tags:
        # Tags stand in the text of most posts; a remote post may carry others that only show on the tag's
        # page.
        yield Words("tags", place, " ".join(f"#{tag}" for tag in note.tags))
    yield from _alt_words(note.attachments)
    yield from _link_words(note.html, place)


def _profile_words(profile: Profile) -> Iterator[Words]:
    yield Words("display_name", Scope.PROFILE, profile.display_name)
    yield Words("text", Scope.PROFILE, profile.text)
    for number, field in enumerate(profile.fields):
        yield Words(f"fields.{number}.name", Scope.PROFILE, field.name)
        yield Words(f"fields.{number}.value", Scope.PROFILE, field.text)
    yield from _alt_words(picture for picture in (profile.avatar, profile.header) if picture)
    yield from _link_words("".join((profile.html, *(field.value for field in profile.fields))), Scope.PROFILE)


def _alt_words(attachments: Iterable[Attachment]) -> Iterator[Words]:
    for number, attachment in enumerate(attachments):
        if attachment.alt:
            yield Words(f"alt.{number}", Scope.MEDIA_TEXT, attachment.alt)


def _link_words(html: str, place: Scope) -> Iterator[Words]:
    # What comes here was sanitised: attributes are always in double quotes.
    links = _HREF.findall(html)
    if links:
        yield Words(LINKS, place, "\n".join(dict.fromkeys(links)))
