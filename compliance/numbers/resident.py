"""Resident identity numbers (GB 11643) and residence permits of Hong Kong, Macau and Taiwan residents, which
follow the same rule.

    110105 19491231 002 X     region, birth, sequence (odd: male), check
    110105   491231 002       as given until 1999; these cards ended with the year 2012
"""

from __future__ import annotations

import re
from datetime import date

from . import births, checksums, provinces
from .answer import Answer, FormReason, FormWarning, Sex

_FORM = re.compile(r"[0-9]{17}[0-9X]")
_FORM_15 = re.compile(r"[0-9]{15}")
_BORN_BEFORE_1900 = frozenset(("996", "997", "998", "999"))
"""Sequence numbers that were kept for the hundred-year-old when the year had two digits."""


def resident_id(text: str, as_of: date) -> Answer:
    """An 18-character number."""
    if len(text) != 18:
        return Answer(reason=FormReason.LENGTH, normalized=text)
    if not _FORM.fullmatch(text):
        return Answer(reason=FormReason.FORM, normalized=text)
    if not provinces.is_of_person(text[:6]):
        return Answer(reason=FormReason.PROVINCE, normalized=text)
    return eighteen(text, as_of, province=text[:2])


def resident_id_15(text: str, as_of: date) -> Answer:
    """A 15-digit number, which is no document any more, and the number that replaced it."""
    if len(text) != 15:
        return Answer(reason=FormReason.LENGTH, normalized=text)
    if not _FORM_15.fullmatch(text):
        return Answer(reason=FormReason.FORM, normalized=text)
    if text[:2] not in provinces.PROVINCES:
        return Answer(reason=FormReason.PROVINCE, normalized=text)
    body = f"{text[:6]}19{text[6:]}"
    birth = births.read(body[6:14])
    if fault := births.fault(birth, as_of):
        return Answer(reason=fault, normalized=text)
    warnings = [FormWarning.NO_LONGER_A_DOCUMENT]
    if text[12:] in _BORN_BEFORE_1900:
        warnings.append(FormWarning.CENTURY_UNSURE)
    return Answer(
        normalized=text,
        birth=birth,
        sex=_sex(text[14]),
        province=text[:2],
        upgrade=body + checksums.gb_11643(body),
        warnings=tuple(warnings),
    )


def eighteen(text: str, as_of: date, *, province: str) -> Answer:
    """Birth, sex and check of 18 characters whose first six have been looked at."""
    birth = births.read(text[6:14])
    if fault := births.fault(birth, as_of):
        return Answer(reason=fault, normalized=text)
    if text[17] != checksums.gb_11643(text[:17]):
        return Answer(reason=FormReason.CHECK, normalized=text)
    return Answer(normalized=text, birth=birth, sex=_sex(text[16]), province=province)


def _sex(digit: str) -> Sex:
    return Sex.MALE if int(digit) % 2 else Sex.FEMALE
