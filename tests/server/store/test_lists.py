"""How people stand to each other, and what they are told and keep for themselves."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from compliance.activity import AccountId, MediaId, Visibility
from server.db.pool import Connection
from server.errors import NotFound
from server.store import bookmarks, follows, idempotency, markers, media, notifications, tags, timelines
from server.store.idempotency import Remembered, Told
from server.store.model import Page, PostFlags, Relationship
from server.store.notifications import Kind
from tests.fixtures.factory import URIS, Factory, now


async def test_relationships_say_both_directions(make: Factory, conn: Connection) -> None:
    me = await make.member("me")
    friend, asked, enemy, loud = [await make.account(n) for n in ("friend", "asked", "enemy", "loud")]
    await make.follow(me, friend, boosts=False, notify=True)
    await make.follow(friend, me)
    await make.follow(me, asked, accepted=False)
    await make.follow(asked, me, accepted=False)
    await make.block(me, enemy)
    await make.block(enemy, me)
    until = now() + timedelta(hours=1)
    await follows.mute(conn, me, loud, new_id=make.ids, now=now(), notifications=False, expires_at=until)
    assert [
        Relationship(id=loud, muting=True, mute_expires_at=until),
        Relationship(id=friend, following=True, followed_by=True, notify=True),
        Relationship(id=asked, requested=True, requested_by=True),
        Relationship(id=enemy, blocking=True, blocked_by=True),
    ] == await follows.relationships(conn, me, [loud, friend, asked, AccountId(1), enemy])
    assert [] == await follows.relationships(conn, me, [])


async def test_followers_are_listed_to_those_who_may_meet_them(make: Factory, conn: Connection) -> None:
    me = await make.member("me")
    fans = [await make.account(f"fan{n}", "far.example") for n in range(3)]
    ids = [await make.follow(fan, me) for fan in fans]
    await make.follow(me, fans[0])
    waiting = await make.account("waiting")
    request = await make.follow(waiting, me, accepted=False)
    suspended = await make.account("suspended", suspended=True)
    await make.follow(suspended, me)
    await make.block(fans[1], waiting)
    assert [(ids[2], fans[2]), (ids[1], fans[1]), (ids[0], fans[0])] == await follows.followers(
        conn, me, None, Page()
    )
    assert [fans[2], fans[0]] == [row.id for row in await follows.followers(conn, me, waiting, Page())]
    assert [fans[1]] == [
        row.id for row in await follows.followers(conn, me, me, Page(max_id=ids[2], limit=1))
    ]
    assert [fans[0]] == [row.id for row in await follows.following(conn, me, None, Page())]
    assert [(request, waiting)] == await follows.requests(conn, me, Page())
    assert 1 == await follows.count_requests(conn, me)


async def test_mutes_and_blocks_are_listed_to_their_maker(make: Factory, conn: Connection) -> None:
    me, one, two = [await make.member(name) for name in ("me", "one", "two")]
    await make.block(me, one)
    await follows.mute(conn, me, two, new_id=make.ids, now=now())
    await follows.mute(conn, me, two, new_id=make.ids, now=now(), notifications=False)
    await follows.mute(conn, me, me, new_id=make.ids, now=now())
    await make.mute(me, one, expires_at=now() - timedelta(days=1))
    assert [one] == [row.id for row in await follows.list_blocked(conn, me, Page())]
    assert [two] == [row.id for row in await follows.list_muted(conn, me, Page())]
    assert not (await follows.relationships(conn, me, [two]))[0].muting_notifications
    assert await follows.unmute(conn, me, two)
    assert not await follows.unmute(conn, me, two)


async def test_notices_come_with_who_and_what(make: Factory, conn: Connection) -> None:
    me, other = await make.member("me"), await make.member("other")
    post = await make.post(other, mentions=[me])
    await make.like(me, post)
    decision = await make.decision(verdict="refused", actor_id=me)
    first = await make.notification(me, "mention", from_id=other, post_id=post)
    second = await make.notification(me, "follow", from_id=other)
    third = await make.notification(me, "decision", decision_id=decision)
    told = await notifications.page(conn, me, Page(), uris=URIS)
    assert [third, second, first] == [notice.id for notice in told]
    assert [None, other, other] == [notice.account.id if notice.account else None for notice in told]
    assert [None, None, post] == [notice.post.id if notice.post else None for notice in told]
    assert [PostFlags(), PostFlags(), PostFlags(liked=True)] == [notice.flags for notice in told]
    assert [decision, None, None] == [notice.decision_id for notice in told]

    async def ids(**narrowed: list[Kind]) -> list[int]:
        return [n.id for n in await notifications.page(conn, me, Page(), uris=URIS, **narrowed)]

    assert [first] == await ids(kinds=[Kind.MENTION, Kind.REBLOG])
    assert [third, first] == await ids(exclude=[Kind.FOLLOW])
    assert [] == await ids(kinds=[Kind.FOLLOW], exclude=[Kind.FOLLOW])


async def test_notices_of_the_muted_and_suspended_are_not_shown(make: Factory, conn: Connection) -> None:
    me = await make.member("me")
    quiet, muted, gone = [await make.account(n, "far.example") for n in ("quiet", "muted", "gone")]
    for who in (quiet, muted, gone):
        await make.notification(me, "follow", from_id=who)
    await make.mute(me, quiet, notifications=False)
    await make.mute(me, muted)
    await conn.execute("update account set suspended_at = now() where id = $1", gone)
    told = await notifications.page(conn, me, Page(), uris=URIS)
    assert [quiet] == [notice.account.id if notice.account else None for notice in told]
    assert 1 == await notifications.unread_count(conn, me)


async def test_a_notice_is_its_owners(make: Factory, conn: Connection) -> None:
    me, other = await make.member("me"), await make.member("other")
    notice = await make.notification(me, "follow", from_id=other)
    assert notice == (await notifications.get(conn, me, notice, uris=URIS)).id
    with pytest.raises(NotFound):
        await notifications.get(conn, other, notice, uris=URIS)
    assert not await notifications.dismiss(conn, other, notice)
    assert await notifications.dismiss(conn, me, notice)
    await make.notification(me, "decision", decision_id=1)
    await notifications.clear(conn, me)
    assert [] == await notifications.page(conn, me, Page(), uris=URIS)


async def test_a_marker_divides_read_from_unread(make: Factory, conn: Connection) -> None:
    me, other = await make.member("me"), await make.member("other")
    first = await make.notification(me, "follow", from_id=other)
    await make.notification(me, "decision", decision_id=1)
    assert 2 == await notifications.unread_count(conn, me)
    marker = await markers.put(conn, me, "notifications", first, now=now())
    assert (first, 1) == (marker.last_read_id, marker.version)
    assert 1 == await notifications.unread_count(conn, me)
    again = await markers.put(conn, me, "notifications", first, now=now())
    assert 2 == again.version
    assert {"notifications": again} == await markers.load(conn, me)
    assert {} == await markers.load(conn, me, ["home"])


async def test_bookmarking_a_boost_keeps_the_post(make: Factory, conn: Connection) -> None:
    me, author = await make.member("me"), await make.member("author")
    post = await make.post(author)
    boost = await make.boost(author, post)
    hidden = await make.post(author, visibility=Visibility.DIRECT)
    assert await bookmarks.insert(conn, me, boost, new_id=make.ids)
    assert await bookmarks.insert(conn, me, post, new_id=make.ids)
    assert not await bookmarks.insert(conn, me, hidden, new_id=make.ids)
    assert [post] == [row.id for row in await timelines.bookmarks(conn, me, Page())]
    assert await bookmarks.delete(conn, me, boost)
    assert not await bookmarks.delete(conn, me, post)


async def test_hashtags_are_found_by_their_beginning(make: Factory, conn: Connection) -> None:
    author = await make.member("author")
    post = await make.post(author, tags=["Tea", "TeaTime", "茶", "Toast"])
    await make.post(author, tags=["Tea"], visibility=Visibility.UNLISTED)
    assert ["Tea", "TeaTime"] == [tag.shown for tag in await tags.search(conn, "#tea", 10)]
    assert ["TeaTime"] == [tag.shown for tag in await tags.search(conn, "ＴＥＡ", 10, offset=1)]
    assert ["茶"] == [tag.name for tag in await tags.search(conn, "茶", 10)]
    assert [] == await tags.search(conn, " ", 10)
    assert await tags.find(conn, "milk") is None
    found = await tags.find_with_history(conn, "TEA", now=now() + timedelta(days=1))
    assert found is not None
    assert [(0, 0), (1, 1)] + [(0, 0)] * 5 == [(uses, people) for _, uses, people in found.history]
    assert post


async def test_pictures_are_their_owners_until_they_are_on_a_post(make: Factory, conn: Connection) -> None:
    """Words under a published picture change only through the gate (rule H4)."""
    me, other = await make.member("me"), await make.member("other")
    loose, other_one = await make.media(me), await make.media(me)
    post = await make.post(me, media=1)
    hung = MediaId(await conn.fetchval("select id from media where post_id = $1", post))
    assert await media.find(conn, loose, other, uris=URIS) is None
    with pytest.raises(NotFound):
        await media.get(conn, loose, other, uris=URIS)
    changed = await media.update_description(
        conn, loose, me, uris=URIS, description="a cat", focus=(0.5, -0.5)
    )
    assert ("a cat", (0.5, -0.5)) == (changed.description, changed.focus)
    changed = await media.update_description(conn, loose, me, uris=URIS, description="")
    assert ("", (0.5, -0.5)) == (changed.description, changed.focus)
    for id_, owner in ((hung, me), (loose, other)):
        with pytest.raises(NotFound):
            await media.update_description(conn, id_, owner, uris=URIS, description="x")
    assert [other_one, loose] == [
        m.id for m in await media.load(conn, [other_one, MediaId(1), loose], me, uris=URIS)
    ]
    assert [] == await media.load(conn, [loose], other, uris=URIS)
    assert [] == await media.delete_own(conn, loose, other)
    assert [] == await media.delete_own(conn, hung, me)
    assert [f"{loose}.webp", f"{loose}-small.webp"] == await media.delete_own(conn, loose, me)
    await make.profile(me, avatar=other_one)
    assert [] == await media.delete_own(conn, other_one, me)


async def test_an_answer_is_remembered_under_its_key(make: Factory, conn: Connection) -> None:
    me = await make.member("me")
    post, decision = await make.post(me), await make.decision()
    refused = await make.decision(verdict="refused")
    assert await idempotency.claim(conn, [(me, "a"), (me, "b")], now=now()) == {}
    assert await idempotency.claim(conn, [(me, "a")], now=now()) == {}
    first = Told(account_id=me, key="a", post_id=post, decision_id=decision, case_id=None)
    second = Told(account_id=me, key="b", post_id=None, decision_id=refused, case_id=7)
    await idempotency.remember(conn, [first, second])
    known = await idempotency.claim(conn, [(me, "a"), (me, "b"), (me, "c")], now=now())
    assert known == {
        (me, "a"): Remembered(post_id=post, decision_id=decision, case_id=None, reason=None),
        (me, "b"): Remembered(post_id=None, decision_id=refused, case_id=7, reason="words"),
    }


async def test_a_second_request_waits_for_the_answer_to_the_first(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """A client that asks again while we are at work must not post twice."""
    async with pool.acquire() as one, pool.acquire() as two:
        make = Factory(one)
        me = await make.member("me")
        transaction = one.transaction()
        await transaction.start()
        assert await idempotency.claim(one, [(me, "a")], now=now()) == {}
        second = asyncio.ensure_future(idempotency.claim(two, [(me, "a")], now=now()))
        decision = await make.decision(verdict="refused")
        answer = Told(account_id=me, key="a", post_id=None, decision_id=decision, case_id=None)
        await idempotency.remember(one, [answer])
        assert not second.done()
        await transaction.commit()
        known = (await second)[(me, "a")]
        assert (decision, "words") == (known.decision_id, known.reason)
