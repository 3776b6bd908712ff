"""Article 12: what the operator's rules find in the words, every text that can become visible, in both
directions."""

from __future__ import annotations

from collections.abc import Callable

from ..activity import Direction
from ..facts import Facts
from ..matching import Hit
from ..ruleset import INBOUND, OUTBOUND, Action, Rule, Scope
from ..subject import LINKS, Subject, Words
from ..verdict import Finding, Outcome, Reason, Span

SENSITIVE = "sensitive"
"""The label that puts pictures and words behind a warning."""

MAX_FINDINGS = 20
_WEIGHT = {Outcome.REFUSE: 0, Outcome.HOLD: 1, Outcome.LABEL: 2}


def check(subject: Subject, facts: Facts) -> tuple[Finding, ...]:
    """One finding for each match, the gravest first."""
    matcher = facts.rulebook.matcher
    findings: list[Finding] = []
    for words in subject.words:
        find = matcher.find_domains if words.field == LINKS else matcher.find
        findings += (_finding(words, hit) for hit in find(words.text, _applies(words.place, facts)))
    if len(findings) > 1:
        findings.sort(key=lambda finding: _WEIGHT[finding.outcome])
    return tuple(findings[:MAX_FINDINGS])


def _applies(place: Scope, facts: Facts) -> Callable[[Rule], bool]:
    ways = OUTBOUND if facts.direction is Direction.OUT else INBOUND
    return lambda rule: rule.fits(ways, place, facts.now)


def _finding(words: Words, hit: Hit) -> Finding:
    rule = hit.rule
    outcome, label = _outcome(rule, hit.review)
    return Finding(
        outcome=outcome,
        reason=Reason.WORDS,
        check="content",
        rule=rule.name,
        category=rule.category,
        basis=rule.basis,
        span=Span(field=words.field, start=hit.start, end=hit.end),
        label=label,
    )


def _outcome(rule: Rule, review: bool) -> tuple[Outcome, str | None]:
    """What a match comes to; `review` lowers it from doing something by itself to asking a person."""
    match rule.action:
        case Action.REFUSE:
            return (Outcome.HOLD if review else Outcome.REFUSE), None
        case Action.HOLD:
            return Outcome.HOLD, None
        case Action.LABEL:
            # A label in doubt is not put on, and nobody's words wait for it; the finding stays in the
            # decision.
            return Outcome.LABEL, None if review else rule.category
        case Action.SENSITIVE:
            return Outcome.LABEL, None if review else SENSITIVE
