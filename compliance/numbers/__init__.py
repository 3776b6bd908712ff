"""Numbers that stand for a person or an organisation: which check each of them gets.

A right form proves a form, never an identity: whoever knows the rule can make as many right numbers as they
like. Pure functions; no check raises, whatever it is given, and none asks more of a number than its standard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from . import foreign, organisation, permits, phones, resident
from .answer import Answer, FormReason, FormWarning, NumberType, Sex
from .issuers import ISSUERS
from .masks import masked, masked_name
from .phones import mobile
from .writing import cleaned, has_invisible

__all__ = [
    "ISSUERS",
    "Answer",
    "FormReason",
    "FormWarning",
    "NumberType",
    "Sex",
    "check",
    "cleaned",
    "masked",
    "masked_name",
    "mobile",
]

_CHECKS: Mapping[NumberType, Callable[[str, date], Answer]] = MappingProxyType(
    {
        NumberType.FOREIGN_PERMANENT_RESIDENT: foreign.permanent_resident,
        NumberType.FOREIGN_PERMANENT_RESIDENT_15: foreign.permanent_resident_15,
        NumberType.HK_MACAU_PERMIT: permits.hk_macau,
        NumberType.MOBILE: phones.checked,
        NumberType.ORG_CODE: organisation.org_code,
        NumberType.PASSPORT: permits.passport,
        NumberType.PASSPORT_CN: permits.passport_cn,
        NumberType.RESIDENT_ID: resident.resident_id,
        NumberType.RESIDENT_ID_15: resident.resident_id_15,
        NumberType.TAIWAN_PERMIT: permits.taiwan,
        NumberType.USCC: organisation.uscc,
    }
)


def check(kind: NumberType, typed: str, *, as_of: date) -> Answer:
    """Whether what somebody typed has the form of this kind of number, on the day `as_of`, and what it then
    says."""
    text = cleaned(typed)
    if not text:
        answer = Answer(reason=FormReason.EMPTY, normalized=text)
    elif kind is not NumberType.MOBILE and not (text.isascii() and text.isalnum()):
        answer = Answer(reason=FormReason.CHARACTERS, normalized=text)
    else:
        answer = _CHECKS[kind](text, as_of)
    if has_invisible(typed):
        answer = replace(answer, warnings=(*answer.warnings, FormWarning.INVISIBLE_CHARACTERS))
    return answer
