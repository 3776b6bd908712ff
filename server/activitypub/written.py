"""What a client writes to the outbox, made into the notes and profiles that the acts take.

Words come as HTML (`content`), or as plain text (`source`, or a `content` without mark-up). HTML is cleaned
like any server's and kept; plain text is rendered like what is typed on the pages. `bto` and `bcc` are
addressed and not shown (section 6 of ActivityPub).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiohttp import web
from yarl import URL

from compliance.activity import MediaId, Note, PostId, Uri, Visibility
from compliance.records import Source
from federation import addressing, html, parse
from federation.errors import RemoteFault
from federation.fetch import Budget, Client
from federation.parse import values
from federation.wire import Document, Value

from .. import acts, drafts, keys, remote
from ..drafts import Draft, ProfileDraft
from ..errors import Invalid
from ..http.auth import Viewer, person
from ..http.source import source_of
from ..pipeline import Once, Road
from ..store import accounts, media, posts
from ..store.model import AccountView, PostView
from ..uris import Uris

KINDS = frozenset({"Note"})
MAX_COMMENT = 10_000
_STRANGERS = 10
_PATIENCE = 8.0
_MARKUP = re.compile(r"[<&]")
_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Writer:
    """Whoever writes, and on what."""

    road: Road
    client: Client
    me: AccountView
    app_id: int | None
    source: Source

    @classmethod
    def of(cls, request: web.Request) -> Writer:
        me: Viewer = person(request)
        app = request.app
        return cls(app[keys.ROAD], app[keys.CLIENT], me.me, me.app_id, source_of(request))


async def publish(writer: Writer, document: Document, carrier: Document, *, once: Once | None) -> PostId:
    """Publishes the note in `document`, which came in the activity `carrier`."""
    road, me = writer.road, writer.me
    post_id = PostId(road.ids())
    uri = road.uris.post(me.username, post_id)
    url = road.uris.post_page(me.username, post_id)
    told = _parsed(road, me, document, uri, carrier=carrier)
    people = [*(mention.uri for mention in told.mentions), *told.addressed, *told.unseen]
    if told.visibility is Visibility.DIRECT and not people:
        raise Invalid("Say whom the note is for: to, cc, bto or bcc", field="to")
    await _meet(writer, people)
    draft = await _draft(writer, document, told)
    drafts.check(road, draft)
    note = await drafts.note(road, me, draft, uri=uri, url=url, resolve=None)
    return await acts.say(road, me, _merged(note, told, document), source=writer.source, once=once)


async def edit(writer: Writer, post: PostView, document: Document) -> Uri:
    """Gives a post of the writer's new words; who it is addressed to stays as it was."""
    road, me = writer.road, writer.me
    if post.account.id != me.id or post.boost_of is not None:
        raise Invalid("Only your own posts can be updated", field="object")
    told = _parsed(road, me, document, post.uri, carrier={"to": [addressing.PUBLIC]})
    kept = await _draft(writer, document, told)
    if "attachment" not in document:
        kept = replace(kept, media_ids=tuple(picture.id for picture in post.media))
    kept = replace(kept, visibility=post.visibility, in_reply_to_id=None)
    drafts.check(road, kept)
    note = await drafts.note(road, me, kept, uri=post.uri, url=post.url, resolve=None, before=post)
    written = replace(_merged(note, told, document), addressed=(), unseen=())
    return await acts.say_anew(road, me, written, source=writer.source)


async def change_profile(writer: Writer, document: Document) -> Uri:
    """Shows a new profile; what `document` does not name stays."""
    road = writer.road
    async with road.pool.acquire() as conn:
        now = await accounts.get(conn, writer.me.id, uris=road.uris)
        avatar, header = await accounts.pictures_of(conn, writer.me.id)
    draft = ProfileDraft(
        display_name=values.line(document["name"], 500) if "name" in document else now.display_name,
        text=_plain(document, "summary") if "summary" in document else now.source or "",
        fields=_fields(document) if "attachment" in document else tuple((f.name, f.text) for f in now.fields),
        avatar_media_id=await _picture(writer, document["icon"]) if "icon" in document else avatar,
        header_media_id=await _picture(writer, document["image"]) if "image" in document else header,
        locked=_switch(document, "manuallyApprovesFollowers", now.locked),
        bot=now.bot,
        discoverable=_switch(document, "discoverable", now.discoverable),
        indexable=_switch(document, "indexable", now.indexable),
    )
    return await acts.update_profile(road, writer.me, draft, source=writer.source)


def audience(document: Document, me: AccountView, uris: Uris) -> Visibility:
    """How widely a boost goes; one that does not say is public."""
    to, cc = document.get("to"), document.get("cc")
    if not (values.each(to) or values.each(cc)):
        return Visibility.PUBLIC
    found = addressing.read(
        values.addressees(to),
        values.addressees(cc),
        named=[*values.ids(to), *values.ids(cc)],
        author=me.uri,
        followers=Uri(uris.followers(me.username)),
    )
    return found.visibility


def _parsed(road: Road, me: AccountView, document: Document, uri: Uri, *, carrier: Document) -> Note:
    """The note as it would be read from another server, under an address of ours; addressed as it and the
    activity around it say together."""
    seen = _both("to", document, carrier), _both("cc", document, carrier)
    unseen = [*_both("bto", document, carrier), *_both("bcc", document, carrier)]
    dropped = ("published", "updated", "url", "actor", "bto", "bcc")
    whole = {name: value for name, value in document.items() if name not in dropped}
    try:
        told = parse.note(
            {**whole, "id": uri, "attributedTo": me.uri, "to": seen[0], "cc": [*seen[1], *unseen]},
            now=road.clock(),
            speaker=me.uri,
            followers=Uri(road.uris.followers(me.username)),
        )
    except RemoteFault as fault:
        raise Invalid("The note cannot be read", field="object") from fault
    hidden = set(values.ids(unseen)) - set(values.ids([*seen[0], *seen[1]]))
    return replace(
        told,
        addressed=tuple(uri for uri in told.addressed if uri not in hidden),
        unseen=tuple(uri for uri in told.addressed if uri in hidden),
    )


def _both(name: str, document: Document, carrier: Document) -> list[Value]:
    return [each for one in (document, carrier) for each in values.each(one.get(name))]


async def _draft(writer: Writer, document: Document, told: Note) -> Draft:
    return Draft(
        text=_plain(document, "content"),
        spoiler=told.spoiler,
        sensitive=told.sensitive,
        visibility=told.visibility,
        language=told.language,
        in_reply_to_id=await _answered(writer, told.in_reply_to),
        media_ids=await _media(writer, document.get("attachment")),
        app_id=writer.app_id,
    )


def _merged(note: Note, told: Note, document: Document) -> Note:
    """The note as drafted, with the client's own HTML and addressing where it brought some."""
    if _is_plain(document):
        named = {mention.uri for mention in note.mentions}
        others = (*(mention.uri for mention in told.mentions), *told.addressed)
        addressed = tuple(uri for uri in others if uri not in named)
        return replace(note, addressed=addressed, unseen=told.unseen)
    return replace(
        note,
        html=told.html,
        text=told.text,
        mentions=told.mentions,
        addressed=told.addressed,
        unseen=told.unseen,
        tags=told.tags or note.tags,
    )


def _is_plain(document: Document) -> bool:
    """Whether the words are typed text rather than HTML."""
    source = document.get("source")
    if isinstance(source, dict) and isinstance(source.get("content"), str):
        return source.get("mediaType") in (None, "text/plain")
    return not _MARKUP.search(values.text(values.worded(document, "content"), _LONGEST))


def _plain(document: Document, name: str) -> str:
    """The words of `name` as somebody would type them."""
    source = document.get("source")
    if _is_plain(document) and isinstance(source, dict):
        return values.text(source.get("content"), _LONGEST)
    return html.clean(values.text(values.worded(document, name), _LONGEST)).text


def _fields(document: Document) -> tuple[tuple[str, str], ...]:
    return tuple(
        (values.line(item.get("name"), 500), html.clean(values.text(item.get("value"), 2_000)).text)
        for item in values.objects(document.get("attachment"))
        if "PropertyValue" in values.types(item)
    )


def _switch(document: Document, name: str, now: bool) -> bool:
    return values.flag(document[name]) if name in document else now


async def _answered(writer: Writer, uri: Uri | None) -> PostId | None:
    """The post that is answered, brought here if need be."""
    if uri is None:
        return None
    road = writer.road
    async with road.pool.acquire() as conn:
        found = road.uris.post_in(uri) or await posts.find_id_by_uri(conn, uri)
    if found is None and not road.uris.is_ours(uri) and road.settings.federation.enabled:
        with contextlib.suppress(RemoteFault):
            found = await remote.post(road, writer.client, uri, budget=Budget(200))
    if found is None:
        raise Invalid("The post that this answers is not here", field="inReplyTo")
    return found


async def _media(writer: Writer, attachment: Value) -> tuple[MediaId, ...]:
    """The writer's own uploads that the note shows; pictures of other servers are not taken over."""
    found = [await _picture(writer, item) for item in values.objects(attachment)]
    return tuple(media_id for media_id in found if media_id is not None)


async def _picture(writer: Writer, document: Value) -> MediaId | None:
    item = next(values.objects(document), None)
    if item is None:
        return None
    url = values.find_id(item.get("url") or item.get("href"))
    async with writer.road.pool.acquire() as conn:
        name = URL(url).name if url is not None and writer.road.uris.is_ours(url) else ""
        media_id = await media.find_own(conn, name, writer.me.id)
    if media_id is None:
        raise Invalid("Upload the picture here first, then name its address", field="attachment")
    return media_id


async def _meet(writer: Writer, people: Sequence[Uri]) -> None:
    """Makes strangers known who are addressed, as far as their servers answer in time."""
    road = writer.road
    if not road.settings.federation.enabled:
        return
    async with road.pool.acquire() as conn:
        known = await accounts.find_ids_by_uri(conn, people)
    strangers = [uri for uri in people if uri not in known and not road.uris.is_ours(uri)][:_STRANGERS]

    async def meet(uri: Uri) -> None:
        with contextlib.suppress(RemoteFault):
            await remote.actor(road, writer.client, uri, budget=Budget(8))

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await asyncio.gather(*map(meet, strangers))
