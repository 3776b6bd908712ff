"""Tiers and credit in plain words: conditions with what there is, what applies, and why credit changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from compliance.activity import AccountId
from compliance.tierpolicy import Conditions, CreditKind, Gives, Reach, Tier
from compliance.weighing import Looked, Measured, look

from ..http.errors import locale_of
from ..i18n import mark
from .certificates import CLASSES
from .render import say

_NOBODY: Final = Measured(
    account_id=AccountId(0), at=datetime(1970, 1, 1, tzinfo=UTC), since=datetime(1970, 1, 1, tzinfo=UTC)
)
_CONDITIONS: Final = {
    "subject": mark("Who stands behind the account"),
    "certified": mark("Certified as"),
    "followers": mark("Followers"),
    "age_days": mark("Days since joining"),
    "credit": mark("Credit"),
    "violations": mark("Violations in the last %(days)s days"),
    "media_share": mark("Percent of posts with pictures"),
    "link_share": mark("Percent of posts with links"),
    "topic_share": mark("Percent of posts under certain topics"),
}
_NAMES: Final = {
    "person": mark("a person"),
    "organisation": mark("an organisation"),
    "none": mark("not certified"),
} | {kind.value: words for kind, words in CLASSES.items()}
CREDIT: Final = {
    CreditKind.POST_REFUSED: mark("A reviewer refused a post"),
    CreditKind.COMPLAINT_UPHELD: mark("A report about the account was upheld"),
    CreditKind.CLEAN_MONTH: mark("A month without a violation"),
    CreditKind.IDENTITY_RENEWED: mark("The identity was verified again"),
    CreditKind.MANUAL: mark("Changed by a person"),
    CreditKind.REVERSED: mark("Given back: the decision was overturned"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One condition: its name, what is asked, what there is, and whether that is enough."""

    name: str
    wanted: str
    present: str
    holds: bool


def name(request: web.Request, tier: Tier) -> str:
    """What a tier is called in the reader's language."""
    return tier.named(locale_of(request))


def lines(request: web.Request, looked: Sequence[Looked]) -> list[Line]:
    """Conditions as people read them."""
    return [_line(request, one) for one in looked]


def asked(request: web.Request, when: Conditions) -> list[Line]:
    """The conditions of a tier, whoever is asked."""
    return lines(request, tuple(look(when, _NOBODY)))


def _line(request: web.Request, one: Looked) -> Line:
    label = say(request, _CONDITIONS[one.condition], days=one.days or 0)
    if one.condition == "topic_share":
        label = f"{label} ({', '.join(one.wanted)})"
    if isinstance(one.value, str):
        wanted = " / ".join(_named(request, each) for each in one.wanted)
        return Line(label, wanted, _named(request, one.value), one.holds)
    return Line(label, _span(request, one), plain(one.value), one.holds)


def _span(request: web.Request, one: Looked) -> str:
    low, high = one.low, one.high
    if low is not None and high is not None:
        return say(request, "%(low)s to %(high)s", low=plain(low), high=plain(high))
    if low is not None:
        return say(request, "at least %(low)s", low=plain(low))
    return say(request, "at most %(high)s", high=plain(high or 0))


def _named(request: web.Request, word: str) -> str:
    return say(request, _NAMES.get(word, word))


def gives(request: web.Request, given: Gives) -> list[tuple[str, str]]:
    """What applies in a tier, by name."""
    usual = say(request, "as on the whole server")

    def limit(count: int | None) -> str:
        return usual if count is None else str(count)

    months = given.reverify_months
    return [
        (
            say(request, "New posts"),
            say(request, "a person looks first") if given.pre_review else say(request, "shown at once"),
        ),
        (say(request, "Posts and boosts in an hour"), limit(given.posts_per_hour)),
        (say(request, "Uploads in an hour"), limit(given.uploads_per_hour)),
        (say(request, "Follows in an hour"), limit(given.follows_per_hour)),
        (
            say(request, "Public posts stand"),
            say(request, "in everybody's timelines")
            if given.reach is Reach.EVERYWHERE
            else say(request, "in followers' timelines and on the own page"),
        ),
        (
            say(request, "Found in search"),
            say(request, "by name") if given.discoverable else say(request, "by the whole handle only"),
        ),
        (
            say(request, "May be read by"),
            say(request, "people who are logged in") if given.signed_in_only else say(request, "anybody"),
        ),
        (
            say(request, "Identity verified anew"),
            usual if months is None else say(request, "every %(months)s months", months=months),
        ),
    ]


def plain(value: float) -> str:
    """A number without a tail of noughts."""
    return f"{value:.1f}".removesuffix(".0")
