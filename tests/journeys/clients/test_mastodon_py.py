"""The library that most bots are written with, for the whole main job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError, MastodonUnauthorizedError
from PIL import Image

from tests.journeys.harness import Person, Yanlu, until

from .browser import Browser
from .conftest import password_of

SCOPES = ["read", "write", "follow", "push"]


def client(person: Person) -> Mastodon:
    """The library with somebody's token. It checks the server's version before each call."""
    token = person.headers["Authorization"].removeprefix("Bearer ")
    return Mastodon(
        access_token=token,
        api_base_url=person.server.origin,
        version_check_mode="created",
        ratelimit_method="throw",
    )


async def call(act: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """A call of the library, which waits, in a thread."""
    return await asyncio.to_thread(act, *values, **named)


def _picture() -> BytesIO:
    file = BytesIO()
    Image.new("RGB", (64, 48), "#225588").save(file, "JPEG")
    file.seek(0)
    return file


async def test_an_app_is_registered_let_in_and_ended(server: Yanlu, tmp_path: Path) -> None:
    """By a person at a browser, as the library's own documentation says."""
    await server.person("ada")
    said = {"api_base_url": server.origin, "website": "https://bot.example"}
    made = await call(Mastodon.create_app, "A bot", scopes=SCOPES, **said)
    bot = Mastodon(client_id=made[0], client_secret=made[1], api_base_url=server.origin)
    url = await call(bot.auth_request_url, scopes=SCOPES, allow_http=True)
    async with Browser() as browser:
        await browser.open(url)
        await browser.log_in("ada", password_of("ada"))
        assert "A bot" in browser.text
        code = await browser.consent()
    token = await call(bot.log_in, code=code, scopes=SCOPES, allow_http=True, to_file=tmp_path / "token")
    assert "ada" == (await call(bot.me)).username
    assert "A bot" == (await call(bot.app_verify_credentials)).name
    again = Mastodon(access_token=str(tmp_path / "token"))
    assert "ada" == (await call(again.account_verify_credentials)).acct
    await call(bot.revoke_access_token, allow_http=True)
    stale = Mastodon(access_token=token, api_base_url=server.origin)
    with pytest.raises(MastodonUnauthorizedError):
        await call(stale.me)


async def test_posts_live_their_whole_lives(server: Yanlu) -> None:
    """Written, read, answered, boosted, kept, changed, withdrawn."""
    ben, cleo = client(await server.person("ben")), client(await server.person("cleo"))
    said = {"mime_type": "image/jpeg", "description": "blue", "focus": (0.5, -0.5)}
    picture = await call(ben.media_post, _picture(), **said)
    await call(ben.media_update, picture, description="all blue")
    made = await call(
        ben.status_post,
        "hello #birds @cleo https://example.net/" + "a" * 100,
        media_ids=[picture],
        sensitive=True,
        visibility="public",
        spoiler_text="birds",
        language="en",
        idempotency_key="one",
    )
    assert "all blue" == made.media_attachments[0].description
    again = await call(ben.status_post, "other words", idempotency_key="one")
    assert made.id == again.id
    assert made.id == (await call(cleo.status, made)).id
    reply = await call(cleo.status_reply, made, "well seen")
    context = await call(ben.status_context, made)
    assert [reply.id] == [each.id for each in context.descendants]
    assert (await call(cleo.status_favourite, made)).favourited
    assert (await call(cleo.status_bookmark, made)).bookmarked
    boost = await call(cleo.status_reblog, made)
    assert made.id == boost.reblog.id
    assert ["cleo"] == [each.acct for each in await call(ben.status_reblogged_by, made)]
    assert ["cleo"] == [each.acct for each in await call(ben.status_favourited_by, made)]
    assert [made.id] == [each.id for each in await call(cleo.favourites)]
    assert [made.id] == [each.id for each in await call(cleo.bookmarks)]
    assert not (await call(cleo.status_unfavourite, made)).favourited
    assert not (await call(cleo.status_unbookmark, made)).bookmarked
    assert not (await call(cleo.status_unreblog, made)).reblogged
    await call(ben.status_update, made, "hello birds", spoiler_text="")
    assert 2 == len(await call(ben.status_history, made))
    assert "hello birds" == (await call(ben.status_source, made)).text
    assert [made.id, reply.id] == [each.id for each in await call(ben.statuses, [made, reply])]
    gone = await call(ben.status_delete, made)
    assert "hello birds" == gone.text
    with pytest.raises(MastodonNotFoundError):
        await call(cleo.status, made)


async def test_timelines_are_paged_to_their_end(server: Yanlu) -> None:
    """By the library's own walk along the `Link` headers, both ways."""
    dora, emil = client(await server.person("dora")), client(await server.person("emil"))
    me = await call(dora.me)
    assert (await call(emil.account_follow, me, reblogs=True, notify=False)).following
    ids = [(await call(dora.status_post, f"number {number} #walk")).id for number in range(7)][::-1]
    for act in (emil.timeline_home, lambda limit: emil.account_statuses(me, limit=limit)):
        first = await call(act, limit=3)
        whole = await call(emil.fetch_remaining, first)
        assert ids == [each.id for each in whole]
    newest = await call(emil.timeline_home, limit=2)
    assert ids[:2] == [each.id for each in newest]
    older = await call(emil.fetch_next, newest)
    assert ids[2:4] == [each.id for each in older][:2]
    newer = await call(emil.fetch_previous, older)
    assert ids[:2] == [each.id for each in newer][-2:]
    assert ids[:3] == [each.id for each in await call(emil.timeline_hashtag, "walk", limit=3)]
    assert set(ids) <= {each.id for each in await call(emil.timeline_local, limit=40)}
    assert set(ids) <= {each.id for each in await call(emil.timeline_public, limit=40)}
    people = await call(dora.account_followers, me)
    assert ["emil"] == [each.acct for each in people]


async def test_people_meet_and_part(server: Yanlu) -> None:
    """Profiles, requests, mutes, blocks, complaints, search."""
    fay, gil = client(await server.person("fay")), client(await server.person("gil"))
    mine = await call(
        fay.account_update_credentials,
        display_name="Fay",
        note="I watch birds",
        locked=True,
        fields=[("place", "the marsh")],
        avatar=_picture(),
        avatar_mime_type="image/jpeg",
    )
    assert ("Fay", True, "the marsh") == (mine.display_name, mine.locked, mine.fields[0].value)
    assert (await call(gil.account_follow, mine)).requested
    (asking,) = await call(fay.follow_requests)
    await call(fay.follow_request_authorize, asking)
    (relation,) = await call(gil.account_relationships, mine)
    assert relation.following
    assert (await call(gil.account_mute, mine, duration=60)).muting
    assert ["fay"] == [each.acct for each in await call(gil.mutes)]
    assert not (await call(gil.account_unmute, mine)).muting
    assert (await call(fay.account_block, asking)).blocking
    assert ["gil"] == [each.acct for each in await call(fay.blocks)]
    assert not (await call(fay.account_unblock, asking)).blocking
    assert "fay" == (await call(gil.account_lookup, "fay")).acct
    assert ["fay"] == [each.acct for each in await call(gil.account_search, "fay")]
    assert ["fay"] == [each.acct for each in (await call(gil.search, "fay")).accounts]
    report = await call(gil.report, mine, comment="only a test", category="other")
    assert not report.action_taken


async def test_one_hears_of_what_happens(server: Yanlu) -> None:
    """Notices and markers."""
    ida, jon = client(await server.person("ida")), client(await server.person("jon"))
    made = await call(ida.status_post, "good")
    await call(jon.status_favourite, made)
    await call(jon.status_post, "hi @ida", visibility="direct")
    told = await call(ida.notifications)
    assert ["mention", "favourite"] == [each.type for each in told]
    assert ["favourite"] == [each.type for each in await call(ida.notifications, types=["favourite"])]
    assert 2 == (await call(ida.notifications_unread_count)).count
    marker = await call(ida.markers_set, ["home", "notifications"], [made, told[0]])
    assert marker["home"].last_read_id == made.id
    assert 0 == (await call(ida.notifications_unread_count)).count
    assert (await call(ida.markers_get, timeline=["home"]))["home"].last_read_id == made.id
    await call(ida.notifications_dismiss, told[1])
    await call(ida.notifications_clear)
    assert [] == await call(ida.notifications)


async def test_what_the_library_asks_a_server_about_itself(server: Yanlu) -> None:
    """Its version check, and everything that a client reads at start."""
    kim = client(await server.person("kim"))
    assert (4, 3) == (kim.mastodon_major, kim.mastodon_minor)
    assert server.authority == (await call(kim.instance)).domain
    assert server.authority == (await call(kim.instance_v1)).uri
    assert 5_000 == (await call(kim.instance_v2)).configuration.statuses.max_characters
    assert await call(kim.instance_rules)
    assert "yanlu" == (await call(kim.instance_nodeinfo)).software.name
    assert "public" == (await call(kim.preferences))["posting:default:visibility"]
    absent = (kim.custom_emojis, kim.announcements, kim.lists, kim.filters_v2, kim.followed_tags)
    for act in (*absent, kim.trending_tags):
        assert [] == await call(act)


async def test_a_post_waits_for_its_time(server: Yanlu) -> None:
    """Kept, listed, moved, taken back; and once at its time, however often it is asked for."""
    mia = client(await server.person("mia"))
    now = datetime.now(UTC)
    kept = await call(mia.status_post, "later", scheduled_at=now + timedelta(hours=1), spoiler_text="cw")
    assert ("later", "cw") == (kept.params.text, kept.params.spoiler_text)
    assert [kept.id] == [one.id for one in await call(mia.scheduled_statuses)]
    moved = await call(mia.scheduled_status_update, kept, now + timedelta(hours=3))
    assert timedelta(hours=2) == moved.scheduled_at - kept.scheduled_at
    await call(mia.scheduled_status_delete, kept)
    with pytest.raises(MastodonNotFoundError):
        await call(mia.scheduled_status, kept)
    picture = await call(mia.media_post, _picture(), mime_type="image/jpeg")
    soon = {"media_ids": [picture], "scheduled_at": now + timedelta(seconds=4), "idempotency_key": "once"}
    first, again = [await call(mia.status_post, "soon", **soon) for _ in range(2)]
    assert (first.id, 1) == (again.id, len(first.media_attachments))
    me = await call(mia.me)

    async def published() -> list[int]:
        return [len(one.media_attachments) for one in await call(mia.account_statuses, me)]

    assert [1] == await until(published, "the post is there")
    assert [] == await call(mia.scheduled_statuses)


async def test_a_refusal_reads_as_one(server: Yanlu) -> None:
    """A bot's log says what was wrong, not that something was."""
    lea = client(await server.person("lea"))
    with pytest.raises(MastodonAPIError) as caught:
        await call(lea.status_post, "a" * 5_001)
    assert 422 in caught.value.args
    assert "5000" in str(caught.value)
