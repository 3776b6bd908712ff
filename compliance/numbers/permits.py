"""Passports and travel permits. Their numbers hold neither check nor birth: only the form can be judged."""

from __future__ import annotations

import re
from datetime import date

from .answer import Answer, FormReason
from .issuers import ISSUERS

_PASSPORT = re.compile(r"E[0-9]{8}|E[A-HJ-NP-Z][0-9]{7}|G[0-9]{8}|[DSP]E[0-9]{7}")
"""Ordinary ones, since 2017 with a second letter; older ordinary ones; diplomatic, service and public-affairs
ones."""
_HK_MACAU = re.compile(r"[HM](?:[0-9]{8}|[0-9]{10})")
"""Older cards print how many times they were renewed as two digits more."""
_TAIWAN = re.compile(r"[0-9]{8}")


def passport_cn(text: str, as_of: date) -> Answer:
    """A passport of the People's Republic."""
    del as_of
    return _formed(_PASSPORT, text, lengths=(9,))


def passport(text: str, as_of: date) -> Answer:
    """A passport of another state: the code of that state, and what ICAO 9303 has room for, less than five of
    which no state uses."""
    del as_of
    if not 8 <= len(text) <= 12:
        return Answer(reason=FormReason.LENGTH, normalized=text)
    reason = FormReason.OK if text[:3] in ISSUERS else FormReason.NATIONALITY
    return Answer(reason=reason, normalized=text)


def hk_macau(text: str, as_of: date) -> Answer:
    """The mainland travel permit of a Hong Kong or Macau resident."""
    del as_of
    return _formed(_HK_MACAU, text, lengths=(9, 11))


def taiwan(text: str, as_of: date) -> Answer:
    """The mainland travel permit of a Taiwan resident."""
    del as_of
    return _formed(_TAIWAN, text, lengths=(8,))


def _formed(form: re.Pattern[str], text: str, *, lengths: tuple[int, ...]) -> Answer:
    if len(text) not in lengths:
        return Answer(reason=FormReason.LENGTH, normalized=text)
    reason = FormReason.OK if form.fullmatch(text) else FormReason.FORM
    return Answer(reason=reason, normalized=text)
