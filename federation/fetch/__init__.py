"""Things of other servers by their id: documents, actors, posts, and the keys that requests are signed with.

Who fetches needs a client; its name is handed on here, so that the module that opens connections has few
callers.
"""

from federation.actor import RemoteActor, RemoteKey
from federation.client import Budget, Client, Limits, Peer, Response

from .certifications import certification
from .documents import actor, document, note
from .keys import KeyRing, StoredKey

__all__ = [
    "Budget",
    "Client",
    "KeyRing",
    "Limits",
    "Peer",
    "RemoteActor",
    "RemoteKey",
    "Response",
    "StoredKey",
    "actor",
    "certification",
    "document",
    "note",
]
