"""Collections, and what is left of a deleted object."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from federation.wire import AS2, Document, Value

from .notes import GTS, moment


def collection(
    id_: str, *, total: int, first: str | None = None, items: Sequence[Value] | None = None
) -> Document:
    """An ordered collection: with its items, with the address of its first page, or with its size alone."""
    document: Document = {"@context": AS2, "id": id_, "type": "OrderedCollection", "totalItems": total}
    if first is not None:
        document["first"] = first
    if items is not None:
        document["orderedItems"] = list(items)
    return document


def page(
    id_: str, *, part_of: str, items: Sequence[Value], following: str | None = None, before: str | None = None
) -> Document:
    """One page of a collection; `following` is the next page, `before` the one it came from."""
    document: Document = {
        "@context": AS2,
        "id": id_,
        "type": "OrderedCollectionPage",
        "partOf": part_of,
        "orderedItems": list(items),
    }
    if following is not None:
        document["next"] = following
    if before is not None:
        document["prev"] = before
    return document


def reply_authorization(id_: str, *, owner: str, reply: str, post: str) -> Document:
    """Says that a reply may stand under a post, by whoever answers for the post."""
    return {
        "@context": [AS2, GTS],
        "id": id_,
        "type": "ReplyAuthorization",
        "attributedTo": owner,
        "interactingObject": reply,
        "interactionTarget": post,
    }


def tombstone(id_: str, *, deleted: datetime | None = None) -> Document:
    """What stands where a deleted object stood."""
    document: Document = {"@context": AS2, "id": id_, "type": "Tombstone"}
    if deleted is not None:
        document["deleted"] = moment(deleted)
    return document
