"""Remote HTML to allowed HTML, and the plain text that a reader of it sees, which is what gets judged.

The two are written in one walk over one tree, so that no word can be shown that is not in the text. And no
mark-up may hide letters from a reader but not from the text: spans are hidden only inside links whose whole
text is their address (how Mastodon shortens links), and ruby is read as its base followed by its notes. HTML
is parsed, never matched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape

import nh3
from lxml import etree
from lxml import html as lxml_html

MAX_HTML = 100 * 1024
MAX_DEPTH = 64
_MAX_TAGS = 3000
"""More opening brackets than this is no post; it bounds the work of both parsers (30 ms at worst)."""

_KEPT = {
    name: name
    for name in (
        *("p", "br", "a", "span", "ul", "ol", "li", "blockquote", "pre", "code"),
        *("strong", "em", "del", "ruby", "rt"),
    )
}
_RENAMED = {"b": "strong", "i": "em", "s": "del", "strike": "del"}
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_NAMES = _KEPT | _RENAMED
_BLOCKS = frozenset({"p", "ul", "ol", "blockquote", "pre"}) | _HEADINGS
_SHORTENING = frozenset({"invisible", "ellipsis"})
_REL = "nofollow noopener noreferrer"

_CLEANER = nh3.Cleaner(
    tags={*_NAMES, *_HEADINGS},
    # `rp` is for browsers without ruby, of which none are left; anything could hide in it.
    clean_content_tags={
        *("script", "style", "math", "svg", "template", "noscript", "title", "textarea", "iframe", "rp"),
    },
    attributes={"*": {"lang"}, "a": {"href"}},
    allowed_classes={
        "a": {"u-url", "mention", "hashtag"},
        "span": {"h-card", "mention", "quote-inline", *_SHORTENING},
        "p": {"quote-inline"},
    },
    link_rel=None,
    url_schemes={"http", "https"},
    url_relative="deny",
)
_SPACES = re.compile(r"[ \t\n\r\f]+")
_MANY_BREAKS = re.compile(r"\n{3,}")
_LANG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")


@dataclass(frozen=True, slots=True)
class Clean:
    """Safe HTML, and its words."""

    html: str
    text: str


_EMPTY = Clean("", "")


def clean(raw: str) -> Clean:
    """`raw` with only allowed mark-up left. What is too large, too deep or unreadable is dropped whole, never
    raised.
    """
    if len(raw) > MAX_HTML or raw.count("<") > _MAX_TAGS:
        return _EMPTY
    if "<" not in raw and "&" not in raw:
        plain = _SPACES.sub(" ", raw).strip(" ")
        return Clean(escape(plain, quote=False), plain)
    try:
        root = lxml_html.fragment_fromstring(_sanitised(raw), create_parent="div")
    except (ValueError, etree.LxmlError):
        return _EMPTY
    writer = _Writer()
    try:
        _inside(root, writer, 0)
    except _TooDeep:
        return _EMPTY
    return Clean("".join(writer.html).strip(), _tidy("".join(writer.text)))


def paragraph(text: str, *, strong: bool = False) -> str:
    """Plain text as one paragraph of safe HTML."""
    shown = escape(text, quote=False)
    return f"<p><strong>{shown}</strong></p>" if strong else f"<p>{shown}</p>"


def listing(items: list[str]) -> str:
    """Plain texts as a list of safe HTML."""
    return "<ul>" + "".join(f"<li>{escape(item, quote=False)}</li>" for item in items) + "</ul>"


def link(url: str) -> str:
    """An address as a paragraph with a link."""
    shown = escape(url)
    return f'<p><a href="{shown}" rel="{_REL}">{shown}</a></p>'


def _sanitised(raw: str) -> str:
    try:
        return _CLEANER.clean(raw)
    except BaseException as error:
        # A panic inside the sanitiser is no `Exception`; it must cost this text and nothing more.
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError("the sanitiser gave up") from error


class _TooDeep(Exception):
    pass


@dataclass(slots=True)
class _Writer:
    html: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    notes: list[str] | None = None
    """The readings of the ruby we are in."""
    pre: bool = False
    short: bool = False
    """Whether we are in a link that may be shown shortened."""

    def say(self, words: str) -> None:
        words = words if self.pre else _SPACES.sub(" ", words)
        self.html.append(escape(words, quote=False))
        self.text.append(words)


def _inside(element: lxml_html.HtmlElement, to: _Writer, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _TooDeep
    if element.text:
        to.say(element.text)
    for child in element:
        if isinstance(child.tag, str):
            _element(child, to, depth + 1)
        if child.tail:
            to.say(child.tail)


def _element(element: lxml_html.HtmlElement, to: _Writer, depth: int) -> None:
    tag = element.tag
    if tag in _HEADINGS:
        opening, closing = "<p><strong>", "</strong></p>"
    else:
        name = _NAMES.get(tag, "span")
        opening, closing = f"<{name}{_attributes(element, to)}>", f"</{name}>"
    match tag:
        case "br":
            to.html.append("<br>")
            to.text.append("\n")
            return
        case "li":
            to.text.append("\n")
        case _ if tag in _BLOCKS:
            to.text.append("\n\n")
    to.html.append(opening)
    _content(element, to, depth)
    to.html.append(closing)
    if tag in _BLOCKS:
        to.text.append("\n\n")


def _content(element: lxml_html.HtmlElement, to: _Writer, depth: int) -> None:
    tag = element.tag
    if tag == "a":
        to.short = "".join(element.itertext()) == element.get("href")
        _inside(element, to, depth)
        to.short = False
    elif tag == "pre":
        before, to.pre = to.pre, True
        _inside(element, to, depth)
        to.pre = before
    elif tag == "ruby" and to.notes is None:
        to.notes = []
        _inside(element, to, depth)
        if to.notes:
            to.text += ["(", *to.notes, ")"]
        to.notes = None
    elif tag == "rt" and to.notes is not None:
        base, to.text = to.text, to.notes
        _inside(element, to, depth)
        to.text = base
    else:
        _inside(element, to, depth)


def _attributes(element: lxml_html.HtmlElement, to: _Writer) -> str:
    written = ""
    for name, value in element.items():
        if name == "href":
            # The sanitiser also lets `http:foo` through, which is relative on some pages.
            if value.lower().startswith(("http://", "https://")):
                written += f' href="{escape(value)}" rel="{_REL}"'
        elif name == "class":
            kept = value.split() if to.short else [word for word in value.split() if word not in _SHORTENING]
            if kept:
                written += f' class="{" ".join(kept)}"'
        elif name == "lang" and _LANG.fullmatch(value):
            written += f' lang="{value}"'
    return written


def _tidy(text: str) -> str:
    lines = "\n".join(line.strip(" ") for line in text.split("\n"))
    return _MANY_BREAKS.sub("\n\n", lines).strip("\n")
