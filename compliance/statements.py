"""Statements of reasons: decisions that a person takes about something other than one activity.

Such a decision stands among those of the gate, so that whom it is about finds it in the same place and
appeals against it by the same way. What an overturned one leads to is said in `remedies`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import datetime

from . import decisions
from .activity import AccountId, Direction, Uri
from .connection import Connection
from .decisions import Decision
from .errors import NotAllowed
from .verdict import DecisionId, Reason


class Matter(enum.StrEnum):
    """What such a decision is about; stands in `kind`, beside the kinds of activities."""

    IDENTITY = "identity"
    CERTIFICATION = "certification"
    ORGANISATION = "organisation"
    COMMENT = "comment"
    TIER = "tier"
    CREDIT = "credit"


async def issue(
    conn: Connection,
    account_id: AccountId,
    matter: Matter,
    reason: Reason,
    *,
    about: str,
    statement: str,
    by: AccountId | None,
    now: datetime,
    new_id: Callable[[], int],
) -> DecisionId:
    """Writes an unfavourable decision about `account_id` and says its id: tell the person of it.

    `about` names the thing within the matter (`application:17`, the address of a comment); `by` is `None`
    where a rule decided by itself. `NotAllowed` where a person gives no reasons.
    """
    if by is not None and not statement.strip():
        raise NotAllowed("a decision needs a statement of reasons")
    decision = Decision(
        id=DecisionId(new_id()),
        verdict=decisions.REFUSED,
        kind=matter.value,
        direction=Direction.OUT,
        actor_id=account_id,
        activity_uri=Uri(f"urn:yanlu:{matter.value}"),
        object_uri=Uri(about),
        digest=b"",
        rule_version=0,
        reason=reason,
        article=reason.article,
        labels=(),
        findings=(),
        automated=by is None,
        supersedes=None,
        created_at=now,
        statement=statement.strip(),
        decided_by=by,
    )
    await decisions.insert(conn, [decision])
    return decision.id
