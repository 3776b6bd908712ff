from __future__ import annotations

import enum


class IdentityState(enum.StrEnum):
    """How far a person's identity is known; no row at all is `none`."""

    PENDING = "pending"
    VERIFIED = "verified"
    DUE = "due"
    LAPSED = "lapsed"
    REJECTED = "rejected"
