"""What clients get that Mastodon has no word for: the `yanlu` objects."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field


class Certification(Struct):
    """Ours: what was certified of an account; `host` is the server that vouches, `None` for this one."""

    class_: str = field(name="class")
    label: str
    certified_at: str
    expires_at: str
    host: str | None


class Marked(Struct, kw_only=True):
    """What Mastodon has no word for, of somebody as everybody sees them."""

    certification: Certification | UnsetType = UNSET


class Identity(Struct, kw_only=True):
    """Ours: whether one may publish, and where to see to it if not."""

    state: str
    method: str | None
    verified_at: str | None
    due_at: str | None
    may_publish: bool
    url: str


class Acting(Struct):
    """Who acts for an organisation, and as what: for themselves and their apps, never for others."""

    by: str
    role: str


class Yanlu(Marked, kw_only=True):
    """The same of oneself."""

    identity: Identity
    email_confirmed: bool
    acting: Acting | UnsetType = UNSET


class StatusYanlu(Struct):
    """What a post says that no client of Mastodon knows: how a comment stands, `waiting` or `hidden`."""

    comment: str
