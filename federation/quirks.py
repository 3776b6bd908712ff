"""Every other server's oddity, one function each. The document that shows it is kept with the tests under the
same name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from compliance.activity import Uri

from . import origin
from .wire import Document, Value

ANNOUNCED_ACTIVITIES = frozenset(
    {"Create", "Update", "Delete", "Like", "Dislike", "Undo", "Add", "Remove", "Block"}
)
_LINK = re.compile(r"https?://[^\s<>\"]{1,2000}")


def gotosocial_alt_text(attachment: Document) -> Value:
    """GoToSocial puts the description into `summary`; everybody else into `name`."""
    return attachment.get("summary") or attachment.get("name")


def lemmy_announced_activity(value: Value) -> Value:
    """A Lemmy group announces whole activities; the id of the one announced, or `None` for an ordinary
    boost.
    """
    kind = value.get("type") if isinstance(value, dict) else None
    return value.get("id") if isinstance(kind, str) and kind in ANNOUNCED_ACTIVITIES else None


def misskey_flagged_posts(content: str, target: Uri) -> list[Uri]:
    """Misskey names only the account in `object`, and writes links to the posts into the text of the
    complaint.
    """
    links = (origin.find_uri(found.group().rstrip(".,)")) for found in _LINK.finditer(content[:20_000]))
    return [link for link in links if link is not None and link != target and origin.is_same(link, target)]


def peertube_author(owners: Sequence[Uri], actor: Uri | None) -> Uri | None:
    """PeerTube attributes a video to the account and to the channel: whoever speaks is the author, else the
    first.
    """
    if actor is not None and actor in owners:
        return actor
    return owners[0] if owners else None


def peertube_page(url: Value) -> Value:
    """PeerTube gives `url` as a list of Links, one for each file; the page is the one of type HTML."""
    links = [item for item in url if isinstance(item, dict)] if isinstance(url, list) else []
    pages = (item.get("href") for item in links if item.get("mediaType") == "text/html")
    return next(pages, next((item.get("href") for item in links), url))


def mastodon_poll_vote(note: Document) -> bool:
    """A vote in a poll is a Note with a `name` and no `content`, in reply to the poll; it is never shown as a
    post.
    """
    return (
        isinstance(note.get("name"), str)
        and not note.get("content")
        and not note.get("contentMap")
        and bool(note.get("inReplyTo"))
    )


def pleroma_emoji_reaction(kinds: Sequence[str]) -> list[str]:
    """Pleroma's EmojiReact is, to a server without reactions, a Like; Misskey already sends one with
    `content`.
    """
    return ["Like" if kind == "EmojiReact" else kind for kind in kinds]
