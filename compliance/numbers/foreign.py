"""Permanent residence cards of foreigners, in both layouts.

    9 31 586 19800101 002 8   since December 2023: province, nationality (ISO 3166-1), birth, sequence, check
    PAK 3100 800101 0 3       before: nationality, place of application, birth, sequence, check

The check of the older layout stands in no public standard. It is that of ICAO 9303, as the two specimens show
that went round when the layout changed: PAK310080010103 and KAZ110090123105.
"""

from __future__ import annotations

import re
from datetime import date

from . import births, checksums, provinces
from .answer import Answer, FormReason, FormWarning
from .resident import eighteen

_FORM = re.compile(r"9[0-9]{16}[0-9X]")
_FORM_15 = re.compile(r"[A-Z]{3}[0-9]{12}")
_NO_COUNTRY = "000"


def permanent_resident(text: str, as_of: date) -> Answer:
    """A number of the layout of 2023. States come and go, so any nationality but zero may stand there."""
    if len(text) != 18:
        return Answer(reason=FormReason.LENGTH, normalized=text)
    if not _FORM.fullmatch(text):
        return Answer(reason=FormReason.FORM, normalized=text)
    if text[1:3] not in provinces.PROVINCES:
        return Answer(reason=FormReason.PROVINCE, normalized=text)
    if text[3:6] == _NO_COUNTRY:
        return Answer(reason=FormReason.NATIONALITY, normalized=text)
    return eighteen(text, as_of, province=text[1:3])


def permanent_resident_15(text: str, as_of: date) -> Answer:
    """A number of the older layout. Its year has two digits, so a birth is told only where one century fits;
    the single digit of its sequence is not taken for a sex."""
    if len(text) != 15:
        return Answer(reason=FormReason.LENGTH, normalized=text)
    if not _FORM_15.fullmatch(text):
        return Answer(reason=FormReason.FORM, normalized=text)
    if text[3:5] not in provinces.PROVINCES:
        return Answer(reason=FormReason.PROVINCE, normalized=text)
    days = [births.read(century + text[7:13]) for century in ("19", "20")]
    faults = [births.fault(day, as_of) for day in days]
    possible = [day for day, fault in zip(days, faults, strict=True) if fault is None]
    if not possible:
        return Answer(reason=faults[0] or FormReason.BIRTH, normalized=text)
    if text[14] != checksums.icao_9303(text[:14]):
        return Answer(reason=FormReason.CHECK, normalized=text)
    is_sure = len(possible) == 1
    return Answer(
        normalized=text,
        birth=possible[0] if is_sure else None,
        province=text[3:5],
        warnings=() if is_sure else (FormWarning.CENTURY_UNSURE,),
    )
