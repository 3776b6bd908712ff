"""Views into Mastodon's JSON, once.

What does not depend on the viewer is rendered to bytes and kept for as long as the store keeps the same view
(a view that changed is another object). What does depend on them is a few booleans, appended for each
request: a page of twenty posts is a join of bytes. Nothing here asks the database.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import web
from msgspec import UNSET, Raw, Struct

from compliance import lookalikes
from compliance.activity import Visibility

from .. import i18n
from ..ids import Clock
from ..pages.seals import SEALS
from ..store.model import (
    AccountView,
    Entry,
    FieldView,
    Mark,
    MediaView,
    PostFlags,
    PostView,
    Relationship,
    TagView,
)
from ..text import markup
from ..uris import Uris
from . import entities, extension
from .moments import day, maybe_stamp, midnight, stamp

V = TypeVar("V", AccountView, PostView)

KEPT_POSTS = 8_192
KEPT_ACCOUNTS = 4_096

VISIBILITIES: Mapping[Visibility, str] = {
    Visibility.PUBLIC: "public",
    Visibility.UNLISTED: "unlisted",
    Visibility.FOLLOWERS: "private",
    Visibility.DIRECT: "direct",
}
_GROUPS = frozenset({"Group", "Organization"})
_AUTOMATIC = frozenset({"Service", "Application"})
_NO_FLAGS = PostFlags()
_encode = msgspec.json.Encoder().encode


class _Kept(Generic[V]):
    """What was rendered from the most lately used views, each until the mark in it runs out."""

    def __init__(self, size: int, clock: Clock) -> None:
        self._size = size
        self._clock = clock
        self._kept: OrderedDict[int, tuple[V, bytes, datetime | None]] = OrderedDict()

    def find(self, view: V) -> bytes | None:
        found = self._kept.get(view.id)
        if found is None or found[0] is not view or (found[2] is not None and found[2] <= self._clock()):
            return None
        self._kept.move_to_end(view.id)
        return found[1]

    def keep(self, view: V, rendered: bytes) -> None:
        mark = (view.account if isinstance(view, PostView) else view).mark_at(self._clock())
        self._kept[view.id] = (view, rendered, mark.expires_at if mark else None)
        self._kept.move_to_end(view.id)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)


class Renderer:
    """Renders for one server, and remembers what it rendered."""

    def __init__(self, uris: Uris, clock: Clock, *, missing_avatar: str, missing_header: str) -> None:
        self._uris = uris
        self._clock = clock
        self._accounts: _Kept[AccountView] = _Kept(KEPT_ACCOUNTS, clock)
        self._posts: _Kept[PostView] = _Kept(KEPT_POSTS, clock)
        self._missing_avatar = missing_avatar
        self._missing_header = missing_header

    def account(self, view: AccountView) -> bytes:
        """An Account."""
        found = self._accounts.find(view)
        if found is None:
            found = _encode(entities.Account(**self.account_members(view)))
            self._accounts.keep(view, found)
        return found

    def accounts(self, views: Iterable[AccountView]) -> bytes:
        """A list of Accounts."""
        return listed(self.account(view) for view in views)

    def status(self, view: PostView, flags: PostFlags | None) -> bytes:
        """A Status; `flags` are the viewer's, `None` where nobody is logged in."""
        appended = _flags(flags)
        if view.boost_of is None:
            return b"".join((self._head(view), b',"reblog":null', appended))
        return b"".join(
            (
                self._head(view),
                b',"reblog":',
                self._head(view.boost_of),
                b',"reblog":null',
                appended,
                appended,
            )
        )

    def entry(self, entry: Entry, *, known: bool) -> bytes:
        """A Status of a page; `known` is whether somebody is logged in."""
        return self.status(entry.view, entry.flags if known else None)

    def statuses(self, entries: Iterable[Entry], *, known: bool) -> bytes:
        """A list of Statuses."""
        return listed(self.entry(entry, known=known) for entry in entries)

    def _head(self, view: PostView) -> bytes:
        """A Status, open at its end."""
        found = self._posts.find(view)
        if found is None:
            head = _encode(self._status_head(view))
            found = b"".join((head[:-1], b',"account":', self.account(view.account)))
            self._posts.keep(view, found)
        return found

    def account_members(self, view: AccountView) -> dict[str, Any]:
        """The members of an Account; of a suspended or deleted one, only that it is."""
        hidden = view.suspended or view.gone
        if hidden:
            view = view.veiled()
        mark = view.mark_at(self._clock())
        avatar = view.avatar or self._missing_avatar
        header = view.header or self._missing_header
        return {
            "id": str(view.id),
            "username": view.username,
            "acct": view.handle,
            "url": view.url,
            "uri": view.uri,
            "display_name": view.display_name,
            "note": view.html,
            "avatar": avatar,
            "avatar_static": avatar,
            "header": header,
            "header_static": header,
            "locked": view.locked,
            "fields": [*([_certified_field(mark)] if mark else []), *fields(view.fields)],
            "bot": view.bot or view.actor_type in _AUTOMATIC,
            "group": view.actor_type in _GROUPS,
            "discoverable": view.discoverable,
            "indexable": view.indexable,
            "noindex": not view.indexable,
            "suspended": True if hidden else UNSET,
            "created_at": midnight(view.created_at),
            "last_status_at": day(view.last_post_at) if view.last_post_at else None,
            "statuses_count": view.posts,
            "followers_count": view.followers,
            "following_count": view.following,
            "roles": [_badge(mark)] if mark else [],
            "yanlu": UNSET if mark is None else extension.Marked(certification=_certification(mark)),
        }

    def _status_head(self, view: PostView) -> entities.StatusHead:
        shown = view.boost_of or view
        return entities.StatusHead(
            id=str(view.id),
            uri=view.uri,
            url=view.url,
            created_at=stamp(view.created_at),
            edited_at=maybe_stamp(view.edited_at),
            in_reply_to_id=_maybe(view.in_reply_to_id),
            in_reply_to_account_id=_maybe(view.in_reply_to_account_id),
            sensitive=shown.sensitive,
            spoiler_text=shown.spoiler,
            visibility=VISIBILITIES[view.visibility],
            language=shown.language,
            content=shown.html,
            replies_count=shown.replies,
            reblogs_count=shown.boosts,
            favourites_count=shown.likes,
            media_attachments=[media(each) for each in shown.media],
            mentions=[
                entities.Mention(str(each.id), each.username, each.url, each.handle)
                for each in shown.mentions
            ],
            tags=[
                entities.ShallowTag(markup.fold_tag(name), self._uris.tag_page(name)) for name in shown.tags
            ],
            application=UNSET if view.app is None else entities.StatusApplication(*view.app),
            yanlu=extension.StatusYanlu("waiting" if shown.waits else "hidden")
            if shown.waits or shown.hidden
            else UNSET,
        )

    def tag(self, view: TagView, *, known: bool) -> entities.Tag:
        """A Tag; tags cannot be followed yet, and somebody who is logged in is told so."""
        history = [
            entities.Day(str(int(moment.timestamp())), str(accounts), str(uses))
            for moment, uses, accounts in view.history
        ]
        return entities.Tag(
            id=view.name,
            name=view.name,
            url=self._uris.tag_page(view.name),
            history=history,
            following=False if known else UNSET,
            featuring=False if known else UNSET,
        )


RENDERER = web.AppKey("renderer", Renderer)


def fields(views: Sequence[FieldView]) -> list[entities.Field]:
    """A profile's table, as others see it."""
    return [entities.Field(view.name, view.html, maybe_stamp(view.verified_at)) for view in views]


def _certified_field(mark: Mark) -> entities.Field:
    """What was certified as clients know to show it: the first row of the table, and verified."""
    words = mark.label if mark.host is None else f"{mark.label} ({mark.host})"
    return entities.Field(lookalikes.FIELD, escape(words), stamp(mark.certified_at))


def _badge(mark: Mark) -> entities.AccountRole:
    seal = SEALS[mark.class_]
    # The answer is kept for readers of every language, so it is said in both.
    names = dict.fromkeys((i18n.translate("zh-CN", seal.words), seal.words))
    # An id that no role of the house has: those are numbers.
    return entities.AccountRole(f"certified-{mark.class_.value}", " ".join(names), seal.colour)


def _certification(mark: Mark) -> extension.Certification:
    return extension.Certification(
        class_=mark.class_.value,
        label=mark.label,
        certified_at=stamp(mark.certified_at),
        expires_at=stamp(mark.expires_at),
        host=mark.host,
    )


def media(view: MediaView) -> entities.MediaAttachment:
    """A MediaAttachment."""
    focus = entities.Focus(*view.focus) if view.focus else UNSET
    return entities.MediaAttachment(
        id=str(view.id),
        type=view.kind,
        url=view.url,
        preview_url=view.preview,
        remote_url=view.remote_url,
        meta=entities.Meta(
            original=_dimensions(view.width, view.height),
            small=_dimensions(view.preview_width, view.preview_height),
            focus=focus,
        ),
        description=view.description or None,
        blurhash=view.blurhash,
    )


def relationship(view: Relationship) -> entities.Relationship:
    """A Relationship."""
    return entities.Relationship(
        id=str(view.id),
        following=view.following,
        showing_reblogs=view.following and view.boosts,
        notifying=view.following and view.notify,
        followed_by=view.followed_by,
        blocking=view.blocking,
        blocked_by=view.blocked_by,
        muting=view.muting,
        muting_notifications=view.muting_notifications,
        muting_expires_at=maybe_stamp(view.mute_expires_at),
        requested=view.requested,
        requested_by=view.requested_by,
    )


def listed(parts: Iterable[bytes]) -> bytes:
    """Rendered values as a JSON list."""
    return b"[" + b",".join(parts) + b"]"


def raw(rendered: bytes) -> Raw:
    """Rendered bytes, to stand in an entity."""
    return Raw(rendered)


def encode(value: Struct | Sequence[Struct] | Mapping[str, object]) -> bytes:
    """Any entity."""
    return _encode(value)


def _flag_bytes(liked: bool, boosted: bool, bookmarked: bool) -> bytes:
    members = {
        "favourited": liked,
        "reblogged": boosted,
        # Mastodon means the conversation, which cannot be muted here yet; a muted author is a Relationship.
        "muted": False,
        "bookmarked": bookmarked,
        "pinned": False,
        "filtered": [],
    }
    return b"," + _encode(members)[1:]


_FLAGS = {
    (liked, boosted, bookmarked): _flag_bytes(liked, boosted, bookmarked)
    for liked in (False, True)
    for boosted in (False, True)
    for bookmarked in (False, True)
}


def _flags(flags: PostFlags | None) -> bytes:
    if flags is None:
        return b"}"
    return _FLAGS[flags.liked, flags.boosted, flags.bookmarked]


def _dimensions(width: int | None, height: int | None) -> entities.Dimensions | msgspec.UnsetType:
    if not width or not height:
        return UNSET
    return entities.Dimensions(width, height, f"{width}x{height}", width / height)


def _maybe(id_: int | None) -> str | None:
    return None if id_ is None else str(id_)
