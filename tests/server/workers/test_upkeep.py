"""What has had its time goes, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server import keys
from server.db.pool import Connection
from server.store import sweeps
from tests.fixtures.factory import Factory
from tests.fixtures.stranger import Here
from tests.fixtures.upkeep import keep_house

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


async def test_uploads_that_no_post_took_go_with_their_files(conn: Connection, make: Factory) -> None:
    """Those on posts and in profiles stay, and so does a file that another row still names."""
    an = await make.member("an")
    loose = await make.media(an)
    await make.media(an, post_id=await make.post(an))
    face = await make.media(an)
    await make.profile(an)
    await conn.execute("update profile set avatar_media_id = $1 where account_id = $2", face, an)
    soon = datetime.now(UTC) + DAY
    assert (0, []) == await sweeps.loose_media(conn, before=soon - 2 * DAY, limit=10)
    gone, files = await sweeps.loose_media(conn, before=soon, limit=10)
    assert (1, {f"{loose}.webp", f"{loose}-small.webp"}) == (gone, set(files))
    assert 2 == await conn.fetchval("select count(*) from media")


async def test_home_timelines_keep_their_newest_posts(conn: Connection, make: Factory) -> None:
    """The far end of a long one goes; a short one is left alone."""
    an, bo = await make.member("an"), await make.member("bo")
    posts = [await make.post(bo) for _ in range(5)]
    await make.feed(an, *posts)
    await make.feed(bo, *posts[:2])
    assert 2 == await sweeps.feeds(conn, keep=3, limit=10)
    rows = await conn.fetch("select owner_id, post_id from feed order by owner_id, post_id")
    assert [(an, p) for p in posts[2:]] + [(bo, p) for p in posts[:2]] == [tuple(row) for row in rows]


async def test_mutes_for_a_time_end(conn: Connection, make: Factory) -> None:
    """Those without end stay."""
    an, bo, fei = [await make.member(name) for name in ("an", "bo", "fei")]
    now = datetime.now(UTC)
    await make.mute(an, bo)
    await make.mute(an, fei)
    await conn.execute("update mute set expires_at = $1 where target_id = $2", now, bo)
    assert 1 == await sweeps.mutes(conn, now=now + DAY, limit=10)
    assert [fei] == [row["target_id"] for row in await conn.fetch("select target_id from mute")]


async def test_a_document_goes_when_every_inbox_has_it(conn: Connection, make: Factory) -> None:
    """As long as one waits, it stays."""
    an = await make.member("an")
    decision, now = await make.decision(actor_id=an), datetime.now(UTC)
    for id_ in (1, 2):
        await conn.execute(
            """
            insert into federation.message (id, account_id, activity_uri, kind, body, decision_id, created_at)
            values ($1, $2, 'urn:x', 'create', '', $3, $4)
            """,
            id_,
            an,
            decision,
            now,
        )
    await conn.execute(
        "insert into federation.outbound (id, message_id, inbox, host, due_at, created_at)"
        " values (1, 2, 'https://far.test/inbox', 'far.test', $1, $1)",
        now,
    )
    assert 1 == await sweeps.sent_messages(conn, before=now + DAY, limit=10)
    assert 2 == await conn.fetchval("select id from federation.message")


async def test_every_chore_can_be_done_by_the_role_that_runs(
    here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    """The application role may do what the chores do; then there is nothing to do for half a minute."""
    seconds = await keep_house(here.app[keys.ROAD])
    assert [] == [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert 20 < seconds <= 30


async def test_a_deleted_post_is_emptied_in_time_unless_somebody_complained(
    conn: Connection, make: Factory
) -> None:
    """Data dies on time; what a complaint is about waits for its decision."""
    an = await make.member("an")
    kept, emptied, complained = [await make.post(an, text="words") for _ in range(3)]
    picture = await make.media(an, post_id=emptied)
    await conn.execute(
        "update post set withdrawn_at = $2, withdrawn_by = 'author' where id = any($1)",
        [emptied, complained],
        NOW,
    )
    await conn.execute(
        "insert into compliance.report (id, code, target_id, posts, decision_id, created_at) "
        "values (1, 'A', $1, $2, $3, $4)",
        an,
        [complained],
        await make.decision(),
        NOW,
    )
    done, files = await sweeps.withdrawn_posts(conn, before=NOW, now=NOW, limit=10)
    assert (0, []) == (done, files)
    done, files = await sweeps.withdrawn_posts(conn, before=NOW + DAY, now=NOW + DAY, limit=10)
    assert (1, {f"{picture}.webp", f"{picture}-small.webp"}) == (done, set(files))
    words = {row["id"]: row["text"] for row in await conn.fetch("select id, text from post")}
    assert {kept: "words", emptied: "", complained: "words"} == words


async def test_what_a_closed_account_wrote_is_withdrawn_step_by_step(conn: Connection, make: Factory) -> None:
    """A lifetime of posts is too much for the request that closes the account."""
    an, bo = await make.member("an"), await make.member("bo")
    for _ in range(5):
        await make.post(an)
    liked = await make.post(bo)
    await make.like(an, liked)
    await conn.execute("update account set gone_at = $2 where id = $1", an, NOW)
    for _ in range(4):
        await sweeps.closed_accounts(conn, now=NOW, limit=2)
    assert 5 == await conn.fetchval("select count(*) from post where withdrawn_at is not null")
    assert 0 == await conn.fetchval("select count(*) from reaction")
    assert 0 == await conn.fetchval("select likes from post_count where post_id = $1", liked)
    assert 0 == await sweeps.closed_accounts(conn, now=NOW, limit=2)
    assert 1 == await conn.fetchval("select count(*) from post where withdrawn_at is null")
