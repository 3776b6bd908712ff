"""An activity's document to the words of `compliance.activity`, said by an actor whose signature was checked.

Three things can come of it: an activity; `NeedsObject`, when a part must first be brought and put in its
place; `Ignored`, for what this server has no use for. What nobody had the right to say raises `NotTrusted`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from compliance.activity import (
    Accept,
    Activity,
    Actor,
    Announce,
    ApproveReply,
    Block,
    Create,
    Delete,
    Flag,
    Follow,
    HideReply,
    Like,
    Note,
    Reject,
    RemoveReply,
    Undo,
    Undoable,
    Update,
    UpdateProfile,
    Uri,
)
from federation import addressing, origin, quirks
from federation.errors import Malformed, NotTrusted
from federation.wire import Document, Value

from . import actors, notes, values

MAX_COMMENT = 10_000
MAX_STATEMENT = 2_000


class Wanted(enum.StrEnum):
    """How to come by what `NeedsObject` asks for."""

    OBJECT = "object"
    """Fetch it, put it in place of the activity's `object`, parse again."""
    ACT = "act"
    """An earlier activity, known here by its id: put `{id, type, actor, object}` in place of `object`, parse
    again.
    """
    INSTRUMENT = "instrument"
    """Fetch it, put it in place of the activity's `instrument`, parse again."""
    ACTIVITY = "activity"
    """Another actor's activity that this one passes on: fetch it and parse that, by its own actor."""


@dataclass(frozen=True, slots=True)
class NeedsObject:
    """The activity names something by its id only."""

    uri: Uri
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Ignored:
    """Well-formed, and nothing to us."""

    reason: str


Parsed: TypeAlias = Activity | NeedsObject | Ignored


@dataclass(frozen=True, slots=True)
class _Said:
    """One activity while it is read."""

    id: Uri
    actor: Actor
    document: Document
    now: datetime
    followers: Uri | None

    @property
    def object(self) -> Value:
        items = values.each(self.document.get("object"))
        return items[0] if items else None


def activity(document: Document, actor: Actor, *, now: datetime, followers: Uri | None = None) -> Parsed:
    """What `document`, signed for by `actor`, says; `followers` is the actor's collection where it is
    known.
    """
    id_ = values.require_id(document.get("id"), "activity")
    if values.find_id(document.get("actor")) != actor.uri:
        raise NotTrusted("activity is not by the actor who signed it")
    origin.require_speaks_for(actor.uri, id_)
    said = _Said(id_, actor, document, now, followers)
    kinds = quirks.pleroma_emoji_reaction(values.types(document))
    for kind in kinds:
        if kind in _READERS:
            return _READERS[kind](said)
    return Ignored(f"activity of type {', '.join(kinds)[:100] or 'nothing'}")


def _create(said: _Said) -> Parsed:
    document = said.object
    if not isinstance(document, dict):
        return _fetch_own(said)
    if notes.KINDS.isdisjoint(values.types(document)):
        return Ignored("Create of something that is not a post")
    if quirks.mastodon_poll_vote(document):
        return Ignored("vote in a poll")
    return Create(id=said.id, actor=said.actor, note=_own_note(said, document))


def _update(said: _Said) -> Parsed:
    document = said.object
    if not isinstance(document, dict):
        return _fetch_own(said)
    kinds = values.types(document)
    if not actors.KINDS.isdisjoint(kinds):
        if values.find_id(document.get("id")) != said.actor.uri:
            raise NotTrusted("an actor may only update itself")
        return UpdateProfile(id=said.id, actor=said.actor, profile=actors.profile(document))
    if notes.KINDS.isdisjoint(kinds):
        return Ignored("Update of something that is neither a post nor an actor")
    note = _own_note(said, document)
    if note.updated is None:
        # New counts of a poll, or of anything, are not an edit.
        return Ignored("Update without a time of edit")
    return Update(id=said.id, actor=said.actor, note=note)


def _delete(said: _Said) -> Parsed:
    target = values.require_id(said.object, "object of Delete")
    if isinstance(said.object, dict):
        author = values.find_id(said.object.get("attributedTo"))
        post = values.find_id(said.document.get("target"))
        if author is not None and post is not None and author != said.actor.uri:
            # Whether it stands where the actor answers for it, what is stored here says.
            return RemoveReply(
                id=said.id,
                actor=said.actor,
                target=target,
                post=post,
                author=author,
                statement=values.text(said.document.get("summary"), MAX_STATEMENT).strip(),
            )
    origin.require_speaks_for(said.actor.uri, target)
    return Delete(id=said.id, actor=said.actor, target=target)


def _announce(said: _Said) -> Parsed:
    passed_on = origin.find_uri(quirks.lemmy_announced_activity(said.object))
    if passed_on is not None:
        return NeedsObject(passed_on, Wanted.ACTIVITY)
    document = said.document
    to, cc = document.get("to"), document.get("cc")
    audience = addressing.read(
        values.addressees(to),
        values.addressees(cc),
        named=[*values.ids(to), *values.ids(cc)],
        author=said.actor.uri,
        followers=said.followers,
    )
    published = values.moment(document.get("published"))
    return Announce(
        id=said.id,
        actor=said.actor,
        target=values.require_id(said.object, "object of Announce"),
        visibility=audience.visibility,
        published=min(published, said.now) if published else said.now,
    )


def _like(said: _Said) -> Parsed:
    return Like(id=said.id, actor=said.actor, target=values.require_id(said.object, "object of Like"))


def _follow(said: _Said) -> Parsed:
    return Follow(id=said.id, actor=said.actor, target=values.require_id(said.object, "object of Follow"))


def _block(said: _Said) -> Parsed:
    return Block(id=said.id, actor=said.actor, target=values.require_id(said.object, "object of Block"))


def _accept(said: _Said) -> Parsed:
    reply = _answered_reply(said)
    if reply is not None:
        target, post, author = reply
        stamp = values.find_id(said.document.get("result"))
        if stamp is not None:
            origin.require_speaks_for(said.actor.uri, stamp)
        return ApproveReply(
            id=said.id, actor=said.actor, target=target, post=post, author=author, stamp=stamp
        )
    answered = _answered_follow(said)
    if isinstance(answered, NeedsObject | Ignored):
        return answered
    follower, follow = answered
    return Accept(id=said.id, actor=said.actor, follower=follower, follow=follow)


def _reject(said: _Said) -> Parsed:
    reply = _answered_reply(said)
    if reply is not None:
        target, post, author = reply
        words = values.text(said.document.get("summary"), MAX_STATEMENT).strip()
        return HideReply(
            id=said.id, actor=said.actor, target=target, post=post, author=author, statement=words
        )
    answered = _answered_follow(said)
    if isinstance(answered, NeedsObject | Ignored):
        return answered
    follower, follow = answered
    return Reject(id=said.id, actor=said.actor, follower=follower, follow=follow)


def _reply_request(said: _Said) -> Parsed:
    """A reply whose server asks first: the reply itself, and by which request."""
    post = values.require_id(said.object, "object of ReplyRequest")
    instrument = next(iter(values.each(said.document.get("instrument"))), None)
    if not isinstance(instrument, dict):
        uri = values.require_id(instrument, "instrument of ReplyRequest")
        origin.require_speaks_for(said.actor.uri, uri)
        return NeedsObject(uri, Wanted.INSTRUMENT)
    if notes.KINDS.isdisjoint(values.types(instrument)):
        return Ignored("ReplyRequest for something that is not a post")
    note = _own_note(said, instrument)
    if note.in_reply_to != post:
        raise NotTrusted("ReplyRequest for a post that answers another one")
    return Create(id=said.id, actor=said.actor, note=note, asked=said.id)


def _answered_reply(said: _Said) -> tuple[Uri, Uri, Uri] | None:
    """The reply that is answered, what it answers and who wrote it; `None` where something else is."""
    about = said.object
    if not isinstance(about, dict):
        return None
    kinds = values.types(about)
    if "ReplyRequest" in kinds:
        reply = values.require_id(about.get("instrument"), "instrument of ReplyRequest")
        post = values.require_id(about.get("object"), "object of ReplyRequest")
        return reply, post, values.require_id(about.get("actor"), "actor of ReplyRequest")
    if "Note" in kinds:
        post = values.require_id(about.get("inReplyTo") or said.document.get("target"), "what is answered")
        author = values.require_id(about.get("attributedTo") or about.get("actor"), "author of the reply")
        return values.require_id(about, "reply"), post, author
    return None


def _answered_follow(said: _Said) -> tuple[Uri, Uri | None] | NeedsObject | Ignored:
    follow = said.object
    if not isinstance(follow, dict) or "actor" not in follow:
        return NeedsObject(values.require_id(follow, "object of the answer"), Wanted.ACT)
    if "Follow" not in values.types(follow):
        return Ignored("answer to something that is not a Follow")
    followed = values.find_id(follow.get("object"))
    if followed is not None and followed != said.actor.uri:
        raise NotTrusted("only the followed may answer a Follow")
    return values.require_id(follow.get("actor"), "actor of Follow"), values.find_id(follow.get("id"))


_UNDOABLE: Final = {
    "Follow": Undoable.FOLLOW,
    "Like": Undoable.LIKE,
    "Announce": Undoable.ANNOUNCE,
    "Block": Undoable.BLOCK,
}


def _undo(said: _Said) -> Parsed:
    act = said.object
    id_ = values.find_id(act)
    if id_ is not None:
        origin.require_speaks_for(said.actor.uri, id_)
    kinds = quirks.pleroma_emoji_reaction(values.types(act)) if isinstance(act, dict) else []
    target = values.find_id(act.get("object")) if isinstance(act, dict) else None
    if target is None or not kinds:
        if id_ is None:
            raise Malformed("Undo names nothing")
        return NeedsObject(id_, Wanted.ACT)
    if values.find_id(act.get("actor")) not in (None, said.actor.uri):
        raise NotTrusted("only one's own acts can be undone")
    kind = next((_UNDOABLE[kind] for kind in kinds if kind in _UNDOABLE), None)
    if kind is None:
        return Ignored("Undo of something that was never done here")
    return Undo(id=said.id, actor=said.actor, kind=kind, target=target, act=id_)


def _flag(said: _Said) -> Parsed:
    named = values.ids(said.document.get("object"))
    if not named:
        raise Malformed("Flag names nobody")
    comment = values.text(said.document.get("content"), MAX_COMMENT).strip()
    target, *posts = named
    posts += quirks.misskey_flagged_posts(comment, target) if not posts else []
    return Flag(
        id=said.id, actor=said.actor, target=target, posts=tuple(dict.fromkeys(posts)), comment=comment
    )


def _fetch_own(said: _Said) -> NeedsObject:
    uri = values.require_id(said.object, "object")
    origin.require_speaks_for(said.actor.uri, uri)
    return NeedsObject(uri, Wanted.OBJECT)


def _own_note(said: _Said, document: Document) -> Note:
    note = notes.note(
        document, now=said.now, speaker=said.actor.uri, followers=said.followers, carrier=said.document
    )
    # Same server is not enough: neighbours do not write each other's posts.
    if note.author != said.actor.uri:
        raise NotTrusted("post is by somebody else")
    return note


_READERS: Final[dict[str, Callable[[_Said], Parsed]]] = {
    "Create": _create,
    "Update": _update,
    "Delete": _delete,
    "ReplyRequest": _reply_request,
    "Announce": _announce,
    "Like": _like,
    "Follow": _follow,
    "Accept": _accept,
    "Reject": _reject,
    "Undo": _undo,
    "Block": _block,
    "Flag": _flag,
}
