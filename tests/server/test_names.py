"""Nobody here takes the name of somebody who is certified, or puts a mark into their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from compliance import reserved
from compliance.activity import Actor, Direction, Field, Profile, UpdateProfile, Uri
from compliance.classes import CertClass
from compliance.verdict import Reason
from server.errors import Invalid
from server.membership import register
from server.pipeline import Done, Road, Stopped, submit
from server.store import accounts, marks
from server.store.marks import Mark
from tests.fixtures.people import NOW, SOURCE, Join


async def certify(
    road: Road, who: Actor, label: str, class_: CertClass = CertClass.MEDIA, **more: Any
) -> None:
    values: dict[str, Any] = {
        "certified_at": NOW - timedelta(days=1),
        "expires_at": NOW + timedelta(days=300),
    }
    async with road.pool.acquire() as conn, conn.transaction():
        await marks.set(conn, who.id, Mark(class_=class_, label=label, **(values | more)))


async def call(road: Road, who: Actor, name: str, *fields: str) -> Done | Stopped:
    rows = tuple(Field(name=field, value="x", text="x") for field in fields)
    update = UpdateProfile(
        id=Uri(f"{who.uri}#{road.ids()}"), actor=who, profile=Profile(display_name=name, fields=rows)
    )
    direction = Direction.OUT if who.is_local else Direction.IN
    [answer] = await submit(road, [update], direction, source=SOURCE)
    assert isinstance(answer, Done | Stopped)
    return answer


def is_imitation(answer: Done | Stopped, field: str = "display_name") -> bool:
    return (
        isinstance(answer, Stopped)
        and answer.reason is Reason.IMITATES_MARK
        and answer.field == field
        and not answer.is_held
    )


@pytest.mark.parametrize(
    "name", ["北京示范报", "北京 示範報", "北京示范报官方", "Ribao", "RIBAO", "示范日报社"]
)
async def test_a_certified_name_is_not_taken(road: Road, join: Join, name: str) -> None:
    paper, other = await join("ribao"), await join("other")
    assert isinstance(await call(road, paper, "北京示范报"), Done)
    await certify(road, paper, "示范日报社")
    assert is_imitation(await call(road, other, name))
    assert isinstance(await call(road, paper, name), Done)


async def test_a_name_follows_the_profile(road: Road, join: Join) -> None:
    paper, other = await join("ribao"), await join("other")
    await certify(road, paper, "示范日报社")
    assert isinstance(await call(road, paper, "晨间新闻"), Done)
    assert is_imitation(await call(road, other, "晨间新闻"))
    assert isinstance(await call(road, paper, "晚间新闻"), Done)
    assert isinstance(await call(road, other, "晨间新闻"), Done)


async def test_what_is_expired_or_revoked_keeps_no_name(road: Road, join: Join) -> None:
    paper, other = await join("ribao"), await join("other")
    await certify(road, paper, "示范日报社", expires_at=NOW - timedelta(hours=1))
    assert isinstance(await call(road, other, "示范日报社"), Done)
    third = await join("third")
    await certify(road, paper, "示范日报社")
    assert is_imitation(await call(road, third, "示范日报社"))
    async with road.pool.acquire() as conn, conn.transaction():
        await marks.set(conn, paper.id, None)
    assert isinstance(await call(road, third, "示范日报社"), Done)


async def test_two_may_be_certified_under_one_label(road: Road, join: Join) -> None:
    one, two = await join("one"), await join("two")
    await certify(road, one, "示范大学")
    await certify(road, two, "示范大学")
    assert isinstance(await call(road, two, "示范大学"), Done)


async def test_people_may_have_one_name_and_keep_it(road: Road, join: Join) -> None:
    star, before, after = await join("star"), await join("before"), await join("after")
    assert isinstance(await call(road, before, "王伟"), Done)
    assert isinstance(await call(road, star, "王伟"), Done)
    await certify(road, star, "歌手", CertClass.INDIVIDUAL)
    assert isinstance(await call(road, before, "王伟", "城市"), Done)
    assert is_imitation(await call(road, after, "王伟"))
    assert isinstance(await call(road, after, "歌手"), Done)


@pytest.mark.parametrize("name", ["公安部", "人民日報 官方", "Хinhua", "People's Daily"])
async def test_reserved_names_wait_for_whom_they_belong_to(road: Road, join: Join, name: str) -> None:
    who = await join("who")
    async with road.pool.acquire() as conn, conn.transaction():
        assert await reserved.seed(conn, now=NOW) > 100
        assert await reserved.seed(conn, now=NOW) == 0
    assert is_imitation(await call(road, who, name))
    await certify(road, who, name, CertClass.GOVERNMENT)
    assert isinstance(await call(road, who, name), Done)


async def test_the_operator_reserves_and_gives_up_names(road: Road, join: Join) -> None:
    who = await join("who")
    how: dict[str, Any] = {"by": None, "now": NOW, "source": SOURCE, "new_id": road.ids}
    async with road.pool.acquire() as conn, conn.transaction():
        assert await reserved.reserve(conn, ["示范县发布"], **how) == 1
        assert [one.name for one in await reserved.list_(conn)] == ["示范县发布"]
        assert await reserved.is_taken(conn, "示範縣發布", now=NOW)
    assert is_imitation(await call(road, who, "示范县发布"))
    async with road.pool.acquire() as conn, conn.transaction():
        await reserved.release(conn, "示范县发布", **how)
        assert await reserved.list_(conn) == []
    assert isinstance(await call(road, who, "示范县发布"), Done)


@pytest.mark.parametrize("name", ["李雷✓", "李雷 :verified:", "【官方认证】李雷"])
async def test_a_sign_is_refused_here_and_not_shown_of_others(road: Road, join: Join, name: str) -> None:
    li, far = await join("li"), await join("far", host="far.example")
    assert is_imitation(await call(road, li, name))
    assert isinstance(await call(road, far, name, "Certified", "城市"), Done)
    async with road.pool.acquire() as conn:
        view = await accounts.get(conn, far.id, uris=road.uris)
        kept = await conn.fetchval("select display_name from profile where account_id = $1", far.id)
    assert (view.display_name, kept) == ("李雷", name)
    assert [field.name for field in view.fields] == ["城市"]


async def test_whoever_is_certified_may_say_so_but_not_draw_it(road: Road, join: Join) -> None:
    paper = await join("ribao")
    assert is_imitation(await call(road, paper, "示范日报(官方)"))
    await certify(road, paper, "示范日报社")
    assert isinstance(await call(road, paper, "示范日报(官方)"), Done)
    assert is_imitation(await call(road, paper, "示范日报✔️"))


async def test_the_row_of_certifications_is_nobodys(road: Road, join: Join) -> None:
    li = await join("li")
    assert is_imitation(await call(road, li, "李雷", "城市", "認證 ✓"), "fields.1.name")
    assert isinstance(await call(road, li, "李雷", "证书"), Done)


@pytest.mark.parametrize("username", ["ribao", "RIBAO", "rib_ao", "r1bao_official", "cctv"])
async def test_a_user_name_that_reads_as_anothers_is_not_given(road: Road, join: Join, username: str) -> None:
    paper = await join("r1bao" if username.startswith("r1") else "ri_bao")
    await certify(road, paper, "示范日报社")
    async with road.pool.acquire() as conn, conn.transaction():
        await reserved.seed(conn, now=NOW)
    with pytest.raises(Invalid) as refused:
        await register(
            road,
            username,
            f"{username}@mail.example",
            "correct horse battery",
            locale="en",
            accepted=True,
            source=SOURCE,
        )
    assert refused.value.field == "username"
