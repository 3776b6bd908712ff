"""When what happens: the script's posts, favourites and boosts laid over three weeks, in the order of time.

Chance decides, and always in the same way, so that two demos are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from enum import Enum, auto
from random import Random
from typing import Final

from compliance.activity import Visibility

from .script import Person, Said

DAYS: Final = 21
SELLER: Final = "caifu888"
"""Nobody's friend here."""

_HOURS: Final = (8, 9, 10, 11, 12, 12, 13, 15, 16, 18, 19, 19, 20, 20, 21, 21, 22)
_CLOCKS: Final = timezone(timedelta(hours=8))
_QUIET: Final = timedelta(minutes=2)


class Kind(Enum):
    """What somebody does."""

    SAY = auto()
    LIKE = auto()
    BOOST = auto()
    KEEP = auto()
    FIX = auto()
    WITHDRAW = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One act: `who` does it with `said`, which is an answer where `to` is there."""

    moment: datetime
    order: int
    kind: Kind
    who: str
    said: Said
    to: Said | None = None


def follows(people: Sequence[Person], roots: Sequence[Said]) -> list[tuple[str, str]]:
    """Who follows whom: whoever answers what only followers see, mostly those who care for the same things,
    and nearly everybody the organisations.
    """
    chance = _chance("follows")
    closed = [root for root in roots if root.visibility is Visibility.FOLLOWERS]
    pairs = [(answer.by, root.by) for root in closed for answer in root.answers]
    for one in people:
        for other in people:
            likely = 0.75 if one.topics & other.topics else 0.3
            if other.organisation or other.roles:
                likely = 0.85
            if other.name == SELLER:
                likely = 0.05
            if one is not other and (one.name, other.name) not in pairs and chance.random() < likely:
                pairs.append((one.name, other.name))
    return pairs


def steps(roots: Sequence[Said], people: Sequence[Person], *, end: datetime) -> list[Step]:
    """Everything that happens after the follows, up to `end`."""
    plot = _Plot(people, _chance("steps"))
    order = list(roots)
    plot.chance.shuffle(order)
    begin = end - timedelta(days=DAYS)
    for place, root in enumerate(order):
        # More of it lately than long ago, as on a server that grows.
        day = begin + timedelta(days=DAYS * ((place + plot.chance.random()) / len(order)) ** 0.65)
        plot.live(root, None, max(plot.hour(day, root.hour), begin))
    return sorted(_before(plot.steps, end - _QUIET), key=lambda step: (step.moment, step.order))


def _before(made: Sequence[Step], last: datetime) -> Iterator[Step]:
    """The steps, those that would lie in the future pulled back, in their order, to just before now."""
    late = sum(step.moment > last for step in made)
    for step in made:
        if step.moment > last:
            yield replace(step, moment=last - _QUIET * late / len(made))
            late -= 1
        else:
            yield step


@dataclass(slots=True)
class _Plot:
    """What happens, as it is thought of: a post, then what comes of it."""

    people: Sequence[Person]
    chance: Random
    steps: list[Step] = field(default_factory=list)

    def hour(self, day: datetime, hour: int | None) -> datetime:
        """A moment of that day: at that hour, or at one at which people are awake."""
        hour = self.chance.choice(_HOURS) if hour is None else hour
        minute, second = self.chance.randrange(60), self.chance.randrange(60)
        return day.astimezone(_CLOCKS).replace(hour=hour, minute=minute, second=second)

    def live(self, said: Said, to: Said | None, moment: datetime) -> None:
        """A post and all that comes of it, answers included."""
        self._add(moment, Kind.SAY, said.by, said, to)
        if said.fix:
            self._add(moment + timedelta(minutes=self.chance.uniform(3, 40)), Kind.FIX, said.by, said)
        if said.gone:
            self._add(moment + timedelta(hours=self.chance.uniform(1, 5)), Kind.WITHDRAW, said.by, said)
        if said.visibility.is_open:
            self._echo(said, moment, is_answer=to is not None)
        for answer in said.answers:
            moment += timedelta(minutes=1 + self.chance.expovariate(1 / 35))
            self.live(answer, said, moment)

    def _echo(self, said: Said, moment: datetime, *, is_answer: bool) -> None:
        """Who likes it, and who passes a post on or keeps it."""
        warmth = min(0.55, self.chance.expovariate(1 / (0.1 if is_answer else 0.2)))
        for person in self.people:
            if person.name in (said.by, SELLER):
                continue
            later = moment + timedelta(minutes=1 + self.chance.expovariate(1 / 240))
            if self.chance.random() < warmth:
                self._add(later, Kind.LIKE, person.name, said)
            if not is_answer and person.verified and self.chance.random() < warmth / 7:
                self._add(later, Kind.BOOST, person.name, said)
            if not is_answer and self.chance.random() < warmth / 12:
                self._add(later, Kind.KEEP, person.name, said)

    def _add(self, moment: datetime, kind: Kind, who: str, said: Said, to: Said | None = None) -> None:
        self.steps.append(Step(moment, len(self.steps), kind, who, said, to))


def _chance(name: str) -> Random:
    return Random(f"demo/{name}")  # noqa: S311 - decides who likes a post about noodles
