"""A post's document to a `Note`. Notes and polls give their words; every other kind its title and a link to
its own page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from compliance.activity import ANYBODY, Attachment, Mention, Note, ReplyControl, Uri
from federation import addressing, html, origin, quirks
from federation.errors import Malformed
from federation.wire import Document, Value

from . import values

MAX_ATTACHMENTS = 32
MAX_TAGS = 50
MAX_MENTIONS = 200
MAX_OPTIONS = 50
MAX_ALT = 10_000
MAX_SPOILER = 2_000
MAX_ALLOWED = 50

WRITTEN = frozenset({"Note", "Question", "ChatMessage"})
LINKED = frozenset({"Article", "Page", "Video", "Audio", "Image", "Document", "Event"})
KINDS = WRITTEN | LINKED

_HANDLE = re.compile(r"@?([^@\s/:?#]{1,100})@([^@\s/?#]{1,300})")
_MIME = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,160}")
_KIND_MIME = {"Image": "image/*", "Video": "video/*", "Audio": "audio/*"}


def note(
    document: Document,
    *,
    now: datetime,
    speaker: Uri | None = None,
    followers: Uri | None = None,
    carrier: Document | None = None,
) -> Note:
    """The post in `document`; `speaker` is who signed for it, `followers` the author's collection, `carrier`
    the activity.

    Times that lie ahead are now. Everything beyond a limit is cut, never a reason to fail.
    """
    kinds = values.types(document)
    if KINDS.isdisjoint(kinds):
        raise Malformed(f"not a post: {kinds[:1]}")
    uri = values.require_id(document.get("id"), "post")
    owners = values.ids(document.get("attributedTo") or document.get("actor"))
    author = quirks.peertube_author(owners, speaker)
    if author is None:
        raise Malformed("post has no author")
    origin.require_speaks_for(author, uri)
    url = origin.shown_url(values.find_id(quirks.peertube_page(document.get("url"))), uri)
    words, language = _words(document, url, linked=WRITTEN.isdisjoint(kinds))
    audience = _audience(document, carrier or {}, author, followers)
    mentions, addressed = _mentions(document, audience.named)
    published = values.moment(document.get("published"))
    updated = values.moment(document.get("updated"))
    return Note(
        uri=uri,
        author=author,
        url=url,
        html=words.html,
        text=words.text,
        spoiler=_spoiler(document, kinds),
        sensitive=values.flag(document.get("sensitive")),
        language=language,
        visibility=audience.visibility,
        in_reply_to=values.find_id(document.get("inReplyTo")),
        mentions=mentions,
        addressed=addressed,
        tags=_tags(document),
        attachments=_attachments(document),
        can_reply=_control(document),
        reply_authorization=values.find_id(document.get("replyAuthorization")),
        published=min(published, now) if published else now,
        updated=min(updated, now) if updated else None,
    )


def picture(document: Value) -> Attachment | None:
    """A picture named by a profile or a post."""
    item = next(values.objects(document), None)
    return _attachment(item) if item is not None else None


def _control(document: Document) -> ReplyControl | None:
    """Who may answer, in GoToSocial's words of today or of before; `None` where everybody may."""
    policy = next(values.objects(document.get("interactionPolicy")), {})
    rule = next(values.objects(policy.get("canReply")), None)
    if rule is None:
        return None
    automatic = _allowed(rule.get("automaticApproval", rule.get("always")))
    if ANYBODY in automatic:
        return None
    return ReplyControl(
        automatic=automatic, manual=_allowed(rule.get("manualApproval", rule.get("approvalRequired")))
    )


def _allowed(value: Value) -> tuple[Uri, ...]:
    named = values.addressees(value)
    anybody = (ANYBODY,) if any(map(addressing.is_public, named)) else ()
    return (*anybody, *(uri for uri in values.ids(value) if uri != ANYBODY))[:MAX_ALLOWED]


def _words(document: Document, url: str, *, linked: bool) -> tuple[html.Clean, str | None]:
    raw, language = _content(document)
    if linked:
        title = values.line(values.worded(document, "name"), 500)
        return html.clean((html.paragraph(title, strong=True) if title else "") + html.link(url)), language
    words = html.clean(raw)
    options = _options(document)
    if raw.strip() and not words.html:
        words = html.clean(html.link(url))  # too large or too deep: its own server can still show it
    if options:
        words = html.clean(words.html + html.listing(options))
    return words, language


def _content(document: Document) -> tuple[str, str | None]:
    content = document.get("content")
    by_language = document.get("contentMap")
    pairs = by_language.items() if isinstance(by_language, dict) else ()
    said = [(key, text) for key, text in pairs if isinstance(text, str)]
    if not isinstance(content, str):
        content = next((text for _, text in said), "") or values.text(document.get("name"), 10_000)
    language = next((key for key, text in said if text == content), None)
    if language is None and len(said) == 1:
        language = said[0][0]
    return content, values.language(language)


def _options(document: Document) -> list[str]:
    options = [*values.objects(document.get("oneOf")), *values.objects(document.get("anyOf"))]
    names = (values.line(option.get("name"), 500) for option in options[:MAX_OPTIONS])
    return [name for name in names if name]


def _spoiler(document: Document, kinds: Iterable[str]) -> str:
    # The summary of an Article is its first lines, not a warning.
    if WRITTEN.isdisjoint(kinds) and not values.flag(document.get("sensitive")):
        return ""
    return values.text(values.worded(document, "summary"), MAX_SPOILER).strip()


def _audience(
    document: Document, carrier: Document, author: Uri, followers: Uri | None
) -> addressing.Audience:
    source = document if "to" in document or "cc" in document else carrier
    to, cc = source.get("to"), source.get("cc")
    return addressing.read(
        values.addressees(to),
        values.addressees(cc),
        named=[*values.ids(to), *values.ids(cc)],
        author=author,
        followers=followers,
    )


def _mentions(document: Document, named: tuple[Uri, ...]) -> tuple[tuple[Mention, ...], tuple[Uri, ...]]:
    """Who is mentioned and addressed, and who is only addressed. A Mention without address gives no access,
    so it is none.
    """
    found: dict[Uri, str] = {}
    for tag in values.objects(document.get("tag")):
        uri = origin.find_uri(tag.get("href"))
        if "Mention" in values.types(tag) and uri in named and uri not in found:
            found[uri] = _handle(tag.get("name"), uri)
    if len(found) > MAX_MENTIONS:
        return (), named  # kept readable for them, but nobody is told: it is a bomb
    mentions = tuple(Mention(uri=uri, handle=handle) for uri, handle in found.items())
    return mentions, tuple(uri for uri in named if uri not in found)


def _handle(name: Value, uri: Uri) -> str:
    matched = _HANDLE.fullmatch(name.strip()) if isinstance(name, str) else None
    if matched is not None:
        try:
            return f"{matched[1]}@{origin.host(matched[2], uri.partition(':')[0])}"
        except Malformed:
            pass
    user = name.strip().lstrip("@") if isinstance(name, str) else ""
    if not user or len(user) > 100 or "@" in user or "/" in user or not user.isprintable() or " " in user:
        user = uri.rstrip("/").rsplit("/", 1)[-1].lstrip("@")[:100]
    return f"{user}@{origin.host_of(uri)}"


def _tags(document: Document) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for tag in values.objects(document.get("tag")):
        if "Hashtag" in values.types(tag):
            name = values.line(tag.get("name"), 100).lstrip("#＃").strip()
            if name and " " not in name:
                found.setdefault(unicodedata.normalize("NFKC", name).casefold(), name)
    return tuple(found.values())[:MAX_TAGS]


def _attachments(document: Document) -> tuple[Attachment, ...]:
    found = (_attachment(item) for item in values.objects(document.get("attachment")))
    return tuple(item for item in found if item is not None)[:MAX_ATTACHMENTS]


def _attachment(item: Document) -> Attachment | None:
    kinds = values.types(item)
    if {"Document", "Image", "Video", "Audio"}.isdisjoint(kinds):
        return None
    url = values.find_id(item.get("url") or item.get("href"))
    if url is None:
        return None
    mime = item.get("mediaType") or next(
        (link.get("mediaType") for link in values.objects(item.get("url"))), None
    )
    if not isinstance(mime, str) or not _MIME.fullmatch(mime):
        mime = next((_KIND_MIME[kind] for kind in kinds if kind in _KIND_MIME), "application/octet-stream")
    blurhash = item.get("blurhash")
    return Attachment(
        url=url,
        mime=mime,
        alt=values.text(quirks.gotosocial_alt_text(item), MAX_ALT).strip(),
        width=values.whole(item.get("width"), 65_535),
        height=values.whole(item.get("height"), 65_535),
        focus=_focus(item.get("focalPoint")),
        blurhash=blurhash if isinstance(blurhash, str) and _BLURHASH.fullmatch(blurhash) else None,
    )


def _focus(value: Value) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    x, y = values.real(value[0]), values.real(value[1])
    if x is None or y is None or not (-1 <= x <= 1 and -1 <= y <= 1):
        return None
    return (x, y)
