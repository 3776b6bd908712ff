"""Organisation codes (GB 11714) and the unified social credit codes (GB 32100) that hold them.

    D2143569 X                         body, check
    9 1 350100 MA01ABCD5 5             authority, category, region, organisation code, check

All zeros pass both sums of a social credit code, so the authority and its categories are looked up as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from . import checksums, provinces
from .answer import Answer, FormReason

_ORG_CODE = re.compile(r"[0-9A-Z]{8}[0-9X]")
_USCC = re.compile(rf"[{checksums.GB_32100_ALPHABET}]{{2}}[0-9]{{6}}[{checksums.GB_32100_ALPHABET}]{{10}}")
_CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        "1": "1239",  # staffing offices: state organs, public institutions, mass organisations, others
        "2": "19",  # foreign affairs: resident offices of foreign news media
        "3": "123459",  # justice: law firms, notaries, legal services, forensic offices, arbitration
        "4": "19",  # culture: foreign cultural centres
        "5": "1239",  # civil affairs: associations, private non-enterprise units, foundations
        "6": "129",  # tourism: offices from abroad, from Hong Kong, Macau and Taiwan
        "7": "129",  # religion: places of worship, religious schools
        "8": "19",  # trade unions
        "9": "123",  # market regulation: enterprises, sole traders, farmers' cooperatives
        "A": "19",  # the military's institutions
        "N": "1239",  # agriculture: economic collectives of group, village, township
        "Y": "1",  # everybody else
    }
)
"""Which categories each registering authority gives out, by GB 32100 and its amendment."""


def org_code(text: str, as_of: date) -> Answer:
    """Nine characters; the hyphen before the check is for print."""
    del as_of
    if len(text) != 9:
        return Answer(reason=FormReason.LENGTH, normalized=text)
    if not _ORG_CODE.fullmatch(text):
        return Answer(reason=FormReason.FORM, normalized=text)
    reason = FormReason.OK if text[8] == checksums.gb_11714(text[:8]) else FormReason.CHECK
    return Answer(reason=reason, normalized=text)


def uscc(text: str, as_of: date) -> Answer:
    """Eighteen characters, with an organisation code inside that holds by itself."""
    del as_of
    if len(text) != 18:
        return Answer(reason=FormReason.LENGTH, normalized=text)
    if not _USCC.fullmatch(text):
        return Answer(reason=FormReason.FORM, normalized=text)
    if text[0] not in _CATEGORIES:
        return Answer(reason=FormReason.AUTHORITY, normalized=text)
    if text[1] not in _CATEGORIES[text[0]]:
        return Answer(reason=FormReason.CATEGORY, normalized=text)
    if not provinces.is_of_organisation(text[2:8]):
        return Answer(reason=FormReason.PROVINCE, normalized=text)
    if text[16] != checksums.gb_11714(text[8:16]):
        return Answer(reason=FormReason.ORGANISATION, normalized=text)
    if text[17] != checksums.gb_32100(text[:17]):
        return Answer(reason=FormReason.CHECK, normalized=text)
    return Answer(normalized=text, province=text[2:4])
