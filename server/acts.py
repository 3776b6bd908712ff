"""What a person does, as the pages, the Mastodon API and ActivityPub clients all do it.

Each function checks that the act makes sense, builds the activity
and sends it down the road; no caller builds activities of
its own. What the gate stops is raised as `NotPublished`. Acts that nobody else hears of (mutes, bookmarks,
markers) are not
here: they go straight to the store.
"""

from __future__ import annotations

from collections.abc import Sequence

from compliance.activity import (
    Accept,
    AccountId,
    Activity,
    Actor,
    Announce,
    Attachment,
    Block,
    Create,
    Delete,
    Direction,
    Flag,
    Follow,
    Like,
    MediaId,
    Note,
    PostId,
    Reject,
    Undo,
    Undoable,
    Update,
    UpdateProfile,
    Upload,
    Uri,
    Visibility,
)
from compliance.records import Source

from . import drafts
from .drafts import Draft, ProfileDraft, Resolve
from .errors import AppError, Forbidden, Invalid, NotFound
from .media.files import Stored
from .pipeline import Answer, Done, Failed, Once, Road, Stopped, answered, submit
from .refusal import NotPublished
from .store import accounts, deeds, follows, posts
from .store.model import AccountView, PostView

__all__ = ("Draft", "NotPublished", "ProfileDraft")  # handed on; what is written here is public anyway


async def publish(
    road: Road,
    me: AccountView,
    draft: Draft,
    *,
    source: Source,
    once: Once | None = None,
    resolve: Resolve | None = None,
) -> PostId:
    """Publishes a post or a reply; with `once`, at most one however often it is asked for."""
    drafts.check(road, draft)
    post_id = PostId(road.ids())
    uri = road.uris.post(me.username, post_id)
    url = road.uris.post_page(me.username, post_id)
    try:
        note = await drafts.note(road, me, draft, uri=uri, url=url, resolve=resolve)
    except AppError:
        # A repeated request names what its first one took: its pictures are on the post by now.
        before = None if once is None else await answered(road, once)
        if before is None:
            raise
        done = _said(before)
        if done.post_id is None:
            raise NotFound("The post could not be stored") from None
        return done.post_id
    return await say(road, me, note, source=source, once=once)


async def say(road: Road, me: AccountView, note: Note, *, source: Source, once: Once | None = None) -> PostId:
    """Publishes a note of the person's that is written out already, under an address of theirs."""
    act = Create(id=road.uris.create_of(note.uri), actor=_actor(me), note=note)
    done = await _send(road, act, source=source, once=once)
    if done.post_id is None:
        raise NotFound("The post could not be stored")
    return done.post_id


async def edit(
    road: Road,
    me: AccountView,
    post_id: PostId,
    draft: Draft,
    *,
    source: Source,
    resolve: Resolve | None = None,
) -> Uri | None:
    """Gives the person's own post new words and pictures; who it is addressed to stays as it was. `None`
    where it says just that already."""
    post = await _own_post(road, me, post_id)
    drafts.check(road, draft)
    kept = Draft(
        text=draft.text,
        spoiler=draft.spoiler,
        sensitive=draft.sensitive,
        visibility=post.visibility,
        language=draft.language if draft.language is not None else post.language,
        in_reply_to_id=None,
        media_ids=draft.media_ids,
        descriptions=draft.descriptions,
    )
    if drafts.is_said(post, kept):
        return None
    note = await drafts.note(road, me, kept, uri=post.uri, url=post.url, resolve=resolve, before=post)
    return await say_anew(road, me, note, source=source)


async def say_anew(road: Road, me: AccountView, note: Note, *, source: Source) -> Uri:
    """Gives a post of the person's the words of a note that is written out already."""
    return await _do(road, Update(id=_new(road), actor=_actor(me), note=note), source)


async def delete(road: Road, me: AccountView, post_id: PostId, *, source: Source) -> Uri | None:
    """Withdraws the person's own post here and wherever it went."""
    post = await _own_post(road, me, post_id)
    if post.boost_of is not None:
        return await unboost(road, me, post.boost_of.id, source=source)
    return await _do(road, Delete(id=_new(road), actor=_actor(me), target=post.uri), source)


async def boost(
    road: Road,
    me: AccountView,
    post_id: PostId,
    visibility: Visibility = Visibility.PUBLIC,
    *,
    source: Source,
) -> PostId:
    """Boosts a post that is open to everybody, or the person's own for followers; says the boost's id, also
    if it was there."""
    post = _itself(await _visible(road, post_id, me))
    own = post.account.id == me.id
    if not post.visibility.is_open and not (own and post.visibility is Visibility.FOLLOWERS):
        raise NotFound
    if visibility is Visibility.DIRECT:
        raise Invalid("A boost cannot be direct", field="visibility")
    boost_id = PostId(road.ids())
    act = Announce(
        id=road.uris.boost(me.username, boost_id),
        actor=_actor(me),
        target=post.uri,
        visibility=visibility if post.visibility.is_open else Visibility.FOLLOWERS,
        published=road.clock(),
    )
    done = await _send(road, act, source=source)
    if done.post_id is not None:
        return done.post_id
    async with road.pool.acquire() as conn:
        there = await deeds.boost_of(conn, post.id, me.id)
    if there is None:
        raise NotFound
    return there


async def unboost(road: Road, me: AccountView, post_id: PostId, *, source: Source) -> Uri | None:
    """Takes a boost back; no error where there was none."""
    return await _undo_on_post(road, me, post_id, Undoable.ANNOUNCE, source)


async def like(road: Road, me: AccountView, post_id: PostId, *, source: Source) -> Uri:
    """Favourites a post the person may see."""
    post = _itself(await _visible(road, post_id, me))
    return await _do(road, Like(id=_new(road), actor=_actor(me), target=post.uri), source)


async def unlike(road: Road, me: AccountView, post_id: PostId, *, source: Source) -> Uri | None:
    """Takes a favourite back; no error where there was none."""
    return await _undo_on_post(road, me, post_id, Undoable.LIKE, source)


async def follow(
    road: Road,
    me: AccountView,
    target_id: AccountId,
    *,
    source: Source,
    boosts: bool = True,
    notify: bool = False,
) -> Uri | None:
    """Follows somebody, or asks to; for somebody followed already, only the choices change (`None`)."""
    target = await _other(road, me, target_id)
    async with road.pool.acquire() as conn:
        relation = (await follows.relationships(conn, me.id, [target_id]))[0]
        if relation.blocked_by or relation.blocking:
            raise Forbidden("You cannot follow this account")
        if relation.following or relation.requested:
            await deeds.choose(conn, me.id, target_id, boosts=boosts, notify=notify)
            return None
    act = Follow(id=_new(road), actor=_actor(me), target=target.uri, boosts=boosts, notify=notify)
    return await _do(road, act, source)


async def unfollow(road: Road, me: AccountView, target_id: AccountId, *, source: Source) -> Uri | None:
    """Stops following somebody, or takes the request back."""
    return await _undo_on_account(road, me, target_id, Undoable.FOLLOW, source)


async def authorize(road: Road, me: AccountView, follower_id: AccountId, *, source: Source) -> Uri:
    """Says yes to somebody who asked to follow."""
    return await _answer(road, me, follower_id, Accept, source)


async def reject(road: Road, me: AccountView, follower_id: AccountId, *, source: Source) -> Uri:
    """Says no to somebody who asked to follow, or removes a follower."""
    return await _answer(road, me, follower_id, Reject, source)


async def block(road: Road, me: AccountView, target_id: AccountId, *, source: Source) -> Uri:
    """Blocks somebody; follows between the two end."""
    target = await _other(road, me, target_id)
    return await _do(road, Block(id=_new(road), actor=_actor(me), target=target.uri), source)


async def unblock(road: Road, me: AccountView, target_id: AccountId, *, source: Source) -> Uri | None:
    """Lifts a block; no error where there was none."""
    return await _undo_on_account(road, me, target_id, Undoable.BLOCK, source)


async def report(
    road: Road,
    me: AccountView | None,
    target_id: AccountId,
    post_ids: Sequence[PostId] = (),
    *,
    comment: str = "",
    category: str = "other",
    source: Source,
    forward: bool = False,
) -> int:
    """Files a complaint and says its id; with `forward`, the account's server is told too, not by whom. For
    somebody without an account (`me` is `None`) the server files it in its own name."""
    words = drafts.comment(comment)
    async with road.pool.acquire() as conn:
        target = await accounts.get(conn, target_id, uris=road.uris)
        named = await posts.load(conn, list(post_ids), me.id if me else None, uris=road.uris)
        speaker = me or await accounts.instance_actor(conn, uris=road.uris)
    if len(named) != len(set(post_ids)) or any(p.account.id != target_id for p in named):
        raise NotFound
    report_id = road.ids()
    act = Flag(
        id=road.uris.activity(report_id),
        actor=_actor(speaker),
        target=target.uri,
        posts=tuple(p.uri for p in named),
        comment=words,
        category=category,
        forward=forward and target.host is not None,
    )
    await _send(road, act, source=source)
    return report_id


async def update_profile(road: Road, me: AccountView, draft: ProfileDraft, *, source: Source) -> Uri:
    """Shows a new profile, here and to followers elsewhere."""
    profile = await drafts.profile(road, me, draft)
    return await _do(road, UpdateProfile(id=_new(road), actor=_actor(me), profile=profile), source)


async def upload(
    road: Road,
    me: AccountView,
    stored: Stored,
    *,
    source: Source,
    description: str = "",
    focus: tuple[float, float] | None = None,
) -> MediaId:
    """Brings a picture, whose bytes are stored already, to where a post can show it."""
    media_id = MediaId(road.ids())
    act = Upload(
        id=Uri(road.uris.media(stored.file)),
        actor=_actor(me),
        attachment=Attachment(
            url=road.uris.media(stored.file),
            mime=stored.mime,
            alt=drafts.alt(description),
            media_id=media_id,
            width=stored.width,
            height=stored.height,
            focus=focus,
            blurhash=stored.blurhash,
        ),
        file=stored.file,
        preview_file=stored.preview_file,
        preview_width=stored.preview_width,
        preview_height=stored.preview_height,
        size=stored.bytes,
    )
    await _send(road, act, source=source)
    return media_id


async def close_account(road: Road, me: AccountView, *, source: Source) -> None:
    """Ends the person's own account: posts and profile go out of sight here and wherever they went."""
    await _send(road, Delete(id=_new(road), actor=_actor(me), target=me.uri), source=source)


def _actor(me: AccountView) -> Actor:
    return Actor(id=me.id, uri=me.uri, host=None)


def _new(road: Road) -> Uri:
    return road.uris.activity(road.ids())


async def _do(road: Road, activity: Activity, source: Source) -> Uri:
    """Sends what has no answer but that it was done; says the activity's id."""
    await _send(road, activity, source=source)
    return activity.id


async def _send(road: Road, activity: Activity, *, source: Source, once: Once | None = None) -> Done:
    [answer] = await submit(road, [activity], Direction.OUT, source=source, once=once)
    return _said(answer)


def _said(answer: Answer) -> Done:
    match answer:
        case Done():
            return answer
        case Stopped():
            raise NotPublished(answer)
        case Failed(error=error):
            raise error


def _itself(post: PostView) -> PostView:
    """The post that is meant when a boost is named."""
    return post.boost_of or post


async def _visible(road: Road, post_id: PostId, me: AccountView) -> PostView:
    async with road.pool.acquire() as conn:
        return await posts.get(conn, post_id, me.id, uris=road.uris)


async def _own_post(road: Road, me: AccountView, post_id: PostId) -> PostView:
    post = await _visible(road, post_id, me)
    if post.account.id != me.id:
        raise NotFound
    return post


async def _other(road: Road, me: AccountView, target_id: AccountId) -> AccountView:
    if target_id == me.id:
        raise Forbidden("This is your own account")
    async with road.pool.acquire() as conn:
        target = await accounts.get(conn, target_id, uris=road.uris)
    if target.gone:
        raise NotFound
    return target


async def _answer(
    road: Road, me: AccountView, follower_id: AccountId, kind: type[Accept] | type[Reject], source: Source
) -> Uri:
    follower = await _other(road, me, follower_id)
    async with road.pool.acquire() as conn:
        relation = (await follows.relationships(conn, me.id, [follower_id]))[0]
        wish = await deeds.on_account(conn, follower_id, me.id, Undoable.FOLLOW)
    if not relation.requested_by and not (kind is Reject and relation.followed_by):
        raise NotFound
    return await _do(road, kind(id=_new(road), actor=_actor(me), follower=follower.uri, follow=wish), source)


async def _undo_on_post(
    road: Road, me: AccountView, post_id: PostId, kind: Undoable, source: Source
) -> Uri | None:
    post = _itself(await _visible(road, post_id, me))
    async with road.pool.acquire() as conn:
        act = await deeds.on_post(conn, me.id, post.id, kind)
    if act is None:
        return None
    return await _do(road, Undo(id=_new(road), actor=_actor(me), kind=kind, target=post.uri, act=act), source)


async def _undo_on_account(
    road: Road, me: AccountView, target_id: AccountId, kind: Undoable, source: Source
) -> Uri | None:
    target = await _other(road, me, target_id)
    async with road.pool.acquire() as conn:
        act = await deeds.on_account(conn, me.id, target_id, kind)
    if act is None:
        return None
    return await _do(
        road, Undo(id=_new(road), actor=_actor(me), kind=kind, target=target.uri, act=act), source
    )
