"""A tier policy as data, and which tier somebody is in: pure, so that every border can be tried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance import credit, tierbook
from compliance.activity import AccountId
from compliance.credit import Event
from compliance.errors import InvalidPolicy
from compliance.tierpolicy import CreditKind, CreditRules, SubjectType, parse
from compliance.weighing import Measured, place

NOW = datetime(2026, 6, 15, tzinfo=UTC)
SHIPPED = parse(tierbook.shipped())
SMALL = """
name = "T"
version = "1"
[[tiers]]
id = "a"
name = { en = "A", zh = "甲" }
[tiers.when]
credit = { min = 50 }
[[tiers]]
id = "b"
name = { en = "B", zh = "乙" }
"""


def measured(**values: object) -> Measured:
    whole: dict[str, object] = {"account_id": AccountId(1), "at": NOW, "since": NOW - timedelta(days=30)}
    return Measured(**(whole | values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('version = "1"', "", "version must be text"),
        ("min = 50", "mim = 50", "tiers[1].when.credit.mim is not a field"),
        ("min = 50", "min = 50, max = 40", "tiers[1].when.credit has a `min` above its `max`"),
        ("credit = { min = 50 }", "", "tiers[1].when has no condition"),
        ('id = "b"', 'id = "a"', "tiers[2].id 'a' is the id of a tier above"),
        ('id = "b"', 'id = "B!"', "tiers[2].id may hold a-z"),
        (', zh = "乙"', "", "tiers[2].name.zh must be text"),
        ("credit = { min = 50 }", 'certified = ["king"]', "tiers[1].when.certified 'king' must be one of"),
        ("credit = { min = 50 }", "subject = []", "tiers[1].when.subject must not be empty"),
        ("credit = { min = 50 }", "topic_share = { min = 5 }", "`topic_share` go together"),
        ("credit = { min = 50 }", "violation_days = 3", "is set without `violations`"),
        ("[[tiers]]", "[credit]\nstart = 300\n[[tiers]]", "credit.start must lie between"),
        ("[[tiers]]", "[credit.points]\npost_refused = 5\n[[tiers]]", "credit.points.post_refused must not"),
        ("[[tiers]]", "[credit.points]\nmanual = 5\n[[tiers]]", "credit.points.manual is not a field"),
        ("[[tiers]]", "pin_days = true\n[[tiers]]", "pin_days must be a whole number"),
        ("name = { en", "nmae = { en", "tiers[1].nmae is not a field"),
        ('version = "1"', "version =", "not TOML"),
        ('version = "1"', f"pin_days = {'9' * 5000}", "not TOML"),
        ('version = "1"', f"version = {'[' * 5000}{']' * 5000}", "not TOML"),
        ('version = "1"', 'version = "a\\u0000b"', "version holds a NUL"),
        (
            "credit = { min = 50 }",
            "credit = { min = 201 }",
            "tiers[1].when.credit.min must not be above `cap`",
        ),
        (
            "credit = { min = 50 }",
            "credit = { max = -1 }",
            "tiers[1].when.credit.max must not be below `floor`",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, place: str) -> None:
    """Whoever wrote the policy finds the line."""
    with pytest.raises(InvalidPolicy) as caught:
        parse(SMALL.replace(old, new, 1))
    assert place in str(caught.value)


def test_limits_of_a_tier_are_read_strictly() -> None:
    """A limit of nought would be a ban in disguise; there are other ways to ban, with reasons."""
    for line in (
        "posts_per_hour = 0",
        "pre_review = 1",
        'reach = "nowhere"',
        'reach = ["x"]',
        "reverify_months = 61",
    ):
        with pytest.raises(InvalidPolicy, match=r"tiers\[2\].gives"):
            parse(f"{SMALL}[tiers.gives]\n{line}\n")


@pytest.mark.parametrize(
    ("values", "tier"),
    [
        ({}, "standard"),
        ({"since": NOW}, "new"),
        ({"since": NOW - timedelta(days=400)}, "trusted"),
        ({"since": NOW - timedelta(days=400), "violations": (NOW - timedelta(days=5),)}, "standard"),
        ({"since": NOW - timedelta(days=400), "violations": (NOW - timedelta(days=95),)}, "trusted"),
        ({"credit": 59.9}, "watched"),
        ({"subject": SubjectType.ORGANISATION, "certified": "media"}, "answerable"),
        ({"subject": SubjectType.ORGANISATION}, "standard"),
        ({"subject": SubjectType.ORGANISATION, "certified": "media", "credit": 70}, "standard"),
    ],
)
def test_the_shipped_policy_puts_people_where_it_says(values: dict[str, object], tier: str) -> None:
    """What an operator would take over without changes must make sense."""
    assert tier == place(SHIPPED, measured(**values)).tier.id


def test_what_somebody_posts_can_be_weighed() -> None:
    """The kind of content: pictures, links, topics, as shares of the latest posts."""
    policy = parse(
        SMALL.replace(
            "credit = { min = 50 }",
            "media_share = { min = 50 }\nlink_share = { max = 20 }\ntopic_share = { min = 30 }\n"
            'topics = ["#News", "sport"]',
        )
    )
    assert policy.weighs_posts and ("news", "sport") == policy.topics
    shown = {"posts": 10, "with_media": 5, "with_links": 2}
    news = frozenset({"news"})
    assert "a" == place(policy, measured(**shown, topics=(news,) * 3)).tier.id
    assert "b" == place(policy, measured(**shown, topics=(news,) * 2)).tier.id
    assert "b" == place(policy, measured(**shown | {"with_links": 3}, topics=(news,) * 3)).tier.id
    assert "b" == place(policy, measured()).tier.id


@given(
    followers=st.integers(0, 10_000),
    edges=st.lists(st.integers(0, 10_000), min_size=1, max_size=4, unique=True),
)
def test_within_its_band_the_count_of_followers_changes_nothing(followers: int, edges: list[int]) -> None:
    """So that nobody has to be looked at while they stay in it."""
    tiers = "".join(
        f'[[tiers]]\nid = "t{n}"\nname = {{ en = "T", zh = "T" }}\n'
        f"[tiers.when]\nfollowers = {{ min = {edge} }}\n"
        for n, edge in enumerate(sorted(edges, reverse=True))
    )
    policy = parse(
        f'name = "T"\nversion = "1"\n{tiers}[[tiers]]\nid = "z"\nname = {{ en = "Z", zh = "Z" }}\n'
    )
    found = place(policy, measured(followers=followers))
    last = 10_001 if found.followers_below is None else found.followers_below - 1
    for count in (found.followers_from, last):
        assert found.tier == place(policy, measured(followers=count)).tier
    if found.followers_below is not None:
        assert found.tier != place(policy, measured(followers=found.followers_below)).tier


_rules = st.builds(
    CreditRules,
    start=st.just(100.0),
    floor=st.floats(-50, 50),
    cap=st.floats(150, 300),
    half_life_days=st.floats(1, 400),
)


@given(
    rules=_rules,
    events=st.lists(st.tuples(st.floats(-100, 100), st.floats(0, 400)), min_size=1, max_size=20),
)
def test_replaying_the_ledger_gives_the_current_value(
    rules: CreditRules, events: list[tuple[float, float]]
) -> None:
    """A9.1: points and moments alone, without the values kept beside them."""
    ledger: list[Event] = []
    moment = NOW
    for points, days in events:
        moment += timedelta(days=days)
        before = credit.value_of(ledger[-1] if ledger else None, rules, moment)
        ledger.append(
            Event(
                id=len(ledger),
                account_id=AccountId(1),
                kind=CreditKind.MANUAL,
                points=points,
                policy_version=1,
                reason="x",
                before=before,
                after=min(max(before + points, rules.floor), rules.cap),
                at=moment,
            )
        )
    replayed = credit.replay(ledger, {1: rules})
    assert ledger[-1].after == replayed
    assert rules.floor <= ledger[-1].after <= rules.cap


@given(rules=_rules, value=st.floats(0, 150), days=st.floats(0, 5_000))
def test_credit_comes_back_towards_the_start_and_never_past_it(
    rules: CreditRules, value: float, days: float
) -> None:
    """Half the way in each half-life."""
    value = min(max(value, rules.floor), rules.cap)
    later = credit.left(value, NOW, NOW + timedelta(days=days), rules)
    assert abs(later - rules.start) <= abs(value - rules.start) + 1e-9
    assert (later - rules.start) * (value - rules.start) >= -1e-9
    half = credit.left(value, NOW, NOW + timedelta(days=rules.half_life_days), rules)
    assert (value + rules.start) / 2 == pytest.approx(half)
