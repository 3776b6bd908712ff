"""Fills an empty server: people sign up, follow, write, answer, favourite, complain, as everybody else does.

Nothing is written past the gate: some of what is said is held for review, and one thing is refused. Only the
clock is moved, so that three weeks of life fit into a minute.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from compliance import agreements, identity, wordlists
from compliance.activity import AccountId, PostId
from compliance.records import Source, open_months

from .. import acts, membership, staff
from ..acts import Draft, NotPublished, ProfileDraft
from ..errors import Conflict
from ..media import files
from ..media.files import Stored
from ..media.model import Shape
from ..pipeline import Road
from ..store import accounts, bookmarks, members, posts
from ..store.model import AccountView, Role
from . import claims, pictures, plan, script
from .plan import Kind, Step
from .script import Person, Said

SOURCE: Final = Source.internal("yanlu demo")
BEFORE: Final = timedelta(days=plan.DAYS + 1)
"""How far back the story begins."""

_WAITING_REQUESTS: Final = 3
_ECHOES: Final = frozenset((Kind.LIKE, Kind.BOOST, Kind.KEEP))
_AT_ONCE: Final = 6

Tell = Callable[[str, int, int], None]
"""Hears what is being done, how much of all is done, and how much there is."""


@dataclass(slots=True)
class StoryClock:
    """A clock that the story moves; it never runs ahead of the real one."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def move(self, moment: datetime) -> None:
        """To `moment`, but never back."""
        self.now = min(max(self.now, moment), datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Filled:
    """What there is now."""

    people: int
    organisations: int
    posts: int
    pictures: int
    held: int
    refused: int
    reports: int


@dataclass(slots=True)
class _Story:
    road: Road
    clock: StoryClock
    tell: Tell
    total: int
    done: int = 0
    cast: dict[str, AccountView] = field(default_factory=dict)
    ids: dict[int, PostId] = field(default_factory=dict)
    """Posts that came through, by the identity of what the script says."""
    stored: dict[int, list[Stored]] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    held: int = 0
    refused: int = 0

    def step(self, label: str) -> None:
        self.done += 1
        self.tell(label, self.done, self.total)


async def fill(road: Road, clock: StoryClock, *, password: str, force: bool, tell: Tell) -> Filled:
    """Fills the server; raises `Conflict` for one where somebody has written already, unless forced to."""
    async with road.pool.acquire() as conn:
        written = await posts.count_local(conn)
    if written and not force:
        raise Conflict(
            "People have written here already: the demo is for an empty server (--force does it anyway)"
        )
    people, roots = script.people(), script.posts()
    said = list(_everything(roots))
    follows = plan.follows(people, roots)
    steps = plan.steps(roots, people, end=datetime.now(UTC))
    painted = sum(len(one.pictures) for one in said)
    story = _Story(road, clock, tell, total=len(people) * 2 + painted + len(follows) + len(steps))
    async with road.pool.acquire() as conn, conn.transaction():
        await open_months(conn, clock())
    await _put_rules(road)
    await _join(story, people, password)
    await _paint(story, said)
    await _follow(story, follows)
    for group in _groups(steps):
        clock.move(group[-1].moment)
        await asyncio.gather(*(_do(story, step) for step in group))
    clock.move(datetime.now(UTC))
    reports = await _aftermath(story, roots)
    await _be_seen(story)
    return Filled(
        people=sum(not person.organisation and not person.roles for person in people),
        organisations=sum(person.organisation for person in people),
        posts=len(story.ids),
        pictures=painted,
        held=story.held,
        refused=story.refused,
        reports=reports,
    )


async def _put_rules(road: Road) -> None:
    async with road.pool.acquire() as conn, conn.transaction():
        now = road.clock()
        version = await wordlists.import_(
            conn, script.rules(), by=None, source=SOURCE, now=now, new_id=road.ids
        )
        await wordlists.activate(conn, version, by=None, source=SOURCE, now=now, new_id=road.ids)
    async with road.pool.acquire() as conn:
        await road.rules.reload(conn)


async def _join(story: _Story, people: Sequence[Person], password: str) -> None:
    for person in people:
        story.cast[person.name] = await _sign_up(story.road, person, password)
        story.step("People sign up")
    story.locked = frozenset(person.name for person in people if person.locked)
    for person in people:
        if person.verified:
            await _dress(story, person)
        story.step("They introduce themselves")


async def _sign_up(road: Road, person: Person, password: str) -> AccountView:
    host = road.uris.host.partition(":")[0]
    made = await membership.register(
        road,
        person.name,
        f"{person.name}@{host if '.' in host else 'demo.example'}",
        password,
        locale=person.locale,
        accepted=True,
        source=SOURCE,
        confirmed=True,
    )
    async with road.pool.acquire() as conn, conn.transaction():
        now = datetime.now(UTC)
        if await agreements.missing(conn, made.account_id, now=now):
            # The server was founded after the story begins: what is in force today is accepted today.
            await agreements.accept(
                conn, made.account_id, locale=person.locale, now=now, source=SOURCE, new_id=road.ids
            )
        if person.verified:
            await identity.attest(
                conn,
                made.account_id,
                reason="A person of the demo",
                by=None,
                now=road.clock(),
                source=SOURCE,
                new_id=road.ids,
            )
    for role in person.roles:
        await staff.grant(road, made.account_id, Role(role), by=None, source=SOURCE)
    async with road.pool.acquire() as conn:
        return await accounts.get(conn, made.account_id, uris=road.uris)


async def _dress(story: _Story, person: Person) -> None:
    road, me = story.road, story.cast[person.name]
    face, strip = await asyncio.gather(
        asyncio.to_thread(pictures.face, person.face, person.name),
        asyncio.to_thread(pictures.header, person.name),
    )
    stored = await asyncio.gather(_store(road, face, Shape.AVATAR), _store(road, strip, Shape.HEADER))
    avatar, header = [await acts.upload(road, me, one, source=SOURCE) for one in stored]
    draft = ProfileDraft(
        display_name=person.shown,
        text=person.bio,
        fields=person.fields,
        avatar_media_id=avatar,
        header_media_id=header,
        locked=person.locked,
    )
    await acts.update_profile(road, me, draft, source=SOURCE)


async def _store(road: Road, image: bytes, shape: Shape = Shape.PICTURE) -> Stored:
    return await files.store_image(road.settings.data / "media", image, road.settings.media, shape=shape)


async def _paint(story: _Story, said: Sequence[Said]) -> None:
    """All pictures, a few at a time; they are brought to their posts when these are written."""
    at_once = asyncio.Semaphore(files.AT_ONCE + 1)

    async def one(place: int, number: int, scene: str) -> Stored:
        async with at_once:
            image = await asyncio.to_thread(pictures.paint, scene, place * 10 + number)
            stored = await _store(story.road, image)
        story.step("Pictures are painted")
        return stored

    for place, post in enumerate(said):
        if post.pictures:
            story.stored[id(post)] = list(
                await asyncio.gather(*(one(place, n, scene) for n, scene in enumerate(post.pictures)))
            )


async def _follow(story: _Story, follows: Sequence[tuple[str, str]]) -> None:
    waiting: list[tuple[str, str]] = []
    for follower, followee in follows:
        other = story.cast[followee]
        await acts.follow(story.road, story.cast[follower], other.id, source=SOURCE)
        if followee in story.locked:
            waiting.append((follower, followee))
        story.step("They follow each other")
    for follower, followee in waiting[:-_WAITING_REQUESTS]:
        await acts.authorize(story.road, story.cast[followee], story.cast[follower].id, source=SOURCE)


def _groups(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Favourites and the like that follow each other are given together; all else happens by itself."""
    for is_echo, run in itertools.groupby(steps, key=lambda step: step.kind in _ECHOES):
        group = list(run)
        size = _AT_ONCE if is_echo else 1
        yield from (group[start : start + size] for start in range(0, len(group), size))


async def _do(story: _Story, step: Step) -> None:
    story.step("Three weeks go by")
    road, me = story.road, story.cast[step.who]
    if step.kind is Kind.SAY:
        await _say(story, me, step.said, step.to)
        return
    post_id = story.ids.get(id(step.said))
    if post_id is None:
        return  # it was held or withdrawn: nobody else sees it
    match step.kind:
        case Kind.LIKE:
            await acts.like(road, me, post_id, source=SOURCE)
        case Kind.BOOST:
            await acts.boost(road, me, post_id, source=SOURCE)
        case Kind.KEEP:
            async with road.pool.acquire() as conn:
                await bookmarks.insert(conn, me.id, post_id, new_id=road.ids)
        case Kind.FIX if step.said.fix:
            before, after = step.said.fix
            text = step.said.text.replace(before, after)
            await acts.edit(road, me, post_id, Draft(text=text), source=SOURCE)
        case Kind.WITHDRAW:
            await acts.delete(road, me, post_id, source=SOURCE)
            del story.ids[id(step.said)]


async def _say(story: _Story, me: AccountView, said: Said, to: Said | None) -> None:
    road = story.road
    answered = story.ids.get(id(to)) if to else None
    if to and answered is None:
        return
    media = [
        await acts.upload(road, me, stored, source=SOURCE, description=alt)
        for stored, alt in zip(story.stored.get(id(said), ()), (*said.alts, *[""] * 9), strict=False)
    ]
    named = f"@{to.by} " if to and to.by != said.by and f"@{to.by}" not in said.text else ""
    draft = Draft(
        text=named + said.text,
        spoiler=said.warning,
        visibility=said.visibility,
        language=said.language or ("en" if me.username in _ENGLISH else "zh-CN"),
        in_reply_to_id=answered,
        media_ids=tuple(media),
    )
    await _publish(story, me, draft, said)


_ENGLISH: Final = frozenset(person.name for person in script.people() if person.locale == "en")


async def _publish(story: _Story, me: AccountView, draft: Draft, said: Said) -> None:
    try:
        story.ids[id(said)] = await acts.publish(story.road, me, draft, source=SOURCE)
    except NotPublished as stopped:
        story.held += stopped.stopped.is_held
        story.refused += not stopped.stopped.is_held


async def _aftermath(story: _Story, roots: Sequence[Said]) -> int:
    """What waits for an operator: cases to be reviewed and complaints to be decided."""
    for by, text in _STOPPED:
        said = Said(by=by, text=text)
        await _publish(story, story.cast[by], Draft(text=text), said)
    complaints = 0
    for by, about, words, comment, category in _COMPLAINTS:
        found = next((root for root in roots if root.by == about and words in root.text), None)
        post = story.ids.get(id(found)) if found else None
        await acts.report(
            story.road,
            story.cast[by],
            story.cast[about].id,
            [post] if post else [],
            comment=comment,
            category=category,
            source=SOURCE,
        )
        complaints += 1
    for person in script.people():
        if not person.verified:
            whose = story.cast[person.name].id
            await claims.send(story.road, whose, person.shown, source=SOURCE)
    await acts.block(story.road, story.cast["he_xiaoyu"], story.cast[plan.SELLER].id, source=SOURCE)
    return complaints


async def _be_seen(story: _Story) -> None:
    """Everybody was here today, so that their home timelines are kept."""
    async with story.road.pool.acquire() as conn:
        for person in story.cast.values():
            await members.seen(conn, AccountId(person.id), now=story.clock())


def _everything(roots: Sequence[Said]) -> list[Said]:
    found: list[Said] = []
    for said in roots:
        found += [said, *_everything(said.answers)]
    return found


# Some are what the rules are for, some only look like it: telling them apart is a person's work.
_STOPPED: Final = (
    ("caifu888", "独家内部消息，这只股票下周连续涨停，想上车的加微信，名额十个。"),
    ("caifu888", "在家动动手指，日入过千不是梦，私信发“自由”两个字。"),
    (
        "tom_baker",
        "Film night on the roof: a heist comedy set in an online casino. Bring a cushion.",
    ),
    ("tang_shi", "退了一篇小说，主角靠百家乐翻身。作者问为什么退，我说：因为主角没有翻身的理由。"),
    ("zhou_nan", "收到一封推销信，说能帮本店“代办假文凭、真公章”。我把它夹进了《儒林外史》。"),
    ("caifu888", "招兼职，刷单返现，当天结算。"),
)
_COMPLAINTS: Final = (
    ("chenmo", "caifu888", "荐股", "无资质荐股，还让人加好友。", "legal"),
    ("he_xiaoyu", "caifu888", "跟着老师走", "我们科有病人被同样的话术骗过。", "legal"),
    (
        "ines_duarte",
        "caifu888",
        "",
        "Only here to sell tips; the screenshots are recycled.",
        "spam",
    ),
    ("qin_yue", "li_yanran", "双生子", "剧透了！（开玩笑的，点错了，抱歉）", "other"),
    ("tom_baker", "ning_ning", "大气", "I do not think windows should be opened at clients.", "other"),
)
