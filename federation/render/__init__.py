"""Values to documents. What only the server knows (collections, addresses of pictures) comes by argument."""

from .activities import Facts, activity
from .actors import actor
from .certifications import certification
from .collections import collection, page, reply_authorization, tombstone
from .notes import note

__all__ = [
    "Facts",
    "activity",
    "actor",
    "certification",
    "collection",
    "note",
    "page",
    "reply_authorization",
    "tombstone",
]
