"""Posts: written, read, changed, withdrawn, and what stands around them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import web

from compliance.activity import MediaId, PostId, Visibility

from .. import acts, keys
from ..drafts import Draft
from ..errors import Invalid, NotFound
from ..http import body, limits
from ..http.auth import person, viewer_id
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..pipeline import Once
from ..store import accounts, posts, timelines
from ..store.model import Entry, PostView, Version
from . import answers, entities, preferences, render, resolving, scheduled, schemas
from .moments import stamp
from .render import RENDERER

_MAX_KEY = 255
_MOST = 20
VISIBILITIES: Mapping[str, Visibility] = {shown: ours for ours, shown in render.VISIBILITIES.items()}


@needs("write:statuses", reach=Reach.OWN, limit=limits.POSTING)
async def create(request: web.Request) -> web.Response:
    """Publishes a post or a reply, or keeps it for its time; with an Idempotency-Key, once however often it
    is sent."""
    me = person(request)
    new = await body.to(request, schemas.NewStatus)
    _refuse_absent(new)
    defaults = preferences.chosen_by(me)
    draft = Draft(
        text=new.status,
        spoiler=new.spoiler_text,
        sensitive=defaults.sensitive if new.sensitive is None else new.sensitive,
        visibility=visibility_of(new.visibility or defaults.visibility),
        language=new.language or defaults.language,
        in_reply_to_id=None if new.in_reply_to_id is None else PostId(answers.known_id(new.in_reply_to_id)),
        media_ids=tuple(MediaId(answers.known_id(id_)) for id_ in new.media_ids),
        app_id=me.app_id,
    )
    due_at = scheduled.when(new.scheduled_at)
    if due_at is not None and scheduled.is_later(request, due_at):
        return await scheduled.keep(request, draft, due_at, _once(request))
    post_id = await acts.publish(
        request.app[keys.ROAD],
        me.me,
        draft,
        source=source_of(request),
        once=_once(request),
        resolve=resolving.handles(request),
    )
    return await one(request, post_id)


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def show(request: web.Request) -> web.Response:
    """One post."""
    return await one(request, answers.post_id(request))


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def several(request: web.Request) -> web.Response:
    """Several posts by their ids; those that are not to be seen are left out."""
    ids = [PostId(id_) for id_ in body.query(request, schemas.Several).id]
    if len(ids) > _MOST:
        raise Invalid("At most %(limit)s ids", field="id", limit=_MOST)
    viewer = viewer_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        entries = await posts.entries(
            conn, [id_ for id_ in ids if answers.is_id(id_)], viewer, uris=request.app[keys.URIS]
        )
    return answers.json(request.app[RENDERER].statuses(entries, known=viewer is not None))


@needs("write:statuses", reach=Reach.OWN, limit=limits.POSTING)
async def edit(request: web.Request) -> web.Response:
    """Gives a post new words."""
    me, post_id = person(request), answers.post_id(request)
    change = await body.to(request, schemas.ChangedStatus)
    if change.poll is not None:
        raise Invalid("Polls are not available on this server", field="poll")
    post = await _own(request, post_id)
    media_ids = (
        tuple(media.id for media in post.media)
        if change.media_ids is None
        else tuple(MediaId(answers.known_id(id_)) for id_ in change.media_ids)
    )
    draft = Draft(
        text=(post.source or "") if change.status is None else change.status,
        spoiler=post.spoiler if change.spoiler_text is None else change.spoiler_text,
        sensitive=post.sensitive if change.sensitive is None else change.sensitive,
        language=change.language,
        media_ids=media_ids,
        descriptions={
            MediaId(each.id): each.description
            for each in change.media_attributes
            if each.description is not None
        },
    )
    await acts.edit(
        request.app[keys.ROAD],
        me.me,
        post_id,
        draft,
        source=source_of(request),
        resolve=resolving.handles(request),
    )
    return await one(request, post_id)


@needs("write:statuses", reach=Reach.OWN)
async def delete(request: web.Request) -> web.Response:
    """Withdraws a post, and gives its words back so that it can be written anew."""
    me, post_id = person(request), answers.post_id(request)
    uris = request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        entry = await posts.get_entry(conn, post_id, me.id, uris=uris)
    await acts.delete(request.app[keys.ROAD], me.me, post_id, source=source_of(request))
    rendered = request.app[RENDERER].entry(entry, known=True)
    source = msgspec.json.encode(entry.view.source or "")
    return answers.json(rendered.replace(b'"text":null', b'"text":' + source, 1))


@needs("read:statuses", reach=Reach.OWN)
async def source(request: web.Request) -> web.Response:
    """One's own post as one typed it."""
    post = await _own(request, answers.post_id(request))
    return answers.entity(entities.StatusSource(str(post.id), post.source or "", post.spoiler))


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def history(request: web.Request) -> web.Response:
    """How a post read before each edit, and how it reads now."""
    post_id, viewer, uris = answers.post_id(request), viewer_id(request), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        post = await posts.get(conn, post_id, viewer, uris=uris)
        versions = await posts.history(conn, post_id, viewer, uris=uris)
    author = render.raw(request.app[RENDERER].account(post.account))
    return answers.entity([_edit(version, author) for version in versions])


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def context(request: web.Request) -> web.Response:
    """What a post answers, and what answers it."""
    post_id, viewer, uris = answers.post_id(request), viewer_id(request), request.app[keys.URIS]
    async with request.app[keys.POOL].acquire() as conn:
        above, below = await timelines.thread(conn, post_id, viewer)
        entries = await posts.entries(conn, [*above, *below], viewer, uris=uris)
    ancestors = set(above)
    renderer, known = request.app[RENDERER], viewer is not None

    def side(is_above: bool) -> msgspec.Raw:
        chosen = (entry for entry in entries if (entry.view.id in ancestors) is is_above)
        return render.raw(renderer.statuses(chosen, known=known))

    return answers.entity(entities.Context(side(True), side(False)))


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def liked_by(request: web.Request) -> web.Response:
    """Who favourited a post."""
    page, viewer = answers.page_of(request, usual=40, most=80), viewer_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        rows = await posts.liked_by(conn, answers.post_id(request), viewer, page)
        views = await accounts.load_in_order(conn, [row.id for row in rows], uris=request.app[keys.URIS])
    return answers.accounts(request, views, rows)


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def boosted_by(request: web.Request) -> web.Response:
    """Who boosted a post."""
    page, viewer = answers.page_of(request, usual=40, most=80), viewer_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        rows = await posts.boosted_by(conn, answers.post_id(request), viewer, page)
        views = await accounts.load_in_order(conn, [row.id for row in rows], uris=request.app[keys.URIS])
    return answers.accounts(request, views, rows)


async def one(request: web.Request, post_id: PostId) -> web.Response:
    """The answer that is one post, as the caller sees it."""
    viewer = viewer_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        entry: Entry = await posts.get_entry(conn, post_id, viewer, uris=request.app[keys.URIS])
    return answers.json(request.app[RENDERER].entry(entry, known=viewer is not None))


def visibility_of(text: str) -> Visibility:
    """The visibility that Mastodon calls `text`."""
    found = VISIBILITIES.get(text)
    if found is None:
        raise Invalid("There is no such visibility", field="visibility")
    return found


async def _own(request: web.Request, post_id: PostId) -> PostView:
    """One's own post; for somebody else's, what is answered for one that is not there."""
    me = person(request)
    async with request.app[keys.POOL].acquire() as conn:
        post = await posts.get(conn, post_id, me.id, uris=request.app[keys.URIS])
    if post.account.id != me.id or post.boost_of is not None:
        raise NotFound
    return post


def _once(request: web.Request) -> Once | None:
    key = request.headers.get("Idempotency-Key")
    if not key:
        return None
    if len(key) > _MAX_KEY:
        raise Invalid("The Idempotency-Key is longer than %(limit)s characters", limit=_MAX_KEY)
    if not key.isprintable():
        raise Invalid("The Idempotency-Key holds a character that cannot be kept")
    return Once(person(request).id, key)


def _refuse_absent(new: schemas.NewStatus) -> None:
    if new.poll is not None:
        raise Invalid("Polls are not available on this server", field="poll")
    if new.quoted_status_id is not None or new.quote_id is not None:
        raise Invalid("Quotes are not available on this server", field="quoted_status_id")


def _edit(version: Version, author: msgspec.Raw) -> entities.StatusEdit:
    return entities.StatusEdit(
        content=version.html,
        spoiler_text=version.spoiler,
        sensitive=version.sensitive,
        created_at=stamp(version.created_at),
        account=author,
        media_attachments=[render.media(media) for media in version.media],
    )
