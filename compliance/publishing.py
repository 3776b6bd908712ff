"""What counts as publishing (Article 7): the one table, which `docs/IDENTITY.md` repeats for people.

An activity counts when others get words, pictures or an account's own voice to see by it, however many
others: a message to one person is published as well. What only takes back, ties people together, shuts out or
complains does not count: nobody needs a name for that.
"""

from __future__ import annotations

from typing import assert_never

from .activity import (
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
    Update,
    UpdateProfile,
    Upload,
)


def publishes(activity: Activity) -> bool:
    """Whether only somebody whose identity is known may do this."""
    match activity:
        case Create() | Update():  # posts, replies, direct messages, polls, and each of them changed
            return True
        case Announce():  # boosts: others get to see it through this account
            return True
        case UpdateProfile():  # names, texts, tables and pictures of a profile
            return True
        case Upload():  # pictures, which have an address as soon as they are here
            return True
        case Delete() | Undo() | Reject() | Block() | Flag() | Like() | Follow() | Accept():
            return False
        # Those who answer for a post look after what is said under it; the reply itself was judged as a post.
        case AskReply() | ApproveReply() | HideReply() | RemoveReply():
            return False
        case _:
            assert_never(activity)
