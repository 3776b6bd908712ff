"""A short story, told to a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from compliance import cases, records, reports
from server import membership
from server.demo import fill as demo
from server.demo import plan, script
from server.demo.fill import BEFORE, SOURCE, StoryClock, fill
from server.errors import Conflict
from server.ids import IdMaker
from server.pipeline import Road
from server.store import accounts, follows, posts, timelines
from server.store.model import Page
from tests.fixtures.server import Client, Enter

STORY = """
= lin_qiao | pics: tea | alt: 一杯茶
第一条，给 @su_wan
== su_wan
看见了
= su_wan | to: followers
只给关注的人
= lao_fan
三个月回本稳赚不赔
== chenmo
没有人会看到这句
= chenmo | fix: 旧 => 新
旧的一句
= caifu888
每天荐股
"""
CAST = (
    "lin_qiao",
    "su_wan",
    "lao_fan",
    "chenmo",
    "caifu888",
    "he_xiaoyu",
    "zhan_wu",
    "xiao_man",
    "tom_baker",
)


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> None:
    """A story of a few lines instead of the long one."""
    people = [person for person in script.people() if person.name in CAST]
    monkeypatch.setattr(script, "people", lambda: people)
    monkeypatch.setattr(script, "posts", lambda: script.parse(STORY))
    monkeypatch.setattr(demo, "_STOPPED", (("caifu888", "在家日入过千"), ("caifu888", "刷单返现")))
    monkeypatch.setattr(demo, "_COMPLAINTS", (("chenmo", "caifu888", "荐股", "骗人的", "legal"),))


@pytest.mark.usefixtures("story")
async def test_the_story_happens_by_the_road_of_everybody(road_of: Road) -> None:
    """With decisions, records, cases and notices, as if people had done it."""
    heard: list[tuple[str, int, int]] = []

    def tell(*step: Any) -> None:
        heard.append(step)

    road, clock = _in_story(road_of)
    told = await fill(road, clock, password="a long password", force=False, tell=tell)
    assert (8, 0, 5, 1, 2, 1, 1) == (
        told.people, told.organisations, told.posts, told.pictures, told.held, told.refused, told.reports,
    )  # fmt: skip
    assert [done for _, done, _ in heard] == list(range(1, len(heard) + 1))
    assert heard[-1][2] == len(heard)
    async with road.pool.acquire() as conn:
        assert told.posts == await posts.count_local(conn)
        public = await timelines.local(conn, None, Page())
        shown = await posts.load(conn, public, None, uris=road.uris)
        first = next(post for post in shown if "第一条" in post.text)
        assert ("一杯茶", ("su_wan",)) == (
            first.media[0].description,
            tuple(m.username for m in first.mentions),
        )
        edited = next(post for post in shown if "一句" in post.text)
        assert ("新的一句", 1) == (edited.text, edited.version)
        assert first.created_at < edited.edited_at < datetime.now(UTC)  # type: ignore[operator]
        assert 2 == len(await cases.list_waiting(conn))
        assert 1 == len(await reports.list_waiting(conn))
        su_wan = await accounts.find_by_name(conn, "su_wan", None, uris=road.uris)
        assert su_wan is not None
        assert su_wan.locked
        assert su_wan.avatar
        assert await follows.requests(conn, su_wan.id, Page())
    member = await membership.authenticate(road, "lin_qiao", "a long password", source=SOURCE)
    assert "lin_qiao" == member.username


@pytest.mark.usefixtures("story")
async def test_a_server_with_posts_is_left_alone(client: Client, enter: Enter, road_of: Road) -> None:
    """Nobody's own words are to be drowned by a slip on the command line."""
    await (await enter("alice")).post("I was here first")
    road, clock = _in_story(road_of)
    with pytest.raises(Conflict):
        await fill(road, clock, password="a long password", force=False, tell=lambda *_: None)
    async with road.pool.acquire() as conn:
        assert 1 == await accounts.count_local(conn)
        assert not [
            record for record in await records.list_page(conn) if record.source.client == "yanlu demo"
        ]


def test_the_clock_of_the_story_never_runs_ahead_or_back() -> None:
    """Ids come from it, and an id of the future would hide what is said tomorrow."""
    clock = StoryClock(datetime.now(UTC) - BEFORE)
    clock.move(datetime.now(UTC).replace(year=2100))
    latest = clock()
    assert latest <= datetime.now(UTC)
    clock.move(latest - plan.DAYS * BEFORE)
    assert latest == clock()


def _in_story(road: Road) -> tuple[Road, StoryClock]:
    clock = StoryClock(datetime.now(UTC) - BEFORE)
    return replace(road, clock=clock, ids=IdMaker(60, clock)), clock
