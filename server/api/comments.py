"""The comments under one's own posts, for apps: the queue, what is done about them, and who may write them.

They are those of the account that the token acts for: with `Yanlu-Acting-For`, an organisation's, as far as
the person's role includes its comments.
"""

from __future__ import annotations

import enum
from typing import Annotated, TypeVar

from aiohttp import web
from msgspec import Meta, Raw, Struct

from compliance import commentqueue, comments
from compliance.activity import AccountId, PostId
from compliance.commentqueue import Comment
from compliance.comments import Mode, Override, Policy, Sensitivity, State, Who
from compliance.errors import NotAllowed
from compliance.organisations import Act

from .. import keys, moderating
from ..db.pool import Connection
from ..errors import Forbidden, Invalid, NotFound
from ..http import body
from ..http.auth import person, viewer
from ..http.routes import Reach, needs
from ..http.source import source_of
from ..moderating import Deed
from ..store import accounts, posts
from . import answers, render, schemas
from .moments import maybe_stamp, stamp
from .render import RENDERER

E = TypeVar("E", bound=enum.StrEnum)


class CommentEntity(Struct, kw_only=True):
    """One comment. `status` is there while the post is; `content` also of what was removed."""

    id: str
    state: str
    pinned: bool
    blocked: bool
    """Whether its author may not comment any more."""
    settled: bool
    """Whether the operators decided on appeal that it stands."""
    account: Raw
    content: str
    status: Raw | None
    in_reply_to_id: str
    thread_id: str
    created_at: str
    decided_at: str | None


class FiguresEntity(Struct, kw_only=True):
    """What is to be done, and how fast it was done; the median in seconds, of the last thirty days."""

    waiting: int
    oldest_at: str | None
    median_seconds: int | None


class PolicyEntity(Struct, kw_only=True):
    """Who may comment, and what becomes of a comment."""

    who: str
    mode: str
    sensitivity: str
    words: list[str]


class PostPolicy(Struct, kw_only=True):
    """What one post has instead; `null` is as the account's policy says."""

    who: str | None
    mode: str | None


class Moved(Struct, kw_only=True):
    """Which comments were moved, and which stay because the operators decided so."""

    moved: list[str]
    kept: list[str]


class Referred(Struct):
    """How many complaints were made."""

    reports: int


class Blocked(Struct, kw_only=True):
    """Somebody who may not comment, and what they were told."""

    account: Raw
    statement: str
    created_at: str


class Decision(Struct):
    """What is to be done about which comments, and why: in own words, by a reason's name, or both."""

    ids: schemas.Ids = []
    reason: schemas.Short = ""
    statement: Annotated[str, Meta(max_length=moderating.STATEMENT_LENGTH)] = ""


class PolicyChange(Struct):
    """A change of a policy; what is left out stays."""

    who: schemas.Short | None = None
    mode: schemas.Short | None = None
    sensitivity: schemas.Short | None = None
    words: Annotated[list[schemas.Short], Meta(max_length=comments.MOST_WORDS)] | None = None


class PostChange(Struct):
    """Another policy for one post; an empty text is as the account's policy says."""

    who: schemas.Short | None = None
    mode: schemas.Short | None = None


@needs("read:statuses", reach=Reach.OWN)
async def several(request: web.Request) -> web.Response:
    """Comments under the account's posts, newest first, by `state` and by `thread_id` where asked."""
    _demand(request)
    me, page, query = person(request), answers.page_of(request, usual=40, most=80), request.rel_url.query
    state = _member(State, query["state"], "state") if query.get("state") else None
    thread = query.get("thread_id", "")
    if thread and not (thread.isascii() and thread.isdigit()):
        raise Invalid("Validation failed: %(where)s: expected a number", field="thread_id", where="thread_id")
    async with request.app[keys.POOL].acquire() as conn:
        found = await commentqueue.list_page(
            conn,
            me.id,
            state=state,
            thread_id=PostId(answers.known_id(int(thread))) if thread else None,
            max_id=page.max_id,
            min_id=page.min_id or page.since_id,
            limit=page.limit,
        )
        bodies = await _entities(request, conn, me.id, found)
    return answers.paged(request, render.encode(bodies), [one.id for one in found])


@needs("read:statuses", reach=Reach.OWN)
async def figures(request: web.Request) -> web.Response:
    """How many wait, since when, and how long decisions took."""
    _demand(request)
    road = request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        found = await commentqueue.figures(conn, person(request).id, now=road.clock())
    median = None if found.median is None else round(found.median.total_seconds())
    return answers.entity(
        FiguresEntity(waiting=found.waiting, oldest_at=maybe_stamp(found.oldest), median_seconds=median)
    )


@needs("write:statuses", reach=Reach.OWN)
async def decide(request: web.Request) -> web.Response:
    """Does something about comments: approve, hide, unhide, remove, pin, unpin, block, unblock, refer."""
    _demand(request)
    asked, me, road = await body.to(request, Decision), person(request), request.app[keys.ROAD]
    if asked.reason and asked.reason not in moderating.REASONS:
        raise Invalid("There is no such reason", field="reason")
    ids = [PostId(answers.known_id(id_)) for id_ in asked.ids]
    statement = moderating.statement_of(moderating.REASONS.get(asked.reason, ""), asked.statement)
    act = request.match_info["act"]
    if act == "refer":
        count = await moderating.refer(
            road, me.myself, me.me, ids, comment=statement, category="violation", source=source_of(request)
        )
        return answers.entity(Referred(count))
    try:
        deed = Deed(act)
    except ValueError:
        raise NotFound from None
    done = await moderating.decide(road, me.me, deed, ids, source=source_of(request), statement=statement)
    return answers.entity(Moved(moved=[*map(str, done.moved)], kept=[*map(str, done.kept)]))


@needs("read:accounts", reach=Reach.OWN)
async def policy(request: web.Request) -> web.Response:
    """What the account chose for the comments under its posts."""
    _demand(request)
    return await _policy(request)


@needs("write:accounts", reach=Reach.OWN)
async def change_policy(request: web.Request) -> web.Response:
    """Chooses anew; what is left out stays."""
    _demand(request)
    asked, me, road = await body.to(request, PolicyChange), person(request), request.app[keys.ROAD]
    async with road.pool.acquire() as conn:
        now = await comments.get_policy(conn, me.id)
    try:
        words = now.words if asked.words is None else comments.words_of("\n".join(asked.words))
    except NotAllowed as error:
        raise Invalid(str(error), field="words") from None
    wanted = Policy(
        who=now.who if asked.who is None else _member(Who, asked.who, "who"),
        mode=now.mode if asked.mode is None else _member(Mode, asked.mode, "mode"),
        sensitivity=now.sensitivity
        if asked.sensitivity is None
        else _member(Sensitivity, asked.sensitivity, "sensitivity"),
        words=words,
    )
    await moderating.set_policy(road, me.me, wanted, source=source_of(request))
    return await _policy(request)


@needs("read:statuses", optional=True, reach=Reach.SEEN)
async def of_post(request: web.Request) -> web.Response:
    """What a post has instead of its author's policy."""
    found, post_id = viewer(request), answers.post_id(request)
    async with request.app[keys.POOL].acquire() as conn:
        await posts.require(conn, post_id, found.id if found and found.account else None)
        return answers.entity(_override(await comments.get_override(conn, post_id)))


@needs("write:statuses", reach=Reach.OWN)
async def change_post(request: web.Request) -> web.Response:
    """Gives one post of the account another policy: `{"who": "nobody"}` closes its comments."""
    _demand(request)
    asked, me, road = await body.to(request, PostChange), person(request), request.app[keys.ROAD]
    post_id = answers.post_id(request)
    async with road.pool.acquire() as conn:
        now = await comments.get_override(conn, post_id)
    wanted = Override(
        who=now.who if asked.who is None else _member(Who, asked.who, "who") if asked.who else None,
        mode=now.mode if asked.mode is None else _member(Mode, asked.mode, "mode") if asked.mode else None,
    )
    await moderating.set_override(road, me.me, post_id, wanted, source=source_of(request))
    return answers.entity(_override(wanted))


@needs("read:blocks", reach=Reach.OWN)
async def blocked(request: web.Request) -> web.Response:
    """Whom the account lets not comment."""
    _demand(request)
    after = request.rel_url.query.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 20):
        raise Invalid("Validation failed: %(where)s: expected a number", field="after", where="after")
    async with request.app[keys.POOL].acquire() as conn:
        found = await comments.list_blocked(conn, person(request).id, after=int(after))
        people = await accounts.load(conn, [one.account_id for one in found], uris=request.app[keys.URIS])
    return answers.entity(
        [
            Blocked(
                account=render.raw(request.app[RENDERER].account(people[one.account_id])),
                statement=one.statement,
                created_at=stamp(one.created_at),
            )
            for one in found
            if one.account_id in people
        ]
    )


@needs("write:blocks", reach=Reach.OWN)
async def unblock(request: web.Request) -> web.Response:
    """Lets somebody comment again."""
    _demand(request)
    road = request.app[keys.ROAD]
    account_id = answers.account_id(request)
    if not await moderating.unblock(road, person(request).me, account_id, source=source_of(request)):
        raise NotFound
    return answers.empty()


def _demand(request: web.Request) -> None:
    """For an organisation its role must include comments; its addresses are the same as a person's."""
    place = person(request).place
    if place is not None and not place.rights.may(Act.COMMENTS):
        raise Forbidden("Your role in this organisation does not include this")


async def _policy(request: web.Request) -> web.Response:
    async with request.app[keys.POOL].acquire() as conn:
        now = await comments.get_policy(conn, person(request).id)
    return answers.entity(
        PolicyEntity(
            who=now.who.value, mode=now.mode.value, sensitivity=now.sensitivity.value, words=[*now.words]
        )
    )


async def _entities(
    request: web.Request, conn: Connection, owner_id: AccountId, found: list[Comment]
) -> list[CommentEntity]:
    renderer, uris = request.app[RENDERER], request.app[keys.URIS]
    entries = {
        entry.view.id: entry
        for entry in await posts.entries(conn, [one.id for one in found], owner_id, uris=uris)
    }
    people = await accounts.load(conn, [one.author_id for one in found], uris=uris)
    return [
        CommentEntity(
            id=str(one.id),
            state=one.state.value,
            pinned=one.is_pinned,
            blocked=one.is_blocked,
            settled=one.ordered,
            account=render.raw(renderer.account(people[one.author_id])),
            content=one.html,
            status=render.raw(renderer.entry(entries[one.id], known=True)) if one.id in entries else None,
            in_reply_to_id=str(one.parent_id),
            thread_id=str(one.thread_id),
            created_at=stamp(one.created_at),
            decided_at=maybe_stamp(one.decided_at),
        )
        for one in found
    ]


def _override(found: Override) -> PostPolicy:
    return PostPolicy(who=found.who and found.who.value, mode=found.mode and found.mode.value)


def _member(kind: type[E], text: str, field: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise Invalid(
            "Validation failed: %(where)s: not one of the known values", field=field, where=field
        ) from None
