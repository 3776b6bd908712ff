"""Article 9: a tier policy as data, read strictly: who is in which tier, what applies there, and what credit
counts.

A policy lists its tiers from the highest to the lowest. An account is in the first whose conditions all hold;
the last has none, so everybody is in one. The format is a public interface (`docs/TIERS.md`); whatever is
wrong in a document is an `InvalidPolicy` that names the place.
"""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Never

from .classes import CertClass
from .errors import InvalidPolicy

MAX_BYTES = 256 * 1024
MAX_TIERS = 20
_SLUG = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
UNCERTIFIED = "none"
"""Stands among classes for accounts without a mark."""
CLASSES = tuple(kind.value for kind in CertClass)


class SubjectType(enum.StrEnum):
    """Who stands behind an account."""

    PERSON = "person"
    ORGANISATION = "organisation"


class Reach(enum.StrEnum):
    """Where public posts show besides the author's own page and the followers' timelines."""

    EVERYWHERE = "everywhere"
    FOLLOWERS = "followers"


class CreditKind(enum.StrEnum):
    """What moves credit; the values stand in policies and in the ledger."""

    POST_REFUSED = "post_refused"
    COMPLAINT_UPHELD = "complaint_upheld"
    CLEAN_MONTH = "clean_month"
    IDENTITY_RENEWED = "identity_renewed"
    MANUAL = "manual"
    REVERSED = "reversed"


RULED = (
    CreditKind.POST_REFUSED,
    CreditKind.COMPLAINT_UPHELD,
    CreditKind.CLEAN_MONTH,
    CreditKind.IDENTITY_RENEWED,
)
"""Those whose points a policy sets; the others say their points themselves."""
VIOLATIONS = (CreditKind.POST_REFUSED, CreditKind.COMPLAINT_UPHELD)
"""What counts as a violation, while it is not reversed."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a number, both ends within it; `None` is open."""

    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Whether `value` lies in it."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What must all hold for a tier; what is not set holds for everybody."""

    subject: frozenset[SubjectType] = frozenset()
    certified: frozenset[str] = frozenset()
    followers: Span | None = None
    age_days: Span | None = None
    credit: Span | None = None
    violations: Span | None = None
    violation_days: int = 90
    media_share: Span | None = None
    """Percent of the latest own posts with pictures."""
    link_share: Span | None = None
    """Percent of them with a link."""
    topic_share: Span | None = None
    """Percent of them under one of `topics`."""
    topics: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == Conditions(violation_days=self.violation_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gives:
    """What applies in a tier. `None` leaves it to the server's settings."""

    pre_review: bool = False
    posts_per_hour: int | None = None
    uploads_per_hour: int | None = None
    follows_per_hour: int | None = None
    reach: Reach = Reach.EVERYWHERE
    discoverable: bool = True
    signed_in_only: bool = False
    reverify_months: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One tier with its names, by language."""

    id: str
    name: Mapping[str, str]
    when: Conditions = Conditions()
    gives: Gives = Gives()

    def named(self, locale: str) -> str:
        """Its name in a reader's language."""
        return self.name["zh" if locale.startswith("zh") else "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRules:
    """How credit is kept: where it begins, how it comes back there, and what each thing counts."""

    start: float = 100
    floor: float = 0
    cap: float = 200
    half_life_days: float = 180
    points: Mapping[CreditKind, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierPolicy:
    """A whole policy, tiers from the highest to the lowest. `version` is the author's own name for it."""

    name: str
    version: str
    tiers: tuple[Tier, ...]
    credit: CreditRules = field(default_factory=CreditRules)
    pin_days: int = 180
    """How long somebody whose appeal was right stays in the former tier."""

    def tier(self, id_: str) -> Tier:
        """The tier with this id; raises `KeyError`."""
        return next((tier for tier in self.tiers if tier.id == id_), None) or self._missing(id_)

    def place(self, id_: str) -> int | None:
        """0 is the highest; `None` for a tier of another policy."""
        return next((n for n, tier in enumerate(self.tiers) if tier.id == id_), None)

    @property
    def weighs_posts(self) -> bool:
        """Whether any condition looks at what somebody posts, which costs a look at their posts."""
        return any(t.when.media_share or t.when.link_share or t.when.topic_share for t in self.tiers)

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that a condition names."""
        return tuple(sorted({topic for tier in self.tiers for topic in tier.when.topics}))

    @property
    def violation_days(self) -> int:
        """The longest period over which violations are counted."""
        return max((t.when.violation_days for t in self.tiers if t.when.violations), default=90)

    def _missing(self, id_: str) -> Never:
        raise KeyError(id_)


BUILT_IN = TierPolicy(
    name="built-in", version="0", tiers=(Tier(id="standard", name={"en": "Standard", "zh": "标准"}),)
)
"""What holds while no policy is in force: one tier, in which the server's settings alone apply."""


def parse(text: str) -> TierPolicy:
    """The policy that `text` (TOML) holds; `InvalidPolicy`, with the place, for anything that is not one."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidPolicy(f"longer than {MAX_BYTES // 1024} KiB")
    if "\0" in text:
        raise InvalidPolicy("holds a NUL character")
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Besides what is no TOML: numbers of thousands of digits, and brackets as deep.
        raise InvalidPolicy(f"not TOML: {error}") from None
    _known(document, "", ("name", "version", "pin_days", "credit", "tiers"))
    tiers = document.get("tiers")
    if not isinstance(tiers, list) or not tiers:
        _wrong("tiers", "must list at least one tier, as [[tiers]]")
    if len(tiers) > MAX_TIERS:
        _wrong("tiers", f"has more than {MAX_TIERS} tiers")
    read = tuple(_tier(_table(tier, f"tiers[{n}]"), f"tiers[{n}]") for n, tier in enumerate(tiers, 1))
    _check_order(read)
    credit = _credit(_table(document.get("credit", {}), "credit"))
    _check_credit(read, credit)
    return TierPolicy(
        name=_text(document, "name", "", 100),
        version=_text(document, "version", "", 50),
        tiers=read,
        credit=credit,
        pin_days=_whole(document, "pin_days", "", 1, 3650) or 180,
    )


def _check_order(tiers: Sequence[Tier]) -> None:
    seen: set[str] = set()
    for n, tier in enumerate(tiers, 1):
        if tier.id in seen:
            _wrong(f"tiers[{n}].id", f"{tier.id!r} is the id of a tier above")
        seen.add(tier.id)
        if n < len(tiers) and tier.when.is_empty:
            _wrong(f"tiers[{n}].when", "has no condition, so nobody would reach the tiers below it")
    if not tiers[-1].when.is_empty:
        _wrong(f"tiers[{len(tiers)}].when", "must be left out: the last tier takes everybody else")


def _check_credit(tiers: Sequence[Tier], credit: CreditRules) -> None:
    """Nobody's credit is above `cap` or below `floor`."""
    for n, tier in enumerate(tiers, 1):
        span = tier.when.credit
        if span is None:
            continue
        if span.low is not None and span.low > credit.cap:
            _wrong(f"tiers[{n}].when.credit.min", f"must not be above `cap`, which is {credit.cap:g}")
        if span.high is not None and span.high < credit.floor:
            _wrong(f"tiers[{n}].when.credit.max", f"must not be below `floor`, which is {credit.floor:g}")


def _tier(table: Mapping[str, Any], at: str) -> Tier:
    _known(table, at, ("id", "name", "when", "gives"))
    id_ = _text(table, "id", at, 40)
    if not set(id_) <= _SLUG:
        _wrong(f"{at}.id", "may hold a-z, 0-9 and hyphens only")
    names = _table(table.get("name"), f"{at}.name")
    _known(names, f"{at}.name", ("zh", "en"))
    return Tier(
        id=id_,
        name={language: _text(names, language, f"{at}.name", 40) for language in ("zh", "en")},
        when=_conditions(_table(table.get("when", {}), f"{at}.when"), f"{at}.when"),
        gives=_gives(_table(table.get("gives", {}), f"{at}.gives"), f"{at}.gives"),
    )


def _conditions(table: Mapping[str, Any], at: str) -> Conditions:
    _known(table, at, tuple(f.name for f in fields(Conditions)))
    topics = tuple(topic.casefold().lstrip("#") for topic in _texts(table, "topics", at))
    shares = {name: _span(table, name, at, 0, 100) for name in ("media_share", "link_share", "topic_share")}
    if (shares["topic_share"] is None) is bool(topics):
        _wrong(f"{at}.topics", "and `topic_share` go together")
    if "violation_days" in table and "violations" not in table:
        _wrong(f"{at}.violation_days", "is set without `violations`")
    return Conditions(
        subject=frozenset(
            SubjectType(name) for name in _names(table, "subject", at, tuple(map(str, SubjectType)))
        ),
        certified=frozenset(_names(table, "certified", at, (*CLASSES, UNCERTIFIED))),
        followers=_span(table, "followers", at, 0, 10**12),
        age_days=_span(table, "age_days", at, 0, 36_500),
        credit=_span(table, "credit", at, -10_000, 10_000),
        violations=_span(table, "violations", at, 0, 10_000),
        violation_days=_whole(table, "violation_days", at, 1, 3650) or 90,
        topics=topics,
        **shares,
    )


def _gives(table: Mapping[str, Any], at: str) -> Gives:
    _known(table, at, tuple(f.name for f in fields(Gives)))
    reach = table.get("reach", Reach.EVERYWHERE.value)
    if reach not in tuple(Reach):
        _wrong(f"{at}.reach", "must be one of " + ", ".join(Reach))
    return Gives(
        pre_review=_flag(table, "pre_review", at, default=False),
        posts_per_hour=_whole(table, "posts_per_hour", at, 1, 10_000),
        uploads_per_hour=_whole(table, "uploads_per_hour", at, 1, 10_000),
        follows_per_hour=_whole(table, "follows_per_hour", at, 1, 10_000),
        reach=Reach(reach),
        discoverable=_flag(table, "discoverable", at, default=True),
        signed_in_only=_flag(table, "signed_in_only", at, default=False),
        reverify_months=_whole(table, "reverify_months", at, 1, 60),
    )


def _credit(table: Mapping[str, Any]) -> CreditRules:
    _known(table, "credit", ("start", "floor", "cap", "half_life_days", "points"))
    usual = CreditRules()
    read = {
        name: _number(table, name, "credit", low, high, default)
        for name, low, high, default in (
            ("start", -10_000, 10_000, usual.start),
            ("floor", -10_000, 10_000, usual.floor),
            ("cap", -10_000, 10_000, usual.cap),
            ("half_life_days", 1, 36_500, usual.half_life_days),
        )
    }
    if not read["floor"] <= read["start"] <= read["cap"]:
        _wrong("credit.start", "must lie between `floor` and `cap`")
    points = _table(table.get("points", {}), "credit.points")
    _known(points, "credit.points", tuple(kind.value for kind in RULED))
    counted = {CreditKind(name): _number(points, name, "credit.points", -1000, 1000, 0) for name in points}
    for kind in VIOLATIONS:
        if counted.get(kind, 0) > 0:
            _wrong(f"credit.points.{kind.value}", "must not be above 0: it is a violation")
    return CreditRules(points=counted, **read)


def _wrong(at: str, why: str) -> Never:
    raise InvalidPolicy(f"{at.lstrip('.') or 'the document'} {why}")


def _known(table: Mapping[str, Any], at: str, names: Sequence[str]) -> None:
    for name in table:
        if name not in names:
            _wrong(f"{at}.{name}", "is not a field of this format; known are " + ", ".join(names))


def _table(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _wrong(at, "must be a table")
    return value


def _text(table: Mapping[str, Any], name: str, at: str, limit: int) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value.strip():
        _wrong(f"{at}.{name}", "must be text, and not empty")
    if len(value) > limit:
        _wrong(f"{at}.{name}", f"is longer than {limit} characters")
    if "\0" in value:
        _wrong(f"{at}.{name}", "holds a NUL character")
    return value.strip()


def _texts(table: Mapping[str, Any], name: str, at: str) -> Sequence[str]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        _wrong(f"{at}.{name}", "must be a list of texts")
    if any("\0" in one for one in value):
        _wrong(f"{at}.{name}", "holds a NUL character")
    return value


def _names(table: Mapping[str, Any], name: str, at: str, known: Sequence[str]) -> Sequence[str]:
    found = _texts(table, name, at)
    if name in table and not found:
        _wrong(f"{at}.{name}", "must not be empty: leave it out where anybody is meant")
    for one in found:
        if one not in known:
            _wrong(f"{at}.{name}", f"{one!r} must be one of " + ", ".join(known))
    return found


def _flag(table: Mapping[str, Any], name: str, at: str, *, default: bool) -> bool:
    value = table.get(name, default)
    if not isinstance(value, bool):
        _wrong(f"{at}.{name}", "must be true or false")
    return value


def _whole(table: Mapping[str, Any], name: str, at: str, low: int, high: int) -> int | None:
    if name not in table:
        return None
    value = table[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        _wrong(f"{at}.{name}", f"must be a whole number from {low:,} to {high:,}")
    return value


def _number(  # noqa: PLR0917 - a table, a place in it, and the bounds
    table: Mapping[str, Any], name: str, at: str, low: float, high: float, default: float
) -> float:
    value = table.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        _wrong(f"{at}.{name}", f"must be a number from {low:,} to {high:,}")
    return float(value)


def _span(table: Mapping[str, Any], name: str, at: str, low: float, high: float) -> Span | None:
    if name not in table:
        return None
    place = f"{at}.{name}"
    ends = _table(table[name], place)
    _known(ends, place, ("min", "max"))
    if not ends:
        _wrong(place, "must have `min`, `max` or both")
    read = {end: _number(ends, end, place, low, high, 0) if end in ends else None for end in ("min", "max")}
    if read["min"] is not None and read["max"] is not None and read["min"] > read["max"]:
        _wrong(place, "has a `min` above its `max`")
    return Span(read["min"], read["max"])
