"""In which order the activities of a batch are applied: in runs of one kind, as few as keep every
dependency."""

from __future__ import annotations

from collections.abc import Sequence

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
)
from compliance.verdict import Cleared


def waves(cleared: Sequence[tuple[int, Cleared[Activity]]]) -> list[list[tuple[int, Cleared[Activity]]]]:
    """Splits a batch into runs of one kind, keeping the order of any two that concern the same thing.

    Activities about different things may pass each other, so that a mixed batch makes few runs.
    """
    waves: list[list[tuple[int, Cleared[Activity]]]] = []
    written: dict[str, int] = {}
    read: dict[str, int] = {}
    last_of_kind: dict[object, int] = {}
    for entry in cleared:
        activity = entry[1].activity
        changes, needs = _things(activity)
        kind = _kind(activity)
        before = [written.get(t, -1) for t in (*changes, *needs)] + [read.get(t, -1) for t in changes]
        earliest = max(before, default=-1) + 1
        at = last_of_kind.get(kind, -1)
        if at < earliest:
            at = len(waves)
            waves.append([])
            last_of_kind[kind] = at
        waves[at].append(entry)
        written.update(dict.fromkeys(changes, at))
        read.update({t: max(read.get(t, -1), at) for t in needs})
    return waves


def _kind(activity: Activity) -> object:
    match activity:
        case Undo(kind=kind):
            return (Undo, kind)
        case Delete(actor=actor, target=target):
            return (Delete, target == actor.uri)
        case _:
            return type(activity)


def _things(activity: Activity) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What an activity changes, and what it needs to be as it was left: its place in the order of a batch."""
    match activity:
        case Create(note=note) | Update(note=note):
            return (note.uri,), (note.in_reply_to,) if note.in_reply_to else ()
        case UpdateProfile(actor=actor):
            return (actor.uri,), ()
        case Upload(id=uri) | Flag(id=uri):
            return (uri,), ()
        case Accept(actor=actor, follower=other) | Reject(actor=actor, follower=other):
            return _between(actor.uri, other), ()
        case Follow(actor=actor, target=other) | Block(actor=actor, target=other):
            return _between(actor.uri, other), ()
        case Like(actor=actor, target=target) | Announce(actor=actor, target=target):
            return (f"{actor.uri} {target}",), (target,)
        case Undo(actor=actor, target=target, kind=kind):
            if kind in (Undoable.FOLLOW, Undoable.BLOCK):
                return _between(actor.uri, target), ()
            return (f"{actor.uri} {target}",), (target,)
        case Delete(target=target):
            return (target,), ()
        case ApproveReply(target=target) | HideReply(target=target) | RemoveReply(target=target):
            return (target,), ()
        case AskReply(note=note):
            return (), (note.uri,)


def _between(one: str, other: str) -> tuple[str, ...]:
    return (" ".join(sorted((one, other))),)
