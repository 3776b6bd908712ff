"""Each check as a table: an activity, what is known, and what must be found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from compliance.activity import (
    Activity,
    Announce,
    Attachment,
    Direction,
    Field,
    Follow,
    Profile,
    UpdateProfile,
    Uri,
    Visibility,
)
from compliance.checks import CHECKS, authority, content, precedent, realname, standing
from compliance.facts import Facts, Precedent, Ruling
from compliance.hosts import Policy
from compliance.identity import IdentityState
from compliance.verdict import CaseId, Finding, Outcome, Reason, Span

from .build import FAR, HERE, NOW, PUBLISHING, create, facts, one_of_each, read, rule, rules

OURS = one_of_each(HERE)
THEIRS = one_of_each(FAR)
LATER, EARLIER = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)


def _gist(findings: tuple[Finding, ...]) -> list[tuple[Outcome, Reason]]:
    return [(finding.outcome, finding.reason) for finding in findings]


@pytest.mark.parametrize("kind", OURS)
@pytest.mark.parametrize(
    ("state", "until", "reason"),
    [
        (IdentityState.NONE, None, Reason.IDENTITY_REQUIRED),
        (IdentityState.PENDING, None, Reason.IDENTITY_REQUIRED),
        (IdentityState.REJECTED, LATER, Reason.IDENTITY_REQUIRED),
        (IdentityState.VERIFIED, None, Reason.IDENTITY_REQUIRED),
        (IdentityState.LAPSED, LATER, Reason.IDENTITY_LAPSED),
        (IdentityState.VERIFIED, EARLIER, Reason.IDENTITY_LAPSED),
        (IdentityState.VERIFIED, NOW, Reason.IDENTITY_LAPSED),
        (IdentityState.DUE, EARLIER, Reason.IDENTITY_LAPSED),
        (IdentityState.VERIFIED, LATER, None),
        (IdentityState.DUE, LATER, None),
    ],
)
def test_nobody_unknown_publishes(
    kind: str, state: IdentityState, until: object, reason: Reason | None
) -> None:
    """Article 7, for every state and every act: publishing needs a known identity, and nothing else does."""
    found = realname.check(read(OURS[kind]), facts(identity=state, identity_until=until))
    expected = [(Outcome.REFUSE, reason)] if reason and kind in PUBLISHING else []
    assert _gist(found) == expected


@pytest.mark.parametrize("kind", OURS)
def test_nobody_publishes_without_the_agreement(kind: str) -> None:
    """Article 6: rights and duties are agreed on before the first post."""
    found = realname.check(read(OURS[kind]), facts(has_agreed=False))
    assert _gist(found) == ([(Outcome.REFUSE, Reason.AGREEMENT_REQUIRED)] if kind in PUBLISHING else [])


def test_an_unknown_person_is_told_of_the_identity_first() -> None:
    """One step at a time; the agreement can wait."""
    found = realname.check(read(create()), facts(identity=IdentityState.NONE, has_agreed=False))
    assert _gist(found) == [(Outcome.REFUSE, Reason.IDENTITY_REQUIRED)]


@pytest.mark.parametrize("kind", THEIRS)
def test_people_elsewhere_are_their_own_servers_business(kind: str) -> None:
    """We know nobody's identity there, and refuse nobody for it."""
    known = facts(Direction.IN, identity=IdentityState.NONE, has_agreed=False)
    assert realname.check(read(THEIRS[kind]), known) == ()


@pytest.mark.parametrize("kind", OURS)
def test_a_suspended_person_may_only_take_back_and_complain(kind: str) -> None:
    """Suspension ends speech, not rights."""
    found = standing.check(read(OURS[kind]), facts(is_suspended=True))
    expected = [] if kind in ("delete", "undo", "flag") else [(Outcome.REFUSE, Reason.ACCOUNT_SUSPENDED)]
    assert _gist(found) == expected


@pytest.mark.parametrize("kind", THEIRS)
def test_a_suspended_person_elsewhere_may_only_take_back(kind: str) -> None:
    """What they withdraw we must not keep showing, wherever they live."""
    found = standing.check(read(THEIRS[kind]), facts(Direction.IN, is_suspended=True))
    expected = [] if kind in ("delete", "undo") else [(Outcome.REFUSE, Reason.ACCOUNT_SUSPENDED)]
    assert _gist(found) == expected


@pytest.mark.parametrize("kind", OURS)
def test_good_standing_finds_nothing(kind: str) -> None:
    """Most activities."""
    assert standing.check(read(OURS[kind]), facts()) == ()


@pytest.mark.parametrize("kind", OURS)
def test_an_account_that_is_not_there_does_nothing(kind: str) -> None:
    """An author without a row has no standing, no policy and no identity: nothing may be assumed."""
    assert _gist(standing.check(read(OURS[kind]), facts(is_known=False))) == [
        (Outcome.REFUSE, Reason.CHECK_FAILED)
    ]


BLOCKED = {"far.example": Policy.REFUSE}
WATCHED = {"far.example": Policy.HOLD}


@pytest.mark.parametrize("kind", THEIRS)
def test_nothing_comes_in_from_a_refused_host(kind: str) -> None:
    """The operator's block holds for every kind of activity."""
    found = authority.check(read(THEIRS[kind]), facts(Direction.IN, policies=BLOCKED))
    assert _gist(found) == [(Outcome.REFUSE, Reason.HOST_BLOCKED)]


@pytest.mark.parametrize("kind", THEIRS)
def test_words_from_a_watched_host_wait_for_a_person(kind: str) -> None:
    """Follows and likes show no words."""
    found = authority.check(read(THEIRS[kind]), facts(Direction.IN, policies=WATCHED))
    held = kind in ("create", "update", "update-profile", "announce")
    assert _gist(found) == ([(Outcome.HOLD, Reason.HOST_REVIEWED)] if held else [])


def _boost(target: str, actor: object = HERE) -> Announce:
    return Announce(id=Uri("https://x.example/1"), actor=actor, target=Uri(target), published=NOW)  # type: ignore[arg-type]


_PICTURE = Attachment(url="https://cdn.far.example:8443/a.png", mime="image/png")


@pytest.mark.parametrize(
    ("activity", "direction", "policies", "expected"),
    [
        (_boost("https://far.example/1"), Direction.OUT, BLOCKED, Reason.HOST_BLOCKED),
        (_boost("https://far.example/1"), Direction.OUT, WATCHED, None),
        (_boost("https://good.example/1"), Direction.OUT, BLOCKED, None),
        (
            Follow(id=Uri("https://x.example/1"), actor=HERE, target=Uri("https://far.example/u")),
            Direction.OUT,
            BLOCKED,
            Reason.HOST_BLOCKED,
        ),
        (
            _boost("https://evil.example/1", FAR),
            Direction.IN,
            {"evil.example": Policy.REFUSE},
            Reason.HOST_BLOCKED,
        ),
        (
            create(actor=FAR, attachments=(_PICTURE,)),
            Direction.IN,
            {"cdn.far.example": Policy.REFUSE},
            Reason.HOST_BLOCKED,
        ),
        (create(actor=FAR), Direction.IN, {"example": Policy.REFUSE}, Reason.HOST_BLOCKED),
        (create(actor=FAR), Direction.IN, {"example": Policy.REFUSE, "far.example": Policy.ALLOW}, None),
        (create(actor=FAR), Direction.IN, {"arexample": Policy.REFUSE}, None),
        (create(), Direction.OUT, BLOCKED, None),
    ],
)
def test_every_host_of_an_activity_counts(
    activity: Activity, direction: Direction, policies: dict[str, Policy], expected: Reason | None
) -> None:
    """A blocked server's words must not come in by a boost, nor its pictures by a link, nor go out by one of
    ours."""
    found = authority.check(read(activity), facts(direction, policies=policies))
    assert [finding.reason for finding in found] == ([expected] if expected else [])


@pytest.mark.parametrize(("activities", "direction"), [(OURS, Direction.IN), (THEIRS, Direction.OUT)])
def test_nobody_speaks_from_the_other_side_of_the_border(
    activities: dict[str, Activity], direction: Direction
) -> None:
    """Our people do not arrive from outside, and we do not speak for others."""
    for activity in activities.values():
        assert _gist(authority.check(read(activity), facts(direction))) == [
            (Outcome.REFUSE, Reason.CHECK_FAILED)
        ]


@pytest.mark.parametrize(
    ("ruling", "expected"),
    [(Ruling.REFUSED, [(Outcome.REFUSE, Reason.REVIEWER)]), (Ruling.RELEASED, []), (Ruling.WAITING, [])],
)
def test_what_a_reviewer_refused_is_refused_again(ruling: Ruling, expected: object) -> None:
    """Sending it once more must not bring it before another reviewer."""
    known = facts(precedent=Precedent(case_id=CaseId(5), ruling=ruling))
    assert _gist(precedent.check(read(create()), known)) == expected


_BAD = rule(pattern="假文凭", action="refuse", basis="12.1")
_ALT = Attachment(url="https://here.example/m", mime="image/png", alt="卖假文凭")
_LINK = '<p>look <a href="https://www.evil.example/x?a=1&amp;b" rel="nofollow">here</a></p>'


def _profile(**fields: object) -> UpdateProfile:
    return UpdateProfile(id=Uri("https://here.example/1"), actor=HERE, profile=Profile(**fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("activity", "span"),
    [
        (create("出售假文凭"), Span(field="text", start=2, end=5)),
        (create("出售假\u200b文凭"), Span(field="text", start=2, end=6)),
        (create(spoiler="假文凭"), Span(field="spoiler", start=0, end=3)),
        (create(tags=("好", "假文凭")), Span(field="tags", start=4, end=7)),
        (create(attachments=(_ALT,)), Span(field="alt.0", start=1, end=4)),
        (_profile(display_name="假文凭"), Span(field="display_name", start=0, end=3)),
        (_profile(text="假文凭"), Span(field="text", start=0, end=3)),
        (
            _profile(fields=(Field(name="假文凭", value="", text=""),)),
            Span(field="fields.0.name", start=0, end=3),
        ),
        (
            _profile(fields=(Field(name="a", value="假文凭", text="假文凭"),)),
            Span(field="fields.0.value", start=0, end=3),
        ),
        (_profile(avatar=_ALT), Span(field="alt.0", start=1, end=4)),
    ],
)
def test_every_text_that_can_be_seen_is_judged(activity: Activity, span: Span) -> None:
    """Whoever cannot say it in the post must not say it in a picture's description."""
    [finding] = content.check(read(activity), facts(rulebook=rules(_BAD)))
    assert finding == Finding(
        outcome=Outcome.REFUSE,
        reason=Reason.WORDS,
        check="content",
        rule="list/假文凭",
        category="fraud",
        basis="12.1",
        span=span,
    )


def test_an_upload_and_an_edit_are_judged_as_well() -> None:
    """A description is text, and an edit is a second first time."""
    known = facts(rulebook=rules(rule(pattern="cat"), rule(pattern="morning")))
    assert [finding.rule for finding in content.check(read(OURS["upload"]), known)] == ["list/cat"]
    assert [finding.rule for finding in content.check(read(OURS["update"]), known)] == ["list/morning"]


def test_a_link_behind_harmless_words_is_found() -> None:
    """A reader follows the address and reads the words."""
    known = facts(rulebook=rules(rule(domain="evil.example")))
    [finding] = content.check(read(create("look here", html=_LINK)), known)
    assert finding.span == Span(field="links", start=12, end=24)


@pytest.mark.parametrize(
    ("action", "outcome", "label"),
    [
        ("refuse", Outcome.REFUSE, None),
        ("hold", Outcome.HOLD, None),
        ("label", Outcome.LABEL, "fraud"),
        ("sensitive", Outcome.LABEL, "sensitive"),
    ],
)
def test_an_action_does_what_it_is_called(action: str, outcome: Outcome, label: str | None) -> None:
    """The operator's word for it decides."""
    [finding] = content.check(read(create("bad")), facts(rulebook=rules(rule(pattern="bad", action=action))))
    assert (finding.outcome, finding.label) == (outcome, label)


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("refuse", Outcome.HOLD),
        ("hold", Outcome.HOLD),
        ("label", Outcome.LABEL),
        ("sensitive", Outcome.LABEL),
    ],
)
def test_a_doubtful_match_does_nothing_by_itself(action: str, outcome: Outcome) -> None:
    """A person is asked, or the finding is only kept; no label is put on in doubt."""
    doubtful = rule(pattern="fake ids", unless_near=["beware"], action=action)
    [finding] = content.check(read(create("beware of fake ids")), facts(rulebook=rules(doubtful)))
    assert (finding.outcome, finding.label) == (outcome, None)


_DIRECT = create("bad", visibility=Visibility.DIRECT)
_INCOMING = create("bad", actor=FAR)
_BAD_ALT = create(attachments=(Attachment(url="https://x.example/a", mime="image/png", alt="bad"),))


@pytest.mark.parametrize(
    ("scope", "found_in"),
    [
        ([], {"post", "direct", "profile", "alt", "incoming"}),
        (["post"], {"post", "incoming"}),
        (["direct"], {"direct"}),
        (["profile"], {"profile"}),
        (["media-text"], {"alt"}),
        (["local"], {"post", "direct", "profile", "alt"}),
        (["outbound"], {"post", "direct", "profile", "alt"}),
        (["remote"], {"incoming"}),
        (["inbound"], {"incoming"}),
        (["local", "remote"], {"post", "direct", "profile", "alt", "incoming"}),
        (["local", "post"], {"post"}),
        (["remote", "profile"], set()),
        (["post", "profile"], {"post", "profile", "incoming"}),
    ],
)
def test_a_rule_looks_where_its_scope_says(scope: list[str], found_in: set[str]) -> None:
    """Of the ways it names one must fit, and of the places it names one must fit."""
    book = rules(rule(pattern="bad", scope=scope))
    activities: dict[str, tuple[Activity, Facts]] = {
        "post": (create("bad"), facts(rulebook=book)),
        "direct": (_DIRECT, facts(rulebook=book)),
        "profile": (_profile(text="bad"), facts(rulebook=book)),
        "alt": (_BAD_ALT, facts(rulebook=book)),
        "incoming": (_INCOMING, facts(Direction.IN, rulebook=book)),
    }
    found = {name for name, (activity, known_) in activities.items() if content.check(read(activity), known_)}
    assert found == found_in


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ({"from": "2026-06-01T12:00:00Z"}, True),
        ({"from": "2026-06-01T12:00:01Z"}, False),
        ({"until": "2026-06-01T12:00:00Z"}, False),
        ({"until": "2026-06-01T12:00:01Z"}, True),
        ({"from": "2026-01-01T00:00:00Z", "until": "2026-12-31T00:00:00Z"}, True),
    ],
)
def test_a_rule_holds_while_its_time_is(times: dict[str, str], found: bool) -> None:
    """From its first moment, until the one it ends at."""
    known = facts(rulebook=rules(rule(pattern="bad", **times)))
    assert bool(content.check(read(create("bad")), known)) is found


def test_the_gravest_finding_comes_first_and_there_is_an_end_to_them() -> None:
    """The first one is the reason that the author is told."""
    book = rules(rule(pattern="枪"), rule(pattern="炮", action="refuse"), rule(pattern="刀", action="label"))
    found = content.check(read(create("刀枪" * 30 + "炮")), facts(rulebook=book))
    assert found[0].outcome is Outcome.REFUSE
    assert len(found) == content.MAX_FINDINGS


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kind", OURS)
def test_good_people_who_say_good_things_are_left_alone(check: object, kind: str) -> None:
    """Whatever they do, in both directions."""
    assert tuple(check(read(OURS[kind]), facts())) == ()  # type: ignore[operator]
    assert tuple(check(read(THEIRS[kind]), facts(Direction.IN))) == ()  # type: ignore[operator]
