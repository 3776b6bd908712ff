"""Article 7: whether it is known who somebody is. `states` draws how; the other modules are the ways there.

What it is, only the vault knows: nothing here opens a paper.
"""

from __future__ import annotations

from ..vault import Field
from .claims import Claim, ClaimState, Said, Scan, Terms
from .external import confirm_external
from .holders import KEEP_MONTHS, Held, Number
from .mobile import CODE_DIGITS, CODE_MINUTES, TRIES, NotConfirmed, confirm_mobile, new_code, start_mobile
from .people import attest, restore, revoke, verify_organisation, withdraw
from .states import (
    ACCOUNTS_PER_IDENTITY,
    GRACE_DAYS,
    REVERIFY_MONTHS,
    Event,
    Identity,
    IdentityState,
    Method,
    SubjectType,
    get,
    load,
    sweep,
)

__all__ = [
    "ACCOUNTS_PER_IDENTITY",
    "CODE_DIGITS",
    "CODE_MINUTES",
    "GRACE_DAYS",
    "KEEP_MONTHS",
    "REVERIFY_MONTHS",
    "TRIES",
    "Claim",
    "ClaimState",
    "Event",
    "Field",
    "Held",
    "Identity",
    "IdentityState",
    "Method",
    "NotConfirmed",
    "Number",
    "Said",
    "Scan",
    "SubjectType",
    "Terms",
    "attest",
    "confirm_external",
    "confirm_mobile",
    "get",
    "load",
    "new_code",
    "restore",
    "revoke",
    "start_mobile",
    "sweep",
    "verify_organisation",
    "withdraw",
]
