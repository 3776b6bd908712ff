"""What a person wrote, made into a note or a profile that can be judged: checked, rendered, its people and
pictures found."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from compliance import comments
from compliance.activity import Attachment, Field, MediaId, Note, PostId, Profile, Uri, Visibility

from . import documents
from .errors import Invalid
from .pipeline import Road
from .store import deeds, handles, posts
from .store.model import AccountView, MediaView, PostView
from .text import markup

NAME_LENGTH = 50
BIO_LENGTH = 1_000
FIELDS = 10
FIELD_LENGTH = 255
ALT_LENGTH = 1_500
COMMENT_LENGTH = 1_000
LOCAL_MENTIONS = 50
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

Resolve: TypeAlias = Callable[[Sequence[str]], Awaitable[None]]
"""Makes handles of other servers known here, as far as they exist; failing is no error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A post before it is judged. `descriptions` are new alt texts for pictures, by their ids."""

    text: str
    spoiler: str = ""
    sensitive: bool = False
    visibility: Visibility = Visibility.PUBLIC
    language: str | None = None
    in_reply_to_id: PostId | None = None
    media_ids: tuple[MediaId, ...] = ()
    descriptions: Mapping[MediaId, str] = field(default_factory=dict)
    app_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileDraft:
    """A profile before it is judged; pictures are uploads of the same person."""

    display_name: str = ""
    text: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    avatar_media_id: MediaId | None = None
    header_media_id: MediaId | None = None
    locked: bool = False
    bot: bool = False
    discoverable: bool = True
    indexable: bool = False


def check(road: Road, draft: Draft) -> None:
    """Raises `Invalid` for a draft that no server would take."""
    limits = road.settings.posts
    if not markup.is_seen(draft.text) and not draft.media_ids:
        raise Invalid("Write something, or add a picture", field="text")
    if markup.count(draft.text) + len(draft.spoiler) > limits.max_chars:
        raise Invalid("The post is longer than %(limit)s characters", field="text", limit=limits.max_chars)
    if len(draft.media_ids) > limits.max_media:
        raise Invalid("A post has at most %(limit)s pictures", field="media_ids", limit=limits.max_media)
    if len(set(draft.media_ids)) != len(draft.media_ids):
        raise Invalid("A picture is named twice", field="media_ids")
    if draft.language is not None and not _LANGUAGE.fullmatch(draft.language):
        raise Invalid("This is not a language code", field="language")


def is_said(post: PostView, draft: Draft) -> bool:
    """Whether a post says just that already. It is then no edit: no version is kept, and nobody is told."""
    words = {media.id: media.description for media in post.media}
    stands = (post.source, post.spoiler, post.sensitive, post.language, tuple(words), words)
    sensitive = draft.sensitive or bool(draft.spoiler.strip())
    wanted = (draft.text, draft.spoiler, sensitive, draft.language, draft.media_ids)
    return stands == (*wanted, {**words, **draft.descriptions})


async def note(
    road: Road,
    me: AccountView,
    draft: Draft,
    *,
    uri: Uri,
    url: str,
    resolve: Resolve | None,
    before: PostView | None = None,
) -> Note:
    """The note of a draft. `before` is the post as it stands, where this is an edit of it."""
    named = markup.handles(draft.text)
    async with road.pool.acquire() as conn:
        answered = before.in_reply_to_uri if before else None
        if draft.in_reply_to_id is not None:
            parent = await posts.get(conn, draft.in_reply_to_id, me.id, uris=road.uris)
            answered = (parent.boost_of or parent).uri
        pictures = await deeds.pictures(
            conn, draft.media_ids, me.id, uris=road.uris, post_id=before.id if before else None
        )
        known = await handles.find(conn, named, uris=road.uris)
        policy = await comments.get_policy(conn, me.id)
        if before is not None:
            policy = (await comments.policies_of(conn, [before.id])).get(before.id, comments.Policy())
    if len(pictures) != len(draft.media_ids):
        raise Invalid("There is no such picture, or it is on another post", field="media_ids")
    strangers = [h for h in named if h not in known and "@" in h]
    if strangers and resolve is not None:
        await resolve(strangers)
        async with road.pool.acquire() as conn:
            known |= await handles.find(conn, strangers, uris=road.uris)
    if sum(road.uris.is_ours(k.uri) for k in known.values()) > LOCAL_MENTIONS:
        raise Invalid("A post names at most %(limit)s people", field="text", limit=LOCAL_MENTIONS)
    words = markup.render(draft.text, mentions=_people(known), tag_url=road.uris.tag_page)
    by_id = {m.id: m for m in pictures}
    return Note(
        uri=uri,
        author=me.uri,
        url=url,
        html=words.html,
        text=words.text,
        source=draft.text,
        spoiler=" ".join(draft.spoiler.split()),
        sensitive=draft.sensitive or bool(draft.spoiler.strip()),
        language=draft.language,
        visibility=draft.visibility,
        in_reply_to=answered,
        mentions=words.mentions,
        tags=words.tags,
        attachments=tuple(_attachment(by_id[i], draft.descriptions.get(i)) for i in draft.media_ids),
        app=draft.app_id,
        can_reply=documents.control_of(policy, me.username, road.uris),
        published=before.created_at if before else road.clock(),
        updated=road.clock() if before else None,
    )


def _people(known: Mapping[str, handles.Known]) -> dict[str, markup.Person]:
    return {handle: markup.Person(k.uri, k.url, k.handle) for handle, k in known.items()}


def _attachment(picture: MediaView, description: str | None = None) -> Attachment:
    return Attachment(
        url=picture.url,
        mime=picture.mime,
        alt=picture.description if description is None else alt(description),
        media_id=picture.id,
        width=picture.width,
        height=picture.height,
        focus=picture.focus,
        blurhash=picture.blurhash,
    )


def _picture(pictures: Mapping[MediaId, MediaView], media_id: MediaId | None) -> Attachment | None:
    return _attachment(pictures[media_id]) if media_id is not None else None


def comment(words: str) -> str:
    """What a complaint says; raises `Invalid` for more than anybody would read."""
    if len(words) > COMMENT_LENGTH:
        raise Invalid(
            "The comment is longer than %(limit)s characters", field="comment", limit=COMMENT_LENGTH
        )
    return words.strip()


def alt(description: str) -> str:
    """A picture's description as it is stored."""
    if len(description) > ALT_LENGTH:
        raise Invalid(
            "The description is longer than %(limit)s characters", field="description", limit=ALT_LENGTH
        )
    return description.strip()


async def profile(road: Road, me: AccountView, draft: ProfileDraft) -> Profile:
    """The profile of a draft; raises `Invalid` for what cannot be one."""
    if len(draft.display_name) > NAME_LENGTH:
        raise Invalid("The name is longer than %(limit)s characters", field="display_name", limit=NAME_LENGTH)
    if markup.count(draft.text) > BIO_LENGTH:
        raise Invalid("The text is longer than %(limit)s characters", field="note", limit=BIO_LENGTH)
    rows = [(name.strip(), value.strip()) for name, value in draft.fields if name.strip() or value.strip()]
    if len(rows) > FIELDS:
        raise Invalid("There are more than %(limit)s rows", field="fields", limit=FIELDS)
    if any(len(part) > FIELD_LENGTH for row in rows for part in row):
        raise Invalid("A row is longer than %(limit)s characters", field="fields", limit=FIELD_LENGTH)
    wanted = [i for i in (draft.avatar_media_id, draft.header_media_id) if i is not None]
    async with road.pool.acquire() as conn:
        pictures = {m.id: m for m in await deeds.pictures(conn, wanted, me.id, uris=road.uris, loose=False)}
        known = await handles.find(conn, markup.handles(draft.text), uris=road.uris)
    if set(wanted) - set(pictures):
        raise Invalid("There is no such picture", field="avatar")
    bio = markup.render(draft.text, mentions=_people(known), tag_url=road.uris.tag_page)
    values = [(name, markup.render_field(value)) for name, value in rows]
    return Profile(
        display_name=" ".join(draft.display_name.split()),
        html=bio.html,
        text=bio.text,
        source=draft.text,
        fields=tuple(Field(name=name, value=value.html, text=value.text) for name, value in values),
        avatar=_picture(pictures, draft.avatar_media_id),
        header=_picture(pictures, draft.header_media_id),
        locked=draft.locked,
        bot=draft.bot,
        discoverable=draft.discoverable,
        indexable=draft.indexable,
    )
