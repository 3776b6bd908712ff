"""A `Note` as the document that Mastodon, Fedify and the others expect: lists always lists, ids always
strings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from compliance.activity import Attachment, MediaId, Mention, Note, Uri
from federation import addressing
from federation.wire import AS2, Document, Value

TagPage = Callable[[str], str]
"""The address of our page for a hashtag."""
Media = Mapping[MediaId, str]
"""The addresses of pictures uploaded here, where the attachment itself does not hold them."""

CONTEXT = [
    AS2,
    {
        "sensitive": "as:sensitive",
        "Hashtag": "as:Hashtag",
        "toot": "http://joinmastodon.org/ns#",
        "blurhash": "toot:blurhash",
        "focalPoint": {"@id": "toot:focalPoint", "@container": "@list"},
    },
]

GTS = "https://gotosocial.org/ns"
"""The words for who may answer a post; GoToSocial's, which others have taken up."""
CONTROLLED = [AS2, GTS, *CONTEXT[1:]]


def context_of(note: Note) -> Value:
    """The context of a document with the post in it."""
    return CONTEXT if note.can_reply is None and note.reply_authorization is None else CONTROLLED


def note(
    note: Note,
    *,
    followers: Uri,
    tag_page: TagPage,
    media: Media | None = None,
    replies: str | None = None,
) -> Document:
    """The post as a document of its own."""
    return {
        "@context": context_of(note),
        **bare_note(note, followers=followers, tag_page=tag_page, media=media, replies=replies),
    }


def bare_note(
    note: Note,
    *,
    followers: Uri,
    tag_page: TagPage,
    media: Media | None = None,
    replies: str | None = None,
) -> Document:
    """The post without `@context`, to be put into an activity or a collection."""
    named = [*(mention.uri for mention in note.mentions), *note.addressed]
    to, cc = addressing.write(note.visibility, followers=followers, named=named)
    document: Document = {
        "id": note.uri,
        "type": "Note",
        "attributedTo": note.author,
        "url": note.url,
        "published": moment(note.published),
        "to": to,
        "cc": cc,
        "sensitive": note.sensitive,
        "summary": note.spoiler or None,
        "content": note.html,
        "attachment": [attachment(item, media) for item in note.attachments],
        "tag": [*map(_mention, note.mentions), *(_hashtag(name, tag_page) for name in note.tags)],
    }
    if note.in_reply_to is not None:
        document["inReplyTo"] = note.in_reply_to
    if note.updated is not None:
        document["updated"] = moment(note.updated)
    if note.language is not None:
        document["contentMap"] = {note.language: note.html}
    if replies is not None:
        document["replies"] = replies
    if note.can_reply is not None:
        allowed = {
            "automaticApproval": [*note.can_reply.automatic],
            "manualApproval": [*note.can_reply.manual],
        }
        document["interactionPolicy"] = {"canReply": allowed}
    if note.reply_authorization is not None:
        document["replyAuthorization"] = note.reply_authorization
    return document


def attachment(item: Attachment, media: Media | None = None, *, kind: str = "Document") -> Document:
    """A picture as a document."""
    url = item.url
    if item.media_id is not None and media is not None:
        url = media.get(item.media_id, url)
    document: Document = {"type": kind, "mediaType": item.mime, "url": url, "name": item.alt or None}
    extras: dict[str, Value] = {
        "width": item.width,
        "height": item.height,
        "blurhash": item.blurhash,
        "focalPoint": list(item.focus) if item.focus else None,
    }
    return document | {name: value for name, value in extras.items() if value is not None}


def moment(at: datetime) -> str:
    """A time as others read it: UTC with `Z`, fractions only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _mention(mention: Mention) -> Document:
    return {"type": "Mention", "href": mention.uri, "name": f"@{mention.handle}"}


def _hashtag(name: str, tag_page: TagPage) -> Document:
    return {"type": "Hashtag", "href": tag_page(name), "name": f"#{name}"}
