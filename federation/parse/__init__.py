"""Documents to values. Nothing here asks anybody anything, and whatever comes in, only a `RemoteFault` comes
out.
"""

from .activities import Ignored, NeedsObject, Parsed, Wanted, activity
from .actors import actor, key_owner
from .certifications import certification
from .notes import note

__all__ = [
    "Ignored",
    "NeedsObject",
    "Parsed",
    "Wanted",
    "activity",
    "actor",
    "certification",
    "key_owner",
    "note",
]
