"""The form in which people write: what it shows at first, and what it sends made into a draft."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from compliance import decisions
from compliance.activity import MediaId, PostId, Visibility
from compliance.verdict import Reason

from .. import keys, uploads
from ..acts import Draft, NotPublished
from ..db.pool import Connection
from ..errors import Invalid
from ..http.auth import Viewer, person
from ..http.body import Body, Upload
from ..http.errors import locale_of
from ..http.source import source_of
from ..i18n import mark
from ..media.model import Shape
from ..pages import moments, wording
from ..pages.render import local_path, say
from ..pages.windows import number
from ..store import media, members
from ..store.model import AccountView, MediaView, PostView
from ..text import markup

_SLACK: Final = 512 * 1024
_AROUND: Final = 24
VISIBILITIES: Final = (
    (Visibility.PUBLIC, mark("Public: everybody, and in the timelines")),
    (Visibility.UNLISTED, mark("Unlisted: everybody, but not in the timelines")),
    (Visibility.FOLLOWERS, mark("Followers: people who follow you")),
    (Visibility.DIRECT, mark("Mentioned: only the people you name")),
)
LANGUAGES: Final = (
    ("zh", "中文"),
    ("en", "English"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("fr", "Français"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("pt", "Português"),
    ("ru", "Русский"),
    ("ar", "العربية"),
    ("vi", "Tiếng Việt"),
    ("ug", "ئۇيغۇرچە"),
    ("bo", "བོད་སྐད་"),
)
# Mastodon's name for it, which the API stores.
_PRIVATE: Final = {"private": Visibility.FOLLOWERS}


@dataclass(slots=True, kw_only=True)
class Sheet:
    """What the composer shows."""

    action: str
    key: str
    label: str
    submit: str
    next: str
    back: str
    limit: int
    most_media: int
    visibility: str
    visibilities: Sequence[tuple[str, str]]
    language: str
    languages: Sequence[tuple[str, str]] = LANGUAGES
    text: str = ""
    spoiler: str = ""
    sensitive: bool = False
    media: Sequence[MediaView] = ()
    in_reply_to_id: PostId | None = None
    replying_to: str = ""
    due_at: str = ""
    zone: str = ""
    zones: Sequence[tuple[str, str]] = ()
    """Where a time can be chosen; nowhere for an edit."""
    once: str = field(default_factory=lambda: secrets.token_urlsafe(12))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate said, for the verdict panel."""

    state: str
    title: str
    happened: str
    next_step: str
    article: str
    link: tuple[str, str] | None = None
    quote: str = ""
    """A reviewer's statement."""
    parts: Sequence[wording.Part] = ()
    """The words around what a rule matched, with that marked."""


async def fresh(
    request: web.Request,
    conn: Connection,
    *,
    next_: str,
    parent: PostView | None = None,
    to: str = "",
    key: str = "home",
) -> Sheet:
    """An empty sheet with the person's own choices; for a reply, with those it answers named."""
    me = person(request)
    # An organisation has no choices of its own: those of whoever acts for it are theirs alone.
    chosen = {} if me.by else (await members.get(conn, me.id)).preferences
    visibility = _visibility(str(chosen.get("visibility", "")))
    text = f"@{to} " if to else ""
    if parent is not None:
        visibility = max(visibility, parent.visibility, key=_narrowness)
        text = "".join(f"@{handle} " for handle in _named(parent, me.me))
    settings = request.app[keys.SETTINGS].posts
    return Sheet(
        action="/compose",
        key=f"reply-{parent.id}" if parent else key,
        label=say(request, "Your reply") if parent else say(request, "What is happening?"),
        submit=say(request, "Reply") if parent else say(request, "Publish"),
        next=next_,
        back=next_,
        limit=settings.max_chars,
        most_media=settings.max_media,
        visibility=visibility,
        visibilities=visibilities(request),
        language=str(chosen.get("language") or locale_of(request).partition("-")[0]),
        text=text,
        spoiler=parent.spoiler if parent else "",
        sensitive=chosen.get("sensitive") is True,
        in_reply_to_id=parent.id if parent else None,
        replying_to=parent.account.handle if parent else "",
        zone=moments.usual_zone(request),
        zones=moments.zones(request),
    )


def visibilities(request: web.Request) -> list[tuple[str, str]]:
    """The choices of who sees a post, with what each means."""
    return [(visibility.value, say(request, words)) for visibility, words in VISIBILITIES]


def for_edit(request: web.Request, post: PostView) -> Sheet:
    """A sheet with a post that exists; who sees it cannot be changed."""
    settings = request.app[keys.SETTINGS].posts
    return Sheet(
        action=f"/posts/{post.id}/edit",
        key=f"edit-{post.id}",
        label=say(request, "What is happening?"),
        submit=say(request, "Save"),
        next=f"/@{post.account.handle}/{post.id}",
        back=f"/@{post.account.handle}/{post.id}",
        limit=settings.max_chars,
        most_media=settings.max_media,
        visibility=post.visibility,
        visibilities=(),
        language=post.language or locale_of(request).partition("-")[0],
        text=post.source or post.text,
        spoiler=post.spoiler,
        sensitive=post.sensitive,
        media=post.media,
    )


async def fill(
    request: web.Request, conn: Connection, sheet: Sheet, form: Body, kept: Sequence[MediaId]
) -> None:
    """Puts what was sent back into the sheet: nobody types twice because of a refusal.

    The key is a new one: other words are another post, not the one that was answered.
    """
    sheet.text = form.text("status")
    sheet.spoiler = form.text("spoiler_text")
    sheet.sensitive = bool(form.text("sensitive"))
    sheet.visibility = form.text("visibility") or sheet.visibility
    sheet.language = form.text("language") or sheet.language
    sheet.next = local_path(form.text("next"), sheet.next)
    sheet.due_at, sheet.zone = form.text("due_at"), form.text("zone") or sheet.zone
    sheet.media = await media.load(conn, list(kept), person(request).id, uris=request.app[keys.URIS])


def form_limit(request: web.Request) -> int:
    """The most bytes of a form with as many pictures as a post may have."""
    settings = request.app[keys.SETTINGS]
    return settings.posts.max_media * settings.media.max_image_bytes + _SLACK


async def take_pictures(request: web.Request, form: Body) -> list[MediaId]:
    """Brings the new pictures of a form here, and names them after those it kept."""
    kept = [MediaId(found) for text in form.texts("media_id") if (found := number(text)) is not None]
    sent = form.uploads("media")
    most = request.app[keys.SETTINGS].posts.max_media
    if len(kept) + len(sent) > most:
        raise Invalid("A post has at most %(limit)s pictures", field="media_ids", limit=most)
    described = form.texts("alt") or form.text("alts").splitlines()
    for place, upload in enumerate(sent):
        words = described[place] if place < len(described) else ""
        kept.append(await bring(request, person(request), upload, description=words))
    return kept


async def bring(
    request: web.Request, me: Viewer, upload: Upload, *, description: str = "", shape: Shape = Shape.PICTURE
) -> MediaId:
    """Brings a picture of the person here."""
    return await uploads.bring(
        request.app[keys.ROAD],
        me.me,
        upload,
        source=source_of(request),
        description=description.strip(),
        shape=shape,
    )


def draft_of(form: Body, pictures: Sequence[MediaId]) -> Draft:
    """What the form says, as a draft."""
    descriptions = {
        media_id: form.text(f"description-{media_id}")
        for media_id in pictures
        if f"description-{media_id}" in form.params
    }
    parent = number(form.text("in_reply_to_id"))
    return Draft(
        text=form.text("status").replace("\r\n", "\n"),
        spoiler=form.text("spoiler_text"),
        sensitive=bool(form.text("sensitive")),
        visibility=_visibility(form.text("visibility")),
        language=form.text("language") or None,
        in_reply_to_id=PostId(parent) if parent is not None else None,
        media_ids=tuple(pictures),
        descriptions=descriptions,
    )


async def matched(request: web.Request, stopped: NotPublished, text: str) -> list[wording.Part]:
    """Where in a post's text a rule matched, with a little of what stands around it."""
    if stopped.stopped.reason is not Reason.WORDS:
        return []
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        decision = await decisions.get(conn, stopped.stopped.decision_id)
    spans = wording.spans(decision.findings, "text")
    if not spans:
        return []
    # What is judged is the text as it would be read, not as it was typed.
    words = markup.render(text, mentions={}, tag_url=road.uris.tag_page).text
    start, end = max(spans[0][0] - _AROUND, 0), min(spans[0][1] + _AROUND, len(words))
    near = [(first - start, last - start) for first, last in spans if first >= start and last <= end]
    return wording.marked(words[start:end], near)


def answer_of(request: web.Request, stopped: NotPublished, parts: Sequence[wording.Part] = ()) -> Answer:
    """The verdict panel for what the gate did not let through."""
    held = stopped.stopped.is_held
    link = None
    me = person(request)
    if me.by is not None and stopped.stopped.reason.startswith("identity"):
        link = (f"/org/{me.me.username}/duties", say(request, "See what is missing"))
    elif stopped.stopped.reason.startswith("identity"):
        link = ("/settings/identity", say(request, "Verify now"))
    elif stopped.stopped.reason == "front_name_required":
        link = ("/settings/certification/name", say(request, "Show it"))
    elif stopped.stopped.reason == "agreement_required":
        link = ("/settings/account", say(request, "Read and accept"))
    else:
        link = (f"/my/decisions/{stopped.stopped.decision_id}", say(request, "See the decision"))
    return Answer(
        state="held" if held else "refused",
        title=say(request, "Under review") if held else say(request, stopped.title),
        happened=say(request, stopped.message, **stopped.values),
        next_step=say(request, stopped.next_step),
        article=stopped.stopped.reason.article,
        link=link,
        parts=parts,
    )


def _visibility(text: str) -> Visibility:
    if text in _PRIVATE:
        return _PRIVATE[text]
    return Visibility(text) if text in {each.value for each in Visibility} else Visibility.PUBLIC


def _narrowness(visibility: Visibility) -> int:
    return list(Visibility).index(visibility)


def _named(parent: PostView, me: AccountView) -> list[str]:
    handles = [parent.account.handle, *(mention.handle for mention in parent.mentions)]
    return [handle for handle in dict.fromkeys(handles) if handle != me.handle]
