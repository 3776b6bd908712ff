"""Article 9 on the read paths: what a tier keeps from whom, and from whom it does not."""

from __future__ import annotations

import pytest

from compliance.activity import AccountId
from server.db.pool import Connection
from server.store import accounts, collections, posts, tags, timelines
from server.store.model import Page
from tests.fixtures.factory import URIS, Factory


async def hold_back(
    conn: Connection,
    account_id: AccountId,
    *,
    lists: bool = False,
    search: bool = False,
    guests: bool = False,
) -> None:
    await conn.execute(
        "insert into held_back (account_id, from_timelines, undiscoverable, from_guests)"
        " values ($1, $2, $3, $4)",
        account_id,
        lists,
        search,
        guests,
    )


async def test_who_reaches_followers_only_stands_in_no_list_of_everybody(
    conn: Connection, make: Factory
) -> None:
    """Public and tag timelines leave it out; its page, its followers' home and the post itself do not."""
    low, high, reader = [await make.member(name) for name in ("low", "high", "reader")]
    kept = await make.post(low, "#cats", tags=["cats"])
    shown = await make.post(high, "#cats", tags=["cats"])
    await hold_back(conn, low, lists=True)
    assert [shown] == await timelines.public(conn, reader, Page())
    assert [shown] == await timelines.public(conn, None, Page(), local=True)
    assert [shown] == await timelines.tag(conn, "cats", reader, Page())
    assert [kept] == await timelines.account(conn, low, reader, Page())
    assert kept == (await posts.get(conn, kept, None, uris=URIS)).id
    found = await tags.find_with_history(
        conn, "cats", now=(await posts.get(conn, kept, None, uris=URIS)).created_at
    )
    assert found is not None and [1] == [count for _, count, _ in found.history if count]


async def test_who_is_for_people_logged_in_is_not_for_guests(conn: Connection, make: Factory) -> None:
    """Whichever way a guest comes: timelines, the page, the post, the ActivityPub outbox."""
    low, reader = await make.member("low"), await make.member("reader")
    kept = await make.post(low)
    await hold_back(conn, low, guests=True)
    for viewer, seen in ((None, []), (reader, [kept]), (low, [kept])):
        assert seen == await timelines.public(conn, viewer, Page())
        assert seen == await timelines.account(conn, low, viewer, Page())
    assert [] == await collections.outbox(conn, low, Page())
    with pytest.raises(Exception, match="not found"):
        await posts.get(conn, kept, None, uris=URIS)


async def test_who_is_not_suggested_is_found_by_handle_only(conn: Connection, make: Factory) -> None:
    """A name that somebody types in part finds others."""
    low, high = await make.member("lowly"), await make.member("highly")
    for account_id in (low, high):
        await make.profile(account_id, display_name="Cat friend")
    await hold_back(conn, low, search=True)
    found = await accounts.search(conn, "cat", 10, high, uris=URIS)
    assert [high] == [view.id for view in found]
    for typed, ids in (("lowly", [low]), ("lowl", [])):
        assert ids == [view.id for view in await accounts.search(conn, typed, 10, high, uris=URIS)]
