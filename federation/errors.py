"""What can go wrong between servers.

    FederationError
    ├── LocalFault            ours: a bug or a setting; never the peer's doing
    └── RemoteFault           theirs: answered with a 4xx or dropped, never a traceback
        ├── Malformed         cannot be read, or breaks a rule of form
        ├── NotTrusted        signature, key, owner or origin do not fit together
        ├── Unreachable       no usable answer now; trying again later may help
        │   └── Throttled     we have asked enough for now; says nothing about them
        └── Gone              was there and is not any more (404 or 410)

A `RemoteFault`'s text is for our log; `public` is all the peer is told.
"""

from __future__ import annotations


class FederationError(Exception):
    """Base of everything this package raises."""


class LocalFault(FederationError):
    """Our own mistake: a value that this server should never have passed in."""


class RemoteFault(FederationError):
    """The other side sent or served something that cannot be used. `status` hints at the answer it
    deserves.
    """

    status = 400
    public = "The document cannot be used"


class Malformed(RemoteFault):
    """Not JSON, too large, too deep, or a field that is not what it must be."""

    public = "The document is malformed"


class NotTrusted(RemoteFault):
    """Nobody with the right to say this has said it."""

    status = 401
    public = "The signature does not hold"


class Unreachable(RemoteFault):
    """The other server gave no usable answer; it may later."""

    status = 401
    public = "The key could not be fetched"


class Throttled(Unreachable):
    """We asked as much as we allow ourselves; later there is room again."""

    status = 503
    public = "Too much is being asked of this server"


class Gone(RemoteFault):
    """The thing asked for is not there: its server says 404 or 410."""

    status = 410
    public = "The object is gone"
