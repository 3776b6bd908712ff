"""The media types of ActivityPub. Plain `application/json` is not one of them: anybody may upload that
anywhere.
"""

from __future__ import annotations

import re
from typing import Final

ACTIVITY: Final = "application/activity+json"
ACCEPT: Final = (
    'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
)
_PROFILE: Final = "https://www.w3.org/ns/activitystreams"
_PARAMETER: Final = re.compile(r';\s*([A-Za-z0-9-]+)\s*=\s*(?:"([^"]*)"|([^\s;"]+))\s*')


def is_activity(content_type: str) -> bool:
    """Whether a `Content-Type` is ActivityPub's: its own, or JSON-LD with the ActivityStreams profile."""
    kind, mark, rest = content_type.partition(";")
    kind = kind.strip().lower()
    if kind == ACTIVITY:
        return True
    if kind != "application/ld+json":
        return False
    parameters = _PARAMETER.findall(mark + rest)
    profiles = next((quoted or bare for name, quoted, bare in parameters if name.lower() == "profile"), "")
    return _PROFILE in profiles.split()
