"""Every address that is ours, built and read in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from yarl import URL

from compliance.activity import PostId, Uri

USERNAME = re.compile(r"[A-Za-z0-9_]{1,30}")
_POST = re.compile(r"/users/([A-Za-z0-9_]{1,30})/statuses/([0-9]{1,19})")
_ACTOR = re.compile(r"/users/([A-Za-z0-9_]{1,30})")
_ACTIVITY = re.compile(r"/activities/([0-9]{1,19})")
_PAGE = re.compile(r"/@([A-Za-z0-9_]{1,30})(?:/([0-9]{1,19}))?")


@dataclass(frozen=True, slots=True)
class Uris:
    """Builds our addresses from `origin` (scheme, host and port, no trailing slash)."""

    origin: str
    host: str
    """What stands after the last `@` in our handles: the host, and its port unless that is the scheme's
    default."""

    @classmethod
    def of(cls, origin: str) -> Uris:
        url = URL(origin)
        host = url.raw_host or ""
        if ":" in host:
            host = f"[{host}]"
        default = url.port is None or url.is_default_port()
        host = host if default else f"{host}:{url.port}"
        return cls(origin=f"{url.scheme}://{host}", host=host)

    @property
    def instance_actor(self) -> Uri:
        return Uri(f"{self.origin}/actor")

    @property
    def shared_inbox(self) -> str:
        return f"{self.origin}/inbox"

    def actor(self, username: str) -> Uri:
        if username == self.host:
            return self.instance_actor
        return Uri(f"{self.origin}/users/{username}")

    def key(self, username: str) -> str:
        return f"{self.actor(username)}#main-key"

    def profile_page(self, username: str) -> str:
        return f"{self.origin}/@{username}"

    def inbox(self, username: str) -> str:
        return f"{self.actor(username)}/inbox"

    def outbox(self, username: str) -> str:
        return f"{self.actor(username)}/outbox"

    def followers(self, username: str) -> str:
        return f"{self.actor(username)}/followers"

    def following(self, username: str) -> str:
        return f"{self.actor(username)}/following"

    def featured(self, username: str) -> str:
        return f"{self.actor(username)}/collections/featured"

    def certification(self, username: str) -> Uri:
        """Where the signed assertion about somebody here is fetched."""
        return Uri(f"{self.actor(username)}/certification")

    def post(self, username: str, id_: int) -> Uri:
        return Uri(f"{self.actor(username)}/statuses/{id_}")

    def post_page(self, username: str, id_: int) -> str:
        return f"{self.origin}/@{username}/{id_}"

    def boost(self, username: str, id_: int) -> Uri:
        """A boost's own id is its activity's id, as other servers expect."""
        return Uri(f"{self.post(username, id_)}/activity")

    def create_of(self, post: Uri) -> Uri:
        return Uri(f"{post}/activity")

    def reply_request(self, post: Uri) -> Uri:
        """Our question whether a reply may stand."""
        return Uri(f"{post}/reply_request")

    def reply_authorization(self, owner: Uri, id_: int) -> Uri:
        """Where it can be read that the post `id_` may stand under one of the owner's."""
        return Uri(f"{owner}/reply_authorizations/{id_}")

    def activity(self, id_: int) -> Uri:
        return Uri(f"{self.origin}/activities/{id_}")

    def tag_page(self, name: str) -> str:
        return str(URL(self.origin) / "tags" / name)

    def media(self, file: str) -> str:
        return f"{self.origin}/media/{file}"

    def is_ours(self, uri: str) -> bool:
        """Whether `uri` lies on our origin."""
        return uri == self.origin or uri.startswith(f"{self.origin}/")

    def activity_in(self, uri: str) -> int | None:
        """The number of one of our activities; `None` for anything else."""
        path = self._path(uri)
        found = _ACTIVITY.fullmatch(path) if path is not None else None
        return int(found[1]) if found else None

    def username_in(self, uri: str) -> str | None:
        """The user named by one of our actor ids or profile pages; `None` for anything else."""
        path = self._path(uri)
        if path is None:
            return None
        if path == "/actor":
            return self.host
        found = _ACTOR.fullmatch(path) or _PAGE.fullmatch(path)
        return found[1] if found and (found.re is _ACTOR or found[2] is None) else None

    def post_in(self, uri: str) -> PostId | None:
        """The post named by one of our post ids or post pages; `None` for anything else."""
        path = self._path(uri)
        if path is None:
            return None
        found = _POST.fullmatch(path) or _PAGE.fullmatch(path)
        return PostId(int(found[2])) if found and found[2] else None

    def _path(self, uri: str) -> str | None:
        return uri[len(self.origin) :] if self.is_ours(uri) else None
