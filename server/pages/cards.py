"""A post made ready for a page: whose it is to the reader, where it leads, and its HTML.

What is the same for every reader is rendered once and kept, by post, version and language; a page of twenty
posts is then little more than joining strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from markupsafe import Markup, escape

from .. import i18n
from ..http.auth import viewer
from ..http.errors import locale_of
from ..ids import Clock
from ..store.model import AccountView, Entry, MentionView, PostFlags, PostView
from .render import Marks, Pages

_KEPT: Final = 8_192
_EXCERPT: Final = 160


@dataclass(slots=True)
class Card:
    """A post on a page. `row_id` is the row in the list: the boost's id where it was boosted."""

    post: PostView
    booster: AccountView | None
    flags: PostFlags
    row_id: int
    path: str
    label: str
    body: Markup
    inner: Markup = field(default_factory=Markup)
    mine: bool = False
    may_boost: bool = False
    continues: bool = False

    @property
    def open(self) -> bool:
        """Whether anybody may see it."""
        return self.post.visibility.is_open


class Cards:
    """Makes cards, and keeps the HTML that all readers share."""

    def __init__(self, pages: Pages, clock: Clock) -> None:
        self._pages = pages
        self._clock = clock
        self._kept: dict[tuple[object, ...], Markup] = {}

    def of(self, entries: Iterable[Entry], locale: str, me: AccountView | None) -> list[Card]:
        """The cards for a list of posts, as `me` reads it."""
        return [self.one(entry, locale, me) for entry in entries]

    def one(self, entry: Entry, locale: str, me: AccountView | None, *, focus: bool = False) -> Card:
        """The card for one post; a boost gives the card of what was boosted."""
        view, flags = entry.view, entry.flags
        post = view.boost_of or view
        mine = me is not None and post.account.id == me.id
        path = path_of(post)
        card = Card(
            post=post,
            booster=view.account if view.boost_of else None,
            flags=flags,
            row_id=view.id,
            path=path,
            label=self._label(post, locale),
            body=self._body(post, path, locale, focus=focus),
            mine=mine,
            may_boost=post.visibility.is_open or (mine and post.visibility == "followers"),
        )
        if not focus:
            card.inner = self._inner(card, locale, member=me is not None)
        return card

    def _inner(self, card: Card, locale: str, *, member: bool) -> Markup:
        post = card.post
        key = (
            *self._key(post, locale),
            post.account.avatar,
            post.replies,
            post.boosts,
            post.likes,
            (card.flags, card.mine) if member else None,
        )
        kept = self._kept.get(key)
        if kept is None:
            kept = self._pages.macro(locale, "components/post.html", "inner", card, Marks(viewer=member))
            self._keep(key, kept)
        return kept

    def _body(self, post: PostView, path: str, locale: str, *, focus: bool) -> Markup:
        key = (*self._key(post, locale), focus)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._pages.macro(locale, "components/post.html", "body", post, path, focus)
            for mention in post.mentions:
                kept = _lead_here(kept, mention)
            self._keep(key, kept)
        return kept

    def _key(self, post: PostView, locale: str) -> tuple[object, ...]:
        """All that the HTML of a post depends on, whoever reads it."""
        author = post.account
        return (
            post.id,
            post.version,
            post.edited_at,
            locale,
            i18n.ago(locale, post.created_at, self._clock()),
            author.display_name,
            author.mark_at(self._clock()),
            author.bot,
            post.media,
            post.labels,
        )

    def _keep(self, key: tuple[object, ...], html: Markup) -> None:
        if len(self._kept) >= _KEPT:
            for old in list(self._kept)[: _KEPT // 4]:
                del self._kept[old]
        self._kept[key] = html

    def _label(self, post: PostView, locale: str) -> str:
        when = i18n.ago(locale, post.created_at, self._clock())
        said = i18n.translate(locale, i18n.mark("%(name)s, %(when)s: %(words)s"))
        return said % {"name": post.account.name, "when": when, "words": excerpt(post, 60)}


CARDS = web.AppKey("cards", Cards)


def of(request: web.Request, entries: Iterable[Entry]) -> list[Card]:
    """The cards for a list of posts, as whoever asks reads it."""
    found = viewer(request)
    return request.app[CARDS].of(entries, locale_of(request), found.account if found else None)


def one(request: web.Request, entry: Entry, *, focus: bool = False) -> Card:
    """The card for one post, as whoever asks reads it."""
    found = viewer(request)
    return request.app[CARDS].one(entry, locale_of(request), found.account if found else None, focus=focus)


def _lead_here(html: Markup, mention: MentionView) -> Markup:
    """A name in a post leads to its page here, not away."""
    away, here = escape(mention.url), escape(f"/@{mention.handle}")
    return Markup(str(html).replace(f'href="{away}"', f'href="{here}"'))  # noqa: S704 - both are escaped


def path_of(post: PostView) -> str:
    """Where a post is read here, wherever it is from."""
    return f"/@{post.account.handle}/{post.id}"


def excerpt(post: PostView, length: int = _EXCERPT) -> str:
    """The beginning of a post in plain words; only the warning where there is one."""
    words = " ".join((post.spoiler or post.text).split())
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


def nest(cards: Sequence[Card], root: int, most: int = 3) -> list[tuple[int, Card]]:
    """Replies with how deep they stand below `root`; what is deeper than `most` stays at that depth."""
    depths = {root: -1}
    nested = []
    for card in cards:
        depth = depths.get(card.post.in_reply_to_id or root, -1) + 1
        depths[card.post.id] = depth
        nested.append((min(depth, most), card))
    return nested
