"""The main job, end to end, by the client API."""

from __future__ import annotations

from tests.fixtures.server import Caller, Enter


async def test_what_one_posts_is_in_the_home_of_who_follows(enter: Enter, nobody: Caller) -> None:
    """The first thing anybody does here."""
    alice, bob = await enter("alice"), await enter("bob")
    relation = await bob.do(f"/api/v1/accounts/{alice.id}/follow")
    assert relation["following"] is True
    posted = await alice.post("hello #World, @bob")
    home = await bob.get("/api/v1/timelines/home")
    assert [each["id"] for each in home] == [posted["id"]]
    assert [each["id"] for each in await nobody.get("/api/v1/timelines/public")] == [posted["id"]]
