"""Which tier somebody is in, as a pure function of a policy and of what is measured about them, with every
condition that was looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .activity import AccountId
from .tierpolicy import UNCERTIFIED, Conditions, Reach, Span, SubjectType, Tier, TierPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a policy may ask about an account."""

    account_id: AccountId
    at: datetime
    since: datetime
    subject: SubjectType = SubjectType.PERSON
    certified: str = UNCERTIFIED
    followers: int = 0
    credit: float = 100
    violations: tuple[datetime, ...] = ()
    posts: int = 0
    """How many of the latest posts were weighed."""
    with_media: int = 0
    with_links: int = 0
    topics: tuple[frozenset[str], ...] = ()
    """For each weighed post under a topic that a policy names: which."""

    @property
    def age_days(self) -> int:
        return max((self.at - self.since).days, 0)

    def violations_in(self, days: int) -> int:
        """How many there were in the last days."""
        return sum(moment > self.at - timedelta(days=days) for moment in self.violations)

    def share(self, count: int) -> float:
        """Percent of the weighed posts; 0 for who has posted nothing."""
        return round(100 * count / self.posts, 1) if self.posts else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One condition, what it asks for, what there is, and whether that is enough."""

    condition: str
    wanted: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    value: float | str
    holds: bool
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The tier that fits, and what was found for it and for the next one above it."""

    tier: Tier
    looked: tuple[Looked, ...]
    above: Tier | None
    missing: tuple[Looked, ...]
    """What of the tier above does not hold."""
    followers_from: int
    followers_below: int | None


def place(policy: TierPolicy, measured: Measured) -> Placed:
    """The first tier whose conditions all hold; the last has none."""
    above: Tier | None = None
    missing: tuple[Looked, ...] = ()
    for tier in policy.tiers:
        looked = tuple(look(tier.when, measured))
        if all(one.holds for one in looked):
            low, below = _band(policy, measured.followers)
            return Placed(
                tier=tier,
                looked=looked,
                above=above,
                missing=missing,
                followers_from=low,
                followers_below=below,
            )
        above, missing = tier, tuple(one for one in looked if not one.holds)
    raise AssertionError("the last tier of a policy takes everybody")


def look(when: Conditions, measured: Measured) -> Iterator[Looked]:
    """Each condition that is set, in the order of the format."""
    if when.subject:
        yield _named("subject", sorted(when.subject), measured.subject.value)
    if when.certified:
        yield _named("certified", sorted(when.certified), measured.certified)
    hits = sum(not topics.isdisjoint(when.topics) for topics in measured.topics)
    for name, span, value, days in (
        ("followers", when.followers, measured.followers, None),
        ("age_days", when.age_days, measured.age_days, None),
        ("credit", when.credit, round(measured.credit, 1), None),
        (
            "violations",
            when.violations,
            measured.violations_in(when.violation_days),
            when.violation_days,
        ),
        ("media_share", when.media_share, measured.share(measured.with_media), None),
        ("link_share", when.link_share, measured.share(measured.with_links), None),
        ("topic_share", when.topic_share, measured.share(hits), None),
    ):
        if span is not None:
            topics = when.topics if name == "topic_share" else ()
            yield Looked(
                condition=name,
                wanted=topics,
                low=span.low,
                high=span.high,
                value=value,
                holds=span.holds(value),
                days=days,
            )


def _named(condition: str, wanted: Sequence[str], value: str) -> Looked:
    return Looked(condition=condition, wanted=tuple(wanted), value=value, holds=value in wanted)


def is_held_back(tier: Tier) -> bool:
    """Whether any read path leaves out people of this tier."""
    gives = tier.gives
    return gives.reach is not Reach.EVERYWHERE or not gives.discoverable or gives.signed_in_only


def _band(policy: TierPolicy, followers: int) -> tuple[int, int | None]:
    """Between which counts of followers no condition changes: from, and below."""
    edges = sorted({edge for tier in policy.tiers for edge in _edges(tier.when.followers)})
    low = max((edge for edge in edges if edge <= followers), default=0)
    return low, min((edge for edge in edges if edge > followers), default=None)


def _edges(span: Span | None) -> Iterator[int]:
    if span is not None and span.low is not None:
        yield int(span.low)
    if span is not None and span.high is not None:
        yield int(span.high) + 1
