"""An activity as the document that leaves. `actor` is always an id, never an object: Threads refuses
anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from compliance.activity import (
    Accept,
    Activity,
    Announce,
    ApproveReply,
    AskReply,
    Block,
    Create,
    Delete,
    Flag,
    Follow,
    HideReply,
    Like,
    Reject,
    RemoveReply,
    Undo,
    Undoable,
    Update,
    UpdateProfile,
    Upload,
    Uri,
)
from federation import addressing
from federation.errors import LocalFault
from federation.wire import AS2, Document

from .notes import CONTROLLED, GTS, Media, TagPage, bare_note, context_of, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the server knows and the activity does not say."""

    followers: Uri
    """The actor's own followers collection."""
    tag_page: TagPage
    media: Media | None = None
    author: Uri | None = None
    """Who wrote the post that is boosted, liked, or no longer so: the activity is addressed to them."""
    profile: Document | None = None
    """The actor's new document, for an `UpdateProfile`."""
    reporter: Uri | None = None
    """Who speaks a `Flag`: the instance actor, so that the one who complained stays unknown."""


_UNDONE = {
    Undoable.FOLLOW: "Follow",
    Undoable.LIKE: "Like",
    Undoable.ANNOUNCE: "Announce",
    Undoable.BLOCK: "Block",
}


def activity(activity: Activity, facts: Facts) -> Document:
    """The document of `activity`."""
    match activity:
        case Create() | Update():
            return _post(activity, facts)
        case UpdateProfile():
            return _profile(activity, facts)
        case Delete():
            whole = activity.target == activity.actor.uri
            gone = activity.target if whole else {"id": activity.target, "type": "Tombstone"}
            return _document(activity, "Delete", object=gone, to=[addressing.PUBLIC])
        case Announce():
            return _announce(activity, facts)
        case Like():
            return _document(activity, "Like", object=activity.target, to=_some(facts.author))
        case Follow():
            return _document(activity, "Follow", object=activity.target, to=[activity.target])
        case Accept() | Reject():
            kind = "Accept" if isinstance(activity, Accept) else "Reject"
            return _document(activity, kind, object=_followed(activity), to=[activity.follower])
        case Undo():
            return _undo(activity, facts)
        case Block():
            return _document(activity, "Block", object=activity.target, to=[activity.target])
        case Flag():
            return _flag(activity, facts)
        case AskReply():
            note = bare_note(activity.note, followers=facts.followers, tag_page=facts.tag_page)
            document = _document(
                activity, "ReplyRequest", object=activity.post, instrument=note, to=[activity.owner]
            )
            return document | {"@context": CONTROLLED}
        case ApproveReply() | HideReply():
            return _on_reply(activity)
        case RemoveReply(target=target, author=author, post=post):
            # Its author stands in it, so that nobody takes it for the word of whoever wrote it.
            removed: Document = {"id": target, "type": "Tombstone", "attributedTo": author}
            return _document(
                activity,
                "Delete",
                object={name: value for name, value in removed.items() if value is not None},
                target=post,
                summary=activity.statement or None,
                to=[addressing.PUBLIC],
                cc=_some(author),
            )
        case Upload():
            raise LocalFault("an upload is not federated by itself")
        case _:
            assert_never(activity)


def _document(activity: Activity, kind: str, **members: object) -> Document:
    head = {"@context": AS2, "id": activity.id, "type": kind, "actor": activity.actor.uri}
    return head | {name: value for name, value in members.items() if value not in (None, [])}


def _post(activity: Create | Update, facts: Facts) -> Document:
    note = bare_note(activity.note, followers=facts.followers, tag_page=facts.tag_page, media=facts.media)
    at = activity.note.updated if isinstance(activity, Update) else activity.note.published
    document = _document(
        activity,
        type(activity).__name__,
        published=moment(at or activity.note.published),
        to=note["to"],
        cc=note["cc"],
        object=note,
    )
    return document | {"@context": context_of(activity.note)}


def _profile(activity: UpdateProfile, facts: Facts) -> Document:
    if facts.profile is None:
        raise LocalFault("the new profile must be given to be sent")
    person = dict(facts.profile)
    context = person.pop("@context", AS2)
    document = _document(activity, "Update", to=[addressing.PUBLIC], cc=[facts.followers], object=person)
    return document | {"@context": context}


def _announce(activity: Announce, facts: Facts) -> Document:
    to, cc = addressing.write(activity.visibility, followers=facts.followers, named=_some(facts.author) or [])
    return _document(
        activity, "Announce", object=activity.target, published=moment(activity.published), to=to, cc=cc
    )


def _followed(activity: Accept | Reject) -> Document:
    follow: Document = {"type": "Follow", "actor": activity.follower, "object": activity.actor.uri}
    return {"id": activity.follow, **follow} if activity.follow is not None else follow


def _on_reply(activity: ApproveReply | HideReply) -> Document:
    """The answer to a reply, in the form of GoToSocial: to the question where one was asked, else to the
    reply."""
    asked: Document | Uri = activity.target
    if activity.request is not None:
        asked = {
            "id": activity.request,
            "type": "ReplyRequest",
            "actor": activity.author,
            "object": activity.post,
            "instrument": activity.target,
        }
    is_yes = isinstance(activity, ApproveReply)
    document = _document(
        activity,
        "Accept" if is_yes else "Reject",
        object=asked,
        target=activity.post,
        result=activity.stamp if isinstance(activity, ApproveReply) else None,
        summary=(activity.statement or None) if isinstance(activity, HideReply) else None,
        to=[activity.author],
    )
    return document | {"@context": [AS2, GTS]}


def _undo(activity: Undo, facts: Facts) -> Document:
    act: Document = {
        "type": _UNDONE[activity.kind],
        "actor": activity.actor.uri,
        "object": activity.target,
    }
    if activity.act is not None:
        act = {"id": activity.act, **act}
    to: list[str]
    cc: list[str]
    match activity.kind:
        case Undoable.ANNOUNCE:
            to, cc = [addressing.PUBLIC], [facts.followers, *(_some(facts.author) or [])]
        case Undoable.LIKE:
            to, cc = [*(_some(facts.author) or [])], []
        case _:
            to, cc = [activity.target], []
    return _document(activity, "Undo", object=act, to=to, cc=cc)


def _flag(activity: Flag, facts: Facts) -> Document:
    document = _document(
        activity,
        "Flag",
        object=[activity.target, *activity.posts],
        content=activity.comment,
        to=[activity.target],
    )
    return document | {"actor": facts.reporter or activity.actor.uri}


def _some(uri: Uri | None) -> list[Uri] | None:
    return [uri] if uri is not None else None
