"""Bytes to a document that the parsers may read by its plain names, and back.

Most documents use the usual contexts in the usual way and are read as they stand. The rest go through JSON-LD
with bundled contexts only; nothing here ever fetches one. A document that gives a core word another meaning
is refused.
"""

from .compact import compact
from .contexts import AS2, is_plain
from .media import ACCEPT, ACTIVITY, is_activity
from .strict import MAX_BYTES, Document, Value, parse, write

__all__ = [
    "ACCEPT",
    "ACTIVITY",
    "AS2",
    "MAX_BYTES",
    "Document",
    "Value",
    "compact",
    "is_activity",
    "is_plain",
    "parse",
    "read",
    "write",
]


def read(body: bytes) -> Document:
    """The document in `body`, in plain names. Some milliseconds of work when it is not plain: see
    `is_plain`.
    """
    document = parse(body)
    return document if is_plain(document) else compact(document)
