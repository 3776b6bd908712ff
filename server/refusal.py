"""What a person is told whose act the gate stopped."""

from __future__ import annotations

import math

from compliance import reasons
from compliance.verdict import Reason

from .errors import AppError, Forbidden, Invalid, TooMany
from .i18n import mark
from .pipeline import Stopped

_STANDING = {
    Reason.IDENTITY_REQUIRED,
    Reason.IDENTITY_LAPSED,
    Reason.AGREEMENT_REQUIRED,
    Reason.ACCOUNT_SUSPENDED,
    Reason.ACCOUNT_LIMITED,
    Reason.IDENTITY_REVOKED,
    Reason.FRONT_NAME_REQUIRED,
    Reason.ROLE_REQUIRED,
    Reason.ORGANISATION_SUSPENDED,
    Reason.APPROVAL_REQUIRED,
    Reason.COMMENTS_CLOSED,
    Reason.COMMENTER_BLOCKED,
}


_FULL = mark(
    "Your account has done this as often as its standing allows in an hour. It can again in %(minutes)s min."
)


class NotPublished(AppError):
    """The gate said no, or not yet. `message` is the reason's text for its author, `next_step` what they can
    do."""

    def __init__(self, stopped: Stopped) -> None:
        text = reasons.TEXTS[stopped.reason]
        if stopped.wait is None:
            super().__init__(text.happened, field=stopped.field)
        else:
            super().__init__(_FULL, field=stopped.field, minutes=math.ceil(stopped.wait / 60))
        self.stopped = stopped
        self.title = text.title
        self.next_step = text.next_step
        self.status = Forbidden.status if stopped.reason in _STANDING else Invalid.status
        if stopped.wait is not None:
            self.status = TooMany.status
