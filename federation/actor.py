"""An actor as its own document describes it: all that this server keeps of somebody, from parsing to storing,
and what our own documents are rendered from.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from compliance.activity import Profile, Uri
from compliance.classes import CertClass


class RemoteKey(Struct, frozen=True):
    """A public key that speaks for an actor; `pem` is exactly the text its document gives."""

    id: str
    pem: str


class Certification(Struct, frozen=True, kw_only=True):
    """What a server asserts of an account of its own: what it certified, and from when until when."""

    id: Uri
    subject: Uri
    class_: CertClass
    label: str
    issued: datetime
    expires: datetime


class RemoteActor(Struct, frozen=True, kw_only=True):
    """Who somebody is. `host` is the host of their handle: their id's own, unless WebFinger confirmed
    another.
    """

    uri: Uri
    actor_type: str
    username: str
    host: str
    url: str
    inbox: str
    shared_inbox: str | None = None
    outbox: str | None = None
    followers: Uri | None = None
    following: Uri | None = None
    featured: str | None = None
    keys: tuple[RemoteKey, ...] = ()
    profile: Profile
    published: datetime | None = None
    memorial: bool = False
    suspended: bool = False
    also_known_as: tuple[Uri, ...] = ()
    moved_to: Uri | None = None
    webfinger: str | None = None
    """The handle it claims for itself (FEP-2c59), not yet confirmed."""
    certification: Uri | None = None
    """Where it says that the assertion about it is to be found; what it shows of that itself counts for
    nothing.
    """

    @property
    def handle(self) -> str:
        return f"{self.username}@{self.host}"
