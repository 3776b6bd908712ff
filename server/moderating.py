"""What whoever answers for a post does about the comments under it (Article 10), as the pages and the API do
it.

What others must hear of goes down the road as an activity; pins, blocks and policies go to their tables, each
with a record. Nothing is found but by the one who answers for it: another's comments are not there.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from compliance import commentqueue, comments, statements
from compliance.activity import (
    AccountId,
    Activity,
    Actor,
    ApproveReply,
    Direction,
    Flag,
    HideReply,
    PostId,
    RemoveReply,
    Uri,
)
from compliance.commentqueue import Comment
from compliance.comments import Override, Policy, State, Who
from compliance.errors import NotAllowed
from compliance.records import Entry, RecordKind, Source, write
from compliance.statements import Matter
from compliance.verdict import Reason

from . import telling
from .errors import AppError, Invalid, NotFound
from .i18n import mark
from .pipeline import Done, Failed, Road, Stopped, submit
from .refusal import NotPublished
from .store.model import AccountView

MOST = 200
"""How many comments one request decides."""
STATEMENT_LENGTH = 500


class Deed(enum.StrEnum):
    """What is done about comments."""

    APPROVE = "approve"
    HIDE = "hide"
    UNHIDE = "unhide"
    REMOVE = "remove"
    PIN = "pin"
    UNPIN = "unpin"
    BLOCK = "block"
    UNBLOCK = "unblock"


EXPLAINED = frozenset({Deed.HIDE, Deed.REMOVE, Deed.BLOCK})
"""What needs a reason, which the commenter reads."""
REASONS: dict[str, str] = {
    "off-topic": mark("It has nothing to do with the post."),
    "insult": mark("It insults or threatens somebody."),
    "private": mark("It tells somebody's private matters."),
    "advertising": mark("It is advertising, or the same text again."),
    "false": mark("It spreads something that is known to be false."),
    "illegal": mark("It breaks the law or the rules of this server."),
}
"""Reasons that are given with one press; what is typed is added."""


class Settled(AppError):
    """The operators decided on appeal that a comment stands."""

    status = 409


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a request: which comments it moved, and which the operators keep where they are."""

    moved: tuple[PostId, ...]
    kept: tuple[PostId, ...] = ()


def statement_of(quick: str, words: str) -> str:
    """The reason as the commenter reads it: a quick one, in the language it was chosen in, and own words."""
    given = " ".join(part for part in (quick.strip(), words.strip()) if part)
    if len(words) > STATEMENT_LENGTH:
        raise Invalid(
            "The reason is longer than %(limit)s characters", field="statement", limit=STATEMENT_LENGTH
        )
    return given


async def decide(
    road: Road,
    owner: AccountView,
    deed: Deed,
    ids: Iterable[PostId],
    *,
    source: Source,
    statement: str = "",
) -> Decided:
    """Does something about comments under the owner's posts; `NotFound` where one is under none of them."""
    wanted = tuple(dict.fromkeys(ids))
    if not wanted:
        raise Invalid("Choose at least one comment", field="ids")
    if len(wanted) > MOST:
        raise Invalid("At most %(limit)s comments at a time", field="ids", limit=MOST)
    if deed in EXPLAINED and not statement.strip():
        raise Invalid("Say why: the commenter reads it", field="statement")
    async with road.pool.acquire() as conn:
        found = await commentqueue.load(conn, owner.id, wanted)
    if len(found) != len(wanted):
        raise NotFound("There is no such comment under your posts")
    chosen = [found[id_] for id_ in wanted]
    match deed:
        case Deed.PIN | Deed.UNPIN:
            return await _pin(road, owner, chosen, is_on=deed is Deed.PIN, source=source)
        case Deed.BLOCK:
            return await _block(road, owner, chosen, statement=statement, source=source)
        case Deed.UNBLOCK:
            for author_id in dict.fromkeys(one.author_id for one in chosen):
                await unblock(road, owner, author_id, source=source)
            return Decided(wanted)
        case _:
            return await _move(road, owner, deed, chosen, statement=statement, source=source)


async def refer(
    road: Road,
    person: AccountView,
    owner: AccountView,
    ids: Iterable[PostId],
    *,
    comment: str,
    category: str,
    source: Source,
) -> int:
    """Brings comments before the operators, as a complaint by the person who works through them; how many
    complaints that makes, one for each commenter."""
    wanted = tuple(dict.fromkeys(ids))[:MOST]
    async with road.pool.acquire() as conn:
        found = await commentqueue.load(conn, owner.id, wanted)
    if not wanted or len(found) != len(wanted):
        raise NotFound("There is no such comment under your posts")
    by_author: dict[Uri, list[Uri]] = {}
    for one in found.values():
        by_author.setdefault(one.author, []).append(one.uri)
    flags = [
        Flag(
            id=road.uris.activity(road.ids()),
            actor=Actor(id=person.id, uri=person.uri, host=None),
            target=author,
            posts=tuple(uris),
            comment=comment.strip()[:STATEMENT_LENGTH],
            category=category,
        )
        for author, uris in by_author.items()
    ]
    # The complaint is the person's own: their role need not include complaints of the organisation.
    for answer in await submit(road, flags, Direction.OUT, source=replace(source, by=None)):
        if isinstance(answer, Stopped):
            raise NotPublished(answer)
        if isinstance(answer, Failed):
            raise answer.error
    return len(flags)


async def set_policy(road: Road, owner: AccountView, policy: Policy, *, source: Source) -> None:
    """Says who may comment under the owner's posts, and what becomes of a comment."""
    async with road.pool.acquire() as conn, conn.transaction():
        await comments.set_policy(conn, owner.id, policy, source=source, now=road.clock(), new_id=road.ids)
    road.events.notify("accounts", str(owner.id))


async def set_override(
    road: Road, owner: AccountView, post_id: PostId, override: Override, *, source: Source
) -> None:
    """Gives one post another policy than the others; `NotFound` for a post that is not the owner's."""
    async with road.pool.acquire() as conn, conn.transaction():
        done = await comments.set_override(
            conn, owner.id, post_id, override, source=source, now=road.clock(), new_id=road.ids
        )
    if not done:
        raise NotFound
    road.events.notify("posts", str(post_id))


async def close(road: Road, owner: AccountView, post_id: PostId, *, source: Source) -> None:
    """Takes no more comments under one post."""
    async with road.pool.acquire() as conn:
        before = await comments.get_override(conn, post_id)
    await set_override(road, owner, post_id, replace(before, who=Who.NOBODY), source=source)


async def open_(road: Road, owner: AccountView, post_id: PostId, *, source: Source) -> None:
    """Takes comments under one post again: from whom the policy says, or anybody where that is nobody."""
    async with road.pool.acquire() as conn:
        before = await comments.get_override(conn, post_id)
        policy = await comments.get_policy(conn, owner.id)
    who = Who.ANYONE if policy.who is Who.NOBODY else None
    await set_override(road, owner, post_id, replace(before, who=who), source=source)


async def block(
    road: Road, owner: AccountView, account_id: AccountId, *, statement: str, source: Source
) -> bool:
    """Keeps somebody from commenting under the owner's posts, and tells them why; whether that is new."""
    if not statement.strip():
        raise Invalid("Say why: the commenter reads it", field="statement")
    if account_id == owner.id:
        raise Invalid("This is your own account", field="account")
    now, by = road.clock(), source.by or owner.id
    async with road.pool.acquire() as conn, conn.transaction():
        person = await conn.fetchrow("select host from account where id = $1", account_id)
        if person is None:
            raise NotFound
        if await comments.is_blocked(conn, owner.id, account_id):
            return False
        decision_id = None
        if person["host"] is None:
            decision_id = await statements.issue(
                conn,
                account_id,
                Matter.COMMENT,
                Reason.COMMENTER_BLOCKED,
                about=owner.uri,
                statement=statement,
                by=by,
                now=now,
                new_id=road.ids,
            )
            await telling.tell_decision(conn, account_id, decision_id, now=now, new_id=road.ids)
        try:
            await comments.block(
                conn,
                owner.id,
                account_id,
                statement=statement,
                by=by,
                decision_id=decision_id,
                source=source,
                now=now,
                new_id=road.ids,
            )
        except NotAllowed:
            raise Invalid("No more people can be blocked from commenting", field="account") from None
    road.events.notify("notices", str(account_id))
    return True


async def unblock(road: Road, owner: AccountView, account_id: AccountId, *, source: Source) -> bool:
    """Lets somebody comment again; whether they were kept from it."""
    async with road.pool.acquire() as conn, conn.transaction():
        return await comments.unblock(
            conn, owner.id, account_id, source=source, now=road.clock(), new_id=road.ids
        )


async def _move(
    road: Road,
    owner: AccountView,
    deed: Deed,
    chosen: Sequence[Comment],
    *,
    statement: str,
    source: Source,
) -> Decided:
    """The deeds that others hear of, all in one transaction."""
    settled = [one for one in chosen if one.ordered and deed in EXPLAINED]
    if settled and len(settled) == len(chosen):
        raise Settled(mark("The operators have decided on appeal that this comment stands"))
    free = [one for one in chosen if one not in settled and _may_move(one, deed)]
    if not free:
        return Decided((), tuple(one.id for one in settled))
    acts = [_activity(road, owner, deed, one, statement=statement, source=source) for one in free]
    moved: list[PostId] = []
    for one, answer in zip(free, await submit(road, acts, Direction.OUT, source=source), strict=True):
        match answer:
            case Done(took=took):
                if took:
                    moved.append(one.id)
            case Stopped():
                raise NotPublished(answer)
            case Failed(error=error):
                raise error
    return Decided(tuple(moved), tuple(one.id for one in settled))


def _may_move(one: Comment, deed: Deed) -> bool:
    """Whether the deed changes anything: what was removed is gone, and comes back by an appeal alone."""
    match deed:
        case Deed.APPROVE | Deed.UNHIDE:
            return one.state in (State.WAITING, State.HIDDEN)
        case Deed.HIDE:
            return one.state in (State.WAITING, State.SHOWN)
        case _:
            return one.state is not State.REMOVED


def _activity(
    road: Road, owner: AccountView, deed: Deed, one: Comment, *, statement: str, source: Source
) -> Activity:
    id_ = road.uris.activity(road.ids())
    actor = Actor(id=owner.id, uri=owner.uri, host=None)
    by = source.by or owner.id
    match deed:
        case Deed.APPROVE | Deed.UNHIDE:
            return ApproveReply(
                id=id_,
                actor=actor,
                target=one.uri,
                post=one.parent,
                author=one.author,
                request=one.request,
                stamp=road.uris.reply_authorization(owner.uri, one.id),
                by=by,
            )
        case Deed.HIDE:
            return HideReply(
                id=id_,
                actor=actor,
                target=one.uri,
                post=one.parent,
                author=one.author,
                request=one.request,
                statement=statement.strip(),
                by=by,
            )
        case _:
            return RemoveReply(
                id=id_,
                actor=actor,
                target=one.uri,
                post=one.parent,
                author=one.author,
                statement=statement.strip(),
                by=by,
            )


async def _pin(
    road: Road, owner: AccountView, chosen: Sequence[Comment], *, is_on: bool, source: Source
) -> Decided:
    now = road.clock()
    ids = [one.id for one in chosen]
    async with road.pool.acquire() as conn, conn.transaction():
        await commentqueue.pin(conn, owner.id, ids, now=now if is_on else None)
        kind = RecordKind.COMMENT_PIN if is_on else RecordKind.COMMENT_UNPIN
        entries = [Entry(kind, owner.id, one.uri, source=source) for one in chosen]
        await write(conn, entries, now=now, new_id=road.ids)
    for one in chosen:
        road.events.notify("posts", str(one.thread_id))
    return Decided(tuple(ids))


async def _block(
    road: Road, owner: AccountView, chosen: Sequence[Comment], *, statement: str, source: Source
) -> Decided:
    for author_id in dict.fromkeys(one.author_id for one in chosen):
        await block(road, owner, author_id, statement=statement, source=source)
    return Decided(tuple(one.id for one in chosen))
