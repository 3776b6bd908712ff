"""The first two digits of GB/T 2260, and where each of them may stand.

Only these two are looked at. Counties are merged and founded every year, a number keeps the code of the day
it was given, and so a county that nobody knows says nothing against a number.
"""

from __future__ import annotations

PROVINCES = frozenset(
    f"{code}"
    for codes in (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66))
    for code in codes
) | {"71", "81", "82"}
_TAIWAN_PERMIT = "830000"
"""Stands only in residence permits of Taiwan residents, whole; Hong Kong's and Macau's are 810000, 820000."""
_NATIONAL = "10"
"""Registered with a national authority: only organisations are."""


def is_of_person(region: str) -> bool:
    """Whether a resident's number or a residence permit may begin with these six digits."""
    return region[:2] in PROVINCES or region == _TAIWAN_PERMIT


def is_of_organisation(region: str) -> bool:
    """Whether an organisation may be registered under these six digits."""
    return region[:2] in PROVINCES or region[:2] == _NATIONAL
