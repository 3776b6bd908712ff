"""What a check of a number answers. The values are a stable interface, described in `docs/IDENTITY.md`.

A number stays out of what is logged by accident: it is in no `repr`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date


class NumberType(enum.StrEnum):
    """The kinds of numbers that can be checked."""

    FOREIGN_PERMANENT_RESIDENT = "foreign-permanent-resident"
    FOREIGN_PERMANENT_RESIDENT_15 = "foreign-permanent-resident-15"
    HK_MACAU_PERMIT = "hk-macau-permit"
    MOBILE = "mobile"
    ORG_CODE = "org-code"
    PASSPORT = "passport"
    """Of another state; the code of that state stands before its number."""
    PASSPORT_CN = "passport-cn"
    RESIDENT_ID = "resident-id"
    RESIDENT_ID_15 = "resident-id-15"
    TAIWAN_PERMIT = "taiwan-permit"
    USCC = "uscc"


class FormReason(enum.StrEnum):
    """Whether a number has its form, or the first thing that was found wrong with it."""

    OK = "ok"
    EMPTY = "empty"
    CHARACTERS = "characters"
    LENGTH = "length"
    FORM = "form"
    PROVINCE = "province"
    NATIONALITY = "nationality"
    BIRTH = "birth"
    FUTURE = "future"
    AGE = "age"
    AUTHORITY = "authority"
    CATEGORY = "category"
    ORGANISATION = "organisation"
    CHECK = "check"


class FormWarning(enum.StrEnum):
    """What to know about a number besides."""

    NO_LONGER_A_DOCUMENT = "no_longer_a_document"
    CENTURY_UNSURE = "century_unsure"
    INVISIBLE_CHARACTERS = "invisible_characters"


class Sex(enum.StrEnum):
    """What the sequence part of a person's number says."""

    MALE = "male"
    FEMALE = "female"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict on a form, and what a number of right form says: nothing is read out of a wrong one."""

    reason: FormReason = FormReason.OK
    normalized: str = field(repr=False)
    birth: date | None = field(default=None, repr=False)
    sex: Sex | None = field(default=None, repr=False)
    province: str | None = field(default=None, repr=False)
    upgrade: str | None = field(default=None, repr=False)
    warnings: tuple[FormWarning, ...] = ()

    @property
    def is_valid(self) -> bool:
        return self.reason is FormReason.OK
