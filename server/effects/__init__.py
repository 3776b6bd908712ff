"""What a cleared activity does here: one module for each kind of thing, and the table of which does what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never, cast

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

from ..db.pool import Connection
from . import answering, boosts, complaints, likes, posts, profiles, relations, replies, uploads
from .ground import Applied, Ground


async def apply(conn: Connection, run: Sequence[Cleared[Activity]], ground: Ground) -> Applied:
    """Applies cleared activities that are all of one kind."""
    first = run[0].activity
    match first:
        case Create():
            return await posts.insert(conn, cast("Sequence[Cleared[Create]]", run), ground)
        case Update():
            return await posts.update(conn, cast("Sequence[Cleared[Update]]", run), ground)
        case UpdateProfile():
            return await profiles.update(conn, cast("Sequence[Cleared[UpdateProfile]]", run), ground)
        case Upload():
            return await uploads.insert(conn, cast("Sequence[Cleared[Upload]]", run), ground)
        case Delete(actor=actor, target=target) if target == actor.uri:
            return await profiles.close(conn, cast("Sequence[Cleared[Delete]]", run), ground)
        case Delete():
            return await posts.withdraw(conn, cast("Sequence[Cleared[Delete]]", run), ground)
        case Announce():
            return await boosts.insert(conn, cast("Sequence[Cleared[Announce]]", run), ground)
        case Like():
            return await likes.insert(conn, cast("Sequence[Cleared[Like]]", run), ground)
        case Follow():
            return await relations.follow(conn, cast("Sequence[Cleared[Follow]]", run), ground)
        case Accept():
            return await relations.accept(conn, cast("Sequence[Cleared[Accept]]", run), ground)
        case Reject():
            return await relations.reject(conn, cast("Sequence[Cleared[Reject]]", run), ground)
        case Block():
            return await relations.block(conn, cast("Sequence[Cleared[Block]]", run), ground)
        case Flag():
            return await complaints.insert(conn, cast("Sequence[Cleared[Flag]]", run), ground)
        case AskReply():
            return answering.ask(cast("Sequence[Cleared[AskReply]]", run))
        case ApproveReply():
            return await replies.approve(conn, cast("Sequence[Cleared[ApproveReply]]", run), ground)
        case HideReply():
            return await replies.hide(conn, cast("Sequence[Cleared[HideReply]]", run), ground)
        case RemoveReply():
            return await replies.remove(conn, cast("Sequence[Cleared[RemoveReply]]", run), ground)
        case Undo(kind=kind):
            undos = cast("Sequence[Cleared[Undo]]", run)
            match kind:
                case Undoable.FOLLOW:
                    return await relations.undo_follow(conn, undos, ground)
                case Undoable.LIKE:
                    return await likes.undo(conn, undos, ground)
                case Undoable.ANNOUNCE:
                    return await boosts.undo(conn, undos, ground)
                case Undoable.BLOCK:
                    return await relations.undo_block(conn, undos, ground)
                case _:
                    assert_never(kind)
        case _:
            assert_never(first)
