"""What people type -> safe HTML, the plain words that are judged, and who and what is named.

Rule: nothing of the author's reaches HTML unescaped; `text` is what was typed, `html` shows the same words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from compliance.activity import Mention, Uri

from .scanner import Kind, Token, scan, tidy

__all__ = ["Person", "Rendered", "count", "fold_tag", "handles", "render", "render_field", "scan", "tidy"]

URL_WEIGHT = 23
"""A link counts as this many characters however long it is, as on every server that clients know."""

_SHOWN = 30
"""Characters of a link that are shown; the rest is there for copying and for screen readers, but hidden."""

_HIDDEN_HEAD = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)


class Person(NamedTuple):
    """Somebody named: the actor's id, the page to link to, and `shown`, the full `user@host`."""

    uri: Uri
    url: str
    shown: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was typed, ready to be judged, stored and shown."""

    html: str
    text: str
    tags: tuple[str, ...]
    mentions: tuple[Mention, ...]


def handles(text: str) -> list[str]:
    """Who is named in `text`, as `user` or `user@host`, in order, once each: look them up before `render`."""
    return _distinct((token.value for token in scan(tidy(text)) if token.kind is Kind.HANDLE), str.lower)


def is_seen(text: str) -> bool:
    """Whether anything of it shows: not only spaces, or marks that have no width."""
    return any(not char.isspace() and unicodedata.category(char) not in ("Cf", "Cc") for char in text)


def count(text: str) -> int:
    """The length of a post: code points, a link as 23, a remote person without the host."""
    return sum(_weight(token) for token in scan(tidy(text)))


def render(
    text: str, *, mentions: Mapping[str, Person | tuple[Uri, str, str]], tag_url: Callable[[str], str]
) -> Rendered:
    """A post or a profile's text. A handle that is not in `mentions` stays words: none is named by chance."""
    text = tidy(text)
    people = {handle.lower(): Person(*person) for handle, person in mentions.items()}
    tokens = scan(text)
    named = [people[token.value.lower()] for token in tokens if _is_known(token, people)]
    shared = _shared_names(named)
    html = "".join(_show(token, people, shared, tag_url) for token in tokens)
    return Rendered(
        html=f"<p>{html}</p>" if html else "",
        text=text,
        tags=tuple(_distinct((token.value for token in tokens if token.kind is Kind.TAG), fold_tag)),
        mentions=tuple(Mention(uri=one.uri, handle=one.shown) for one in dict.fromkeys(named)),
    )


def render_field(text: str) -> Rendered:
    """The value of a row of a profile's table: one line, whose links claim to be the author's own."""
    text = " ".join(tidy(text).split())
    html = "".join(
        _link(token, rel="me nofollow noopener") if token.kind is Kind.LINK else escape(token.text)
        for token in scan(text)
    )
    return Rendered(html=html, text=text, tags=(), mentions=())


def fold_tag(name: str) -> str:
    """The form in which two spellings of one tag are equal."""
    return unicodedata.normalize("NFKC", name).casefold()


def _weight(token: Token) -> int:
    if token.kind is Kind.LINK:
        return URL_WEIGHT
    if token.kind is Kind.HANDLE:
        return 1 + len(token.value.partition("@")[0])
    return len(token.text)


def _show(
    token: Token, people: Mapping[str, Person], shared: frozenset[str], tag_url: Callable[[str], str]
) -> str:
    if token.kind is Kind.LINK:
        return _link(token, rel="nofollow noopener")
    if token.kind is Kind.TAG:
        sign, name = token.text[0], escape(token.value)
        href = escape(tag_url(token.value))
        return f'<a href="{href}" class="mention hashtag" rel="tag">{sign}<span>{name}</span></a>'
    if _is_known(token, people):
        return _card(token.text[0], people[token.value.lower()], shared)
    return escape(token.text).replace("\n\n", "</p><p>").replace("\n", "<br>")


def _card(sign: str, person: Person, shared: frozenset[str]) -> str:
    user = person.shown.partition("@")[0]
    shown = escape(person.shown if user.lower() in shared else user)
    anchor = f'<a href="{escape(person.url)}" class="u-url mention">{sign}<span>{shown}</span></a>'
    return f'<span class="h-card" translate="no">{anchor}</span>'


def _link(token: Token, *, rel: str) -> str:
    """A link whose scheme and far end are hidden, and whose text is still the whole address."""
    head = _HIDDEN_HEAD.match(token.text)
    cut = head.end() if head else 0
    first, shown, rest = token.text[:cut], token.text[cut : cut + _SHOWN], token.text[cut + _SHOWN :]
    look = ' class="ellipsis"' if rest else ""
    spans = f'<span class="invisible">{escape(first)}</span><span{look}>{escape(shown)}</span>'
    if rest:
        spans += f'<span class="invisible">{escape(rest)}</span>'
    return f'<a href="{escape(token.value)}" rel="{rel}" translate="no">{spans}</a>'


def _is_known(token: Token, people: Mapping[str, Person]) -> bool:
    return token.kind is Kind.HANDLE and token.value.lower() in people


def _shared_names(named: Iterable[Person]) -> frozenset[str]:
    """User names that two different people in one post have: those are shown with their hosts."""
    seen: dict[str, Uri] = {}
    shared = set()
    for person in named:
        user = person.shown.partition("@")[0].lower()
        if seen.setdefault(user, person.uri) != person.uri:
            shared.add(user)
    return frozenset(shared)


def _distinct(values: Iterable[str], fold: Callable[[str], str]) -> list[str]:
    seen: dict[str, str] = {}
    for value in values:
        seen.setdefault(fold(value), value)
    return list(seen.values())
