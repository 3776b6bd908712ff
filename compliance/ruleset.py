"""A rule set as data: read strictly, so that a rule which would never match, or match everything, is told
before it counts.

The format is a public interface (`docs/RULES.md`). Everything wrong is an `InvalidRules` that names the line
and the field.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Never

import idna
import msgspec

from .errors import InvalidRules
from .folding import fold
from .jsonlines import Path, duplicate_key, line_of

MAX_RULES = 500_000
_MAX_PATTERN = 200
_MAX_WINDOW = 1_000
_DEFAULT_WINDOW = 12


class Action(enum.StrEnum):
    """What a match does."""

    REFUSE = "refuse"
    HOLD = "hold"
    LABEL = "label"
    SENSITIVE = "sensitive"


class Scope(enum.StrEnum):
    """Where a rule looks: whose words, which way they travel, and what kind of text they are."""

    LOCAL = "local"
    REMOTE = "remote"
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    POST = "post"
    PROFILE = "profile"
    MEDIA_TEXT = "media-text"
    DIRECT = "direct"


OUTBOUND = frozenset({Scope.LOCAL, Scope.OUTBOUND})
"""The ways of what our own people say."""
INBOUND = frozenset({Scope.REMOTE, Scope.INBOUND})
"""The ways of what comes from other servers."""
PLACES = frozenset({Scope.POST, Scope.PROFILE, Scope.MEDIA_TEXT, Scope.DIRECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule with its list's defaults filled in. `text` is folded; for a domain rule it is the name to look
    for."""

    list_name: str
    written: str
    text: str
    is_domain: bool = False
    category: str
    action: Action = Action.HOLD
    near: tuple[str, ...] = ()
    unless_near: tuple[str, ...] = ()
    window: int = _DEFAULT_WINDOW
    allow: tuple[str, ...] = ()
    scope: frozenset[Scope] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    basis: str | None = None
    pinyin: bool = False
    split: bool = False

    @property
    def name(self) -> str:
        """How reviewers see it."""
        return f"{self.list_name}/{self.written}"

    def fits(self, ways: frozenset[Scope], place: Scope, now: datetime) -> bool:
        """Whether it looks at words that go these ways and stand in this place, now. A scope may name ways,
        places, or both; of each kind that it names, one must fit."""
        ways_named, places_named = self.scope - PLACES, self.scope & PLACES
        return (
            (not ways_named or not ways_named.isdisjoint(ways))
            and (not places_named or place in places_named)
            and self.is_on(now)
        )

    def is_on(self, now: datetime) -> bool:
        """Whether its time has come and not gone."""
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Every rule of one file. `version` is the author's own name for it."""

    name: str
    version: str
    rules: tuple[Rule, ...]

    def without_basis(self) -> tuple[str, ...]:
        """Rules that name no article or house rule; while there is one, the set cannot be activated."""
        return tuple(rule.name for rule in self.rules if not rule.basis)


EMPTY = RuleSet("", "", ())


def parse(text: str) -> RuleSet:
    """The rule set that `text` (JSON) holds; `InvalidRules`, with line and field, for anything that is not
    one."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise InvalidRules(f"not JSON: {error}") from None
    twice = duplicate_key(text)
    if twice is not None:
        raise InvalidRules(f"line {twice[1]}: {_spelt(twice[0])} stands here for the second time")
    try:
        return _read(document)
    except _Wrong as error:
        line = line_of(text, error.path)
        raise InvalidRules(f"line {line}: {_spelt(error.path)} {error.why}") from None


def trusted(text: str) -> RuleSet:
    """As `parse`, for text that `parse` has read before: skips the search for doubled keys, half of its
    time."""
    return _read(msgspec.json.decode(text))


class _Wrong(Exception):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path
        self.why = why


def _spelt(path: Path) -> str:
    return ".".join(str(step) for step in path) or "the document"


_SET_FIELDS = frozenset({"name", "version", "lists"})
_SHARED_FIELDS = frozenset({"action", "scope", "from", "until", "basis"})
_LIST_FIELDS = _SHARED_FIELDS | {"category", "rules"}
_SUBJECTS = ("pattern", "domain", "regex", "hash")
_PATTERN_FIELDS = frozenset({"near", "unless_near", "window", "pinyin", "split"})
_RULE_FIELDS = _SHARED_FIELDS | _PATTERN_FIELDS | {*_SUBJECTS, "allow"}


def _read(document: Any) -> RuleSet:
    top = _object(document, (), _SET_FIELDS)
    name = _words(top, "name", (), limit=100)
    version = _words(top, "version", (), limit=100)
    if "lists" not in top:
        _wrong((), "has no `lists`")
    rules: list[Rule] = []
    for list_name, content in _object(top["lists"], ("lists",), None).items():
        rules += _read_list(list_name, content, ("lists", list_name))
        if len(rules) > MAX_RULES:
            _wrong(("lists", list_name), f"brings the set over {MAX_RULES:,} rules")
    return RuleSet(name, version, tuple(rules))


def _read_list(list_name: str, content: Any, path: Path) -> list[Rule]:
    if not list_name.strip():
        _wrong(path, "has no name")
    fields = _object(content, path, _LIST_FIELDS)
    category = _words(fields, "category", path, limit=100)
    defaults = _Shared.read(fields, path, _Shared(Action.HOLD, frozenset(), None, None, None))
    rules = fields.get("rules")
    if not isinstance(rules, list):
        _wrong((*path, "rules"), "must be a list of rules")
    return [
        _read_rule(list_name, category, rule, (*path, "rules", number), defaults)
        for number, rule in enumerate(rules)
    ]


@dataclass(frozen=True, slots=True)
class _Shared:
    """The fields that a list may set for its rules."""

    action: Action
    scope: frozenset[Scope]
    since: datetime | None
    until: datetime | None
    basis: str | None

    @classmethod
    def read(cls, fields: Mapping[str, Any], path: Path, above: _Shared) -> _Shared:
        if not fields.keys() & _SHARED_FIELDS:
            return above
        shared = cls(
            action=_action(fields["action"], (*path, "action")) if "action" in fields else above.action,
            scope=_scope(fields["scope"], (*path, "scope")) if "scope" in fields else above.scope,
            since=_moment(fields["from"], (*path, "from")) if "from" in fields else above.since,
            until=_moment(fields["until"], (*path, "until")) if "until" in fields else above.until,
            basis=_words(fields, "basis", path, limit=300) if "basis" in fields else above.basis,
        )
        if shared.since and shared.until and shared.until <= shared.since:
            _wrong((*path, "until" if "until" in fields else "from"), "ends before it begins")
        return shared


def _read_rule(list_name: str, category: str, content: Any, path: Path, defaults: _Shared) -> Rule:
    fields = _object(content, path, _RULE_FIELDS)
    named = [subject for subject in _SUBJECTS if subject in fields]
    if len(named) != 1:
        _wrong(path, "must have exactly one of `pattern`, `domain`, `regex` and `hash`")
    subject = named[0]
    if subject in ("regex", "hash"):
        _wrong((*path, subject), "is not supported by this version")
    written = _words(fields, subject, path, limit=_MAX_PATTERN)
    shared = _Shared.read(fields, path, defaults)
    if subject == "domain" and (odd := sorted(fields.keys() & _PATTERN_FIELDS)):
        _wrong((*path, odd[0]), "does not go with `domain`")
    return Rule(
        list_name=list_name,
        written=written,
        text=_domain(written, (*path, subject))
        if subject == "domain"
        else _folded(written, (*path, subject)),
        is_domain=subject == "domain",
        category=category,
        action=shared.action,
        near=_phrases(fields, "near", path),
        unless_near=_phrases(fields, "unless_near", path),
        window=_window(fields, path),
        allow=_phrases(fields, "allow", path),
        scope=shared.scope,
        since=shared.since,
        until=shared.until,
        basis=shared.basis,
        pinyin=_flag(fields, "pinyin", path),
        split=_flag(fields, "split", path),
    )


def _wrong(path: Path, why: str) -> Never:
    raise _Wrong(path, why)


def _object(value: Any, path: Path, known: frozenset[str] | None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _wrong(path, "must be an object")
    if known is not None and not value.keys() <= known:
        unknown = next(key for key in value if key not in known)
        _wrong((*path, unknown), "is not a field of this format")
    return value


def _words(fields: Mapping[str, Any], key: str, path: Path, *, limit: int) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value.strip():
        _wrong((*path, key), "must be text, and not empty")
    if len(value) > limit:
        _wrong((*path, key), f"is longer than {limit} characters")
    if "\0" in value:
        _wrong((*path, key), "holds a NUL character")
    return value


def _flag(fields: Mapping[str, Any], key: str, path: Path) -> bool:
    value = fields.get(key, False)
    if not isinstance(value, bool):
        _wrong((*path, key), "must be true or false")
    return value


def _window(fields: Mapping[str, Any], path: Path) -> int:
    value = fields.get("window", _DEFAULT_WINDOW)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MAX_WINDOW:
        _wrong((*path, "window"), f"must be a whole number from 1 to {_MAX_WINDOW}")
    return value


def _texts(value: Any, path: Path) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        _wrong(path, "must be a list of texts")
    return value


def _phrases(fields: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
    if key not in fields:
        return ()
    return tuple(
        _folded(phrase, (*path, key, number))
        for number, phrase in enumerate(_texts(fields[key], (*path, key)))
    )


def _folded(written: str, path: Path) -> str:
    folded = fold(written)
    if not any(char.isalnum() for char in folded):
        _wrong(
            path,
            "has no letter, digit or character left after folding, so it would match nothing or anything",
        )
    return folded


def _domain(written: str, path: Path) -> str:
    try:
        return idna.encode(written.strip().rstrip("."), uts46=True).decode().lower()
    except idna.IDNAError:
        _wrong(path, "is not a host name")


def _action(value: Any, path: Path) -> Action:
    if value in ("limit", "notify"):
        _wrong(path, f"`{value}` is not supported by this version")
    if not isinstance(value, str) or value not in set(Action):
        _wrong(path, "must be one of " + ", ".join(Action))
    return Action(value)


def _scope(value: Any, path: Path) -> frozenset[Scope]:
    names = _texts(value, path)
    for number, name in enumerate(names):
        if name not in set(Scope):
            _wrong((*path, number), "must be one of " + ", ".join(Scope))
    return frozenset(map(Scope, names))


def _moment(value: Any, path: Path) -> datetime:
    try:
        moment = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        _wrong(path, "must be a time such as 2026-01-31T08:00:00+08:00")
    if moment.tzinfo is None:
        _wrong(path, "must say its offset from UTC, such as +08:00")
    return moment
