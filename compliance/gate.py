"""The gate: the only place where anything is judged, and the only one that makes a `Cleared`.

A pure core in a thin shell: one query for what is known, every check on every activity, then the decisions,
the cases and the records, each in one statement. It judges exactly what will be stored, touches no network
and never waits. One activity that cannot be judged does not spoil its neighbours, and nothing is published
because a check broke.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from . import _mint, decisions, facts, holding, records, subject
from .activity import (
    Accept,
    Activity,
    Announce,
    ApproveReply,
    AskReply,
    Block,
    Create,
    Delete,
    Direction,
    Flag,
    Follow,
    HideReply,
    Like,
    Reject,
    RemoveReply,
    Undo,
    Update,
    UpdateProfile,
    Upload,
    Uri,
)
from .checks import CHECKS, Check
from .connection import Connection
from .decisions import CLEARED, HELD, REFUSED, Decision
from .facts import Facts, Precedent, Ruling
from .holding import NewCase
from .records import Entry, RecordKind, Source
from .subject import Subject, Unreadable
from .verdict import CaseId, DecisionId, Finding, Held, Outcome, Reason, Refused, Verdict
from .wordlists import Rulebook

_log = logging.getLogger(__name__)
_BY_WORDS = (Reason.WORDS, Reason.IMITATES_MARK, Reason.COMMENTER_BLOCKED)
"""What an appeal about these very words can undo."""
_ORDER = {Outcome.REFUSE: 0, Outcome.HOLD: 1, Outcome.LABEL: 2}


def digest(activity: Activity) -> bytes:
    """SHA-256 over the kind, the actor and everything of `activity` that is judged or shown with it."""
    return subject.read(activity).digest


async def judge(
    conn: Connection,
    activities: Sequence[Activity],
    direction: Direction,
    *,
    rulebook: Rulebook,
    now: datetime,
    new_id: Callable[[], int],
    source: Source | Sequence[Source],
) -> list[Verdict]:
    """The verdict on each activity, in order; decisions, cases and records are written in the caller's
    transaction. `source` says where all of them came from, or, in the same order, each.

    `StaleRules` when other rules are in force than `rulebook`: nothing was written, load them and ask again.
    """
    sources = [source] * len(activities) if isinstance(source, Source) else source
    read = [_read(activity) for activity in activities]
    known = await _known(conn, read, direction, sources, rulebook=rulebook, now=now)
    rulings = [
        _unreadable(activity) if one is None or what is None else _weigh(one, what, CHECKS)
        for activity, one, what in zip(activities, read, known, strict=True)
    ]
    made = [_decide(ruling, direction, rulebook.version, now, new_id) for ruling in rulings]
    await decisions.insert(conn, made)
    waiting = [_file(*pair, now, new_id) for pair in zip(rulings, made, strict=True)]
    await holding.insert(conn, [case for case in waiting if isinstance(case, NewCase)])
    await holding.settle(
        conn, [pair for ruling, one in zip(rulings, made, strict=True) for pair in _settled(ruling, one)]
    )
    entries = [_entry(*each) for each in zip(rulings, made, sources, strict=True)]
    await records.write(conn, entries, now=now, new_id=new_id)
    return [_verdict(*each) for each in zip(rulings, made, waiting, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruling:
    """What the checks came to. `subject` is `None` for what cannot even be read."""

    activity: Activity
    subject: Subject | None
    outcome: Outcome
    findings: tuple[Finding, ...]
    labels: tuple[str, ...] = ()
    precedent: Precedent | None = None
    """The earlier case that decided this, or that it joins."""

    @property
    def verdict(self) -> str:
        return {Outcome.LABEL: CLEARED, Outcome.HOLD: HELD, Outcome.REFUSE: REFUSED}[self.outcome]


def _read(activity: Activity) -> Subject | None:
    try:
        return subject.read(activity)
    except Unreadable:
        return None


async def _known(
    conn: Connection,
    read: Sequence[Subject | None],
    direction: Direction,
    sources: Sequence[Source],
    *,
    rulebook: Rulebook,
    now: datetime,
) -> list[Facts | None]:
    pairs = [(one, source) for one, source in zip(read, sources, strict=True) if one]
    subjects, sent = [one for one, _ in pairs], [source for _, source in pairs]
    loaded = iter(await facts.load(conn, subjects, direction, rulebook=rulebook, now=now, sources=sent))
    return [None if one is None else next(loaded) for one in read]


def _unreadable(activity: Activity) -> _Ruling:
    finding = Finding(outcome=Outcome.REFUSE, reason=Reason.CHECK_FAILED, check="subject")
    return _Ruling(activity=activity, subject=None, outcome=Outcome.REFUSE, findings=(finding,))


def _weigh(one: Subject, known: Facts, checks: Sequence[Check]) -> _Ruling:
    """Runs every check and weighs what they found, gravest first; a person's earlier release outweighs a
    hold."""
    findings = [finding for check in checks for finding in _run(check, one, known)]
    findings.sort(key=lambda finding: _ORDER[finding.outcome])
    precedent = known.precedent
    counted = [finding for finding in findings if not _is_settled(finding, precedent)]
    outcome = counted[0].outcome if counted else Outcome.LABEL
    released = outcome is Outcome.LABEL and len(counted) < len(findings)
    joins = outcome is Outcome.HOLD and precedent is not None and precedent.ruling is Ruling.WAITING
    refused = bool(counted) and counted[0].reason is Reason.REVIEWER
    return _Ruling(
        activity=one.activity,
        subject=one,
        outcome=outcome,
        findings=tuple(counted if outcome is not Outcome.LABEL else findings),
        labels=tuple(dict.fromkeys(finding.label for finding in counted if finding.label)),
        precedent=precedent if released or joins or refused else None,
    )


def _run(check: Check, one: Subject, known: Facts) -> Sequence[Finding]:
    """What the check finds; when it breaks, what must be assumed."""
    try:
        return check(one, known)
    except Exception:
        _log.exception("a check broke", extra={"check": check.__module__, "activity_kind": one.kind})
        return (_assumed(one.activity, check.__module__.rpartition(".")[2]),)


def _assumed(activity: Activity, check: str) -> Finding:
    """Fail closed: what would be published waits for a person, what would tie people together is not done.
    What only takes back, shuts out or complains goes through: nobody is kept from it by our fault."""
    match activity:
        case Create() | Update() | UpdateProfile() | Announce() | Upload():
            outcome = Outcome.HOLD
        case Like() | Follow() | Accept() | AskReply() | ApproveReply():
            outcome = Outcome.REFUSE
        case Delete() | Undo() | Reject() | Block() | Flag():
            outcome = Outcome.LABEL
        case HideReply() | RemoveReply():
            # Acts on what others wrote: only where it is known that the actor answers for it.
            outcome = Outcome.REFUSE
        case _:
            assert_never(activity)
    return Finding(outcome=outcome, reason=Reason.CHECK_FAILED, check=check)


def _is_settled(finding: Finding, precedent: Precedent | None) -> bool:
    """Whether a person has released exactly this before. A refusal is only undone by an appeal, and only one
    by words."""
    if precedent is None or precedent.ruling is not Ruling.RELEASED:
        return False
    if finding.outcome is Outcome.HOLD:
        return True
    return finding.outcome is Outcome.REFUSE and finding.reason in _BY_WORDS and precedent.overrules


def _decide(
    ruling: _Ruling, direction: Direction, rule_version: int, now: datetime, new_id: Callable[[], int]
) -> Decision:
    reason = None if ruling.outcome is Outcome.LABEL else ruling.findings[0].reason
    by_person = ruling.precedent is not None and ruling.precedent.ruling is not Ruling.WAITING
    one = ruling.subject
    return Decision(
        id=DecisionId(new_id()),
        verdict=ruling.verdict,
        kind=subject.kind_of(ruling.activity),
        direction=direction,
        actor_id=ruling.activity.actor.id,
        activity_uri=ruling.activity.id if one else _kept(ruling.activity.id),
        object_uri=one.object_uri if one else None,
        digest=one.digest if one else b"",
        rule_version=rule_version,
        reason=reason,
        article=reason.article if reason else None,
        labels=ruling.labels,
        findings=ruling.findings,
        automated=not by_person,
        supersedes=ruling.precedent.awaits if ruling.precedent else None,
        created_at=now,
    )


def _kept(uri: Uri) -> Uri:
    """As much of an address that cannot be stored as can."""
    return Uri(subject.storable(uri)[:500])


def _file(
    ruling: _Ruling, decision: Decision, now: datetime, new_id: Callable[[], int]
) -> NewCase | CaseId | None:
    """The case that something held gets, or the one that it joins because the same words wait already."""
    if ruling.outcome is not Outcome.HOLD or ruling.subject is None:
        return None
    if ruling.precedent is not None:
        return ruling.precedent.case_id
    return NewCase(
        id=CaseId(new_id()),
        decision_id=decision.id,
        kind=decision.kind,
        direction=decision.direction,
        actor_id=decision.actor_id,
        object_uri=decision.object_uri,
        digest=decision.digest,
        words=ruling.subject.shown,
        payload=subject.pack(ruling.activity),
        created_at=now,
    )


def _settled(ruling: _Ruling, decision: Decision) -> Sequence[tuple[CaseId, DecisionId]]:
    if ruling.precedent is None or ruling.precedent.awaits is None:
        return ()
    return ((ruling.precedent.case_id, decision.id),)


def _entry(ruling: _Ruling, decision: Decision, source: Source) -> Entry:
    reason = decision.reason.value if decision.reason else None
    return Entry(
        RecordKind(f"activity:{decision.kind}"),
        decision.actor_id,
        decision.object_uri or decision.activity_uri,
        decision_id=decision.id,
        source=source,
        detail={
            "verdict": decision.verdict,
            "direction": decision.direction.value,
            "reason": reason,
            **({} if source.second is None else {"approved_by": source.second}),
        },
    )


def _verdict(ruling: _Ruling, decision: Decision, case: NewCase | CaseId | None) -> Verdict:
    if ruling.outcome is Outcome.LABEL:
        return _mint.strike(ruling.activity, decision.id, ruling.labels)
    if case is None:
        return Refused(activity=ruling.activity, decision_id=decision.id, findings=ruling.findings)
    case_id = case.id if isinstance(case, NewCase) else case
    return Held(activity=ruling.activity, decision_id=decision.id, case_id=case_id, findings=ruling.findings)
