"""Values to documents. What only the server knows (collections, addresses of pictures) comes by argument."""

from .activities import Facts, activity
from .actors import actor
from .collections import collection, page, tombstone
from .notes import note

__all__ = ["Facts", "activity", "actor", "collection", "note", "page", "tombstone"]
