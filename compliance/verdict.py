"""What the gate answers: cleared, held or refused, and why."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Never, NewType, NoReturn, TypeAlias, TypeVar, final

from .activity import Activity

DecisionId = NewType("DecisionId", int)
CaseId = NewType("CaseId", int)

A_co = TypeVar("A_co", bound=Activity, covariant=True)


class Reason(enum.StrEnum):
    """Why something was held or refused. Each has its article, its texts in the catalogues, and a line in
    the docs."""

    IDENTITY_REQUIRED = "identity_required"
    IDENTITY_LAPSED = "identity_lapsed"
    AGREEMENT_REQUIRED = "agreement_required"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_LIMITED = "account_limited"
    HOST_BLOCKED = "host_blocked"
    HOST_REVIEWED = "host_reviewed"
    WORDS = "words"
    TAKEN_DOWN = "taken_down"
    REVIEWER = "reviewer"
    IDENTITY_REJECTED = "identity_rejected"
    IDENTITY_REVOKED = "identity_revoked"
    FRONT_NAME_REQUIRED = "front_name_required"
    CERTIFICATION_DECLINED = "certification_declined"
    CERTIFICATION_REVOKED = "certification_revoked"
    IMITATES_MARK = "imitates_mark"
    ROLE_REQUIRED = "role_required"
    ORGANISATION_SUSPENDED = "organisation_suspended"
    APPROVAL_REQUIRED = "approval_required"
    COMMENTS_CLOSED = "comments_closed"
    COMMENTER_BLOCKED = "commenter_blocked"
    COMMENT_WAITS = "comment_waits"
    COMMENT_HIDDEN = "comment_hidden"
    COMMENT_REMOVED = "comment_removed"
    TIER_REVIEW = "tier_review"
    TIER_LOWERED = "tier_lowered"
    CREDIT_DEDUCTED = "credit_deducted"
    CHECK_FAILED = "check_failed"

    @property
    def article(self) -> str:
        """The article of the microblog regulation it rests on, as `7.1`; empty where the ground is the
        house's own."""
        return _ARTICLES[self]


_ARTICLES = {
    Reason.IDENTITY_REQUIRED: "7.1",
    Reason.IDENTITY_LAPSED: "7.1",
    Reason.AGREEMENT_REQUIRED: "6.2",
    Reason.ACCOUNT_SUSPENDED: "12.2",
    Reason.ACCOUNT_LIMITED: "9",
    Reason.HOST_BLOCKED: "12.1",
    Reason.HOST_REVIEWED: "12.1",
    Reason.WORDS: "12.1",
    Reason.TAKEN_DOWN: "12.2",
    Reason.REVIEWER: "12.2",
    Reason.IDENTITY_REJECTED: "7.1",
    Reason.IDENTITY_REVOKED: "7.1",
    Reason.FRONT_NAME_REQUIRED: "9",
    Reason.CERTIFICATION_DECLINED: "10.1",
    Reason.CERTIFICATION_REVOKED: "8",
    Reason.IMITATES_MARK: "8",
    Reason.ROLE_REQUIRED: "10.2",
    Reason.ORGANISATION_SUSPENDED: "10.2",
    Reason.APPROVAL_REQUIRED: "10.2",
    Reason.COMMENTS_CLOSED: "10.2",
    Reason.COMMENTER_BLOCKED: "10.2",
    Reason.COMMENT_WAITS: "10.2",
    Reason.COMMENT_HIDDEN: "10.2",
    Reason.COMMENT_REMOVED: "10.2",
    Reason.TIER_REVIEW: "9",
    Reason.TIER_LOWERED: "9",
    Reason.CREDIT_DEDUCTED: "9",
    Reason.CHECK_FAILED: "6.1",
}


class Outcome(enum.StrEnum):
    """A finding's weight, in rising order; the values are what the database stores."""

    LABEL = "label"
    HOLD = "hold"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where in the activity's own words a rule matched: a field's name and a half-open range of code
    points."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check says about one activity."""

    outcome: Outcome
    reason: Reason
    check: str
    rule: str | None = None
    """The rule that matched; shown to reviewers, never to authors."""
    category: str | None = None
    basis: str | None = None
    """The article or house rule that the rule set names; quoted in the statement of reasons."""
    span: Span | None = None
    label: str | None = None
    until: datetime | None = None
    """When the same thing is free again, where only its time is wrong."""


@final
class Cleared(Generic[A_co]):
    """Proof that the gate let this activity through, in this transaction.

    Only the gate can make one: `__init__` takes a `Never`, and the module that strikes the value is closed
    to everybody else.
    It cannot be subclassed, altered, copied or pickled, so it does not outlive the transaction it was given
    in.
    """

    __slots__ = ("activity", "decision_id", "labels")

    activity: A_co
    decision_id: DecisionId
    labels: tuple[str, ...]

    def __init__(self, never: Never, /) -> None:
        raise TypeError("only the gate clears an activity")

    def __init_subclass__(cls, **kwargs: Any) -> NoReturn:
        raise TypeError("Cleared is closed")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("Cleared cannot be altered")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("Cleared cannot be altered")

    def __copy__(self) -> NoReturn:
        raise TypeError("Cleared cannot be copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("Cleared cannot be copied")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("Cleared cannot be pickled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Kept for a person to look at; nobody but the author sees it meanwhile."""

    activity: Activity
    decision_id: DecisionId
    case_id: CaseId
    findings: tuple[Finding, ...]

    @property
    def reason(self) -> Reason:
        return self.findings[0].reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Not allowed; nothing of it is stored but the decision."""

    activity: Activity
    decision_id: DecisionId
    findings: tuple[Finding, ...]

    @property
    def reason(self) -> Reason:
        return self.findings[0].reason


Verdict: TypeAlias = Cleared[Activity] | Held | Refused
